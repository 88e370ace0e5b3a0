package sanitize

import (
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/net/html"
)

// Note reduces the blog's own HTML to what Mastodon keeps, which is the closed tree: headings become strong paragraphs,
// images their alternative text. Relative links are made absolute against base, the post's address; links have no rel,
// and their text is trusted. Reads 1 MiB, writes 64 KiB.
func Note(in, base string) string { return own(in, base).html("") }

// own reads the blog's own HTML.
func own(in, base string) *block {
	o := options{own: true, keepQuotes: true}
	if u, err := url.Parse(base); err == nil && u.IsAbs() {
		o.base = u
	}
	return build(cut(in, maxOwn), o)
}

// mention is one at the front of stored HTML. Friendica and Hubzilla keep the "@" outside the link.
var mention = regexp.MustCompile(`^(?: |<br/>)*(?:@<a href="[^"]*"[^>]*>|<a href="[^"]*"[^>]*>@)[^<]*</a>[,:]?`)

// SplitMentions finds the mentions that a reply begins with ("@alice @bob yes") in HTML of this package: the leading links
// with an "@". names is what they are, without the "<p>" before them, and rest what follows; names is empty where there
// are none, or nothing else.
func SplitMentions(in string) (names, rest string) {
	after, ok := strings.CutPrefix(in, "<p>")
	if !ok || !strings.ContainsAny(after[:min(len(after), 1)], " <@") { // most begin with a word, and cost nothing
		return "", in
	}
	end := 0
	for m := mention.FindString(after); m != ""; m = mention.FindString(after[end:]) {
		end += len(m)
	}
	if end == 0 || strings.TrimSpace(after[end:]) == "</p>" {
		return "", in
	}
	return after[:end], after[end:]
}

// SplitLink finds the last link to an address in HTML of this package, if it has nothing but words: before and after are
// what is around them, still with the <a> and the </a>.
func SplitLink(in, href string) (before, words, after string, found bool) {
	start := `<a href="` + html.EscapeString(href) + `"` + rel + ">"
	at := strings.LastIndex(in, start)
	if at < 0 {
		return in, "", "", false
	}
	at += len(start)
	words, _, closed := strings.Cut(in[at:], "</a>")
	if words == "" || !closed || strings.Contains(words, "<") {
		return in, "", "", false
	}
	return in[:at], html.UnescapeString(words), in[at+len(words):], true
}

// SplitAfter splits HTML of this package, which is a row of blocks, behind the first of them that ends at n bytes or later,
// or at a line break in it: with some servers all of a text is one paragraph. There may be pictures in it by now.
func SplitAfter(in string, n int) (head, rest string) {
	for start, end := 0, 0; end < len(in); start = end {
		if end += outermost(in[end:]); end < n {
			continue
		}
		if at := start + lineBreak(in[start:end], n-start); at > start {
			return in[:at] + "</p>", "<p>" + pastBreaks(in[at:])
		}
		return in[:end], in[end:]
	}
	return in, ""
}

const lineEnd = "<br/>"

func pastBreaks(in string) string {
	for strings.HasPrefix(in, lineEnd) {
		in = in[len(lineEnd):]
	}
	return in
}

// lineBreak finds the first one at n bytes or later of a paragraph that stands in nothing else; 0: there is none.
func lineBreak(block string, n int) int {
	if !strings.HasPrefix(block, "<p>") {
		return 0
	}
	for at, depth := 0, 0; ; at++ {
		next := strings.IndexByte(block[at:], '<')
		if next < 0 {
			return 0
		}
		at += next
		switch tag := block[at:]; {
		case strings.HasPrefix(tag, "</"):
			depth--
		case strings.HasPrefix(tag, lineEnd):
			if depth == 1 && at >= n && pastBreaks(tag) != "</p>" {
				return at
			}
		case !strings.HasPrefix(tag, "<img"):
			depth++
		}
	}
}

// outermost is how long the first block is. Those of its kind may stand in it.
func outermost(in string) int {
	name, _, _ := strings.Cut(in[1:], ">")
	start, end := "<"+name+">", "</"+name+">"
	for at, open := 0, 0; ; {
		before, _, found := strings.Cut(in[at:], end)
		if !found {
			return len(in)
		}
		at += len(before) + len(end)
		if open += strings.Count(before, start) - 1; open == 0 {
			return at
		}
	}
}
