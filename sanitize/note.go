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
var mention = regexp.MustCompile(`^(?: |<br/>)*(?:@<a href="([^"]*)"[^>]*>|<a href="([^"]*)"[^>]*>@)[^<]*</a>[,:]?`)

// StripMentions drops the mentions a reply begins with ("@alice @bob yes" says "yes") from HTML of this package: the
// leading links with an "@" whose href isParticipant knows. A comment of nothing else stays.
func StripMentions(in string, isParticipant func(href string) bool) string {
	rest, ok := strings.CutPrefix(in, "<p>")
	if !ok {
		return in
	}
	for {
		m := mention.FindStringSubmatch(rest)
		if m == nil || !isParticipant(html.UnescapeString(m[1]+m[2])) {
			break
		}
		rest = rest[len(m[0]):]
	}
	if out := HTML("<p>" + rest); out != "" {
		return out
	}
	return in
}
