package storage

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"afterword/thread"
)

const commentColumns = `c.id, c.post, c.parent, c.url, c.html, c.warning, c.lang, c.published, c.edited, c.received, c.state, c.unlisted,
	c.likes, c.boosts, c.deleted, c.closed_at, c.imported, c.author, COALESCE(a.name, ''), COALESCE(a.handle, ''), COALESCE(a.url, ''),
	COALESCE(a.avatar, ''), COALESCE(a.picture, ''), COALESCE(a.bot, 0), COALESCE(a.deleted, 0)`

const commentFrom = " FROM comments c LEFT JOIN actors a ON a.id = c.author "

func scanComment(s scanner) (thread.Comment, error) {
	var c thread.Comment
	var published, edited, received, closedAt int64
	err := s.Scan(&c.ID, &c.Post, &c.Parent, &c.URL, &c.HTML, &c.Warning, &c.Lang, &published, &edited, &received, &c.State, &c.Unlisted,
		&c.Likes, &c.Boosts, &c.Deleted, &closedAt, &c.Imported, &c.Author.ID, &c.Author.Name, &c.Author.Handle, &c.Author.URL,
		&c.Author.Avatar, &c.Author.Picture, &c.Author.Bot, &c.Author.Deleted)
	c.Published, c.Edited, c.Received, c.ClosedAt = at(published), at(edited), at(received), at(closedAt)
	return c, err
}

// Comment is the comment with this id, in whatever state.
func (db *DB) Comment(ctx context.Context, id thread.IRI) (thread.Comment, error) {
	return commentByID(db.read(ctx), id)
}

func commentByID(q queryer, id thread.IRI) (thread.Comment, error) {
	return one(q, scanComment, "SELECT "+commentColumns+commentFrom+"WHERE c.id = $1", id)
}

// FindComment is the comment that a blogger means by its id or its page's address. What was deleted has no address.
func (db *DB) FindComment(ctx context.Context, ref string) (thread.Comment, error) {
	found, err := list(db.read(ctx), scanComment, "SELECT "+commentColumns+commentFrom+"WHERE c.id = $1 OR c.url = $1 AND c.url <> '' ORDER BY c.received", ref)
	return meant(found, err, ref, func(c thread.Comment) thread.IRI { return c.ID })
}

// meant is which of those that have this id or address somebody means by it: not one that gives another's page as its own,
// as anybody may, where that other is here.
func meant[T any](found []T, err error, ref string, id func(T) thread.IRI) (T, error) {
	var none T
	if err != nil || len(found) == 0 {
		return none, cmp.Or(err, ErrNotFound)
	}
	closeness := func(v T) int {
		switch {
		case string(id(v)) == ref:
			return 0
		case thread.SameSite(string(id(v)), ref):
			return 1
		}
		return 2
	}
	return slices.MinFunc(found, func(a, b T) int { return closeness(a) - closeness(b) }), nil
}

// ThreadSince lists the comments of a post that came, or changed in what readers see of them, since it had a revision: in
// whatever state they are now. As long as the post is not Recast they are all that is new in its thread.
func (db *DB) ThreadSince(ctx context.Context, post thread.IRI, revision int64) ([]thread.Comment, error) {
	return list(db.read(ctx), scanComment, "SELECT "+commentColumns+commentFrom+"WHERE c.post = $1 AND c.revision > $2 ORDER BY c.revision", post, revision)
}

// Recent is a shown comment with what a list of new ones says about its surroundings.
type Recent struct {
	thread.Comment
	PostURL, PostTitle string
	Replies            int // shown ones directly below; MaxReplies: as many, or more
}

// MaxReplies is how far the replies to a recent comment are counted.
const MaxReplies = 100

const recent = "SELECT " + commentColumns + `, p.url, p.title, (SELECT COUNT(*) FROM (SELECT 1 FROM comments r
		WHERE r.parent = c.id AND r.parent <> '' AND r.state = 'visible' AND r.deleted = 0 LIMIT 100) q)
	FROM comments c JOIN posts p ON p.id = c.post LEFT JOIN actors a ON a.id = c.author
	WHERE c.state = 'visible' AND c.deleted = 0 AND p.removed = 0`

// Recent lists the comments that came last, of all posts.
func (db *DB) Recent(ctx context.Context, limit int) ([]Recent, error) {
	return list(db.read(ctx), scanRecent, recent+" ORDER BY c.received DESC, c.id LIMIT $1", limit)
}

// RecentOf lists the comments of a post that came or changed last: were approved, edited, liked, closed.
func (db *DB) RecentOf(ctx context.Context, post thread.IRI, limit int) ([]Recent, error) {
	return list(db.read(ctx), scanRecent, recent+" AND c.post = $1 ORDER BY c.revision DESC, c.received DESC, c.id LIMIT $2", post, limit)
}

func scanRecent(s scanner) (r Recent, err error) {
	r.Comment, err = scanComment(wider{s, []any{&r.PostURL, &r.PostTitle, &r.Replies}})
	return r, err
}

// wider reads a row that has more columns than the one who scans it knows.
type wider struct {
	row  scanner
	more []any
}

func (w wider) Scan(to ...any) error { return w.row.Scan(append(to, w.more...)...) }

// Comments lists comments of all posts (or of one), newest first; state "" means every state.
func (db *DB) Comments(ctx context.Context, post thread.IRI, state thread.State, limit int) ([]thread.Comment, error) {
	return list(db.read(ctx), scanComment, "SELECT "+commentColumns+commentFrom+
		"WHERE ($1 = '' OR c.post = $1) AND ($2 = '' OR c.state = $2) AND c.deleted = 0 ORDER BY c.received DESC, c.id LIMIT $3", post, state, limit)
}

// DirectReplies lists the ids of the visible replies to a post itself, or to a comment, newest first.
func (db *DB) DirectReplies(ctx context.Context, note thread.IRI, limit, offset int) ([]thread.IRI, error) {
	const shown = " AND state = 'visible' AND deleted = 0 AND imported = 0 "
	return list(db.read(ctx), scanIRI, "SELECT id FROM (SELECT id, published FROM comments WHERE post = $1 AND parent = ''"+shown+
		"UNION ALL SELECT id, published FROM comments WHERE parent = $1"+shown+"ORDER BY published DESC, id) q LIMIT $2 OFFSET $3", note, limit, offset)
}

// AllReplies lists the ids of all visible comments of a post at every depth, oldest first.
func (db *DB) AllReplies(ctx context.Context, post thread.IRI, limit, offset int) ([]thread.IRI, error) {
	return list(db.read(ctx), scanIRI, `SELECT id FROM comments WHERE post = $1 AND state = 'visible' AND deleted = 0
		AND imported = 0 ORDER BY published, id LIMIT $2 OFFSET $3`, post, limit, offset)
}

// CountReplies is how many ids AllReplies lists in all.
func (db *DB) CountReplies(ctx context.Context, post thread.IRI) (n int, err error) {
	err = db.read(ctx).row(`SELECT comments - (SELECT COUNT(*) FROM comments WHERE post = $1 AND imported = 1 AND state = 'visible' AND deleted = 0)
		FROM posts WHERE id = $1`, []any{post}, &n)
	return n, err
}

func scanIRI(s scanner) (v thread.IRI, err error) { return v, s.Scan(&v) }

// Place is where a reply would stand: its post, and the comment above it when there is one.
type Place struct {
	Post           thread.Post
	Parent         thread.IRI // empty: it answers the post itself
	BranchClosedAt time.Time  // the earliest closing of a comment above it
	ParentReceived time.Time  // when the comment above it came
	ParentWithheld bool       // the comment above it is not shown
}

// maxWalk bounds the way up to a post; longer threads are still shown.
const maxWalk = 1000

// PlaceOf finds where a reply to the first of these stands: an id of a post or comment of ours, or the URL of a blog page.
// ErrNotFound means that it is neither.
func (db *DB) PlaceOf(ctx context.Context, inReplyTo ...thread.IRI) (Place, error) {
	return placeAmong(db.read(ctx), inReplyTo)
}

func placeOf(q queryer, inReplyTo thread.IRI) (Place, error) {
	c, err := commentByID(q, inReplyTo)
	switch {
	case errors.Is(err, ErrNotFound):
		p, err := findPost(q, string(inReplyTo))
		return Place{Post: p}, err
	case err != nil:
		return Place{}, err
	case c.State == thread.Orphan || c.Post == "":
		return Place{}, ErrNotFound
	}
	place := Place{Parent: c.ID, BranchClosedAt: c.ClosedAt, ParentReceived: c.Received, ParentWithheld: c.State != thread.Visible}
	if place.Post, err = postByID(q, c.Post); err != nil {
		return place, err
	}
	if !place.Post.Removed.IsZero() {
		return place, ErrNotFound
	}
	place.BranchClosedAt, err = branchClosedAt(q, c)
	return place, err
}

// branchClosedAt looks upwards for the earliest closed comment. Where the way up has no end in sight, it is closed with the
// first branch of its thread that is: nobody gets out of reach by answering himself.
func branchClosedAt(q queryer, c thread.Comment) (time.Time, error) {
	var first, since, steps int64
	err := q.row("SELECT COALESCE(MIN(closed_at), 0) FROM comments WHERE post = $1 AND closed_at > 0", []any{c.Post}, &first)
	if err != nil || first == 0 {
		return time.Time{}, err
	}
	err = q.row(`WITH RECURSIVE up(parent, closed_at, n) AS (SELECT parent, closed_at, 0 FROM comments WHERE id = $1
		UNION ALL SELECT c.parent, c.closed_at, up.n + 1 FROM up JOIN comments c ON c.id = up.parent WHERE up.n < $2)
		SELECT COALESCE(MIN(CASE WHEN closed_at > 0 THEN closed_at END), 0), COALESCE(MAX(n), 0) FROM up`, []any{c.ID, maxWalk}, &since, &steps)
	if steps == maxWalk {
		since = first
	}
	return at(since), err
}

// Known tells whether the id is that of a comment or a living post, or the URL of a page of the blog.
func (db *DB) Known(ctx context.Context, id thread.IRI) (bool, error) {
	q := db.read(ctx)
	if ok, err := q.has("SELECT 1 FROM comments WHERE id = $1", id); err != nil || ok {
		return ok, err
	}
	if ok, err := q.has("SELECT 1 FROM posts WHERE removed = 0 AND id = $1", id); err != nil || ok {
		return ok, err
	}
	page := thread.CanonicalURL(string(id))
	if ok, err := q.has("SELECT 1 FROM posts WHERE removed = 0 AND page = $1 UNION ALL SELECT 1 FROM posts WHERE removed = 0 AND note = $1", page); err != nil || ok {
		return ok, err
	}
	return q.has("SELECT 1 FROM aliases a JOIN posts p ON p.id = a.post WHERE a.page = $1 AND p.removed = 0", page)
}

// KnownAuthor tells whether an account has a comment that is or was shown.
func (db *DB) KnownAuthor(ctx context.Context, author thread.IRI) (bool, error) {
	return db.read(ctx).has("SELECT 1 FROM comments WHERE author = $1 AND state = 'visible' LIMIT 1", author)
}

// Tombstoned tells whether this id was deleted by its author or by the blogger.
func (db *DB) Tombstoned(ctx context.Context, id, author thread.IRI) (bool, error) {
	return db.read(ctx).has("SELECT 1 FROM tombstones WHERE id = $1 AND actor IN ($2, '')", id, author)
}

// AddComment decides about a reply and stores it, in one transaction: admit sees the thread as it is at that moment, so
// a closing that was committed before is never overlooked. No reply counts as received before what it answers. answers is
// what the reply answers; ErrNotFound means that none of it is in a thread of ours, and nothing is done. What is let in
// wakes what waited for it; what is late has a Reject sent, at most one for an account and hour; what is turned away
// strands what waited for it. A comment with that id is left as it is.
func (db *DB) AddComment(ctx context.Context, m Message, c thread.Comment, answers []thread.IRI, admit func(Place) thread.Verdict) error {
	now := db.now()
	return db.write(ctx, func(t tx) error {
		place, err := placeAmong(t.queryer, answers)
		if err != nil {
			return err
		}
		if place.ParentReceived.After(c.Received) { // for which it waited
			c.Received = place.ParentReceived
		}
		v := admit(place)
		c.Post, c.Parent = place.Post.ID, place.Parent
		var stored bool
		if c.State, stored = v.State(); !stored {
			return t.strand(m, v, now)
		}
		added, err := t.addComment(c, now)
		if err != nil {
			return err
		}
		if added && c.State == thread.Late && m.Way != Fill { // nobody brought what backfill found: nobody is told
			err = t.reject(c, now)
		}
		if added && err == nil {
			err = errors.Join(t.arrived(c.ID, m.Took, now), t.forward(m, c.ID, now))
		}
		return errors.Join(err, t.watch(c, m.Way, now), t.settle(m, v, now))
	})
}

// placeAmong is the place of the first of the answered things that is in a thread of ours.
func placeAmong(q queryer, answers []thread.IRI) (Place, error) {
	for _, id := range answers {
		if place, err := placeOf(q, id); !errors.Is(err, ErrNotFound) {
			return place, err
		}
	}
	return Place{}, ErrNotFound
}

// addComment tells whether the comment is new.
func (t tx) addComment(c thread.Comment, now time.Time) (added bool, err error) {
	n, err := t.affected(`INSERT INTO comments (id, post, parent, author, url, html, warning, lang, published, edited, received, state, unlisted, imported, revision)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, COALESCE((SELECT revision + 1 FROM posts WHERE id = $2), 0)) ON CONFLICT (id) DO NOTHING`, c.ID, c.Post, c.Parent, c.Author.ID,
		c.URL, c.HTML, c.Warning, c.Lang, ms(c.Published), ms(c.Edited), ms(c.Received), c.State, flag(c.Unlisted), flag(c.Imported))
	if err != nil || n == 0 {
		return false, err
	}
	if err := errors.Join(t.attach(c), t.enter(c, now), t.wrote(c.Author.ID, now)); err != nil {
		return true, err
	}
	if c.State == thread.Late || c.State == thread.Pending {
		return true, t.boundWaiting(c.State)
	}
	return true, nil
}

// touch has comments shown anew: ThreadSince lists them. Each of their threads changes once.
func (t tx) touch(comments ...thread.IRI) error {
	posts := map[thread.IRI]bool{}
	for _, comment := range comments {
		var post thread.IRI
		err := t.row("UPDATE comments SET revision = COALESCE((SELECT revision + 1 FROM posts WHERE id = comments.post), 0) WHERE id = $1 RETURNING post",
			[]any{comment}, &post)
		if err != nil {
			return err
		}
		posts[post] = true
	}
	for post := range posts {
		if err := t.exec("UPDATE posts SET revision = revision + 1, grown = grown + 1 WHERE id = $1", post); err != nil {
			return err
		}
	}
	return nil
}

// count moves the numbers of a post when a comment enters (+1) or leaves (-1) a state.
func (t tx) count(post thread.IRI, state thread.State, by int) error {
	var shown, late int
	switch state {
	case thread.Visible:
		shown = by
	case thread.Late:
		late = by
	}
	return t.exec("UPDATE posts SET comments = comments + $1, late = late + $2 WHERE id = $3", shown, late, post)
}

// enter moves the numbers of a post for a new comment. The blogger's own do not count for the closing by number.
func (t tx) enter(c thread.Comment, now time.Time) error {
	shown := c.State == thread.Visible
	if shown && !c.Author.Owner {
		if err := t.entered(c.Post, now); err != nil {
			return err
		}
	}
	return t.exec("UPDATE posts SET comments = comments + $1, late = late + $2, revision = revision + 1, grown = grown + 1 WHERE id = $3",
		flag(shown), flag(c.State == thread.Late), c.Post)
}

// entered counts a stranger's comment that was let in.
func (t tx) entered(post thread.IRI, now time.Time) error {
	return t.exec("UPDATE posts SET entered = entered + 1, entered_at = $1 WHERE id = $2", ms(now), post)
}

// arrived wakes what waits for a comment, which need not be fetched any more.
func (t tx) arrived(comment thread.IRI, took time.Duration, now time.Time) error {
	return errors.Join(t.wake(comment, took, now), t.exec("UPDATE received SET decision = $1, reason = 'it came by itself', decided = $2 WHERE key = $3 AND decision = ''",
		thread.Done, ms(now), pullKey(comment)))
}

// wake makes the messages that wait for a comment due again. What they cause from now on, the message caused that brought it:
// they go on from what that one took.
func (t tx) wake(comment thread.IRI, took time.Duration, now time.Time) error {
	return t.exec("UPDATE received SET decision = '', due = $1, took = $2, waits_for = '' WHERE waits_for = $3 AND waits_for <> ''", ms(now), cost(took), comment) // so that the index serves
}

const rejectEvery = time.Hour

// reject has a Reject sent for a late reply (PROTOCOL 0.5).
func (t tx) reject(c thread.Comment, now time.Time) error {
	n, err := t.affected("UPDATE actors SET rejected = $1 WHERE id = $2 AND rejected <= $3", ms(now), c.Author.ID, ms(now.Add(-rejectEvery)))
	if err != nil || n == 0 {
		return err
	}
	return t.change("reject", string(c.ID), nil, now)
}

// maxEdits is how many edits of a comment are carried out in an hour (SECURITY D29).
const maxEdits = 10

// EditComment replaces what readers see of a comment by what its author says now. One edit too many in an hour is put
// off until there is room; of those that were put off, the last one wins.
func (db *DB) EditComment(ctx context.Context, m Message, c thread.Comment, v thread.Verdict) error {
	now := db.now()
	return db.write(ctx, func(t tx) error {
		later, err := t.putOff(m, c.ID, now)
		if err != nil || later {
			return err
		}
		err = t.row(`UPDATE comments SET url = $1, html = $2, warning = $3, lang = $4, edited = $5, unlisted = $6
			WHERE id = $7 AND deleted = 0 RETURNING post, state`,
			[]any{c.URL, c.HTML, c.Warning, c.Lang, ms(c.Edited), flag(c.Unlisted), c.ID}, &c.Post, &c.State)
		if err != nil {
			return err
		}
		return errors.Join(t.touch(c.ID), t.attach(c), t.forward(m, c.ID, now), t.settle(m, v, now))
	})
}

// putOff makes an edit wait if it is one too many, and drops those that waited before it.
func (t tx) putOff(m Message, comment thread.IRI, now time.Time) (later bool, err error) {
	err = t.exec(`UPDATE received SET decision = $1, reason = 'a later edit came', decided = $2
		WHERE object = $3 AND sender = $4 AND way = 'push' AND type = 'Update' AND decision = '' AND id < $5`,
		thread.Ignored, ms(now), comment, m.Sender, m.ID)
	if err != nil || m.Way != Push {
		return false, err
	}
	var tenth int64
	err = t.row(`SELECT decided FROM received WHERE object = $1 AND way = 'push' AND type = 'Update' AND decision = $2 AND decided > $3
		ORDER BY decided DESC LIMIT 1 OFFSET $4`, []any{comment, thread.Done, ms(now.Add(-time.Hour)), maxEdits - 1}, &tenth)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	return true, t.exec("UPDATE received SET due = $1, reason = 'waits: many edits in this hour' WHERE id = $2", ms(at(tenth).Add(time.Hour)), m.ID)
}

// WithdrawComment takes a comment out of sight because it is no longer public; its text is erased.
func (db *DB) WithdrawComment(ctx context.Context, m Message, id thread.IRI, v thread.Verdict) error {
	now := db.now()
	return db.write(ctx, func(t tx) error {
		if err := t.move(id, thread.Hidden); err != nil {
			return err
		}
		if err := t.exec("UPDATE comments SET html = '', warning = '' WHERE id = $1", id); err != nil {
			return err
		}
		return errors.Join(t.detach("comment = $1", id), t.forget(id), t.unwatch(id), t.settle(m, v, now))
	})
}

// DeleteComment carries out an author's deletion: of a known comment, or of one that has yet to come.
func (db *DB) DeleteComment(ctx context.Context, m Message, id thread.IRI, v thread.Verdict) error {
	now := db.now()
	return db.write(ctx, func(t tx) error {
		tell, err := t.mayForward(m, id)
		err = errors.Join(err, t.bury(id, m.Sender, now), t.deleteComment(id))
		if err == nil && tell {
			err = t.change("forward", string(id), m.Raw, now)
		}
		if err != nil {
			return err
		}
		return t.settle(m, v, now)
	})
}

// forward hands a message on to the followers, if it is about a comment that everybody may see.
func (t tx) forward(m Message, comment thread.IRI, now time.Time) error {
	tell, err := t.mayForward(m, comment)
	if err != nil || !tell {
		return err
	}
	return t.change("forward", string(comment), m.Raw, now)
}

func (t tx) mayForward(m Message, comment thread.IRI) (bool, error) {
	if !m.Forward {
		return false, nil
	}
	return t.has("SELECT 1 FROM comments WHERE id = $1 AND state = 'visible' AND unlisted = 0 AND deleted = 0", comment)
}

// deleteComment erases a comment's text. Its row stays as a placeholder for the replies below it.
func (t tx) deleteComment(id thread.IRI) error {
	c, err := commentByID(t.queryer, id)
	if errors.Is(err, ErrNotFound) {
		return t.forget(id)
	}
	if err != nil || c.Deleted {
		return err
	}
	err = t.exec("UPDATE comments SET deleted = 1, html = '', warning = '', url = '', lang = '' WHERE id = $1", id)
	if err != nil {
		return err
	}
	return errors.Join(t.count(c.Post, c.State, -1), t.touch(id), t.detach("comment = $1", id), t.forget(id), t.unwatch(id))
}

// forget erases the raw messages about an object: what its author took back is neither kept in the ledger nor handed on.
func (t tx) forget(object thread.IRI) error {
	*t.erased = true
	return errors.Join(t.exec("DELETE FROM changes WHERE object = $1 AND kind = 'forward'", object),
		t.exec("DELETE FROM deliveries WHERE activity IN (SELECT id FROM activities WHERE object = $1 AND kind = 'forward')", object),
		t.exec("DELETE FROM activities WHERE object = $1 AND kind = 'forward'", object),
		t.exec("UPDATE received SET raw = X'' WHERE object = $1", object),
		t.exec("UPDATE received SET raw = X'' WHERE reply_to = $1 AND type = 'ReplyRequest'", object))
}

// move puts a comment into another state, for a reason that has nothing to do with blocks.
func (t tx) move(id thread.IRI, to thread.State) error {
	c, err := commentByID(t.queryer, id)
	if err != nil {
		return err
	}
	err = t.exec("UPDATE comments SET state = $1, was = '' WHERE id = $2", to, id)
	if err != nil || c.State == to {
		return err
	}
	if c.Deleted { // no longer counted
		return t.touch(id)
	}
	return errors.Join(t.reveal(id, to == thread.Visible), t.count(c.Post, c.State, -1), t.count(c.Post, to, +1), t.touch(id))
}

// RemoveComment erases a comment on the blogger's word.
func (db *DB) RemoveComment(ctx context.Context, id thread.IRI) error {
	return db.write(ctx, func(t tx) error {
		if _, err := commentByID(t.queryer, id); err != nil {
			return err
		}
		err := errors.Join(t.bury(id, "", db.now()), t.deleteComment(id))
		if err == nil && db.IsAnswer(id) {
			err = t.change("delete", string(id), nil, db.now())
		}
		return err
	})
}

func (t tx) bury(id, actor thread.IRI, now time.Time) error {
	return t.exec("INSERT INTO tombstones (id, actor, at) VALUES ($1, $2, $3) ON CONFLICT (id, actor) DO NOTHING", id, actor, ms(now))
}

// Reaction is a like or a boost.
type Reaction string

// The reactions.
const (
	Like  Reaction = "like"
	Boost Reaction = "boost"
)

// React counts one reaction of an account to a post or comment, once.
func (db *DB) React(ctx context.Context, m Message, kind Reaction, v thread.Verdict) error {
	now := db.now()
	return db.write(ctx, func(t tx) error {
		object, err := t.reacted(m.Object)
		if err != nil {
			return err
		}
		n, err := t.affected(`INSERT INTO reactions (actor, object, kind, id, received) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (actor, object, kind) DO NOTHING`, m.Sender, object, kind, m.Activity, ms(now))
		switch {
		case err == nil && n > 0:
			err = t.tally(object, kind, +1)
		case err == nil: // an Undo will name the newest
			err = t.exec("UPDATE reactions SET id = $1 WHERE actor = $2 AND object = $3 AND kind = $4", m.Activity, m.Sender, object, kind)
		}
		if err != nil {
			return err
		}
		return t.settle(m, v, now)
	})
}

// reacted is what is liked or boosted: the post, where it is called by its page.
func (t tx) reacted(object thread.IRI) (thread.IRI, error) {
	p, err := findPost(t.queryer, string(object))
	if errors.Is(err, ErrNotFound) {
		return object, nil
	}
	return p.ID, err
}

func (t tx) tally(object thread.IRI, kind Reaction, by int) error {
	var likes, boosts int
	if kind == Like {
		likes = by
	} else {
		boosts = by
	}
	n, err := t.affected("UPDATE comments SET likes = likes + $1, boosts = boosts + $2 WHERE id = $3", likes, boosts, object)
	if err != nil {
		return err
	}
	if n > 0 {
		return t.touch(object)
	}
	return t.exec("UPDATE posts SET likes = likes + $1, boosts = boosts + $2, revision = revision + 1, grown = grown + 1 WHERE id = $3", likes, boosts, object)
}

// Reacted is an account that likes or boosted something.
type Reacted struct {
	Kind   Reaction
	Actor  thread.IRI
	Handle string // may be empty
}

// Reactions lists who likes or boosted a post or comment, oldest first: for the blogger, nobody else's business.
func (db *DB) Reactions(ctx context.Context, object thread.IRI) ([]Reacted, error) {
	return list(db.read(ctx), func(s scanner) (r Reacted, err error) { return r, s.Scan(&r.Kind, &r.Actor, &r.Handle) },
		`SELECT r.kind, r.actor, COALESCE(a.handle, '') FROM reactions r LEFT JOIN actors a ON a.id = r.actor
		WHERE r.object = $1 ORDER BY r.received, r.actor`, object)
}

// Unreact takes a reaction back.
func (db *DB) Unreact(ctx context.Context, m Message, object thread.IRI, kind Reaction, v thread.Verdict) error {
	now := db.now()
	return db.write(ctx, func(t tx) error {
		object, err := t.reacted(object)
		if err == nil {
			err = t.unreact(m.Sender, object, kind)
		}
		if err != nil {
			return err
		}
		return t.settle(m, v, now)
	})
}

func (t tx) unreact(actor, object thread.IRI, kind Reaction) error {
	n, err := t.affected("DELETE FROM reactions WHERE actor = $1 AND object = $2 AND kind = $3", actor, object, kind)
	if err != nil || n == 0 {
		return err
	}
	return t.tally(object, kind, -1)
}

// ReactionByID finds what an activity of this account reacted to, for an Undo that gives nothing but the id.
func (db *DB) ReactionByID(ctx context.Context, actor, activity thread.IRI) (object thread.IRI, kind Reaction, err error) {
	err = db.read(ctx).row("SELECT object, kind FROM reactions WHERE actor = $1 AND id = $2", []any{actor, activity}, &object, &kind)
	return object, kind, err
}
