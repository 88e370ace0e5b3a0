package main

import (
	"time"

	"afterword/desk"
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
	d, err := c.openDesk()
	if err != nil {
		return err
	}
	at, err := d.ClosingAt(when)
	switch {
	case err != nil:
		return err
	case c.args[0] == everything && (branch != "" || text != ""):
		return &usageError{"-branch and -say are for one thread, not for all"}
	case c.args[0] == everything:
		return d.CloseAll(c.ctx, at)
	case branch != "" && text != "":
		return &usageError{"-say answers the post: it does not go with -branch"}
	}
	p, err := d.Post(c.ctx, c.args[0])
	switch {
	case err != nil:
		return err
	case branch != "":
		return d.CloseBranch(c.ctx, p, branch, at)
	case text != "":
		return c.sayAndClose(d, p, text, at)
	}
	return d.Close(c.ctx, p, at)
}

// sayAndClose says why before it closes, and nothing when there is nothing to close.
func (c *call) sayAndClose(d desk.Desk, p thread.Post, text string, at time.Time) error {
	if err := d.Closable(p, at); err != nil {
		return err
	}
	if _, err := say(c.ctx, c.cfg, d.DB, string(p.ID), text); err != nil {
		return err
	}
	return d.Close(c.ctx, p, at)
}

func reopenThread(c *call) error {
	var branch string
	c.flags.StringVar(&branch, "branch", "", "open only this `comment` and what is below it again")
	if err := c.parse(1); err != nil {
		return err
	}
	d, err := c.openDesk()
	switch {
	case err != nil:
		return err
	case c.args[0] == everything && branch != "":
		return &usageError{"-branch is for one thread, not for all"}
	case c.args[0] == everything:
		return d.ReopenAll(c.ctx)
	}
	p, err := d.Post(c.ctx, c.args[0])
	switch {
	case err != nil:
		return err
	case branch != "":
		return d.ReopenBranch(c.ctx, p, branch)
	}
	return d.Reopen(c.ctx, p)
}
