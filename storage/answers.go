package storage

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"afterword/thread"
)

// ErrNotOurs is returned for a comment that is not one of the blog's own answers.
var ErrNotOurs = errors.New("not an answer of the blog")

// IsAnswer tells whether an id is that of one of the blog's own comments.
func (db *DB) IsAnswer(id thread.IRI) bool { return strings.HasPrefix(string(id), db.base+"/answers/") }

// Answer stores the blog's own comment under a post or comment, also in a closed thread, and tells the world. blog is
// the blog's account as readers see it. ErrNotFound: there is nothing of that id to answer.
func (db *DB) Answer(ctx context.Context, blog Actor, to thread.IRI, html string) (c thread.Comment, err error) {
	now := db.now()
	err = db.write(ctx, func(t tx) error {
		place, err := placeOf(t.queryer, to)
		if err != nil {
			return err
		}
		if err := t.saveActor(blog, now); err != nil {
			return err
		}
		id, err := t.nextAnswer(db.base)
		if err != nil {
			return err
		}
		c = thread.Comment{ID: id, URL: string(id), Post: place.Post.ID, Parent: place.Parent, Author: blog.Author, HTML: html,
			Lang: place.Post.Lang, Published: now, Received: now, State: thread.Visible}
		c.Author.Owner = true
		_, err = t.addComment(c, now)
		return errors.Join(err, t.change("create", string(id), nil, now))
	})
	return c, err
}

// nextAnswer makes an id that was never given.
func (t tx) nextAnswer(base string) (id thread.IRI, err error) {
	var n int64
	err = t.row(`INSERT INTO settings (name, value) VALUES ('answers', '1')
		ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(settings.value AS BIGINT) + 1 AS TEXT) RETURNING CAST(value AS BIGINT)`, nil, &n)
	return thread.IRI(fmt.Sprint(base, "/answers/", n)), err
}

// EditAnswer changes one of the blog's own comments and tells the world.
func (db *DB) EditAnswer(ctx context.Context, id thread.IRI, html string) error {
	if !db.IsAnswer(id) {
		return ErrNotOurs
	}
	return db.write(ctx, func(t tx) error {
		now := db.now()
		err := t.mustExec("UPDATE comments SET html = $2, "+movedOn("edited")+" WHERE id = $3 AND deleted = 0", ms(now), html, id)
		if err != nil {
			return err
		}
		return errors.Join(t.touch(id), t.change("update", string(id), nil, now))
	})
}

// Approval is the proof that a reply may stand under a post: what a ReplyAuthorization says.
type Approval struct {
	ID, Reply, Target thread.IRI
}

// ApprovalID is the id of the approval of a reply.
func (db *DB) ApprovalID(reply thread.IRI) thread.IRI {
	sum := sha256.Sum256([]byte(reply))
	return thread.IRI(db.base + "/approvals/" + base64.RawURLEncoding.EncodeToString(sum[:15]))
}

// Approval is the approval with this id, as long as the reply stands or has yet to come.
func (db *DB) Approval(ctx context.Context, id thread.IRI) (a Approval, err error) {
	err = db.read(ctx).row(`SELECT id, reply, target FROM approvals WHERE id = $1
		AND NOT EXISTS (SELECT 1 FROM comments c WHERE c.id = reply AND (c.state <> 'visible' OR c.deleted = 1))`, []any{id}, &a.ID, &a.Reply, &a.Target)
	return a, err
}

func (t tx) approve(id, reply, target thread.IRI, now int64) error {
	return t.exec("INSERT INTO approvals (id, reply, target, at) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING", id, reply, target, now)
}

// Decide has a request for permission to reply answered: granted (and the approval kept) or refused. m holds the request.
func (db *DB) Decide(ctx context.Context, m Message, reply, target thread.IRI, granted bool, v thread.Verdict) error {
	now := db.now()
	return db.write(ctx, func(t tx) error {
		kind := "refuse"
		if granted {
			kind = "grant"
			if err := t.approve(db.ApprovalID(reply), reply, target, ms(now)); err != nil {
				return err
			}
		}
		return errors.Join(t.change(kind, string(reply), m.Raw, now), t.settle(m, v, now))
	})
}

// Ask keeps a request for permission to reply until the blogger decides about the reply. m holds the request.
func (db *DB) Ask(ctx context.Context, m Message, reply thread.IRI) error {
	return db.write(ctx, func(t tx) error {
		return t.exec("INSERT INTO requests (reply, raw, at) VALUES ($1, $2, $3) ON CONFLICT (reply) DO UPDATE SET raw = excluded.raw, at = excluded.at",
			reply, m.Raw, ms(db.now()))
	})
}

// Moderate is the blogger's word on a comment: Visible approves it, Hidden takes it out of sight. The server of a comment
// that waited or was late hears of it.
func (db *DB) Moderate(ctx context.Context, id thread.IRI, to thread.State) error {
	now := db.now()
	return db.write(ctx, func(t tx) error {
		c, err := commentByID(t.queryer, id)
		if err != nil {
			return err
		}
		if err := t.move(id, to); err != nil {
			return err
		}
		switch {
		case to == thread.Visible && c.State == thread.Pending:
			return errors.Join(t.entered(c.Post, now), t.approve(db.ApprovalID(id), id, c.Answers(), ms(now)), t.decided(id, "grant", "approve", now))
		case to == thread.Visible && c.State == thread.Late:
			return errors.Join(t.approve(db.ApprovalID(id), id, c.Answers(), ms(now)), t.decided(id, "grant", "approve", now))
		case to == thread.Hidden && c.State == thread.Pending:
			return t.decided(id, "refuse", "reject", now)
		}
		return nil
	})
}

// decided has the server of a reply told: in answer to its request when there was one, else by itself.
func (t tx) decided(reply thread.IRI, answer, word string, now time.Time) error {
	var request []byte
	err := t.row("DELETE FROM requests WHERE reply = $1 RETURNING raw", []any{reply}, &request)
	if errors.Is(err, ErrNotFound) {
		return t.change(word, string(reply), nil, now)
	} else if err != nil {
		return err
	}
	return t.change(answer, string(reply), request, now)
}
