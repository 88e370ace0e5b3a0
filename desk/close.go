package desk

import (
	"context"
	"errors"
	"time"

	"afterword/storage"
	"afterword/thread"
)

// Closable says why closing this thread at a moment (zero: now) would change nothing.
func (d Desk) Closable(p thread.Post, at time.Time) error {
	closed := d.Rules.ClosingTime(p)
	if d.Rules.StateAt(p, d.Now()) == thread.Closed {
		return refuse("already_closed", "comments are closed already, since %s", closed.Format(time.RFC3339))
	}
	p.ClosesAt = time.Time{}
	if earlier := d.Rules.ClosingTime(p); !earlier.IsZero() && !at.IsZero() && !at.Before(earlier) {
		return refuse("closes_earlier", `comments close before that by the configuration, at %s: "afterword reopen %s" switches that off for this post`,
			earlier.Format(time.RFC3339), p.URL)
	}
	return nil
}

// Close closes a thread at a moment; zero: now.
func (d Desk) Close(ctx context.Context, p thread.Post, at time.Time) error {
	if err := d.Closable(p, at); err != nil {
		return err
	}
	return d.DB.CloseThread(ctx, p.ID, at)
}

// Reopen opens a thread again, unless that would change nothing.
func (d Desk) Reopen(ctx context.Context, p thread.Post) error {
	switch {
	case !p.BlogClosedAt.IsZero() && !p.BlogClosedAt.After(d.Now()):
		return refuse("all_closed", `all threads of the blog are closed: "afterword reopen all" ends that`)
	case d.Rules.ClosingTime(p).IsZero():
		return refuse("already_open", "comments are open")
	}
	return d.DB.ReopenThread(ctx, p.ID)
}

// CloseAll closes all threads of the blog at a moment; zero: now.
func (d Desk) CloseAll(ctx context.Context, at time.Time) error {
	if since, err := d.DB.AllClosed(ctx); err != nil {
		return err
	} else if !since.IsZero() && !since.After(d.Now()) {
		return refuse("already_closed", "all threads are closed already, since %s", since.Format(time.RFC3339))
	}
	return d.DB.CloseAll(ctx, at)
}

// ReopenAll ends CloseAll.
func (d Desk) ReopenAll(ctx context.Context) error {
	err := d.DB.ReopenAll(ctx)
	if errors.Is(err, storage.ErrNotFound) {
		return refuse("already_open", `all threads were not closed together: name the one to reopen ("afterword post list" shows them)`)
	}
	return err
}

// CloseBranch closes a comment of a post and everything below it, at a moment; zero: now.
func (d Desk) CloseBranch(ctx context.Context, p thread.Post, comment string, at time.Time) error {
	c, err := d.branch(ctx, p, comment)
	switch {
	case err != nil:
		return err
	case !c.ClosedAt.IsZero() && !c.ClosedAt.After(d.Now()):
		return refuse("already_closed", "this branch is closed already, since %s", c.ClosedAt.Format(time.RFC3339))
	}
	return d.DB.CloseBranch(ctx, c.ID, at)
}

// ReopenBranch opens a comment and what is below it again.
func (d Desk) ReopenBranch(ctx context.Context, p thread.Post, comment string) error {
	c, err := d.branch(ctx, p, comment)
	switch {
	case err != nil:
		return err
	case c.ClosedAt.IsZero():
		return refuse("already_open", "this branch is open")
	}
	return d.DB.ReopenBranch(ctx, c.ID)
}

// branch is the comment of a post that a branch begins with.
func (d Desk) branch(ctx context.Context, p thread.Post, ref string) (thread.Comment, error) {
	c, err := d.DB.FindComment(ctx, ref)
	if errors.Is(err, storage.ErrNotFound) || err == nil && c.Post != p.ID {
		err = refuse("unknown_comment", `there is no comment %s under this post; "afterword comment list -post %s" shows all`, ref, p.URL)
	}
	return c, err
}

// ClosingAt reads when something is to be closed, as Moment does. Empty is zero, for now; the past is refused.
func (d Desk) ClosingAt(text string) (time.Time, error) {
	at, err := Moment(text, d.Now())
	if err == nil && !at.IsZero() && !at.After(d.Now()) {
		err = refuse("bad_time", "%s is in the past: leave the time out to close it now", text)
	}
	return at, err
}
