package api

import (
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// How many answers one network has made anew: at once, and in a second from then on. What is kept is sent without
// counting, so that a school behind one address reads as it likes, and only who asks for ever other things is slowed.
const (
	missBurst  = 300
	missRefill = 10.0
	maxClients = 50_000 // networks that are remembered
)

var tooMany = problem{http.StatusTooManyRequests, "too_many_requests"}

// budgets is a token bucket for each network.
type budgets struct {
	mu    sync.Mutex // guards what follows
	spent map[netip.Prefix]spending
}

// spending is how many tokens were missing at a moment.
type spending struct {
	tokens float64
	at     time.Time
}

// take takes a token, and tells whether there was one.
func (b *budgets) take(from netip.Prefix, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.spent[from]
	s.tokens = max(s.tokens-max(now.Sub(s.at).Seconds(), 0)*missRefill, 0)
	s.at = now
	if s.tokens+1 > missBurst {
		return false
	}
	s.tokens++
	if b.spent == nil || len(b.spent) >= maxClients { // all begin anew: cheaper than to look who may be forgotten
		b.spent = map[netip.Prefix]spending{}
	}
	b.spent[from] = s
	return true
}

// allow counts a request that costs something. Where it comes from is not always known.
func (s *Server) allow(r *http.Request) error {
	if s.Source == nil {
		return nil
	}
	if from := s.Source(r); from.IsValid() && !s.misses.take(from, s.Now()) {
		return tooMany
	}
	return nil
}
