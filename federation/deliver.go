package federation

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"afterword/fetch"
	"afterword/storage"
)

const (
	maxLag     = 8 * 24 * time.Hour
	maxFailing = 7 * 24 * time.Hour   // of a host, before nothing is sent there any more (PROTOCOL 69)
	pause      = 365 * 24 * time.Hour // until then, unless it speaks to us
	firstRetry = time.Minute
	lastRetry  = 18 * time.Hour
)

// deliverWorker sends what is due, many hosts at once, one host never more than twice. A host that does not answer
// costs one attempt now and then, whatever waits for it.
func (f *Federation) deliverWorker() Worker {
	return Worker{Name: "deliver", claim: f.queue.claim, parallel: senders + answerers}
}

// deliverOrPark is deliver for what makes us fail, too: it is tried again, then parked until somebody asks for it by
// "queue retry", and never stands in the way.
func (f *Federation) deliverOrPark(ctx context.Context, d storage.Delivery, t *turn) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = f.parkDelivery(ctx, d, f.DB.Fault(ctx, "deliver", r, d.Body))
		}
	}()
	return f.deliver(ctx, d, t)
}

func (f *Federation) parkDelivery(ctx context.Context, d storage.Delivery, err error) error {
	f.Log.Error("delivery failed", "inbox", d.Inbox, "activity", d.Activity, "attempt", d.Attempts+1, "error", err)
	due := f.Now().Add(backoff(d.Attempts))
	if d.Attempts+1 >= maxTries {
		due = f.Now().Add(pause)
	}
	return f.DB.Retry(ctx, d, due, time.Time{}, err.Error())
}

// deliver tries once and writes down what came of it. Permanence is in the outcome: done, retry at, or gone.
func (f *Federation) deliver(ctx context.Context, d storage.Delivery, t *turn) error {
	err := f.postSigned(ctx, d, t)
	if err != nil && ctx.Err() != nil {
		return ctx.Err() // we are ending: the row stays as it is
	}
	var e *fetch.Error
	switch {
	case err == nil:
		f.counts.deliveries.Inc("delivered")
		return f.receipts.write(ctx, d, f.queue.alone())
	case !errors.As(err, &e) || e.Kind == fetch.Unsigned:
		f.counts.deliveries.Inc("failed")
		return f.parkDelivery(ctx, d, err)
	case e.Gone():
		f.counts.deliveries.Inc("gone")
		f.Log.Info("inbox is gone", "inbox", d.Inbox)
		return f.DB.InboxGone(ctx, d)
	case !worthRetrying(e), f.Now().Sub(d.Created) > maxLag:
		f.counts.deliveries.Inc("refused")
		f.Log.Info("not delivered", "inbox", d.Inbox, "activity", d.Activity, "error", err)
		return f.DB.Undeliverable(ctx, d)
	}
	f.counts.deliveries.Inc("put off")
	due := f.Now().Add(max(backoff(max(d.Attempts, d.Failures)), e.RetryAfter))
	return f.DB.Retry(ctx, d, due, f.hostDue(d, due), err.Error())
}

// hostDue is until when nothing is sent to a host that failed. One that has trouble with a single message takes the others
// after that, and is well again.
func (f *Federation) hostDue(d storage.Delivery, due time.Time) time.Time {
	if !d.Since.IsZero() && f.Now().Sub(d.Since) > maxFailing {
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
