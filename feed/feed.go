// Package feed reads the blog: its feed, and the heads of its pages. What is new becomes a post, what changed is
// updated, what is gone from the feed stays (a feed holds only the newest). Nothing else has to be done by the blogger.
//
// What is stored: the posts (storage.SavePost decides by their content whether anything changed, so that a rebuilt blog
// tells nobody anything), the feed's own name for each (its guid, by which a post is known when its page moves), and one
// setting, "feed", with what is needed to ask politely: ETag, Last-Modified, the time of the next visit, the last
// problem; another, "hub", with whom we asked to tell us of news (hub.go).
//
// The first time a feed is read everything in it is saved and nothing is sent, or followers would get ten years of
// blog; "the first time" lasts until all of it is saved. On a crash what was saved is saved, the rest is read again.
// When the feed is broken or away, everything stays as it is.
package feed

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"afterword/fetch"
	"afterword/storage"
)

// Style is how much of a post its Note says.
type Style string

// The styles of the configuration.
const (
	Excerpt Style = "excerpt" // the item's summary, or its first paragraphs
	Full    Style = "full"
	Title   Style = "title"
)

// Config is what a Reader has to know. Fields are required unless they say otherwise.
type Config struct {
	DB    *storage.DB
	Fetch *fetch.Client

	Base string // base_url without trailing slash
	Blog string // the blog's home page
	URL  string // of the feed; empty: the home page names it
	Lang string // of posts; empty: the feed says it
	Note Style  // empty: Excerpt

	Pictures      int  // how many pictures of a post its Note may have
	RemoveMissing bool // remove the posts whose items and pages are gone

	Now func() time.Time // nil: time.Now
	Log *slog.Logger     // nil: slog.Default()
}

// Reader reads one blog.
type Reader struct {
	Config
	mu        sync.Mutex // one reading at a time
	strangers bystanders
	called    atomic.Bool // by the hub, since the feed was last read
}

// New makes a Reader.
func New(c Config) *Reader {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return &Reader{Config: c}
}

const (
	interval = 10 * time.Minute // between two visits
	patience = 6 * time.Hour    // where there is no feed to be found
	maxFeed  = 4 << 20          // bytes (SECURITY R7)
)

// State is what is remembered of the feed.
type State struct {
	URL      string    `json:"url,omitempty"` // where it is, when the home page said so
	ETag     string    `json:"etag,omitempty"`
	Modified string    `json:"modified,omitempty"`
	Since    time.Time `json:"since,omitzero"` // when all that was in it was saved for the first time
	Read     time.Time `json:"read,omitzero"`  // when it was last found well
	Next     time.Time `json:"next,omitzero"`
	Problem  string    `json:"problem,omitempty"` // of the last visit
	Hub      string    `json:"hub,omitempty"`     // that the feed names (hub.go)
	Topic    string    `json:"topic,omitempty"`   // what the feed calls itself
	Profile  time.Time `json:"profile,omitzero"`  // when the home page is asked again what it says of the blog
}

const setting = "feed"

// State is what is remembered of the feed now.
func (r *Reader) State(ctx context.Context) (s State, err error) {
	text, err := r.DB.Setting(ctx, setting, func() (string, error) { return "{}", nil })
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal([]byte(text), &s)
}

func (r *Reader) keep(ctx context.Context, s State) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return r.DB.Remember(ctx, map[string]string{setting: string(text)})
}

// Problem is what is wrong with the blog's feed, not with us.
type Problem struct{ Err error }

func (p *Problem) Error() string { return "the blog's feed: " + p.Err.Error() }
func (p *Problem) Unwrap() error { return p.Err }

// Step reads the feed when it is time to, and tells whether it was.
func (r *Reader) Step(ctx context.Context) (worked bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = r.DB.Fault(ctx, "feed", p, nil)
		}
	}()
	if err := r.profile(ctx); err != nil {
		return false, err
	}
	before, err := r.State(ctx)
	if wait := before.Next.Sub(r.Now()); err != nil || wait > 0 && wait <= patience && !r.called.Swap(false) { // more: the clock was set back
		return false, err
	}
	did, err := r.Sync(ctx, Options{})
	var problem *Problem
	switch {
	case errors.As(err, &problem):
		if err.Error() != before.Problem {
			r.Log.Warn("cannot read the feed", "error", problem.Err)
		}
		return true, nil
	case err == nil && did.Created+did.Updated+did.Removed > 0 || err == nil && before.Problem != "":
		r.Log.Info("read the feed", "new", did.Created, "changed", did.Updated, "removed", did.Removed, "sent", did.Sent)
	}
	return true, err
}

// Run steps until ctx ends.
func (r *Reader) Run(ctx context.Context) {
	for tick := time.NewTicker(15 * time.Second); ; {
		if _, err := r.Step(ctx); err != nil && ctx.Err() == nil {
			r.Log.Error("step failed", "worker", "feed", "error", err)
		}
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
	}
}

// Report is what came of reading the feed.
type Report struct {
	Created   int `json:"created"`
	Updated   int `json:"updated"`
	Unchanged int `json:"unchanged"`
	Waiting   int `json:"waiting"` // dated in the future
	Skipped   int `json:"skipped"` // no page of this blog, removed by the blogger, or twice in the feed
	Sent      int `json:"sent"`    // of the new ones, those that followers are told of
	Removed   int `json:"removed"` // gone from the feed and from the blog (remove_missing)
}

// Options are how the blogger wants the feed to be read.
type Options struct {
	Fresh bool // whatever was said a moment ago, and although nothing may have changed
	Send  bool // send new posts whatever their date, also the first time
}

// Sync reads the feed now. What is wrong with the feed is a *Problem.
func (r *Reader) Sync(ctx context.Context, o Options) (did Report, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, err := r.State(ctx)
	if err != nil {
		return did, err
	}
	did, err = r.visit(ctx, &s, o)
	s.Next = r.Now().Add(pause(err))
	var problem *Problem
	if s.Problem = ""; errors.As(err, &problem) {
		s.Problem = problem.Error()
	} else if err == nil {
		s.Read = r.Now()
	}
	return did, errors.Join(err, r.keep(ctx, s), r.subscribe(ctx, s))
}

// pause is how long the blog is left alone after a visit.
func pause(err error) time.Duration {
	var refused *fetch.Error
	switch {
	case errors.As(err, &refused):
		return max(interval, refused.RetryAfter)
	case errors.Is(err, errNoFeed):
		return patience
	}
	return interval
}

// visit asks for the feed and saves what is in it. s is changed where the next visit should know of it.
func (r *Reader) visit(ctx context.Context, s *State, o Options) (did Report, err error) {
	url, err := r.find(ctx, s, o)
	if err != nil {
		return did, &Problem{err}
	}
	ask := fetch.Get{URL: url, Accept: accept, MaxBytes: maxFeed, IfNoneMatch: s.ETag, IfModifiedSince: s.Modified, Fresh: o.Fresh}
	if o.Fresh {
		ask.IfNoneMatch, ask.IfModifiedSince = "", ""
	}
	r.called.Store(false)
	doc, err := r.Fetch.Get(ctx, ask)
	if err != nil {
		forget(s, err)
		return did, &Problem{err}
	}
	if doc.Status == http.StatusNotModified {
		if r.RemoveMissing {
			did.Removed, err = r.removeMissing(ctx, nil)
		}
		return did, err
	}
	f, err := parse(doc.Body, doc.Header, doc.URL)
	if err != nil {
		forget(s, err)
		return did, &Problem{fmt.Errorf("%s: %w", url, err)}
	}
	return r.take(ctx, s, f, doc, o)
}

// take saves a feed that was read.
func (r *Reader) take(ctx context.Context, s *State, f document, doc *fetch.Document, o Options) (Report, error) {
	in, err := r.save(ctx, f, s, o)
	if err != nil {
		return in.did, err
	}
	s.ETag, s.Modified = header(doc, "ETag"), header(doc, "Last-Modified")
	s.Hub, s.Topic = f.hub, cmp.Or(f.self, doc.URL)
	if in.did.Waiting > 0 { // it must be read again, changed or not
		s.ETag, s.Modified = "", ""
	}
	if s.Since.IsZero() {
		s.Since = r.Now()
	}
	if r.RemoveMissing && len(in.guids) > 0 {
		in.did.Removed, err = r.removeMissing(ctx, in.guids)
	}
	return in.did, err
}

const accept = "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.1"

// header is a validator to be sent back; one that is unreasonably long is not.
func header(doc *fetch.Document, name string) string {
	if v := doc.Header.Get(name); len(v) <= 512 {
		return v
	}
	return ""
}

// find is where the feed is: as configured, as remembered, or as the home page says.
func (r *Reader) find(ctx context.Context, s *State, o Options) (string, error) {
	if r.URL != "" {
		if s.URL != "" {
			*s = State{Since: s.Since, Read: s.Read, Profile: s.Profile}
		}
		return r.URL, nil
	}
	if s.URL == "" {
		home, err := getPage(ctx, r.Fetch, fetch.Get{URL: r.Blog, Fresh: o.Fresh})
		if err != nil {
			return "", err
		}
		if len(home.Feeds) == 0 {
			return "", errNoFeed
		}
		s.URL = home.Feeds[0]
	}
	return s.URL, nil
}

var errNoFeed = errors.New(`the home page names no feed: set blog.feed in the configuration, or write <link rel="alternate" type="application/rss+xml" href="…"> into its head`)

// forget makes the next visit look for the feed anew, unless the trouble will pass.
func forget(s *State, err error) {
	var refused *fetch.Error
	if !errors.As(err, &refused) || !refused.Temporary() {
		s.URL, s.ETag, s.Modified = "", "", ""
	}
}
