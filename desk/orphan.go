package desk

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"afterword/sanitize"
	"afterword/storage"
	"afterword/thread"
)

// Comments lists comments, newest first: of a post or (post empty) of all, in one state or (state empty) in every state that
// has a place under a post. Orphans have none: they are read from the messages that brought them.
func (d Desk) Comments(ctx context.Context, post thread.IRI, state thread.State, limit int) ([]Comment, error) {
	if state == thread.Orphan {
		return d.orphans(ctx, post, limit)
	}
	found, err := d.DB.Comments(ctx, post, state, limit)
	return ViewComments(found), err
}

func (d Desk) orphans(ctx context.Context, post thread.IRI, limit int) ([]Comment, error) {
	out := []Comment{}
	if post != "" {
		return out, nil
	}
	messages, err := d.DB.Orphans(ctx, limit)
	for _, m := range messages {
		c := orphan(m)
		if a, err := d.DB.Actor(ctx, thread.IRI(c.Author)); err == nil && a.Handle != "" {
			c.Author, c.Name = a.Handle, a.Name
		}
		out = append(out, c)
	}
	return out, err
}

// note is as much of a stranger's object as the blogger sees of an orphan.
type note struct {
	Content   string
	Published time.Time
	Author    string `json:"attributedTo"`
}

// orphan is what a message brought: the object itself, or an activity around it. What is spelled otherwise stays empty.
func orphan(m storage.Message) Comment {
	var outer struct {
		note
		Object note
	}
	json.Unmarshal(m.Raw, &outer) //nolint:errcheck // what can be read is read
	n := outer.Object
	if n.Content == "" {
		n = outer.note
	}
	return Comment{ID: m.Object, URL: string(m.Object), Parent: m.ReplyTo, Author: cmp.Or(string(m.Sender), n.Author),
		Text: sanitize.Text(n.Content, maxCommentText), Published: cmp.Or(n.Published, m.Received).UTC(), Received: m.Received, State: thread.Orphan}
}
