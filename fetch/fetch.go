// Package fetch is the only way out of the process. Federation, feed and api read other servers through one Client,
// which no URL, redirect, DNS answer or body can lead to a private address, past a size, or past 15 seconds, and
// which keeps strangers from using us against others (polite.go). Posts (deliveries) have the same guard but not the
// politeness: their queue has its own.
//
// Nothing is stored; after a restart the client has merely forgotten which hosts failed.
package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"afterword/metrics"
)

const (
	maxRedirects = 3
	defaultMax   = 256 << 10 // bytes of a key, actor or object (SECURITY R7)
)

// Options of a Client; the zero value is a guarded client.
type Options struct {
	UserAgent    string            // "Afterword/1.0 (+https://…)"; empty: "Afterword"
	AllowPrivate bool              // tests and demo: private and loopback addresses, plain http, any port
	Transport    http.RoundTripper // nil: the guarded one. Others see only URLs that passed Check
	Now          func() time.Time  // nil: time.Now. For budgets and what is remembered, not for time-outs
	Metrics      *metrics.Set      // may be nil
}

// limits are fields so that tests can shrink them.
type limits struct {
	dial    time.Duration // DNS and connect
	tls     time.Duration
	headers time.Duration // from the request's last byte to the answer's headers
	total   time.Duration // of a Get with its redirects and its body, and of a Post
	answer  time.Duration // of reading the rest of the answer to a Post
	wait    time.Duration // in line for a busy host

	hosts, failures int // remembered at most
}

var defaultLimits = limits{
	dial: 5 * time.Second, tls: 5 * time.Second, headers: 10 * time.Second, total: 15 * time.Second,
	answer: 2 * time.Second, wait: 5 * time.Second,
	hosts: 32 << 10, failures: 4 << 10,
}

// Client is safe for concurrent use. One per process: its budgets mean nothing otherwise.
type Client struct {
	transport    http.RoundTripper
	userAgent    string
	allowPrivate bool
	now          func() time.Time
	limits       limits
	requests     *metrics.Counter

	mu       sync.Mutex // guards what follows, and the fields of every host
	flights  map[identity]*flight
	failures lru[identity, failure]
	hosts    lru[string, *host] // by origin, canonical
}

// New makes the process's Client.
func New(o Options) *Client { return newClient(o, defaultLimits, guardian.Safe) }

func newClient(o Options, l limits, guard control) *Client {
	if o.AllowPrivate {
		guard = nil
	}
	if o.Transport == nil {
		o.Transport = newTransport(guard, l)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.UserAgent == "" {
		o.UserAgent = "Afterword"
	}
	return &Client{
		requests:  o.Metrics.Counter("afterword_requests_total", "Requests to other servers, by how they were answered.", "method", "status"),
		transport: o.Transport, userAgent: o.UserAgent, allowPrivate: o.AllowPrivate, now: o.Now, limits: l,
		flights:  map[identity]*flight{},
		failures: newLRU[identity, failure](l.failures),
		hosts:    newLRU[string, *host](l.hosts),
	}
}

// Get is a question to another server.
type Get struct {
	URL       string
	Accept    string
	MaxBytes  int64                         // of the body, decompressed; 0: 256 KiB
	Sign      func(*http.Request) error     // called for every hop, so each is signed anew; may be nil
	Signature string                        // says how and as whom Sign signs: who signs otherwise asks another question
	Media     func(contentType string) bool // the types that are read; nil: any

	IfNoneMatch, IfModifiedSince string // ETag and Last-Modified of what we have; the answer may be 304 then

	// Fresh asks again although the URL failed with a lasting error (4xx, media type, size) within ten minutes: for
	// a 401 that is retried with another signature, or when the blogger asks. Temporary failures stay remembered.
	Fresh bool

	// Stranger marks what somebody makes us fetch who has proven nothing, such as the key of a signature not yet
	// verified. It has a small budget per host that a 200 does not restore; call Vouch when the proof is made. It may
	// redirect only twice.
	Stranger bool
}

// Document is an answer with status 200, or 304 with no body. It may be shared by concurrent callers: do not change it.
type Document struct {
	URL       string // as asked, byte for byte, or where redirects led: what an id must equal (SECURITY R3)
	Status    int
	MediaType string // lower case, without parameters
	Header    http.Header
	Body      []byte
}

// Get fetches a document, following at most three redirects of the same scheme, within 15 seconds and what is left of the
// context's Budget. Every error is an *Error. Concurrent GETs of the same (all fields but Media and Fresh; of Sign, whether
// there is one) share one request; recent failures are answered from memory.
func (c *Client) Get(ctx context.Context, g Get) (*Document, error) {
	u, err := c.target(g.URL)
	if err != nil {
		return nil, forbidden(g.URL, err)
	}
	if g.MaxBytes <= 0 {
		g.MaxBytes = defaultMax
	}
	id := identity{g.URL, g.Accept, g.IfNoneMatch, g.IfModifiedSince, g.MaxBytes, g.Sign != nil, g.Signature, g.Stranger}
	if err := c.remembered(id, g.Fresh); err != nil {
		return nil, named(err, g.URL)
	}
	ctx, cancel := c.timeLimit(ctx, c.limits.total, errTime)
	defer cancel()
	doc, err := c.share(ctx, id, func() (*Document, error) {
		doc, err := c.follow(ctx, u, g)
		c.remember(id, err)
		return doc, err
	})
	if err == nil {
		err = g.refuses(doc.Status, doc.Header) // again: who joined another's request may want another type
	}
	if err != nil {
		return nil, named(err, g.URL)
	}
	return doc, nil
}

// follow asks u and then where it redirects to. The tokens this took are given back if it ends well.
func (c *Client) follow(ctx context.Context, u *url.URL, g Get) (*Document, error) {
	b := budgetOf(ctx)
	var asked []*host
	at := g.URL
	for range g.requests() {
		if err := b.begin(ctx); err != nil {
			return nil, named(err, at)
		}
		h, err := c.admit(ctx, origin(u), g.Stranger)
		if err != nil {
			return nil, named(err, at)
		}
		asked = append(asked, h)
		doc, next, err := c.hop(ctx, h, u, g, b)
		if err != nil {
			return nil, named(err, at)
		}
		if doc != nil {
			doc.URL = at
			c.refund(asked, g.Stranger)
			return doc, nil
		}
		u, at = next, next.String()
	}
	return nil, forbidden(at, fmt.Errorf("more than %d redirects", g.requests()-1))
}

// requests is how many this may take with its redirects; for who has proven nothing, one less (SECURITY B61).
func (g Get) requests() int {
	if g.Stranger {
		return maxRedirects
	}
	return 1 + maxRedirects
}

// hop makes one request to a host that admitted it, and returns either a document or where to go next.
func (c *Client) hop(ctx context.Context, h *host, u *url.URL, g Get, b *Budget) (doc *Document, next *url.URL, err error) {
	began, allowed, read := c.now(), b.bytes(), int64(0)
	within, late := b.patience()
	ctx, cancel := c.timeLimit(ctx, within, late)
	defer cancel()
	defer func() {
		b.pay(c.now().Sub(began), read)
		c.leave(h, err)
	}()
	req, err := c.request(ctx, http.MethodGet, u, nil)
	if err != nil {
		return nil, nil, err
	}
	g.setHeader(req.Header)
	resp, err := c.send(req, g.Sign)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	if next, err = c.redirect(u, resp); next != nil || err != nil {
		return nil, next, err
	}
	doc, read, err = c.document(ctx, resp, g, min(g.MaxBytes, allowed))
	if e, failed := err.(*Error); failed && e.Kind == TooLarge && allowed < g.MaxBytes {
		err = spent()
	}
	return doc, nil, err
}

func (g Get) setHeader(h http.Header) {
	h.Set("Accept-Encoding", "gzip") // named by us, so that the transport leaves decompressing to readBody
	for name, value := range map[string]string{"Accept": g.Accept, "If-None-Match": g.IfNoneMatch, "If-Modified-Since": g.IfModifiedSince} {
		if value != "" {
			h.Set(name, value)
		}
	}
}

// redirect returns where an answer points, checked like any URL, or nil if it is no redirect.
func (c *Client) redirect(from *url.URL, resp *http.Response) (*url.URL, error) {
	location := resp.Header.Get("Location")
	if location == "" || !slices.Contains([]int{301, 302, 303, 307, 308}, resp.StatusCode) {
		return nil, nil
	}
	next, err := from.Parse(location)
	if err == nil {
		next.Fragment, next.RawFragment = "", ""
		next, err = c.target(next.String())
	}
	if err == nil && next.Scheme != from.Scheme {
		err = errors.New("another scheme")
	}
	if err != nil {
		return nil, forbidden("", fmt.Errorf("redirect to %.200q: %w", location, err))
	}
	return next, nil
}

// document reads an answer that is one, and tells how many bytes that were. 204, 206 and 300 are none.
func (c *Client) document(ctx context.Context, resp *http.Response, g Get, limit int64) (doc *Document, read int64, err error) {
	doc = &Document{Status: resp.StatusCode, Header: resp.Header, MediaType: bareType(contentType(resp.Header))}
	if resp.StatusCode == http.StatusNotModified && (g.IfNoneMatch != "" || g.IfModifiedSince != "") {
		return doc, 0, nil
	}
	if resp.StatusCode != http.StatusOK {
		return nil, 0, c.statusError(resp)
	}
	if err := g.refuses(resp.StatusCode, resp.Header); err != nil {
		return nil, 0, err
	}
	if doc.Body, read, err = readBody(resp, limit); err != nil {
		return nil, read, broken(ctx, err)
	}
	return doc, read, nil
}

// refuses is the error for an answer of a type that g does not want.
func (g Get) refuses(status int, h http.Header) error {
	if g.Media == nil || status == http.StatusNotModified || g.Media(contentType(h)) {
		return nil
	}
	return &Error{Kind: MediaType, Err: fmt.Errorf("%q", contentType(h))}
}

// Post is a delivery.
type Post struct {
	URL, MediaType string
	Body           []byte
	Sign           func(*http.Request) error // may be nil
}

// Post delivers once: nil for any 2xx, else an *Error. It follows no redirect, whose target would get a body and a
// signature made for another server, and reads at most 4 KiB of the answer. Who calls it paces it.
func (c *Client) Post(ctx context.Context, p Post) error {
	u, err := c.target(p.URL)
	if err != nil {
		return forbidden(p.URL, err)
	}
	ctx, cancel := c.timeLimit(ctx, c.limits.total, errTime)
	defer cancel()
	return named(c.post(ctx, cancel, u, p), p.URL)
}

func (c *Client) post(ctx context.Context, cancel func(), u *url.URL, p Post) error {
	req, err := c.request(ctx, http.MethodPost, u, p.Body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", p.MediaType)
	resp, err := c.send(req, p.Sign)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	defer time.AfterFunc(c.limits.answer, cancel).Stop() // a dripping answer holds no worker: the status is known
	failure := c.statusError(resp)                       // reads in either case, so that the connection can be used again
	if resp.StatusCode/100 == 2 {
		return nil
	}
	return failure
}

// errTime is the cause of a context that our own time limit ended, not the caller.
var errTime = errors.New("took too long")

func (c *Client) timeLimit(ctx context.Context, within time.Duration, late error) (context.Context, context.CancelFunc) {
	if within > c.limits.total {
		within, late = c.limits.total, errTime
	}
	return context.WithTimeoutCause(ctx, within, late)
}

func (c *Client) request(ctx context.Context, method string, u *url.URL, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, forbidden("", err)
	}
	req.Header.Set("User-Agent", c.userAgent)
	return req, nil
}

// send signs a request and sends it, past http.Client: no cookies, no Referer, no redirects that nobody checked.
func (c *Client) send(req *http.Request, sign func(*http.Request) error) (*http.Response, error) {
	if sign != nil {
		if err := sign(req); err != nil {
			return nil, &Error{Kind: Unsigned, Err: err}
		}
	}
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		c.requests.Inc(req.Method, "none")
		return nil, broken(req.Context(), err)
	}
	c.requests.Inc(req.Method, strconv.Itoa(resp.StatusCode))
	return resp, nil
}

// broken classifies what went wrong on the wire.
func broken(ctx context.Context, err error) error {
	var known *Error
	switch {
	case errors.As(err, &known):
		return known
	case prohibited(err):
		return forbidden("", err)
	case context.Cause(ctx) == errSpent:
		return spent()
	case context.Cause(ctx) == errTime:
		return &Error{Kind: Unreachable, Err: errTime}
	case ctx.Err() != nil:
		return &Error{Kind: Canceled, Err: ctx.Err()}
	}
	return &Error{Kind: Unreachable, Err: err}
}

func forbidden(url string, err error) *Error { return &Error{Kind: Forbidden, URL: url, Err: err} }

// named puts the URL into an error that has none yet.
func named(err error, url string) error {
	if e, failed := err.(*Error); failed && e.URL == "" {
		e.URL = url
	}
	return err
}
