package federation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"afterword/federation/wire"
	"afterword/fetch"
	"afterword/storage"
	"afterword/thread"
)

const (
	maxAncestors = 20        // steps up from a reply that are fetched to find its post (PROTOCOL 50)
	maxPulls     = 6         // tries at one object, or at a way up
	keptGood     = time.Hour // for how long what a waiting pull fetched is taken as what its server says
)

// errElsewhere is returned for a document that is not what its address says.
var errElsewhere = errors.New("the document there has another id")

// get fetches an object from its own origin. Its id equals id: what another address calls itself is not believed, but
// asked for once more where it says it lives, on the same server (SECURITY R3).
func (f *Federation) get(ctx context.Context, id thread.IRI) (*wire.Object, error) {
	o, err := f.getOnce(ctx, id)
	if err != nil || o.ID == id {
		return o, err
	}
	if !thread.SameOrigin(o.ID, id) {
		return nil, errElsewhere
	}
	moved := o.ID
	if o, err = f.getOnce(ctx, moved); err == nil && o.ID != moved {
		err = errElsewhere
	}
	return o, err
}

func (f *Federation) getOnce(ctx context.Context, id thread.IRI) (*wire.Object, error) {
	doc, err := f.ask(ctx, fetch.Get{URL: string(id.WithoutFragment())})
	if err != nil {
		return nil, err
	}
	o, err := wire.Parse(doc.Body)
	if err == nil {
		err = o.CheckShape()
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("the document at %s cannot be used: %w", id, err)
	case !thread.SameOrigin(o.ID, thread.IRI(doc.URL)): // a redirect lends its name to nobody
		return nil, errElsewhere
	}
	return o, nil
}

// ask is getSigned for what can wait a moment: it notes how the host answered, so that backfill leaves it in peace.
func (f *Federation) ask(ctx context.Context, g fetch.Get) (*fetch.Document, error) {
	doc, err := f.getSigned(ctx, g)
	var e *fetch.Error
	if errors.As(err, &e) && (e.Kind == fetch.Busy || e.Kind == fetch.Canceled || e.Kind == fetch.Spent) { // that says nothing of the host
		return nil, err
	}
	answered := e == nil || !e.Temporary()
	if noted := f.DB.Asked(ctx, thread.IRI(g.URL).Host(), answered, retryAfter(err)); noted != nil {
		return nil, noted
	}
	return doc, err
}

// retryAfter is how long a server asked us to stay away.
func retryAfter(err error) time.Duration {
	var e *fetch.Error
	if errors.As(err, &e) {
		return e.RetryAfter
	}
	return 0
}

// pullWorker fetches what a message pointed at: the comment above a reply, an object that somebody else spoke of, an
// account that is said to be gone.
func (f *Federation) pullWorker() Worker {
	var busy claims[string] // servers that are being asked: one that hangs holds up nobody else's
	claim := func(ctx context.Context) (job, error) {
		m, err := f.DB.NextPull(ctx, slices.Sorted(maps.Keys(busy.copy())))
		if errors.Is(err, storage.ErrNotFound) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		host := m.Object.Host()
		busy.take(host)
		return func(ctx context.Context) error {
			defer busy.give(host)
			return f.pullOrPark(ctx, m)
		}, nil
	}
	return Worker{Name: "pull", claim: claim, parallel: 8}
}

// pullOrPark is pull for what makes us fail, too: it is tried again, then parked, and never stands in the way.
func (f *Federation) pullOrPark(ctx context.Context, m storage.Message) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = f.DB.Fault(ctx, "pull", r, []byte(m.Object))
		}
		if err != nil && ctx.Err() == nil {
			err = f.park(ctx, m, err)
		}
	}()
	return f.pull(ctx, m)
}

// pull lets a fetched object in by the same rules as a pushed one; only who vouches for it differs: its own server. All
// that it asks for is paid from what is left to the message that led here.
func (f *Federation) pull(ctx context.Context, m storage.Message) error {
	budget := fetch.Budget{Spent: m.Took}
	if m.Way == storage.Fill {
		budget.Before = f.fromRun(m.Thread)
	}
	ctx = budget.In(ctx)
	if blocked, err := f.DB.Blocked(ctx, m.Object); err != nil || blocked {
		return errors.Join(err, f.DB.Strand(ctx, m, thread.Verdict{Decision: thread.Blocked, Reason: "the blog blocks this account or its server"}))
	}
	o, fetched, err := f.pulled(ctx, m)
	m.Took = budget.Spent
	if err != nil {
		return f.notPulled(ctx, m, err)
	}
	if o.ID != m.Object {
		if err := f.DB.Moved(ctx, m, o.ID); err != nil {
			return err
		}
		m.Object = o.ID
		if m.Way == storage.Fill { // in a further step, once the host had its rest
			return f.DB.Postpone(ctx, m, f.Now(), "asked for by its own name")
		}
	}
	switch {
	case o.Type() == "Tombstone":
		return f.vanished(ctx, m, "its server says that it was deleted")
	case o.Profile != nil:
		return f.refreshActor(ctx, m, o)
	case len(o.AttributedTo) == 0 || !thread.SameOrigin(o.AttributedTo[0], o.ID):
		return f.DB.Strand(ctx, m, refused("its author is not an account of its server"))
	}
	m.Sender, m.Raw = o.AttributedTo[0], o.Raw
	if fetched { // whenever it was heard of: what it says may have been written since
		m.Received = f.Now()
	}
	if m.Way == storage.Fill {
		m.Received = f.Now() // it counts from when it comes: nothing was promised to it
		if fetched && o.Audience() != thread.Private && !f.knowsAuthor(ctx, m.Sender) {
			return f.DB.Keep(ctx, m) // its author is asked for in a further step, once the host had its rest
		}
	}
	return f.reply(ctx, m, o, o.AudienceOf(nil), storage.Actor{Author: thread.Author{ID: m.Sender}})
}

// pulled is the object that a message asks for: kept since a moment ago, or fetched now.
func (f *Federation) pulled(ctx context.Context, m storage.Message) (o *wire.Object, fetched bool, err error) {
	if len(m.Raw) > 0 && (m.Decided.IsZero() || f.Now().Sub(m.Decided) < keptGood) {
		o, err = wire.Parse(m.Raw)
		return o, false, err
	}
	if m.Way != storage.Fill {
		o, err = f.get(ctx, m.Object)
		return o, true, err
	}
	o, err = f.getOnce(ctx, m.Object)
	if err == nil && o.ID != m.Object && (m.Attempts+1 >= maxPulls || !thread.SameOrigin(o.ID, m.Object)) {
		err = errElsewhere
	}
	return o, true, err
}

// knowsAuthor tells whether an account needs no fetch before it comments.
func (f *Federation) knowsAuthor(ctx context.Context, id thread.IRI) bool {
	a, err := f.DB.Actor(ctx, id)
	return err == nil && !a.Deleted
}

// writer is the account that wrote an object: verified at the door, or known by now, or fetched, once it is sure that the
// object has a place here (else ErrNotFound). Backfill does not look at a known account again.
func (f *Federation) writer(ctx context.Context, m storage.Message, answers []thread.IRI, a storage.Actor) (storage.Actor, error) {
	if m.Way == storage.Push {
		return a, nil
	}
	if _, err := f.DB.PlaceOf(ctx, answers...); err != nil {
		return a, err
	}
	if m.Way == storage.Fill && f.knowsAuthor(ctx, a.ID) {
		return f.DB.Actor(ctx, a.ID)
	}
	return f.author(ctx, a.ID)
}

// notPulled decides what a failed fetch means: try again, it is gone, or it cannot be had.
func (f *Federation) notPulled(ctx context.Context, m storage.Message, err error) error {
	var e *fetch.Error
	switch {
	case errors.As(err, &e) && e.Temporary() && m.Attempts+1 < maxPulls && m.Took < fetch.MostTime:
		return f.DB.Postpone(ctx, m, f.Now().Add(max(e.RetryAfter, untilNext(m))), err.Error())
	case errors.As(err, &e) && (e.Gone() || e.NotFound()):
		return f.vanished(ctx, m, err.Error())
	}
	reason := "cannot be had: " + err.Error()
	if m.Took >= fetch.MostTime && !spent(err) {
		reason += ", and one message may cost no more"
	}
	return f.DB.Strand(ctx, m, thread.Verdict{Decision: thread.Orphaned, Reason: reason})
}

// untilNext is how long to wait before the next try, ever longer. Where tries take their time there are not many: these are
// spread over the same hours.
func untilNext(m storage.Message) time.Duration {
	return time.Minute << (2 * max(m.Attempts, int(5*m.Took/fetch.MostTime)))
}

// vanished carries out what an object's own server says: it is no more.
func (f *Federation) vanished(ctx context.Context, m storage.Message, reason string) error {
	c, err := f.DB.Comment(ctx, m.Object)
	if err == nil {
		m.Sender = c.Author.ID
		return f.DB.DeleteComment(ctx, m, c.ID, thread.Verdict{Decision: thread.Done, Reason: reason})
	}
	if !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	if known, err := f.knownActor(ctx, m.Object); err != nil || known {
		return errors.Join(err, f.actorVanished(ctx, m, reason))
	}
	return f.DB.Strand(ctx, m, thread.Verdict{Decision: thread.Orphaned, Reason: reason})
}

// actorVanished: 410 and 404 end a follow; only 410, which nobody answers by mistake, erases what somebody wrote.
func (f *Federation) actorVanished(ctx context.Context, m storage.Message, reason string) error {
	v := thread.Verdict{Decision: thread.Done, Reason: reason}
	var e *fetch.Error
	if _, err := f.get(ctx, m.Object); errors.As(err, &e) && e.Gone() {
		return f.DB.EraseActor(ctx, m, v)
	}
	return f.DB.RemoveFollower(ctx, m, m.Object, v)
}

func (f *Federation) refreshActor(ctx context.Context, m storage.Message, o *wire.Object) error {
	if known, err := f.knownActor(ctx, o.ID); err != nil || !known {
		return errors.Join(err, f.DB.Strand(ctx, m, ignored("an account, and none that is known here")))
	}
	a, err := f.actorFrom(o)
	if err != nil {
		return f.DB.Strand(ctx, m, refused(err.Error()))
	}
	f.confirm(ctx, &a, o)
	if err := f.DB.SaveActor(ctx, a); err != nil {
		return err
	}
	return f.DB.Settle(ctx, m, thread.Verdict{Decision: thread.Done, Reason: "looked at the account again"})
}
