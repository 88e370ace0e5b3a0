package federation

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"afterword/federation/wire"
	"afterword/fetch"
	"afterword/storage"
	"afterword/thread"
)

// Backfill completes threads: replies to replies are often sent to others only, and deletions of what we merely fetched
// are never sent to us (PROTOCOL 2b). It looks at each comment again at its origin, ever more seldom: is it still there,
// did it change, what answers it (PROTOCOL 2e)? A step is one request, so that nothing of it waits in memory.
const (
	fillers      = 4       // origins that are asked at a time, each by one request
	pageBytes    = 1 << 20 // of a page of a collection
	maxPages     = 10      // of all the collections of a comment, each time it is looked at
	maxItems     = 500     // on them
	maxFillDepth = 50      // below the post, from where on nothing more is looked for
	afterClosing = 30 * 24 * time.Hour
	contextEvery = 15 * time.Minute // the same conversation is read for all its comments together
	absence      = 3 * time.Minute  // of this server, after which messages may have been lost (PROTOCOL 71)
)

// filler hands out the steps of backfill.
type filler struct {
	f     *Federation
	busy  claims[string] // origins that are being asked
	quiet time.Time      // until then nothing is looked for, because nothing was left to do

	mu       sync.Mutex               // guards what follows
	contexts map[thread.IRI]time.Time // when each was last begun: all comments of a conversation name the same one
}

func (f *Federation) backfillWorker() Worker {
	b := &filler{f: f, contexts: map[thread.IRI]time.Time{}}
	return Worker{Name: "backfill", claim: b.claim, parallel: fillers}
}

// claim looks at the tables at most once a second when there is nothing to do, for every commit wakes it; and more seldom
// where looking takes long, because much of a huge thread waits for the rest after a run to end.
func (b *filler) claim(ctx context.Context) (job, error) {
	f, now := b.f, b.f.Now()
	if now.Before(b.quiet) {
		return nil, nil
	}
	for _, post := range f.DB.TakeOpened() {
		if err := f.DB.BringForward(ctx, post); err != nil {
			return nil, err
		}
	}
	j, err := b.next(ctx)
	if j == nil {
		b.quiet = now.Add(max(time.Second, 50*f.Now().Sub(now)))
	}
	return j, err
}

func (b *filler) next(ctx context.Context) (job, error) {
	f, busy := b.f, b.busy.copy()
	fills, err := f.DB.DueFills(ctx, 2*fillers)
	for _, m := range fills {
		if host := m.Object.Host(); busy[host] == 0 {
			return b.job(host, m.Thread, func(ctx context.Context) error { return f.pullOrPark(ctx, m) }), nil
		}
	}
	if err != nil {
		return nil, err
	}
	checks, err := f.DB.DueChecks(ctx, 2*fillers)
	for _, c := range checks {
		if busy[c.Host] == 0 {
			return b.job(c.Host, c.Post, func(ctx context.Context) error { return b.lookOrPostpone(ctx, c) }), nil
		}
	}
	return nil, err
}

// job is one step at a host for a thread.
func (b *filler) job(host string, post thread.IRI, step func(context.Context) error) job {
	b.busy.take(host)
	return func(ctx context.Context) error {
		defer b.busy.give(host)
		return errors.Join(step(ctx), b.f.DB.EndRun(ctx, post))
	}
}

// errRun is why a step of a run is put off to the next one.
var errRun = errors.New("completing one thread costs others no more at once")

// fromRun takes each request from what the run for a thread may cost.
func (f *Federation) fromRun(post thread.IRI) func(context.Context) error {
	return func(ctx context.Context) error {
		ok, err := f.DB.Spend(ctx, post)
		if err == nil && !ok {
			err = errRun
		}
		return err
	}
}

// lookOrPostpone is look for what makes us fail, too: it must not stand in the way of others.
func (b *filler) lookOrPostpone(ctx context.Context, c storage.Check) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = b.f.DB.Fault(ctx, "backfill", r, []byte(c.Comment))
		}
		if err != nil && ctx.Err() == nil {
			c.Walk = storage.Walk{}
			err = errors.Join(fmt.Errorf("look at %s: %w", c.Comment, err), b.f.DB.Looked(ctx, c, b.f.Now().Add(24*time.Hour)))
		}
	}()
	return b.look(ctx, c)
}

// look takes one step at a comment: it reads the comment itself, or the next page of what answers it.
func (b *filler) look(ctx context.Context, c storage.Check) error {
	f := b.f
	place, err := f.DB.PlaceOf(ctx, c.Comment)
	if errors.Is(err, storage.ErrNotFound) { // its post was removed: should it come back, so does this
		c.Walk = storage.Walk{}
		return f.DB.Looked(ctx, c, time.Time{})
	} else if err != nil {
		return err
	}
	known, err := f.DB.Comment(ctx, c.Comment)
	if err != nil {
		return err
	}
	left, err := f.leftAlone(ctx, known, place)
	switch {
	case err != nil:
		return err
	case left:
		c.Walk = storage.Walk{}
		return f.DB.Looked(ctx, c, time.Time{})
	}
	budget := fetch.Budget{Spent: c.Walk.Took, Before: f.fromRun(c.Post)} // of the whole look, with all pages of the walk that it begins
	ctx = budget.In(ctx)
	switch {
	case c.Walk.Missing != "":
		return f.missing(ctx, c, known)
	case c.Walk.Next() != "":
		return b.turn(ctx, c)
	}
	return b.verify(ctx, c, known, place)
}

// leftAlone tells whether nothing is asked about a comment any more: it or its author is blocked, or its thread or
// branch was closed long ago.
func (f *Federation) leftAlone(ctx context.Context, c thread.Comment, p storage.Place) (bool, error) {
	if at := f.closed(p); !at.IsZero() && f.Now().Sub(at) >= afterClosing {
		return true, nil
	}
	for _, id := range []thread.IRI{c.ID, c.Author.ID} {
		if blocked, err := f.DB.Blocked(ctx, id); err != nil || blocked {
			return blocked, err
		}
	}
	return false, nil
}

// closed is since when nothing new may stand at a place; zero when it may.
func (f *Federation) closed(p storage.Place) time.Time {
	at := f.Rules.ClosingTime(p.Post)
	if branch := p.BranchClosedAt; at.IsZero() || !branch.IsZero() && branch.Before(at) {
		at = branch
	}
	if at.After(f.Now()) {
		return time.Time{}
	}
	return at
}

// verify asks a comment's origin whether it still says what we show, and begins a new walk.
func (b *filler) verify(ctx context.Context, c storage.Check, known thread.Comment, place storage.Place) error {
	f := b.f
	doc, err := f.ask(ctx, fetch.Get{URL: string(c.Comment.WithoutFragment()), IfNoneMatch: c.ETag, IfModifiedSince: c.Modified})
	var e *fetch.Error
	switch {
	case errors.As(err, &e) && e.Gone():
		return f.confirmGone(ctx, c, err.Error())
	case errors.As(err, &e) && e.NotFound(): // that may be a server in disorder: the next step tells
		c.Walk = storage.Walk{Failures: c.Walk.Failures, Missing: err.Error()}
		return f.goOn(ctx, c, time.Time{})
	case err != nil:
		return f.notLooked(ctx, c, err)
	case doc.Status == http.StatusNotModified:
		c.Walk = storage.Walk{Pages: c.Walk.Pages[:c.Walk.Start], Start: c.Walk.Start}
	default:
		o, err := wire.Parse(doc.Body)
		if err != nil || o.CheckShape() != nil || o.ID != c.Comment || !thread.SameOrigin(o.ID, thread.IRI(doc.URL)) {
			return f.notLooked(ctx, c, errElsewhere)
		}
		if o.Type() == "Tombstone" {
			return f.confirmGone(ctx, c, "its server says that it was deleted")
		}
		c.ETag, c.Modified = doc.Header.Get("ETag"), doc.Header.Get("Last-Modified")
		c.Walk = storage.Walk{}
		if err := f.compare(ctx, c, known, o); err != nil {
			return err
		}
		if err := b.begin(ctx, &c, o, place); err != nil {
			return err
		}
	}
	if !b.mayGrow(ctx, c, place) {
		c.Walk = storage.Walk{}
	}
	return f.goOn(ctx, c, time.Time{})
}

// begin lists the collections that a comment names: its replies, of which the first page may be inside it, and the
// conversation that its own server keeps (FEP-f228, FEP-7888). What its document lists itself is fetched at once.
func (b *filler) begin(ctx context.Context, c *storage.Check, o *wire.Object, place storage.Place) error {
	if !b.mayGrow(ctx, *c, place) {
		return nil
	}
	if o.Replies != nil {
		if err := b.list(ctx, c, o.Replies); err != nil {
			return err
		}
	}
	for _, id := range o.Contexts {
		if thread.SameOrigin(id, c.Comment) && b.newContext(id) {
			b.add(c, id)
		}
	}
	c.Walk.Start = len(c.Walk.Pages)
	return nil
}

// newContext tells whether a conversation was not read lately.
func (b *filler) newContext(id thread.IRI) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.f.Now()
	if len(b.contexts) >= maxParsed {
		clear(b.contexts)
	}
	if last, known := b.contexts[id]; known && now.Sub(last) < contextEvery {
		return false
	}
	b.contexts[id] = now
	return true
}

// turn reads the next page of a walk.
func (b *filler) turn(ctx context.Context, c storage.Check) error {
	f, page := b.f, c.Walk.Next()
	c.Walk.Done++
	doc, err := f.ask(ctx, fetch.Get{URL: string(page.WithoutFragment()), MaxBytes: pageBytes})
	if temporary(err) || spent(err) {
		c.Walk.Done--
		return f.notLooked(ctx, c, err)
	}
	c.Walk.Failures = 0
	if err == nil {
		o, parsed := wire.Parse(doc.Body)
		if parsed == nil && o.Collection != nil && thread.SameOrigin(thread.IRI(doc.URL), c.Comment) {
			if err := b.list(ctx, &c, o.Collection); err != nil {
				return err
			}
		}
	}
	return f.goOn(ctx, c, time.Time{})
}

// goOn stores how far a look has come, and what it cost until now, unless it is over.
func (f *Federation) goOn(ctx context.Context, c storage.Check, again time.Time) error {
	if c.Walk.Took = fetch.SpentIn(ctx); again.IsZero() && c.Walk.Next() == "" && c.Walk.Missing == "" {
		c.Walk.Took = 0
	}
	return f.DB.Looked(ctx, c, again)
}

// list has what a collection or page lists fetched from where it lives, and notes where the collection goes on: on the
// comment's own server only (PROTOCOL 74).
func (b *filler) list(ctx context.Context, c *storage.Check, l *wire.Collection) error {
	var ids []thread.IRI
	for _, item := range l.Items {
		if item.Object != nil { // a Create around it
			item = item.Object
		}
		if c.Walk.Items < maxItems && item.ID != "" && !b.f.blog.IsOurs(item.ID) {
			c.Walk.Items++
			ids = append(ids, item.ID)
		}
	}
	if err := b.f.DB.Found(ctx, c.Post, ids); err != nil {
		return err
	}
	switch {
	case l.First != nil && l.First.ID != "" && len(l.First.Items) == 0 && l.First.Next == "":
		b.add(c, l.First.ID)
	case l.First != nil:
		return b.list(ctx, c, &wire.Collection{Items: l.First.Items, Next: l.First.Next})
	case l.Next != "":
		b.add(c, l.Next)
	case len(l.Items) == 0 && l.TotalItems != 0: // only its address
		b.add(c, l.ID)
	}
	return nil
}

// add puts a page on a walk, once.
func (b *filler) add(c *storage.Check, page thread.IRI) {
	if thread.SameOrigin(page, c.Comment) && !slices.Contains(c.Walk.Pages, page) && len(c.Walk.Pages) < maxPages && c.Walk.Items < maxItems {
		c.Walk.Pages = append(c.Walk.Pages, page)
	}
}

// mayGrow tells whether something new may stand below a comment.
func (b *filler) mayGrow(ctx context.Context, c storage.Check, place storage.Place) bool {
	if place.ParentWithheld || !b.f.closed(place).IsZero() {
		return false
	}
	depth, err := b.f.DB.Depth(ctx, c.Comment, maxFillDepth)
	return err == nil && depth < maxFillDepth
}

// compare carries out what a comment's server says of it now: another text, or that it is no longer for everybody.
func (f *Federation) compare(ctx context.Context, c storage.Check, known thread.Comment, o *wire.Object) error {
	audience := o.AudienceOf(nil)
	if audience != thread.Private && same(known, f.textOf(o), audience) {
		return nil
	}
	m, err := f.DB.Recheck(ctx, c)
	if err != nil {
		return err
	}
	m.Sender = o.Author()
	return f.edit(ctx, m, known, o, audience, storage.Actor{Author: thread.Author{ID: m.Sender}})
}

// missing decides about a comment that its server does not find. Where its author is not found either, the server most
// likely finds nothing just now: a proxy that leads elsewhere must not empty our threads. So the comment is looked at
// again for some hours before that is believed.
func (f *Federation) missing(ctx context.Context, c storage.Check, known thread.Comment) error {
	reason := c.Walk.Missing
	c.Walk.Missing = ""
	_, err := f.ask(ctx, fetch.Get{URL: string(known.Author.ID.WithoutFragment())})
	var e *fetch.Error
	switch {
	case temporary(err) || spent(err):
		return f.notLooked(ctx, c, err)
	case errors.As(err, &e) && e.NotFound() && c.Walk.Failures < maxPulls:
		c.Walk.Failures, c.Walk.Took = c.Walk.Failures+1, 0
		return f.DB.Looked(ctx, c, f.Now().Add(time.Hour))
	}
	return f.confirmGone(ctx, c, reason)
}

// confirmGone removes a comment that its own server no longer has.
func (f *Federation) confirmGone(ctx context.Context, c storage.Check, reason string) error {
	m, err := f.DB.Recheck(ctx, c)
	if err != nil {
		return err
	}
	return f.vanished(ctx, m, reason)
}

// notLooked puts a look off that came to nothing: for a while when that may pass, else until its time comes again.
func (f *Federation) notLooked(ctx context.Context, c storage.Check, err error) error {
	c.Walk.Failures++
	if temporary(err) && c.Walk.Failures <= maxPulls {
		return f.goOn(ctx, c, f.Now().Add(max(retryAfter(err), time.Minute<<c.Walk.Failures)))
	}
	var again time.Time
	if temporary(err) {
		again = f.Now().Add(24 * time.Hour)
	}
	c.Walk, c.ETag, c.Modified = storage.Walk{}, "", "" // so that the next look begins anew, though nothing changed
	return f.DB.Looked(ctx, c, again)
}
