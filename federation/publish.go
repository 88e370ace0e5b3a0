package federation

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"afterword/federation/wire"
	"afterword/storage"
	"afterword/thread"
)

// publishWorker turns what has changed into deliveries.
func (f *Federation) publishWorker() Worker {
	claim := func(ctx context.Context) (job, error) {
		c, err := f.DB.NextChange(ctx)
		if errors.Is(err, storage.ErrNotFound) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		return func(ctx context.Context) error { return f.publishAlone(ctx, c) }, nil
	}
	return Worker{Name: "publish", claim: claim, parallel: 1}
}

// publishAlone publishes while no delivery begins: what an Update or a Delete supersedes is either under way, or never
// sent.
func (f *Federation) publishAlone(ctx context.Context, c storage.Change) error {
	q := f.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	defer q.published()
	if c.Kind == "delete" {
		if err := f.DB.Trying(ctx, q.underWay(c.Object)); err != nil {
			return err
		}
	}
	err := f.publishGuarded(ctx, c)
	if err == nil || ctx.Err() != nil {
		return err
	}
	f.Log.Error("not published", "what", c.Kind, "object", c.Object, "error", err)
	return f.DB.NotPublished(ctx, c)
}

func (f *Federation) publishGuarded(ctx context.Context, c storage.Change) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = f.DB.Fault(ctx, "publish", r, []byte(c.Object))
		}
	}()
	return f.publish(ctx, c)
}

// publish renders a change from the rows as they are now, so that close, reopen and close again end in one true Update.
func (f *Federation) publish(ctx context.Context, c storage.Change) error {
	switch c.Kind {
	case "accept":
		return f.publishAccept(ctx, c)
	case "reject":
		return f.publishReject(ctx, c)
	case "unfollow":
		return f.publishUnfollow(ctx, c)
	case "actor", "move":
		return f.publishActor(ctx, c)
	case "approve":
		return f.publishApproval(ctx, c)
	case "forward":
		return f.publishForward(ctx, c)
	case "grant", "refuse":
		return f.publishDecision(ctx, c)
	}
	if f.DB.IsAnswer(c.Object) {
		return f.publishAnswer(ctx, c)
	}
	p, err := f.DB.Post(ctx, c.Object)
	if err != nil {
		return err
	}
	if !p.Removed.IsZero() && c.Kind != "delete" {
		return f.DB.Publish(ctx, c, nil, storage.Recipients{})
	}
	out := f.tell(c, p)
	f.Log.Info("publishing", "what", c.Kind, "post", p.ID, "state", out.Told)
	return f.DB.Publish(ctx, c, out, storage.Recipients{Followers: true, Participants: p.ID})
}

func (f *Federation) tell(c storage.Change, p thread.Post) *storage.Outgoing {
	out := &storage.Outgoing{Object: p.ID, Kind: c.Kind}
	if c.Kind == "delete" {
		out.ID, out.Body = activity(f.blog.DeleteNote(p.ID, p.Removed))
		return out
	}
	out.Told = f.Rules.StateAt(p, f.Now())
	if c.Kind == "create" {
		out.ID, out.Body = activity(f.blog.CreateNote(p, out.Told))
	} else {
		out.ID, out.Body = activity(f.blog.UpdateNote(p, out.Told, later(c.At, p.Updated)))
	}
	return out
}

func (f *Federation) publishAccept(ctx context.Context, c storage.Change) error {
	to, err := f.DB.Actor(ctx, c.Object)
	if err != nil {
		return fmt.Errorf("accept a follow: %w", err)
	}
	follow, err := wire.Parse(c.Data)
	if err != nil {
		return err
	}
	id, body := activity(f.blog.AcceptFollow(c.Data, follow.ID, to.ID, serial(c)))
	return f.DB.Publish(ctx, c, &storage.Outgoing{ID: id, Object: to.ID, Kind: c.Kind, Body: body}, storage.Recipients{Inbox: to.Inbox})
}

// publishUnfollow tells a follower's server that the blogger has removed it: it would show the account as followed for ever.
func (f *Federation) publishUnfollow(ctx context.Context, c storage.Change) error {
	to, err := f.DB.Actor(ctx, c.Object)
	if err != nil {
		return fmt.Errorf("end a follow: %w", err)
	}
	id, body := activity(f.blog.RejectFollow(thread.IRI(c.Data), to.ID, serial(c)))
	return f.DB.Publish(ctx, c, &storage.Outgoing{ID: id, Object: to.ID, Kind: c.Kind, Body: body}, storage.Recipients{Inbox: to.Inbox})
}

// publishReject tells a late replier's server that the reply does not stand here (PROTOCOL 4): GoToSocial then takes
// it down on its side.
func (f *Federation) publishReject(ctx context.Context, c storage.Change) error {
	reply, err := f.DB.Comment(ctx, c.Object)
	if err != nil {
		return err
	}
	to, err := f.DB.Actor(ctx, reply.Author.ID)
	if err != nil {
		return err
	}
	if to.Inbox == "" {
		return f.DB.Publish(ctx, c, nil, storage.Recipients{})
	}
	id, body := activity(f.blog.RejectReply(reply.ID, to.ID, reply.Answers(), serial(c)))
	return f.DB.Publish(ctx, c, &storage.Outgoing{ID: id, Object: reply.ID, Kind: c.Kind, Body: body}, storage.Recipients{Inbox: to.Inbox})
}

// serial makes the ids of answers: one for each change, and the same when a crash repeats it.
func serial(c storage.Change) string {
	return strconv.FormatInt(c.At.UnixMilli(), 36) + "-" + strconv.FormatInt(c.ID, 36)
}

// activity is the id of an activity of ours, and itself.
func activity(body []byte) (thread.IRI, []byte) {
	a, err := wire.Parse(body)
	if err != nil {
		panic("wire sends what it cannot read: " + err.Error())
	}
	return a.ID, body
}
