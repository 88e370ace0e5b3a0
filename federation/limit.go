package federation

import (
	"net/netip"
	"sync"
	"time"

	"afterword/thread"
)

// Limits protect the server without losing honest messages: what is over a limit is answered 429 and comes again.
// Each counts messages about us in an hour; 0 switches it off.
type Limits struct {
	ActorHour     int // from one account
	HostHour      int // from one server
	NewActorsHour int // accounts never seen before, from one server
}

// limiter counts by the clock hour of each key, so that it needs to remember nothing but the hour's own keys.
type limiter struct {
	Limits
	now func() time.Time

	mu    sync.Mutex // guards what follows
	hour  time.Time
	seen  map[string]int
	spare int // keys that may still be remembered this hour
}

// maxKeys bounds what a flood of invented names can make us remember.
const maxKeys = 50_000

func newLimiter(l Limits, now func() time.Time) *limiter { return &limiter{Limits: l, now: now} }

// largeAs is how much of a message counts as one: a large one is kept like several.
const largeAs = 16 << 10

// allow counts one message of an account, with so many bytes, and tells how long its server should wait if that was one
// too many.
func (l *limiter) allow(actor thread.IRI, known bool, size int) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if hour := now.Truncate(time.Hour); !hour.Equal(l.hour) {
		l.hour, l.seen, l.spare = hour, map[string]int{}, maxKeys
	}
	host, as := actor.Host(), 1+size/largeAs
	ok = l.count("actor "+string(actor), as, l.ActorHour) && l.count("host "+host, as, l.HostHour) &&
		(known || l.count("new "+host, 1, l.NewActorsHour))
	return l.hour.Add(time.Hour).Sub(now), ok
}

func (l *limiter) count(key string, as, limit int) bool {
	if limit == 0 {
		return true
	}
	n, known := l.seen[key]
	if !known {
		if l.spare == 0 { // all begin anew: who is honest must not pay for a flood
			l.seen, l.spare = map[string]int{}, maxKeys
		}
		l.spare--
	}
	l.seen[key] = n + as
	return n < limit
}

// sources counts, by the minute, what networks made us fetch with signatures that did not prove good (SECURITY P10).
type sources struct {
	now func() time.Time

	mu     sync.Mutex // guards what follows
	minute time.Time
	asked  map[errand]int
}

// errand is that a network makes us ask a host; or any, where that is empty.
type errand struct {
	from netip.Prefix
	host string
}

const (
	sourceMinute = 30 // such fetches that one network has in a minute
	hostMinute   = 5  // of one host: half of what package fetch lets all strangers together ask of it
)

// take counts one fetch, and tells how long to wait instead when that would be one too many.
func (s *sources) take(from netip.Prefix, host string) (wait time.Duration) {
	if !from.IsValid() {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if minute := now.Truncate(time.Minute); !minute.Equal(s.minute) {
		s.minute, s.asked = minute, map[errand]int{}
	}
	n, known := s.asked[errand{from: from}]
	if n >= sourceMinute || s.asked[errand{from, host}] >= hostMinute || !known && len(s.asked) >= maxKeys {
		return s.minute.Add(time.Minute).Sub(now)
	}
	s.asked[errand{from: from}]++
	s.asked[errand{from, host}]++
	return 0
}

// giveBack takes a fetch back that was worth it.
func (s *sources) giveBack(from netip.Prefix, host string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range []errand{{from: from}, {from, host}} {
		if s.asked[e] > 0 {
			s.asked[e]--
		}
	}
}
