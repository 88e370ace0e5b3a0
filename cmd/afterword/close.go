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
	now := c.now()
	at, err := moment(when, now)
	switch {
	case err != nil:
		return err
	case at.IsZero():
		at = now
	case at.Before(now):
		return fmt.Errorf("-at %s is in the past: leave -at out to close it now", when)
	}
	if c.args[0] == everything {
		return closeAll(c, at, branch != "" || text != "")
	}
	cfg, db, p, err := c.openPost()
	switch {
	case err != nil:
		return err
	case branch != "":
		return c.onBranch(db, p, branch, at)
	}
	if since := rules(cfg).ClosingTime(p); rules(cfg).StateAt(p, now) == thread.Closed {
		return fmt.Errorf("comments are closed already, since %s", since.Format(time.RFC3339))
	}
	if text != "" {
		if _, err := say(c.ctx, cfg, db, string(p.ID), text); err != nil {
			return err
		}
	}
	return db.CloseThread(c.ctx, p.ID, at)
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
		return c.onBranch(db, p, branch, time.Time{})
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

// onBranch closes a branch of a post's thread, or opens it with a zero time.
func (c *call) onBranch(db *storage.DB, p thread.Post, branch string, since time.Time) error {
	comment, err := db.FindComment(c.ctx, branch)
	switch {
	case errors.Is(err, storage.ErrNotFound) || err == nil && comment.Post != p.ID:
		return fmt.Errorf(`there is no comment %s under this post; "afterword comment list -post %s" shows all`, branch, p.URL)
	case err != nil:
		return err
	case comment.ClosedAt.IsZero() == since.IsZero() && since.IsZero():
		return errors.New("this branch is open")
	case !comment.ClosedAt.IsZero() && !since.IsZero():
		return fmt.Errorf("this branch is closed already, since %s", comment.ClosedAt.Format(time.RFC3339))
	}
	return db.CloseBranch(c.ctx, comment.ID, since)
}
