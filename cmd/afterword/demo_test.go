package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"golang.org/x/net/html"

	"afterword/federation/fedtest"
)

// TestDemo is the demo as a newcomer meets it: the built program is started, what it prints is read, and all else is
// done with the forms of the strangers' pages.
func TestDemo(t *testing.T) {
	d := startDemo(t)
	d.pages()
	d.follow()
	d.discuss()
	d.publish()
	d.rethink()
	d.late()
	d.moods()
	d.end()
}

// demoRun is a running demo. Of the strangers its stage knows only where they are.
type demoRun struct {
	*stage
	cmd    *exec.Cmd
	temp   string // where the program may put its files
	closed string // the page whose thread is closed
}

func startDemo(t *testing.T) *demoRun {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	var log bytes.Buffer
	d := &demoRun{temp: t.TempDir(), cmd: exec.CommandContext(t.Context(), path, "demo", "-listen", freeAddress(t)),
		stage: &stage{t: t, ctx: t.Context(), http: http.DefaultClient, now: time.Now, await: eventually}}
	d.cmd.Env, d.cmd.Stdout, d.cmd.Stderr = append(os.Environ(), "TMPDIR="+d.temp), out, &log
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.cmd.Wait() //nolint:errcheck // it was killed, or has ended
		if t.Failed() {
			t.Log(log.String())
		}
	})
	d.wait("its welcome", func() bool {
		printed, err := os.ReadFile(out.Name())
		d.learn(string(printed))
		return err == nil && bytes.Contains(printed, []byte("Ctrl-C"))
	})
	return d
}

var addresses = regexp.MustCompile(`(?m)^(\w+).*: +(http\S+/)$`)

// learn reads where everything is.
func (d *demoRun) learn(printed string) {
	at := map[string]string{}
	for _, line := range addresses.FindAllStringSubmatch(printed, -1) {
		at[line[1]] = line[2]
	}
	stranger := func(name string) *fedtest.Server {
		return &fedtest.Server{Options: fedtest.Options{Base: strings.TrimSuffix(at[name], "/")}}
	}
	d.alpha, d.beta, d.gamma = stranger("Alpha"), stranger("Beta"), stranger("Gamma")
	d.blog, d.closed, d.base = at["The"], at["An"], strings.TrimSuffix(at["The"], "/demo/")
}

// wait waits for something that is to happen by itself.
func (d *demoRun) wait(what string, is func() bool) {
	d.t.Helper()
	if !d.await(is) {
		d.t.Fatalf("waited in vain for %s", what)
	}
}

// pages: those of the blog name the Notes that they are.
func (d *demoRun) pages() {
	front := text(d.open(d.blog))
	for _, p := range demoPosts() {
		page := d.open(d.blog + p.Path)
		links := map[string]string{}
		for _, link := range all(page, "link") {
			links[attr(link, "rel")] = attr(link, "href")
		}
		note := d.note(links["alternate"])
		if note["id"] != links["alternate"] || note["type"] != "Note" || note["url"] != d.blog+p.Path || links["canonical"] != note["url"] {
			d.t.Errorf("%s%s names %q, which is %v", d.blog, p.Path, links, note)
		}
		withoutScript := attr(all(all(page, "afterword-thread")[0], "a")[0], "href")
		for i, said := range []string{front, text(page), text(d.open(withoutScript))} {
			if !strings.Contains(said, p.Title) {
				d.t.Errorf("%d: %q is not in %s", i, p.Title, said)
			}
		}
	}
}

func (d *demoRun) follow() {
	for _, v := range []*visitor{d.visit(d.alpha, "anton"), d.visit(d.beta, "bea")} {
		v.press("", "Follow")
		d.wait("Accept", func() bool { return v.sees("", "following") })
	}
}

// discuss: what strangers say and do stands on the blog's pages, where it belongs.
func (d *demoRun) discuss() {
	page, post := d.blog+"2026/rain/", "Three weeks of rain"
	alice, bea, carol := d.visit(d.alpha, "alice"), d.visit(d.beta, "bea"), d.visit(d.gamma, "carol")

	alice.press(post, "Send", "text", "I dig a ditch.")
	d.expect(page, "open: 1 comments, 0 likes, 0 boosts, 0 late", "@alice I dig a ditch.")
	bea.press(post, "Send", "text", "I grow watercress.")
	d.expect(page, "open: 2 comments, 0 likes, 0 boosts, 0 late", "@alice I dig a ditch.", "@bea I grow watercress.")
	carol.press(post, "Send", "text", "I move house.")
	carol.press("I dig a ditch.", "Send", "text", "Where to?")
	carol.press(post, "Like")
	alice.press("Where to?", "Send", "text", "Into the <pond>.")
	alice.press(post, "Like")
	bea.press("Into the <pond>.", "Send", "text", "Poor frogs.")
	bea.press(post, "Boost")
	d.expect(page, "open: 6 comments, 2 likes, 1 boosts, 0 late",
		"@alice I dig a ditch.",
		"  @carol Where to?",
		"    @alice Into the &lt;pond&gt;.",
		"      @bea Poor frogs.",
		"@bea I grow watercress.",
		"@carol I move house.")
	d.readersSee(page)
}

// publish: a post that is written on the blog's page reaches those who follow.
func (d *demoRun) publish() {
	resp, err := http.PostForm(d.blog+"write", url.Values{"title": {"Frost & <ice>"}, "text": {"The beans are black."}})
	page, address := read(d.t, resp, err)
	if said := text(page); !strings.Contains(said, "Frost & <ice>") || !strings.HasPrefix(address, d.blog+"2") {
		d.t.Error(address, said)
	}
	anton := d.visit(d.alpha, "anton")
	d.wait("the new post at anton's", func() bool { return anton.sees("Frost & <ice>", "The beans are black.") })
	if front := text(d.open(d.blog)); !strings.Contains(front, "Frost & <ice>") {
		d.t.Error(front)
	}
}

// rethink: they edit, delete and take back.
func (d *demoRun) rethink() {
	page := d.blog + "2026/rain/"
	bea, carol := d.visit(d.beta, "bea"), d.visit(d.gamma, "carol")
	bea.press("I grow watercress.", "Save", "edit", "I grow rice.")
	carol.press("Where to?", "Delete")
	carol.press("Three weeks of rain", "Unlike")
	d.expect(page, "open: 5 comments, 1 likes, 1 boosts, 0 late",
		"@alice I dig a ditch.",
		"  (deleted)",
		"    @alice Into the &lt;pond&gt;.",
		"      @bea Poor frogs.",
		"@bea I grow rice. (edited)",
		"@carol I move house.")
	d.readersSee(page)
}

// late: the old post says that its comments are closed, and they are.
func (d *demoRun) late() {
	before := d.thread(d.closed)
	if fourBelow := "\n        @"; !strings.HasPrefix(before, "closed: 9 comments") || !strings.Contains(before, fourBelow) {
		d.t.Error(before)
	}
	for _, doc := range d.readersSee(d.closed) {
		if said := text(doc); !strings.Contains(said, "Comments are closed.") || strings.Contains(said, "Reply") {
			d.t.Error(said)
		}
	}
	post := "Why I do not water"
	alice, bea, chen := d.visit(d.alpha, "alice"), d.visit(d.beta, "bea"), d.visit(d.gamma, "chen")
	alice.press(post, "Send", "text", "I still do.")
	chen.press("Straw it is.", "Send", "text", "And how did it go?")
	bea.press(post, "Send", "text", "Let me in.")
	if said := text(bea.page); !strings.Contains(said, "you do not have permission to reply") {
		d.t.Error("Beta does not obey the policy:", said)
	}
	rejected := "rejected by " + strings.TrimPrefix(d.base, "http://")
	d.wait("rejects", func() bool { return alice.sees("I still do.", rejected) && chen.sees("And how did it go?", rejected) })
	if after := d.thread(d.closed); after != strings.Replace(before, "0 late", "2 late", 1) {
		d.t.Error(after)
	}
}

// moods: the blog's server comes again to who is unavailable, forgets who is gone, and waits for who is slow.
func (d *demoRun) moods() {
	alice, boris, carol := d.visit(d.alpha, "alice"), d.visit(d.beta, "boris"), d.visit(d.gamma, "carol")
	d.findDatabase()
	boris.press("", "Change", "mood", "unavailable")
	boris.press("", "Follow")
	d.wait("a delivery that waits", func() bool { return strings.Contains(d.afterword("queue"), "503") })
	if !boris.sees("", "requested") {
		d.t.Error("boris follows, though his server takes nothing")
	}
	boris.press("", "Change", "mood", "well")
	boris.press("Three weeks of rain", "Like") // tells the blog's server that his is back
	d.wait("the Accept for boris", func() bool { return boris.sees("", "following") })

	carol.press("", "Change", "mood", "gone")
	carol.press("", "Follow")
	d.wait("carol to be forgotten", func() bool {
		return strings.Contains(d.thread(d.closed), "\n(deleted)\n  @anton") && !strings.Contains(d.afterword("follower", "list"), "@carol@")
	})

	alice.press("", "Change", "mood", "slow")
	alice.press("", "Follow")
	d.wait("the Accept for alice", func() bool { return alice.sees("", "following") })
}

// findDatabase lets commands work on the demo's database.
func (d *demoRun) findDatabase() {
	files, err := filepath.Glob(filepath.Join(d.temp, "*", "demo.db"))
	if len(files) != 1 || err != nil {
		d.t.Fatal(files, err)
	}
	d.config = filepath.Join(d.t.TempDir(), "afterword.toml")
	file := fmt.Appendf(nil, "base_url = %q\ndatabase = %q\n[blog]\nurl = %q\n[federation]\nallow_private = true\n", d.base, files[0], d.blog)
	if err := os.WriteFile(d.config, file, 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// end is Ctrl-C: the program ends well and leaves nothing behind.
func (d *demoRun) end() {
	if err := d.cmd.Process.Signal(os.Interrupt); err != nil {
		d.t.Fatal(err)
	}
	if err := d.cmd.Wait(); err != nil {
		d.t.Error(err)
	}
	if left, err := os.ReadDir(d.temp); len(left) > 0 || err != nil {
		d.t.Errorf("leaves %v behind, %v", left, err)
	}
}

// readersSee compares what people read, on the thread's own page and inside the blog's, with what programs read.
func (d *demoRun) readersSee(page string) (docs []*html.Node) {
	d.t.Helper()
	_, doc := d.get(d.base+"/api/v1/thread?url="+page, "*/*")
	var want []string
	for _, c := range doc["comments"].([]any) {
		c := c.(map[string]any)
		said, err := html.Parse(strings.NewReader(c["html"].(string)))
		if err != nil {
			d.t.Fatal(err)
		}
		want = append(want, strings.Repeat("  ", int(c["depth"].(float64)))+text(said))
	}
	for _, address := range []string{d.base + "/t?url=" + page, d.base + "/embed/thread?url=" + page} {
		doc := d.open(address)
		if got := outline(doc); !slices.Equal(got, want) {
			d.t.Errorf("%s shows\n%q\nnot\n%q", address, got, want)
		}
		docs = append(docs, doc)
	}
	return docs
}

// outline is what the comments on a page say, indented as they are nested.
func outline(doc *html.Node) (lines []string) {
	for _, comment := range all(doc, "article") {
		line := ""
		for _, part := range all(comment, "div") {
			if strings.Contains(attr(part, "class"), "e-content") {
				line = text(part)
			}
		}
		for above := range comment.Ancestors() {
			if above.Data == "ol" {
				line = "  " + line
			}
		}
		lines = append(lines, strings.TrimPrefix(line, "  "))
	}
	return lines
}

func (d *demoRun) open(address string) *html.Node {
	d.t.Helper()
	resp, err := http.Get(address)
	doc, _ := read(d.t, resp, err)
	return doc
}

// read is a page and the address that it was found at in the end.
func read(t *testing.T, resp *http.Response, err error) (*html.Node, string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	doc, err := html.Parse(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Request.URL, resp.Status, err)
	}
	return doc, resp.Request.URL.String()
}

// all are the elements of some kinds inside another one.
func all(n *html.Node, tags ...string) (found []*html.Node) {
	for child := range n.Descendants() {
		if child.Type == html.ElementNode && slices.Contains(tags, child.Data) {
			found = append(found, child)
		}
	}
	return found
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func text(n *html.Node) string {
	var words []string
	for child := range n.Descendants() {
		if child.Type == html.TextNode {
			words = append(words, strings.Fields(child.Data)...)
		}
	}
	return strings.Join(words, " ")
}

// visitor is somebody at the page of a stranger's server.
type visitor struct {
	t       *testing.T
	address string
	page    *html.Node
}

func (d *demoRun) visit(at *fedtest.Server, name string) *visitor {
	d.t.Helper()
	v := &visitor{t: d.t, address: at.Base + "/"}
	v.press("", "Change", "as", name)
	return v
}

// sees looks anew for words in the article that has others, or on the whole page.
func (v *visitor) sees(where, words string) bool {
	v.t.Helper()
	resp, err := http.Get(v.address)
	v.page, _ = read(v.t, resp, err)
	place := v.place(where)
	return place != nil && strings.Contains(text(place), words)
}

func (v *visitor) place(where string) *html.Node {
	if where == "" {
		return v.page
	}
	for _, article := range all(v.page, "article") {
		if strings.Contains(text(article), where) {
			return article
		}
	}
	return nil
}

// press looks anew, fills in the first form of a place that has these fields and this button, and presses that.
func (v *visitor) press(where, button string, fields ...string) {
	v.t.Helper()
	if !eventually(func() bool { return v.sees(where, button) }) {
		v.t.Fatalf("%s has no %q at %q: %s", v.address, button, where, text(v.page))
	}
	for _, form := range all(v.place(where), "form") {
		filled := entries(form)
		if len(fields) > 0 && !filled.Has(fields[0]) {
			continue
		}
		for _, b := range all(form, "button") {
			if text(b) == button {
				for pair := range slices.Chunk(append(fields, attr(b, "name"), attr(b, "value")), 2) {
					filled.Set(pair[0], pair[1])
				}
				filled.Del("") // of a button without name
				v.submit(form, filled)
				return
			}
		}
	}
	v.t.Fatalf("%s has no form with %q and %v at %q", v.address, button, fields, where)
}

func (v *visitor) submit(form *html.Node, filled url.Values) {
	v.t.Helper()
	at, err := url.Parse(v.address)
	if err != nil {
		v.t.Fatal(err)
	}
	to := at.ResolveReference(&url.URL{Path: attr(form, "action")})
	var resp *http.Response
	if attr(form, "method") == "post" {
		resp, err = http.PostForm(to.String(), filled)
	} else {
		to.RawQuery = filled.Encode()
		resp, err = http.Get(to.String())
	}
	v.page, v.address = read(v.t, resp, err)
}

// entries are what stands in a form before somebody changes it.
func entries(form *html.Node) url.Values {
	values := url.Values{}
	for _, field := range all(form, "input", "select", "textarea") {
		value := attr(field, "value")
		switch {
		case attr(field, "type") == "checkbox" && !slices.Contains(field.Attr, html.Attribute{Key: "checked"}):
			continue
		case field.Data == "textarea":
			value = text(field)
		case field.Data == "select":
			for i, option := range all(field, "option") {
				if i == 0 || slices.Contains(option.Attr, html.Attribute{Key: "selected"}) {
					value = text(option)
				}
			}
		}
		values.Set(attr(field, "name"), value)
	}
	return values
}

// TestDemoInBrowser: the blog's page stays open, and what a stranger writes in another tab appears there by itself.
func TestDemoInBrowser(t *testing.T) {
	browser := startBrowser(t)
	d := startDemo(t)
	blog, alpha, beta := newTab(t, browser), newTab(t, browser), newTab(t, browser)
	blog.open(d.blog + "2026/rain/")
	blog.until(`document.querySelector(".aw h2")?.innerText == "No comments"`)
	blog.until(`window.opened = true`) // which a reload would forget

	alpha.open(d.alpha.Base)
	alpha.reply(1, "I dig a ditch.")
	blog.until(`document.querySelector(".aw > ol > li .e-content")?.innerText.endsWith("I dig a ditch.")`)
	beta.open(d.beta.Base)
	beta.reply(2, "Where to?")
	blog.until(`document.querySelector(".aw > ol > li > ol > li .e-content")?.innerText.endsWith("Where to?")`)
	blog.until(`window.opened && document.querySelector(".aw h2")?.innerText == "2 comments"`)
	blog.accessible("a post")

	blog.open(d.blog)
	blog.until(`document.querySelector("[data-comment-count]").innerText != "Comments"`)
	blog.accessible("the front page")

	blog.open(d.blog)
	blog.until(`[...document.querySelectorAll("[data-comment-count]")].map(a => a.innerText) == "2 comments,3 comments,9 comments"`)

	blog.open(d.closed)
	blog.until(`document.querySelector(".aw-closed")?.innerText.startsWith("Comments are closed.")`)
	blog.until(`document.querySelectorAll(".aw ol ol ol ol ol article").length == 1`)
	blog.until(`!document.querySelector(".aw-reply") && !document.body.innerText.includes("Reply")`)
	blog.accessible("the closed post")
	for _, page := range []string{d.closed, strings.Replace(d.closed, "/demo/", "/posts/demo/", 1), d.blog, d.alpha.Base} {
		for _, scheme := range []string{"light", "dark"} {
			blog.scheme(scheme)
			blog.open(page)
			blog.accessible(page + " " + scheme)
		}
	}
}

func startBrowser(t *testing.T) context.Context {
	t.Helper()
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
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// tab is a page in the browser.
type tab struct {
	t   *testing.T
	ctx context.Context
}

func newTab(t *testing.T, browser context.Context) tab {
	t.Helper()
	ctx, stop := chromedp.NewContext(browser)
	t.Cleanup(stop)
	b := tab{t, ctx}
	b.do()
	b.ctx, stop = context.WithTimeout(ctx, 2*patience)
	t.Cleanup(stop)
	return b
}

func (b tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func (b tab) open(url string) {
	b.t.Helper()
	b.do(chromedp.Navigate(url))
}

// until waits for a condition in the page.
func (b tab) until(condition string) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.Poll[chromedp.Void](condition, chromedp.WithPollingTimeout(patience))); err != nil {
		b.t.Fatalf("%s: %v", condition, err)
	}
}

// scheme is what the reader's system prefers, "light" or "dark".
func (b tab) scheme(name string) {
	b.t.Helper()
	feature := &emulation.MediaFeature{Name: "prefers-color-scheme", Value: name}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{feature}}); err != nil {
		b.t.Fatal(err)
	}
}

// reply answers the newest post, or a comment below it, from a stranger's page.
func (b tab) reply(article int, words string) {
	b.t.Helper()
	place := chromedp.CSS("section:first-of-type article:nth-of-type(" + strconv.Itoa(article) + ") ")
	b.do(chromedp.Click(place+"summary"), chromedp.SendKeys(place+"textarea", words), chromedp.Click(place+"[value=reply]"))
}
