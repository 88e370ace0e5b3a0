package federation

import (
	"context"
	"sync"
	"time"

	"afterword/storage"
)

// receipts has what was delivered written down many at a time: each commit costs the disk a sync and wakes all workers. A
// crash before it has those sent again, like whatever else is under way.
type receipts struct {
	db *storage.DB

	mu   sync.Mutex // guards what follows, and the members of next
	next *receipt   // is being filled
}

// receipt is what is written down together.
type receipt struct {
	all  []storage.Delivery
	full chan struct{} // closed when there are enough
	done chan struct{} // closed when it is written
	err  error         // of that
}

// patience is how long a receipt waits for others.
const patience = 50 * time.Millisecond

// write returns when d is written down. Who comes first waits for the others, unless it is alone, and writes for them.
func (r *receipts) write(ctx context.Context, d storage.Delivery, alone bool) error {
	own, first := r.add(d)
	if !first {
		<-own.done
		return own.err
	}
	if !alone {
		select {
		case <-own.full:
		case <-time.After(patience):
		case <-ctx.Done():
		}
	}
	r.mu.Lock()
	if r.next == own {
		r.next = nil
	}
	r.mu.Unlock()
	own.err = r.db.Delivered(context.WithoutCancel(ctx), own.all) // also when we are ending: it has arrived
	close(own.done)
	return own.err
}

func (r *receipts) add(d storage.Delivery) (own *receipt, first bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if first = r.next == nil; first {
		r.next = &receipt{full: make(chan struct{}), done: make(chan struct{})}
	}
	own = r.next
	if own.all = append(own.all, d); len(own.all) == storage.AtOnce {
		close(own.full)
		r.next = nil
	}
	return own, first
}
