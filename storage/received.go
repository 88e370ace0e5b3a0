package storage

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"afterword/thread"
)

// Way is how a message came.
type Way string

// The ways in. All pass the same door; they differ in who vouches for the object.
const (
	Push Way = "push" // a sender brought it and signed it
	Pull Way = "pull" // we fetch the object from its own origin
	Fill Way = "fill" // the same, at its host's leisure: nobody waits for it, backfill found it
)

// Message is a row of the ledger: an authentic message about us and what became of it. Two processes may have the same one
// at hand, and once one of them found it to be private, another message may have its number: which it is shows in the object.
type Message struct {
	ID       int64
	Way      Way
	Sender   thread.IRI // Push: the verified sender; else who wrote what Raw keeps
	Proof    string     // Push: key id and algorithm that were verified
	Type     string
	Activity thread.IRI
	Object   thread.IRI
	ReplyTo  thread.IRI
	Raw      []byte // as it arrived; empty for a Pull unless it waits, and once erased
	Received time.Time
	Took     time.Duration // what the fetches cost that it caused so far (fetch.Budget), or that led here
	Depth    int           // Pull: steps above the reply that asked for it
	Thread   thread.IRI    // Fill: the post whose thread is being completed
	WaitsFor thread.IRI    // the comment without which it has no place
	Attempts int
	Decision thread.Decision // empty until there is a verdict
	Reason   string
	Decided  time.Time
	Forward  bool          // not stored: should it change what readers see, the followers get Raw
	Apart    time.Duration // not stored: what the look at a new sender's claim is taken to have cost before it begins
}

const messageColumns = `id, way, sender, proof, type, activity, object, reply_to, raw, received, took, depth, thread, waits_for, attempts, decision, reason, decided`

func scanMessage(s scanner) (Message, error) {
	var m Message
	var received, took, decided int64
	err := s.Scan(&m.ID, &m.Way, &m.Sender, &m.Proof, &m.Type, &m.Activity, &m.Object, &m.ReplyTo, &m.Raw, &received, &took,
		&m.Depth, &m.Thread, &m.WaitsFor, &m.Attempts, &m.Decision, &m.Reason, &decided)
	m.Received, m.Decided, m.Took = at(received), at(decided), time.Duration(took)*time.Millisecond
	return m, err
}

// Receive commits a pushed message and, when its sender's document was fetched to verify it, the sender. known is true
// when the same message came before, byte for byte; then nothing changes, unless it may have been taken back meanwhile. Only
// the door calls this, with a verified sender. The message counts as received at the time of the transaction: what is
// committed after a closing never came before it.
func (db *DB) Receive(ctx context.Context, m Message, sender *Actor) (known bool, err error) {
	err = db.write(ctx, func(t tx) error {
		now := db.now()
		if sender != nil {
			if err := t.meetSender(*sender, m.Apart, now); err != nil {
				return err
			}
		}
		key := pushKey(m)
		n, err := t.insertMessage(m, key, "NOTHING", now)
		if err == nil && n == 0 && slices.Contains(reversible, m.Type) {
			n, err = t.insertAgain(m, key, now)
		}
		known = n == 0
		return err
	})
	return known, err
}

// reversible are the activities that may be done, undone and done again, which is the same to the byte with many servers:
// Misskey's follows and Wafrn's likes have one id for ever.
var reversible = []string{"Follow", "Like", "EmojiReact", "Announce", "Block", "Undo"}

// insertAgain lets a message take the place of the same one, if its sender did or undid something since then.
func (t tx) insertAgain(m Message, key string, now time.Time) (int64, error) {
	n, err := t.affected(`DELETE FROM received WHERE key = $1 AND EXISTS (SELECT 1 FROM received later
		WHERE later.sender = $2 AND later.id > received.id AND later.type IN ('`+strings.Join(reversible, "', '")+`'))`, key, m.Sender)
	if err != nil || n == 0 {
		return 0, err
	}
	return t.insertMessage(m, key, "NOTHING", now)
}

// pushKey tells messages apart. Their ids alone do not: all edits of a comment have the same one with Friendica and Takahē, with
// Hubzilla that of the Create.
func pushKey(m Message) string {
	sum := sha256.Sum256(m.Raw)
	return string(m.Sender) + " " + string(m.Activity) + " " + base64.RawURLEncoding.EncodeToString(sum[:12])
}

// meetSender stores who was just proven to be the sender. What he claims about his name is looked up later.
func (t tx) meetSender(a Actor, took time.Duration, now time.Time) error {
	if err := t.saveActor(a, now); err != nil || a.Claim == "" {
		return err
	}
	confirmed, err := t.has("SELECT 1 FROM actors WHERE id = $1 AND handle = $2", a.ID, a.Claim)
	if err != nil || confirmed {
		return err
	}
	return t.pull(a.ID, 0, took, now)
}

func (t tx) insertMessage(m Message, key, onConflict string, now time.Time) (int64, error) {
	if m.Raw == nil {
		m.Raw = []byte{}
	}
	return t.affected(`INSERT INTO received (key, way, sender, proof, type, activity, object, reply_to, raw, received, depth, host, thread, took, attempts, due)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $10) ON CONFLICT (key) DO `+onConflict,
		key, m.Way, m.Sender, m.Proof, m.Type, m.Activity, m.Object, m.ReplyTo, m.Raw, ms(now), m.Depth, m.Object.Host(), m.Thread, cost(m.Took), m.Attempts)
}

// cost is a cost as it is stored: never less than it was.
func cost(took time.Duration) int64 { return (took + time.Millisecond - 1).Milliseconds() }

// Pull asks for an object to be fetched from its origin and to enter from there. Learning of it cost something, too.
func (db *DB) Pull(ctx context.Context, object thread.IRI, took time.Duration) error {
	now := db.now()
	return db.write(ctx, func(t tx) error { return t.pull(object, 0, took, now) })
}

// pull asks for an object that was heard of at some time, and again when an earlier try came to an end. It counts as
// received when it is fetched.
func (t tx) pull(object thread.IRI, depth int, took time.Duration, heard time.Time) error {
	return t.fetch(Message{Way: Pull, Object: object, Depth: depth, Took: took}, heard)
}

// fetch is pull, or fill. Who is in a hurry overtakes who is not.
func (t tx) fetch(m Message, heard time.Time) error {
	m.Type = "Fetch"
	if m.Way == Fill {
		if err := t.meet(m.Object.Host()); err != nil {
			return err
		}
	}
	_, err := t.insertMessage(m, pullKey(m.Object), `UPDATE SET way = excluded.way, decision = '', raw = excluded.raw, sender = '', due = excluded.due,
		received = excluded.received, attempts = excluded.attempts, took = excluded.took, depth = excluded.depth, thread = excluded.thread, waits_for = ''
		WHERE received.decision NOT IN ('', 'waiting') OR received.decision = '' AND received.way = 'fill' AND excluded.way = 'pull'`, heard)
	return err
}

func pullKey(object thread.IRI) string { return "pull " + string(object) }

// SettleByPull gives a message its verdict and has the object, that it only hinted at, fetched from its origin.
func (db *DB) SettleByPull(ctx context.Context, m Message, object thread.IRI, v thread.Verdict) error {
	now := db.now()
	return db.write(ctx, func(t tx) error {
		return errors.Join(t.pull(object, m.Depth, m.Took, m.Received), t.settle(m, v, now))
	})
}

// Await makes a message wait for the comment above it, which is fetched from its origin. What a pulled one says is kept
// for when it wakes. A message whose parent came since it was looked for stays due instead.
func (db *DB) Await(ctx context.Context, m Message, parent thread.IRI, v thread.Verdict) error {
	now := db.now()
	return db.write(ctx, func(t tx) error {
		if _, err := placeOf(t.queryer, parent); !errors.Is(err, ErrNotFound) {
			if err == nil && m.Way != Push {
				err = t.keep(m)
			}
			return err
		}
		if _, err := commentByID(t.queryer, parent); !errors.Is(err, ErrNotFound) {
			return errors.Join(err, t.strand(m, thread.Verdict{Decision: thread.Orphaned, Reason: "the thread of what it answers was removed"}, now))
		}
		above := Message{Way: m.Way, Object: parent, Depth: m.Depth + 1, Thread: m.Thread, Took: m.Took}
		if m.Way == Pull { // the way up may take so many tries in all
			above.Attempts = m.Attempts
		}
		if m.Way == Push {
			above.Way = Pull
		} else if err := t.keep(m); err != nil {
			return err
		}
		return errors.Join(t.fetch(above, m.Received), t.exec("UPDATE received SET waits_for = $1, reply_to = $1, decision = $2, reason = $3, decided = $4 WHERE id = $5 AND object = $6",
			parent, v.Decision, v.Reason, ms(now), m.ID, m.Object))
	})
}

// Keep stores what was fetched for a message that is not decided about yet.
func (db *DB) Keep(ctx context.Context, m Message) error {
	return db.write(ctx, func(t tx) error { return t.keep(m) })
}

func (t tx) keep(m Message) error {
	return t.exec("UPDATE received SET raw = $1, sender = $2, took = $3, received = $4 WHERE id = $5 AND object = $6", m.Raw, m.Sender, cost(m.Took), ms(m.Received), m.ID, m.Object)
}

// Moved notes that what was asked for by one address has another id, by the word of its own server: whoever waits for
// the one waits for the other.
func (db *DB) Moved(ctx context.Context, m Message, id thread.IRI) error {
	now := db.now()
	return db.write(ctx, func(t tx) error {
		err := errors.Join(t.exec("UPDATE received SET object = $1 WHERE id = $2 AND object = $3", id, m.ID, m.Object),
			t.exec("UPDATE received SET waits_for = $1, reply_to = $1 WHERE waits_for = $2 AND waits_for <> ''", id, m.Object))
		if _, here := placeOf(t.queryer, id); here == nil {
			err = errors.Join(err, t.wake(id, m.Took, now))
		}
		return err
	})
}

// WaitsFor is the comment for which a message about this object waits; empty when none does.
func (db *DB) WaitsFor(ctx context.Context, object thread.IRI) (parent thread.IRI, err error) {
	err = db.read(ctx).row("SELECT waits_for FROM received WHERE object = $1 AND waits_for <> '' LIMIT 1", []any{object}, &parent)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	return parent, err
}

// Strand settles a message whose object does not enter, and strands all that wait for it as orphans. They keep
// waiting, as does the message itself for m.WaitsFor: should what is missing come after all, they wake.
func (db *DB) Strand(ctx context.Context, m Message, v thread.Verdict) error {
	return db.write(ctx, func(t tx) error { return t.strand(m, v, db.now()) })
}

func (t tx) strand(m Message, v thread.Verdict, now time.Time) error {
	missing := []thread.IRI{m.Object}
	for n := 0; len(missing) > 0 && n < maxWalk; n++ {
		below, err := list(t.queryer, scanIRI, `UPDATE received SET decision = $1, reason = $2, decided = $3
			WHERE waits_for = $4 AND waits_for <> '' AND decision = $5 RETURNING object`, thread.Orphaned, "what it answers: "+v.String(), ms(now), missing[0], thread.Waiting)
		if err != nil {
			return err
		}
		missing = append(missing[1:], below...)
	}
	return errors.Join(t.settle(m, v, now), t.exec("UPDATE received SET waits_for = $1 WHERE id = $2 AND object = $3", m.WaitsFor, m.ID, m.Object))
}

// DueMessages lists messages that have yet to be processed, oldest first. The way is written out: as long as it is open
// whether an index for one of them serves, SQLite plans anew each time.
func (db *DB) DueMessages(ctx context.Context, way Way, limit int) ([]Message, error) {
	return list(db.read(ctx), scanMessage,
		"SELECT "+messageColumns+" FROM received WHERE decision = '' AND way = '"+string(way)+"' AND due <= $1 ORDER BY due, id LIMIT $2", ms(db.now()), limit)
}

// NextPull is the message whose object has waited longest to be fetched, of those that are not at these hosts; hosts that did
// not answer when they were last asked come after the others.
func (db *DB) NextPull(ctx context.Context, busy []string) (Message, error) {
	args := []any{ms(db.now()), ""} // no host is empty: there may be none among busy, and PostgreSQL takes no empty list
	for _, host := range busy {
		args = append(args, host)
	}
	return one(db.read(ctx), scanMessage, "SELECT "+messageColumns+` FROM received m LEFT JOIN origins h ON h.host = m.host
		WHERE decision = '' AND way = '`+string(Pull)+`' AND due <= $1 AND m.host NOT IN (`+placeholders(2, len(args)-1)+") ORDER BY COALESCE(h.misses, 0) > 0, due, id LIMIT 1", args...)
}

// Settle gives a message its verdict, and does nothing else.
func (db *DB) Settle(ctx context.Context, m Message, v thread.Verdict) error {
	return db.write(ctx, func(t tx) error { return t.settle(m, v, db.now()) })
}

// settle writes the verdict. What is not public is counted and not kept.
func (t tx) settle(m Message, v thread.Verdict, now time.Time) error {
	if v.Decision == thread.Secret {
		return errors.Join(t.exec("DELETE FROM received WHERE id = $1 AND object = $2", m.ID, m.Object), t.tick(string(thread.Secret)))
	}
	var kind string
	err := t.row("UPDATE received SET decision = $1, reason = $2, decided = $3, waits_for = '' WHERE id = $4 AND object = $5 RETURNING type",
		[]any{v.Decision, v.Reason, ms(now), m.ID, m.Object}, &kind)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	t.verdicts.add(kind, v.Decision)
	return err
}

// Count counts something that is not kept.
func (db *DB) Count(ctx context.Context, name string) error {
	return db.write(ctx, func(t tx) error { return t.tick(name) })
}

func (t tx) tick(name string) error {
	return t.exec("INSERT INTO counts (name, n) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET n = counts.n + 1", name)
}

// Counted is how often Count was called with this name.
func (db *DB) Counted(ctx context.Context, name string) (n int, err error) {
	return n, db.read(ctx).row("SELECT COALESCE(SUM(n), 0) FROM counts WHERE name = $1", []any{name}, &n)
}

// Postpone lets a message be tried again later, because of something that may pass.
func (db *DB) Postpone(ctx context.Context, m Message, due time.Time, reason string) error {
	return db.write(ctx, func(t tx) error {
		return t.exec("UPDATE received SET due = $1, attempts = attempts + 1, took = $2, reason = $3 WHERE id = $4 AND object = $5", ms(due), cost(m.Took), reason, m.ID, m.Object)
	})
}

// Ledger lists messages, newest first: all, or those about one object (a reply's id or its page's URL).
func (db *DB) Ledger(ctx context.Context, object string, limit int) ([]Message, error) {
	return list(db.read(ctx), scanMessage, "SELECT "+messageColumns+` FROM received
		WHERE $1 = '' OR object = $1 OR key = 'pull ' || $1 OR object = (SELECT id FROM comments WHERE url = $1) ORDER BY id DESC LIMIT $2`, object, limit)
}

// Orphans lists the messages that brought a reply which leads to no post, newest first, as long as their text is kept.
func (db *DB) Orphans(ctx context.Context, limit int) ([]Message, error) {
	return list(db.read(ctx), scanMessage, "SELECT "+messageColumns+` FROM received WHERE decision = $1 AND LENGTH(raw) > 0
		AND NOT EXISTS (SELECT 1 FROM comments c WHERE c.id = received.object) ORDER BY id DESC LIMIT $2`, thread.Orphaned, limit)
}

// Message is one row of the ledger.
func (db *DB) Message(ctx context.Context, id int64) (Message, error) {
	return one(db.read(ctx), scanMessage, "SELECT "+messageColumns+" FROM received WHERE id = $1", id)
}

// ErrErased is returned for a message whose text was erased and so cannot be processed again.
var ErrErased = errors.New("its text was erased")

// Replay has a message processed again.
func (db *DB) Replay(ctx context.Context, id int64) error {
	m, err := db.Message(ctx, id)
	if err != nil {
		return err
	}
	if m.Way == Push && len(m.Raw) == 0 {
		return ErrErased
	}
	return db.write(ctx, func(t tx) error {
		return t.exec("UPDATE received SET decision = '', reason = '', attempts = 0, took = 0, due = $1, waits_for = '', raw = CASE WHEN way = 'push' THEN raw ELSE X'' END WHERE id = $2",
			ms(db.now()), id)
	})
}

// Retention is how long the ledger is kept.
const Retention = 30 * 24 * time.Hour

// Prune removes what is past its time: settled messages, ids of deleted unknown objects, activities that everyone got;
// and what is too much before that.
func (db *DB) Prune(ctx context.Context) error {
	old := ms(db.now().Add(-Retention))
	e, err := db.ledgerExcess(ctx, maxLedger, maxTexts)
	if err != nil {
		return err
	}
	strangers, err := db.strangers(ctx, old)
	if err != nil {
		return err
	}
	return db.write(ctx, func(t tx) error {
		return errors.Join(
			t.exec("DELETE FROM received WHERE received < $1 AND decision <> ''", old),
			t.exec("DELETE FROM changes WHERE at < $1", old),
			t.exec("DELETE FROM requests WHERE at < $1 AND NOT EXISTS (SELECT 1 FROM comments c WHERE c.id = reply AND c.state = 'pending')", old),
			t.exec("DELETE FROM tombstones WHERE at < $1 AND id NOT IN (SELECT id FROM comments)", old),
			t.exec("DELETE FROM activities WHERE at < $1 AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.activity = activities.id)", old),
			t.boundLedger(e),
			t.forgetStrangers(strangers),
			t.pruneQueue(db.now()),
			t.pruneChecks(old),
		)
	})
}
