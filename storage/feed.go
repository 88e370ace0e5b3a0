package storage

import (
	"context"
	"errors"

	"afterword/thread"
)

// Item is what is known of an item of the feed.
type Item struct {
	Known   bool // it has a post that the world may know; SavePost would update it
	Removed bool // the blogger took its post away, so the feed does not bring it back
}

// FindItem tells what is known of an item. What was removed because the feed and the blog had it no more may come back.
func (db *DB) FindItem(ctx context.Context, d Draft) (i Item, err error) {
	q := db.read(ctx)
	p, err := findDrafted(q, d)
	switch {
	case err == nil:
		i.Known, err = q.has("SELECT 1 FROM posts WHERE id = $1 AND demanded = 0", p.ID)
	case errors.Is(err, ErrNotFound):
		i.Removed, err = q.has(`SELECT 1 FROM posts WHERE removed > 0 AND missing = 0 AND (page = $1 OR guid <> '' AND guid = $2)`,
			thread.CanonicalURL(d.URL), d.GUID)
	}
	return i, err
}

// Missing notes that a reading of the feed had the posts of these guids and no others; without guids, that it was as the
// last time. It lists the posts that were in none of the last so many readings and of whose pages nobody knows yet
// whether they are there; at most limit.
func (db *DB) Missing(ctx context.Context, guids []string, readings, limit int) (posts []thread.Post, err error) {
	from := 0
	if guids == nil {
		from = 1
	}
	err = db.write(ctx, func(t tx) error {
		if err := t.exec("UPDATE posts SET missing = missing + 1 WHERE guid <> '' AND removed = 0 AND missing >= $1", from); err != nil {
			return err
		}
		for _, guid := range guids {
			if err := t.exec("UPDATE posts SET missing = 0 WHERE guid = $1 AND removed = 0 AND missing <> 0", guid); err != nil {
				return err
			}
		}
		posts, err = list(t.queryer, scanPost, "SELECT "+postColumns+" FROM posts WHERE removed = 0 AND missing >= $1 ORDER BY published DESC LIMIT $2", readings, limit)
		return err
	})
	return posts, err
}

// RemoveMissing removes a post that is missing. Other than one that the blogger removed it may come back.
func (db *DB) RemoveMissing(ctx context.Context, post thread.IRI) error {
	return db.write(ctx, func(t tx) error { return t.removePost(post, db.now()) })
}

// Aged notes that a post is only too old for the feed: its page is there.
func (db *DB) Aged(ctx context.Context, post thread.IRI) error {
	return db.write(ctx, func(t tx) error { return t.exec("UPDATE posts SET missing = -1 WHERE id = $1", post) })
}

// findDrafted is the post of a draft's page; or one that the feed calls by the same name, for it has moved there. Where
// the page is one that another post has left, it is a new post's.
func findDrafted(q queryer, d Draft) (thread.Post, error) {
	if d.GUID == "" {
		return findPost(q, d.URL)
	}
	page := thread.CanonicalURL(d.URL)
	p, err := one(q, scanPost, "SELECT "+postColumns+" FROM posts WHERE removed = 0 AND page = $1", page)
	if errors.Is(err, ErrNotFound) {
		p, err = one(q, scanPost, "SELECT "+postColumns+" FROM posts WHERE removed = 0 AND guid = $1 ORDER BY published DESC LIMIT 1", d.GUID)
	}
	return p, err
}

// movedFrom is the post that was at a page before it moved.
func movedFrom(q queryer, page string) (thread.Post, error) {
	return one(q, scanPost, "SELECT "+postColumns+" FROM posts WHERE removed = 0 AND id = (SELECT post FROM aliases WHERE page = $1)", page)
}

// MovedPosts lists the posts whose page is not where it was at first, newest first.
func (db *DB) MovedPosts(ctx context.Context, limit int) ([]thread.Post, error) {
	return list(db.read(ctx), scanPost, "SELECT "+postColumns+" FROM posts WHERE removed = 0 AND id IN (SELECT post FROM aliases) ORDER BY published DESC, id LIMIT $1", limit)
}

// follow lets a post move to the page of a draft that names it by its guid. Its id stays, and its old page leads to it.
func (t tx) follow(p *thread.Post, d Draft) (moved bool, err error) {
	from, to := thread.CanonicalURL(p.URL), thread.CanonicalURL(d.URL)
	if from == to || d.GUID == "" {
		return false, nil
	}
	if same, err := t.has("SELECT 1 FROM posts WHERE id = $1 AND guid = $2", p.ID, d.GUID); err != nil || !same {
		return false, err
	}
	p.URL = d.URL
	return true, errors.Join(
		t.exec("UPDATE posts SET url = $1, page = $2 WHERE id = $3", d.URL, to, p.ID),
		t.exec("DELETE FROM aliases WHERE page = $1", to),
		t.exec("INSERT INTO aliases (page, post) VALUES ($1, $2) ON CONFLICT (page) DO UPDATE SET post = excluded.post", from, p.ID))
}

// nameItem notes what the feed calls a post.
func (t tx) nameItem(post thread.IRI, guid string) error {
	if guid == "" {
		return nil
	}
	return t.exec("UPDATE posts SET guid = $1 WHERE id = $2 AND guid <> $1", guid, post)
}
