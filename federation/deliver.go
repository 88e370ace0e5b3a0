package federation

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"afterword/fetch"
	"afterword/storage"
)

const (
	perHost    = 2   // deliveries under way to one host (PROTOCOL 70)
	senders    = 128 // in all: they mostly wait for others
	maxLag     = 8 * 24 * time.Hour
	maxFailing = 7 * 24 * time.Hour   // of a host, before nothing is sent there any more (PROTOCOL 69)
	pause      = 365 * 24 * time.Hour // until then, unless it speaks to us
	lookahead  = 512
	firstRetry = time.Minute
	lastRetry  = 18 * time.Hour
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
	err := f.postSigned(ctx, d)
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
	return f.DB.Retry(ctx, d, due, f.hostDue(d, e, due), err.Error())
}

// hostDue is until when nothing is sent to a host that failed; zero when it has trouble with this message only.
func (f *Federation) hostDue(d storage.Delivery, e *fetch.Error, due time.Time) time.Time {
	switch {
	case e.Kind == fetch.Status && e.Status != http.StatusTooManyRequests && e.Status < http.StatusBadGateway:
		return time.Time{}
	case !d.Since.IsZero() && f.Now().Sub(d.Since) > maxFailing:
		return f.Now().Add(pause)
	}
	return due
}

// worthRetrying: an answer of 4xx is final, but for those that speak of time or of who we are (PROTOCOL 68).
func worthRetrying(e *fetch.Error) bool {
	return e.Temporary() || e.Kind == fetch.Status && e.Status == http.StatusUnauthorized
}

// backoff grows from a minute to most of a day, with jitter so that hosts do not come back in step. Twenty attempts fill
// a week.
func backoff(failures int) time.Duration {
	d := min(firstRetry<<min(failures, 12), lastRetry)
	return d + time.Duration(rand.Int64N(int64(d)/4+1))
}

// clockWorker does what falls due by time alone: telling of threads that closed or opened by themselves, and tidying up.
func (f *Federation) clockWorker() Worker {
	var pruned time.Time
	claim := func(ctx context.Context) (job, error) {
		n, err := f.DB.AnnounceStates(ctx, f.Rules)
		if err != nil || n > 0 {
			return func(context.Context) error { return nil }, err
		}
		if last, err := f.lastAlive(ctx); err != nil || f.Now().Sub(last) >= aliveEvery {
			return f.alive, err
		}
		if now := f.Now(); now.Sub(pruned) >= time.Hour {
			pruned = now
			return f.DB.Prune, nil
		}
		return nil, nil
	}
	return Worker{Name: "clock", claim: claim, parallel: 1}
}
