package federation

import (
	"context"
	"errors"
	"net/http"

	"afterword/federation/wire"
	"afterword/storage"
	"afterword/thread"
)

// replyRequest answers a server that asks before it lets its user reply (GoToSocial; PROTOCOL 4): by the same rules as
// the reply itself will be judged. What waits for the blogger is answered when the blogger decides.
func (f *Federation) replyRequest(ctx context.Context, m storage.Message, a *wire.Object) error {
	reply := a.Instrument
	if reply == nil || !thread.SameOrigin(reply.ID, m.Sender) {
		return f.DB.Settle(ctx, m, refused("it asks for no reply of its sender's server"))
	}
	author, err := f.DB.Actor(ctx, m.Sender)
	if err != nil {
		return err
	}
	place, err := f.DB.PlaceOf(ctx, a.Object.ID)
	if errors.Is(err, storage.ErrNotFound) {
		return f.DB.Settle(ctx, m, ignored("it asks to answer nothing of this blog"))
	} else if err != nil {
		return err
	}
	audience := thread.Public // a bare id says nothing about it; the reply itself will
	if len(reply.Raw) > 0 {
		audience = reply.Audience()
	}
	admit, err := f.admission(ctx, m, reply, audience, author)
	if err != nil {
		return err
	}
	target := thread.Comment{Post: place.Post.ID, Parent: place.Parent}.Answers()
	m.Raw = bare(a) // it is sent back, where the text of the reply is known
	switch v := admit(place); v.Decision {
	case thread.Shown:
		return f.DB.Decide(ctx, m, reply.ID, target, true, thread.Verdict{Decision: thread.Done, Reason: "may reply"})
	case thread.Held:
		return f.letWait(ctx, m, reply, audience, author, v)
	default:
		return f.DB.Decide(ctx, m, reply.ID, target, false, v)
	}
}

// letWait lets a request wait for the blogger, together with the reply that it is about; where only the reply's address came,
// it is fetched.
func (f *Federation) letWait(ctx context.Context, m storage.Message, reply *wire.Object, audience thread.Audience, author storage.Actor, v thread.Verdict) error {
	if err := f.DB.Ask(ctx, m, reply.ID); err != nil {
		return err
	}
	if len(reply.Raw) == 0 {
		return f.DB.SettleByPull(ctx, m, reply.ID, v)
	}
	return f.reply(ctx, m, reply, audience, author)
}

// quoteRequest is always refused: the Notes say that nobody may quote them (requirement 90).
func (f *Federation) quoteRequest(ctx context.Context, m storage.Message, a *wire.Object) error {
	if a.Instrument == nil {
		return f.DB.Settle(ctx, m, ignored("it names no quote"))
	}
	return f.DB.Decide(ctx, m, a.Instrument.ID, a.Object.ID, false, refused("posts of this blog are not quoted"))
}

// publishDecision answers a request; the answer holds the request as it came.
func (f *Federation) publishDecision(ctx context.Context, c storage.Change) error {
	request, err := wire.Parse(c.Data)
	if err != nil {
		return err
	}
	to, err := f.DB.Actor(ctx, request.Actor)
	if err != nil {
		return err
	}
	out := &storage.Outgoing{Object: c.Object, Kind: c.Kind}
	if c.Kind == "grant" {
		out.ID, out.Body = activity(f.blog.AcceptRequest(c.Data, request.ID, to.ID, f.DB.ApprovalID(c.Object), serial(c)))
	} else {
		out.ID, out.Body = activity(f.blog.RejectRequest(c.Data, request.ID, to.ID, serial(c)))
	}
	return f.DB.Publish(ctx, c, out, storage.Recipients{Inbox: to.Inbox})
}

// publishApproval tells the server of a reply that the blogger let it in.
func (f *Federation) publishApproval(ctx context.Context, c storage.Change) error {
	reply, err := f.DB.Comment(ctx, c.Object)
	if err != nil {
		return err
	}
	to, err := f.DB.Actor(ctx, reply.Author.ID)
	if err != nil {
		return err
	}
	if to.Inbox == "" || reply.State != thread.Visible {
		return f.DB.Publish(ctx, c, nil, storage.Recipients{})
	}
	out := &storage.Outgoing{Object: reply.ID, Kind: c.Kind}
	out.ID, out.Body = activity(f.blog.AcceptReply(reply.ID, to.ID, reply.Answers(), f.DB.ApprovalID(reply.ID), serial(c)))
	return f.DB.Publish(ctx, c, out, storage.Recipients{Inbox: to.Inbox})
}

// approval serves the proof that a reply was approved, for servers that look it up.
func (f *Federation) approval(r *http.Request) document {
	id, _ := f.requested(r)
	a, err := f.DB.Approval(r.Context(), thread.IRI(id))
	if err != nil {
		return failed(err)
	}
	return activityJSON(f.blog.Authorization(a.ID, a.Reply, a.Target))
}
