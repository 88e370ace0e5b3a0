package federation

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"

	"afterword/federation/wire"
	"afterword/storage"
	"afterword/thread"
)

// BlogActor is the blog's account as the author of its own answers.
func (f *Federation) BlogActor(ctx context.Context) (storage.Actor, error) {
	me, err := f.identity(ctx)
	return storage.Actor{Author: thread.Author{ID: f.Actor(), Name: cmp.Or(me.blog.Name, f.Handle), Handle: "@" + f.blog.Account(), URL: f.Page},
		Type: "Person"}, err
}

// answered is what the documents of one of the blog's answers need beside itself: whom it answers, and whether it may be
// answered in turn. The blog says so of each of its own notes, because servers look at the very note that is answered.
func (f *Federation) answered(ctx context.Context, id thread.IRI) (c thread.Comment, to thread.Author, state thread.Openness, err error) {
	if c, err = f.DB.Comment(ctx, id); err != nil {
		return c, to, state, err
	}
	place, err := f.DB.PlaceOf(ctx, id)
	if errors.Is(err, storage.ErrNotFound) { // its post was removed
		return c, to, thread.Closed, nil
	} else if err != nil {
		return c, to, state, err
	}
	if state = f.Rules.StateAt(place.Post, f.Now()); !f.closed(place).IsZero() {
		state = thread.Closed
	}
	if c.Parent == "" {
		return c, to, state, nil
	}
	above, err := f.DB.Comment(ctx, c.Parent)
	if above.Author.Deleted {
		above.Author = thread.Author{}
	}
	return c, above.Author, state, err
}

// publishAnswer tells whom it answers, the followers and everyone in the thread of a new, changed or removed answer of the
// blog.
func (f *Federation) publishAnswer(ctx context.Context, c storage.Change) error {
	answer, to, state, err := f.answered(ctx, c.Object)
	if err != nil {
		return err
	}
	out := &storage.Outgoing{Object: answer.ID, Kind: c.Kind}
	switch {
	case c.Kind == "delete":
		out.ID, out.Body = activity(f.blog.DeleteNote(answer.ID, c.At))
	case answer.Deleted:
		return f.DB.Publish(ctx, c, nil, storage.Recipients{})
	case c.Kind == "create":
		out.ID, out.Body = activity(f.blog.CreateAnswer(answer, to, state))
	default:
		out.ID, out.Body = activity(f.blog.UpdateAnswer(answer, to, state, later(c.At, answer.Edited)))
	}
	return f.DB.Publish(ctx, c, out, storage.Recipients{Followers: true, Participants: answer.Post, Account: to.ID})
}

// answer serves "/answers/7", and its direct replies as "/answers/7/replies". A browser is sent to the thread.
func (f *Federation) answer(r *http.Request) document {
	id, n := f.requested(r)
	id, ofReplies := strings.CutSuffix(id, "/replies")
	c, to, state, err := f.answered(r.Context(), thread.IRI(id))
	if err != nil {
		return failed(err)
	}
	replies, err := f.directReplies(r.Context(), c.ID, max(n, 1))
	switch {
	case err != nil:
		return failed(err)
	case c.Deleted:
		return document{status: http.StatusNotFound, mediaType: wire.ActivityJSON, body: f.blog.Tombstone(c.ID, c.Received)}
	case ofReplies && n > 0:
		return activityJSON(f.blog.RepliesPage(c.ID, n, replies))
	case ofReplies:
		return activityJSON(f.blog.RepliesDocument(c.ID, replies))
	case !WantsActivity(r):
		return document{location: string(c.Post)}
	}
	return activityJSON(f.blog.AnswerDocument(c, to, state, replies))
}
