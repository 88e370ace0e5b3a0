package storage

import (
	"context"
	"errors"
	"time"

	"afterword/thread"
)

// Picture is a stranger's picture in a form of our own: of an account, or within a comment.
type Picture struct {
	Name          string // under which it is given; follows from its bytes
	Type          string // media type
	Width, Height int    // pixels
	Data          []byte
}

// Found is what was found at the address of a picture.
type Found struct {
	Address string
	Picture Picture   // without Data: there is none
	Keep    bool      // nothing is known of it now: what was found before stays
	Due     time.Time // when to look again
}

// maxPictures is how many bytes of pictures are kept. Over that, those go that nobody had need of for longest.
const maxPictures = 128 << 20

// retryDropped is when a picture that had to go is looked for again.
const retryDropped = 30 * 24 * time.Hour

// NextPicture is an account with shown comments whose picture is due to be fetched, and where it is.
func (db *DB) NextPicture(ctx context.Context) (account thread.IRI, address string, err error) {
	err = db.read(ctx).row(`SELECT a.id, a.avatar FROM actors a WHERE a.avatar <> '' AND a.pictured <= $1 AND a.deleted = 0
		AND EXISTS (SELECT 1 FROM comments c WHERE c.author = a.id AND c.state = 'visible' AND c.deleted = 0)
		ORDER BY a.pictured LIMIT 1`, []any{ms(db.now())}, &account, &address)
	return account, address, err
}

// SavePicture keeps what was found at an account's address. Nothing happens when the account has another one by now.
func (db *DB) SavePicture(ctx context.Context, account thread.IRI, found Found) error {
	now := db.now()
	return db.write(ctx, func(t tx) error {
		var old string
		err := t.row("SELECT picture FROM actors WHERE id = $1 AND avatar = $2", []any{account, found.Address}, &old)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if found.Keep {
			return errors.Join(err, t.exec("UPDATE actors SET pictured = $1 WHERE id = $2", ms(found.Due), account))
		}
		name := found.Picture.Name
		if err := errors.Join(err, t.savePicture(found.Picture, now)); err != nil {
			return err
		}
		if err := t.exec("UPDATE actors SET picture = $1, pictured = $2 WHERE id = $3", name, ms(found.Due), account); err != nil || name == old {
			return err
		}
		return errors.Join(t.dropPicture(old), t.boundPictures(found.Due), t.touchThreads(account))
	})
}

// savePicture keeps the bytes of a picture, if there are any.
func (t tx) savePicture(p Picture, now time.Time) error {
	if len(p.Data) == 0 {
		return nil
	}
	return t.exec(`INSERT INTO pictures (name, type, width, height, data, size, used) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (name) DO UPDATE SET used = excluded.used`, p.Name, p.Type, p.Width, p.Height, p.Data, len(p.Data), ms(now))
}

// dropPicture erases a picture that no account and no comment has any more.
func (t tx) dropPicture(name string) error {
	n, err := t.affected(`DELETE FROM pictures WHERE name = $1 AND NOT EXISTS (SELECT 1 FROM actors WHERE picture = $1 AND picture <> '')
		AND NOT EXISTS (SELECT 1 FROM attachments WHERE picture = $1 AND picture <> '')`, name)
	*t.erased = *t.erased || n > 0
	return err
}

// forgetPicture takes an account's picture away; where it has one by now is fetched anew.
func (t tx) forgetPicture(account thread.IRI) error {
	var name string
	err := t.row("SELECT picture FROM actors WHERE id = $1", []any{account}, &name)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return errors.Join(err, t.exec("UPDATE actors SET picture = '', pictured = 0 WHERE id = $1", account), t.dropPicture(name))
}

// boundPictures drops pictures until the rest fits. Who had them gets one again when it is due.
func (t tx) boundPictures(due time.Time) error {
	for {
		var size int64
		if err := t.row("SELECT COALESCE(SUM(size), 0) FROM pictures", nil, &size); err != nil || size <= maxPictures {
			return err
		}
		var name string
		if err := t.row("SELECT name FROM pictures ORDER BY used, name LIMIT 1", nil, &name); err != nil {
			return err
		}
		accounts, err := list(t.queryer, scanIRI, "UPDATE actors SET picture = '', pictured = $1 WHERE picture = $2 AND picture <> '' RETURNING id", ms(due), name)
		for _, account := range accounts {
			err = errors.Join(err, t.touchThreads(account))
		}
		comments, err2 := list(t.queryer, scanIRI, "UPDATE attachments SET picture = '', due = $1 WHERE picture = $2 AND picture <> '' RETURNING comment", ms(due), name)
		if err := errors.Join(err, err2, t.touch(comments...), t.dropPicture(name)); err != nil {
			return err
		}
	}
}

// touchThreads has the threads shown anew in which an account wrote.
func (t tx) touchThreads(account thread.IRI) error {
	return t.exec(`UPDATE posts SET revision = revision + 1 WHERE id IN (SELECT DISTINCT post FROM comments WHERE author = $1 AND state = 'visible')`, account)
}

// Picture is the picture of this name, as long as somebody has it.
func (db *DB) Picture(ctx context.Context, name string) (Picture, error) {
	p := Picture{Name: name}
	err := db.read(ctx).row("SELECT type, data FROM pictures WHERE name = $1", []any{name}, &p.Type, &p.Data)
	return p, err
}
