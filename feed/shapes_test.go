package feed_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"afterword/feed"
)

// TestGenerators reads feeds in the shapes that the usual generators give them; testdata/<name>.want says what posts they
// become.
func TestGenerators(t *testing.T) {
	files, err := filepath.Glob("testdata/*.[xj]*")
	if err != nil || len(files) < 8 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
		t.Run(name, func(t *testing.T) {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, style := range []feed.Style{feed.Excerpt, feed.Full, feed.Title} {
				got += fmt.Sprintf("== %s\n%s", style, shown(t, body, style))
			}
			want, err := os.ReadFile("testdata/" + name + ".want")
			if err != nil || got != string(want) {
				t.Errorf("%v\ngot\n%s\nwant\n%s", err, got, want)
			}
		})
	}
}

// shown is what a feed's posts say.
func shown(t *testing.T, body []byte, style feed.Style) string {
	s := open(t, func(c *feed.Config) { c.Note = style })
	s.serve("/feed.xml", "application/octet-stream", string(body))
	s.read()
	posts, err := s.db.Posts(s.Context(), 100, 0)
	if err != nil || len(posts) == 0 {
		t.Fatalf("%v: %+v", err, s.state())
	}
	var b strings.Builder
	for _, p := range posts {
		fmt.Fprintf(&b, "%s\n%s (%s) %s %q\n%s%s\n", p.URL, p.Title, p.Lang, p.Published.Format(time.RFC3339), p.Tags, p.Summary, p.Content)
		for _, picture := range p.Pictures {
			fmt.Fprintf(&b, "%s %s %q\n", picture.Type, picture.URL, picture.Alt)
		}
	}
	return b.String()
}

// SECURITY K5: whatever a feed is written in, it is read, or as much of it as can be.
func TestEncodings(t *testing.T) {
	plain := rss(entry{name: "a", title: "Grün – ok"})
	encode := func(name string, enc interface{ Bytes([]byte) ([]byte, error) }) []byte {
		out, err := enc.Bytes([]byte(strings.Replace(plain, `encoding="utf-8"`, `encoding="`+name+`"`, 1)))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	latin := bytes.ReplaceAll(encode("x", charmap.Windows1252.NewEncoder()), []byte(` encoding="x"`), nil)
	for name, x := range map[string]struct {
		body []byte
		kind string
		want string
	}{
		"UTF-8":                 {[]byte(plain), "text/xml", "Grün – ok"},
		"UTF-8 with mark":       {[]byte("\uFEFF" + plain), "text/xml", "Grün – ok"},
		"UTF-8, space before":   {[]byte("\n  " + plain), "text/xml", "Grün – ok"},
		"UTF-8 said to be 8859": {[]byte(plain), "text/xml; charset=iso-8859-1", "Grün – ok"},
		"Windows-1252":          {encode("windows-1252", charmap.Windows1252.NewEncoder()), "text/xml", "Grün – ok"},
		"8859-1 means 1252":     {encode("ISO-8859-1", charmap.Windows1252.NewEncoder()), "text/xml", "Grün – ok"},
		"header says 1252":      {latin, "text/xml; charset=windows-1252", "Grün – ok"},
		"UTF-16 BE":             {encode("UTF-16", unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder()), "text/xml", "Grün – ok"},
		"UTF-16 LE":             {encode("utf-16le", unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder()), "text/xml", "Grün – ok"},
		"UTF-16 that is none":   {[]byte(strings.Replace(plain, "utf-8", "UTF-16", 1)), "text/xml", "Grün – ok"},
		"wrong":                 {encode("utf-8", charmap.Windows1252.NewEncoder()), "text/xml", "Gr\uFFFDn \uFFFD ok"},
		"unheard of":            {[]byte(strings.Replace(plain, "utf-8", "klingon", 1)), "text/xml", "Grün – ok"},
		"controls":              {[]byte(strings.Replace(plain, "ok", "o\x00\x08k", 1)), "text/xml", "Grün – ok"},
		"JSON with mark":        {[]byte("\uFEFF" + `{"version":"https://jsonfeed.org/version/1","items":[{"id":"1","url":"https://blog.test/a/","title":"Grün – ok"}]}`), "application/json", "Grün – ok"},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			s.serve("/feed.xml", x.kind, string(x.body))
			s.read()
			if got := s.posts(); got != x.want {
				t.Errorf("%q: %+v", got, s.state())
			}
		})
	}
}

func TestReadPage(t *testing.T) {
	s := open(t)
	s.site["/p"] = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=windows-1252")
		w.Header().Add("Link", `<https://comments.test/posts/p>; rel="alternate"; type="application/activity+json", </feed.json>; type="application/feed+json"; rel=alternate`)
		w.Header().Set("X-Robots-Tag", "googlebot: noindex")
		fmt.Fprint(w, "<html lang=de_AT><base href=/sub/><title> Gr\xfcn &amp; gut </title><meta name=description content='Ein &lt;Satz>'>"+
			"<link rel='shortcut icon' href=i.ico><link rel=canonical href='/p'><link rel=alternate type=application/atom+xml href=a.xml>"+
			"<link rel=stylesheet href=x.css><link rel=alternate type='application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"' href='/n'>"+
			"<body><a rel='nofollow me' href=https://social.test/@me>me</a><a rel=me href='javascript:x'>x</a><time datetime=2009-07-06>then</time><time datetime=2010-01-01>")
	}
	p, err := feed.ReadPage(s.Context(), s.reader.Fetch, blog+"p")
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%+v", p)
	want := `{URL:https://blog.test/p Title:Grün & gut Description:Ein <Satz> Lang:de-AT Icon:https://blog.test/sub/i.ico Canonical:https://blog.test/p ` +
		`Feeds:[https://blog.test/sub/a.xml https://blog.test/feed.json] Activity:[https://blog.test/n https://comments.test/posts/p] ` +
		`Me:[https://social.test/@me] Noindex:true Tags:[] Pictures:[] Published:2009-07-06 00:00:00 +0000 UTC}`
	if got != want {
		t.Errorf("\n%s\n%s", got, want)
	}
	s.serve("/x", "image/png", "PNG")
	if _, err := feed.ReadPage(s.Context(), s.reader.Fetch, blog+"x"); err == nil {
		t.Error("a picture is no page")
	}
}
