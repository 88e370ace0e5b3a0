package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"afterword/thread"
)

const postColumns = `id, url, title, summary, content, lang, tags, pictures, warning, unlisted, published, updated, removed, closes_at, reopened,
	comments, likes, boosts, late, revision, revision - grown, entered, entered_at,
	COALESCE((SELECT CAST(value AS BIGINT) FROM settings WHERE name = 'closed_at'), 0)`

func scanPost(s scanner) (thread.Post, error) {
	var p thread.Post
	var tags, pictures string
	var published, updated, removed, closesAt, enteredAt, blogClosedAt int64
	err := s.Scan(&p.ID, &p.URL, &p.Title, &p.Summary, &p.Content, &p.Lang, &tags, &pictures, &p.Warning, &p.Unlisted, &published, &updated, &removed,
		&closesAt, &p.Reopened, &p.Comments, &p.Likes, &p.Boosts, &p.Late, &p.Revision, &p.Recast, &p.Entered, &enteredAt, &blogClosedAt)
	if err != nil {
		return p, err
	}
	p.Published, p.Updated, p.Removed, p.ClosesAt = at(published), at(updated), at(removed), at(closesAt)
	p.LastEntered, p.BlogClosedAt = at(enteredAt), at(blogClosedAt)
	return p, errors.Join(json.Unmarshal([]byte(tags), &p.Tags), json.Unmarshal([]byte(pictures), &p.Pictures))
}

// Post is the post with this id, also when it was removed.
func (db *DB) Post(ctx context.Context, id thread.IRI) (thread.Post, error) {
	return postByID(db.read(ctx), id)
}

func postByID(q queryer, id thread.IRI) (thread.Post, error) {
	return one(q, scanPost, "SELECT "+postColumns+" FROM posts WHERE id = $1", id)
}

// FindPost is the post that a blogger or reader means by a string: its id, or its page's URL in any spelling.
// A page where a post was before it moved will do too. Removed posts are not found.
func (db *DB) FindPost(ctx context.Context, ref string) (thread.Post, error) {
	return findPost(db.read(ctx), ref)
}

func findPost(q queryer, ref string) (thread.Post, error) {
	p, err := one(q, scanPost, "SELECT "+postColumns+" FROM posts WHERE removed = 0 AND id = $1", ref)
	page := thread.CanonicalURL(ref)
	if errors.Is(err, ErrNotFound) {
		p, err = one(q, scanPost, "SELECT "+postColumns+" FROM posts WHERE id IN (SELECT id FROM posts WHERE removed = 0 AND page = $1 UNION SELECT id FROM posts WHERE removed = 0 AND note = $1)", page)
	}
	if errors.Is(err, ErrNotFound) {
		return movedFrom(q, page)
	}
	return p, err
}

// Posts lists the posts that exist, newest first.
func (db *DB) Posts(ctx context.Context, limit, offset int) ([]thread.Post, error) {
	return list(db.read(ctx), scanPost,
		"SELECT "+postColumns+" FROM posts WHERE removed = 0 ORDER BY published DESC, id LIMIT $1 OFFSET $2", limit, offset)
}

// Featured lists the ids of the posts that a newcomer is to see first, newest first: none that are unlisted, and what was
// only asked for (an "about" page) after what the feed brought.
func (db *DB) Featured(ctx context.Context, limit int) ([]thread.IRI, error) {
	return list(db.read(ctx), scanIRI, "SELECT id FROM posts WHERE removed = 0 AND unlisted = 0 ORDER BY demanded, published DESC, id LIMIT $1", limit)
}

// CountPosts is how many posts exist, and how many comments are shown under them.
func (db *DB) CountPosts(ctx context.Context) (posts, comments int, err error) {
	err = db.read(ctx).row("SELECT COUNT(*), COALESCE(SUM(comments), 0) FROM posts WHERE removed = 0", nil, &posts, &comments)
	return posts, comments, err
}

// Draft is what is known of a post that is to be saved.
type Draft struct {
	URL       string
	GUID      string // what the feed calls it; empty: it did not come from a feed
	Title     string
	Summary   string // safe HTML
	Content   string // safe HTML
	Lang      string
	Tags      []string
	Pictures  []thread.Picture
	Warning   string    // content warning; a feed says nothing about it, so its drafts leave it as it is
	Unlisted  bool      // likewise
	Published time.Time // zero: now, or unchanged
	Demanded  bool      // somebody asked for its page; no feed has listed it yet
	Closed    bool      // close its thread as well
	Quiet     bool      // tell nobody
}

// Saved says what SavePost did.
type Saved string

// The outcomes of SavePost.
const (
	Created   Saved = "created"
	Updated   Saved = "updated"
	Unchanged Saved = "unchanged"
)

// SavePost creates the post of a page, or updates it when something of it changed. The world is told, unless the
// draft is quiet. Saving the same draft twice changes nothing the second time. A post that was only demanded so far is
// new to the world when the feed brings it.
func (db *DB) SavePost(ctx context.Context, d Draft) (p thread.Post, saved Saved, err error) {
	if thread.CanonicalURL(d.URL) == "" {
		return p, "", fmt.Errorf("%q is not the address of a page: it must begin with https:// or http://", d.URL)
	}
	d.Tags = slices.Compact(slices.Sorted(slices.Values(d.Tags)))
	err = db.write(ctx, func(t tx) error {
		p, err = findDrafted(t.queryer, d)
		if errors.Is(err, ErrNotFound) {
			saved = Created
			p, err = t.createPost(db.base, d, db.now())
			return err
		}
		if err != nil || d.Demanded {
			saved = Unchanged
			return err
		}
		saved, err = t.updatePost(&p, d, db.now())
		return errors.Join(err, t.nameItem(p.ID, d.GUID))
	})
	return p, saved, err
}

func (t tx) createPost(base string, d Draft, now time.Time) (p thread.Post, err error) {
	id, err := t.freeID(base, d.URL)
	if err != nil {
		return p, err
	}
	p = thread.Post{ID: id, URL: d.URL, Published: now, Revision: 1}
	d.describe(&p)
	p.Warning, p.Unlisted = d.Warning, d.Unlisted
	if d.Closed {
		p.ClosesAt = now
	}
	err = t.exec(`INSERT INTO posts (id, url, page, note, guid, title, summary, content, lang, tags, pictures, warning, unlisted, demanded, published, closes_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`, p.ID, p.URL, thread.CanonicalURL(p.URL),
		thread.CanonicalURL(string(p.ID)), d.GUID, p.Title, p.Summary, p.Content, p.Lang, jsonList(p.Tags), jsonList(p.Pictures), p.Warning,
		flag(p.Unlisted), flag(d.Demanded), ms(p.Published), ms(p.ClosesAt))
	if err == nil && !d.Quiet {
		err = t.change("create", string(p.ID), nil, now)
	}
	return p, err
}

// describe makes a post say what a draft says.
func (d Draft) describe(p *thread.Post) {
	p.Title, p.Summary, p.Content, p.Lang, p.Tags, p.Pictures = d.Title, d.Summary, d.Content, d.Lang, d.Tags, d.Pictures
	if d.GUID == "" {
		p.Warning, p.Unlisted = d.Warning, d.Unlisted
	}
	if !d.Published.IsZero() {
		p.Published = d.Published
	}
}

// freeID is the first id of a page that was never given (PROTOCOL 0.7: an id is never reused).
func (t tx) freeID(base, page string) (thread.IRI, error) {
	var earlier int
	if err := t.row("SELECT COUNT(*) FROM posts WHERE page = $1", []any{thread.CanonicalURL(page)}, &earlier); err != nil {
		return "", err
	}
	for times := earlier + 1; ; times++ {
		id, err := thread.NoteID(base, page, times)
		if err != nil {
			return "", err
		}
		if taken, err := t.has("SELECT 1 FROM posts WHERE id = $1", id); err != nil || !taken {
			return id, err
		}
	}
}

func (t tx) updatePost(p *thread.Post, d Draft, now time.Time) (saved Saved, err error) {
	if d.Closed && (p.ClosesAt.IsZero() || p.ClosesAt.After(now)) {
		if err := t.closeThread(p.ID, now, now, !d.Quiet); err != nil {
			return "", err
		}
		p.ClosesAt = now
	}
	moved, err := t.follow(p, d)
	if err != nil {
		return "", err
	}
	demanded, err := t.affected("UPDATE posts SET demanded = 0 WHERE id = $1 AND demanded = 1", p.ID)
	if err != nil {
		return "", err
	}
	before := *p
	d.describe(p)
	kind := "update"
	switch saved = Updated; {
	case demanded > 0:
		kind, saved = "create", Created
	case !moved && samePost(before, *p):
		return Unchanged, nil
	}
	if p.Updated = now; now.Sub(before.Updated) < time.Second {
		p.Updated = before.Updated.Add(time.Second) // see movedOn
	}
	err = t.exec(`UPDATE posts SET title = $1, summary = $2, content = $3, lang = $4, tags = $5, pictures = $6, warning = $7, unlisted = $8,
		published = $9, updated = $10, revision = revision + 1, grown = grown + 1 WHERE id = $11`, p.Title, p.Summary, p.Content, p.Lang, jsonList(p.Tags),
		jsonList(p.Pictures), p.Warning, flag(p.Unlisted), ms(p.Published), ms(p.Updated), p.ID)
	if err == nil && !d.Quiet {
		err = t.change(kind, string(p.ID), nil, now)
	}
	return saved, err
}

// samePost tells whether two states of a post say the same.
func samePost(a, b thread.Post) bool {
	return a.Title == b.Title && a.Summary == b.Summary && a.Content == b.Content && a.Lang == b.Lang && slices.Equal(a.Tags, b.Tags) &&
		slices.Equal(a.Pictures, b.Pictures) && a.Warning == b.Warning && a.Unlisted == b.Unlisted && a.Published.UnixMilli() == b.Published.UnixMilli()
}

func jsonList[T any](list []T) string {
	if len(list) == 0 {
		return "[]"
	}
	text, _ := json.Marshal(list) // what we list always marshals
	return string(text)
}

// RemovePost removes a post and tells the world. Its comments are no longer shown; its id is never given again.
func (db *DB) RemovePost(ctx context.Context, id thread.IRI) error {
	return db.write(ctx, func(t tx) error {
		return errors.Join(t.exec("UPDATE posts SET missing = 0 WHERE id = $1", id), t.removePost(id, db.now()))
	})
}

func (t tx) removePost(id thread.IRI, now time.Time) error {
	n, err := t.affected("UPDATE posts SET removed = $1, revision = revision + 1 WHERE id = $2 AND removed = 0", ms(now), id)
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrNotFound
	}
	return errors.Join(t.detach("post = $1", id), t.change("delete", string(id), nil, now))
}

// CloseThread closes a post's thread at a moment; zero is now, by the clock of the transaction, so that every message is
// before or after the closing in the order of the commits. The world is told unless the moment is yet to come. What was
// closed by hand already stays as it is, whoever was quicker.
func (db *DB) CloseThread(ctx context.Context, id thread.IRI, when time.Time) error {
	return db.write(ctx, func(t tx) error {
		now := db.now()
		if when.IsZero() {
			when = now
		}
		return t.closeThread(id, when, now, !when.After(now))
	})
}

// movedOn is what the time of the last change becomes by a change at $1: others compare whole seconds, and what has the second
// that they know is no news to them (PROTOCOL 1d).
func movedOn(column string) string {
	return column + " = CASE WHEN " + column + " > $1 - 1000 THEN " + column + " + 1000 ELSE $1 END"
}

// closeThread leaves it at a reopening by hand until its moment: age and number close no earlier.
func (t tx) closeThread(id thread.IRI, when, now time.Time, tell bool) error {
	n, err := t.affected("UPDATE posts SET closes_at = $2, reopened = CASE WHEN $2 > $1 THEN reopened ELSE 0 END, "+movedOn("updated")+`, revision = revision + 1,
		grown = grown + 1 WHERE id = $3 AND removed = 0 AND (closes_at = 0 OR closes_at > $1)`, ms(now), ms(when), id)
	switch {
	case err != nil:
		return err
	case n == 0:
		return t.mustLive(id)
	case !tell:
		return nil
	}
	return t.change("update", string(id), nil, now)
}

// mustLive is ErrNotFound when there is no such post, or no more.
func (t tx) mustLive(post thread.IRI) error {
	there, err := t.has("SELECT 1 FROM posts WHERE id = $1 AND removed = 0", post)
	if err == nil && !there {
		err = ErrNotFound
	}
	return err
}

// ReopenThread opens a closed thread again, also one that was closed by age, and tells the world. What was reopened by hand
// already stays as it is.
func (db *DB) ReopenThread(ctx context.Context, id thread.IRI) error {
	return db.write(ctx, func(t tx) error {
		now := db.now()
		n, err := t.affected("UPDATE posts SET closes_at = 0, reopened = 1, "+movedOn("updated")+`, revision = revision + 1, grown = grown + 1
			WHERE id = $2 AND removed = 0 AND (closes_at > 0 OR reopened = 0)`, ms(now), id)
		switch {
		case err != nil:
			return err
		case n == 0:
			return t.mustLive(id)
		}
		return t.change("update", string(id), nil, now)
	})
}

// CloseAll closes every thread of the blog, those of posts to come too, until ReopenAll; a zero moment is now. Threads
// that are closed for themselves stay so then.
func (db *DB) CloseAll(ctx context.Context, when time.Time) error {
	return db.write(ctx, func(t tx) error {
		if when.IsZero() {
			when = db.now()
		}
		err := t.exec("INSERT INTO settings (name, value) VALUES ('closed_at', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value", ms(when))
		return errors.Join(err, t.exec("UPDATE posts SET revision = revision + 1, grown = grown + 1 WHERE removed = 0"))
	})
}

// ReopenAll ends CloseAll; ErrNotFound when there is nothing to end.
func (db *DB) ReopenAll(ctx context.Context) error {
	return db.write(ctx, func(t tx) error {
		err := t.mustExec("DELETE FROM settings WHERE name = 'closed_at'")
		return errors.Join(err, t.exec("UPDATE posts SET revision = revision + 1, grown = grown + 1 WHERE removed = 0"))
	})
}

// AllClosed is since when every thread of the blog is closed; zero when they are not.
func (db *DB) AllClosed(ctx context.Context) (time.Time, error) {
	var since int64
	err := db.read(ctx).row("SELECT COALESCE(MAX(CAST(value AS BIGINT)), 0) FROM settings WHERE name = 'closed_at'", nil, &since)
	return at(since), err
}

// AnnounceStates finds the threads that closed or opened without a word about them (at their time, by age or number,
// or all at once), and of which the world was told something else; at most 100 at once. It tells how many there were.
func (db *DB) AnnounceStates(ctx context.Context, rules thread.Rules) (n int, err error) {
	now := db.now()
	byAge, full := int64(-1<<62), int64(1<<62)
	if rules.CloseAfter > 0 {
		byAge = ms(now.Add(-rules.CloseAfter))
	}
	if rules.CloseAfterComments > 0 {
		full = int64(rules.CloseAfterComments)
	}
	const closed = `(closes_at > 0 AND closes_at <= $1 OR reopened = 0 AND (published <= $2 OR entered >= $3)
		OR EXISTS (SELECT 1 FROM settings WHERE name = 'closed_at' AND CAST(value AS BIGINT) <= $1))`
	const due = `removed = 0 AND (told IN ('open', 'moderated') AND ` + closed + ` OR told = 'closed' AND NOT ` + closed + `)
		AND NOT EXISTS (SELECT 1 FROM changes WHERE object = posts.id)`
	if some, err := db.read(ctx).has("SELECT 1 FROM posts WHERE "+due+" LIMIT 1", ms(now), byAge, full); err != nil || !some {
		return 0, err
	}
	err = db.write(ctx, func(t tx) error {
		ids, err := list(t.queryer, scanString, "UPDATE posts SET "+movedOn("updated")+", revision = revision + 1, grown = grown + 1 WHERE id IN (SELECT id FROM posts WHERE "+due+
			" LIMIT 100) RETURNING id", ms(now), byAge, full)
		for _, id := range ids {
			if err == nil {
				err = t.change("update", id, nil, now)
			}
		}
		n = len(ids)
		return err
	})
	return n, err
}

func scanString(s scanner) (v string, err error) { return v, s.Scan(&v) }

// CloseBranch closes a comment and everything below it at a moment; zero is now.
func (db *DB) CloseBranch(ctx context.Context, comment thread.IRI, when time.Time) error {
	return db.write(ctx, func(t tx) error {
		if when.IsZero() {
			when = db.now()
		}
		return t.setBranch(db, comment, when)
	})
}

// ReopenBranch opens a closed branch again.
func (db *DB) ReopenBranch(ctx context.Context, comment thread.IRI) error {
	return db.write(ctx, func(t tx) error { return t.setBranch(db, comment, time.Time{}) })
}

// setBranch has the world told only where the branch begins with the blog's own answer: nobody else's is ours to tell of.
func (t tx) setBranch(db *DB, comment thread.IRI, closed time.Time) error {
	err := t.mustExec("UPDATE comments SET closed_at = $1 WHERE id = $2 AND post <> ''", ms(closed), comment)
	if err == nil && db.IsAnswer(comment) {
		err = t.change("update", string(comment), nil, db.now())
	}
	if err != nil {
		return err
	}
	return t.touch(comment)
}

// change writes what the world should know. Publish renders it from the rows as they are then.
func (t tx) change(kind, object string, data []byte, now time.Time) error {
	if data == nil {
		data = []byte{}
	}
	return t.exec("INSERT INTO changes (kind, object, data, at) VALUES ($1, $2, $3, $4)", kind, object, data, ms(now))
}

// placeholders is "$from, $from+1, …" for n arguments.
func placeholders(from, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", from+i)
	}
	return b.String()
}
