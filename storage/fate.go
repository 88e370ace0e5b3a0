package storage

import (
	"context"
	"errors"
	"time"

	"afterword/thread"
)

// Fate is what became of a reply, given by its id or its page's address. ErrNotFound: nothing about it is known.
func (db *DB) Fate(ctx context.Context, address string) (thread.Fate, error) {
	c, err := db.FindComment(ctx, address)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return thread.Fate{}, err
	}
	known, object := err == nil, address
	if known {
		object = string(c.ID)
	}
	last, err := db.Ledger(ctx, object, 1)
	switch {
	case err != nil:
		return thread.Fate{}, err
	case known:
		return fateOf(c, last), nil
	case len(last) == 0:
		return thread.Fate{}, ErrNotFound
	}
	m := last[0]
	f := thread.Fate{ID: m.Object, Decision: m.Decision, Reason: m.Reason, At: m.Decided}
	if f.Decision == "" {
		f.Decision, f.At = thread.Undecided, time.Time{}
	}
	return f, nil
}

// fateOf is the fate of a stored comment, with the reason that the ledger has for it.
func fateOf(c thread.Comment, last []Message) thread.Fate {
	f := thread.FateOf(c)
	switch {
	case len(last) == 0: // older than the ledger goes back
	case last[0].Decision == f.Decision, f.Decision == thread.Erased, last[0].Decision == thread.Done && f.Decision == thread.NotShown:
		f.Reason, f.At = last[0].Reason, last[0].Decided
	case f.Decision == thread.Shown, f.Decision == thread.NotShown:
		f.Reason = "by the blogger's word"
	}
	return f
}

// NextFetch is what has to be fetched now so that an object that is being pulled can be decided about: itself, or the
// comment for which it waits, at whatever remove. ErrNotFound: nothing, or not now.
func (db *DB) NextFetch(ctx context.Context, object thread.IRI) (Message, error) {
	for range maxWalk {
		m, err := one(db.read(ctx), scanMessage, "SELECT "+messageColumns+" FROM received WHERE key = $1", pullKey(object))
		switch {
		case err != nil:
			return m, err
		case m.Decision == "" && m.Attempts == 0:
			return m, nil
		case m.Decision != thread.Waiting:
			return m, ErrNotFound
		}
		object = m.WaitsFor
	}
	return Message{}, ErrNotFound
}
