package fetch

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// How GETs are kept from hurting anybody. Strangers can make us fetch (a reply names its author, its key, its
// parent), so every rule counts the *target* host, redirects included, and needs no trust in who asked:
//
//   - one question at a time: GETs for the same thing share one request;
//   - a failure is remembered and answers the next GET without a request;
//   - two requests in flight per host, and a short line behind them;
//   - a bucket per host: each request takes a token, a good answer gives it back. So a host that answers well is
//     limited by its own speed alone, and one that only fails sees 15 requests, then 10 a minute: 16 in any 10
//     seconds, below the promised 20 (SECURITY P10).
//
// A victim may well answer 200 to whatever a forged signature names. Such GETs are marked Stranger: they have a
// bucket of their own (or an attacker could stop our other work with that host), and only Vouch gives tokens back.
const (
	inFlight = 2
	maxLine  = 64
	burst    = 15.0
	refill   = 10.0 / 60 // tokens a second

	keepTemporary = time.Minute // unless the server says how long
	keepPermanent = 10 * time.Minute
)

// identity is what makes two GETs the same question. Nothing of it but the URL is in strangers' hands.
type identity struct {
	url, accept, etag, modified string
	maxBytes                    int64
	signed                      bool
	signature                   string
	stranger                    bool
}

// failure is an error that is not provoked again before until. The zero value is none.
type failure struct {
	err   *Error
	until time.Time
}

// active returns a copy of the error, without URL and with the time that is left, or nil when that is over. More
// than an hour left means that the clock was set back.
func (f failure) active(now time.Time) error {
	left := f.until.Sub(now)
	if f.err == nil || left <= 0 || left > maxRetryAfter {
		return nil
	}
	e := *f.err
	e.URL = ""
	if e.Temporary() {
		e.RetryAfter = left
	}
	return &e
}

// keep is how long an error is remembered; 0 for those that say nothing about the server.
func keep(e *Error) time.Duration {
	switch {
	case e.Kind == Busy || e.ours():
		return 0
	case !e.Temporary():
		return keepPermanent
	case e.RetryAfter > 0:
		return e.RetryAfter
	}
	return keepTemporary
}

// wholeHost tells whether an error concerns every URL of the host. Time-outs do not: a stranger who knows one slow
// page could otherwise close a server to us.
func wholeHost(e *Error) bool {
	var op *net.OpError
	return e.Status == http.StatusTooManyRequests || e.Kind == Unreachable && errors.As(e.Err, &op) && op.Op == "dial"
}

// remembered returns the error that id failed with not long ago, or nil. fresh looks past lasting ones.
func (c *Client) remembered(id identity, fresh bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, _ := c.failures.get(id)
	if f.err != nil && fresh && !f.err.Temporary() {
		return nil
	}
	return f.active(c.now())
}

// remember keeps how id failed, or forgets it when it did not.
func (c *Client) remember(id identity, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, failed := err.(*Error); !failed {
		c.failures.remove(id)
	} else if keep(e) > 0 {
		c.failures.put(id, failure{e, c.now().Add(keep(e))})
	}
}

// flight is a GET under way. Its fields are written before done is closed and only read after.
type flight struct {
	done  chan struct{}
	doc   *Document
	err   error
	given bool // whether that is a result; not when the leader was at fault, or panicked
}

// share lets one of many equal GETs run do; the others wait for its result. The leader runs in its caller's
// goroutine and with its caller's context; if it ends without a result, the next one leads.
func (c *Client) share(ctx context.Context, id identity, do func() (*Document, error)) (*Document, error) {
	for {
		f, leader := c.board(id)
		if leader {
			return c.lead(id, f, do)
		}
		select {
		case <-f.done:
			if f.given {
				return f.doc, f.err
			}
		case <-ctx.Done():
			return nil, broken(ctx, ctx.Err())
		}
	}
}

func (c *Client) board(id identity) (f *flight, leader bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f = c.flights[id]; f == nil {
		f, leader = &flight{done: make(chan struct{})}, true
		c.flights[id] = f
	}
	return f, leader
}

func (c *Client) lead(id identity, f *flight, do func() (*Document, error)) (*Document, error) {
	defer func() {
		c.mu.Lock()
		delete(c.flights, id)
		c.mu.Unlock()
		close(f.done)
	}()
	doc, err := do()
	e, failed := err.(*Error)
	f.doc, f.err, f.given = doc, err, !failed || !e.ours()
	return doc, err
}

// host is what is known of one server. Client.mu guards all of it; slots is its own guard.
type host struct {
	slots        chan struct{} // holds one value per request in flight
	waiting      int           // GETs in line for a slot
	down         failure       // of the host as a whole
	own, strange bucket        // for what we want; for what strangers make us ask
}

func (h *host) bucket(stranger bool) *bucket {
	if stranger {
		return &h.strange
	}
	return &h.own
}

// bucket counts the tokens that are missing from it; the zero bucket is full.
type bucket struct {
	spent float64
	at    time.Time // of the last refill
}

func (b *bucket) refill(now time.Time) {
	if passed := now.Sub(b.at); passed > 0 {
		b.giveBack(passed.Seconds() * refill)
	}
	b.at = now
}

func (b *bucket) giveBack(tokens float64) { b.spent = max(0, b.spent-tokens) }

// wait is the time until there is a whole token; 0 or less: now.
func (b *bucket) wait() time.Duration {
	return time.Duration((b.spent + 1 - burst) / refill * float64(time.Second))
}

// admit waits until a host may be asked and takes a token. Without an error, leave has to follow.
func (c *Client) admit(ctx context.Context, name string, stranger bool) (*host, error) {
	h, err := c.queue(name, stranger)
	if err != nil {
		return nil, err
	}
	err = h.enter(ctx, c.limits.wait)
	c.mu.Lock()
	defer c.mu.Unlock()
	h.waiting--
	if err != nil {
		return nil, err
	}
	if err := c.refusal(h, stranger); err != nil { // of what happened while we waited
		<-h.slots
		return nil, err
	}
	h.bucket(stranger).spent++
	return h, nil
}

// leave frees the slot, once what err says of the host is noted.
func (c *Client) leave(h *host, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, failed := err.(*Error); failed && wholeHost(e) {
		h.down = failure{e, c.now().Add(keep(e))}
	}
	<-h.slots
}

// queue stands in line, unless the host is down, its tokens are spent or the line is full.
func (c *Client) queue(name string, stranger bool) (*host, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, known := c.hosts.get(name)
	if !known {
		h = &host{slots: make(chan struct{}, inFlight)}
		c.hosts.put(name, h)
	}
	if err := c.refusal(h, stranger); err != nil {
		return nil, err
	}
	if h.waiting >= maxLine {
		return nil, &Error{Kind: Busy, RetryAfter: c.limits.wait}
	}
	h.waiting++
	return h, nil
}

// refusal is the reason not to ask h now, or nil. The caller holds mu.
func (c *Client) refusal(h *host, stranger bool) error {
	now := c.now()
	if err := h.down.active(now); err != nil {
		return err
	}
	b := h.bucket(stranger)
	b.refill(now)
	if wait := b.wait(); wait > 0 {
		return &Error{Kind: Busy, RetryAfter: wait.Truncate(time.Second) + time.Second}
	}
	return nil
}

// enter takes a slot, waiting a few seconds for it.
func (h *host) enter(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-timer.C:
		return &Error{Kind: Busy, RetryAfter: wait}
	case <-ctx.Done():
		return broken(ctx, ctx.Err())
	}
}

// refund gives back the tokens of a GET that was worth it, except a stranger's.
func (c *Client) refund(asked []*host, stranger bool) {
	if stranger {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, h := range asked {
		h.own.giveBack(1)
	}
}

// Vouch tells the client that the answer of a Stranger GET proved true (the signature was good): it costs that host
// nothing then. Without it, honest newcomers of a large server are limited like forgers. Call it once per such Get.
func (c *Client) Vouch(rawURL string) {
	u, err := c.target(rawURL)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if h, known := c.hosts.get(origin(u)); known {
		h.strange.giveBack(1)
	}
}
