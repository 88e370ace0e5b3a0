package storage

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"afterword/thread"
)

// Reading a thread as a whole: what the first reader after a start waits for. Half of what that cost was the authors, who
// were joined to each comment, and half of the rest was asking by reflection what kind of number each number is.

const ownColumns = `id, parent, author, url, html, warning, lang, published, edited, received, closed_at, state, likes, boosts,
	unlisted, deleted, imported`

// Thread lists all comments of a post, in whatever state and no particular order: thread.Arrange knows what to show.
// Authors are read once each: most threads have fewer people than comments.
func (db *DB) Thread(ctx context.Context, post thread.IRI) ([]thread.Comment, error) {
	q := db.read(ctx)
	var n int
	if err := q.row("SELECT COUNT(*) FROM comments WHERE post = $1", []any{post}, &n); err != nil {
		return nil, err
	}
	comments, err := listInto(make([]thread.Comment, 0, n), q, scanOwn(post), "SELECT "+ownColumns+" FROM comments WHERE post = $1", post)
	if err != nil {
		return nil, err
	}
	authors := map[thread.IRI]thread.Author{}
	for i := range comments {
		authors[comments[i].Author.ID] = comments[i].Author
	}
	err = fill(q, authors)
	for i := range comments {
		comments[i].Author = authors[comments[i].Author.ID]
	}
	return comments, err
}

// Authors brings accounts up to date that wrote comments; those that are not known stay as they are.
func (db *DB) Authors(ctx context.Context, authors map[thread.IRI]thread.Author) error {
	return fill(db.read(ctx), authors)
}

func fill(q queryer, authors map[thread.IRI]thread.Author) error {
	for ids := range slices.Chunk(slices.Collect(maps.Keys(authors)), AtOnce) {
		args := make([]any, AtOnce)
		for i, id := range ids {
			args[i] = string(id)
		}
		found, err := list(q, scanAuthor, "SELECT id, name, handle, url, avatar, picture, bot, deleted FROM actors WHERE id IN "+among, args...)
		if err != nil {
			return err
		}
		for _, a := range found {
			authors[a.ID] = a
		}
	}
	return nil
}

func scanAuthor(s scanner) (a thread.Author, err error) {
	var bot, deleted number
	err = s.Scan((*string)(&a.ID), &a.Name, &a.Handle, &a.URL, &a.Avatar, &a.Picture, &bot, &deleted)
	a.Bot, a.Deleted = bot != 0, deleted != 0
	return a, err
}

// scanOwn reads one row after the other into the same variables.
func scanOwn(post thread.IRI) func(scanner) (thread.Comment, error) {
	c := thread.Comment{Post: post}
	var published, edited, received, closedAt, likes, boosts, unlisted, deleted, imported number
	to := []any{(*string)(&c.ID), (*string)(&c.Parent), (*string)(&c.Author.ID), &c.URL, &c.HTML, &c.Warning, &c.Lang,
		&published, &edited, &received, &closedAt, (*string)(&c.State), &likes, &boosts, &unlisted, &deleted, &imported}
	return func(s scanner) (thread.Comment, error) {
		err := s.Scan(to...)
		c.Published, c.Edited, c.Received, c.ClosedAt = at(int64(published)), at(int64(edited)), at(int64(received)), at(int64(closedAt))
		c.Likes, c.Boosts, c.Unlisted, c.Deleted, c.Imported = int(likes), int(boosts), unlisted != 0, deleted != 0, imported != 0
		return c, err
	}
}

// number is an integer of a row, as drivers give it.
type number int64

// Scan implements sql.Scanner.
func (n *number) Scan(value any) error {
	v, ok := value.(int64)
	if !ok {
		return fmt.Errorf("%v is no number", value)
	}
	*n = number(v)
	return nil
}
