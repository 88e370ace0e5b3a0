package feed

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"
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

// The worst shapes take a time in proportion to their length. A square would make eight times the bytes 64 times as long.
// Counted is the work of the process, whatever else the machine does.
func TestWorst(t *testing.T) {
	for kind, shapes := range map[string]map[string]func(int) string{"feed": worstFeeds, "page": worstPages} {
		for name, in := range shapes {
			slow := func() bool {
				part, whole := in(32<<10), in(256<<10)
				return work(func() { readWorst(kind, whole) }) > 24*work(func() { readWorst(kind, part) })+100*time.Millisecond
			}
			if slow() && slow() {
				t.Errorf("a %s of %s takes more than its length", kind, name)
			}
		}
	}
}

// work is how long the process is at work for something.
func work(something func()) time.Duration {
	var before, after syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	something()
	if err = errors.Join(err, syscall.Getrusage(syscall.RUSAGE_SELF, &after)); err != nil {
		panic(err)
	}
	return time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
}

// Of thousands of pictures those that are shown are kept, and one that is known gets its description from wherever it stands.
func TestManyPictures(t *testing.T) {
	at, err := url.Parse("https://blog.example/a")
	if err != nil {
		t.Fatal(err)
	}
	a := album{base: at}
	for i := range 5000 {
		a.add(fmt.Sprintf("%d.png", i), "", "")
	}
	a.add("3.png", "", "described")
	if len(a.pictures) != maxPictures || a.pictures[3].Alt != "described" {
		t.Errorf("%d pictures: %v", len(a.pictures), a.pictures[:maxPictures])
	}
}

func BenchmarkWorst(b *testing.B) {
	for kind, shapes := range map[string]map[string]func(int) string{"feed": worstFeeds, "page": worstPages} {
		for name, in := range shapes {
			b.Run(kind+"/"+name, func(b *testing.B) {
				text := in(maxHTML)
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					readWorst(kind, text)
				}
			})
		}
	}
}
