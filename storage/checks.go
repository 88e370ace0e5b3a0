package storage

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"afterword/thread"
)

// What completing threads may cost others (PROTOCOL 2e).
const (
	maxRequests = 300              // of a run
	maxObjects  = 200              // that a run may find and have fetched
	cooldown    = 15 * time.Minute // between two runs for one thread, and two looks that nobody but readers asked for
	asksApart   = 5 * time.Second  // between the end of one question to a host and the beginning of the next
	maxMisses   = 3                // questions in a row that a host leaves open before it is left alone
	leftAlone   = 6 * time.Hour
	foundAgain  = 24 * time.Hour // what was fetched in vain is not fetched again sooner because it was found again
	active      = 7 * 24 * time.Hour
)

// ages at which a comment is looked at again; from then on, once in every last one of them.
var ages = []time.Duration{10 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour, 3 * 24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour}

// nextLook is when a comment that is looked at now is looked at again.
func nextLook(since, now time.Time) time.Time {
	for _, age := range ages {
		if since.Add(age).After(now) {
			return since.Add(age)
		}
	}
	return now.Add(ages[len(ages)-1])
}

// Check is a comment that is to be looked at again at its origin, or whose collections are being read.
type Check struct {
	Comment        thread.IRI
	Post           thread.IRI
	Host           string
	ETag, Modified string // of the document when it was last read
	Walk           Walk
}

// Walk is how far the collections of what answers a comment were read, one page in a step. It is stored, so that a
// restart goes on where it was.
type Walk struct {
	Pages    []thread.IRI `json:"pages,omitempty"` // in the order in which they were found; none twice
	Start    int          `json:"start,omitempty"` // how many of them the comment itself names
	Done     int          `json:"done,omitempty"`  // how many were read
	Items    int          `json:"items,omitempty"` // that were listed
	Failures int          `json:"failures,omitempty"`
	Missing  string       `json:"missing,omitempty"` // why it seems to be gone, until its author's document was asked for

	Took time.Duration `json:"took,omitempty"` // what this look cost so far (fetch.Budget)
}

// Next is the page to be read next; empty when the walk is over.
func (w Walk) Next() thread.IRI {
	if w.Done < len(w.Pages) {
		return w.Pages[w.Done]
	}
	return ""
}

// watch puts a new comment on the schedule, and what it answers at the beginning of it: where one answered, others do.
// What backfill found is looked at in the same run.
func (t tx) watch(c thread.Comment, way Way, now time.Time) error {
	due := nextLook(now, now)
	err := t.exec("UPDATE checks SET since = $1, due = CASE WHEN due < $2 THEN due ELSE $2 END WHERE comment = $3", ms(now), ms(due), c.Parent)
	if way == Fill {
		due = now
	}
	return errors.Join(err, t.meet(c.ID.Host()), t.exec(`INSERT INTO checks (comment, post, host, since, due, looked)
		VALUES ($1, $2, $3, $4, $5, $4) ON CONFLICT (comment) DO NOTHING`, c.ID, c.Post, c.ID.Host(), ms(now), ms(due)))
}

// unwatch ends the looks at a comment that was taken back.
func (t tx) unwatch(comment thread.IRI) error {
	return t.exec("DELETE FROM checks WHERE comment = $1", comment)
}

// meet makes sure that an origin has its row.
func (t tx) meet(host string) error {
	return t.exec("INSERT INTO origins (host) VALUES ($1) ON CONFLICT (host) DO NOTHING", host)
}

// inRest is what keeps a row of a thread from being worked on: the rest after its last run. $2 is when that must have
// begun.
const inRest = "EXISTS (SELECT 1 FROM runs r WHERE r.post = q.post AND r.ended > $2)"

// DueChecks lists comments to be looked at: at most one for each host, of hosts that may be asked now.
func (db *DB) DueChecks(ctx context.Context, limit int) ([]Check, error) {
	now := db.now()
	return list(db.read(ctx), func(s scanner) (c Check, err error) {
		var walk string
		if err = s.Scan(&c.Comment, &c.Post, &c.Host, &c.ETag, &c.Modified, &walk); err == nil {
			err = json.Unmarshal([]byte(walk), &c.Walk)
		}
		return c, err
	}, `SELECT c.comment, c.post, c.host, c.etag, c.modified, c.walk FROM origins h JOIN checks c ON c.comment = (
			SELECT q.comment FROM checks q WHERE q.host = h.host AND q.due <= $1 AND NOT `+inRest+` ORDER BY q.due, q.comment LIMIT 1)
		WHERE h.rests <= $1 ORDER BY c.due LIMIT $3`, ms(now), ms(now.Add(-cooldown)), limit)
}

// DueFills lists objects that backfill found and that are to be fetched: as DueChecks.
func (db *DB) DueFills(ctx context.Context, limit int) ([]Message, error) {
	now := db.now()
	return list(db.read(ctx), scanMessage, `SELECT `+messageColumns+` FROM origins h JOIN received m ON m.id = (
			SELECT q.id FROM (SELECT id, host, due, thread AS post FROM received WHERE decision = '' AND way = 'fill') q
			WHERE q.host = h.host AND q.due <= $1 AND NOT `+inRest+` ORDER BY q.due, q.id LIMIT 1)
		WHERE h.rests <= $1 ORDER BY m.due LIMIT $3`, ms(now), ms(now.Add(-cooldown)), limit)
}

// Spend takes one request from what a run for this thread may cost, beginning a run if need be. ok is false when
// nothing is left of it.
func (db *DB) Spend(ctx context.Context, post thread.IRI) (ok bool, err error) {
	now := db.now()
	err = db.write(ctx, func(t tx) error {
		if err := t.exec("INSERT INTO runs (post) VALUES ($1) ON CONFLICT (post) DO NOTHING", post); err != nil {
			return err
		}
		err := t.exec("UPDATE runs SET ended = 0, requests = 0, objects = 0 WHERE post = $1 AND ended > 0 AND ended <= $2", post, ms(now.Add(-cooldown)))
		if err != nil {
			return err
		}
		n, err := t.affected("UPDATE runs SET requests = requests + 1 WHERE post = $1 AND ended = 0 AND requests < $2", post, maxRequests)
		if ok = n > 0; err != nil || ok {
			return err
		}
		return t.exec("UPDATE runs SET ended = $1 WHERE post = $2 AND ended = 0", ms(now), post)
	})
	return ok, err
}

// EndRun ends the run for a thread when nothing is left to be done in it. What waits for a host that is being left alone
// does not count.
func (db *DB) EndRun(ctx context.Context, post thread.IRI) error {
	now := db.now()
	soon := ms(now.Add(time.Minute))
	over, err := db.read(ctx).has(`SELECT 1 FROM runs WHERE post = $1 AND ended = 0
		AND NOT EXISTS (SELECT 1 FROM checks c JOIN origins h ON h.host = c.host WHERE c.post = $1 AND c.due <= $2 AND h.rests <= $3)
		AND NOT EXISTS (SELECT 1 FROM received m JOIN origins h ON h.host = m.host
			WHERE m.decision = '' AND m.way = 'fill' AND m.thread = $1 AND m.due <= $2 AND h.rests <= $3)`, post, ms(now), soon)
	if err != nil || !over {
		return err
	}
	return db.write(ctx, func(t tx) error {
		return t.exec("UPDATE runs SET ended = $1 WHERE post = $2 AND ended = 0", ms(now), post)
	})
}

// Looked notes what came of a step at a comment. It goes on at once while there are pages to be read, else at its time,
// or not before again when that is later.
func (db *DB) Looked(ctx context.Context, c Check, again time.Time) error {
	now := db.now()
	walk, err := json.Marshal(c.Walk)
	if err != nil {
		return err
	}
	return db.write(ctx, func(t tx) error {
		var since int64
		err := t.row("SELECT since FROM checks WHERE comment = $1", []any{c.Comment}, &since)
		if errors.Is(err, ErrNotFound) { // deleted meanwhile
			return nil
		} else if err != nil {
			return err
		}
		due := now
		if c.Walk.Next() == "" && c.Walk.Missing == "" {
			due = nextLook(at(since), now)
		}
		if again.After(now) {
			due = again
		}
		return t.exec("UPDATE checks SET due = $1, looked = $2, etag = $3, modified = $4, walk = $5 WHERE comment = $6",
			ms(due), ms(now), c.ETag, c.Modified, string(walk), c.Comment)
	})
}

// Found has those objects fetched that are neither known nor were fetched lately, as many as the run may have. An orphan that
// a message led to may have found its place by now, or cost that message too much.
func (db *DB) Found(ctx context.Context, post thread.IRI, ids []thread.IRI) error {
	now := db.now()
	var unknown []thread.IRI
	for _, id := range ids {
		const lately = " AND (decision IN ('', 'waiting') OR decided > $2 AND (way <> 'pull' OR decision <> 'orphan')) "
		known, err := db.read(ctx).has("SELECT 1 FROM comments WHERE id = $1 UNION ALL SELECT 1 FROM received WHERE object = $1"+lately+
			"UNION ALL SELECT 1 FROM received WHERE key = $3"+lately+"LIMIT 1", id, ms(now.Add(-foundAgain)), pullKey(id))
		if err != nil {
			return err
		}
		if !known && !slices.Contains(unknown, id) {
			unknown = append(unknown, id)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	return db.write(ctx, func(t tx) error {
		var objects int
		err := t.row("INSERT INTO runs (post) VALUES ($1) ON CONFLICT (post) DO UPDATE SET post = excluded.post RETURNING objects", []any{post}, &objects)
		if err != nil {
			return err
		}
		unknown = unknown[:max(0, min(len(unknown), maxObjects-objects))]
		for _, id := range unknown {
			if err := t.fetch(Message{Way: Fill, Object: id, Thread: post}, now); err != nil {
				return err
			}
		}
		return t.exec("UPDATE runs SET objects = objects + $1 WHERE post = $2", len(unknown), post)
	})
}

// Recheck opens a message about a comment of which its origin says something new, so that the ledger tells what became
// of it.
func (db *DB) Recheck(ctx context.Context, c Check) (m Message, err error) {
	now := db.now()
	err = db.write(ctx, func(t tx) error {
		if err := t.fetch(Message{Way: Fill, Object: c.Comment, Thread: c.Post}, now); err != nil {
			return err
		}
		m, err = one(t.queryer, scanMessage, "SELECT "+messageColumns+" FROM received WHERE key = $1", pullKey(c.Comment))
		return err
	})
	return m, err
}

// Asked notes that a host was asked. It is left alone for a while: a moment after an answer, wait or more after none.
func (db *DB) Asked(ctx context.Context, host string, answered bool, wait time.Duration) error {
	now := db.now()
	return db.write(ctx, func(t tx) error {
		if err := t.meet(host); err != nil || answered {
			return errors.Join(err, t.exec("UPDATE origins SET misses = 0, rests = $1 WHERE host = $2", ms(now.Add(asksApart)), host))
		}
		return t.exec("UPDATE origins SET misses = misses + 1, rests = CASE WHEN misses + 1 >= $1 THEN $2 ELSE $3 END WHERE host = $4",
			maxMisses, ms(now.Add(max(wait, leftAlone))), ms(now.Add(max(wait, ages[0]))), host)
	})
}

// pruneChecks drops what says nothing any more of runs and origins.
func (t tx) pruneChecks(old int64) error {
	return errors.Join(t.exec("DELETE FROM runs WHERE ended > 0 AND ended < $1", old),
		t.exec(`DELETE FROM origins WHERE rests < $1 AND NOT EXISTS (SELECT 1 FROM checks c WHERE c.host = origins.host)
			AND NOT EXISTS (SELECT 1 FROM received m WHERE m.decision = '' AND m.way = 'fill' AND m.host = origins.host)`, old))
}

// Depth is how far below its post a comment stands, 0 at top level; max at the most.
func (db *DB) Depth(ctx context.Context, comment thread.IRI, max int) (depth int, err error) {
	err = db.read(ctx).row(`WITH RECURSIVE up(parent, n) AS (SELECT parent, 0 FROM comments WHERE id = $1
		UNION ALL SELECT c.parent, up.n + 1 FROM comments c JOIN up ON c.id = up.parent WHERE up.n < $2)
		SELECT COALESCE(MAX(n), 0) FROM up`, []any{comment, max}, &depth)
	return depth, err
}

// visits are the threads that readers opened of late.
type visits struct {
	mu    sync.Mutex          // guards what follows
	since time.Time           // seen has all from then on
	seen  map[thread.IRI]bool // whether it was taken
}

// Opened notes that a reader opened a thread. It is called for every page that is served, so it costs next to nothing:
// the note is kept in memory until backfill takes it, one for each post and quarter of an hour.
func (db *DB) Opened(post thread.IRI) {
	v, now := &db.opened, db.now()
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.seen == nil || now.Sub(v.since) >= cooldown {
		v.since, v.seen = now, map[thread.IRI]bool{}
	}
	if _, noted := v.seen[post]; !noted {
		v.seen[post] = false
	}
}

// TakeOpened are the posts that readers opened since it was last called.
func (db *DB) TakeOpened() (posts []thread.IRI) {
	v := &db.opened
	v.mu.Lock()
	defer v.mu.Unlock()
	for post, taken := range v.seen {
		if !taken {
			v.seen[post] = true
			posts = append(posts, post)
		}
	}
	return posts
}

// BringForward makes those comments of a thread due that were not looked at for some time: a tenth of their age, and not
// less than the rest between two runs. So what is old is seldom asked for, however many read it.
func (db *DB) BringForward(ctx context.Context, post thread.IRI) error {
	now := db.now()
	const those = " WHERE post = $1 AND due > $2 AND looked <= $3 AND ($2 - looked) * 10 >= $2 - since"
	args := []any{post, ms(now), ms(now.Add(-cooldown))}
	some, err := db.read(ctx).has("SELECT 1 FROM checks"+those+" LIMIT 1", args...)
	if err != nil || !some {
		return err
	}
	return db.write(ctx, func(t tx) error { return t.exec("UPDATE checks SET due = $2"+those, args...) })
}

// BringActiveForward does so for every comment of the threads where one came lately. It is for when we were away.
func (db *DB) BringActiveForward(ctx context.Context) error {
	now := db.now()
	return db.write(ctx, func(t tx) error {
		return t.exec(`UPDATE checks SET due = $1 WHERE due > $1 AND looked <= $2
			AND post IN (SELECT post FROM comments WHERE received > $3)`, ms(now), ms(now.Add(-cooldown)), ms(now.Add(-active)))
	})
}
