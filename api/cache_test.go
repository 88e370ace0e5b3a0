package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"afterword/storage"
	"afterword/thread"
)

// body is bodyFor whoever asks.
func (s *Server) body(q query) (*body, error) { return s.bodyFor(q, func() error { return nil }) }

// TestConditional: each form has its own strong tags, and who has the bytes gets none.
func TestConditional(t *testing.T) {
	s, p := debate(t)
	seen := map[string]string{}
	for _, path := range []string{"/api/v1/thread?url=" + p.URL, "/t?url=" + p.URL, "/embed/thread?url=" + p.URL,
		"/api/v1/counts?url=" + p.URL, "/embed.js", "/style.css", "/t.atom?url=" + p.URL, "/feed.atom"} {
		plain, text := s.get(path)
		zipped, zip := s.get(path, "Accept-Encoding", "br, gzip;q=0.5")
		r, err := gzip.NewReader(strings.NewReader(zip))
		s.must(err)
		unzipped, err := io.ReadAll(r)
		s.must(err)
		if string(unzipped) != text || zipped.Header.Get("Content-Encoding") != "gzip" || plain.Header.Get("Content-Encoding") != "" {
			t.Error(path, "compressed is not the same")
		}
		for _, a := range []*http.Response{plain, zipped} {
			tag := a.Header.Get("ETag")
			if tag == "" || strings.HasPrefix(tag, "W/") || seen[tag] != "" {
				t.Errorf("%s: tag %s, also of %s", path, tag, seen[tag])
			}
			seen[tag] = path
			if a.Header.Get("Vary") != "Accept-Encoding" || a.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Error(path, a.Header)
			}
		}
		for _, known := range []string{plain.Header.Get("ETag"), "W/" + plain.Header.Get("ETag"), `"x", ` + plain.Header.Get("ETag"), "*"} {
			same, nothing := s.get(path, "If-None-Match", known)
			if same.StatusCode != 304 || nothing != "" || same.Header.Get("ETag") != plain.Header.Get("ETag") {
				t.Error(path, known, same.Status)
			}
		}
		if other, _ := s.get(path, "If-None-Match", zipped.Header.Get("ETag")); other.StatusCode != 200 {
			t.Error(path, "the tag of the compressed form is not that of the plain one")
		}
	}
}

func TestAcceptsGzip(t *testing.T) {
	for value, want := range map[string]bool{"": false, "gzip": true, "GZIP": true, "br, gzip": true, "gzip;q=0": false, "gzip; q=0.0": false,
		"*": true, "*;q=0": false, "gzip;q=0, *": false, "identity": false, "gzip;q=1.0": true, "x-gzip": true, ";;,,=": false, "gzip;q=junk": true} {
		if got := acceptsGzip([]string{value}); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
}

// TestFresh: the first request after a commit sees it, and only the threads that changed are made anew.
func TestFresh(t *testing.T) {
	s := newSite(t, nil)
	a := s.person("a", "A")
	p, other := s.post("p", storage.Draft{}), s.post("other", storage.Draft{})
	for _, path := range []string{"/api/v1/thread?url=", "/t?url=", "/embed/thread?url="} {
		if _, text := s.get(path + p.URL); strings.Contains(text, "Hello") {
			t.Error(path, "shows what is not there yet")
		}
		s.get(path + other.URL)
	}
	s.comment(p, thread.Comment{ID: id(1), Author: a, HTML: "<p>Hello</p>"})
	for _, v := range []view{asJSON, asPage, asFragment} {
		q := query{view: v, page: "https://" + thread.CanonicalURL(other.URL), order: thread.Oldest}
		before := s.cache.get(q)
		if after, err := s.body(q); err != nil || before == nil || after != before {
			t.Error(v, "was made anew for nothing", err)
		}
	}
	for _, path := range []string{"/api/v1/thread?url=", "/t?url=", "/embed/thread?url="} {
		if _, text := s.get(path + p.URL); !strings.Contains(text, "Hello") {
			t.Error(path, "does not show the new comment")
		}
	}
	a.Name = "Renamed"
	s.save(a)
	if c := s.thread(p, "").Comments[0]; c.Author.Name != "Renamed" {
		t.Error(c.Author)
	}
}

// TestGrowing: a thread that is updated comment by comment is the one that is read as a whole.
func TestGrowing(t *testing.T) {
	s := newSite(t, nil)
	a := s.person("a", "A")
	p := s.post("p", storage.Draft{})
	ctx, done := context.Background(), thread.Verdict{Decision: thread.Done}
	var read int64
	check := func(what string, again int64) {
		t.Helper()
		_, text := s.get("/api/v1/thread?url=" + p.URL)
		fresh := New(s.Config)
		b, err := fresh.body(query{view: asJSON, page: "https://" + thread.CanonicalURL(p.URL), order: thread.Oldest})
		if s.must(err); text != string(b.plain.bytes) {
			t.Errorf("%s: %s, want %s", what, text, b.plain.bytes)
		}
		if read += again; s.reads.Load() != read {
			t.Errorf("%s: the thread was read %d times, want %d", what, s.reads.Load(), read)
		}
	}
	check("nothing", 1)
	for i, parent := range []int{0, 1, 1, 2, 0, 5, 2} {
		c := thread.Comment{ID: id(i + 1), Author: a, HTML: "<p>Hello</p>"}
		if parent > 0 {
			c.Parent = id(parent)
		}
		s.comment(p, c)
		check(fmt.Sprint("comment ", i+1), 0)
	}
	edited, err := s.DB.Comment(ctx, id(4))
	s.must(err)
	edited.HTML, edited.Edited = "<p>Edited</p>", s.now()
	s.must(s.DB.EditComment(ctx, storage.Message{}, edited, done))
	check("edited", 0)
	s.must(s.DB.React(ctx, storage.Message{Sender: a.ID, Object: p.ID}, storage.Like, done))
	check("liked", 0)
	s.verdict(p, &thread.Comment{ID: id(20), Parent: id(4), Author: a}, thread.Held)
	check("held", 0)
	s.comment(p, thread.Comment{ID: id(21), Parent: id(20), Author: a})
	check("below what is held", 1)
	s.must(s.DB.DeleteComment(ctx, storage.Message{}, id(2), done))
	check("deleted", 0)
	s.must(s.DB.Moderate(ctx, id(20), thread.Visible))
	check("approved", 0)
	s.must(s.DB.Moderate(ctx, id(3), thread.Hidden))
	check("hidden", 0)
	s.must(s.DB.CloseBranch(ctx, id(1), time.Time{}))
	check("closed below", 0)
	s.must(s.DB.ReopenBranch(ctx, id(1)))
	s.must(s.DB.CloseBranch(ctx, id(4), s.now().Add(time.Hour)))
	check("to be closed below", 0)
	s.advance(2 * time.Hour)
	check("closed below by the clock", 0)
	s.must(s.DB.CloseThread(ctx, p.ID, time.Time{}))
	check("closed", 0)
	s.must(s.DB.CloseAll(ctx, time.Time{}))
	check("all closed", 0)
	s.post("p", storage.Draft{Title: "Another title"})
	check("another title", 0)
	s.save(a)
	check("an account that is as it was", 0)
	a.Name = "B"
	s.save(a)
	check("renamed", 0)
}

// TestClock: what closes by itself is shown closed from that moment on, without any commit.
func TestClock(t *testing.T) {
	s := newSite(t, func(c *Config) { c.Rules.CloseAfter = time.Hour })
	a := s.person("a", "A")
	p := s.post("p", storage.Draft{})
	s.comment(p, thread.Comment{ID: id(1), Author: a})
	s.must(s.DB.CloseBranch(context.Background(), id(1), noon.Add(30*time.Minute)))
	check := func(state thread.Openness, closesAt, closedAt string, branch bool) {
		t.Helper()
		got := s.thread(p, "")
		if got.Post.State != state || or(got.Post.ClosesAt) != closesAt || or(got.Post.ClosedAt) != closedAt || got.Comments[0].Closed != branch {
			t.Errorf("%+v %v", got.Post, got.Comments[0].Closed)
		}
		_, page := s.get("/t?url=" + p.URL)
		if closed := strings.Contains(page, "Comments are closed."); closed != (state == thread.Closed) {
			t.Error("the page does not say so")
		}
	}
	check(thread.Open, "2026-03-01T13:00:00Z", "", false)
	s.advance(29 * time.Minute)
	check(thread.Open, "2026-03-01T13:00:00Z", "", true)
	s.advance(30 * time.Minute)
	check(thread.Closed, "", "2026-03-01T13:00:00Z", true)
	s.must(s.DB.ReopenThread(context.Background(), p.ID))
	check(thread.Open, "", "", true)
}

func or(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// TestMeanwhile: while one request makes a thread anew, the others get the old bytes at once.
func TestMeanwhile(t *testing.T) {
	s := newSite(t, nil)
	p := s.post("p", storage.Draft{})
	q := query{view: asJSON, id: p.ID, order: thread.Oldest}
	old, err := s.body(q)
	s.must(err)
	s.comment(p, thread.Comment{ID: id(1), Author: s.person("a", "A")})
	old.renewing.Store(true)
	if b, err := s.body(q); err != nil || b != old {
		t.Error("waits, or makes it a second time", err)
	}
	old.renewing.Store(false)
	b, err := s.body(q)
	if err != nil || b == old || old.renewing.Load() {
		t.Error("is not made anew", err)
	}
	if again, _ := s.body(q); again != b {
		t.Error("is not kept")
	}
}

// TestStampede: many readers and a stream of commits; nobody gets an error or less than there was before they asked.
func TestStampede(t *testing.T) {
	s := newSite(t, nil)
	p := s.post("p", storage.Draft{})
	a := s.person("a", "A")
	h := s.Handler()
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			for most := 0; ; {
				select {
				case <-stop:
					return
				default:
				}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/thread?url="+p.URL, nil))
				n := strings.Count(w.Body.String(), `"depth"`)
				if w.Code != 200 || n < most {
					t.Errorf("%d: %d comments after %d", w.Code, n, most)
					return
				}
				most = n
			}
		})
	}
	for i := range 50 {
		s.comment(p, thread.Comment{ID: id(i), Author: a})
	}
	close(stop)
	readers.Wait()
	if n := len(s.thread(p, "").Comments); n != 50 {
		t.Error(n)
	}
}

type block []byte

func (b block) size() int { return len(b) }

func TestCacheIsBounded(t *testing.T) {
	c := newCache(100)
	for i := range 10 {
		c.put(i, make(block, 30))
		c.get(0)
	}
	if c.get(0) == nil || c.get(9) == nil || c.get(8) == nil || c.get(7) != nil || c.room != 10 || len(c.items) != 3 {
		t.Error("what was used last is not what is kept", c.room, len(c.items))
	}
	c.put(0, make(block, 50))
	c.put("big", make(block, 101))
	if c.get("big") != nil || c.get(0) == nil || c.room != 20 {
		t.Error("keeps more than it may, or loses the rest to what cannot be kept", c.room)
	}
	c.put(1, make(block, 10))
	c.drop(1)
	c.drop("nothing")
	if c.get(1) != nil || c.room != 20 || c.order.Len() != 2 {
		t.Error("what was dropped is still there", c.room)
	}
}

// TestJunkIsNotKept: whatever is asked for, the cache stays within its bound, and unknown posts leave nothing in it.
func TestJunkIsNotKept(t *testing.T) {
	s := newSite(t, func(c *Config) { c.CacheBytes = 100 << 10 })
	p := s.post("p", storage.Draft{})
	a := s.person("a", "A")
	for i := range 20 {
		s.comment(p, thread.Comment{ID: id(i), Author: a, HTML: "<p>Hello</p>"})
	}
	for i := range 200 {
		s.get(fmt.Sprintf("/t?url=https://blog.example/%d/", i))
	}
	if n := len(s.cache.items); n != 0 {
		t.Error(n, "items for posts that are not there")
	}
	for i := range 100 {
		s.get(fmt.Sprintf("/t?url=%s?utm_source=%d&junk=%d&lang=x%d", p.URL, i, i, i))
	}
	if n := len(s.cache.items); n != 2 { // the page and the arrangement
		t.Error(n, "items for one page")
	}
	for i := range 100 {
		s.get(fmt.Sprintf("/api/v1/thread?url=%s&limit=%d", p.URL, i+1))
	}
	if s.cache.room < 0 || s.cache.room > 100<<10 {
		t.Error(s.cache.room)
	}
}

func TestReady(t *testing.T) {
	s := newSite(t, nil)
	for _, path := range []string{"/healthz", "/readyz"} {
		if a, text := s.get(path); a.StatusCode != 200 || text != "ok\n" {
			t.Error(path, a.Status, text)
		}
	}
	s.must(s.DB.Close())
	if a, _ := s.get("/healthz"); a.StatusCode != 200 {
		t.Error(a.Status)
	}
	for _, path := range []string{"/readyz", "/t?url=https://blog.example/p/", "/api/v1/thread?url=https://blog.example/p/"} {
		if a, text := s.get(path); a.StatusCode != 503 || a.Header.Get("Retry-After") == "" || strings.Contains(text, "sql") {
			t.Error(path, a.Status, text)
		}
	}
}

// TestAssets: by their hash they are good for ever, else for a while.
func TestAssets(t *testing.T) {
	s := newSite(t, nil)
	for _, a := range []asset{embedJS, styleCSS} {
		named, _ := s.get(a.path())
		plain, _ := s.get(a.name)
		if !strings.Contains(named.Header.Get("Cache-Control"), "immutable") || strings.Contains(plain.Header.Get("Cache-Control"), "immutable") {
			t.Error(named.Header, plain.Header)
		}
	}
	if weight := len(embedJS.now.zip.bytes); weight > 4096 {
		t.Errorf("embed.js with its style weighs %d bytes, more than 4 kB", weight)
	}
	if bytes.Contains(embedJS.now.plain.bytes, []byte(`"style.css"`)) {
		t.Error("the style is not in the script")
	}
}
