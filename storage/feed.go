package storage

import (
	"context"
	"errors"

	"afterword/thread"
)

// SetSetting keeps a value under a name. Setting reads it.
func (db *DB) SetSetting(ctx context.Context, name, value string) error {
	return db.write(ctx, func(t tx) error {
		return t.exec("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value)
	})
}

// FindItem is the post that SavePost would update with this draft. When there is none, one that was removed is found, so
// that the feed does not bring back what the blogger took away.
func (db *DB) FindItem(ctx context.Context, d Draft) (thread.Post, error) {
	q := db.read(ctx)
	p, err := findDrafted(q, d)
	if errors.Is(err, ErrNotFound) {
		return one(q, scanPost, "SELECT "+postColumns+` FROM posts WHERE removed > 0 AND (page = $1 OR guid <> '' AND guid = $2)
			ORDER BY removed DESC LIMIT 1`, thread.CanonicalURL(d.URL), d.GUID)
	}
	return p, err
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
