package storage

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"afterword/thread"
)

// Change is something the world should know.
type Change struct {
	ID   int64
	Kind string // create, update, delete: of a post or answer; accept, unfollow: of an account's follow; reject, approve: of a
	// comment; grant, refuse: of a request to reply; actor: the blog's own account, such as its key; move: of it;
	// forward: of a comment, as its author sent it
	Object thread.IRI
	Data   []byte // accept, grant, refuse, forward: the activity as it came; unfollow: the id of the follow
	At     time.Time

	newest int64 // of the changes of the object: who reads the object after this one sees what they did
}

// maxAttempts is how often a change is tried.
const maxAttempts = 3

// NextChange is the oldest change that has yet to be published; ErrNotFound when there is none. One that fails lets the
// others go first, and is left where it is after maxAttempts.
func (db *DB) NextChange(ctx context.Context) (c Change, err error) {
	q := db.read(ctx)
	for attempts := range maxAttempts { // one by one: of thousands that wait, only the first is read
		c, err = one(q, scanChange, "SELECT id, kind, object, data, at FROM changes WHERE attempts = $1 ORDER BY id LIMIT 1", attempts)
		if !errors.Is(err, ErrNotFound) {
			break
		}
	}
	if c.newest = c.ID; err == nil && replaceable(c.Kind) {
		err = q.row("SELECT MAX(id) FROM changes WHERE object = $1", []any{c.Object}, &c.newest)
	}
	return c, err
}

func scanChange(s scanner) (c Change, err error) {
	var when int64
	err = s.Scan(&c.ID, &c.Kind, &c.Object, &c.Data, &when)
	c.At = at(when)
	return c, err
}

// replaceable tells whether what a change says is the state of an object, so that the latest one says it all.
func replaceable(kind string) bool { return kind == "update" || kind == "create" || kind == "delete" }

// NotPublished counts a failure at a change.
func (db *DB) NotPublished(ctx context.Context, c Change) error {
	return db.write(ctx, func(t tx) error {
		return t.exec("UPDATE changes SET attempts = attempts + 1 WHERE id = $1 AND object = $2", c.ID, c.Object)
	})
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
	Except       string     // followers on this host
	Participants thread.IRI // those who commented on this post
	Commenters   bool       // those who commented on any
	Account      thread.IRI // this one, like those above where it is reached with others of its server
	Inbox        string     // this one
}

// Publish turns a change into deliveries, in one transaction: a crash before it repeats it, a crash after it finds
// nothing to do. Other changes of the same object that the activity has already told (it shows the object as it was after
// NextChange) are dropped; those that came since then wait. A nil activity drops the change.
func (db *DB) Publish(ctx context.Context, c Change, out *Outgoing, to Recipients) error {
	now := db.now()
	return db.write(ctx, func(t tx) error {
		if err := t.exec("DELETE FROM changes WHERE id = $1 AND object = $2", c.ID, c.Object); err != nil || out == nil {
			return err
		}
		if err := t.supersede(*out, c.newest); err != nil {
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
func (t tx) supersede(out Outgoing, newest int64) error {
	if !replaceable(out.Kind) {
		return nil
	}
	if err := t.exec("DELETE FROM changes WHERE object = $1 AND kind = 'update' AND id <= $2", out.Object, newest); err != nil {
		return err
	}
	return t.exec("DELETE FROM deliveries WHERE activity IN (SELECT id FROM activities WHERE object = $1 AND kind = 'update')", out.Object)
}

// address writes one delivery for each distinct inbox: one statement for each audience, however many it has.
func (t tx) address(out Outgoing, to Recipients, now time.Time) error {
	var n int64
	add := func(query string, args ...any) error {
		added, err := t.affected("INSERT INTO deliveries (activity, object, due, created, inbox, host) "+query+" ON CONFLICT (activity, inbox) DO NOTHING",
			append([]any{out.ID, out.Object, ms(now)}, args...)...)
		n += added
		return err
	}
	const wanted = `SELECT DISTINCT $1, $2, $3, $3, a.target, a.target_host FROM actors a WHERE a.target <> '' AND a.deleted = 0
		AND a.refuses = 0 AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.target = a.id OR b.target = a.host OR a.host LIKE '%.' || b.target)
		AND a.id IN `
	var err error
	if to.Followers {
		err = add(wanted+"(SELECT actor FROM followers) AND a.host <> $4", to.Except)
	}
	if err == nil && to.Participants != "" {
		err = add(wanted+"(SELECT author FROM comments WHERE post = $4 AND deleted = 0 AND state IN ('visible', 'pending'))", to.Participants)
	}
	if err == nil && to.Commenters {
		err = add(wanted + "(SELECT author FROM comments WHERE deleted = 0 AND state = 'visible')")
	}
	if err == nil && to.Account != "" {
		err = add(wanted+"($4)", to.Account)
	}
	if err == nil && to.Inbox != "" {
		err = add("VALUES ($1, $2, $4, $3, $5, $6)", ms(now.Add(-ahead)), to.Inbox, thread.IRI(to.Inbox).Host())
	}
	if err == nil && out.Kind == "delete" {
		err = t.cancelOut(out)
	}
	if err == nil {
		err = t.exec("UPDATE activities SET recipients = $1 WHERE id = $2", n, out.ID)
	}
	return errors.Join(err, t.scheduleAll(out.ID), t.bound(to))
}

// ahead is how far what goes to one inbox, such as the Accept that somebody waits for, overtakes what goes to many: nothing
// waits for so long, so it shows in when a delivery is due whether it is urgent.
const ahead = 2 * queuePatience

// cancelOut drops the Create that a Delete makes pointless. Who was never sent it need not hear of its end (SECURITY N11).
func (t tx) cancelOut(out Outgoing) error {
	const creates = "SELECT id FROM activities WHERE object = $1 AND kind = 'create'"
	return errors.Join(
		t.exec("DELETE FROM deliveries WHERE activity = $2 AND inbox IN (SELECT inbox FROM deliveries WHERE activity IN ("+creates+") AND attempts = 0)", out.Object, out.ID),
		t.exec("DELETE FROM deliveries WHERE activity IN ("+creates+")", out.Object),
		t.exec("UPDATE hosts SET next = 0 WHERE next > 0 AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.host = hosts.host)"))
}

// Delivery is an activity on its way to one inbox. Another one may have its number once its row was dropped, while it is
// under way still: that it is this one shows in the activity.
type Delivery struct {
	ID       int64
	Activity thread.IRI
	Object   thread.IRI
	Kind     string // of the change that it tells
	Inbox    string
	Host     string
	Body     []byte // may be shared: do not change it
	Attempts int    // that failed so far
	Created  time.Time
	Failures int       // of the host, in a row
	Since    time.Time // when they began; zero when there are none
	Scheme   string    // the signature that the host asked for, as RememberScheme was told
	More     bool      // others to its host may be due
}

// first is what makes a delivery d the next one of its object to its inbox: an Update must not overtake the Create.
const first = `NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.inbox = d.inbox AND e.object = d.object AND e.id < d.id)`

// delivery is what a Delivery is read from: of deliveries d and hosts h.
const delivery = "SELECT d.id, d.activity, d.object, d.inbox, d.host, d.attempts, d.created, h.failures, h.since, h.scheme, "

func scanDelivery(s scanner) (d Delivery, err error) {
	var created, since int64
	err = s.Scan(&d.ID, &d.Activity, &d.Object, &d.Inbox, &d.Host, &d.Attempts, &created, &d.Failures, &since, &d.Scheme, &d.More)
	d.Created, d.Since = at(created), at(since)
	return d, err
}

// NextDeliveries are the most urgent delivery to each of at most AtOnce hosts that ReadyHosts listed, by host; none for
// those where nothing may be tried now after all.
func (db *DB) NextDeliveries(ctx context.Context, which Ready, hosts []string) (map[string]Delivery, error) {
	args := make([]any, AtOnce+1)
	for i, host := range hosts {
		args[i] = host
	}
	args[AtOnce] = ms(which.until(db.now()))
	due, err := list(db.read(ctx), scanDelivery, nextOfHosts, args...)
	if err == nil {
		due, err = db.withBodies(ctx, due)
	}
	next := make(map[string]Delivery, len(due))
	for _, d := range due {
		next[d.Host] = d
	}
	return next, err
}

// AtOnce is how many hosts NextDeliveries takes, and how many deliveries Delivered does.
const AtOnce = 32

// these stands for the rows of AtOnce deliveries: their numbers as in among, then as many activities.
var these = func() string {
	all := make([]string, AtOnce)
	for i := range all {
		all[i] = fmt.Sprintf("id = $%d AND activity = $%d", i+1, AtOnce+i+1)
	}
	return strings.Join(all, " OR ")
}()

// among stands for AtOnce parameters, $1 and so on; those that are left over are null.
var among = func() string {
	all := make([]string, AtOnce)
	for i := range all {
		all[i] = fmt.Sprint("$", i+1)
	}
	return "(" + strings.Join(all, ", ") + ")"
}()

var (
	before      = fmt.Sprint("$", AtOnce+1)
	nextOfHost  = "SELECT d.id FROM deliveries d WHERE d.host = h.host AND d.due <= " + before + " AND " + first + " ORDER BY d.due, d.id LIMIT 1"
	nextOfHosts = delivery + "EXISTS (SELECT 1 FROM deliveries o WHERE o.host = h.host AND o.due <= " + before + " AND o.id <> d.id) FROM hosts h JOIN deliveries d ON d.id = (" +
		nextOfHost + ") WHERE h.host IN " + among + " AND h.next > 0 AND h.next <= " + before
)

// DueDeliveries lists at most limit deliveries to a host that may be tried now, the most urgent first. It does not ask
// whether the host is at rest: ReadyHosts does.
func (db *DB) DueDeliveries(ctx context.Context, host string, limit int) ([]Delivery, error) {
	due, err := list(db.read(ctx), scanDelivery, delivery+"1 FROM deliveries d JOIN hosts h ON h.host = d.host WHERE d.host = $1 AND d.due <= $2 AND "+
		first+" ORDER BY d.due, d.id LIMIT $3", host, ms(db.now()), limit)
	if err == nil {
		due, err = db.withBodies(ctx, due)
	}
	return due, err
}

// withBodies reads each activity once, for many deliveries are of the same one. Deliveries whose activity was dropped
// meanwhile are left out.
func (db *DB) withBodies(ctx context.Context, due []Delivery) ([]Delivery, error) {
	known := map[thread.IRI]Outgoing{}
	all := due[:0]
	for _, d := range due {
		a, ok := known[d.Activity]
		if !ok {
			err := db.read(ctx).row("SELECT kind, body FROM activities WHERE id = $1", []any{d.Activity}, &a.Kind, &a.Body)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return nil, err
			}
			known[d.Activity] = a
		}
		if d.Kind, d.Body = a.Kind, a.Body; d.Kind != "" {
			all = append(all, d)
		}
	}
	return all, nil
}

// Delivered removes at most AtOnce deliveries that arrived; their hosts are well.
func (db *DB) Delivered(ctx context.Context, all []Delivery) error {
	rows, hosts := make([]any, 2*AtOnce), make([]any, AtOnce)
	for i, d := range all {
		rows[i], rows[AtOnce+i], hosts[i] = d.ID, d.Activity, d.Host
	}
	return db.write(ctx, func(t tx) error {
		err := t.exec("DELETE FROM deliveries WHERE "+these, rows...)
		for _, d := range all {
			if err == nil && d.Failures > 0 { // seldom
				err = t.healthy(d.Host)
			}
		}
		return errors.Join(err, t.exec("UPDATE hosts SET next = "+nextDue+" WHERE host IN "+among, hosts...))
	})
}

// Undeliverable removes a delivery that its inbox refuses for good.
func (db *DB) Undeliverable(ctx context.Context, d Delivery) error {
	return db.write(ctx, func(t tx) error {
		return errors.Join(t.exec("DELETE FROM deliveries WHERE id = $1 AND activity = $2", d.ID, d.Activity), t.schedule(d.Host))
	})
}

// InboxGone removes all deliveries to an inbox that answered 410. Whether its followers are gone too, their own
// documents must say: they are asked for.
func (db *DB) InboxGone(ctx context.Context, d Delivery) error {
	now := db.now()
	return db.write(ctx, func(t tx) error {
		if err := errors.Join(t.exec("DELETE FROM deliveries WHERE inbox = $1", d.Inbox), t.schedule(d.Host)); err != nil {
			return err
		}
		ids, err := list(t.queryer, scanIRI, "SELECT f.actor FROM followers f JOIN actors a ON a.id = f.actor WHERE a.target = $1 OR a.inbox = $1 LIMIT 1000", d.Inbox)
		for _, id := range ids {
			if err == nil {
				err = t.pull(id, 0, 0, now)
			}
		}
		return err
	})
}

// Retry puts a delivery off. hostDue, when it is not zero, gives its whole host a rest until then.
func (db *DB) Retry(ctx context.Context, d Delivery, due, hostDue time.Time, reason string) error {
	now := db.now()
	return db.write(ctx, func(t tx) error {
		err := t.exec("UPDATE deliveries SET attempts = attempts + 1, due = $1, error = $2 WHERE id = $3 AND activity = $4", ms(due), reason, d.ID, d.Activity)
		if err == nil && !hostDue.IsZero() {
			err = t.exec("UPDATE hosts SET failures = failures + 1, due = $1, error = $2, since = CASE WHEN since = 0 THEN $3 ELSE since END WHERE host = $4",
				ms(hostDue), reason, ms(now), d.Host)
		}
		return errors.Join(err, t.schedule(d.Host))
	})
}

// Trying notes that deliveries are under way, before something is published that asks whether they were ever tried.
func (db *DB) Trying(ctx context.Context, deliveries []Delivery) error {
	return db.write(ctx, func(t tx) (err error) {
		for _, d := range deliveries {
			err = errors.Join(err, t.exec("UPDATE deliveries SET attempts = 1 WHERE id = $1 AND activity = $2 AND attempts = 0", d.ID, d.Activity))
		}
		return err
	})
}

// FanOut is an activity that is on its way to many.
type FanOut struct {
	Activity   thread.IRI `json:"activity"`
	Object     thread.IRI `json:"object"`
	Kind       string     `json:"kind"`
	Recipients int        `json:"recipients"` // inboxes that it was for
	Waiting    int        `json:"waiting"`    // that have yet to answer
	At         time.Time  `json:"at"`
}

// FanOuts lists the activities for more than one inbox that some have yet to get, oldest first.
func (db *DB) FanOuts(ctx context.Context) ([]FanOut, error) {
	return list(db.read(ctx), func(s scanner) (f FanOut, err error) {
		var when int64
		err = s.Scan(&f.Activity, &f.Object, &f.Kind, &f.Recipients, &f.Waiting, &when)
		f.At = at(when)
		return f, err
	}, `SELECT a.id, a.object, a.kind, a.recipients, q.n, a.at FROM (SELECT activity, COUNT(*) AS n FROM deliveries GROUP BY activity) q
		JOIN activities a ON a.id = q.activity WHERE a.recipients > 1 ORDER BY a.at, a.id`)
}
