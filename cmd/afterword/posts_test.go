package main

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"afterword/config"
	"afterword/federation/fedtest"
)

// staticSite is the blog itself: a static site with a feed and pages, as a generator writes them.
type staticSite struct {
	base  string // of the blog's comment server: the template links each page's Note
	posts []sitePost
}

type sitePost struct {
	path, title, text string
	at                time.Time
	unlisted          bool   // not in the feed
	note              string // that its page names; empty: as every page's
}

func (b *staticSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/feed.xml" {
		fmt.Fprint(w, b.feed())
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if r.URL.Path == "/" {
		fmt.Fprint(w, `<title>Blog</title><link rel="alternate" type="application/rss+xml" href="/feed.xml">`)
		return
	}
	i := slices.IndexFunc(b.posts, func(p sitePost) bool { return "/"+p.path == r.URL.Path })
	if i < 0 {
		http.NotFound(w, r)
		return
	}
	fmt.Fprintf(w, `<title>%s</title><link rel="alternate" type="application/activity+json" href="%s"><meta name="description" content="%s">`,
		b.posts[i].title, cmp.Or(b.posts[i].note, b.base+"/posts/"+b.posts[i].path), b.posts[i].text)
}

func (b *staticSite) feed() string {
	var out strings.Builder
	out.WriteString(`<rss version="2.0"><channel><title>Blog</title>`)
	for i, p := range b.posts {
		if !p.unlisted {
			fmt.Fprintf(&out, `<item><title>%s</title><link>https://blog.test/%s</link><guid isPermaLink="false">%d</guid><description>%s</description><pubDate>%s</pubDate></item>`,
				p.title, p.path, i, p.text, p.at.Format(time.RFC1123Z))
		}
	}
	return out.String() + "</channel></rss>"
}

// withSite sets the stage with a blog that has a feed.
func withSite(t *testing.T, more string, posts ...sitePost) (*stage, *clock, *staticSite) {
	t.Helper()
	s, c := inMemory(t, more)
	b := &staticSite{base: s.base, posts: posts}
	s.http.Transport.(*fedtest.Network).Serve("blog.test", b)
	return s, c, b
}

// later lets time pass until the feed is read again.
func (s *stage) later(c *clock) {
	c.advance(11 * time.Minute)
	s.settle()
}

// TestPostsReachFollowers: SCENARIOS 47-49: a follower's server gets each new post once, each edit once, and no old ones.
func TestPostsReachFollowers(t *testing.T) {
	s, c, b := withSite(t, "", sitePost{path: "2009/tomatoes/", title: "Tomatoes", text: "Old.", at: time.Date(2009, 7, 6, 0, 0, 0, 0, time.UTC)})
	for _, p := range []*fedtest.Person{s.alpha.Person("alice"), s.alpha.Person("anna"), s.beta.Person("bob")} {
		s.must(p.Follow(s.ctx, s.base+"/actor"))
	}
	s.later(c)
	s.expectReceived(s.alpha, "Create", 0)
	if outbox := s.note(s.base + "/outbox"); outbox["totalItems"] != 1.0 {
		t.Error(outbox)
	}

	b.posts = append(b.posts, sitePost{path: "2026/rain/", title: "Rain", text: "It <![CDATA[<b>pours</b>]]>.", at: c.now()})
	s.later(c)
	create := s.expectReceived(s.alpha, "Create", 1)[0] // one for the server, however many follow there
	s.expectReceived(s.beta, "Create", 1)
	note := create.Activity["object"].(map[string]any)
	if want := `<p><strong>Rain</strong></p><p>It <strong>pours</strong>.</p><p><a href="https://blog.test/2026/rain/">https://blog.test/2026/rain/</a></p>`; note["content"] != want {
		t.Errorf("%v", note["content"])
	}
	b.posts[1].text = "It pours and pours."
	s.later(c)
	s.later(c)
	s.expectReceived(s.alpha, "Update", 1)
	s.expectReceived(s.alpha, "Create", 1)

	// The page moves: whoever answers its old address stands in the same thread.
	b.posts[1].path = "2026/long-rain/"
	s.later(c)
	s.expectReceived(s.alpha, "Update", 2)
	s.must(s.beta.Person("bob").Reply(s.ctx, s.base+"/posts/2026/rain/", "Here too."))
	for _, page := range []string{s.blog + "2026/rain/", s.blog + "2026/long-rain/"} {
		s.expect(page, "open: 1 comments, 0 likes, 0 boosts, 0 late", "@bob Here too.")
	}
	if found, err := s.beta.Lookup(s.ctx, s.blog+"2026/long-rain/"); err != nil || found.ID != s.base+"/posts/2026/rain/" {
		t.Errorf("%+v %v", found, err) // the page's template names another Note; we lead to the right one
	}
	if _, err := s.alpha.Lookup(s.ctx, s.blog+"2026/long-rain/"); err == nil {
		t.Error("Mastodon takes an alternate with another id") // PROTOCOL 1a: it does not; the doctor says what to write
	}
	if _, said := attempt(t, s.transport, "-config", s.config, "doctor"); findings(said)["moved"] != "advice" || !strings.Contains(said, `href="`+s.base+`/posts/2026/rain/"`) {
		t.Error(said)
	}
	b.posts[1].note = s.base + "/posts/2026/rain/"
	if found, err := s.alpha.Lookup(s.ctx, s.blog+"2026/long-rain/"); err != nil || found.ID != b.posts[1].note {
		t.Errorf("%+v %v", found, err)
	}

	s.afterword("post", "remove", s.blog+"2026/rain/")
	s.later(c)
	s.later(c)
	s.expectReceived(s.alpha, "Delete", 1)
	s.expectReceived(s.alpha, "Create", 1)
}

// Requirement 12, from the blog's page on: who pastes its address into a search finds the Note, even if we have never
// heard of the page.
func TestR012_PageIsFoundBySearch(t *testing.T) {
	s, c, b := withSite(t, "", sitePost{path: "about/", title: "About", text: "Who I am.", unlisted: true})
	s.must(s.alpha.Person("alice").Follow(s.ctx, s.base+"/actor"))
	s.later(c)
	found, err := s.gamma.Lookup(s.ctx, s.blog+"about/")
	if err != nil || found.ID != s.base+"/posts/about/" || !strings.Contains(found.HTML, "Who I am.") {
		t.Fatalf("%+v %v", found, err)
	}
	s.must(s.gamma.Person("carol").Reply(s.ctx, found.ID, "Nice to meet you."))
	s.expect(s.blog+"about/", "open: 1 comments, 0 likes, 0 boosts, 0 late", "@carol Nice to meet you.")
	s.expectReceived(s.alpha, "Create", 0)

	b.posts = append(b.posts, sitePost{path: "new/", title: "New", at: c.now()})
	s.expect(s.blog+"new/", "open: 0 comments, 0 likes, 0 boosts, 0 late") // a reader is quicker than the feed
	s.later(c)
	s.expectReceived(s.alpha, "Create", 1)

	for _, page := range []string{"none/", ""} {
		if status, doc := s.get(s.base+"/api/v1/thread?url="+s.blog+page, "*/*"); status != http.StatusNotFound || doc["error"] != "unknown_post" {
			t.Error(page, status, doc)
		}
	}
	if _, err := s.gamma.Lookup(s.ctx, s.base+"/posts/none/"); err == nil {
		t.Error("a Note is made of nothing")
	}
}

// Requirement 13: who asks for the human page of a post with an ActivityPub Accept header gets to the Note; on the blog's own
// host that is the proxy's redirect, on ours content negotiation (SCENARIOS 50).
func TestR013_ContentNegotiation(t *testing.T) {
	s, c, _ := withSite(t, "", sitePost{path: "a/", title: "A", at: time.Now()})
	s.later(c)
	for accept, want := range map[string]string{
		"application/activity+json": "application/activity+json",
		`application/ld+json; profile="https://www.w3.org/ns/activitystreams"`:                                             "application/activity+json",
		`application/ld+json; profile="https://www.w3.org/ns/activitystreams", application/activity+json, text/html;q=0.1`: "application/activity+json",
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8":                                                  "text/html",
		"*/*": "text/html",
		"":    "text/html",
	} {
		req, err := http.NewRequestWithContext(s.ctx, http.MethodGet, s.base+"/posts/a/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", accept)
		resp, err := s.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if kind := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || !strings.HasPrefix(kind, want) || !strings.Contains(resp.Header.Get("Vary"), "Accept") {
			t.Errorf("%q: %d %s %v", accept, resp.StatusCode, kind, resp.Header["Vary"])
		}
	}
}

// The account is found however people write it (issue of finding: handle, upper case, with and without @, the blog's address).
func TestR003_AccountIsFound(t *testing.T) {
	s, _, _ := withSite(t, "")
	for _, resource := range []string{"acct:blog@comments.test", "acct:BLOG@Comments.Test", "acct:@blog@comments.test", "@blog@comments.test",
		"blog@comments.test", "acct%3Ablog%40comments.test", s.base + "/actor", s.blog, strings.TrimSuffix(s.blog, "/"), s.base, s.base + "/"} {
		status, doc := s.get(s.base+"/.well-known/webfinger?resource="+resource, "application/jrd+json")
		if status != http.StatusOK || doc["subject"] != "acct:blog@comments.test" {
			t.Errorf("%s: %d %v", resource, status, doc)
		}
	}
}

// The address of the server itself leads to the account, or people to the blog.
func TestHome(t *testing.T) {
	s, _, _ := withSite(t, "")
	if doc := s.note(s.base + "/"); doc["id"] != s.base+"/actor" {
		t.Error(doc)
	}
	req, err := http.NewRequestWithContext(s.ctx, http.MethodGet, s.base+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := s.http.Transport.RoundTrip(req); err != nil || resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != s.blog {
		t.Error(resp, err)
	}
}

// TestFollowerRemoved: whom the blogger removes gets nothing more, and its server knows that it follows no longer.
func TestFollowerRemoved(t *testing.T) {
	s, _, _ := withSite(t, "")
	alice, bob := s.alpha.Person("alice"), s.beta.Person("bob")
	s.must(alice.Follow(s.ctx, s.base+"/actor"))
	s.must(bob.Follow(s.ctx, s.base+"/actor"))
	s.expectReceived(s.alpha, "Accept", 1)
	s.afterword("follower", "remove", alice.Handle())
	follow := s.expectReceived(s.alpha, "Reject", 1)[0].Activity["object"].(map[string]any)
	accepted := s.received(s.alpha, "Accept")[0].Activity["object"].(map[string]any)
	if follow["id"] != accepted["id"] || follow["type"] != "Follow" || follow["actor"] != alice.ID {
		t.Errorf("%v, accepted was %v", follow, accepted)
	}
	s.afterword("post", "add", "-url", s.blog+"a/", "-title", "A")
	s.expectReceived(s.beta, "Create", 1)
	s.expectReceived(s.alpha, "Create", 0)
	if list := s.afterword("follower", "list"); strings.Contains(list, alice.Handle()) || !strings.Contains(list, bob.Handle()) {
		t.Error(list)
	}
}

// TestBaseStays: a database goes on under the address by which others know what is in it.
func TestBaseStays(t *testing.T) {
	s, _, _ := withSite(t, "")
	s.afterword("post", "list")
	var said bytes.Buffer
	c := &call{ctx: s.ctx, env: []string{"AFTERWORD_BASE_URL=https://elsewhere.test"}, stdout: &said, stderr: &said, now: s.now, transport: s.transport}
	if code := run(c, []string{"-config", s.config, "post", "list"}); code != 1 || !strings.Contains(said.String(), "was https://comments.test") || strings.Count(said.String(), "\n") != 1 {
		t.Error(code, said.String())
	}
}

// TestProfilePage: what the doctor wants the front page to link to is what the account's document says as its url.
func TestProfilePage(t *testing.T) {
	s, _, _ := withSite(t, "")
	cfg := &config.Config{BaseURL: s.base, Blog: config.Blog{URL: s.blog}}
	if url := s.note(s.base + "/actor")["url"]; url != profilePage(cfg) {
		t.Error(url, profilePage(cfg))
	}
	if cfg.BaseURL = "https://blog.test/.ap"; profilePage(cfg) != s.blog {
		t.Error(profilePage(cfg))
	}
}

// TestReactions: SCENARIOS 52: likes and boosts count once, whatever they are called, and are taken back; under comments
// as under posts.
func TestReactions(t *testing.T) {
	s, _, _ := withSite(t, "")
	page := s.blog + "a/"
	id := s.afterword("post", "add", "-url", page, "-title", "A")
	alice, bob, carol := s.alpha.Person("alice"), s.beta.Person("bob"), s.gamma.Person("carol")
	comment := s.must(alice.Reply(s.ctx, id, "Hello."))
	for range 2 {
		s.must(alice.Like(s.ctx, id))
		s.must(bob.Boost(s.ctx, id))
		s.must(carol.React(s.ctx, id, "🦀"))
	}
	s.expect(page, "open: 1 comments, 2 likes, 1 boosts, 0 late", "@alice Hello.")
	if out := s.afterword("post", "show", page); !strings.Contains(out, bob.Handle()) || !strings.Contains(out, carol.Handle()) {
		t.Error(out)
	}
	s.must(alice.Unlike(s.ctx, id))
	s.must(bob.Unboost(s.ctx, id))
	s.must(carol.Unreact(s.ctx, id))
	answer := s.afterword("reply", comment, "Welcome.") // likes of others' comments go to their servers, those of ours come to us
	likes := func() (likes, boosts any) {
		s.settle()
		_, doc := s.get(s.base+"/api/v1/thread?url="+page, "*/*")
		of := doc["comments"].([]any)[1].(map[string]any)
		return of["likes"], of["boosts"]
	}
	s.must(bob.Like(s.ctx, answer))
	s.must(carol.Boost(s.ctx, answer))
	if likes, boosts := likes(); likes != 1.0 || boosts != 1.0 {
		t.Error(likes, boosts)
	}
	s.must(bob.Unlike(s.ctx, answer))
	s.must(carol.Unboost(s.ctx, answer))
	if likes, boosts := likes(); likes != 0.0 || boosts != 0.0 {
		t.Error(likes, boosts)
	}
	s.expect(page, "open: 2 comments, 0 likes, 0 boosts, 0 late", "@alice Hello.", "  @blog@comments.test Welcome.")
	if out := s.afterword("post", "show", page); strings.Contains(out, "boosted") {
		t.Error(out)
	}
}

// TestNewsByHub: a feed with a WebSub hub need not wait to be read.
func TestNewsByHub(t *testing.T) {
	s, _, b := withSite(t, "")
	network := s.http.Transport.(*fedtest.Network)
	network.Serve("blog.test", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "<https://hub.test/>; rel=hub, <https://blog.test/feed.xml>; rel=self")
		b.ServeHTTP(w, r)
	}))
	var form url.Values
	network.Serve("hub.test", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm() //nolint:errcheck // the test sees what is missing
		form = r.PostForm
		resp, err := s.http.Get(form.Get("hub.callback") + "?hub.mode=subscribe&hub.topic=https://blog.test/feed.xml&hub.lease_seconds=9000&hub.challenge=yes")
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Error(resp, err)
		}
		w.WriteHeader(http.StatusAccepted)
	}))
	s.settle()
	b.posts = append(b.posts, sitePost{path: "new/", title: "New", at: s.now()})
	mac := hmac.New(sha256.New, []byte(form.Get("hub.secret")))
	mac.Write([]byte("news"))
	req, err := http.NewRequestWithContext(s.ctx, http.MethodPost, form.Get("hub.callback"), strings.NewReader("news"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Hub-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	if resp, err := s.http.Do(req); err != nil || resp.StatusCode != http.StatusAccepted {
		t.Fatal(resp, err)
	}
	s.settle()
	if got := s.afterword("post", "list"); !strings.Contains(got, "new/") {
		t.Error(got)
	}
}
