package storage

import (
	"context"
	"errors"
	"slices"
	"time"

	"afterword/thread"
)

// Pictures within comments. A row of attachments is the address of one that its comment links to, kept whether or not
// pictures are shown, so that they can be later. It is fetched only as long as its comment is shown (due > 0), and what was
// made of it is erased as soon as it no longer is. The words beside it are in the comment's HTML and nowhere else.

// maxAttached is how many pictures of one comment are shown.
const maxAttached = 4

// attachmentsAtOnce is how many pictures are fetched before the threads that they belong to are made anew.
const attachmentsAtOnce = 8

// NextAttachments are addresses of pictures within shown comments that are due to be fetched; none when nothing is.
func (db *DB) NextAttachments(ctx context.Context) ([]string, error) {
	due, err := list(db.read(ctx), scanString, "SELECT address FROM attachments WHERE due > 0 AND due <= $1 ORDER BY due, address LIMIT $2",
		ms(db.now()), attachmentsAtOnce)
	return slices.Compact(due), err
}

// SaveAttachments keeps what was found, for all shown comments that link there.
func (db *DB) SaveAttachments(ctx context.Context, found []Found) error {
	now := db.now()
	return db.write(ctx, func(t tx) error {
		var changed []thread.IRI
		for _, a := range found {
			comments, err := t.saveAttachment(a, now)
			if err != nil {
				return err
			}
			changed = append(changed, comments...)
		}
		return errors.Join(t.touch(changed...), t.boundPictures(now.Add(retryDropped)))
	})
}

// saveAttachment tells which comments look different now.
func (t tx) saveAttachment(a Found, now time.Time) (changed []thread.IRI, err error) {
	const those = " WHERE address = $1 AND due > 0"
	if a.Keep {
		return nil, t.exec("UPDATE attachments SET due = $2"+those, a.Address, ms(a.Due))
	}
	before, err := list(t.queryer, scanAttached, "SELECT comment, picture FROM attachments"+those, a.Address)
	if err != nil || len(before) == 0 {
		return nil, err
	}
	if err := t.savePicture(a.Picture, now); err != nil {
		return nil, err
	}
	err = t.exec("UPDATE attachments SET picture = $2, due = $3"+those, a.Address, a.Picture.Name, ms(a.Due))
	for _, old := range before {
		if err == nil && old.picture != a.Picture.Name {
			changed = append(changed, old.comment)
			err = t.dropPicture(old.picture)
		}
	}
	return changed, err
}

type attached struct {
	comment thread.IRI
	picture string
}

func scanAttached(s scanner) (a attached, err error) { return a, s.Scan(&a.comment, &a.picture) }

// attach makes these the pictures of a comment; what it has no longer is erased.
func (t tx) attach(c thread.Comment) error {
	old, err := list(t.queryer, scanString, "SELECT address FROM attachments WHERE comment = $1", c.ID)
	for _, address := range old {
		if err == nil && !slices.ContainsFunc(c.Attached, func(a thread.Attached) bool { return a.URL == address }) {
			err = t.detach("comment = $1 AND address = $2", c.ID, address)
		}
	}
	for _, a := range c.Attached[:min(len(c.Attached), maxAttached)] {
		err = errors.Join(err, t.exec("INSERT INTO attachments (comment, post, address, due) VALUES ($1, $2, $3, $4) ON CONFLICT (comment, address) DO NOTHING",
			c.ID, c.Post, a.URL, flag(c.State == thread.Visible)))
	}
	return err
}

// detach forgets pictures within comments, and erases them.
func (t tx) detach(which string, args ...any) error {
	names, err := list(t.queryer, scanString, "DELETE FROM attachments WHERE "+which+" RETURNING picture", args...)
	for _, name := range names {
		err = errors.Join(err, t.dropPicture(name))
	}
	return err
}

// reveal has the pictures of a comment that is shown from now on fetched, at once; those of one that no longer is are
// erased.
func (t tx) reveal(comment thread.IRI, shown bool) error {
	const these = "UPDATE attachments SET picture = '', due = $2 WHERE comment = $1"
	if shown {
		return t.exec(these, comment, 1)
	}
	names, err := list(t.queryer, scanString, "SELECT picture FROM attachments WHERE comment = $1 AND picture <> ''", comment)
	err = errors.Join(err, t.exec(these, comment, 0))
	for _, name := range names {
		err = errors.Join(err, t.dropPicture(name))
	}
	return err
}

// Attached are the pictures that are kept here of a post's comments, by the comment; of those that came or changed since the
// post had a revision, 0 for all.
func (db *DB) Attached(ctx context.Context, post thread.IRI, since int64) (map[thread.IRI][]thread.Attached, error) {
	which, args := "a.post = $1", []any{post}
	if since > 0 {
		which, args = "a.comment IN (SELECT id FROM comments WHERE post = $1 AND revision > $2)", append(args, since)
	}
	found := map[thread.IRI][]thread.Attached{}
	_, err := list(db.read(ctx), func(s scanner) (a thread.Attached, err error) {
		var comment thread.IRI
		if err = s.Scan(&comment, &a.URL, &a.Picture, &a.Width, &a.Height); err == nil {
			found[comment] = append(found[comment], a)
		}
		return a, err
	}, `SELECT a.comment, a.address, p.name, p.width, p.height FROM attachments a JOIN pictures p ON p.name = a.picture
		WHERE a.picture > '' AND `+which, args...)
	return found, err
}
