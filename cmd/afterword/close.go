package main

import (
	"errors"
	"fmt"
	"time"

	"afterword/config"
	"afterword/storage"
	"afterword/thread"
)

// everything is the argument that means all threads of the blog.
const everything = "all"

func closeThread(c *call) error {
	var when, branch, text string
	c.flags.StringVar(&when, "at", "", "close it at this `time`: RFC 3339, a date, or a duration from now such as 3d")
	c.flags.StringVar(&branch, "branch", "", "close only this `comment` and everything below it")
	c.flags.StringVar(&text, "say", "", "answer the post with this `text` (Markdown) before closing it")
	if err := c.parse(1); err != nil {
		return err
	}
	at, err := moment(when, c.now())
	switch {
	case err != nil:
		return err
	case !at.IsZero() && !at.After(c.now()):
		return fmt.Errorf("-at %s is in the past: leave -at out to close it now", when)
	}
	if c.args[0] == everything {
		return closeAll(c, at, branch != "" || text != "")
	}
	cfg, db, p, err := c.openPost()
	switch {
	case err != nil:
		return err
	case branch != "" && text != "":
		return &usageError{"-say answers the post: it does not go with -branch"}
	case branch != "":
		return c.closeBranch(db, p, branch, at)
	}
	if err := closable(cfg, p, at, c.now()); err != nil {
		return err
	}
	if text != "" {
		if _, err := say(c.ctx, cfg, db, string(p.ID), text); err != nil {
			return err
		}
	}
	return db.CloseThread(c.ctx, p.ID, at)
}

// closable says why closing this thread at a moment (zero: now) would change nothing.
func closable(cfg *config.Config, p thread.Post, at, now time.Time) error {
	closed := rules(cfg).ClosingTime(p)
	if rules(cfg).StateAt(p, now) == thread.Closed {
		return fmt.Errorf("comments are closed already, since %s", closed.Format(time.RFC3339))
	}
	p.ClosesAt = time.Time{}
	if earlier := rules(cfg).ClosingTime(p); !earlier.IsZero() && !at.IsZero() && !at.Before(earlier) {
		return fmt.Errorf(`comments close before that by the configuration, at %s: "afterword reopen %s" switches that off for this post`,
			earlier.Format(time.RFC3339), p.URL)
	}
	return nil
}

func closeAll(c *call, at time.Time, more bool) error {
	if more {
		return &usageError{"-branch and -say are for one thread, not for all"}
	}
	_, db, err := c.open()
	if err != nil {
		return err
	}
	if since, err := db.AllClosed(c.ctx); err != nil {
		return err
	} else if !since.IsZero() && !since.After(c.now()) {
		return fmt.Errorf("all threads are closed already, since %s", since.Format(time.RFC3339))
	}
	return db.CloseAll(c.ctx, at)
}

func reopenThread(c *call) error {
	var branch string
	c.flags.StringVar(&branch, "branch", "", "open only this `comment` and what is below it again")
	if err := c.parse(1); err != nil {
		return err
	}
	if c.args[0] == everything {
		return reopenAll(c, branch != "")
	}
	cfg, db, p, err := c.openPost()
	switch {
	case err != nil:
		return err
	case branch != "":
		return c.openBranch(db, p, branch)
	}
	if err := reopenable(cfg, p, c.now()); err != nil {
		return err
	}
	return db.ReopenThread(c.ctx, p.ID)
}

// reopenable says why there is nothing that reopening this thread would change.
func reopenable(cfg *config.Config, p thread.Post, now time.Time) error {
	switch {
	case !p.BlogClosedAt.IsZero() && !p.BlogClosedAt.After(now):
		return errors.New(`all threads of the blog are closed: "afterword reopen all" ends that`)
	case rules(cfg).ClosingTime(p).IsZero():
		return errors.New("comments are open")
	}
	return nil
}

func reopenAll(c *call, more bool) error {
	if more {
		return &usageError{"-branch is for one thread, not for all"}
	}
	_, db, err := c.open()
	if err != nil {
		return err
	}
	if err = db.ReopenAll(c.ctx); errors.Is(err, storage.ErrNotFound) {
		return errors.New(`all threads were not closed together: name the one to reopen ("afterword post list" shows them)`)
	}
	return err
}

func (c *call) closeBranch(db *storage.DB, p thread.Post, branch string, at time.Time) error {
	comment, err := c.branch(db, p, branch)
	switch {
	case err != nil:
		return err
	case !comment.ClosedAt.IsZero() && !comment.ClosedAt.After(c.now()):
		return fmt.Errorf("this branch is closed already, since %s", comment.ClosedAt.Format(time.RFC3339))
	}
	return db.CloseBranch(c.ctx, comment.ID, at)
}

func (c *call) openBranch(db *storage.DB, p thread.Post, branch string) error {
	comment, err := c.branch(db, p, branch)
	switch {
	case err != nil:
		return err
	case comment.ClosedAt.IsZero():
		return errors.New("this branch is open")
	}
	return db.ReopenBranch(c.ctx, comment.ID)
}

// branch is the comment of a post that a branch begins with.
func (c *call) branch(db *storage.DB, p thread.Post, ref string) (thread.Comment, error) {
	comment, err := db.FindComment(c.ctx, ref)
	if errors.Is(err, storage.ErrNotFound) || err == nil && comment.Post != p.ID {
		err = fmt.Errorf(`there is no comment %s under this post; "afterword comment list -post %s" shows all`, ref, p.URL)
	}
	return comment, err
}
