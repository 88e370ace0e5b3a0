package federation_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"sync"
	"testing"
	"time"

	"afterword/storage"
	"afterword/thread"
)

// Group E of PROTOCOL section 11, with deliver_test.go: what the blog sends.

// One message for each inbox that followers and participants share, whoever many they are.
func TestR067_OncePerSharedInbox(t *testing.T) {
	s := open(t)
	taken := func(r *http.Request) int {
		if r.Method == http.MethodPost {
			return http.StatusAccepted
		}
		return 0
	}
	one, two := s.peer("one.test", &peer{answer: taken}), s.peer("two.test", &peer{answer: taken})
	for i := range 5 {
		p := s.stranger(fmt.Sprint("https://one.test/users/p", i))
		p.says(p.activity("Follow", actor))
	}
	alone := s.stranger("https://two.test/alone").with(object{"endpoints": nil})
	alone.says(alone.create(alone.note("https://two.test/notes/1", note, "<p>Here.</p>")))
	received := func(p *peer) (got []string) {
		for i, r := range p.asked {
			if r.Method == http.MethodPost {
				a := parseBytes(t, p.bodies[i])
				if a["type"] != "Accept" {
					got = append(got, fmt.Sprint(a["type"], " ", r.RequestURI))
				}
			}
		}
		return got
	}
	p, _, err := s.db.SavePost(s.ctx, storage.Draft{URL: page, Title: "March, changed"})
	if err != nil {
		t.Fatal(err)
	}
	s.settle()
	if err := s.db.RemovePost(s.ctx, p.ID); err != nil {
		t.Fatal(err)
	}
	s.settle()
	if got := fmt.Sprint(received(one)); got != "[Update /in Delete /in]" {
		t.Errorf("followers of one server got %s", got)
	}
	if got := fmt.Sprint(received(two)); got != "[Update /in/alone Delete /in/alone]" {
		t.Errorf("who took part got %s", got)
	}
}

// What waits is on the disk, and nobody else waits because of it.
func TestR070_TheQueueOutlivesTheProgram(t *testing.T) {
	s := open(t)
	away := s.follower("https://away.test/p", http.StatusServiceUnavailable)
	s.follower("https://live.test/p", http.StatusAccepted)
	s.blog(3)
	if n := s.posts("live.test"); n < 4 {
		t.Errorf("a live host got %d messages while another was away", n)
	}
	waiting := s.waits("away.test").Waiting
	s.restart()
	if n := s.waits("away.test").Waiting; n != waiting || n == 0 {
		t.Errorf("%d wait, %d before", n, waiting)
	}
	s.inbox(away, answer{status: http.StatusAccepted})
	s.pass(3 * time.Hour)
	if n := s.waits("away.test").Waiting; n != 0 {
		t.Errorf("%d still wait", n)
	}
}

// After an absence the threads that live are looked at; after a long one all servers that know us are told that we are
// back, because they gave up on us.
func TestR071_Absence(t *testing.T) {
	for _, c := range []struct {
		away time.Duration
		told int
	}{{10 * time.Minute, 0}, {8 * 24 * time.Hour, 1}} {
		s := open(t)
		p := s.peer("one.test", &peer{answer: func(r *http.Request) int {
			if r.Method == http.MethodPost {
				return http.StatusAccepted
			}
			return 0
		}})
		alice := s.stranger("https://one.test/alice")
		alice.says(alice.activity("Follow", actor))
		comment := changed(alice.note("https://one.test/notes/1", note, "<p>Here.</p>"), object{"replies": object{"id": "https://one.test/notes/1/replies", "type": "Collection",
			"first": object{"type": "CollectionPage", "items": []any{"https://one.test/notes/2"}}}})
		s.serve("https://one.test/notes/1", comment)
		s.serve("https://one.test/notes/2", alice.note("https://one.test/notes/2", "https://one.test/notes/1", "<p>Missed.</p>"))
		alice.says(alice.create(changed(comment, object{"replies": nil})))
		if err := s.db.Close(); err != nil {
			t.Fatal(err)
		}
		s.clock.advance(c.away)
		s.start()
		s.pass(time.Hour)
		var told int
		for i, r := range p.asked {
			if r.Method == http.MethodPost {
				if a := parseBytes(t, p.bodies[i]); a["type"] == "Update" && a["object"].(object)["id"] == actor {
					told++
				}
			}
		}
		if told != c.told {
			t.Errorf("away for %s: told %d times", c.away, told)
		}
		if _, err := s.db.Comment(s.ctx, thread.IRI("https://one.test/notes/2")); err != nil {
			t.Errorf("away for %s: what was missed is not here: %v\n%s", c.away, err, s.ledger())
		}
	}
}

// The program ends in the middle of a fan-out: whoever answered is not asked again, and of the others nobody is forgotten.
// Only what was under way may arrive twice; peers know its id.
func TestR070_RestartInAFanOut(t *testing.T) {
	const hosts, answered = 60, 20
	s := open(t)
	var mu sync.Mutex
	got, ids := map[string]int{}, map[any]bool{}
	underWay := make(chan bool) // closed: all answer
	for i := range hosts {
		name := fmt.Sprintf("h%d.test", i)
		s.follower("https://"+name+"/p", http.StatusAccepted)
		s.settle() // its Follow is answered
		s.network.Serve(name, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			ids[parseBytes(t, body)["id"]] = true
			first := len(got) < answered
			got[name]++
			mu.Unlock()
			if !first {
				select {
				case <-underWay:
				case <-r.Context().Done():
				}
			}
			w.WriteHeader(http.StatusAccepted)
		}))
	}
	s.settle()
	if _, _, err := s.db.SavePost(s.ctx, storage.Draft{URL: "https://blog.test/new/", Title: "New"}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(s.ctx)
	var running sync.WaitGroup
	running.Go(func() { s.fed.Run(ctx) })
	for waiting := hosts + 1; waiting != hosts-answered; {
		changed := s.db.Changed()
		if waiting = s.waiting(); waiting != hosts-answered {
			<-changed
		}
	}
	stop()
	running.Wait()
	mu.Lock()
	begun := maps.Clone(got)
	mu.Unlock()
	close(underWay)
	s.restart()
	s.pass(time.Hour)
	if n := s.waiting(); n != 0 || len(ids) != 1 {
		t.Errorf("%d still wait; ids %v", n, ids)
	}
	again := 0
	for i := range hosts {
		name := fmt.Sprintf("h%d.test", i)
		if got[name] == 0 || got[name] > 1+begun[name] {
			t.Errorf("%s got it %d times", name, got[name])
		}
		again += max(got[name]-1, 0)
	}
	if again != len(begun)-answered {
		t.Errorf("%d were under way, %d got it again", len(begun)-answered, again)
	}
}

// waiting is how many deliveries wait for any host.
func (s *stage) waiting() (n int) {
	s.Helper()
	hosts, err := s.db.Queue(s.ctx)
	if err != nil {
		s.Fatal(err)
	}
	for _, h := range hosts {
		n += h.Waiting
	}
	return n
}
