package federation

import (
	"context"
	"slices"
	"sync"
	"time"

	"afterword/storage"
	"afterword/thread"
)

const (
	perHost    = 2                     // deliveries under way to one host (PROTOCOL 70)
	senders    = 448                   // in all: they wait for others, those that are dead for ten seconds or more
	answerers  = 64                    // more, for what somebody waits for when all of those wait
	illSenders = 128                   // of the senders, for hosts that failed lately
	lookahead  = 256                   // hosts
	many       = 16                    // deliveries under way, from where on there is no need to look for more whenever one of them is done
	lookPause  = 20 * time.Millisecond // but after this
	fresh      = time.Second           // for as long a delivery may wait once it was read
)

// deliveryQueue hands out due deliveries, a host after the other. They are read shortly before their turn comes, and anew
// when something was published, so what was superseded meanwhile is not sent.
type deliveryQueue struct {
	f *Federation

	mu      sync.Mutex         // guards what follows, and keeps claims away from publishing
	hosts   []string           // whose turn it is
	due     []storage.Delivery // to those before them: to none of which a delivery ended since they were read
	read    time.Time          // when that was
	looked  time.Time          // when there was last looked for hosts
	sending map[string]*visits
	n, ill  int // deliveries under way, and how many of them to hosts that failed lately
}

// claim waits for a turn to sign first: what is claimed and waits for its signature would only grow old.
func (q *deliveryQueue) claim(ctx context.Context) (j job, err error) {
	q.rest(ctx)
	t := &turn{places: q.f.signing}
	if err := t.take(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if j == nil {
			t.give()
		}
	}()
	d, err := q.next(ctx)
	if err != nil || d == nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		defer q.release(*d)
		defer t.give()
		return q.f.deliverOrPark(ctx, *d, t)
	}, nil
}

// rest keeps who found nothing just now from looking again at once, when much is under way.
func (q *deliveryQueue) rest(ctx context.Context) {
	q.mu.Lock()
	left := lookPause - time.Since(q.looked)
	busy := q.n > many && q.n < senders && len(q.hosts)+len(q.due) == 0
	q.mu.Unlock()
	if !busy || left <= 0 {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(left):
	}
}

func (q *deliveryQueue) next(ctx context.Context) (*storage.Delivery, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.n >= senders {
		return q.urgent(ctx)
	}
	if d, err := q.take(ctx); err != nil || d != nil {
		return d, err
	}
	which := storage.AnyHost
	if q.ill >= illSenders {
		which = storage.HealthyHost
	}
	q.looked = time.Now()
	hosts, err := q.f.DB.ReadyHosts(ctx, which, lookahead+len(q.sending)) // those that are being sent to may be the first ones
	if err != nil {
		return nil, err
	}
	q.hosts = hosts
	return q.take(ctx)
}

// take is the next delivery to the first host that has a place.
func (q *deliveryQueue) take(ctx context.Context) (*storage.Delivery, error) {
	if time.Since(q.read) > fresh {
		q.due = nil // their hosts will be found again
	}
	for {
		for len(q.due) > 0 {
			d := q.due[0]
			if q.due = q.due[1:]; q.begin(d) {
				return &d, nil
			}
		}
		if len(q.hosts) == 0 {
			return nil, nil
		}
		n := min(len(q.hosts), storage.AtOnce)
		due, err := q.dueTo(ctx, storage.AnyHost, q.hosts[:n])
		if err != nil {
			return nil, err
		}
		q.hosts, q.due, q.read = q.hosts[n:], due, time.Now()
	}
}

// urgent is what somebody waits for.
func (q *deliveryQueue) urgent(ctx context.Context) (*storage.Delivery, error) {
	hosts, err := q.f.DB.ReadyHosts(ctx, storage.UrgentHost, senders+answerers)
	if err != nil {
		return nil, err
	}
	for hosts := range slices.Chunk(hosts, storage.AtOnce) {
		due, err := q.dueTo(ctx, storage.UrgentHost, hosts)
		if err != nil {
			return nil, err
		}
		for _, d := range due {
			if q.begin(d) {
				return &d, nil
			}
		}
	}
	return nil, nil
}

// dueTo is what may be sent to hosts now.
func (q *deliveryQueue) dueTo(ctx context.Context, which storage.Ready, hosts []string) (due []storage.Delivery, err error) {
	var idle []string
	for _, host := range hosts {
		if v := q.sending[host]; v == nil {
			idle = append(idle, host)
		} else if which == storage.AnyHost && !v.all && len(v.busy) < perHost {
			more, err := q.f.DB.DueDeliveries(ctx, host, 1+len(v.busy))
			if err != nil {
				return nil, err
			}
			more = slices.DeleteFunc(more, v.hold)
			v.all = len(more) == 0
			due = append(due, more...)
		}
	}
	if len(idle) == 0 {
		return due, nil
	}
	next, err := q.f.DB.NextDeliveries(ctx, which, idle)
	for _, host := range idle {
		if d, found := next[host]; found {
			due = append(due, d)
		} else if err == nil {
			err = q.f.DB.Reschedule(ctx, host)
		}
	}
	return due, err
}

// visits is what is under way to a host.
type visits struct {
	busy []storage.Delivery
	all  bool // nothing else is due: until one of them ends, or something is published, there is no need to look
}

// begin tells whether a delivery may be sent now, and notes that it is.
func (q *deliveryQueue) begin(d storage.Delivery) bool {
	v := q.sending[d.Host]
	if v == nil {
		v = &visits{all: !d.More}
	}
	if len(v.busy) >= perHost || v.hold(d) || d.Failures > 0 && q.ill >= illSenders {
		return false
	}
	v.busy, q.sending[d.Host] = append(v.busy, d), v
	q.count(d, 1)
	return true
}

// hold: a host that fails is tried once at a time, and nothing overtakes what is said of the same object to the same inbox.
func (v *visits) hold(d storage.Delivery) bool {
	return slices.ContainsFunc(v.busy, func(b storage.Delivery) bool {
		return d.Failures > 0 || b.ID == d.ID || b.Inbox == d.Inbox && b.Object == d.Object
	})
}

// alone tells whether nothing is under way but what its caller delivers.
func (q *deliveryQueue) alone() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.n == 1
}

func (q *deliveryQueue) count(d storage.Delivery, n int) {
	if q.n += n; d.Failures > 0 {
		q.ill += n
	}
}

func (q *deliveryQueue) release(d storage.Delivery) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.count(d, -1)
	q.due = slices.DeleteFunc(q.due, func(o storage.Delivery) bool { return o.Host == d.Host })
	v := q.sending[d.Host]
	v.all = false
	if v.busy = slices.DeleteFunc(v.busy, func(b storage.Delivery) bool { return b.ID == d.ID }); len(v.busy) == 0 {
		delete(q.sending, d.Host)
	}
}

// published has all hosts looked at again, the ones that somebody waits for first. The caller holds mu.
func (q *deliveryQueue) published() {
	q.hosts, q.due, q.looked = nil, nil, time.Time{}
	for _, v := range q.sending {
		v.all = false
	}
}

// underWay are the deliveries about an object that are being sent. The caller holds mu.
func (q *deliveryQueue) underWay(about thread.IRI) (all []storage.Delivery) {
	for _, v := range q.sending {
		for _, d := range v.busy {
			if d.Object == about {
				all = append(all, d)
			}
		}
	}
	return all
}

// turn is a place among those that sign, the dearest thing that the process does. A delivery has one from its claim until
// it is signed; if it has to be signed in another way too, it waits for one again.
type turn struct {
	places chan struct{}
	has    bool
}

func (t *turn) take(ctx context.Context) error {
	if t.has {
		return nil
	}
	select {
	case t.places <- struct{}{}:
		t.has = true
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *turn) give() {
	if t.has {
		t.has = false
		<-t.places
	}
}
