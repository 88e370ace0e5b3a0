package storage

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// Fault is a panic that was survived: a bug, with what its finder needs. It is never shown to readers, and what it was
// about is never processed: nobody has verified that.
type Fault struct {
	ID     int64
	At     time.Time
	Place  string // what was being done: "inbox", "process"
	Error  string
	Stack  string
	Sample []byte // the message that was being read; may be empty
}

// Bounds of what is kept of faults: a message that makes us panic can be sent often.
const (
	maxFaults = 100
	maxStack  = 16 << 10
	maxSample = 64 << 10
)

// Panics is the name under which all panics that were survived are counted.
const Panics = "panics"

// Fault keeps a panic, counts it and makes an error of it. It is to be called by the function that recovered.
func (db *DB) Fault(ctx context.Context, place string, recovered any, sample []byte) error {
	f := Fault{At: db.now(), Place: place, Error: fmt.Sprintf("%.1000v", recovered), Stack: string(debug.Stack())}
	f.Stack, f.Sample = f.Stack[:min(len(f.Stack), maxStack)], append([]byte{}, sample[:min(len(sample), maxSample)]...)
	err := db.write(context.WithoutCancel(ctx), func(t tx) error {
		return errors.Join(t.tick(Panics),
			t.exec("INSERT INTO faults (at, place, error, stack, sample) VALUES ($1, $2, $3, $4, $5)", ms(f.At), f.Place, f.Error, f.Stack, f.Sample),
			t.exec("DELETE FROM faults WHERE id <= (SELECT MAX(id) FROM faults) - $1", maxFaults))
	})
	return errors.Join(fmt.Errorf("panic in %s: %s", place, f.Error), err)
}

// Faults lists the newest panics, the newest first.
func (db *DB) Faults(ctx context.Context) ([]Fault, error) {
	return list(db.read(ctx), func(s scanner) (f Fault, err error) {
		var when int64
		err = s.Scan(&f.ID, &when, &f.Place, &f.Error, &f.Stack, &f.Sample)
		f.At = at(when)
		return f, err
	}, "SELECT id, at, place, error, stack, sample FROM faults ORDER BY id DESC")
}
