package federation_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"afterword/federation"
	"afterword/storage"
)

// TestD69_PoisonIsParked: a message at which the program panics is answered 503, counted and kept for who repairs it;
// those after it are taken as ever. The fault is in the clock, which every part asks.
func TestD69_PoisonIsParked(t *testing.T) {
	broken := false
	s := open(t)
	s.restart(func(c *federation.Config) {
		c.Now = func() time.Time {
			if broken {
				panic("the clock broke")
			}
			return s.clock.now()
		}
	})
	alice := s.stranger("https://good.test/users/alice")
	poison := alice.create(alice.note("https://good.test/notes/poison", note, "poison"))
	broken = true
	w := s.do(alice.request(poison))
	broken = false
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	faults, err := s.db.Faults(s.ctx)
	if err != nil || len(faults) != 1 || !strings.Contains(faults[0].Error, "the clock broke") || !strings.Contains(faults[0].Stack, "receive") && !strings.Contains(faults[0].Stack, "verify") ||
		!strings.Contains(string(faults[0].Sample), "notes/poison") {
		t.Errorf("%+v %v", faults, err)
	}
	if n, err := s.db.Counted(s.ctx, storage.Panics); n != 1 || err != nil {
		t.Errorf("%d panics counted, %v", n, err)
	}
	s.shows()
	alice.says(alice.create(alice.note("https://good.test/notes/fine", note, "fine")))
	alice.says(poison)
	if s.words() != "@pusers_alice@good.test: fine @pusers_alice@good.test: poison" {
		t.Error(s.thread())
	}
}

// TestD69_PoisonInTheQueue: a message that was taken and at which processing fails is tried three times, then parked with
// its reason; others are processed meanwhile.
func TestD69_PoisonInTheQueue(t *testing.T) {
	poisonous := false
	s := open(t)
	s.restart(func(c *federation.Config) {
		c.Now = func() time.Time {
			if poisonous {
				panic("the clock broke")
			}
			return s.clock.now()
		}
	})
	bob := s.stranger("https://other.test/users/bob")
	parent, child := "https://good.test/notes/1", "https://other.test/notes/2"
	s.network.Serve("good.test", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a bug in reading " + parent) }))
	bob.says(bob.create(changed(bob.note(child, parent, "beside it"), object{"cc": []any{actor}})))
	fine := bob.note("https://other.test/notes/3", note, "fine")
	s.serve("https://other.test/notes/3", fine)
	bob.says(bob.create(fine))
	for range 3 {
		s.clock.advance(time.Hour)
		s.settle()
	}
	if got := s.words(); got != "@pusers_bob@other.test: fine" {
		t.Errorf("%q\n%s", got, s.ledger())
	}
	if got := s.verdict(parent); got != "failed" {
		t.Errorf("%s\n%s", got, s.ledger())
	}
	if n, err := s.db.Counted(s.ctx, storage.Panics); n != 3 || err != nil {
		t.Errorf("%d panics counted, %v", n, err)
	}
	poisonous = true // in a worker itself, not in one message
	for _, w := range s.fed.Workers() {
		w.Step(s.ctx) //nolint:errcheck // it must return
	}
}
