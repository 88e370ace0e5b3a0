package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"afterword/sanitize"
	"afterword/storage"
	"afterword/thread"
)

// comment is a comment as commands print it.
type comment struct {
	ID        thread.IRI   `json:"id"`
	URL       string       `json:"url"`
	Post      thread.IRI   `json:"post"`
	Parent    thread.IRI   `json:"parent"`
	Author    string       `json:"author"`
	Name      string       `json:"name"`
	Text      string       `json:"text"`
	Published time.Time    `json:"published"`
	Received  time.Time    `json:"received"`
	State     thread.State `json:"state"`
}

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
	_, db, err := c.open()
	if err != nil {
		return err
	}
	var p thread.Post
	if ref != "" {
		if p, err = db.FindPost(c.ctx, ref); err != nil {
			return fmt.Errorf("the post %s: %w", ref, err)
		}
	}
	found, err := db.Comments(c.ctx, p.ID, thread.State(state), limit)
	if err != nil {
		return err
	}
	return c.printComments(found)
}

func (c *call) printComments(found []thread.Comment) error {
	out := make([]comment, len(found))
	for i, f := range found {
		out[i] = comment{f.ID, f.URL, f.Post, f.Parent, f.Author.Handle, f.Author.Name, sanitize.Text(f.HTML, 10_000), f.Published, f.Received, f.State}
	}
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
	_, db, err := c.open()
	if err != nil {
		return err
	}
	found, err := db.FindComment(c.ctx, c.args[0])
	if err != nil {
		return c.noSuchComment(err)
	}
	return db.Moderate(c.ctx, found.ID, to)
}

func commentRemove(c *call) error {
	if err := c.parse(1); err != nil {
		return err
	}
	_, db, err := c.open()
	if err != nil {
		return err
	}
	found, err := db.FindComment(c.ctx, c.args[0])
	if err != nil {
		return c.noSuchComment(err)
	}
	return db.RemoveComment(c.ctx, found.ID)
}

func (c *call) noSuchComment(err error) error {
	if errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf(`there is no comment %s; "afterword comment list" shows all`, c.args[0])
	}
	return err
}
