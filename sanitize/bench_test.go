package sanitize

import (
	"fmt"
	"strings"
	"testing"
)

// repeat is an input of about n bytes.
func repeat(s string) func(n int) string {
	return func(n int) string { return strings.Repeat(s, n/len(s)) }
}

// worst are the shapes that cost others a square.
var worst = map[string]func(n int) string{
	"p-b":          repeat("<p><b>"),
	"p-b-x":        repeat("<p><b>x"),
	"blockquotes":  repeat("<blockquote>"),
	"quotes-x":     repeat("<blockquote>x"),
	"lists":        repeat("<ul><li>x"),
	"closers":      repeat("</ul></li></b></p>"),
	"list-closers": func(n int) string { return repeat("<ul><li>")(n/2) + repeat("</li>")(n/2) },
	"links":        repeat("<a>"),
	"links-x":      repeat("<a href=https://e.example>x"),
	"host-links":   repeat("<a href=//x>a.рф </a>"),
	"one-link":     func(n int) string { return "<a href=https://xn--80a.xn--p1ai>" + repeat("а.рф ")(n-50) },
	"long-host":    func(n int) string { return "<a href=https://e.example>https://" + repeat("ж")(n-50) },
	"liars":        repeat("<a href=https://e.example>x.com</a>"),
	"styles":       repeat("<b>x<i>y</b>z</i>"),
	"attributes":   func(n int) string { return "<p" + many(" a%d=b", n) + ">x" },
	"attrs-tags":   func(n int) string { return "<p" + many(" a%d", n/2) + ">" + repeat("<b c>")(n/2) },
	"breaks":       repeat("<br>"),
	"newlines":     repeat("\n"),
	"spaces":       repeat("a "),
	"nbsp":         repeat("\u00a0"),
	"marks":        repeat("\u0301"),
	"thai-marks":   repeat("\u0e49"),
	"entities":     repeat("&amp;"),
	"ampersands":   repeat("&"),
	"comments":     repeat("<!--"),
	"less":         repeat("<"),
	"templates":    repeat("<template>"),
	"scripts":      repeat("<script></scrip"),
	"quote-lines":  repeat("<span class=quote-inline>"),
	"classes":      func(n int) string { return `<p class="` + repeat("a ")(n) + `">` },
	"pre":          func(n int) string { return "<pre>" + repeat("x\n \n\n")(n) },
	"md-quotes":    markup("> "),
	"md-items":     markup("1. "),
	"md-links":     markup("[a]("),
	"md-stars":     markup("*a_ "),
	"md-www":       markup("www._"),
	"controls":     repeat("\x00\u202e"),
}

// markup is as much of a Markdown shape as is rendered.
func markup(s string) func(n int) string {
	return func(int) string { return strings.Repeat(s, maxPunct/punctuation(s)) }
}

func many(format string, n int) string {
	var s strings.Builder
	for i := 0; s.Len() < n; i++ {
		fmt.Fprintf(&s, format, i)
	}
	return s.String()
}

const reply = `<p><span class="h-card" translate="no"><a href="https://blog.example/@blog" class="u-url mention">@<span>blog</span></a></span> ` +
	`Thank you, that explains why my server forgot them! More here: <a href="https://example.com/a/rather/long/address" rel="nofollow noopener" ` +
	`translate="no"><span class="invisible">https://</span><span class="ellipsis">example.com/a/rather/lon</span><span class="invisible">g/address</span></a></p>` +
	`<p>Greetings<br />from <a href="https://mastodon.example/tags/here" class="mention hashtag" rel="tag">#<span>here</span></a></p>`

func BenchmarkReply(b *testing.B) {
	for b.Loop() {
		HTML(reply)
	}
}

// BenchmarkWorst shows, by an eighth of the bytes, that the worst shapes cost no square.
func BenchmarkWorst(b *testing.B) {
	for name, in := range worst {
		for kind, clean := range map[string]func(string) string{"html": HTML, "markdown": Markdown, "plain": Plain} {
			for part, n := range map[string]int{"whole": maxIn, "eighth": maxIn / 8} {
				s := in(n)
				b.Run(kind+"/"+name+"/"+part, func(b *testing.B) {
					for b.Loop() {
						clean(s)
					}
				})
			}
		}
	}
}

// The worst shapes hold the invariants at full size too. What they cost, BenchmarkWorst says.
func TestWorst(t *testing.T) {
	for _, in := range worst {
		for _, clean := range []func(string) string{HTML, Markdown, Plain} {
			check(t, clean(in(maxIn)))
		}
	}
}
