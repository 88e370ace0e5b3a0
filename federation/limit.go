package federation

import (
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

// allow counts one message of an account and tells how long its server should wait if that was one too many.
func (l *limiter) allow(actor thread.IRI, known bool) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if hour := now.Truncate(time.Hour); !hour.Equal(l.hour) {
		l.hour, l.seen, l.spare = hour, map[string]int{}, maxKeys
	}
	host := actor.Host()
	ok = l.count("actor "+string(actor), l.ActorHour) && l.count("host "+host, l.HostHour) &&
		(known || l.count("new "+host, l.NewActorsHour))
	return l.hour.Add(time.Hour).Sub(now), ok
}

func (l *limiter) count(key string, limit int) bool {
	if limit == 0 {
		return true
	}
	n, known := l.seen[key]
	if !known {
		if l.spare == 0 {
			return false
		}
		l.spare--
	}
	l.seen[key] = n + 1
	return n < limit
}
