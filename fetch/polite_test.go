package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// The tests here run in synctest bubbles: time is fake, time.Sleep moves it, and synctest.Wait returns when every
// goroutine is blocked.

// victim is a host in memory that counts its requests.
type victim struct {
	requests, inFlight, most atomic.Int64
	answer                   func(*http.Request) (*http.Response, error)
}

func (v *victim) RoundTrip(r *http.Request) (*http.Response, error) {
	v.requests.Add(1)
	now := v.inFlight.Add(1)
	defer v.inFlight.Add(-1)
	for most := v.most.Load(); now > most && !v.most.CompareAndSwap(most, now); most = v.most.Load() {
	}
	return v.answer(r)
}

func answering(status int, header ...string) *victim {
	return &victim{answer: func(*http.Request) (*http.Response, error) { return answer(status, "{}", header...), nil }}
}

func TestAmplification(t *testing.T) { // P10, O1
	timeout := func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() }
	refused := func(r *http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	for name, x := range map[string]struct {
		victim *victim
		get    Get
	}{
		"404":              {answering(404), Get{}},
		"500":              {answering(500), Get{}},
		"429":              {answering(429), Get{}},
		"html":             {answering(200, "Content-Type", "text/html"), Get{Media: ActivityJSON}},
		"too large":        {answering(200), Get{MaxBytes: 1}},
		"black hole":       {&victim{answer: timeout}, Get{}},
		"refused":          {&victim{answer: refused}, Get{}},
		"redirects":        {answering(301, "Location", "/login"), Get{}},
		"200 to a forgery": {answering(200), Get{Stranger: true}},
		"404, fresh":       {answering(404), Get{Fresh: true}},
	} {
		t.Run("P10 "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := New(Options{Transport: x.victim})
				var wg sync.WaitGroup
				posts := 1000
				if x.get.Stranger {
					posts = 10_000 // the promise to the letter
				}
				for i := range posts {
					g := x.get
					g.URL = fmt.Sprintf("https://Victim.test/%d", i)
					wg.Go(func() { c.Get(t.Context(), g) })
					time.Sleep(10 * time.Second / time.Duration(posts))
				}
				n := x.victim.requests.Load()
				wg.Wait()
				if n == 0 || n > 20 || x.victim.most.Load() > 2 {
					t.Errorf("%d requests, %d at once", n, x.victim.most.Load())
				}
				time.Sleep(time.Hour) // and on: 10 a minute, never more
				before, start := x.victim.requests.Load(), time.Now()
				for i := range 1200 {
					g := x.get
					g.URL = fmt.Sprintf("https://victim.test/later/%d", i)
					c.Get(t.Context(), g)
					time.Sleep(100 * time.Millisecond)
				}
				n = x.victim.requests.Load() - before
				if took := time.Since(start); n > burst+int64(took.Minutes()*10) {
					t.Errorf("%d requests in %v", n, took)
				}
			})
		})
	}
}

func TestAmplificationByRedirect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		atVictim := 0
		c := New(Options{Transport: memory(func(r *http.Request) (*http.Response, error) {
			if r.Host == "victim.test" {
				atVictim++
				return answer(404, ""), nil
			}
			return answer(302, "", "Location", "https://victim.test"+r.URL.Path), nil
		})})
		for i := range 1000 { // each from another host of the attacker's
			c.Get(t.Context(), Get{URL: fmt.Sprintf("https://x%d.evil.test/%d", i, i)})
			time.Sleep(10 * time.Millisecond)
		}
		if atVictim > 20 {
			t.Errorf("P10 %d requests", atVictim)
		}
	})
}

func TestGoodHostsAreNotLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := answering(200)
		c := New(Options{Transport: good, AllowPrivate: true})
		for i := range 1000 {
			if _, err := c.Get(t.Context(), Get{URL: fmt.Sprintf("http://localhost:8080/%d", i)}); err != nil {
				t.Fatal(err)
			}
			url := fmt.Sprintf("http://localhost:8080/key/%d", i)
			if _, err := c.Get(t.Context(), Get{URL: url, Stranger: true}); err != nil {
				t.Fatal(err)
			}
			c.Vouch(url)
		}
		if good.requests.Load() != 2000 {
			t.Errorf("%d requests", good.requests.Load())
		}
	})
}

func TestStrangersDoNotSpendOurTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(Options{Transport: answering(200)})
		for i := range 100 {
			_, err := c.Get(t.Context(), Get{URL: fmt.Sprintf("https://good.test/forged/%d", i), Stranger: true})
			if i < burst != (err == nil) {
				t.Errorf("%d: %v", i, err)
			}
		}
		if _, err := c.Get(t.Context(), Get{URL: "https://good.test/note"}); err != nil {
			t.Error(err)
		}
		_, err := c.Get(t.Context(), Get{URL: "https://good.test/forged", Stranger: true})
		e := fails(t, err, Busy)
		if !e.Temporary() || e.RetryAfter <= 0 || e.RetryAfter > 7*time.Second {
			t.Errorf("%+v", e)
		}
		time.Sleep(e.RetryAfter)
		if _, err := c.Get(t.Context(), Get{URL: "https://good.test/forged", Stranger: true}); err != nil {
			t.Errorf("after Retry-After: %v", err)
		}
	})
}

func TestLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &victim{answer: func(r *http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			return answer(200, ""), nil
		}}
		c := New(Options{Transport: slow})
		start, kinds, mu, wg := time.Now(), map[Kind]int{}, sync.Mutex{}, sync.WaitGroup{}
		for i := range 100 {
			wg.Go(func() {
				_, err := c.Get(t.Context(), Get{URL: fmt.Sprintf("https://slow.test/%d", i)})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					kinds["good"]++
				} else {
					kinds[fails(t, err, Busy).Kind]++
				}
			})
		}
		synctest.Wait()
		if _, err := c.Get(t.Context(), Get{URL: "https://other.test/"}); err != nil || time.Since(start) != time.Second {
			t.Errorf("another host waited: %v", err)
		}
		wg.Wait()
		if slow.most.Load() > 2+1 || kinds["good"] < 10 || kinds["good"] > 12 || time.Since(start) > 7*time.Second {
			t.Errorf("%v, %d at once, after %v", kinds, slow.most.Load(), time.Since(start))
		}
		if h, _ := c.hosts.get("https://slow.test"); h.waiting != 0 || len(h.slots) != 0 || h.own.spent > 0 {
			t.Errorf("%+v", h)
		}
	})
}

func TestSingleFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := make(chan bool)
		v := &victim{answer: func(*http.Request) (*http.Response, error) {
			<-open
			return answer(200, "{}", "Content-Type", "application/json"), nil
		}}
		c := New(Options{Transport: v})
		get := func(g Get, want Kind) {
			g.URL = "https://good.test/actor"
			doc, err := c.Get(t.Context(), g)
			if want != "" {
				fails(t, err, want)
			} else if err != nil || string(doc.Body) != "{}" {
				t.Errorf("%v %v", doc, err)
			}
		}
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() { get(Get{Accept: "application/json"}, "") })
		}
		synctest.Wait()
		wg.Go(func() { get(Get{Accept: "application/json", Media: ActivityJSON}, MediaType) }) // joins, but wants no json
		synctest.Wait()
		if n := v.requests.Load(); n != 1 {
			t.Errorf("%d requests", n)
		}
		wg.Go(func() { get(Get{Accept: "text/html"}, "") })
		wg.Go(func() { get(Get{Accept: "application/json", Sign: func(*http.Request) error { return nil }}, "") })
		close(open)
		wg.Wait()
		if n := v.requests.Load(); n != 3 {
			t.Errorf("%d requests", n)
		}
		get(Get{Accept: "application/json"}, "") // nothing good is cached
		if n := v.requests.Load(); n != 4 || len(c.flights) != 0 {
			t.Errorf("%d requests, %d flights", n, len(c.flights))
		}
	})
}

func TestLeaderCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &victim{answer: func(r *http.Request) (*http.Response, error) {
			if err := r.Context().Value(leaderKey{}); err != nil {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			return answer(200, ""), nil
		}}
		c := New(Options{Transport: v})
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), leaderKey{}, true))
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := c.Get(ctx, Get{URL: "https://good.test/"})
			fails(t, err, Canceled)
		})
		synctest.Wait()
		impatient, leave := context.WithCancel(t.Context())
		wg.Go(func() {
			_, err := c.Get(impatient, Get{URL: "https://good.test/"})
			fails(t, err, Canceled)
		})
		wg.Go(func() {
			if _, err := c.Get(t.Context(), Get{URL: "https://good.test/"}); err != nil {
				t.Errorf("the follower got its leader's fate: %v", err)
			}
		})
		synctest.Wait()
		leave()
		synctest.Wait()
		cancel()
		wg.Wait()
	})
}

type leaderKey struct{}

func TestPanicInSign(t *testing.T) {
	c := New(Options{Transport: answering(200)})
	for range 3 { // more than there are slots
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			c.Get(t.Context(), Get{URL: "https://good.test/", Sign: func(*http.Request) error { panic("typed nil key") }})
		}()
	}
	if h, _ := c.hosts.get("https://good.test"); len(h.slots) != 0 || len(c.flights) != 0 {
		t.Errorf("%d slots, %d flights still taken", len(h.slots), len(c.flights))
	}
}

func TestNegativeCache(t *testing.T) {
	for _, x := range []struct {
		name  string
		peer  *victim
		get   Get
		keep  time.Duration // how long it is not asked again
		fresh bool          // whether Fresh gets through
	}{
		{"404", answering(404), Get{}, 10 * time.Minute, true},
		{"410", answering(410), Get{}, 10 * time.Minute, true},
		{"401", answering(401), Get{}, 10 * time.Minute, true},
		{"204", answering(204), Get{}, 10 * time.Minute, true},
		{"media type", answering(200), Get{Media: ActivityJSON}, 10 * time.Minute, true},
		{"redirect to file:", answering(302, "Location", "file:///x"), Get{}, 10 * time.Minute, true},
		{"500", answering(500), Get{}, time.Minute, false},
		{"503 with Retry-After", answering(503, "Retry-After", "600"), Get{}, 10 * time.Minute, false},
		{"503 for a day", answering(503, "Retry-After", "86400"), Get{}, time.Hour, false},
		{"429", answering(429, "Retry-After", "30"), Get{}, 30 * time.Second, false},
		{"unreachable", &victim{answer: func(*http.Request) (*http.Response, error) { return nil, errors.New("reset") }}, Get{}, time.Minute, false},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := New(Options{Transport: x.peer})
				x.get.URL = "https://good.test/x"
				ask := func(g Get) (*Error, int64) {
					before := x.peer.requests.Load()
					_, err := c.Get(t.Context(), g)
					var e *Error
					if !errors.As(err, &e) {
						t.Fatalf("%v", err)
					}
					return e, x.peer.requests.Load() - before
				}
				first, _ := ask(x.get)
				time.Sleep(x.keep - time.Second)
				e, n := ask(x.get)
				if n != 0 || e.Kind != first.Kind || e.Status != first.Status || e.URL != first.URL {
					t.Errorf("%d requests: %v, first %v", n, e, first)
				}
				if e.Temporary() && e.RetryAfter != time.Second {
					t.Errorf("retry after %v", e.RetryAfter)
				}
				fresh := x.get
				fresh.Fresh = true
				if _, n := ask(fresh); (n == 1) != x.fresh {
					t.Errorf("fresh: %d requests", n)
				}
				time.Sleep(x.keep + time.Second)
				if _, n := ask(x.get); n != 1 {
					t.Errorf("later: %d requests", n)
				}
			})
		})
	}
}

func TestNegativeCacheForgets(t *testing.T) {
	now := time.Now()
	v := answering(404)
	l := defaultLimits
	l.failures, l.hosts = 8, 4
	c := newClient(Options{Transport: v, Now: func() time.Time { return now }}, l, nil)
	c.Get(t.Context(), Get{URL: "https://good.test/x"})
	v.answer = answering(200).answer
	if _, err := c.Get(t.Context(), Get{URL: "https://good.test/x", Fresh: true}); err != nil {
		t.Error(err)
	}
	if _, err := c.Get(t.Context(), Get{URL: "https://good.test/x"}); err != nil {
		t.Errorf("a success does not clear the failure: %v", err)
	}
	v.answer = answering(404).answer
	for i := range 100 { // O3
		c.Get(t.Context(), Get{URL: fmt.Sprintf("https://x%d.test/", i)})
	}
	if len(c.failures.items) != 8 || c.failures.order.Len() != 8 || len(c.hosts.items) != 4 || c.hosts.order.Len() != 4 {
		t.Errorf("O3 unbounded: %d failures, %d hosts", len(c.failures.items), len(c.hosts.items))
	}
	now = now.AddDate(-1, 0, 0).Round(0)
	v.answer = answering(200).answer
	if _, err := c.Get(t.Context(), Get{URL: "https://x99.test/"}); err != nil {
		t.Errorf("P21 a clock set back makes a failure eternal: %v", err)
	}
}

func TestWholeHost(t *testing.T) { // E25
	dial := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	for name, x := range map[string]struct {
		answer func() (*http.Response, error)
		whole  bool
	}{
		"refused":  {func() (*http.Response, error) { return nil, dial }, true},
		"429":      {func() (*http.Response, error) { return answer(429, ""), nil }, true},
		"time-out": {func() (*http.Response, error) { return nil, context.DeadlineExceeded }, false},
		"500":      {func() (*http.Response, error) { return answer(500, ""), nil }, false},
	} {
		v := &victim{answer: func(*http.Request) (*http.Response, error) { return x.answer() }}
		c := New(Options{Transport: v})
		for i := range 3 {
			url := fmt.Sprintf("https://good.test/%d", i)
			_, err := c.Get(t.Context(), Get{URL: url})
			var e *Error
			if !errors.As(err, &e) || e.URL != url || !e.Temporary() {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n := v.requests.Load(); n == 1 != x.whole {
			t.Errorf("%s: %d requests", name, n)
		}
		if err := c.Post(t.Context(), Post{URL: "https://good.test/inbox"}); err == nil || v.requests.Load() == 0 {
			t.Errorf("%s: Post does not ask", name)
		}
	}
}
