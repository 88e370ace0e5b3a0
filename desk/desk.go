// Package desk is what the blogger does with posts and threads, whichever way: by a command, through the API or on a page.
// Here is what may be done, what it is called when it may not, and what posts and comments look like to the blogger.
//
// Nothing is stored here but by one method of storage each, which is a transaction that also has the world told.
package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"afterword/storage"
	"afterword/thread"
)

// Desk is the blogger's. All fields but Lang are required.
type Desk struct {
	DB    *storage.DB
	Rules thread.Rules
	Blog  string // the blog's home page
	Lang  string // of posts that do not say theirs
	Now   func() time.Time
}

// Refusal says why something was not done, for people, with a code for programs that does not change.
type Refusal struct{ Code, Text string }

func (r *Refusal) Error() string { return r.Text }

func refuse(code, format string, args ...any) error {
	return &Refusal{code, fmt.Sprintf(format, args...)}
}

// Post finds the post that is meant by an id or the address of a page.
func (d Desk) Post(ctx context.Context, ref string) (thread.Post, error) {
	p, err := d.DB.FindPost(ctx, ref)
	if errors.Is(err, storage.ErrNotFound) {
		err = refuse("unknown_post", `there is no post %s; "afterword post list" shows all, "afterword post add" makes one`, ref)
	}
	return p, err
}

// Comment finds the comment that is meant by its id or address.
func (d Desk) Comment(ctx context.Context, ref string) (thread.Comment, error) {
	c, err := d.DB.FindComment(ctx, ref)
	if !errors.Is(err, storage.ErrNotFound) {
		return c, err
	}
	if fate, err := d.DB.Fate(ctx, ref); err == nil { // it came, and found no place
		return c, refuse("unknown_comment", "%s stands in no thread: %s (%s)", ref, fate.Decision, fate.Reason)
	}
	return c, refuse("unknown_comment", `there is no comment %s; "afterword comment list" shows all`, ref)
}

// Moderate shows or hides a comment.
func (d Desk) Moderate(ctx context.Context, ref string, to thread.State) (thread.Comment, error) {
	c, err := d.Comment(ctx, ref)
	if err != nil {
		return c, err
	}
	if err := d.DB.Moderate(ctx, c.ID, to); err != nil {
		return c, err
	}
	c.State = to
	return c, nil
}

// RemoveComment erases a comment.
func (d Desk) RemoveComment(ctx context.Context, ref string) error {
	c, err := d.Comment(ctx, ref)
	if err != nil {
		return err
	}
	return d.DB.RemoveComment(ctx, c.ID)
}

// RemovePost removes a post, here and at the followers.
func (d Desk) RemovePost(ctx context.Context, ref string) error {
	p, err := d.Post(ctx, ref)
	if err != nil {
		return err
	}
	return d.DB.RemovePost(ctx, p.ID)
}
