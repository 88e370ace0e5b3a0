package api

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"afterword/sanitize"
	"afterword/storage"
	"afterword/thread"
)

// TestInBrowser tells the stories of readers in a real browser, one tab each.
func TestInBrowser(t *testing.T) {
	path, err := exec.LookPath("chromium")
	if err != nil && os.Getenv("AFTERWORD_TEST_ALL") == "1" {
		t.Fatal("chromium is missing: apt-get install chromium")
	}
	if err != nil {
		t.Skip("needs chromium: apt-get install chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	defer stop()
	ctx, stop = chromedp.NewContext(ctx)
	defer stop()
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	for name, story := range map[string]func(*tab){
		"embed": embedStory, "hostile": hostileStory, "fallback": fallbackStory, "news": newsStory, "show": showStory, "keyboard": keyboardStory, "more": moreStory, "branch": branchStory, "settings": settingsStory, "axe": axeStory,
		"steady":    steadyStory,
		"permalink": permalinkStory, "lazy": lazyStory, "pictures": picturesStory, "moved": movedStory, "several": severalStory, "static": staticStory, "page": pageStory,
		"colours": coloursStory, "themes": themesStory, "narrow": narrowStory, "print": printStory,
	} {
		t.Run(name, func(t *testing.T) { story(newTab(t, ctx)) })
	}
}

// tab is a page in the browser, with the addresses of everything that it asked for.
type tab struct {
	*testing.T
	ctx context.Context

	mu    sync.Mutex
	asked []string
}

func newTab(t *testing.T, browser context.Context) *tab {
	ctx, stop := chromedp.NewContext(browser)
	t.Cleanup(stop)
	b := &tab{T: t}
	b.must(chromedp.Do(ctx))
	b.must(chromedp.Listen(ctx, func(ev any) {
		if r, ok := ev.(*network.EventRequestWillBeSent); ok {
			b.mu.Lock()
			b.asked = append(b.asked, r.Request.URL)
			b.mu.Unlock()
		}
	}))
	_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	b.must(err)
	b.ctx, stop = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(stop)
	b.must(chromedp.Do(b.ctx, chromedp.EmulateViewport(1000, 800)))
	return b
}

// askedElsewhere are the addresses that the page asked, beside those that begin with one of ours.
func (b *tab) askedElsewhere(ours ...string) (others []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, url := range b.asked {
		if !slices.ContainsFunc(ours, func(our string) bool { return strings.HasPrefix(url, our) }) {
			others = append(others, url)
		}
	}
	return others
}

func (b *tab) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *tab) open(url string) {
	b.Helper()
	b.must(chromedp.Do(b.ctx, chromedp.Navigate(url)))
}

// until waits for a condition in the page.
func (b *tab) until(condition string) {
	b.Helper()
	for {
		err := chromedp.Do(b.ctx, chromedp.Poll[chromedp.Void](condition, chromedp.WithPollingTimeout(20*time.Second)))
		if err == nil {
			return
		}
		if text := err.Error(); !strings.Contains(text, "navigated") && !strings.Contains(text, "Cannot find context") { // the page gave way to another: ask there
			b.Fatalf("%s: %v", condition, err)
		}
	}
}

// eval is the value of an expression, as text.
func (b *tab) eval(expression string) string {
	b.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("String("+expression+")"))
	b.must(err)
	return v
}

func (b *tab) want(expression, want string) {
	b.Helper()
	if got := b.eval(expression); got != want {
		b.Errorf("%s is %q, want %q", expression, got, want)
	}
}

func (b *tab) media(name, value string) {
	b.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia,
		emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: name, Value: value}}})
	b.must(err)
}

// blogPage is a page of a blog, at another origin and with the strictest policy that leaves room for us.
func (b *tab) blogPage(s *site, body string) string {
	b.Helper()
	policy := fmt.Sprintf("default-src 'none'; script-src %s/; connect-src %[1]s/; img-src %[1]s/", s.url)
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Set-Cookie", "blog=1; Path=/")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!DOCTYPE html><html lang="en"><head><title>Blog</title><link rel="canonical" href="https://blog.example/p/">`+
			`</head><body><header><h1>Blog</h1></header>%s<script type="module" async src="%s/embed.js"></script>`, body, s.url)
	}))
	b.Cleanup(host.Close)
	return host.URL + "/anything?else=1"
}

const element = `<afterword-thread><a href="https://comments.example/t">Comments</a></afterword-thread>`

func blogPost(b *tab) (*site, thread.Post, thread.Author) {
	s := newSite(b, nil)
	p, a := s.post("p", storage.Draft{Lang: "en", Title: "A post"}), s.person("alice", "Alice")
	s.comment(p, thread.Comment{ID: id(1), Author: a, HTML: "<p>Hello</p>"})
	return s, p, a
}

// embedStory: a page asks us for the script and the thread, and nobody for anything else.
func embedStory(b *tab) {
	s, _, _ := blogPost(b)
	host := b.blogPage(s, element)
	b.open(host)
	b.until(`document.querySelector("afterword-thread article .e-content")?.innerText == "Hello"`)
	b.want(`getComputedStyle(document.querySelector(".aw-avatar")).borderRadius`, "50%")
	b.want(`(t => [t.title, t.innerText != t.title, t.dateTime])(document.querySelector(".dt-published"))`, "1 March 2026, 12:01 UTC,true,2026-03-01T12:01:00Z")
	b.want(`document.querySelector("afterword-thread").ariaBusy + document.cookie + localStorage.length`, "falseblog=10")
	origin, _, _ := strings.Cut(host, "/anything")
	if others := b.askedElsewhere(s.url, origin); others != nil {
		b.Error("asks", others)
	}
	if js, th := s.requests("/embed.js"), s.requests("/embed/thread"); len(js) != 1 || len(th) == 0 || len(js)+len(th) != len(s.asked) {
		b.Errorf("%d requests for the script, %d for the thread, %d in all", len(js), len(th), len(s.asked))
	}
	for _, r := range s.requests("/embed/") {
		if r.Header.Get("Cookie") != "" || r.Header.Get("Referer") != "" || r.Method != "GET" {
			b.Error(r.Method, r.Header)
		}
	}
}

// hostileStory: whatever strangers call themselves and write, nothing of it runs, on our page and inside the blog's.
func hostileStory(b *tab) {
	s, p, _ := blogPost(b)
	evil := `"'><script>window.pwned=1</script><img src=x onerror="window.pwned=2"><svg onload=window.pwned=3>`
	for i, address := range []string{"javascript:window.pwned=4", "data:text/html,<script>window.pwned=5</script>", `https://x/"onclick="window.pwned=6`, " javascript:alert(1)"} {
		a := thread.Author{ID: thread.IRI(fmt.Sprint("https://evil.example/", i)), Name: evil, Handle: "@" + evil + "@evil.example", URL: address}
		s.save(a)
		s.comment(p, thread.Comment{ID: thread.IRI(fmt.Sprint("https://evil.example/notes/", i, `"><b>`)), URL: address, Author: a, Warning: evil,
			Lang: `en" onmouseover="window.pwned=7`, HTML: sanitize.HTML("<p>" + evil + `</p></div></article></li></ol><a href="` + address + `">x</a>`)})
	}
	_, _, err := s.DB.SavePost(b.Context(), storage.Draft{URL: p.URL, Title: evil, Lang: `en"><script>window.pwned=8</script>`})
	b.must(err)
	for _, page := range []string{s.url + "/t?url=" + p.URL, b.blogPage(s, element+element)} {
		b.open(page)
		b.until(`document.querySelectorAll(".aw article").length >= 5`)
		b.eval(`document.querySelectorAll("details").forEach(d => d.open = true)`)
		b.eval(`document.querySelectorAll(".aw *").forEach(e => { for (const n of ["click", "mouseover", "focus"]) e.dispatchEvent(new Event(n)) })`)
		b.want(`window.pwned`, "undefined")
		b.want(`document.querySelectorAll(".aw :is(script, img, svg, iframe, style, b)").length`, "0")
		b.want(`[...document.querySelectorAll(".aw a")].filter(a => !/^https?:$/.test(a.protocol)).length`, "0")
		b.want(`document.querySelectorAll("section.aw").length * 5 - document.querySelectorAll(".aw > ol > li").length`, "0")
	}
}

// fallbackStory: where there are no comments to show, the link stays. A long list asks once, as every proxy takes it.
func fallbackStory(b *tab) {
	s, _, _ := blogPost(b)
	list := ""
	for i := range 60 {
		list += fmt.Sprintf(`<a data-comment-count href="https://blog.example/%s/%d">Talk</a>`, strings.Repeat("庭", 30), i)
	}
	b.open(b.blogPage(s, `<afterword-thread page="https://blog.example/never/"><a href="https://comments.example/t">Comments</a></afterword-thread>`+
		`<a data-comment-count href="https://blog.example/never/">Talk</a>`+list+`<a data-comment-count href="https://blog.example/p/#x">Talk</a>`))
	b.until(`document.querySelector("[data-comment-count]:last-of-type").innerText == "1 comment"`)
	b.until(`document.querySelector("afterword-thread").ariaBusy == "false"`)
	b.want(`document.querySelector("afterword-thread").innerText + document.querySelector("[data-comment-count]").innerText`, "CommentsTalk")
	if asked := s.requests("/api/v1/counts"); len(asked) != 1 || len(asked[0].RequestURI) > 6000 {
		b.Error(len(asked), "requests for counts")
	}
}

const shown = `[...document.querySelectorAll(".aw article")].filter(a => a.checkVisibility()).length`

// newsStory: what comes while the page is open waits until the reader wants it; what goes goes at once. Looking for news
// costs a 304.
func newsStory(b *tab) {
	s, p, a := blogPost(b)
	b.open(b.blogPage(s, `<afterword-thread refresh="0.05"></afterword-thread>`))
	b.until(shown + ` == 1`)
	b.want(`document.querySelector("[role=status]").innerText`, "")
	b.until(`performance.getEntriesByType("resource").filter(e => e.name.includes("/embed/thread")).length > 2`)
	looks := s.requests("/embed/thread")
	if answer, _ := s.get("/embed/thread?"+looks[0].URL.RawQuery, "Accept-Encoding", "gzip", "If-None-Match", looks[1].Header.Get("If-None-Match")); answer.StatusCode != http.StatusNotModified {
		b.Errorf("the browser asks again with %v and gets %s", looks[1].Header, answer.Status)
	}
	s.comment(p, thread.Comment{ID: id(2), Author: a, Warning: "Secret", HTML: "<p>Second</p>"})
	b.until(`document.querySelector("[role=status]").innerText == "1 new comment"`)
	s.comment(p, thread.Comment{ID: id(3), Parent: id(1), Author: a, HTML: "<p>Third</p>"})
	b.until(`document.querySelector("[role=status]").innerText == "2 new comments"`)
	b.want(shown, "1")
	b.must(chromedp.Do(b.ctx, chromedp.Click(chromedp.CSS("[role=status] button"))))
	b.until(shown + ` == 3`)
	b.want(`document.activeElement.id + document.querySelector("[role=status]").innerText`, id(3).Anchor())

	b.must(chromedp.Do(b.ctx, chromedp.Click(chromedp.CSS(".aw-warning summary"))))
	b.want(`document.querySelector(".aw-warning").open`, "true")
	s.must(s.DB.DeleteComment(b.Context(), storage.Message{}, id(3), thread.Verdict{Decision: thread.Done}))
	for n := len(s.requests("/embed/thread")); len(s.requests("/embed/thread")) < n+4; {
		b.until(`true`)
	}
	b.want(shown, "3") // nothing moves under the reader's hands
	b.eval(`document.querySelector(".aw-warning").open = false`)
	b.want(`document.activeElement.tagName`, "SUMMARY")
	b.eval(`document.activeElement.blur()`)
	b.until(shown + ` == 2`)
	s.must(s.DB.CloseThread(b.Context(), p.ID, s.now()))
	b.until(`document.querySelector(".aw-closed") && !document.querySelector(".aw-reply")`)
}

// showStory: an element may show news at once, but not while the reader is busy in it.
func showStory(b *tab) {
	s, p, a := blogPost(b)
	b.open(b.blogPage(s, `<afterword-thread refresh="0.05" news="show"></afterword-thread>`))
	b.until(shown + ` == 1`)
	s.comment(p, thread.Comment{ID: id(2), Author: a, HTML: "<p>Second</p>"})
	b.until(shown + ` == 2`)
	b.want(`document.querySelector("[role=status]").textContent + document.querySelectorAll("[role=status] button").length`, "1 new comment0")
	b.eval(`document.querySelector(".aw-ask").focus()`)
	s.comment(p, thread.Comment{ID: id(3), Author: a, HTML: "<p>Third</p>"})
	b.until(`document.querySelector("[role=status] button")?.innerText == "1 new comment"`)
	b.want(shown, "2")
}

// steadyStory: a comment that comes above does not move what the reader looks at, be it another comment or the blog's text.
func steadyStory(b *tab) {
	s, p, a := blogPost(b)
	for i := range 30 {
		s.comment(p, thread.Comment{ID: id(10 + i), Author: a, HTML: fmt.Sprintf("<p>Number %d</p>", i)})
	}
	b.open(b.blogPage(s, `<afterword-thread refresh="0.05" sort="newest" news="show"></afterword-thread>`))
	b.until(`document.querySelectorAll(".aw article").length == 31`)
	b.eval(fmt.Sprintf(`document.getElementById("%s").scrollIntoView()`, id(20).Anchor()))
	place := fmt.Sprintf(`Math.round(document.getElementById("%s").getBoundingClientRect().top)`, id(20).Anchor())
	before := b.eval(place)
	s.comment(p, thread.Comment{ID: id(50), Author: a, HTML: "<p>New, and on top</p>"})
	b.until(`document.querySelectorAll(".aw article").length == 32`)
	b.want(place, before)

	b.open(b.blogPage(s, `<p>`+strings.Repeat("<br>", 20)+`</p><afterword-thread refresh="0.05" sort="newest" news="show"></afterword-thread>`))
	b.until(`document.querySelectorAll(".aw article").length == 32`)
	s.comment(p, thread.Comment{ID: id(51), Author: a, HTML: "<p>Newer, and on top</p>"})
	b.until(`document.querySelectorAll(".aw article").length == 33`)
	b.want(`scrollY`, "0")

	for i := range 200 { // of those that are far away it is not known how tall they are
		s.comment(p, thread.Comment{ID: id(100 + i), Author: a, HTML: strings.Repeat("<p>Words</p>", 1+i%13)})
	}
	b.open(b.blogPage(s, `<afterword-thread refresh="0.05"></afterword-thread>`))
	b.until(`document.querySelectorAll(".aw article").length == 233`)
	b.until(`new Promise(done => requestAnimationFrame(() => { scrollTo(0, 1e6); requestAnimationFrame(() => done((window.end == scrollY) & !!(window.end = scrollY))) }))`)
	place = fmt.Sprintf(`document.getElementById("%s").getBoundingClientRect().top`, id(299).Anchor())
	before = b.eval(place)
	s.comment(p, thread.Comment{ID: id(500), Parent: id(20), Author: a, HTML: "<p>Late</p>"})
	b.until(`document.querySelector("[role=status] button")`)
	b.until(`new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
	b.want(`Math.abs(`+place+` - `+before+`) < 5`, "true")
}

// permalinkStory: a link to a comment leads there, although the comment comes later and stands far below.
func permalinkStory(b *tab) {
	s, p, a := blogPost(b)
	for i := range 200 {
		s.comment(p, thread.Comment{ID: id(10 + i), Author: a, HTML: strings.Repeat("<p>Words and words.</p>", i%7)})
	}
	want := id(150).Anchor()
	b.open(b.blogPage(s, `<p>`+strings.Repeat("<br>", 500)+`</p>`+element) + "#" + want)
	b.until(fmt.Sprintf(`document.querySelector("li:target")?.id == "%s"`, want))
	b.until(fmt.Sprintf(`Math.abs(document.getElementById("%s").getBoundingClientRect().top) < 100`, want))
	b.open(s.url + "/t?url=" + p.URL + "#" + want)
	b.until(fmt.Sprintf(`document.querySelector("li:target")?.id == "%s" && Math.abs(document.querySelector("li:target").getBoundingClientRect().top) < 100`, want))
	b.open(b.blogPage(s, element) + "#c-<img src=x onerror=window.pwned=1>")
	b.until(`document.querySelectorAll(".aw article").length == 201`)
	b.want(`window.pwned`, "undefined")
}

// lazyStory: a thread is asked for when the reader comes near.
func lazyStory(b *tab) {
	s, _, _ := blogPost(b)
	b.open(b.blogPage(s, `<p>`+strings.Repeat("<br>", 500)+`</p>`+element))
	b.until(`customElements.get("afterword-thread")`)
	b.until(`new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
	if n := len(s.requests("/embed/thread")); n != 0 {
		b.Error(n, "requests for a thread that is far away")
	}
	b.eval(`scrollTo(0, document.body.scrollHeight)`)
	b.until(`document.querySelectorAll(".aw article").length == 1`)
}

// severalStory: threads and counts of several posts on one page, with their own settings.
func severalStory(b *tab) {
	s, p, a := blogPost(b)
	q := s.post("q", storage.Draft{Lang: "en"})
	s.comment(q, thread.Comment{ID: id(5), Author: a, HTML: "<p>Older</p>"})
	s.comment(q, thread.Comment{ID: id(6), Author: a, HTML: "<p>Newer</p>"})
	b.open(b.blogPage(s, element+`<div lang="ar"><afterword-thread page="`+q.URL+`" sort="newest"></afterword-thread></div>`+
		`<a data-comment-count href="`+p.URL+`#comments">?</a><a data-comment-count href="`+s.url+`/t?url=`+q.URL+`">?</a>`))
	b.until(`document.querySelectorAll(".aw article").length == 3`)
	b.want(`[...document.querySelectorAll(".aw h2")].map(h => h.innerText)`, "1 comment,تعليقان")
	b.want(`[...document.querySelectorAll(".e-content")].map(e => e.innerText)`, "Hello,Newer,Older")
	b.want(`getComputedStyle(document.querySelectorAll("section.aw")[1]).direction`, "rtl")
	b.want(`new Set([...document.querySelectorAll("[id]")].map(e => e.id)).size - document.querySelectorAll("[id]").length`, "0")
	b.until(`[...document.querySelectorAll("[data-comment-count]")].map(a => a.innerText) == "1 comment,2 comments"`)
	if n := len(s.requests("/api/v1/counts")); n != 1 {
		b.Error(n, "requests for counts")
	}
}

// movedStory: an element that a page puts elsewhere while it loads begins anew there, and only there.
func movedStory(b *tab) {
	s, _, _ := blogPost(b)
	b.open(b.blogPage(s, "<main></main>") + "#" + id(1).Anchor()) // it asks at once
	b.until(`customElements.get("afterword-thread")`)
	b.eval(`["body", "main"].forEach((place, i, all) => document.querySelector(place).append(all.element ??= document.createElement("afterword-thread")))`)
	b.eval(`document.querySelector("afterword-thread").setAttribute("refresh", "0.05")`)
	b.until(`performance.getEntriesByType("resource").filter(e => e.name.includes("/embed/thread")).length > 5`)
	b.want(shown, "1")
	b.want(`["section", "[role=status]", "dialog"].map(part => document.querySelectorAll("afterword-thread " + part).length)`, "1,1,1")
}

// staticStory: a fragment that was built into the page is there at once, and is brought up to date; when it is newer than
// the answer of a cache on the way, it stays.
func staticStory(b *tab) {
	s, p, a := blogPost(b)
	_, fragment := s.get("/embed/thread?url=" + p.URL)
	s.comment(p, thread.Comment{ID: id(2), Author: a, HTML: "<p>Since then</p>"})
	b.open(b.blogPage(s, "<afterword-thread>"+fragment+"</afterword-thread>"))
	b.want(`document.querySelector(".e-content").innerText`, "Hello")
	b.until(`document.querySelectorAll("section.aw").length == 1 && document.querySelectorAll(".aw article").length == 2`)

	newer := strings.Replace(strings.Replace(fragment, "Hello", "Newer", 1), `data-revision="`, `data-revision="9`, 1)
	_, fragment = s.get("/embed/thread?url=" + p.URL)
	for body, says := range map[string]string{newer: "Newer", fragment: "Hello"} {
		b.open(b.blogPage(s, "<afterword-thread>"+body+"</afterword-thread>"))
		b.eval(`window.before = document.querySelector("section.aw")`)
		b.until(`document.querySelector("afterword-thread [role=status]")`)
		b.want(`(window.before === document.querySelector("section.aw")) + document.querySelector(".e-content").innerText`, "true"+says)
	}
}

// keyboardStory: replying without a mouse. The dialog says what it is about, leads to the reader's own server, remembers
// that and nothing else, and gives the focus back.
func keyboardStory(b *tab) {
	s, _, _ := blogPost(b)
	h := newHome(b, link("http://ostatus.org/schema/1.0/subscribe", "template", "http://HOST/authorize_interaction?uri={uri}"))
	host := b.blogPage(s, element)
	focus := `document.activeElement`
	press := func(keys string) { b.Helper(); b.must(chromedp.Do(b.ctx, chromedp.KeyEvent(keys))) }
	reach := func(name string) {
		b.Helper()
		for range 20 {
			if press(kb.Tab); b.eval(focus+`.ariaLabel ?? `+focus+`.innerText`) == name {
				return
			}
		}
		b.Fatal("no Tab leads to ", name)
	}
	b.open(host)
	b.until(shown + ` == 1`)
	reach("Reply to Alice")
	b.want(focus+`.tagName`, "BUTTON")
	press(" ")
	b.until(`document.querySelector("dialog:modal")`)
	b.want(focus+`.name + document.querySelector("dialog").ariaLabel`, "accountReply to Alice")
	b.want(`document.querySelector("dialog [readonly]").value`, string(id(1)))
	press(kb.Escape)
	b.until(`!document.querySelector("dialog").open`)
	b.want(focus+`.ariaLabel`, "Reply to Alice")

	press(kb.Enter)
	b.until(`document.querySelector("dialog").open`)
	press("nobody at all" + kb.Enter)
	b.until(`document.querySelector("dialog [role=alert]").checkVisibility()`)
	b.want(focus+`.name + localStorage.length`, "account0")
	b.eval(focus + `.select()`)
	press("@me@" + h.host + kb.Enter)
	b.until(`document.querySelector("h1")?.innerText == "Home"`)
	b.want(`location.href`, "http://"+h.host+"/authorize_interaction?uri="+url.QueryEscape(string(id(1))))

	b.open(host)
	b.until(shown + ` == 1`)
	reach("Follow this blog")
	press(kb.Enter)
	b.until(`document.querySelector("dialog").open`)
	b.want(focus+`.value + localStorage.length`, h.host+"1")
	b.want(`document.querySelector("dialog [readonly]").value`, s.url+"/actor")
	reach("Close")
	press(kb.Enter)
	b.until(`!document.querySelector("dialog").open`)
	b.want(focus+`.innerText`, "Follow this blog")
}

// moreStory: the rest of a long thread comes below what is there, and the focus goes to its beginning. It stays when the
// thread is looked at again, and a permalink finds its comment in it.
func moreStory(b *tab) {
	const n = maxPaged + 300
	s, p := crowd(b, n)
	host := b.blogPage(s, `<afterword-thread page="`+p.URL+`" refresh="0.05"></afterword-thread>`)
	count := `document.querySelectorAll(".aw article").length`
	b.open(host)
	b.until(count + fmt.Sprint(" > ", maxPaged-9))
	first, last := id(maxPaged-maxPaged%3).Anchor(), id(n-1).Anchor()
	b.eval(`document.querySelector(".aw-more a").focus()`)
	b.must(chromedp.Do(b.ctx, chromedp.KeyEvent(kb.Enter)))
	b.until(count + fmt.Sprint(" == ", n))
	b.want(`document.activeElement.id + document.querySelectorAll(".aw-more").length`, first+"0")
	b.eval(`document.activeElement.blur()`)
	b.eval(`["getBoundingClientRect", "querySelector"].forEach((name, i) => { // what takes long: to lay comments out, and to look for them outside of the page
		const work = Element.prototype[name]
		Element.prototype[name] = function(...of) {
			if (i == 0 || !this.isConnected) window.slow = (window.slow ?? 0) + 1
			return work.apply(this, of)
		}
	})`)
	s.must(s.DB.CloseThread(b.Context(), p.ID, s.now()))
	b.until(`document.querySelector(".aw-closed")`)
	b.want(`(window.slow ?? 0) < 9`, "true")
	b.want(count+`+" "+document.querySelectorAll(".aw > ol > li:last-child #`+last+`").length`, fmt.Sprint(n, " 1"))
	for _, above := range []string{"", "<p>" + strings.Repeat("<br>", 500) + "</p>"} {
		b.open(b.blogPage(s, above+`<afterword-thread page="`+p.URL+`"></afterword-thread>`) + "#" + last)
		b.until(`document.querySelector("li:target")?.id == "` + last + `"`)
	}
}

// branchStory: a branch that is too long for one answer goes on where it stands, below what it answers, and says of each
// deep comment what that is.
func branchStory(b *tab) {
	const n, deep = maxPaged + 200, 9
	s := newSite(b, nil)
	p, a := s.post("branch", storage.Draft{Lang: "en"}), s.person("alice", "Alice")
	under := func(parent, i int) {
		c := thread.Comment{ID: id(i), Post: p.ID, Author: a, HTML: "<p>Words</p>", Published: noon.Add(time.Duration(i) * time.Second)}
		if c.Received = c.Published; parent >= 0 {
			c.Parent = id(parent)
		}
		s.add(p, c, thread.Shown)
	}
	for i := range deep + 1 {
		under(i-1, i)
	}
	atOnce(64, func(w int) {
		for i := deep + 1 + w; i < n; i += 64 {
			under(deep, i)
		}
	})
	under(2, n)
	under(-1, n+1)
	b.open(b.blogPage(s, `<afterword-thread page="`+p.URL+`" refresh="0.05"></afterword-thread>`))
	count := `document.querySelectorAll(".aw article").length`
	b.until(count + fmt.Sprint(" == ", maxPaged))
	b.eval(`window.opened = true`)
	b.must(chromedp.Do(b.ctx, chromedp.Click(chromedp.CSS(".aw-more a"))))
	b.until(count + fmt.Sprint(" == ", n+2))
	b.want(`window.opened + document.activeElement.id + document.querySelectorAll(".aw-more").length`, "true"+id(maxPaged).Anchor()+"0")
	whole := func() {
		b.Helper()
		b.want(fmt.Sprintf(`document.querySelectorAll(".aw%s > li").length`, strings.Repeat(" > ol > li", maxIndent)+" > ol"), fmt.Sprint(n-maxIndent))
		b.want(`document.querySelectorAll(".aw-to").length`, fmt.Sprint(n-maxIndent-1))
		b.want(`[`+fmt.Sprintf(`"%s", "%s"`, id(n).Anchor(), id(n+1).Anchor())+`].map(id => document.getElementById(id).parentNode.closest("li")?.id)`, id(2).Anchor()+",")
	}
	whole()
	b.eval(`document.activeElement.blur()`)
	s.must(s.DB.CloseThread(b.Context(), p.ID, s.now()))
	b.until(`document.querySelector(".aw-closed")`)
	whole()
}

// settingsStory: attributes of the element.
func settingsStory(b *tab) {
	s, p, a := blogPost(b)
	s.comment(p, thread.Comment{ID: id(2), Parent: id(1), Author: a, HTML: "<p>Below</p>"})
	s.comment(p, thread.Comment{ID: id(3), Parent: id(2), Author: a, HTML: "<p>Deep</p>"})
	b.open(b.blogPage(s, `<afterword-thread max-depth="1" css="off" lang="de"></afterword-thread>`))
	b.until(shown + ` == 3`)
	b.want(`document.querySelectorAll(".aw ol").length + document.querySelector(".aw-to").innerText`, "2Antwort an Alice")
	b.want(`getComputedStyle(document.querySelector(".aw-avatar")).borderRadius + document.adoptedStyleSheets.length`, "0px0")
	b.want(`document.querySelector(".aw-ask").innerText`, "Mit dem eigenen Mastodon- oder Fediverse-Konto antworten")
}

// pageStory: our own page does everything without script.
func pageStory(b *tab) {
	s, p, _ := blogPost(b)
	b.open(s.url + "/t?url=" + p.URL)
	b.want(`document.scripts.length`, "0")
	h := newHome(b, "404")
	b.must(chromedp.Do(b.ctx, chromedp.Click(chromedp.CSS(".aw-foot .aw-reply"))))
	b.until(`document.querySelector("h1").innerText == "Reply to Alice"`)
	b.want(`document.scripts.length + document.querySelector("[readonly]").value`, "0"+string(id(1)))
	b.must(chromedp.Do(b.ctx, chromedp.SendKeys(chromedp.CSS("[name=account]"), "me@"+h.host+kb.Enter)))
	b.until(`document.querySelector("[role=status] a")?.innerText == "Continue at ` + h.host + `"`)
	b.want(`document.querySelector("[role=status] a").href`, "http://"+h.host+"/authorize_interaction?uri="+url.QueryEscape(string(id(1))))
	b.open(s.url + "/t?url=https://blog.example/never/")
	b.want(`document.querySelector("h1").innerText`, "There is no post with this address here.")
	if others := b.askedElsewhere(strings.TrimSuffix(s.url, "c")); others != nil {
		b.Error("asks", others)
	}
}

// picturesStory: the pictures that we keep are seen, on our page and inside the blog's.
func picturesStory(b *tab) {
	g := newGallery(b.T, map[string][]byte{"/a.png": asPNG(painting(60, 60, 255))})
	s := newSite(b, func(c *Config) { c.Pictures, c.Attachments = true, true })
	p := s.post("p", storage.Draft{Lang: "en"})
	a := s.author(p, 1, g.URL+"/a.png")
	s.comment(p, thread.Comment{ID: id(2), Author: a, HTML: sanitize.HTML(`<p><a href="` + g.URL + `/a.png">A square</a></p>`), Attached: []thread.Attached{{URL: g.URL + "/a.png"}}})
	s.look()
	for _, page := range []string{s.url + "/t?url=" + p.URL, b.blogPage(s, element)} {
		b.open(page)
		b.until(`document.querySelectorAll(".aw img").length == 3`)
		b.until(`[...document.querySelectorAll(".aw img")].every(img => img.complete)`)
		b.want(`[...document.querySelectorAll(".aw img")].map(img => img.naturalWidth)`, "60,60,60")
	}
	if others := b.askedElsewhere("http://127.0.0.1:"); others != nil || g.times("/a.png") != 2 {
		b.Error("asks", others, "and the picture's server", g.times("/a.png"), "times")
	}
}

// coloursStory: our pages follow the system, the element follows the page around it, and themes overrule both.
func coloursStory(b *tab) {
	s, p, _ := blogPost(b)
	ink := func(selector string) string {
		return `getComputedStyle(document.querySelector("` + selector + `")).color`
	}
	light, dark := "rgb(36, 39, 43)", "rgb(220, 223, 228)"
	for _, c := range [][2]string{{"light", light}, {"dark", dark}} { // in this order: what follows is dark
		b.media("prefers-color-scheme", c[0])
		b.open(s.url + "/t?url=" + p.URL)
		b.until(ink(".e-content") + ` == "` + c[1] + `"`)
	}
	b.eval(`document.documentElement.dataset.theme = "light"`)
	b.want(ink(".e-content"), light)
	b.open(b.blogPage(s, element))
	b.until(`document.querySelector(".e-content")`)
	b.want(ink(".e-content"), "rgb(0, 0, 0)")
	for theme, want := range map[string]string{"light": light, "dark": dark, "auto": dark} {
		b.eval(`document.querySelector("afterword-thread").setAttribute("theme", "` + theme + `")`)
		b.want(ink(".e-content"), want)
	}
	for _, theme := range []string{"light", "dark", "auto"} {
		b.eval(`document.querySelector("afterword-thread").setAttribute("theme", "` + theme + `")`)
		for _, c := range [][2]string{{"light", light}, {"dark", dark}} {
			b.eval(`document.documentElement.dataset.theme = "` + c[0] + `"`)
			b.want(ink(".e-content"), c[1])
		}
	}
}

// themesStory: a blog's style reaches the comments, and themes do to all elements what breaks ours: some set everything
// back, others draw lines below links, marks before quotes and buttons of their own.
func themesStory(b *tab) {
	s, p, a := blogPost(b)
	s.comment(p, thread.Comment{ID: id(2), Author: a, HTML: `<p>One <a href="https://example.org/">link</a></p><p>Two</p><blockquote><p>Quoted</p></blockquote><pre>code</pre><ol><li>First</li></ol>`})
	b.open(b.blogPage(s, "<p>Words</p>"+element))
	b.until(shown + ` == 2`)
	b.eval(`(sheet => (sheet.replaceSync("* { margin: 0; padding: 0; border: 0 } a { color: inherit; text-decoration: none; border-bottom: 1px solid; box-shadow: 0 1px }` +
		` blockquote { position: relative } blockquote::before { content: '!'; position: absolute } button:not(:hover):not(:active):not(.plain) { background: red; color: green }"), document.adoptedStyleSheets.unshift(sheet)))(new CSSStyleSheet())`)
	b.eval(`window.box = (selector, at = 0) => document.querySelectorAll(".aw " + selector)[at].getBoundingClientRect()`)
	for _, apart := range []string{`box(".e-content p", 2).top - box(".e-content p", 1).bottom`, `box("blockquote").top - box(".e-content p", 2).bottom`,
		`box("pre").top - box("blockquote").bottom`, `box(".aw-actions").top - box("h2").bottom`, `box("h2").top - document.querySelector("body > p").getBoundingClientRect().bottom`} {
		b.want(apart+" > 5", "true")
	}
	style := func(selector, property string) string {
		return `getComputedStyle(document.querySelector(".aw ` + selector + `")).` + property
	}
	b.want(style(".e-content a", "textDecorationLine"), "underline")
	b.want(style(".p-name", "borderBottomWidth")+"+"+style(".aw-when a", "boxShadow"), "0pxnone")
	b.want(`getComputedStyle(document.querySelector(".aw blockquote"), "::before").content`, "none")
	b.want(style(".aw-foot button", "backgroundColor"), "rgba(0, 0, 0, 0)") // not the theme's, as the large ones may be
	b.want(style(".aw-foot button", "color")+" == "+style(".aw-foot", "color"), "true")
	b.want(style("> ol > li", "display")+"+"+style(".e-content li", "display"), "blocklist-item") // what is no list item has no number
	b.eval(`document.querySelector(".aw-ask").click()`)
	b.until(`document.querySelector("dialog").open`)
	b.want(`(box => Math.abs(box.left + box.right - innerWidth) < 20 && box.top > 100)(document.querySelector("dialog").getBoundingClientRect())`, "true")
}

// narrowStory: nothing sticks out at 320 pixels, also not the longest words of strangers.
func narrowStory(b *tab) {
	s, p, a := blogPost(b)
	long := strings.Repeat("W", 300)
	a.Name, a.Handle = long, "@"+long+"@remote.example"
	s.save(a)
	parent := id(1)
	for i := range 12 {
		parent = s.comment(p, thread.Comment{ID: id(10 + i), Parent: parent, Author: a, Warning: long,
			HTML: "<p>" + long + "</p><pre>" + long + "</pre><blockquote><ul><li>" + long + "</li></ul></blockquote>"}).ID
	}
	b.must(chromedp.Do(b.ctx, chromedp.EmulateViewport(320, 600)))
	for _, url := range []string{s.url + "/t?url=" + p.URL, b.blogPage(s, element)} {
		b.open(url)
		b.until(`document.querySelectorAll(".aw article").length == 13`)
		b.eval(`document.querySelectorAll("details").forEach(d => d.open = true)`)
		b.want(`document.documentElement.scrollWidth <= innerWidth`, "true")
		b.want(`[...document.querySelectorAll(".e-content")].every(e => e.clientWidth > 120)`, "true")
	}
}

// printStory: paper shows what is folded, and no buttons.
func printStory(b *tab) {
	s, p, a := blogPost(b)
	s.comment(p, thread.Comment{ID: id(2), Author: a, Warning: "Secret", HTML: "<p>Folded</p>"})
	s.comment(p, thread.Comment{ID: id(3), Author: a, HTML: strings.Repeat("<p>"+strings.Repeat("Words. ", 100)+"</p>", 9) + "<p>Finis</p>"})
	for _, url := range []string{s.url + "/t?url=" + p.URL, b.blogPage(s, element)} {
		b.open(url)
		b.until(`document.querySelector(".aw-warning")`)
		seen := `["Folded", "Finis", "Reply from", "Follow"].map(words => document.querySelector("section.aw").innerText.includes(words))`
		for _, c := range [][2]string{{"screen", "false,false,true,true"}, {"print", "true,true,false,false"}} {
			_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: c[0]})
			b.must(err)
			b.want(seen, c[1])
		}
	}
}
