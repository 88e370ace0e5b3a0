package api

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"afterword/metrics"
	"afterword/storage"
	"afterword/thread"
)

// crowd is a site with a post under which n comments of a usual length stand, a third of them at top level.
func crowd(t testing.TB, n int) (*site, thread.Post) {
	s := newSite(t, nil)
	p := s.post("crowd", storage.Draft{Title: "A crowd", Lang: "en"})
	for i := range 50 {
		s.person(fmt.Sprint("user", i), fmt.Sprint("User Number ", i))
	}
	for generation := range 3 { // parents first, otherwise many at once: they share their commits
		atOnce(64, func(w int) {
			for i := 3*w + generation; i < n; i += 3 * 64 {
				s.add(p, usual(p, i), thread.Shown)
			}
		})
	}
	return s, p
}

// grown is a site with a post under which n comments stand: every second one at top level, the others below the first.
func grown(t testing.TB, n int) (*site, thread.Post) {
	s := newSite(t, nil)
	p := s.post("grown", storage.Draft{Title: "Grown", Lang: "en"})
	s.add(p, split(p, 0), thread.Shown)
	atOnce(64, func(w int) {
		for i := w + 1; i < n; i += 64 {
			s.add(p, split(p, i), thread.Shown)
		}
	})
	return s, p
}

// atOnce does something by several workers at once, and waits for them.
func atOnce(workers int, work func(w int)) {
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() { work(w) })
	}
	all.Wait()
}

func split(p thread.Post, i int) thread.Comment {
	c := usual(p, i)
	if c.Parent = ""; i%2 == 1 {
		c.Parent = id(0)
	}
	return c
}

func usual(p thread.Post, i int) thread.Comment {
	at := noon.Add(time.Duration(i) * time.Second)
	c := thread.Comment{ID: id(i), URL: fmt.Sprintf("https://remote.example/@user%d/%d", i%50, i), Post: p.ID, Lang: "en", Published: at, Received: at,
		Author: thread.Author{ID: thread.IRI(fmt.Sprintf("https://remote.example/users/user%d", i%50))},
		HTML: fmt.Sprintf("<p>Comment %d. %s</p>", i, strings.Repeat([]string{"It has been said before, but never quite like this. ",
			"One could also see it the other way round: ", "I do not think so! "}[i%3], 2+i%4))}
	if i%3 > 0 {
		c.Parent = id(i - 1)
	}
	return c
}

// BenchmarkCached holds the answer to a cached thread against a handler that sends the same bytes from memory, both
// over real connections, in turns: "ofmemory" is our requests/s divided by its, "cpu" our CPU time divided by its.
func BenchmarkCached(b *testing.B) {
	s, p := crowd(b, 1000)
	ask := "/api/v1/thread?url=" + p.URL
	_, plain := s.get(ask)
	zipped, zip := s.get(ask, "Accept-Encoding", "gzip")
	memory := httptest.NewServer(fromMemory(zipped.Header, []byte(plain), []byte(zip)))
	b.Cleanup(memory.Close)
	bare := httptest.NewServer(http.StripPrefix("/c", s.Handler())) // without the site's list of requests
	b.Cleanup(bare.Close)
	for name, headers := range map[string]string{
		"plain": "", "gzip": "Accept-Encoding: gzip\r\n",
		"304": "Accept-Encoding: gzip\r\nIf-None-Match: " + zipped.Header.Get("ETag") + "\r\n"} {
		b.Run(name, func(b *testing.B) {
			ours, theirs := dial(b, bare.URL+"/c"+ask, headers), dial(b, memory.URL, headers)
			for b.Loop() {
				ours.ask()
				theirs.ask()
			}
			b.ReportMetric(float64(theirs.wall)/float64(ours.wall), "ofmemory")
			b.ReportMetric(float64(ours.cpu)/float64(theirs.cpu), "cpu")
		})
	}
}

// fromMemory sends the same bytes and headers without any thought.
func fromMemory(header http.Header, plain, zip []byte) http.HandlerFunc {
	header.Del("Date")
	header.Del("Content-Encoding")
	header.Del("Content-Length")
	return func(w http.ResponseWriter, r *http.Request) {
		h, b := w.Header(), plain
		maps.Copy(h, header)
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		if r.Header.Get("Accept-Encoding") != "" {
			h.Set("Content-Encoding", "gzip")
			b = zip
		}
		h.Set("Content-Length", strconv.Itoa(len(b)))
		w.Write(b)
	}
}

// client asks the same again and again on one connection, and does as little as possible with the answers.
type client struct {
	testing.TB
	conn      net.Conn
	request   []byte
	answer    []byte
	wall, cpu time.Duration
}

func dial(t testing.TB, url, headers string) *client {
	r := httptest.NewRequest(http.MethodGet, url, nil)
	conn, err := net.Dial("tcp", r.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	c := &client{TB: t, conn: conn, request: fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", r.URL.RequestURI(), r.Host, headers)}
	var seen counter
	conn.Write(c.request)
	answer, err := http.ReadResponse(bufio.NewReader(io.TeeReader(conn, &seen)), r)
	if err == nil {
		_, err = io.Copy(io.Discard, answer.Body)
	}
	if err != nil {
		t.Fatal(err)
	}
	c.answer = make([]byte, seen)
	return c
}

type counter int

func (c *counter) Write(b []byte) (int, error) { *c += counter(len(b)); return len(b), nil }

// ask sends a hundred requests.
func (c *client) ask() {
	wall, cpu := time.Now(), metrics.CPUTime()
	for range 100 {
		c.conn.Write(c.request)
		if _, err := io.ReadFull(c.conn, c.answer); err != nil {
			c.Fatal(err)
		}
	}
	c.wall += time.Since(wall)
	c.cpu += metrics.CPUTime() - cpu
}

// BenchmarkRebuild is what the first reader after a change costs: a new comment, one that is hidden, an account with another
// name; and after a start. Run it some fixed number of times (-benchtime 50x): the thread grows.
func BenchmarkRebuild(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		s, p := crowd(b, n)
		comment := func(i int) { s.add(p, usual(p, 3*(n+i)), thread.Shown) }
		hidden := func(i int) {
			s.must(s.DB.Moderate(context.Background(), id(0), []thread.State{thread.Hidden, thread.Visible}[i%2]))
		}
		started := func(int) { s.cache = newCache(s.cache.bytes) }
		renamed := func(i int) { s.person("user0", fmt.Sprint("Called ", i)) }
		for _, v := range []view{asJSON, asFragment} {
			q := query{view: v, id: p.ID, order: thread.Oldest}
			b.Run(fmt.Sprintf("comment/%s/%d", v, n), func(b *testing.B) { s.rebuild(b, q, comment) })
			b.Run(fmt.Sprintf("hidden/%s/%d", v, n), func(b *testing.B) { s.rebuild(b, q, hidden) })
			b.Run(fmt.Sprintf("renamed/%s/%d", v, n), func(b *testing.B) { s.rebuild(b, q, renamed) })
			b.Run(fmt.Sprintf("start/%s/%d", v, n), func(b *testing.B) { s.rebuild(b, q, started) })
		}
	}
}

// BenchmarkPage is the same for one page of a thread of 100,000 comments, and for the same page of one of 1,000, in turns:
// the newest comments, and 300 within a branch. "ofsmall" is the CPU time of the first divided by that of the second.
func BenchmarkPage(b *testing.B) {
	large, small := newPaged(b, 100000), newPaged(b, 1000)
	for name, choose := range map[string]func(*paged) query{"newest": (*paged).newest, "inside": (*paged).inside} {
		b.Run(name, func(b *testing.B) {
			var cpu, ofSmall time.Duration
			for b.Loop() {
				cpu += large.rebuilt(choose(large), large.comment)
				ofSmall += small.rebuilt(choose(small), small.comment)
			}
			b.ReportMetric(float64(cpu.Microseconds())/float64(b.N)/1000, "cpu-ms/op")
			b.ReportMetric(float64(cpu)/float64(ofSmall), "ofsmall")
		})
	}
}

// paged is a grown thread, of which pages are asked for.
type paged struct {
	*site
	post thread.Post
	n    int
	top  thread.Placed // with the largest branch
	last thread.Placed // in it, before 300 others
	more int           // comments that came since
}

func newPaged(b *testing.B, n int) *paged {
	s, p := grown(b, n)
	comments, err := s.DB.Thread(context.Background(), p.ID)
	s.must(err)
	all := thread.Arrange(comments).List()
	of := &paged{site: s, post: p, n: n, top: all[0], last: all[n/2-300]}
	_, err = s.body(of.newest()) // which reads the whole
	s.must(err)
	return of
}

func (p *paged) comment(int) {
	p.more++
	p.add(p.post, split(p.post, 2*p.n+p.more), thread.Shown)
}

func (p *paged) newest() query {
	return query{view: asJSON, id: p.post.ID, order: thread.Newest, limit: 20}
}

func (p *paged) inside() query {
	after, err := parseCursor(cursorInside(p.top, p.last))
	p.must(err)
	return query{view: asJSON, id: p.post.ID, order: thread.Oldest, limit: 1, after: after}
}

var changes int // so far, so that each is another one

// rebuild measures the CPU time of answering after each change.
func (s *site) rebuild(b *testing.B, q query, change func(int)) {
	_, err := s.body(q)
	s.must(err)
	var cpu time.Duration
	for b.Loop() {
		cpu += s.rebuilt(q, change)
	}
	b.ReportMetric(float64(cpu.Microseconds())/float64(b.N)/1000, "cpu-ms/op")
}

// rebuilt is the CPU time of answering once after a change.
func (s *site) rebuilt(q query, change func(int)) time.Duration {
	changes++
	change(changes)
	start := metrics.CPUTime()
	_, err := s.body(q)
	s.must(err)
	return metrics.CPUTime() - start
}

// BenchmarkStampede is 10,000 readers of one post while 20 replies a second arrive (SECURITY P18). It is the time of
// each answer that counts, so the readers come at a pace that two processors can serve beside them.
func BenchmarkStampede(b *testing.B) {
	s, p := crowd(b, 1000)
	stop := make(chan struct{})
	var replies sync.WaitGroup
	replies.Go(func() {
		for i, tick := 2000, time.NewTicker(time.Second/20); ; i++ {
			select {
			case <-stop:
				tick.Stop()
				return
			case <-tick.C:
				s.add(p, usual(p, 3*i), thread.Shown)
			}
		}
	})
	for b.Loop() {
		took := s.stampede("/api/v1/thread?url="+p.URL, 10000, 16)
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	}
	close(stop)
	replies.Wait()
}

// stampede asks n times, by some clients at once, and says how long each answer took.
func (s *site) stampede(path string, n, clients int) []time.Duration {
	took := make([]time.Duration, n)
	var readers sync.WaitGroup
	for c := range clients {
		readers.Go(func() {
			for i := c; i < n; i += clients {
				start := time.Now()
				if answer, _ := s.get(path, "Accept-Encoding", "gzip"); answer.StatusCode != http.StatusOK {
					s.Error(answer.Status)
				}
				took[i] = time.Since(start)
			}
		})
	}
	readers.Wait()
	return took
}
