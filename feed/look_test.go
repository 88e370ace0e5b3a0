package feed_test

import (
	"testing"
	"time"

	"afterword/storage"
)

// What the home page says of the blog is kept, looked at once a day, and never lost because the page is away.
func TestProfile(t *testing.T) {
	s := open(t)
	home := func(html string) { s.serve("/", "text/html", html) }
	home(`<html lang="de"><head><title> Wörter </title><meta name="description" content="Ein &lt;Blog&gt;."><link rel="icon" href="icon.png"></head>`)
	s.feed()
	s.read()
	want := storage.Profile{Name: "Wörter", Summary: "Ein <Blog>.", Icon: "https://blog.test/icon.png", Lang: "de"}
	expect := func() {
		t.Helper()
		if got, err := s.db.Profile(s.Context()); err != nil || got != want {
			t.Fatalf("%+v %v", got, err)
		}
	}
	expect()
	home(`<html><title>Words</title>`)
	s.read()
	expect()
	s.t = s.t.Add(24 * time.Hour)
	s.read()
	want = storage.Profile{Name: "Words"}
	expect()
	delete(s.site, "/")
	s.t = s.t.Add(24 * time.Hour)
	s.read()
	expect()
}

// A blog that is not there yet when we first ask is asked again soon, not with a nameless account until the evening.
func TestProfileOfABlogThatStartsAfterUs(t *testing.T) {
	s := open(t)
	s.feed()
	s.read()
	s.serve("/", "text/html", "<html><title>Words</title>")
	s.t = s.t.Add(10 * time.Minute)
	s.read()
	if got, err := s.db.Profile(s.Context()); err != nil || got.Name != "Words" {
		t.Fatalf("%+v %v", got, err)
	}
}
