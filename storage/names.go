package storage

import (
	"context"
	"time"

	"afterword/thread"
)

// nameAfter is how long after an account's first comment its name is looked up: what came with the comment goes first.
const nameAfter = 10 * time.Second

// nameAge is after how long an account's name is looked up again, should the account be looked at.
const nameAge = 7 * 24 * time.Hour

// NextName is an account whose name is due to be looked up, of a host that may be asked now; ErrNotFound when there is none.
func (db *DB) NextName(ctx context.Context) (Actor, error) {
	return one(db.read(ctx), scanActor, "SELECT "+actorColumns+` FROM actors WHERE named > 0 AND named <= $1 AND deleted = 0
		AND NOT EXISTS (SELECT 1 FROM origins o WHERE o.host = actors.host AND o.rests > $1) ORDER BY named LIMIT 1`, ms(db.now()))
}

// SaveName keeps under which handle an account was found, until it is due again. Nothing happens when it was erased.
func (db *DB) SaveName(ctx context.Context, a Actor, due time.Time) error {
	return db.write(ctx, func(t tx) error {
		before, err := one(t.queryer, scanActor, "SELECT "+actorColumns+" FROM actors WHERE id = $1", a.ID)
		if err != nil || before.Deleted {
			return err
		}
		err = t.exec("UPDATE actors SET handle = $1, elsewhere = $2, named = $3 WHERE id = $4", a.Handle, flag(a.Elsewhere), ms(due), a.ID)
		if err != nil || a.Handle == before.Handle {
			return err
		}
		return t.touchThreads(a.ID)
	})
}

// wrote has the name of an account looked up that wrote something here, once.
func (t tx) wrote(account thread.IRI, now time.Time) error {
	return t.exec("UPDATE actors SET named = $1 WHERE id = $2 AND named = 0", ms(now.Add(nameAfter)), account)
}
