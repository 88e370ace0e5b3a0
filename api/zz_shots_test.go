package api

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"afterword/storage"
	"afterword/thread"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

func fill(s *site) map[string]thread.Post {
	ctx := context.Background()
	alice, bob, me := s.person("alice", "Alice Wonder"), s.person("bob", "Bob"), s.person("me", "The Blogger")
	bot := thread.Author{ID: "https://bots.example/users/news", Name: "News robot", Handle: "@news@bots.example", Bot: true}
	s.save(bot)
	posts := map[string]thread.Post{}
	one := s.post("one", storage.Draft{Title: "On keeping a notebook", Lang: "en", Summary: "<p>Why I still write things down on paper, after all these years of machines that promise to remember for me.</p>"})
	s.comment(one, thread.Comment{ID: id(1), Author: alice, Lang: "en", HTML: "<p>This made my morning. Thank you.</p>"})
	many := s.post("many", storage.Draft{Title: "The state of comments on the small web, and what might come after", Lang: "en"})
	s.comment(many, thread.Comment{ID: id(10), Author: alice, Lang: "en", HTML: `<p>I have been waiting for somebody to write this. The point about <a href="https://example.org/long/path" rel="nofollow ugc noopener noreferrer">third parties</a> is the one that people forget most often: a reader's browser should talk to the blog and nobody else.</p><p>One question, though: what happens to old threads?</p>`})
	s.comment(many, thread.Comment{ID: id(11), Parent: id(10), Author: me, Lang: "en", HTML: "<p>They stay where they are, and can be closed. <strong>Nothing</strong> is ever lost.</p>", Edited: s.now()})
	s.comment(many, thread.Comment{ID: id(12), Parent: id(11), Author: bob, Lang: "de", HTML: "<p>Genau darauf habe ich gehofft.</p><blockquote><p>Nothing is ever lost</p></blockquote><p>Das ist ein großes Wort.</p>"})
	s.comment(many, thread.Comment{ID: id(13), Author: bot, Lang: "en", HTML: "<p>This link was mentioned 3 times this week.</p>"})
	s.comment(many, thread.Comment{ID: id(14), Author: bob, Warning: "Spoilers for the second act", HTML: "<p>The butler did it.</p>"})
	s.comment(many, thread.Comment{ID: id(15), Author: alice, HTML: "<p>gone</p>"})
	s.comment(many, thread.Comment{ID: id(16), Parent: id(15), Author: bob, HTML: "<p>I disagree with what was said here, politely.</p><pre>func main() {\n\tfmt.Println(\"a rather long line of code that does not fit on a telephone\")\n}</pre><ul><li>one</li><li>two</li></ul>"})
	s.must(s.DB.DeleteComment(ctx, storage.Message{}, id(15), thread.Verdict{Decision: thread.Done}))
	parent := id(16)
	for i := range 9 {
		who := []thread.Author{alice, bob, me}[i%3]
		c := s.comment(many, thread.Comment{ID: id(20 + i), Parent: parent, Author: who, HTML: fmt.Sprintf("<p>Deeper, number %d. Some more words so that the line has a length that is worth wrapping on a small screen.</p>", i+1)})
		parent = c.ID
	}
	s.comment(many, thread.Comment{ID: id(40), Author: alice, HTML: "<p>A branch that is closed.</p>"})
	s.comment(many, thread.Comment{ID: id(41), Parent: id(40), Author: bob, HTML: "<p>Below it.</p>"})
	s.must(s.DB.CloseBranch(ctx, id(40), s.now()))
	s.comment(many, thread.Comment{ID: id(42), Author: alice, HTML: "<p>No URL, no language.</p>"})
	for i := range 3 {
		s.must(s.DB.React(ctx, storage.Message{Sender: thread.IRI(fmt.Sprint("https://l.example/", i)), Object: many.ID}, storage.Like, thread.Verdict{Decision: thread.Done}))
	}
	none := s.post("none", storage.Draft{Title: "Fresh from the press", Lang: "en"})
	closed := s.post("closed", storage.Draft{Title: "An old debate", Lang: "en"})
	s.comment(closed, thread.Comment{ID: id(50), Author: alice, HTML: "<p>First.</p>"})
	s.comment(closed, thread.Comment{ID: id(51), Parent: id(50), Author: bob, HTML: "<p>Second.</p>"})
	s.comment(closed, thread.Comment{ID: id(52), Imported: true, Author: thread.Author{ID: "https://blog.example/imported/walter"}, HTML: "<p>Imported, 2009.</p>", Published: time.Date(2009, 7, 6, 15, 12, 0, 0, time.UTC)})
	s.save(thread.Author{ID: "https://blog.example/imported/walter", Name: "Walter"})
	late := thread.Comment{ID: id(53), Author: bob, HTML: "late"}
	s.verdict(closed, &late, thread.TooLate)
	s.must(s.DB.CloseThread(ctx, closed.ID, s.now()))
	rtl := s.post("rtl", storage.Draft{Title: "عن التعليقات في الشبكة الصغيرة", Lang: "ar"})
	omar := s.person("omar", "عمر الخيام")
	s.comment(rtl, thread.Comment{ID: id(60), Author: omar, Lang: "ar", HTML: "<p>شكرًا على هذه التدوينة الجميلة، انتظرتها طويلًا.</p>"})
	s.comment(rtl, thread.Comment{ID: id(61), Parent: id(60), Author: alice, Lang: "en", HTML: "<p>And an answer in English, left to right.</p>"})
	s.comment(rtl, thread.Comment{ID: id(62), Parent: id(61), Author: omar, Lang: "ar", HTML: "<p>نعم، وهذا جواب.</p>"})
	hostile := s.post("hostile", storage.Draft{Title: `<script>pwned()</script> "quotes" & ampersands`, Lang: "en"})
	names := []string{`<script>window.pwned=1</script>`, `"><img src=x onerror=window.pwned=2>`, "Z̷̢͎a̵l̶g̸o̷ ̴T̶e̷x̶t̴", strings.Repeat("WWWWWWWWWW", 12), "مرحبا بالعالم abc 123", "   ", "🦊🦊🦊", "The Blogger"}
	for i, n := range names {
		a := s.person(fmt.Sprint("h", i), n)
		if i == 3 {
			a.Handle = "@" + strings.Repeat("long", 20) + "@" + strings.Repeat("sub.", 20) + "example.com"
			s.save(a)
		}
		s.comment(hostile, thread.Comment{ID: id(70 + i), Author: a, Warning: map[bool]string{true: `"><script>window.pwned=3</script>`}[i == 1], HTML: "<p>" + strings.Repeat("Aaaaaaaaaaaaa", i*5) + "</p>"})
	}
	for _, p := range []thread.Post{one, many, none, closed, rtl, hostile} {
		posts[strings.Trim(strings.TrimPrefix(p.URL, "https://blog.example"), "/")] = p
	}
	return posts
}

func TestShots(t *testing.T) {
	s := newSite(t, func(c *Config) { c.Owner = "@me@remote.example" })
	posts := fill(s)
	ctx := newBrowser(t)
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `<!DOCTYPE html><html lang=en><head><link rel=canonical href="https://blog.example%s"><style>body{font:18px Georgia,serif;max-width:40em;margin:2em auto;background:#fdf6e3;color:#433}a{color:#a40}ol{list-style:decimal;padding-left:3em}article{border:3px solid red}header,footer{background:#333;color:#fff}</style></head><body><h1>Blog</h1><p>Text of the post.</p><afterword-thread %s><a href="%s/t?url=">Comments</a></afterword-thread><script type=module async src="%s/embed.js"></script>`, r.URL.Path, r.URL.RawQuery, s.url, s.url)
	}))
	defer host.Close()
	dir := os.Getenv("SHOTS")
	shot := func(name, url string, width int64, dark bool, open string) {
		scheme := "light"
		if dark {
			scheme = "dark"
		}
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		s.must(err)
		s.must(chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(url), chromedp.WaitVisible(chromedp.CSS(".aw, h1"))))
		if strings.Contains(url, host.URL) {
			s.must(chromedp.Do(ctx, chromedp.WaitVisible(chromedp.CSS(".aw"))))
		}
		if open != "" {
			s.must(chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void]("document.querySelectorAll('"+open+"').forEach(d=>d.open=true)")))
		}
		over, err := chromedp.Run(ctx, chromedp.Evaluate[int]("document.documentElement.scrollWidth-innerWidth"))
		s.must(err)
		if over > 0 {
			t.Errorf("%s overflows by %d", name, over)
		}
		h, _ := chromedp.Run(ctx, chromedp.Evaluate[int64]("document.documentElement.scrollHeight"))
		s.must(chromedp.Do(ctx, chromedp.EmulateViewport(width, min(h, 2600))))
		png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		s.must(err)
		s.must(os.WriteFile(dir+"/"+name+".png", png, 0o644))
	}
	for name, p := range posts {
		for _, width := range []int64{320, 1200} {
			for _, dark := range []bool{false, true} {
				shot(fmt.Sprintf("%s-%d-%v", name, width, dark), s.url+"/t?url="+p.URL, width, dark, "")
			}
		}
	}
	shot("open", s.url+"/t?url="+posts["one"].URL, 1200, false, "details")
	shot("open-narrow", s.url+"/t?url="+posts["many"].URL, 360, true, "details")
	shot("embed", host.URL+"/many/", 1200, false, "")
	shot("embed-narrow", host.URL+"/many/", 360, false, "")
	shot("embed-dark", host.URL+"/many/?theme=dark", 1200, false, "")
	shot("problem", s.url+"/t?url=https://blog.example/nowhere", 1200, false, "")
	for _, l := range []string{"de", "fr", "es", "ja", "ar"} {
		shot("lang-"+l, s.url+"/t?lang="+l+"&url="+posts["many"].URL, 800, false, "")
	}
}
