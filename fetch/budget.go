package fetch

import (
	"context"
	"errors"
	"time"
)

// What one message may make us ask of others (SECURITY P11), and one look at a comment, too.
const (
	mostRequests = 30
	mostBytes    = 2 << 20
	MostTime     = 10 * time.Second

	PerRequest = MostTime/mostRequests + 1 // rounded up, so that not one more is left over
	perByte    = MostTime/mostBytes + 1
)

// Budget is what is left of that to all the Gets that are made with its context: thirty requests, 2 MiB and ten seconds,
// redirects, repeated signatures and failures included. All three are paid in one coin, so that one number is all there is
// to store: a request costs the time that it takes, and no less than a thirtieth of the whole, nor than its bytes' share.
// What costs nobody else anything is free: to wait in line for a host, or for the answer to another's request.
//
// Without a budget a Get has no bounds but its own. One goroutine at a time spends from it.
type Budget struct {
	Spent  time.Duration
	Before func(context.Context) error // asked before each request, which an error forbids; may be nil
}

type budgetKey struct{}

// In makes every Get with the new context spend from b.
func (b *Budget) In(ctx context.Context) context.Context {
	return context.WithValue(ctx, budgetKey{}, b)
}

// SpentIn is what was spent of the budget of ctx.
func SpentIn(ctx context.Context) time.Duration { return budgetOf(ctx).Spent }

func budgetOf(ctx context.Context) *Budget {
	if b, ok := ctx.Value(budgetKey{}).(*Budget); ok {
		return b
	}
	return &Budget{Spent: -1 << 62} // a century is left
}

func (b *Budget) left() time.Duration { return MostTime - b.Spent }

// bytes is how much may be read at once.
func (b *Budget) bytes() int64 { return int64(b.left() / perByte) }

// patience is how long a request may take, and what it means if it takes longer. Three fifths of what is left, but four
// seconds if there are: who waits for a server that hangs can ask it again when it is well.
func (b *Budget) patience() (time.Duration, error) {
	if within := max(b.left()/5*3, 4*time.Second); within < b.left() {
		return within, errTime
	}
	return b.left(), errSpent
}

// begin tells whether one more request may be made.
func (b *Budget) begin(ctx context.Context) error {
	if b.left() <= 0 {
		return spent()
	}
	if b.Before != nil {
		if err := b.Before(ctx); err != nil {
			return &Error{Kind: Busy, Err: err}
		}
	}
	return nil
}

// pay takes from the budget what a request cost.
func (b *Budget) pay(took time.Duration, read int64) {
	b.Spent += max(took, PerRequest, time.Duration(read)*perByte)
}

// errSpent is the cause of what a budget does not allow.
var errSpent = errors.New("one message costs others no more than 30 requests, 2 MiB and ten seconds")

func spent() *Error { return &Error{Kind: Spent, Err: errSpent} }
