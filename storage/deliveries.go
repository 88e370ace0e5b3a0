package storage

import (
	"context"
	"errors"
	"time"

	"afterword/thread"
)

// Change is something the world should know.
type Change struct {
	ID   int64
	Kind string // create, update, delete: of a post or answer; accept: of an account's follow; reject, approve: of a
	// comment; grant, refuse: of a request to reply; actor: the blog's own account, such as its key; move: of it
	Object thread.IRI
	Data   []byte // accept, grant, refuse: the Follow or request as it came
	At     time.Time
}

// NextChange is the oldest change that has yet to be published; ErrNotFound when there is none.
func (db *DB) NextChange(ctx context.Context) (Change, error) {
	return one(db.read(ctx), func(s scanner) (c Change, err error) {
		var when int64
		err = s.Scan(&c.ID, &c.Kind, &c.Object, &c.Data, &when)
		c.At = at(when)
		return c, err
	}, "SELECT id, kind, object, data, at FROM changes ORDER BY id LIMIT 1")
}

// Outgoing is an activity that is ready to be sent.
type Outgoing struct {
	ID     thread.IRI
	Object thread.IRI
	Kind   string
	Body   []byte
	Told   thread.Openness // the state of the thread that it tells; empty when it tells none
}

// Recipients are the inboxes that get an activity: each inbox once.
type Recipients struct {
	Followers    bool
	Participants thread.IRI // those who commented on this post
	Commenters   bool       // those who commented on any
	Inbox        string     // this one
}

// Publish turns a change into deliveries, in one transaction: a crash before it repeats it, a crash after it finds
// nothing to do. Other changes of the same object that the activity has already told (it shows the object as it is
// now) are dropped. A nil activity drops the change.
func (db *DB) Publish(ctx context.Context, c Change, out *Outgoing, to Recipients) error {
	now := db.now()
	return db.write(ctx, func(t tx) error {
		if err := t.exec("DELETE FROM changes WHERE id = $1", c.ID); err != nil || out == nil {
			return err
		}
		if err := t.supersede(*out); err != nil {
			return err
		}
		err := t.exec("INSERT INTO activities (id, object, kind, body, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
			out.ID, out.Object, out.Kind, out.Body, ms(now))
		if err == nil && out.Told != "" {
			err = t.exec("UPDATE posts SET told = $1 WHERE id = $2", out.Told, out.Object)
		}
		if err != nil {
			return err
		}
		return t.address(*out, to, now)
	})
}

// supersede drops what the new activity makes pointless: changes yet to be published, and updates yet to be delivered.
func (t tx) supersede(out Outgoing) error {
	if out.Kind != "update" && out.Kind != "create" && out.Kind != "delete" {
		return nil
	}
	if err := t.exec("DELETE FROM changes WHERE object = $1 AND kind = 'update'", out.Object); err != nil {
		return err
	}
	pointless := "('update')"
	if out.Kind == "delete" {
		pointless = "('update', 'create')"
	}
	return t.exec("DELETE FROM deliveries WHERE object = $1 AND activity IN (SELECT id FROM activities WHERE object = $1 AND kind IN "+pointless+")", out.Object)
}

// address writes one delivery for each distinct inbox.
func (t tx) address(out Outgoing, to Recipients, now time.Time) error {
	const into = `INSERT INTO deliveries (activity, object, inbox, host, due, created) `
	const from = `SELECT DISTINCT $1, $2, a.target, a.target_host, $3, $3 FROM actors a WHERE a.target <> '' AND a.deleted = 0
		AND a.refuses = 0 AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.target = a.id OR b.target = a.host OR a.host LIKE '%.' || b.target)
		AND a.id IN (`
	const once = `) ON CONFLICT (activity, inbox) DO NOTHING`
	if to.Followers {
		if err := t.exec(into+from+"SELECT actor FROM followers"+once, out.ID, out.Object, ms(now)); err != nil {
			return err
		}
	}
	if to.Participants != "" {
		err := t.exec(into+from+"SELECT author FROM comments WHERE post = $4 AND deleted = 0 AND state IN ('visible', 'pending')"+once,
			out.ID, out.Object, ms(now), to.Participants)
		if err != nil {
			return err
		}
	}
	if to.Commenters {
		err := t.exec(into+from+"SELECT author FROM comments WHERE deleted = 0 AND state = 'visible'"+once, out.ID, out.Object, ms(now))
		if err != nil {
			return err
		}
	}
	if to.Inbox == "" {
		return t.boundQueue()
	}
	host := thread.IRI(to.Inbox).Host()
	err := t.exec(into+"VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (activity, inbox) DO NOTHING", out.ID, out.Object, to.Inbox, host, ms(now))
	return errors.Join(err, t.boundHost(host))
}

// Delivery is an activity on its way to one inbox.
type Delivery struct {
	ID       int64
	Activity thread.IRI
	Kind     string // of the change that it tells
	Inbox    string
	Host     string
	Body     []byte
	Attempts int // that failed so far
	Created  time.Time
	Failures int       // of the host, in a row
	Since    time.Time // when they began; zero when there are none
}

// DueDeliveries lists deliveries that may be tried now: at most perHost for each host, one for a host that fails, none to
// a host that is being given a rest, and none whose object has an earlier delivery to the same inbox (an Update must not
// overtake the Create).
func (db *DB) DueDeliveries(ctx context.Context, limit, perHost int) ([]Delivery, error) {
	return list(db.read(ctx), func(s scanner) (d Delivery, err error) {
		var created, since int64
		err = s.Scan(&d.ID, &d.Activity, &d.Kind, &d.Inbox, &d.Host, &d.Body, &d.Attempts, &created, &d.Failures, &since)
		d.Created, d.Since = at(created), at(since)
		return d, err
	}, `SELECT d.id, d.activity, a.kind, d.inbox, d.host, a.body, d.attempts, d.created, COALESCE(h.failures, 0), COALESCE(h.since, 0) FROM (
			SELECT d.id, ROW_NUMBER() OVER (PARTITION BY d.host ORDER BY d.due, d.id) AS nth
			FROM deliveries d LEFT JOIN hosts h ON h.host = d.host
			WHERE d.due <= $1 AND COALESCE(h.due, 0) <= $1
			AND NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.inbox = d.inbox AND e.object = d.object AND e.id < d.id)
		) q JOIN deliveries d ON d.id = q.id JOIN activities a ON a.id = d.activity LEFT JOIN hosts h ON h.host = d.host
		WHERE q.nth <= CASE WHEN h.failures > 0 THEN 1 ELSE $2 END ORDER BY d.due, d.id LIMIT $3`, ms(db.now()), perHost, limit)
}

// Delivered removes a delivery that arrived; its host is well.
func (db *DB) Delivered(ctx context.Context, d Delivery) error {
	return db.write(ctx, func(t tx) error {
		if err := t.exec("DELETE FROM deliveries WHERE id = $1", d.ID); err != nil {
			return err
		}
		return t.healthy(d.Host)
	})
}

func (t tx) healthy(host string) error {
	return t.exec("UPDATE hosts SET failures = 0, since = 0, due = 0, error = '' WHERE host = $1 AND failures > 0", host)
}

// Undeliverable removes a delivery that its inbox refuses for good.
func (db *DB) Undeliverable(ctx context.Context, d Delivery) error {
	return db.write(ctx, func(t tx) error { return t.exec("DELETE FROM deliveries WHERE id = $1", d.ID) })
}

// InboxGone removes all deliveries to an inbox that answered 410. Whether its followers are gone too, their own
// documents must say: they are asked for.
func (db *DB) InboxGone(ctx context.Context, d Delivery) error {
	now := db.now()
	return db.write(ctx, func(t tx) error {
		if err := t.exec("DELETE FROM deliveries WHERE inbox = $1", d.Inbox); err != nil {
			return err
		}
		ids, err := list(t.queryer, scanIRI, "SELECT f.actor FROM followers f JOIN actors a ON a.id = f.actor WHERE a.target = $1 OR a.inbox = $1 LIMIT 1000", d.Inbox)
		for _, id := range ids {
			if err == nil {
				err = t.pull(id, 0, now)
			}
		}
		return err
	})
}

// Retry puts a delivery off. hostDue, when it is not zero, gives its whole host a rest until then.
func (db *DB) Retry(ctx context.Context, d Delivery, due, hostDue time.Time, reason string) error {
	now := db.now()
	return db.write(ctx, func(t tx) error {
		err := t.exec("UPDATE deliveries SET attempts = attempts + 1, due = $1, error = $2 WHERE id = $3", ms(due), reason, d.ID)
		if err != nil || hostDue.IsZero() {
			return err
		}
		return t.exec(`INSERT INTO hosts (host, failures, since, due, error) VALUES ($1, 1, $2, $3, $4)
			ON CONFLICT (host) DO UPDATE SET failures = hosts.failures + 1, due = excluded.due, error = excluded.error,
			since = CASE WHEN hosts.since = 0 THEN excluded.since ELSE hosts.since END`, d.Host, ms(now), ms(hostDue), reason)
	})
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
	if err := t.healthy(host); err != nil {
		return err
	}
	return t.exec("UPDATE deliveries SET due = $1 WHERE host = $2 AND due > $1", now, host)
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
	}, `SELECT d.host, COUNT(*), MIN(d.due), COALESCE(MAX(h.due), 0), COALESCE(MAX(h.failures), 0), COALESCE(NULLIF(MAX(h.error), ''), MAX(d.error))
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

// NextDue is the earliest time at which a queue has work; zero when none is planned.
func (db *DB) NextDue(ctx context.Context) (time.Time, error) {
	var due int64
	err := db.read(ctx).row(`SELECT COALESCE(MIN(due), 0) FROM (SELECT MIN(due) AS due FROM received WHERE decision = ''
		UNION ALL SELECT MIN(CASE WHEN h.due > d.due THEN h.due ELSE d.due END) FROM deliveries d LEFT JOIN hosts h ON h.host = d.host) q`, nil, &due)
	return at(due), err
}
