package feed_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"afterword/feed"
	"afterword/fetch"
	"afterword/storage"
	"afterword/thread"
)

func TestDemand(t *testing.T) {
	s := open(t)
	s.page("/2009/06/tomatoes/")
	if err := s.reader.Demand(s.Context(), "http://www.blog.test/2009/06/tomatoes/?utm_source=x#top"); err != nil {
		t.Fatal(err)
	}
	p := s.post(base + "/posts/2009/06/tomatoes/")
	if p.Title != "Page /2009/06/tomatoes/" || p.Summary != `<p>About &#34;it&#34;.</p>` || p.Published.Year() != 2009 || p.Lang != "en" || p.URL != blog+"2009/06/tomatoes/" {
		t.Errorf("%+v", p)
	}
	s.expectTold("") // nobody is told
	if err := s.reader.DemandNote(s.Context(), p.ID); err != nil {
		t.Error(err)
	}
	s.page("/2010/frogs/")
	if err := s.reader.Demand(s.Context(), blog+"2010/frogs"); err != nil || s.post(blog+"2010/frogs").ID != base+"/posts/2010/frogs/" {
		t.Error(err)
	}
}

// Most templates write the blog's name behind a page's title. The home page says what that name is.
func TestDemandedTitle(t *testing.T) {
	for title, want := range map[string]string{
		"Frogs – A garden": "Frogs", "Frogs | A garden": "Frogs", "Frogs - and newts - A garden": "Frogs - and newts", "Frogs": "Frogs",
		"A garden": "A garden", "Frogs – Another": "Frogs – Another", "Frogs – A": "Frogs – A", "Notes from a garden": "Notes from a garden",
	} {
		s := open(t)
		if err := s.db.SaveProfile(s.Context(), storage.Profile{Name: "A garden – notes from it"}); err != nil {
			t.Fatal(err)
		}
		s.serve("/x/", "text/html", "<title>"+title+`</title><link rel="alternate" type="application/activity+json" href="`+base+`/posts/x/">`)
		if err := s.reader.Demand(s.Context(), blog+"x/"); err != nil {
			t.Fatal(err)
		}
		if got := s.post(base + "/posts/x/").Title; got != want {
			t.Errorf("%q became %q, want %q", title, got, want)
		}
	}
}

// The dates of other posts stand on a page too. Where its address says when it is of, they are told apart.
func TestDemandedDate(t *testing.T) {
	for page, x := range map[string]struct{ html, want string }{
		"2009/06/frogs/":    {`<time datetime="2026-03-01T10:00:00Z">newer</time><time datetime="2009-06-08T10:00:00+02:00">this</time>`, "2009-06-08 08:00"},
		"2009/06/08/frogs/": {`<time datetime="2026-03-01T10:00:00Z">newer</time>`, "2009-06-08 00:00"},
		"2009/06/newts":     {"", "2009-06-01 00:00"},
		"2009/06/zone/":     {`<time datetime="2009-05-31T22:30:00Z">`, "2009-05-31 22:30"},
		"2009/99/frogs/":    {`<time datetime="2025-03-01">`, "2025-03-01 00:00"},
		"frogs/":            {`<time datetime="2025-03-01">`, "2025-03-01 00:00"},
		"2009/06/meta/":     {`<meta property="article:published_time" content="2009-07-06T10:00:00Z">`, "2009-07-06 10:00"},
	} {
		s := open(t)
		s.serve("/"+page, "text/html", `<link rel="alternate" type="application/activity+json" href="`+base+"/posts/"+page+`">`+x.html)
		if err := s.reader.Demand(s.Context(), blog+page); err != nil {
			t.Fatal(err)
		}
		if got := s.post(base + "/posts/" + page).Published.Format("2006-01-02 15:04"); got != x.want {
			t.Errorf("%s is of %s, want %s", page, got, x.want)
		}
	}
}

// A page has to say that it wants a Note, and which.
func TestDemandIsRefused(t *testing.T) {
	link := func(to string) string {
		return `<link rel="alternate" type="application/activity+json" href="` + to + `">`
	}
	for name, x := range map[string]struct {
		ask, html string
		asked     int // requests for asking twice
	}{
		"no page":            {"/y/", "", 1},
		"no link":            {"/x/", "<title>About</title>", 1},
		"another's link":     {"/x/", link("https://other.test/posts/x/"), 1},
		"a link elsewhere":   {"/x/", link(base + "/posts/y/"), 1},
		"almost":             {"/x/", link(base + "/posts/x"), 1},
		"noindex":            {"/x/", `<meta name="ROBOTS" content="noarchive, NOINDEX">` + link(base+"/posts/x/"), 1},
		"canonical of other": {"/x/", `<link rel=canonical href="/y/">` + link(base+"/posts/y/"), 1},
		"the home page":      {"/", link(base + "/posts/"), 0},
		"another host":       {"//evil.test/x/", link(base + "/posts/x/"), 0},
		"localhost":          {"//localhost:1313/x/", "", 0},
		"a preview":          {"//deploy-1--blog.test/x/", "", 0},
		"no address":         {"::", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			if x.html != "" {
				s.serve("/x/", "text/html", x.html)
			}
			for range 2 {
				page := "https://blog.test" + x.ask
				if strings.HasPrefix(x.ask, "//") || x.ask == "::" {
					page = "https:" + x.ask
				}
				if err := s.reader.Demand(s.Context(), page); !errors.Is(err, storage.ErrNotFound) {
					t.Error(err)
				}
			}
			if len(s.asked) != x.asked || s.posts() != "" {
				t.Error(len(s.asked), "requests;", s.posts())
			}
		})
	}
}

// What a redirect leads to is another page, and what the blogger removed stays removed.
func TestDemandOfWhatMoved(t *testing.T) {
	s := open(t)
	s.page("/new/")
	s.site["/old/"] = func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/new/", http.StatusMovedPermanently)
	}
	if err := s.reader.Demand(s.Context(), blog+"old/"); !errors.Is(err, storage.ErrNotFound) {
		t.Error(err)
	}
	if err := s.reader.Demand(s.Context(), blog+"new/"); err != nil {
		t.Error(err)
	}
	if err := s.db.RemovePost(s.Context(), s.post(blog+"new/").ID); err != nil {
		t.Fatal(err)
	}
	if err := s.reader.Demand(s.Context(), blog+"new/"); !errors.Is(err, storage.ErrNotFound) {
		t.Error(err)
	}
}

// A reader may be quicker than the feed: the post is new to the world all the same, once.
func TestDemandBeforeTheFeed(t *testing.T) {
	s := open(t)
	s.feed()
	s.read()
	s.page("/a/")
	if err := s.reader.Demand(s.Context(), blog+"a/"); err != nil {
		t.Fatal(err)
	}
	s.expectTold("")
	s.feed(entry{name: "a", title: "A", at: s.t})
	s.read()
	s.expectTold("create /a/")
	s.read()
	s.expectTold("")
	if got := s.posts(); got != "A" {
		t.Error(got)
	}
	if err := s.reader.Demand(s.Context(), blog+"a/"); err != nil || s.posts() != "A" { // it is known now
		t.Error(err, s.posts())
	}
}

// Strangers cannot make us a nuisance to the blog.
func TestDemandIsLimited(t *testing.T) {
	s := open(t, func(c *feed.Config) {})
	for i := range 500 {
		s.serve(fmt.Sprintf("/%d/", i), "text/html", "<title>No post</title>")
		s.reader.Demand(s.Context(), fmt.Sprintf("%s%d/", blog, i)) //nolint:errcheck // none is made
	}
	if len(s.asked) > 15 {
		t.Error(len(s.asked), "requests")
	}
	s.t = s.t.Add(time.Minute)
	for i := range 100 { // but pages that are posts cost nothing
		s.page(fmt.Sprintf("/post%d/", i))
		if err := s.reader.DemandNote(s.Context(), thread.IRI(fmt.Sprintf("%s/posts/post%d/", base, i))); err != nil {
			t.Fatal(i, err)
		}
	}
	s.feed(entry{name: "a"})
	if did, err := s.reader.Sync(s.Context(), feed.Options{}); err != nil || did.Created != 1 {
		t.Error("the feed suffers", did, err)
	}
	var refused *fetch.Error
	if errors.As(s.reader.Demand(s.Context(), blog+"none/"), &refused) {
		t.Error("a trouble of the blog is none of who asked")
	}
}
