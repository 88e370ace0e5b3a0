package feed

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzParse: whatever a feed is, what is read of it is bounded and of this world.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.[xj]*")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		if body, err := os.ReadFile(file); err == nil && len(body) < 8<<10 {
			f.Add(body, "")
		}
	}
	f.Add([]byte(`<rss><channel><item><title>a</title><link>https://blog.example/a</link></item></channel></rss>`), "application/rss+xml; charset=utf-16")
	f.Add([]byte(`<!DOCTYPE x [<!ENTITY a "b">]><feed><entry><title>&a;</title></entry></feed>`), "text/xml")
	f.Add([]byte(`<feed xmlns="http://www.w3.org/2005/Atom"><entry><id mode="base64">/w==</id><title type="image/png">/w==</title></entry></feed>`), "")
	f.Add([]byte(`{"version":"https://jsonfeed.org/version/1.1","items":[{"id":1,"content_html":"x"}]}`), "application/feed+json")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		d, err := parse(body, http.Header{"Content-Type": {contentType}}, "https://blog.example/feed.xml")
		if err != nil {
			if len(err.Error()) > 2000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		if len(d.items) > maxItems {
			t.Errorf("%d items", len(d.items))
		}
		for _, i := range d.items {
			if len(i.tags) > maxTags || len(i.content) > maxText || len(i.guid) > maxGUID || !utf8.ValidString(i.title+i.content+i.summary+i.guid) {
				t.Errorf("%+v", i)
			}
			for _, link := range i.links {
				if strings.ContainsAny(link, "\r\n\x00") {
					t.Errorf("link %q", link)
				}
			}
		}
	})
}

// FuzzPage: whatever a page of the blog is, reading its head ends.
func FuzzPage(f *testing.F) {
	f.Add([]byte(`<title>A</title><link rel="alternate" type="application/activity+json" href="/x"><meta property="og:image" content="i.png">`), "text/html; charset=utf-8")
	f.Add([]byte("<title>\xff"), "text/html; charset=shift_jis")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		p, err := parsePage(body, contentType, "https://blog.example/a")
		if err == nil && (len(p.Title) > 4*maxTitle+8 || strings.ContainsAny(p.Title, "\x00<")) && !strings.Contains(p.Title, "<") {
			t.Errorf("title %q", p.Title)
		}
	})
}
