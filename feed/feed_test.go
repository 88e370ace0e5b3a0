package feed_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"afterword/feed"
	"afterword/storage"
)

// TestPostsComeInByThemselves is the life of a blog: first reading, a new post, an edit, a rebuild, a move, a removal.
func TestPostsComeInByThemselves(t *testing.T) {
	s := open(t)
	old := entry{name: "old", at: noon.AddDate(-10, 0, 0)}
	a := entry{name: "a", at: noon.Add(-time.Hour), text: "First."}
	s.feed(a, old)
	s.read()
	s.expectTold("") // the first time nobody is told
	if got := s.posts(); got != "A, OLD" {
		t.Fatal(got)
	}

	b := entry{name: "b", at: noon, text: "Second."}
	c := entry{name: "c", at: noon.Add(time.Minute), text: "Third."}
	s.feed(c, b, a, old)
	s.read()
	s.expectTold("create /b/, create /c/") // in their order

	b.title, b.at = "B, revised", s.t
	s.feed(c, b, a, old)
	s.read()
	s.expectTold("update /b/")
	if p := s.post(blog + "b/"); p.Title != "B, revised" || !p.Published.Equal(noon) {
		t.Errorf("%+v", p)
	}

	for _, e := range []*entry{&a, &b, &c} { // a rebuild that touches nothing
		e.at = s.t
	}
	s.feed(c, b, a)
	s.read()
	s.expectTold("") // nothing changed, and a feed that ends earlier removes nothing

	b.link = blog + "2026/b/" // the page moves, the guid stays
	s.feed(c, b, a)
	s.read()
	s.expectTold("update /b/")
	if was, is := s.post(blog+"b/"), s.post(b.link); was.ID != is.ID || is.ID != base+"/posts/b/" || is.URL != b.link {
		t.Errorf("%v and %v", was, is)
	}
	s.feed(c, b, a)
	s.read()
	s.expectTold("")
	if known, err := s.db.Known(s.Context(), blog+"b/"); err != nil || !known {
		t.Errorf("a reply to the old page is not about us: %v", err)
	}
	if place, err := s.db.PlaceOf(s.Context(), blog+"b/"); err != nil || place.Post.ID != base+"/posts/b/" {
		t.Errorf("a reply to the old page stands nowhere: %v", err)
	}

	if err := s.db.RemovePost(s.Context(), base+"/posts/c/"); err != nil { // the blogger's word is stronger than the feed's
		t.Fatal(err)
	}
	s.expectTold("delete /c/")
	s.feed(c, b, a)
	s.read()
	s.expectTold("")
	if got := s.posts(); strings.Contains(got, "C") {
		t.Error(got)
	}
}

// A new post takes the page that another has left.
func TestPageIsTakenOver(t *testing.T) {
	s := open(t)
	s.feed(entry{name: "a", at: noon})
	s.read()
	s.feed(entry{name: "new", link: blog + "a/", at: noon}, entry{name: "a", link: blog + "archive/", at: noon})
	s.read()
	if moved, taken := s.post(blog+"archive/"), s.post(blog+"a/"); moved.Title != "A" || taken.Title != "NEW" || moved.ID == taken.ID {
		t.Errorf("%+v\n%+v", moved, taken)
	}
}

func TestDates(t *testing.T) {
	s := open(t)
	s.feed()
	s.read()
	soon := entry{name: "soon", at: s.t.Add(3 * time.Hour)}
	s.feed(soon,
		entry{name: "never", at: s.t.AddDate(5, 0, 0)}, // no date but a joke: now
		entry{name: "nodate"},
		entry{name: "epoch", at: time.Unix(0, 0)},
		entry{name: "week", at: s.t.AddDate(0, 0, -8)}) // too old to be news
	s.read()
	s.expectTold("create /epoch/, create /nodate/, create /never/")
	if p := s.post(blog + "week/"); p.Published.Year() != 2026 {
		t.Errorf("%+v", p)
	}
	if p := s.post(blog + "epoch/"); !p.Published.Equal(s.t) {
		t.Errorf("%+v", p)
	}
	if _, err := s.db.FindPost(s.Context(), blog+"soon/"); !errors.Is(err, storage.ErrNotFound) {
		t.Error("it does not wait", err)
	}
	s.t = soon.at
	s.read()
	s.expectTold("create /soon/")
}

// Names in feeds are not always what they should be. No post is told twice.
func TestGUIDs(t *testing.T) {
	s := open(t)
	s.feed()
	s.read()
	s.feed(entry{name: "a", guid: "same"}, entry{name: "b", guid: "same"}, entry{name: "c", guid: "-"}, entry{name: "d", guid: "-"},
		entry{name: "a", guid: "again"}, entry{name: "home", link: blog}, entry{name: "far", link: "https://elsewhere.test/x/"}, entry{name: "port", link: "https://blog.test:8443/x/"})
	s.read()
	s.expectTold("create /d/, create /c/, create /b/, create /a/")
	for i := range 3 { // guids that change with every build
		s.feed(entry{name: "a", guid: fmt.Sprint("a", i)}, entry{name: "b", guid: fmt.Sprint("b", i)}, entry{name: "c", guid: "-"}, entry{name: "d", guid: "same"})
		s.read()
		s.expectTold("")
	}
	s.feed(entry{name: "e", guid: blog}, entry{name: "f", guid: "12345"})
	s.read()
	s.feed(entry{name: "g", guid: blog}, entry{name: "f", guid: "12345"}) // a guid that names nothing moves no post
	s.read()
	s.expectTold("create /f/, create /e/, create /g/")
}

// More new posts than anybody writes are not news: followers are not flooded.
func TestManyAtOnce(t *testing.T) {
	s := open(t)
	s.feed()
	s.read()
	var many []entry
	for i := range 300 {
		many = append(many, entry{name: fmt.Sprint("p", i), at: s.t.Add(time.Duration(-i) * time.Minute)})
	}
	s.feed(many...)
	s.read()
	if told := s.told(); strings.Count(told, "create") != 20 || !strings.HasSuffix(told, "create /p0/") {
		t.Error(told)
	}
	for i := range many {
		many[i].text = "A template was changed."
	}
	s.feed(many...)
	s.read()
	if told := s.told(); strings.Count(told, "update") != 20 || !strings.Contains(told, "update /p0/,") {
		t.Error(told)
	}
}

func TestSend(t *testing.T) {
	s := open(t)
	s.feed(entry{name: "a", at: noon.AddDate(-1, 0, 0)})
	did, err := s.reader.Sync(s.Context(), feed.Options{Send: true})
	if err != nil || did != (feed.Report{Created: 1, Sent: 1}) {
		t.Errorf("%+v %v", did, err)
	}
	s.expectTold("create /a/")
}

// What is gone from the feed and from the blog is removed when the blogger wants that, and never by a hiccup.
func TestRemoveMissing(t *testing.T) {
	s := open(t, func(c *feed.Config) { c.RemoveMissing = true })
	s.serve("/", "text/html", "<html>")
	a, b, aged := entry{name: "a"}, entry{name: "b"}, entry{name: "aged"}
	for _, e := range []string{"/a/", "/b/", "/aged/"} {
		s.page(e)
	}
	s.feed(b, a, aged)
	s.read()
	delete(s.site, "/a/")
	for range 5 { // empty and full again
		s.feed()
		s.read()
		s.feed(b, a, aged)
		s.read()
	}
	s.expectTold("")
	s.feed(b) // a is gone, aged is only old
	for range 2 {
		s.read()
		s.expectTold("")
	}
	s.site["/a/"] = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
	s.read()
	s.expectTold("") // the blog does not say that it is gone
	delete(s.site, "/a/")
	s.read()
	s.expectTold("delete /a/")
	before := len(s.asked)
	s.read()
	if len(s.asked) != before+1 {
		t.Error("pages that are there are asked for again")
	}
	s.page("/a/")
	s.feed(b, a)
	s.read()
	s.expectTold("create /a/~2") // back, as a new Note: an id is never given twice
}

// With an unchanged feed (304) the time of the missing goes on.
func TestRemoveMissingUnchanged(t *testing.T) {
	s := open(t, func(c *feed.Config) { c.RemoveMissing = true })
	s.feed(entry{name: "b"}, entry{name: "a"})
	s.read()
	body := rss(entry{name: "b"})
	s.site["/feed.xml"] = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"2"`)
		if r.Header.Get("If-None-Match") == `"2"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Fprint(w, body)
	}
	s.read()
	s.read()
	s.expectTold("")
	s.read()
	s.expectTold("delete /a/")
}

// A crash anywhere loses nothing and tells nobody twice.
func TestRestart(t *testing.T) {
	for left := 0; ; left++ {
		s := open(t)
		s.feed(entry{name: "b", at: noon}, entry{name: "a", at: noon})
		_, err := s.reader.Sync(newDying(s.Context(), left), feed.Options{})
		s.start()
		s.read()
		s.expectTold("")
		s.feed(entry{name: "d", at: noon}, entry{name: "c", at: noon}, entry{name: "b", at: noon, text: "Edited."}, entry{name: "a", at: noon})
		s.reader.Sync(newDying(s.Context(), left), feed.Options{}) //nolint:errcheck // it is cut short
		s.start()
		s.read()
		if told := s.told(); told != "create /c/, create /d/, update /b/" {
			t.Fatalf("after a crash at %d: %s", left, told)
		}
		if got := s.posts(); len(got) != len("A, B, C, D") {
			t.Fatalf("after a crash at %d: %s", left, got)
		}
		if err == nil {
			if left < 4 { // how often it asks varies, as some of it is in goroutines
				t.Fatal("it cannot be cut short", left)
			}
			return
		}
	}
}

// The feed is asked for politely.
func TestPoliteness(t *testing.T) {
	s := open(t)
	status, header := http.StatusOK, http.Header{"Etag": {`W/"1"`}, "Last-Modified": {"Sun, 01 Mar 2026 00:00:00 GMT"}}
	s.site["/feed.xml"] = func(w http.ResponseWriter, r *http.Request) {
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		if status == http.StatusOK {
			fmt.Fprint(w, rss(entry{name: "a"}))
		}
	}
	s.read()
	if worked, err := s.reader.Step(s.Context()); worked || err != nil {
		t.Error("it reads again at once", err)
	}
	status = http.StatusNotModified
	s.read()
	if last := s.asked[len(s.asked)-1].Header; last.Get("If-None-Match") != `W/"1"` || last.Get("If-Modified-Since") != header.Get("Last-Modified") {
		t.Error(last)
	}
	if state := s.state(); state.Problem != "" || !state.Read.Equal(s.t) || !state.Next.Equal(s.t.Add(10*time.Minute)) {
		t.Errorf("%+v", state)
	}
	status, header = http.StatusTooManyRequests, http.Header{"Retry-After": {"3000"}}
	s.read()
	if state := s.state(); !strings.Contains(state.Problem, "429") || !state.Next.Equal(s.t.Add(50*time.Minute)) {
		t.Errorf("%+v", state)
	}
	status, header = http.StatusOK, nil
	s.read()
	if state := s.state(); state.Problem != "" {
		t.Errorf("%+v", state)
	}
	s.expectTold("")
}

// The blogger's word "now" looks past what was remembered.
func TestSyncIsNow(t *testing.T) {
	s := open(t)
	if _, err := s.reader.Sync(s.Context(), feed.Options{Fresh: true}); err == nil {
		t.Fatal("no feed, no problem?")
	}
	s.feed(entry{name: "a"})
	if did, err := s.reader.Sync(s.Context(), feed.Options{Fresh: true}); err != nil || did.Created != 1 {
		t.Error(did, err)
	}
}

func TestFeedIsFound(t *testing.T) {
	s := open(t, func(c *feed.Config) { c.URL = "" })
	s.read()
	if state := s.state(); !strings.Contains(state.Problem, "404") {
		t.Errorf("%+v", state)
	}
	s.serve("/", "text/html", "<title>Blog</title>")
	s.read()
	if state := s.state(); !strings.Contains(state.Problem, "set blog.feed in the configuration") {
		t.Errorf("%+v", state)
	}
	s.serve("/", "text/html", `<link rel=alternate type="application/rss+xml" href="/old.xml">`)
	s.serve("/old.xml", "text/xml", rss(entry{name: "a"}))
	s.t = s.t.Add(5 * time.Hour)
	s.read()
	if state := s.state(); state.URL != blog+"old.xml" || state.Problem != "" {
		t.Errorf("%+v", state)
	}
	delete(s.site, "/old.xml") // the feed moves: the home page knows where
	s.serve("/", "text/html", `<link rel=alternate type="application/rss+xml" href="new.xml">`)
	s.serve("/new.xml", "text/xml", rss(entry{name: "b"}, entry{name: "a"}))
	s.read()
	s.read()
	s.expectTold("create /b/")
}

// TestTroubles: whatever the blog answers, the last good state stays, one line says what is wrong, and all goes on
// afterwards.
func TestTroubles(t *testing.T) {
	xml := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/xml")
			fmt.Fprint(w, body)
		}
	}
	redirect := func(to string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
		}
	}
	head := `<?xml version="1.0"?>`
	bomb := head + `<!DOCTYPE r [<!ENTITY a "` + strings.Repeat("x", 1000) + `">`
	for i := range 10 {
		bomb += fmt.Sprintf(`<!ENTITY a%d "%s">`, i, strings.Repeat("&a;", 10))
	}
	for name, x := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"down":             {nil, "no such host"},
		"error":            {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, "500"},
		"gone":             {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(410) }, "410"},
		"empty":            {xml(""), "no feed that can be read"},
		"a page":           {xml("<!DOCTYPE html><html><body><p>Welcome"), "no feed that can be read"},
		"cut off":          {xml(rss(entry{name: "a", title: "Wrong"})[:200]), "no feed that can be read"},
		"huge":             {xml(rss(entry{name: "a", text: strings.Repeat("x", 5<<20)})), "too large"},
		"deep":             {xml(head + "<rss><channel>" + strings.Repeat("<b>", 100_000)), "nested too deeply"},
		"long bases":       {xml(head + `<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://x/` + strings.Repeat("y", 5000) + `"/>`), "xml:base"},
		"loop":             {redirect(blog + "feed.xml"), "redirects"},
		"private address":  {redirect("https://169.254.169.254/latest/"), "forbidden"},
		"loopback":         {redirect("https://[::1]/feed"), "forbidden"},
		"plain http":       {redirect("http://blog.test/feed"), "forbidden"},
		"file":             {redirect("file:///etc/passwd"), "forbidden"},
		"JSON, not a feed": {xml(`[1, 2]`), "no feed that can be read"},
		"deep JSON":        {xml(`{"version":"https://jsonfeed.org/version/1.1","items":` + strings.Repeat("[", 200_000)), "no feed that can be read"},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			a := entry{name: "a", text: "Good."}
			s.feed(a)
			s.read()
			if s.site["/feed.xml"] = x.answer; x.answer == nil {
				s.network.Serve("blog.test", nil)
			}
			s.log.Reset()
			s.read()
			s.read()
			state := s.state()
			if !strings.Contains(state.Problem, x.want) || len(state.Problem) > 600 {
				t.Errorf("%q, want %s", state.Problem, x.want)
			}
			if log := s.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, x.want) {
				t.Errorf("log: %s", log)
			}
			s.expectTold("")
			if p := s.post(blog + "a/"); p.Summary != "<p>Good.</p>" {
				t.Errorf("%+v", p)
			}
			if x.answer == nil {
				return
			}
			s.feed(entry{name: "b"}, a)
			s.read()
			s.expectTold("create /b/")
		})
	}
	t.Run("bombs are duds", func(t *testing.T) {
		s := open(t)
		s.serve("/feed.xml", "text/xml", bomb+`]><rss version="2.0"><channel><item><title>&a9;</title><link>`+blog+`a/</link></item></channel></rss>`)
		s.read()
		if p, err := s.db.FindPost(s.Context(), blog+"a/"); err == nil && len(p.Title) > 100 {
			t.Errorf("%d bytes of title", len(p.Title))
		}
	})
}

// A blog that moved to another generator has another name and address for each post, and perhaps today's date: that is no
// news. What is new afterwards is.
func TestMigration(t *testing.T) {
	s := open(t)
	was := func(n int) (feed []entry) {
		for i := range n {
			feed = append(feed, entry{name: fmt.Sprint("2026/p", i), at: noon})
		}
		return feed
	}
	s.feed(was(20)...)
	s.read()
	var now []entry
	for i := range 20 {
		now = append(now, entry{name: fmt.Sprint("posts/p", i), at: noon})
	}
	s.feed(now...)
	s.read()
	s.expectTold("")
	if got := s.posts(); len(got) == 0 {
		t.Error("they are not saved")
	}
	s.feed(append([]entry{{name: "posts/new", at: noon}}, now[:19]...)...)
	s.read()
	s.expectTold("create /posts/new/")

	for left := 0; ; left++ { // a crash changes nothing of that
		s := open(t)
		s.feed(was(7)...)
		s.read()
		s.feed(now[:7]...)
		_, err := s.reader.Sync(newDying(s.Context(), left), feed.Options{})
		s.start()
		s.read()
		if told := s.told(); told != "" {
			t.Fatalf("after a crash at %d: %s", left, told)
		}
		if err == nil {
			break
		}
	}

	s = open(t) // a feed of few items has another one often
	s.feed(was(3)...)
	s.read()
	s.feed(now[:3]...)
	s.read()
	if told := s.told(); strings.Count(told, "create") != 3 {
		t.Error(told)
	}
}

func TestThousandsOfItems(t *testing.T) {
	s := open(t)
	var many []entry
	for i := range 5000 {
		many = append(many, entry{name: fmt.Sprint("p", i), at: noon.Add(time.Duration(-i) * time.Hour)})
	}
	s.feed(many...)
	began := time.Now()
	s.read()
	t.Logf("5,000 items, of which 2,000 are read: %v", time.Since(began))
	if posts, _, err := s.db.CountPosts(context.Background()); err != nil || posts != 2000 {
		t.Error(posts, err)
	}
	s.expectTold("")
}
