package federation

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"afterword/federation/wire"
	"afterword/fetch"
	"afterword/storage"
)

const (
	perHost    = 2   // deliveries under way to one host (PROTOCOL 70)
	senders    = 128 // in all: they mostly wait for others
	maxLag     = 8 * 24 * time.Hour
	rfc9421    = "rfc9421"
	lookahead  = 512
	firstRetry = 30 * time.Second
	lastRetry  = 12 * time.Hour
)

// deliverWorker sends what is due, many hosts at once, one host never more than twice. A host that does not answer
// costs one attempt now and then, whatever waits for it.
func (f *Federation) deliverWorker() Worker {
	q := &deliveryQueue{f: f}
	return Worker{Name: "deliver", claim: q.claim, parallel: senders}
}

// deliveryQueue hands out due deliveries from a buffer, so that a big fan-out needs few queries.
type deliveryQueue struct {
	f     *Federation
	ready []storage.Delivery
	ids   claims[int64]
	hosts claims[string]
}

func (q *deliveryQueue) claim(ctx context.Context) (job, error) {
	if d, ok := q.next(); ok {
		return q.job(d), nil
	}
	before := q.ids.copy()
	due, err := q.f.DB.DueDeliveries(ctx, lookahead, perHost)
	q.ready = slices.DeleteFunc(due, func(d storage.Delivery) bool { return before[d.ID] > 0 })
	if d, ok := q.next(); ok {
		return q.job(d), nil
	}
	return nil, err
}

// next takes the first delivery whose host has a place.
func (q *deliveryQueue) next() (storage.Delivery, bool) {
	busy := q.hosts.copy()
	for i, d := range q.ready {
		if busy[d.Host] < perHost {
			q.ready = q.ready[i+1:]
			q.ids.take(d.ID)
			q.hosts.take(d.Host)
			return d, true
		}
	}
	q.ready = nil
	return storage.Delivery{}, false
}

func (q *deliveryQueue) job(d storage.Delivery) job {
	return func(ctx context.Context) error {
		defer func() { q.hosts.give(d.Host); q.ids.give(d.ID) }()
		return q.f.deliver(ctx, d)
	}
}

// deliver tries once and writes down what came of it. Permanence is in the outcome: done, retry at, or gone.
func (f *Federation) deliver(ctx context.Context, d storage.Delivery) error {
	err := f.send(ctx, d)
	if ctx.Err() != nil {
		return ctx.Err() // we are ending: the row stays as it is
	}
	var e *fetch.Error
	switch {
	case err == nil:
		return f.DB.Delivered(ctx, d)
	case !errors.As(err, &e):
		return err
	case e.Gone():
		f.Log.Info("inbox is gone", "inbox", d.Inbox)
		return f.DB.InboxGone(ctx, d)
	case !worthRetrying(e), f.Now().Sub(d.Created) > maxLag:
		f.Log.Info("not delivered", "inbox", d.Inbox, "activity", d.Activity, "error", err)
		return f.DB.Undeliverable(ctx, d)
	}
	due := f.Now().Add(max(backoff(max(d.Attempts, d.Failures)), e.RetryAfter))
	hostDue := due
	if e.Kind == fetch.Status && e.Status != http.StatusTooManyRequests && e.Status != http.StatusServiceUnavailable {
		hostDue = time.Time{} // the host answers; it is this message that it has trouble with
	}
	return f.DB.Retry(ctx, d, due, hostDue, err.Error())
}

// worthRetrying: an answer of 4xx is final, but for those that speak of time or of who we are (PROTOCOL 68).
func worthRetrying(e *fetch.Error) bool {
	return e.Temporary() || e.Kind == fetch.Status && e.Status == http.StatusUnauthorized
}

// backoff grows from half a minute to half a day, with jitter so that hosts do not come back in step. Some twenty
// attempts fill a week.
func backoff(failures int) time.Duration {
	d := min(firstRetry<<min(failures, 12), lastRetry)
	return d + time.Duration(rand.Int64N(int64(d)/4+1))
}

// send signs anew and posts. A host that refuses one kind of signature is asked once with the other, and what it takes
// is remembered.
func (f *Federation) send(ctx context.Context, d storage.Delivery) error {
	err := f.post(ctx, d, d.Scheme)
	var e *fetch.Error
	if !errors.As(err, &e) || e.Kind != fetch.Status || e.Status != http.StatusUnauthorized && e.Status != http.StatusBadRequest {
		return err
	}
	other := rfc9421
	if d.Scheme == rfc9421 {
		other = ""
	}
	if f.post(ctx, d, other) != nil {
		return err
	}
	return f.DB.RememberScheme(ctx, d.Host, other)
}

func (f *Federation) post(ctx context.Context, d storage.Delivery, scheme string) error {
	return f.Fetch.Post(ctx, fetch.Post{URL: d.Inbox, MediaType: wire.ActivityJSON, Body: d.Body, Sign: func(r *http.Request) error {
		if scheme == rfc9421 {
			return f.signer.SignRFC9421(r, d.Body, f.Now())
		}
		return f.signer.Sign(r, d.Body, f.Now())
	}})
}

// clockWorker does what falls due by time alone: telling of threads that closed or opened by themselves, and tidying up.
func (f *Federation) clockWorker() Worker {
	var pruned time.Time
	claim := func(ctx context.Context) (job, error) {
		n, err := f.DB.AnnounceStates(ctx, f.Rules)
		if err != nil || n > 0 {
			return func(context.Context) error { return nil }, err
		}
		if now := f.Now(); now.Sub(pruned) >= time.Hour {
			pruned = now
			return f.DB.Prune, nil
		}
		return nil, nil
	}
	return Worker{Name: "clock", claim: claim, parallel: 1}
}
