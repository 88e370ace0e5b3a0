package federation

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"afterword/fetch"
	"afterword/storage"
	"afterword/thread"
)

const (
	perHost    = 2                     // deliveries under way to one host (PROTOCOL 70)
	senders    = 512                   // in all: they wait for others, those that are dead for ten seconds or more
	lookahead  = 256                   // hosts
	many       = 64                    // hosts being sent to, from where on there is no need to look for more whenever one of them is done
	lookPause  = 20 * time.Millisecond // but after this
	maxLag     = 8 * 24 * time.Hour
	maxFailing = 7 * 24 * time.Hour   // of a host, before nothing is sent there any more (PROTOCOL 69)
	pause      = 365 * 24 * time.Hour // until then, unless it speaks to us
	firstRetry = time.Minute
	lastRetry  = 18 * time.Hour
)

// deliverWorker sends what is due, many hosts at once, one host never more than twice. A host that does not answer
// costs one attempt now and then, whatever waits for it.
func (f *Federation) deliverWorker() Worker {
	return Worker{Name: "deliver", claim: f.queue.claim, parallel: senders}
}

// deliveryQueue hands out due deliveries, a host after the other. A delivery is read when its turn comes, so what was
// superseded meanwhile is not sent.
type deliveryQueue struct {
	f *Federation

	mu      sync.Mutex // guards what follows, and keeps claims away from publishing
	ready   []string   // hosts whose turn it is
	looked  time.Time  // when there was last looked for them
	sending map[string]*visits
}

func (q *deliveryQueue) claim(ctx context.Context) (job, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if j, err := q.next(ctx); err != nil || j != nil {
		return j, err
	}
	if len(q.sending) > many && time.Since(q.looked) < lookPause {
		return nil, nil
	}
	q.looked = time.Now()
	hosts, err := q.f.DB.ReadyHosts(ctx, lookahead+len(q.sending)) // those that are being sent to may be the first ones
	if err != nil {
		return nil, err
	}
	q.ready = hosts
	return q.next(ctx)
}

// next takes a delivery to the first host that has a place.
func (q *deliveryQueue) next(ctx context.Context) (job, error) {
	for len(q.ready) > 0 {
		host := q.ready[0]
		q.ready = q.ready[1:]
		if j, err := q.take(ctx, host); err != nil || j != nil {
			return j, err
		}
	}
	return nil, nil
}

// visits is what is under way to a host.
type visits struct {
	busy map[int64]storage.Delivery
	all  bool // nothing else is due: until one of them ends, or something is published, there is no need to look
}

// take is the next delivery to a host: nil when enough are under way.
func (q *deliveryQueue) take(ctx context.Context, host string) (job, error) {
	v := q.sending[host]
	if v == nil {
		v = &visits{busy: map[int64]storage.Delivery{}}
	}
	if v.all || len(v.busy) >= perHost {
		return nil, nil
	}
	due, err := q.f.DB.DueDeliveries(ctx, host, 1+len(v.busy))
	if err != nil {
		return nil, err
	}
	if len(due) == 0 && len(v.busy) == 0 {
		return nil, q.f.DB.Reschedule(ctx, host)
	}
	for _, d := range due {
		if !v.hold(d) {
			v.busy[d.ID], q.sending[host] = d, v
			return func(ctx context.Context) error { defer q.release(d); return q.f.deliverOrPark(ctx, d) }, nil
		}
	}
	v.all = true
	return nil, nil
}

// hold: a host that fails is tried once at a time, and nothing overtakes what is said of the same object to the same inbox.
func (v *visits) hold(d storage.Delivery) bool {
	for _, b := range v.busy {
		if d.Failures > 0 || b.ID == d.ID || b.Inbox == d.Inbox && b.Object == d.Object {
			return true
		}
	}
	return false
}

func (q *deliveryQueue) release(d storage.Delivery) {
	q.mu.Lock()
	defer q.mu.Unlock()
	v := q.sending[d.Host]
	v.all = false
	if delete(v.busy, d.ID); len(v.busy) == 0 {
		delete(q.sending, d.Host)
	}
}

// published has all hosts looked at again. The caller holds mu.
func (q *deliveryQueue) published() {
	for _, v := range q.sending {
		v.all = false
	}
}

// underWay are the deliveries about an object that are being sent. The caller holds mu.
func (q *deliveryQueue) underWay(about thread.IRI) (ids []int64) {
	for _, v := range q.sending {
		for id, d := range v.busy {
			if d.Object == about {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// deliverOrPark is deliver for what makes us fail, too: it is tried again, then parked until somebody asks for it by
// "queue retry", and never stands in the way.
func (f *Federation) deliverOrPark(ctx context.Context, d storage.Delivery) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = f.parkDelivery(ctx, d, f.DB.Fault(ctx, "deliver", r, d.Body))
		}
	}()
	return f.deliver(ctx, d)
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
func (f *Federation) deliver(ctx context.Context, d storage.Delivery) error {
	err := f.postSigned(ctx, d)
	if ctx.Err() != nil {
		return ctx.Err() // we are ending: the row stays as it is
	}
	var e *fetch.Error
	switch {
	case err == nil:
		f.counts.deliveries.Inc("delivered")
		return f.DB.Delivered(ctx, d)
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
