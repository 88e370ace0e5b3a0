package main

import (
	"fmt"
	"slices"
	"time"

	"afterword/desk"
	"afterword/thread"
)

func commentList(c *call) error {
	var ref, state string
	var limit int
	c.flags.StringVar(&ref, "post", "", "only those under this post (`URL` or id)")
	c.flags.StringVar(&state, "state", "", "only those in this `state`: visible, pending, late, hidden or orphan")
	c.flags.IntVar(&limit, "limit", 1000, "at most this `number`")
	c.jsonFlag()
	if err := c.parse(0); err != nil {
		return err
	}
	if state != "" && !slices.Contains(thread.States, thread.State(state)) {
		return &usageError{fmt.Sprintf("%q is no state: it is one of %v", state, thread.States)}
	}
	d, err := c.openDesk()
	if err != nil {
		return err
	}
	var p thread.Post
	if ref != "" {
		if p, err = d.Post(c.ctx, ref); err != nil {
			return err
		}
	}
	found, err := d.Comments(c.ctx, p.ID, thread.State(state), limit)
	if err != nil {
		return err
	}
	return c.printComments(found)
}

func (c *call) printComments(out []desk.Comment) error {
	if c.asJSON {
		return c.printJSON(out)
	}
	for _, o := range out {
		text := []rune(o.Text)
		c.printf("%s  %-8s %s  %s\n    %s\n", o.Received.Format(time.RFC3339), o.State, o.Author, o.ID, string(text[:min(len(text), 100)]))
	}
	return nil
}

func commentApprove(c *call) error { return c.moderate(thread.Visible) }
func commentHide(c *call) error    { return c.moderate(thread.Hidden) }

func (c *call) moderate(to thread.State) error {
	if err := c.parse(1); err != nil {
		return err
	}
	d, err := c.openDesk()
	if err == nil {
		_, err = d.Moderate(c.ctx, c.args[0], to)
	}
	return err
}

func commentRemove(c *call) error {
	if err := c.parse(1); err != nil {
		return err
	}
	d, err := c.openDesk()
	if err != nil {
		return err
	}
	return d.RemoveComment(c.ctx, c.args[0])
}
