package federation_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"afterword/federation"
	"afterword/fetch"
	"afterword/storage"
	"afterword/thread"
)

// The mechanics of delivery (PROTOCOL 67 to 71, SECURITY P8 and group N), with hosts that answer as each test says.

// follower is an account that follows the blog; its server answers its inbox with that status.
func (s *stage) follower(id string, status int) *stranger {
	s.Helper()
	p := s.stranger(id)
	s.inbox(p, answer{status: status})
	p.says(p.activity("Follow", actor))
	return p
}

// inbox says how all inboxes of an account answer from now on.
func (s *stage) inbox(p *stranger, a answer) {
	d := p.document()
	s.answer(d["inbox"].(string), a)
	s.answer(d["endpoints"].(object)["sharedInbox"].(string), a)
}

// blog adds posts and tells the followers.
func (s *stage) blog(n int) (ids []thread.IRI) {
	s.Helper()
	for i := range n {
		p, _, err := s.db.SavePost(s.ctx, storage.Draft{URL: fmt.Sprintf("https://blog.test/2026/n%d/", i), Title: fmt.Sprint("Post ", i)})
		if err != nil {
			s.Fatal(err)
		}
		ids = append(ids, p.ID)
	}
	s.settle()
	return ids
}

// posts is how many deliveries a host was sent, answered or not.
func (s *stage) posts(host string) (n int) {
	for _, line := range s.network.Log() {
		if strings.HasPrefix(line, "POST https://"+host+"/") {
			n++
		}
	}
	return n
}

// waits is how much waits for a host.
func (s *stage) waits(host string) (q storage.HostQueue) {
	s.Helper()
	all, err := s.db.Queue(s.ctx)
	if err != nil {
		s.Fatal(err)
	}
	for _, q := range all {
		if q.Host == host {
			return q
		}
	}
	return storage.HostQueue{}
}

// pass lets time go by, in steps that are short beside what is waited for.
func (s *stage) pass(d time.Duration) {
	s.Helper()
	for gone := time.Duration(0); gone < d; {
		step := min(d-gone, 10*time.Minute)
		if gone >= 3*time.Hour {
			step = min(d-gone, 30*time.Minute)
		}
		s.clock.advance(step)
		s.settle()
		gone += step
	}
}

// Whatever waits for a host that is away costs it few attempts, each later than the one before, and all of it arrives
// when it is back (SECURITY P8).
func TestR068_Patience(t *testing.T) {
	for name, away := range map[string]func(*stage, *stranger){
		"unreachable": func(s *stage, p *stranger) { s.network.Serve("away.test", nil) },
		"503":         func(s *stage, p *stranger) { s.inbox(p, answer{status: 503}) },
		"500":         func(s *stage, p *stranger) { s.inbox(p, answer{status: 500}) },
		"401":         func(s *stage, p *stranger) { s.inbox(p, answer{status: 401}) },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			p := s.follower("https://away.test/p", 202)
			s.mu.Lock()
			back := s.hosts
			s.mu.Unlock()
			away(s, p)
			before := s.posts("away.test")
			s.blog(30)
			s.pass(72 * time.Hour)
			if s.waits("away.test").Waiting != 30 {
				t.Fatalf("waiting after three days: %+v", s.waits("away.test"))
			}
			delete(back, "away.test")
			s.inbox(p, answer{status: 202})
			s.pass(24 * time.Hour)
			if q := s.waits("away.test"); q.Waiting != 0 {
				t.Errorf("the host is back and still waits: %+v", q)
			}
			attempts := s.posts("away.test") - before - 30
			if name == "401" {
				attempts /= 2 // each is tried in both ways to sign
			}
			if attempts < 8 || attempts > 18 {
				t.Errorf("%d attempts failed in three days", attempts)
			}
		})
	}
}

// TestR069_Breaker: a week of silence costs at most twenty attempts; then nothing is sent until the host speaks.
func TestR069_Breaker(t *testing.T) {
	s := open(t)
	p := s.follower("https://away.test/p", 202)
	s.inbox(p, answer{status: 502})
	before := s.posts("away.test")
	s.blog(200)
	s.pass(7 * 24 * time.Hour)
	if n := s.posts("away.test") - before; n < 10 || n > 20 {
		t.Errorf("%d attempts in a week", n)
	}
	s.pass(2 * 24 * time.Hour)
	paused := s.posts("away.test")
	if _, _, err := s.db.SavePost(s.ctx, storage.Draft{URL: "https://blog.test/later/", Title: "Later"}); err != nil {
		t.Fatal(err)
	}
	s.pass(5 * 24 * time.Hour)
	if n := s.posts("away.test") - paused; n > 0 {
		t.Errorf("%d attempts at a host that was away for more than a week", n)
	}
	s.inbox(p, answer{status: 202})
	p.says(p.activity("Like", note))
	if s.posts("away.test") == paused || s.waits("away.test").Waiting != 0 {
		t.Errorf("it spoke, and is sent nothing: %+v", s.waits("away.test"))
	}
}

func TestR068_RetryAfterIsHonoured(t *testing.T) {
	for asked, want := range map[string]time.Duration{"1800": 30 * time.Minute, "86400": time.Hour, "soon": 10 * time.Minute} {
		s := open(t)
		p := s.follower("https://busy.test/p", 202)
		s.inbox(p, answer{status: 429, header: http.Header{"Retry-After": {asked}}})
		s.blog(3)
		first := s.posts("busy.test")
		s.inbox(p, answer{status: 202})
		if want > 10*time.Minute {
			s.pass(want - 10*time.Minute)
			if n := s.posts("busy.test"); n != first {
				t.Errorf("Retry-After: %s, and %d requests before", asked, n-first)
			}
		}
		s.pass(20 * time.Minute)
		if s.waits("busy.test").Waiting != 0 {
			t.Errorf("Retry-After: %s, and nothing came after it: %+v", asked, s.waits("busy.test"))
		}
	}
}

// Refusals are final; 410 ends a follow only when the account's own document says so.
func TestR068_Refusals(t *testing.T) {
	for _, status := range []int{400, 403, 404, 405, 410, 422} {
		s := open(t)
		p := s.follower("https://no.test/p", 202)
		s.inbox(p, answer{status: status})
		s.blog(1)
		if s.waits("no.test").Waiting != 0 {
			t.Errorf("%d is tried again: %+v", status, s.waits("no.test"))
		}
		if n, _ := s.db.CountFollowers(s.ctx); n != 1 {
			t.Errorf("an inbox that answers %d cost a follower whose account stands", status)
		}
		s.answer(p.id, answer{status: http.StatusGone})
		s.pass(2 * time.Hour)
		if _, _, err := s.db.SavePost(s.ctx, storage.Draft{URL: "https://blog.test/second/", Title: "Second"}); err != nil {
			t.Fatal(err)
		}
		s.pass(time.Hour)
		if n, _ := s.db.CountFollowers(s.ctx); (n == 0) != (status == http.StatusGone) {
			t.Errorf("inbox %d and account 410: %d followers", status, n)
		}
	}
}

func TestSuperseded(t *testing.T) {
	s := open(t)
	s.follower("https://live.test/p", 202)
	away := s.follower("https://away.test/p", 202)
	s.inbox(away, answer{status: 503})
	id := s.blog(1)[0]
	for i := range 100 { // an edit storm
		if _, _, err := s.db.SavePost(s.ctx, storage.Draft{URL: "https://blog.test/2026/n0/", Title: fmt.Sprint("Edit ", i)}); err != nil {
			t.Fatal(err)
		}
		if i%25 == 0 {
			s.settle()
		}
	}
	s.settle()
	if n := s.waits("away.test").Waiting; n != 2 {
		t.Errorf("%d wait: want the Create, and the one Update that is true", n)
	}
	if n := s.posts("live.test"); n > 2+6 {
		t.Errorf("a live host was sent %d messages by an edit storm", n)
	}
	sent := s.posts("away.test")
	if err := s.db.RemovePost(s.ctx, id); err != nil {
		t.Fatal(err)
	}
	s.settle()
	if n := s.waits("away.test").Waiting; n != 1 {
		t.Errorf("%d wait: want the Delete alone, for the Create was tried and may have arrived", n)
	}
	s.inbox(away, answer{status: 202})
	s.pass(time.Hour)
	if n := s.posts("away.test") - sent; n != 1 {
		t.Errorf("%d messages arrived, want the Delete", n)
	}
}

// Who was never sent a post is not told that it was deleted.
func TestNeverToldNeverUntold(t *testing.T) {
	s := open(t)
	away := s.follower("https://away.test/p", 202)
	s.inbox(away, answer{status: 503})
	s.blog(1) // the host is at rest from here on
	second, _, err := s.db.SavePost(s.ctx, storage.Draft{URL: "https://blog.test/second/", Title: "Second"})
	if err != nil {
		t.Fatal(err)
	}
	s.settle()
	if n := s.waits("away.test").Waiting; n != 2 {
		t.Fatal(n, "wait")
	}
	if err := s.db.RemovePost(s.ctx, second.ID); err != nil {
		t.Fatal(err)
	}
	s.settle()
	if n := s.waits("away.test").Waiting; n != 1 {
		t.Errorf("%d wait, want the first post alone", n)
	}
}

// poison is a transport on which some host's requests blow up.
type poison struct {
	next http.RoundTripper
	host string
}

func (p poison) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == p.host && r.Method == http.MethodPost {
		panic("poison")
	}
	return p.next.RoundTrip(r)
}

// What makes us fail is parked where the blogger sees it, and the others go on (SECURITY N15, R16).
func TestPoisonIsParked(t *testing.T) {
	s := open(t)
	s.follower("https://bad.test/p", 202)
	s.follower("https://good.test/p", 202)
	withPoison := func(c *federation.Config) {
		c.Fetch = fetch.New(fetch.Options{Transport: poison{s.network, "bad.test"}, Now: s.clock.now})
	}
	s.restart(withPoison)
	s.blog(1)
	s.pass(12 * time.Hour)
	if n := s.posts("good.test"); n != 2 {
		t.Errorf("the good host got %d messages, want the Accept and the Create", n)
	}
	q := s.waits("bad.test")
	if q.Waiting != 1 || !strings.Contains(q.Error, "poison") || q.Next.Before(s.clock.now().Add(300*24*time.Hour)) {
		t.Errorf("%+v", q)
	}
	if n := strings.Count(s.log.String(), "delivery failed"); n != 3 {
		t.Errorf("it failed %d times before it was parked", n)
	}
	s.restart()
	if n, err := s.db.RetryHost(s.ctx, "bad.test"); n != 1 || err != nil {
		t.Error(n, err)
	}
	s.settle()
	if s.waits("bad.test").Waiting != 0 {
		t.Errorf("%+v", s.waits("bad.test"))
	}
}

// A host is sent two messages at once and no more, and while it takes its time all others are served.
func TestR070_SlowHostDelaysNobody(t *testing.T) {
	s := open(t)
	const followers = 5
	for i := range followers {
		p := s.stranger(fmt.Sprint("https://slow.test/p", i)).with(object{"endpoints": nil}) // five inboxes
		s.inbox(p, answer{status: 202})
		p.says(p.activity("Follow", actor))
	}
	s.follower("https://zz-live.test/p", 202)
	slow := newGate(2)
	s.network.Serve("slow.test", slow)
	arrived := make(chan bool, 1)
	s.network.Serve("zz-live.test", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		arrived <- true
	}))
	ctx, stop := context.WithCancel(s.ctx)
	var running sync.WaitGroup
	running.Go(func() { s.fed.Run(ctx) })
	if _, _, err := s.db.SavePost(s.ctx, storage.Draft{URL: "https://blog.test/new/", Title: "New"}); err != nil {
		t.Fatal(err)
	}
	<-slow.full // two are under way and stay
	<-arrived   // and the other host is served nevertheless
	for range followers {
		slow.let <- true
	}
	<-slow.done
	stop()
	running.Wait()
	if slow.most != 2 {
		t.Errorf("%d at once", slow.most)
	}
}

// gate is a server that answers nobody until it is told to.
type gate struct {
	full, done chan bool // closed when as many as wanted are waiting; when all have been let through
	let        chan bool

	mu                   sync.Mutex
	wanted, now, most, n int
}

func newGate(wanted int) *gate {
	return &gate{full: make(chan bool), done: make(chan bool), let: make(chan bool), wanted: wanted}
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	g.now++
	if g.most = max(g.most, g.now); g.now == g.wanted && g.n == 0 {
		close(g.full)
		g.wanted = -1
	}
	g.mu.Unlock()
	<-g.let
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now--
	if g.n++; g.n == 5 {
		close(g.done)
	}
	w.WriteHeader(http.StatusAccepted)
}

// What somebody waits for does not stand behind a fan-out.
func TestAcceptsOvertakeFanOuts(t *testing.T) {
	s := open(t)
	for i := range 20 {
		s.follower(fmt.Sprintf("https://h%02d.test/p", i), 202)
	}
	if _, _, err := s.db.SavePost(s.ctx, storage.Draft{URL: "https://blog.test/new/", Title: "New"}); err != nil {
		t.Fatal(err)
	}
	s.step("publish")
	late := s.stranger("https://late.test/p")
	s.inbox(late, answer{status: 202})
	if status := late.send(late.activity("Follow", actor)); status != http.StatusAccepted {
		t.Fatal(status)
	}
	s.step("process")
	s.step("publish")
	s.step("deliver")
	if n := s.posts("late.test"); n != 1 {
		t.Errorf("the Accept waits behind the post: %q", s.network.Log())
	}
}

// silence are the servers of many followers: they take what they are sent and say nothing.
type silence struct {
	standing, gone atomic.Int64 // requests that wait for an answer; that were given up
	full           chan bool    // closed when as many are standing as wanted
	wanted         int64
	broken         atomic.Bool // they answer that they are out of order
}

func (q *silence) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if q.broken.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if q.standing.Add(1) == q.wanted {
		close(q.full)
	}
	<-r.Context().Done()
	q.gone.Add(1)
}

// silent has followers on somewhat more silent servers than are wanted to stand at once.
func (s *stage) silent(wanted int) *silence {
	s.Helper()
	q := &silence{full: make(chan bool), wanted: int64(wanted)}
	var following sync.WaitGroup
	for i := range wanted + 20 {
		following.Go(func() {
			host := fmt.Sprintf("silent%d.test", i)
			s.network.Serve(host, q)
			id := thread.IRI("https://" + host + "/p")
			a := storage.Actor{Author: thread.Author{ID: id, Name: "P", Handle: "@p@" + host, URL: string(id)}, Type: "Person", Inbox: "https://" + host + "/in"}
			m := storage.Message{Sender: id, Activity: id + "#follow"}
			if err := errors.Join(s.db.SaveActor(s.ctx, a), s.db.AddFollower(s.ctx, m, []byte("{}"), thread.Verdict{Decision: thread.Done})); err != nil {
				s.Error(err)
			}
		})
	}
	following.Wait()
	for range wanted + 20 { // they were accepted long ago
		accept, err := s.db.NextChange(s.ctx)
		if err == nil {
			err = s.db.Publish(s.ctx, accept, nil, storage.Recipients{})
		}
		if err != nil {
			s.Fatal(err)
		}
	}
	return q
}

// receiving is a host whose documents stay as they are and that tells of each delivery.
func (s *stage) receiving(host string) <-chan bool {
	documents, received := s.network.Handler(host), make(chan bool, 100)
	s.network.Serve(host, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			documents.ServeHTTP(w, r)
			return
		}
		w.WriteHeader(http.StatusAccepted)
		received <- true
	}))
	return received
}

// run runs the workers until the function that it returns is called.
func (s *stage) run() (stop func()) {
	ctx, cancel := context.WithCancel(s.ctx)
	var running sync.WaitGroup
	running.Go(func() { s.fed.Run(ctx) })
	return func() { cancel(); running.Wait() }
}

// All senders stand before servers that take what they are sent and say nothing, and still a new follower's Accept goes out
// at once (SECURITY P7).
func TestAcceptsHaveSendersOfTheirOwn(t *testing.T) {
	s := open(t)
	silent := s.silent(federation.Senders)
	late := s.stranger("https://late.test/p")
	accepted := s.receiving("late.test")
	defer s.run()()
	if _, _, err := s.db.SavePost(s.ctx, storage.Draft{URL: "https://blog.test/new/", Title: "New"}); err != nil {
		t.Fatal(err)
	}
	<-silent.full
	if status := late.send(late.activity("Follow", actor)); status != http.StatusAccepted {
		t.Fatal(status)
	}
	<-accepted
	if n := silent.gone.Load(); n > 0 {
		t.Errorf("the Accept came after %d of the silent servers were given up", n)
	}
	if n := silent.standing.Load(); n != silent.wanted {
		t.Errorf("the post is under way to %d, want %d", n, silent.wanted)
	}
}

// Servers that failed lately hold up a part of the senders, and a post reaches the others at once.
func TestHostsThatFailedHaveFewerSenders(t *testing.T) {
	s := open(t)
	silent := s.silent(federation.IllSenders)
	silent.broken.Store(true)
	s.follower("https://live.test/p", http.StatusAccepted)
	s.blog(1)
	silent.broken.Store(false)
	s.clock.advance(10 * time.Minute)
	received := s.receiving("live.test")
	defer s.run()()
	<-silent.full
	if _, _, err := s.db.SavePost(s.ctx, storage.Draft{URL: "https://blog.test/new/", Title: "New"}); err != nil {
		t.Fatal(err)
	}
	<-received
	if standing, gone := silent.standing.Load(), silent.gone.Load(); standing != silent.wanted || gone > 0 {
		t.Errorf("%d stand before hosts that failed, of which %d were given up, want %d", standing, gone, silent.wanted)
	}
}

// step lets one worker do one thing.
func (s *stage) step(worker string) {
	s.Helper()
	for _, w := range s.fed.Workers() {
		if w.Name == worker {
			if worked, err := w.Step(s.ctx); err != nil || !worked {
				s.Fatal(worker, worked, err)
			}
		}
	}
}

// A change that cannot be told does not stop the others.
func TestUnpublishableChange(t *testing.T) {
	s := open(t)
	s.follower("https://live.test/p", 202)
	if err := s.db.ChangeActor(s.ctx, "https://nobody.test/never-seen", nil); err != nil {
		t.Fatal(err)
	}
	m := storage.Message{Sender: "https://nobody.test/never-seen", Activity: "https://nobody.test/follow"}
	if err := s.db.AddFollower(s.ctx, m, []byte("{}"), thread.Verdict{Decision: thread.Done}); err != nil {
		t.Fatal(err)
	}
	before := s.posts("live.test")
	s.blog(1)
	if s.posts("live.test") == before {
		t.Errorf("nothing is published any more:\n%s", s.log)
	}
}
