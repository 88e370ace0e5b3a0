package storage

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"afterword/thread"
)

// Actor is another server's account: what readers see of it, and where and how it is reached.
type Actor struct {
	thread.Author
	Claim         string // "@name@domain" that it says to have elsewhere; Handle is this once the domain confirmed it
	Elsewhere     bool   // Handle is on another domain, where it was found by asking
	Type          string // Person, Service, Application, Group, Organization
	Inbox         string // its own
	SharedInbox   string // of its server, may be empty
	HidesPublic   bool   // wants no post of its on the open web
	HidesUnlisted bool   // wants no unlisted post of its there
	Fetched       time.Time
	Keys          []ActorKey // written with the actor; not read with it
}

// ActorKey is a public key of an actor.
type ActorKey struct {
	ID    string
	Owner thread.IRI
	PEM   string
}

const actorColumns = `id, type, name, handle, url, avatar, bot, deleted, inbox, target, hides_public, hides_unlisted, elsewhere, fetched`

func scanActor(s scanner) (Actor, error) {
	var a Actor
	var fetched int64
	var target string
	err := s.Scan(&a.ID, &a.Type, &a.Name, &a.Handle, &a.URL, &a.Avatar, &a.Bot, &a.Deleted, &a.Inbox, &target,
		&a.HidesPublic, &a.HidesUnlisted, &a.Elsewhere, &fetched)
	if target != a.Inbox {
		a.SharedInbox = target
	}
	a.Fetched = at(fetched)
	return a, err
}

// Actor is the account with this id, if it is known.
func (db *DB) Actor(ctx context.Context, id thread.IRI) (Actor, error) {
	return one(db.read(ctx), scanActor, "SELECT "+actorColumns+" FROM actors WHERE id = $1", id)
}

// Key is a stored public key and when it was fetched.
func (db *DB) Key(ctx context.Context, id string) (k ActorKey, fetched time.Time, err error) {
	var f int64
	err = db.read(ctx).row("SELECT id, owner, pem, fetched FROM keys WHERE id = $1", []any{id}, &k.ID, &k.Owner, &k.PEM, &f)
	return k, at(f), err
}

// SaveActor stores an account as its own server just described it. Comments of it show the new name.
func (db *DB) SaveActor(ctx context.Context, a Actor) error {
	now := db.now()
	return db.write(ctx, func(t tx) error { return t.saveActor(a, now) })
}

func (t tx) saveActor(a Actor, now time.Time) error {
	target := a.SharedInbox
	if target == "" {
		target = a.Inbox
	}
	before, err := one(t.queryer, scanActor, "SELECT "+actorColumns+" FROM actors WHERE id = $1", a.ID)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if a.Claim != "" && a.Claim == before.Handle || a.Claim == "" && before.Elsewhere { // confirmed before
		a.Handle = before.Handle
	}
	if a.Avatar != before.Avatar {
		if err := t.forgetPicture(a.ID); err != nil {
			return err
		}
	}
	err = t.exec(`INSERT INTO actors (id, host, type, name, handle, url, avatar, bot, inbox, target, target_host, hides_public, hides_unlisted, fetched)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		ON CONFLICT (id) DO UPDATE SET type = excluded.type, name = excluded.name, handle = excluded.handle, url = excluded.url,
			avatar = excluded.avatar, bot = excluded.bot, inbox = excluded.inbox, target = excluded.target,
			target_host = excluded.target_host, hides_public = excluded.hides_public, hides_unlisted = excluded.hides_unlisted,
			elsewhere = CASE WHEN excluded.handle = actors.handle THEN actors.elsewhere ELSE 0 END,
			named = CASE WHEN actors.named > 0 AND actors.fetched < $15 THEN $14 ELSE actors.named END,
			fetched = excluded.fetched, deleted = 0`,
		a.ID, a.ID.Host(), a.Type, a.Name, a.Handle, a.URL, a.Avatar, flag(a.Bot), a.Inbox, target, thread.IRI(target).Host(),
		flag(a.HidesPublic), flag(a.HidesUnlisted), ms(now), ms(now.Add(-nameAge)))
	if err != nil {
		return err
	}
	if err := t.saveKeys(a, now); err != nil {
		return err
	}
	if before.hides() {
		if err := t.showAgain(a.ID); err != nil {
			return err
		}
	}
	if err := t.hide(a); err != nil || a.Author == before.Author {
		return err
	}
	return t.touchThreads(a.ID)
}

func (a Actor) hides() bool { return a.HidesPublic || a.HidesUnlisted }

// hide takes out of sight what stands or waits here of an account that no longer wants that, or was suspended by its
// server.
func (t tx) hide(a Actor) error {
	if !a.hides() {
		return nil
	}
	_, err := t.setAside("SELECT id, state FROM comments WHERE author = $1 AND was = '' AND state IN ('visible', 'pending') AND (unlisted = 1 OR $2 = 1)",
		a.ID, flag(a.HidesPublic))
	return err
}

// hideByWish is hide for an account of which only the id is at hand.
func (t tx) hideByWish(account thread.IRI) error {
	a, err := one(t.queryer, scanActor, "SELECT "+actorColumns+" FROM actors WHERE id = $1", account)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return errors.Join(err, t.hide(a))
}

// showAgain puts back what was hidden of an account by its own wish, unless the blog does not want it either.
func (t tx) showAgain(account thread.IRI) error {
	unwanted, err := blocked(t.queryer, account)
	if err == nil && !unwanted {
		_, err = t.withhold(account, false)
	}
	return err
}

func (t tx) saveKeys(a Actor, now time.Time) error {
	if len(a.Keys) == 0 {
		return nil
	}
	if err := t.exec("DELETE FROM keys WHERE owner = $1", a.ID); err != nil {
		return err
	}
	for _, k := range a.Keys {
		err := t.exec(`INSERT INTO keys (id, owner, pem, fetched) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING`, // another's stays his
			k.ID, k.Owner, k.PEM, ms(now))
		if err != nil {
			return err
		}
	}
	return nil
}

// EraseActor carries out the deletion of an account: its name and picture, its comments and reactions, its follow, and
// whatever else it sent.
func (db *DB) EraseActor(ctx context.Context, m Message, v thread.Verdict) error {
	now := db.now()
	return db.write(ctx, func(t tx) error {
		if err := t.forgetPicture(m.Object); err != nil {
			return err
		}
		err := t.exec("UPDATE actors SET name = '', handle = '', elsewhere = 0, url = '', avatar = '', inbox = '', target = '', target_host = '', deleted = 1 WHERE id = $1", m.Object)
		if err != nil {
			return err
		}
		for _, stmt := range []string{"DELETE FROM followers WHERE actor = $1", "DELETE FROM keys WHERE owner = $1",
			"DELETE FROM changes WHERE object = $1", "UPDATE received SET raw = X'' WHERE sender = $1 AND sender <> ''"} {
			if err := t.exec(stmt, m.Object); err != nil {
				return err
			}
		}
		*t.erased = true
		if err := t.eraseReactions(m.Object); err != nil {
			return err
		}
		comments, err := list(t.queryer, scanString, "SELECT id FROM comments WHERE author = $1", m.Object)
		for _, id := range comments {
			if err == nil {
				err = t.deleteComment(thread.IRI(id))
			}
		}
		if err != nil {
			return err
		}
		return t.settle(m, v, now)
	})
}

func (t tx) eraseReactions(actor thread.IRI) error {
	rs, err := list(t.queryer, func(s scanner) (r [2]string, err error) { return r, s.Scan(&r[0], &r[1]) },
		"SELECT object, kind FROM reactions WHERE actor = $1", actor)
	for _, r := range rs {
		if err == nil {
			err = t.unreact(actor, thread.IRI(r[0]), Reaction(r[1]))
		}
	}
	return err
}

// Follower is an account that gets the blog's posts.
type Follower struct {
	Actor    thread.IRI `json:"id"`
	Handle   string     `json:"handle"`
	FollowID string     `json:"-"`
	Since    time.Time  `json:"since"`
}

// Followers lists the followers, oldest first.
func (db *DB) Followers(ctx context.Context) ([]Follower, error) {
	return list(db.read(ctx), func(s scanner) (f Follower, err error) {
		var since int64
		err = s.Scan(&f.Actor, &f.Handle, &f.FollowID, &since)
		f.Since = at(since)
		return f, err
	}, "SELECT f.actor, a.handle, f.follow_id, f.since FROM followers f JOIN actors a ON a.id = f.actor ORDER BY f.since, f.actor")
}

// CountFollowers is how many followers there are.
func (db *DB) CountFollowers(ctx context.Context) (n int, err error) {
	return n, db.read(ctx).row("SELECT COUNT(*) FROM followers", nil, &n)
}

// AddFollower makes the sender of a Follow a follower and has the follow accepted; follow is the activity as it came.
func (db *DB) AddFollower(ctx context.Context, m Message, follow []byte, v thread.Verdict) error {
	now := db.now()
	return db.write(ctx, func(t tx) error {
		err := t.exec(`INSERT INTO followers (actor, follow_id, since) VALUES ($1, $2, $3)
			ON CONFLICT (actor) DO UPDATE SET follow_id = excluded.follow_id`, m.Sender, m.Activity, ms(now))
		if err == nil {
			err = t.change("accept", string(m.Sender), follow, now)
		}
		if err != nil {
			return err
		}
		return errors.Join(t.exec("UPDATE actors SET refuses = 0 WHERE id = $1", m.Sender), t.settle(m, v, now))
	})
}

// Refuse carries out that an account blocks the blog: it follows no more, and nothing is sent to it. With refuses false
// the account takes its block back.
func (db *DB) Refuse(ctx context.Context, m Message, refuses bool, v thread.Verdict) error {
	now := db.now()
	return db.write(ctx, func(t tx) error {
		err := t.exec("UPDATE actors SET refuses = $1 WHERE id = $2", flag(refuses), m.Sender)
		if err == nil && refuses {
			err = errors.Join(t.exec("DELETE FROM followers WHERE actor = $1", m.Sender),
				t.exec("DELETE FROM deliveries WHERE inbox = (SELECT inbox FROM actors WHERE id = $1)", m.Sender))
		}
		if err != nil {
			return err
		}
		return t.settle(m, v, now)
	})
}

// RemoveFollower ends a follow.
func (db *DB) RemoveFollower(ctx context.Context, m Message, actor thread.IRI, v thread.Verdict) error {
	now := db.now()
	return db.write(ctx, func(t tx) error {
		if err := t.exec("DELETE FROM followers WHERE actor = $1", actor); err != nil {
			return err
		}
		return t.settle(m, v, now)
	})
}

// Follows tells whether the activity with this id made its sender a follower.
func (db *DB) Follows(ctx context.Context, actor thread.IRI, followID string) (bool, error) {
	return db.read(ctx).has("SELECT 1 FROM followers WHERE actor = $1 AND follow_id = $2", actor, followID)
}

// Setting is a remembered value; make gives it the first time it is asked for.
func (db *DB) Setting(ctx context.Context, name string, make func() (string, error)) (value string, err error) {
	err = db.read(ctx).row("SELECT value FROM settings WHERE name = $1", []any{name}, &value)
	if !errors.Is(err, ErrNotFound) {
		return value, err
	}
	made, err := make()
	if err != nil {
		return "", err
	}
	err = db.write(ctx, func(t tx) error { // another process may have been quicker
		return t.row(`INSERT INTO settings (name, value) VALUES ($1, $2)
			ON CONFLICT (name) DO UPDATE SET value = settings.value RETURNING value`, []any{name, made}, &value)
	})
	return value, err
}

// FindActor is the account that a blogger means by its id or its handle ("@name@host").
func (db *DB) FindActor(ctx context.Context, ref string) (id thread.IRI, err error) {
	handle := "@" + strings.TrimPrefix(ref, "@")
	found, err := list(db.read(ctx), scanIRI, "SELECT id FROM actors WHERE id = $1 OR handle = $2 OR url = $1 ORDER BY handle = $2 DESC", ref, handle)
	return meant(found, err, ref, func(id thread.IRI) thread.IRI { return id })
}

// DropFollower ends an account's follow on the blogger's word, and its server is told.
func (db *DB) DropFollower(ctx context.Context, actor thread.IRI) error {
	now := db.now()
	return db.write(ctx, func(t tx) error {
		var follow string
		if err := t.row("DELETE FROM followers WHERE actor = $1 RETURNING follow_id", []any{actor}, &follow); err != nil {
			return err
		}
		return t.change("unfollow", string(actor), []byte(follow), now)
	})
}

// mustExec is ErrNotFound when that is about no row.
func (t tx) mustExec(text string, args ...any) error {
	n, err := t.affected(text, args...)
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	return err
}

// Settings are remembered values by their names; those never given are missing.
func (db *DB) Settings(ctx context.Context, names ...string) (map[string]string, error) {
	values := make(map[string]string, len(names))
	for _, name := range names {
		var value string
		err := db.read(ctx).row("SELECT value FROM settings WHERE name = $1", []any{name}, &value)
		if err == nil {
			values[name] = value
		} else if !errors.Is(err, ErrNotFound) {
			return nil, err
		}
	}
	return values, nil
}

// Remember replaces remembered values.
func (db *DB) Remember(ctx context.Context, values map[string]string) error {
	return db.write(ctx, func(t tx) error { return t.remember(values) })
}

func (t tx) remember(values map[string]string) error {
	for name, value := range values {
		err := t.exec("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value)
		if err != nil {
			return err
		}
	}
	return nil
}

// ChangeActor remembers new values of the blog's account, such as its key, and has the world told of them by changes of
// these kinds (see Change).
func (db *DB) ChangeActor(ctx context.Context, actor thread.IRI, values map[string]string, kinds ...string) error {
	return db.write(ctx, func(t tx) error {
		err := t.remember(values)
		for _, kind := range kinds {
			err = errors.Join(err, t.change(kind, string(actor), nil, db.now()))
		}
		return err
	})
}

// ProfileSetting is the name under which Settings has the Profile.
const ProfileSetting = "blog_profile"

// Profile is what the blog's home page says of the blog, for what the configuration leaves open.
type Profile struct {
	Name    string `json:"name,omitempty"`
	Summary string `json:"summary,omitempty"` // plain text
	Icon    string `json:"icon,omitempty"`
	Lang    string `json:"lang,omitempty"`
}

// ReadProfile is the profile among settings; the zero value when there is none yet.
func ReadProfile(settings map[string]string) (p Profile) {
	_ = json.Unmarshal([]byte(settings[ProfileSetting]), &p) // SaveProfile wrote it
	return p
}

// Profile is what was found on the home page; the zero value when nothing was yet.
func (db *DB) Profile(ctx context.Context) (Profile, error) {
	settings, err := db.Settings(ctx, ProfileSetting)
	return ReadProfile(settings), err
}

// SaveProfile keeps what was found on the home page, if it is something new.
func (db *DB) SaveProfile(ctx context.Context, p Profile) error {
	before, err := db.Profile(ctx)
	if err != nil || before == p {
		return err
	}
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return db.Remember(ctx, map[string]string{ProfileSetting: string(text)})
}
