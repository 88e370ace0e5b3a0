package feed

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// repeat is an input of about n bytes between two others. A %d in it is counted.
func repeat(before, s, after string) func(n int) string {
	return func(n int) string {
		var b strings.Builder
		b.WriteString(before)
		for i := 0; b.Len() < n; i++ {
			b.WriteString(strings.ReplaceAll(s, "%d", fmt.Sprint(i)))
		}
		return b.String() + after
	}
}

// worstFeeds and worstPages are the shapes that cost others a square.
var (
	worstFeeds = map[string]func(n int) string{
		"items":      repeat(`<rss><channel>`, `<item><title>%d</title><link>https://a.example/%d</link></item>`, `</channel></rss>`),
		"links":      repeat(`<rss><channel><item>`, `<link>%d</link>`, `</item></channel></rss>`),
		"categories": repeat(`<rss><channel><item>`, `<category>%d</category>`, `</item></channel></rss>`),
		"enclosures": repeat(`<rss><channel><item>`, `<enclosure url="%d" type="image/png"/>`, `</item></channel></rss>`),
		"media":      repeat(`<rss xmlns:media="http://search.yahoo.com/mrss/"><channel><item>`, `<media:content url="%d" medium="image"/>`, `</item></channel></rss>`),
		"images":     repeat(`<rss><channel><item><description>`, `&lt;img src=%d>`, `</description></item></channel></rss>`),
		"namespaces": repeat(`<rss><channel>`, `<a%d:b xmlns:a%d="u%d">x</a%d:b>`, `</channel></rss>`),
		"attributes": repeat(`<feed xmlns="http://www.w3.org/2005/Atom"><entry><content `, `a%d="" `, `/></entry></feed>`),
		"cdata":      repeat(`<rss><channel><item><description>`, `<![CDATA[&]]>`, `</description></item></channel></rss>`),
		"ampersands": repeat(`<feed xmlns="http://www.w3.org/2005/Atom"><entry><content type="html">`, `&`, `;</content></entry></feed>`),
		"base": repeat(`<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://a.example/"><entry><content type="html">`, `&lt;p>&lt;b>`,
			`</content></entry></feed>`),
		"json":     repeat(`{"version":"https://jsonfeed.org/version/1.1","items":[`, `{"id":"%d"},`, `{}]}`),
		"lists":    repeat(`{"version":"https://jsonfeed.org/version/1.1","items":`, `[`, ``),
		"encoding": repeat(`<?xml encoding="gb18030"?><rss><channel><item><title>`, "\x810", `</title></item></channel></rss>`),
		"no bytes": repeat("", "\xff", ""),
		"spaces":   repeat("", " ", ""),
	}
	worstPages = map[string]func(n int) string{
		"bases":      repeat("", `<base href="a/">`, ""),
		"attributes": repeat("<p", " a%d", ">"),
		"titles":     repeat("", `<meta property=og:title content="%d">`, ""),
		"pictures":   repeat("", `<meta property=og:image content="%d"><meta property=og:image:alt content="%d">`, ""),
		"tags":       repeat("", `<meta property=article:tag content="%d">`, ""),
		"rels":       repeat("<link href=x rel='", "me ", "'>"),
		"long base":  repeat("<base href='", "a/", "'>"+strings.Repeat("<a rel=me href=x>", maxLinks)),
		"scripts":    repeat("", "<script><!--", ""),
		"ampersands": repeat("<title>", "&", ""),
	}
)

// readWorst reads a feed or a page.
func readWorst(kind, text string) {
	if kind == "feed" {
		_, _ = parse([]byte(text), http.Header{}, "https://blog.example/feed.xml")
		return
	}
	_, _ = parsePage([]byte(text), "text/html; charset=utf-8", "https://blog.example/a")
}

// BenchmarkWorst shows, by an eighth of the bytes, that the worst shapes cost no square.
func BenchmarkWorst(b *testing.B) {
	for kind, shapes := range map[string]map[string]func(int) string{"feed": worstFeeds, "page": worstPages} {
		for name, in := range shapes {
			for part, n := range map[string]int{"whole": 256 << 10, "eighth": 32 << 10} {
				s := in(n)
				b.Run(kind+"/"+name+"/"+part, func(b *testing.B) {
					for b.Loop() {
						readWorst(kind, s)
					}
				})
			}
		}
	}
}
