package storage

import (
	"context"
	"errors"
	"strings"

	"afterword/thread"
)

// Block adds accounts ("https://…") and hosts, each with every host below it, to those the blog does not want. What
// stands or waits of them is hidden. It tells how many of the targets are new, and how many comments it hid.
func (db *DB) Block(ctx context.Context, targets ...string) (added, hidden int, err error) {
	err = db.write(ctx, func(t tx) error {
		for _, target := range targets {
			n, err := t.affected("INSERT INTO blocks (target, at) VALUES ($1, $2) ON CONFLICT (target) DO NOTHING", target, ms(db.now()))
			if err != nil {
				return err
			}
			added += int(n)
		}
		var err error
		hidden, err = t.applyBlocks(db)
		return err
	})
	return added, hidden, err
}

// Unblock ends a block and tells how many comments that brought back.
func (db *DB) Unblock(ctx context.Context, target string) (restored int, err error) {
	err = db.write(ctx, func(t tx) error {
		if err := t.mustExec("DELETE FROM blocks WHERE target = $1", target); err != nil {
			return err
		}
		var err error
		restored, err = t.applyBlocks(db)
		return err
	})
	return restored, err
}

// Blocks lists what is blocked.
func (db *DB) Blocks(ctx context.Context) ([]string, error) {
	return list(db.read(ctx), scanString, "SELECT target FROM blocks ORDER BY target")
}

// Blocked tells whether an account or its host, or a domain above it, is blocked.
func (db *DB) Blocked(ctx context.Context, actor thread.IRI) (bool, error) {
	return blocked(db.read(ctx), actor)
}

func blocked(q queryer, actor thread.IRI) (bool, error) {
	targets := []any{string(actor), actor.Host()}
	for host := hostname(actor); host != ""; _, host, _ = strings.Cut(host, ".") {
		targets = append(targets, host)
	}
	if len(targets) > 32 { // nobody needs so many labels
		return true, nil
	}
	return q.has("SELECT 1 FROM blocks WHERE target IN ("+placeholders(1, len(targets))+") LIMIT 1", targets...)
}

func hostname(i thread.IRI) string {
	host, _, _ := strings.Cut(i.Host(), ":")
	return host
}

// applyBlocks hides what stands or waits of blocked authors, and puts back what was hidden of those who no longer are. It
// tells how many comments it moved.
func (t tx) applyBlocks(db *DB) (moved int, err error) {
	authors, err := list(t.queryer, scanIRI, "SELECT DISTINCT author FROM comments WHERE state IN ('visible', 'pending') OR was <> ''")
	for _, author := range authors {
		if err != nil || author == thread.IRI(db.base+"/actor") {
			continue
		}
		var unwanted bool
		var n int
		if unwanted, err = blocked(t.queryer, author); err == nil {
			n, err = t.withhold(author, unwanted)
		}
		if err == nil && !unwanted {
			err = t.hideByWish(author)
		}
		moved += n
	}
	return moved, err
}

// withhold hides the comments of an author, or puts back what was hidden so.
func (t tx) withhold(author thread.IRI, unwanted bool) (moved int, err error) {
	if unwanted {
		return t.setAside("SELECT id, state FROM comments WHERE author = $1 AND was = '' AND state IN ('visible', 'pending')", author)
	}
	comments, err := list(t.queryer, scanState, "SELECT id, was FROM comments WHERE author = $1 AND was <> ''", author)
	for _, c := range comments {
		if err == nil {
			err = t.move(c.ID, c.State)
		}
	}
	return len(comments), err
}

// setAside hides the comments that a query gives with their states, so that they can be put back.
func (t tx) setAside(query string, args ...any) (moved int, err error) {
	comments, err := list(t.queryer, scanState, query, args...)
	for _, c := range comments {
		if err == nil {
			err = errors.Join(t.move(c.ID, thread.Hidden), t.exec("UPDATE comments SET was = $1 WHERE id = $2", c.State, c.ID))
		}
	}
	return len(comments), err
}

func scanState(s scanner) (c thread.Comment, err error) { return c, s.Scan(&c.ID, &c.State) }
