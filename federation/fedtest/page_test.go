package fedtest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// visitor looks at a server's page.
type visitor struct {
	t      *testing.T
	base   string
	client http.Client
}

func (v visitor) read(resp *http.Response, err error) string {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
	body, err := read(resp)
	if err != nil || resp.StatusCode != 200 {
		v.t.Fatalf("%s %s %v", resp.Status, body, err)
	}
	return string(body)
}

func (v visitor) look() string {
	v.t.Helper()
	return v.read(v.client.Get(v.base + "/"))
}

// press submits a form and follows to the page.
func (v visitor) press(fields ...string) string {
	v.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return v.read(v.client.PostForm(v.base+"/act", form))
}

func (v visitor) has(page string, texts ...string) {
	v.t.Helper()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			v.t.Errorf("the page lacks %q:\n%s", text, page)
		}
	}
}

// TestPage follows a blog, replies, edits, likes, boosts and deletes with nothing but the page.
func TestPage(t *testing.T) {
	w := newTown(t)
	blog := w.beta.Person("blog")
	post := ok(t)(blog.Write(t.Context(), Draft{HTML: "<p>Hello <script>alert(1)</script></p>"})).Note
	w.alpha.Blog = "@blog@beta.test"
	v := visitor{t, w.alpha.Base, http.Client{Transport: w}}

	page := v.look()
	v.has(page, "@alice@alpha.test", "<p>Hello</p>", `value="@blog@beta.test"`)
	if strings.Contains(page, "<script") {
		t.Error("a script got through")
	}
	v.has(v.press("as", "alice", "do", "follow", "object", w.alpha.Blog), "Follow: 202 from beta.test", "<em>following</em>", "Unfollow")
	v.has(v.press("as", "alice", "do", "reply", "object", post, "text", "a <b>\n\nc", "visibility", "public"), "Create: 202 from beta.test", "a &lt;b&gt;", "<p>c</p>")
	reply := w.alpha.notesThat(func(n Note) bool { return n.InReplyTo == post })[0]
	v.has(v.press("as", "alice", "do", "edit", "object", reply.ID, "edit", "changed"), "changed</textarea>", "<em>edited</em>", "Update: 202")
	v.has(v.press("as", "alice", "do", "like", "object", post), ">Unlike<")
	v.has(v.press("as", "alice", "do", "boost", "object", post), ">Unboost<")
	v.has(v.press("as", "alice", "do", "unlike", "object", post), ">Like<")
	v.has(v.press("as", "alice", "do", "unboost", "object", post), ">Boost<")

	ok(t)(blog.Reply(t.Context(), reply.ID, "nested"))
	v.has(v.look(), "nested</p>", "margin-left: 1rem", "signed by https://beta.test/users/blog")
	v.has(v.press("as", "alice", "do", "delete", "object", reply.ID), "Delete: 202", "Deleted.", "nested")
	v.has(v.press("as", "alice", "do", "unfollow", "object", w.alpha.Blog), ">Follow<")
	v.has(v.press("as", "alice", "do", "dance"), "nobody here can")
	v.has(v.press("as", "alice", "do", "mood", "mood", "gone"), "<option selected>gone")
	if resp, err := v.client.Get(w.alice.ID); err != nil || resp.StatusCode != 410 {
		t.Errorf("gone: %v %v", resp, err)
	}
}

// TestPageShowsTheThread: what stands under a post the page learns from the blog's own collection.
func TestPageShowsTheThread(t *testing.T) {
	w := newTown(t)
	post := object{"id": "https://blog.test/1", "type": "Note", "attributedTo": "https://blog.test/actor", "content": "<p>post</p>",
		"published": "2026-01-01T00:00:00Z", "context": "https://blog.test/context"}
	context := object{"id": "https://blog.test/context", "type": "OrderedCollection", "first": "https://blog.test/context?page=1"}
	page := object{"id": "https://blog.test/context?page=1", "type": "OrderedCollectionPage", "orderedItems": []any{"https://blog.test/1"}}
	w.Serve("blog.test", serving(map[string]object{
		"/1":     post,
		"/actor": {"id": "https://blog.test/actor", "type": "Person", "inbox": "https://blog.test/inbox", "outbox": "https://blog.test/outbox", "preferredUsername": "blog"},
		"/outbox": {"id": "https://blog.test/outbox", "type": "OrderedCollection",
			"orderedItems": []any{object{"type": "Create", "object": post}}},
		"/context": context, "/context?page=1": page,
	}))
	reply := ok(t)(w.bob.Reply(t.Context(), "https://blog.test/1", "shown")).Note
	ok(t)(w.bob.Reply(t.Context(), "https://blog.test/1", "left out"))
	page["orderedItems"] = append(page["orderedItems"].([]any), reply, "https://nowhere.test/1")
	for _, s := range []*Server{w.alpha, w.beta} {
		s.Blog = "https://blog.test/actor"
	}
	mine := visitor{t, w.beta.Base, http.Client{Transport: w}}
	mine.has(mine.look(), "shown by the blog", "left out</p>")

	theirs := visitor{t, w.alpha.Base, http.Client{Transport: w}}
	if page := theirs.look(); !strings.Contains(page, "shown</p>") || strings.Contains(page, "left out") || strings.Contains(page, "shown by the blog") {
		t.Error(page)
	}
	ok(t)(w.bob.Delete(t.Context(), reply))
	if page := theirs.look(); strings.Contains(page, "shown</p>") {
		t.Error(page)
	}
}

// TestPageOfHostileNotes: whatever other servers call things, it stays text.
func TestPageOfHostileNotes(t *testing.T) {
	w := newTown(t)
	evil := `'"><script>`
	w.alpha.save(Note{ID: "https://evil.test/" + evil, URL: "javascript:" + evil, Author: evil, HTML: evil, Published: noon, RejectedBy: "https://" + evil})
	w.alpha.save(Note{ID: "https://evil.test/2", URL: "https://evil.test/" + evil, Author: "x", Published: noon})
	page := visitor{t, w.alpha.Base, http.Client{Transport: w}}.look()
	if strings.Contains(page, "<script") || strings.Contains(page, evil[:2]) || strings.Contains(page, "javascript:") {
		t.Error(page)
	}
}

// TestLookup starts from the address of a page for people, and at depth two.
func TestLookup(t *testing.T) {
	w := newTown(t)
	post := ok(t)(w.carol.Write(t.Context(), Draft{HTML: "post"})).Note
	reply := ok(t)(w.bob.Reply(t.Context(), post, "reply")).Note
	w.Serve("blog.test", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, `<!doctype html><link rel=icon href=x><link rel="alternate" type="application/activity+json" href="`+reply+`">`)
	}))
	v := visitor{t, w.alpha.Base, http.Client{Transport: w}}
	page := v.read(v.client.Get(w.alpha.Base + "/authorize_interaction?uri=https://blog.test/page/"))
	if v.has(page, "reply</p>", "post</p>"); !regexp.MustCompile(`(?s)post</p>.*reply</p>`).MatchString(page) {
		t.Error("not nested")
	}
	v.has(v.press("as", "alice", "do", "lookup", "object", "https://nowhere.test/"), "no such host")
	n, _ := w.beta.Note(reply)
	if resp, err := v.client.Get(n.URL); err != nil || resp.Request.URL.String() != "https://beta.test/#"+anchor(reply) {
		t.Errorf("the note's page is at %v %v", resp.Request.URL, err)
	}
}

// TestLoopback talks over real sockets.
func TestLoopback(t *testing.T) {
	var servers []*Server
	for _, software := range []string{"mastodon", "gotosocial"} {
		real := httptest.NewUnstartedServer(nil)
		s, err := NewServer(Options{Base: "http://" + real.Listener.Addr().String(), Software: software, People: []string{"alice"}})
		if err != nil {
			t.Fatal(err)
		}
		real.Config.Handler = s.Handler()
		real.Start()
		t.Cleanup(real.Close)
		servers = append(servers, s)
	}
	here, there := servers[0], servers[1]
	post := ok(t)(there.Person("alice").Write(t.Context(), Draft{HTML: "post"})).Note
	here.Blog = there.Person("alice").Handle()
	v := visitor{t, here.Base, http.Client{}}
	v.has(v.press("as", "alice", "do", "follow", "object", here.Blog), "<em>following</em>")
	v.has(v.press("as", "alice", "do", "reply", "object", post, "text", "over sockets"), "202 from "+there.host, "over sockets")
	last(t, there)
}
