package storage

import (
	"context"
	"errors"
	"time"

	"afterword/thread"
)

// The queue out is found by its hosts, so that looking for something to do costs the same whatever waits: hosts.next is
// when something is to be sent there, 0 when nothing waits. It is never later than it should be. It may be earlier, where
// deliveries were dropped: who finds nothing to do then calls Reschedule.

// Ready says which of the hosts to which something may be sent now are meant.
type Ready int

const (
	AnyHost     Ready = iota
	HealthyHost       // did not fail lately
	UrgentHost        // a healthy one, and something waits for it that goes to one inbox
)

// until is when what is meant is due at the latest.
func (r Ready) until(now time.Time) time.Time {
	if r == UrgentHost {
		return now.Add(-queuePatience)
	}
	return now
}

// ReadyHosts lists hosts to which something may be sent now, those that wait longest first. None of them is at rest.
func (db *DB) ReadyHosts(ctx context.Context, which Ready, limit int) ([]string, error) {
	healthy := " AND failures = 0"
	if which == AnyHost {
		healthy = ""
	}
	return list(db.read(ctx), func(s scanner) (host string, err error) { return host, s.Scan(&host) },
		"SELECT host FROM hosts WHERE next > 0 AND next <= $1"+healthy+" ORDER BY next, host LIMIT $2", ms(which.until(db.now())), limit)
}

// Reschedule finds out anew when something is to be sent to a host.
func (db *DB) Reschedule(ctx context.Context, host string) error {
	return db.write(ctx, func(t tx) error { return t.schedule(host) })
}

// nextDue is hosts.next, computed.
const nextDue = `COALESCE((SELECT CASE WHEN hosts.due > d.due THEN hosts.due ELSE d.due END FROM deliveries d WHERE d.host = hosts.host AND ` + first + `
	ORDER BY d.due, d.id LIMIT 1), 0)`

func (t tx) schedule(host string) error {
	return t.exec("UPDATE hosts SET next = "+nextDue+" WHERE host = $1", host)
}

// scheduleAll has all recipients of a new activity looked at.
func (t tx) scheduleAll(activity thread.IRI) error {
	return t.exec(`INSERT INTO hosts (host, next) SELECT host, MIN(due) FROM deliveries WHERE activity = $1 GROUP BY host
		ON CONFLICT (host) DO UPDATE SET next = CASE WHEN hosts.due > excluded.next THEN hosts.due
			WHEN hosts.next > 0 AND hosts.next < excluded.next THEN hosts.next ELSE excluded.next END`, activity)
}

// healthy notes that a host answered well.
func (t tx) healthy(host string) error {
	return errors.Join(t.exec("UPDATE hosts SET failures = 0, since = 0, due = 0, error = '' WHERE host = $1 AND failures > 0", host), t.schedule(host))
}

// HostSpoke ends a host's rest: it is alive, for it sent us something.
func (db *DB) HostSpoke(ctx context.Context, host string) error {
	ill, err := db.read(ctx).has("SELECT 1 FROM hosts WHERE host = $1 AND failures > 0", host)
	if err != nil || !ill {
		return err
	}
	return db.write(ctx, func(t tx) error { return t.revive(host, ms(db.now())) })
}

func (t tx) revive(host string, now int64) error {
	return errors.Join(t.exec("UPDATE deliveries SET due = $1 WHERE host = $2 AND due > $1", now, host), t.healthy(host))
}

// Scheme is the signature that a host asked for, as RememberScheme was told; empty when it asked for none.
func (db *DB) Scheme(ctx context.Context, host string) (scheme string, err error) {
	err = db.read(ctx).row("SELECT scheme FROM hosts WHERE host = $1", []any{host}, &scheme)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	return scheme, err
}

// RememberScheme remembers which signature a host asks for.
func (db *DB) RememberScheme(ctx context.Context, host, scheme string) error {
	return db.write(ctx, func(t tx) error {
		return t.exec("INSERT INTO hosts (host, scheme) VALUES ($1, $2) ON CONFLICT (host) DO UPDATE SET scheme = excluded.scheme", host, scheme)
	})
}

// HostQueue is the queue out to one host.
type HostQueue struct {
	Host     string    `json:"host"`
	Waiting  int       `json:"waiting"`
	Failures int       `json:"failures"`
	Next     time.Time `json:"next"`
	Error    string    `json:"error"`
}

// Queue lists the hosts for which something waits, the fullest first.
func (db *DB) Queue(ctx context.Context) ([]HostQueue, error) {
	return list(db.read(ctx), func(s scanner) (q HostQueue, err error) {
		var next, rest int64
		err = s.Scan(&q.Host, &q.Waiting, &next, &rest, &q.Failures, &q.Error)
		q.Next = at(max(next, rest))
		return q, err
	}, `SELECT d.host, COUNT(*), MIN(CASE WHEN d.due < d.created THEN d.created ELSE d.due END), COALESCE(MAX(h.due), 0), COALESCE(MAX(h.failures), 0), COALESCE(NULLIF(MAX(h.error), ''), MAX(d.error))
		FROM deliveries d LEFT JOIN hosts h ON h.host = d.host GROUP BY d.host ORDER BY COUNT(*) DESC, d.host`)
}

// RetryHost makes everything that waits for a host due now. It tells how much that is.
func (db *DB) RetryHost(ctx context.Context, host string) (n int, err error) {
	err = db.write(ctx, func(t tx) error {
		if err := t.revive(host, ms(db.now())); err != nil {
			return err
		}
		return t.row("SELECT COUNT(*) FROM deliveries WHERE host = $1", []any{host}, &n)
	})
	return n, err
}
