package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

func TestAxe(t *testing.T) {
	axe, err := os.ReadFile("/tmp/axe/node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Skip()
	}
	s := newSite(t, func(c *Config) { c.Owner = "@me@remote.example" })
	posts := fill(s)
	ctx := newBrowser(t)
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `<!DOCTYPE html><html lang=en><head><meta name=viewport content="width=device-width"><title>Blog</title><link rel=canonical href="https://blog.example%s"></head><body><main><h1>Blog</h1><p>Text of the post.</p><afterword-thread %s><a href="%s/t?url=">Comments</a></afterword-thread></main><script type=module async src="%s/embed.js"></script>`, r.URL.Path, r.URL.RawQuery, s.url, s.url)
	}))
	defer host.Close()
	check := func(name, url string, width int64, dark bool, open string) {
		scheme := "light"
		if dark {
			scheme = "dark"
		}
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		s.must(err)
		s.must(chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(url), chromedp.WaitVisible(chromedp.CSS("h1"))))
		if url[:len(host.URL)] == host.URL {
			s.must(chromedp.Do(ctx, chromedp.WaitVisible(chromedp.CSS(".aw"))))
		}
		if open != "" {
			s.must(chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void]("document.querySelectorAll('"+open+"').forEach(d=>d.open=true)")))
		}
		_, err = chromedp.Run(ctx, chromedp.Evaluate[chromedp.Void](string(axe)))
		s.must(err)
		out, err := chromedp.Run(ctx, chromedp.Evaluate[string](`axe.run({runOnly:["wcag2a","wcag2aa","wcag21aa","wcag22aa","best-practice"]}).then(r=>r.violations.map(v=>v.id+": "+v.help+"\n"+v.nodes.slice(0,3).map(n=>"   "+n.html.slice(0,200)+" "+(n.any[0]||{}).message).join("\n")).join("\n")+ (r.incomplete.length? "\nincomplete "+r.incomplete.map(v=>v.id+" "+v.nodes.length+" "+v.nodes[0].html.slice(0,150)).join("; "):""))`, chromedp.EvalAwaitPromise))
		s.must(err)
		t.Log(name, width, dark, out)
	}
	for name, p := range posts {
		check(name, s.url+"/t?url="+p.URL, 320, true, "")
		check(name, s.url+"/t?url="+p.URL, 1200, false, "details")
	}
	check("embed", host.URL+"/many/", 1200, false, "details")
	check("embeddark", host.URL+"/many/?theme=dark", 1200, false, "details")
	check("problem", s.url+"/t?url=https://blog.example/nowhere", 1200, true, "")
}
