package api

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"afterword/fetch"
	"afterword/storage"
	"afterword/thread"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// site is a Server with a real database behind a real listener, and a clock that moves when a test says so.
type site struct {
	testing.TB
	*Server
	url   string
	clock atomic.Int64 // nanoseconds after noon

	mu    sync.Mutex
	asked []*http.Request
}

// newSite starts one; change may adjust its configuration.
func newSite(t testing.TB, change func(*Config)) *site {
	t.Helper()
	s := &site{TB: t}
	mux := http.NewServeMux()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, r)
		s.mu.Unlock()
		http.StripPrefix("/c", mux).ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL + "/c"
	c := Config{Base: s.url, Blog: Blog{Name: "A blog", URL: "https://blog.example/"}, Now: s.now,
		Fetch: fetch.New(fetch.Options{AllowPrivate: true, Now: s.now}), Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	if change != nil {
		change(&c)
	}
	db, err := storage.Open(filepath.Join(t.TempDir(), "test.db"), storage.Options{Base: c.Base, Now: s.now})
	s.must(err)
	t.Cleanup(func() { db.Close() })
	c.DB = db
	s.Server = New(c)
	mux.Handle("/", s.Handler())
	return s
}

func (s *site) now() time.Time          { return noon.Add(time.Duration(s.clock.Load())) }
func (s *site) advance(d time.Duration) { s.clock.Add(int64(d)) }

func (s *site) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// post saves a post of the page /name/.
func (s *site) post(name string, d storage.Draft) thread.Post {
	s.Helper()
	d.URL = "https://blog.example/" + name + "/"
	if d.Published.IsZero() {
		d.Published = noon
	}
	p, _, err := s.DB.SavePost(context.Background(), d)
	s.must(err)
	return p
}

// person makes an account known. Its name is what is given; the handle and the id follow from user.
func (s *site) person(user, name string) thread.Author {
	s.Helper()
	a := thread.Author{ID: thread.IRI("https://remote.example/users/" + user), Name: name, Handle: "@" + user + "@remote.example",
		URL: "https://remote.example/@" + user}
	s.save(a)
	return a
}

func (s *site) save(a thread.Author) {
	s.Helper()
	s.must(s.DB.SaveActor(context.Background(), storage.Actor{Author: a, Type: "Person", Inbox: string(a.ID) + "/inbox"}))
}

// comment adds a shown comment. Comments without a date come one minute after the other.
func (s *site) comment(p thread.Post, c thread.Comment) thread.Comment {
	s.Helper()
	s.verdict(p, &c, thread.Shown)
	return c
}

func (s *site) verdict(p thread.Post, c *thread.Comment, d thread.Decision) {
	s.Helper()
	s.advance(time.Minute)
	c.Post, c.Received = p.ID, s.now()
	if c.Published.IsZero() {
		c.Published = c.Received
	}
	if c.URL == "" && !c.Imported {
		c.URL = string(c.ID) + ".html"
	}
	s.add(p, *c, d)
}

func (s *site) add(p thread.Post, c thread.Comment, d thread.Decision) {
	s.Helper()
	answers := []thread.IRI{cmp.Or(c.Parent, p.ID)}
	verdict := func(storage.Place) thread.Verdict { return thread.Verdict{Decision: d} }
	s.must(s.DB.AddComment(context.Background(), storage.Message{}, c, answers, verdict))
}

func id(n int) thread.IRI { return thread.IRI(fmt.Sprintf("https://remote.example/notes/%d", n)) }

// get reads an answer to its end.
func (s *site) get(path string, header ...string) (*http.Response, string) {
	s.Helper()
	return s.do(http.MethodGet, path, header...)
}

// do sends a request with headers, given as name and value in turn; nothing is decompressed.
func (s *site) do(method, path string, header ...string) (*http.Response, string) {
	s.Helper()
	r, err := http.NewRequest(method, s.url+path, nil)
	s.must(err)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return s.read(r)
}

// read sends a request and reads the answer to its end.
func (s *site) read(r *http.Request) (*http.Response, string) {
	s.Helper()
	answer, err := plainClient.Do(r)
	s.must(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	s.must(err)
	return answer, string(text)
}

// requests are those that came for a path so far.
func (s *site) requests(path string) (found []*http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.asked {
		if strings.HasPrefix(r.URL.Path, "/c"+path) {
			found = append(found, r)
		}
	}
	return found
}

var plainClient = &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}}
