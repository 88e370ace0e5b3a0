package api

import (
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"afterword/sanitize"
	"afterword/storage"
	"afterword/thread"
)

// axeSource is axe-core, which the environment variable AXE_CORE names (.ci/run gets it from npm).
func axeSource(t testing.TB) string {
	source, err := os.ReadFile(os.Getenv("AXE_CORE"))
	if err != nil && os.Getenv("AFTERWORD_TEST_ALL") == "1" {
		t.Fatal("axe-core is missing: npm install axe-core, and AXE_CORE=node_modules/axe-core/axe.min.js")
	}
	if err != nil {
		t.Skip("needs axe-core: npm install axe-core, and AXE_CORE=node_modules/axe-core/axe.min.js")
	}
	return string(source)
}

// axeStory: axe-core finds nothing to complain about, on any page of ours and on a blog's page with the comments in it,
// light and dark.
func axeStory(b *tab) {
	axe := axeSource(b)
	s := newSite(b, func(c *Config) { c.Owner = "@alice@remote.example" })
	states := axePosts(b, s)
	pages := map[string]string{
		"no post": s.url + "/t?url=https://blog.example/never/",
		"reply":   s.url + "/reply?uri=" + url.QueryEscape(string(id(1))),
		"follow":  s.url + "/reply?uri=" + url.QueryEscape(s.url+"/actor"),
	}
	for name, p := range states {
		pages[name] = s.url + "/t?url=" + p.URL
		pages["embed "+name] = b.blogPage(s, `<main><h2>Words</h2><afterword-thread page="`+p.URL+`"></afterword-thread></main>`)
	}
	for _, scheme := range []string{"light", "dark"} {
		b.media("prefers-color-scheme", scheme)
		for name, page := range pages {
			b.open(page)
			if strings.HasPrefix(name, "embed ") {
				b.until(`document.querySelector(".aw h2")`)
			}
			b.axe(axe, name+" "+scheme)
			if b.eval(`!!document.querySelector("afterword-thread .aw-ask")`) == "true" {
				b.eval(`document.querySelector(".aw-ask").click()`)
				b.until(`document.querySelector("dialog").open`)
				b.axe(axe, name+" dialog "+scheme)
			}
		}
	}
}

// axePosts are posts in each state that a thread can have.
func axePosts(b *tab, s *site) map[string]thread.Post {
	alice, bob := s.person("alice", "Alice"), s.person("bob", strings.Repeat(`<i>"Bob" & Wörter`, 20))
	posts := map[string]thread.Post{"empty": s.post("empty", storage.Draft{Lang: "en", Title: "Empty"})}
	for i, name := range []string{"open", "closed", "branch", "rtl"} {
		lang := "en"
		if name == "rtl" {
			lang = "ar"
		}
		p := s.post(name, storage.Draft{Lang: lang, Title: name + strings.Repeat("long", 60), Summary: "<p>What it is about.</p>"})
		n := func(k int) thread.IRI { return id(100*i + k) }
		s.comment(p, thread.Comment{ID: n(1), Author: alice, HTML: "<p>Hello</p><pre>code</pre><ol><li>One</li></ol>", Edited: s.now()})
		for k := range 9 {
			s.comment(p, thread.Comment{ID: n(k + 2), Parent: n(k + 1), Author: bob, Warning: "Spoiler", HTML: sanitize.HTML(`<p>See <a href="https://a.example/">this</a><blockquote>That</blockquote>`)})
		}
		s.comment(p, thread.Comment{ID: n(20), Author: bob})
		s.comment(p, thread.Comment{ID: n(21), Parent: n(20), Author: alice, HTML: "<p>Pity</p>"})
		s.must(s.DB.DeleteComment(b.Context(), storage.Message{}, n(20), thread.Verdict{Decision: thread.Done}))
		posts[name] = p
	}
	s.verdict(posts["closed"], &thread.Comment{ID: id(900), Author: alice}, thread.TooLate)
	s.must(s.DB.CloseThread(b.Context(), posts["closed"].ID, s.now()))
	s.must(s.DB.CloseBranch(b.Context(), id(203), s.now()))
	return posts
}

// axe examines the page as it is now.
func (b *tab) axe(source, name string) {
	b.Helper()
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](source+`;axe.run(document, {resultTypes: ["violations"]}).then(r =>
		r.violations.map(v => v.id + ": " + v.help + "\n" + v.nodes.slice(0, 3).map(n => "  " + n.html + "\n  " + n.failureSummary).join("\n")).join("\n"))`,
		chromedp.EvalAwaitPromise))
	b.must(err)
	if found != "" {
		b.Error(fmt.Sprint(name, ":\n", found))
	}
}
