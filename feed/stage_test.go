package feed_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"afterword/federation/fedtest"
	"afterword/feed"
	"afterword/fetch"
	"afterword/storage"
	"afterword/thread"
)

const (
	base = "https://comments.test"
	blog = "https://blog.test/"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// stage is a blog on a network in memory and who reads it: a real database, real requests, and a clock that moves only when
// a test says so.
type stage struct {
	testing.TB
	t       time.Time
	network *fedtest.Network
	db      *storage.DB
	reader  *feed.Reader
	log     *bytes.Buffer
	site    map[string]http.HandlerFunc // by request target
	asked   []*http.Request
}

func open(t testing.TB, changes ...func(*feed.Config)) *stage {
	t.Helper()
	s := &stage{TB: t, t: noon, network: fedtest.NewNetwork(), log: new(bytes.Buffer), site: map[string]http.HandlerFunc{}}
	db, err := storage.Open(filepath.Join(t.TempDir(), "blog.db"), storage.Options{Base: base, Now: s.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	s.db = db
	s.network.Serve("blog.test", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked = append(s.asked, r)
		if page, ok := s.site[r.URL.RequestURI()]; ok {
			page(w, r)
			return
		}
		http.NotFound(w, r)
	}))
	s.start(changes...)
	return s
}

// start starts the reader, also anew: it remembers nothing but what the database does.
func (s *stage) start(changes ...func(*feed.Config)) {
	c := feed.Config{DB: s.db, Base: base, Blog: blog, URL: blog + "feed.xml", Pictures: 4, Now: s.now, Log: slog.New(slog.NewTextHandler(s.log, nil)),
		Fetch: fetch.New(fetch.Options{Transport: s.network, Now: s.now})}
	for _, change := range changes {
		change(&c)
	}
	s.reader = feed.New(c)
}

func (s *stage) now() time.Time { return s.t }

// serve puts a file on the blog.
func (s *stage) serve(target, kind, body string) {
	s.site[target] = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		fmt.Fprint(w, body)
	}
}

// page puts a page on the blog whose template links its Note.
func (s *stage) page(path string) {
	s.serve(path, "text/html; charset=utf-8", `<!DOCTYPE html><html lang="en"><head><title>Page `+path+` – Blog</title><meta property="og:title" content="Page `+path+`">
<meta name="description" content="About &quot;it&quot;."><meta property="article:published_time" content="2009-07-06T10:00:00+02:00">
<link rel="alternate" type="application/activity+json" href="`+base+"/posts"+path+`"></head><body><p>Text.</p></body></html>`)
}

// read lets time pass until the feed is due and reads it.
func (s *stage) read() {
	s.Helper()
	s.t = s.t.Add(time.Hour + time.Minute)
	if worked, err := s.reader.Step(s.Context()); err != nil || !worked {
		s.Fatal(worked, err)
	}
}

func (s *stage) state() feed.State {
	s.Helper()
	state, err := s.reader.State(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	return state
}

// told is what the world is to be told since it was last asked, as "create /a/".
func (s *stage) told() string {
	s.Helper()
	var out []string
	for {
		c, err := s.db.NextChange(s.Context())
		if err != nil {
			return strings.Join(out, ", ")
		}
		out = append(out, c.Kind+" "+strings.TrimPrefix(string(c.Object), base+"/posts"))
		if err := s.db.Publish(s.Context(), c, nil, storage.Recipients{}); err != nil {
			s.Fatal(err)
		}
	}
}

func (s *stage) expectTold(want string) {
	s.Helper()
	if got := s.told(); got != want {
		s.Fatalf("told %q, want %q\n%s", got, want, s.log)
	}
}

// posts are the titles of all posts, newest first.
func (s *stage) posts() string {
	s.Helper()
	posts, err := s.db.Posts(s.Context(), 10_000, 0)
	if err != nil {
		s.Fatal(err)
	}
	var titles []string
	for _, p := range posts {
		titles = append(titles, p.Title)
	}
	return strings.Join(titles, ", ")
}

func (s *stage) post(ref string) thread.Post {
	s.Helper()
	p, err := s.db.FindPost(s.Context(), ref)
	if err != nil {
		s.Fatal(ref, err)
	}
	return p
}

// entry is an item of a feed: its page is /a/, its guid "tag:a" unless it says otherwise.
type entry struct {
	name, guid, title, text, link string
	at                            time.Time
}

// rss is a feed as a generator would write it, the newest first.
func rss(entries ...entry) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Blog</title><link>` + blog + `</link><language>en</language>`)
	for _, e := range entries {
		if e.link == "" {
			e.link = blog + e.name + "/"
		}
		if e.guid == "" {
			e.guid = "tag:" + e.name
		}
		if e.title == "" {
			e.title = strings.ToUpper(e.name)
		}
		fmt.Fprintf(&b, "<item><title>%s</title><link>%s</link><description>%s</description>", e.title, e.link, e.text)
		if e.guid != "-" {
			fmt.Fprintf(&b, `<guid isPermaLink="false">%s</guid>`, e.guid)
		}
		if !e.at.IsZero() {
			fmt.Fprintf(&b, "<pubDate>%s</pubDate>", e.at.Format(time.RFC1123Z))
		}
		b.WriteString("</item>")
	}
	return b.String() + "</channel></rss>"
}

func (s *stage) feed(entries ...entry) { s.serve("/feed.xml", "application/rss+xml", rss(entries...)) }

// dying is a context that ends after it was asked so often: a crash anywhere.
type dying struct {
	context.Context
	left atomic.Int64 // database/sql asks from goroutines of its own
}

func newDying(ctx context.Context, left int) *dying {
	d := &dying{Context: ctx}
	d.left.Store(int64(left))
	return d
}

func (d *dying) Err() error {
	if d.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}
