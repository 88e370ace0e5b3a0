package storage

import (
	"context"
	"maps"
	"sync"

	"afterword/thread"
)

// Given is how often a verdict was given on messages of a type.
type Given struct {
	Type     string
	Decision thread.Decision
}

// tally counts verdicts. A transaction that fails after it gave one is counted all the same.
type tally struct {
	mu sync.Mutex // guards n
	n  map[Given]int
}

func (t *tally) add(kind string, d thread.Decision) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == nil {
		t.n = map[Given]int{}
	}
	t.n[Given{kind, d}]++
}

// Verdicts is how many verdicts of each kind this process has given.
func (db *DB) Verdicts() map[Given]int {
	t := &db.writer.verdicts
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.n)
}

// Lengths are how many rows wait in each queue: received, changes and deliveries, and for how many hosts the last do.
func (db *DB) Lengths(ctx context.Context) (lengths map[string]int, err error) {
	var received, changes, deliveries, hosts int
	err = db.read(ctx).row(`SELECT (SELECT COUNT(*) FROM received WHERE decision = ''), (SELECT COUNT(*) FROM changes),
		(SELECT COUNT(*) FROM deliveries), (SELECT COUNT(*) FROM hosts WHERE next > 0)`, nil, &received, &changes, &deliveries, &hosts)
	return map[string]int{"received": received, "changes": changes, "deliveries": deliveries, "hosts": hosts}, err
}
