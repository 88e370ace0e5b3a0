package federation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"afterword/federation/wire"
	"afterword/storage"
	"afterword/thread"
)

const (
	batch    = 64
	maxTries = 3 // at a message that makes us fail, before it is parked for the blogger to see
)

// processWorker gives pushed messages their verdicts. It needs no network: what must be fetched is left to the pull
// worker.
func (f *Federation) processWorker() Worker {
	claim := func(ctx context.Context) (job, error) {
		due, err := f.DB.DueMessages(ctx, storage.Push, batch)
		if err != nil || len(due) == 0 {
			return nil, err
		}
		return func(ctx context.Context) error { return f.processAll(ctx, due) }, nil
	}
	return Worker{Name: "process", claim: claim, parallel: 1}
}

// processAll processes a batch in waves: messages that have nothing to do with each other share commits, the others
// keep their order.
func (f *Federation) processAll(ctx context.Context, due []storage.Message) error {
	for len(due) > 0 {
		wave, rest := independent(due)
		due = rest
		var g errgroup.Group
		for _, m := range wave {
			g.Go(func() error { return f.process(ctx, m) })
		}
		if err := g.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// independent splits off the messages of whom no earlier one is about the same object or sender, and no other one
// brings the object they answer. It always takes at least one.
func independent(due []storage.Message) (wave, rest []storage.Message) {
	brought := make(map[thread.IRI]bool, len(due))
	for _, m := range due {
		brought[m.Object] = true
	}
	touched := make(map[thread.IRI]bool, 2*len(due))
	for _, m := range due {
		if touched[m.Object] || touched[m.Sender] && m.Object == m.Sender || brought[m.ReplyTo] {
			rest = append(rest, m)
		} else {
			wave = append(wave, m)
		}
		touched[m.Object], touched[m.Sender] = true, true
	}
	if len(wave) == 0 {
		return due[:1], due[1:]
	}
	return wave, rest
}

// process gives one message its verdict. A message on which we fail is tried again, then parked.
func (f *Federation) process(ctx context.Context, m storage.Message) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = f.park(ctx, m, f.DB.Fault(ctx, "process", r, m.Raw))
		}
	}()
	a, err := wire.Parse(m.Raw)
	if err != nil || a.Object == nil {
		return f.DB.Settle(ctx, m, thread.Verdict{Decision: thread.Failed, Reason: "its text was erased or cannot be read"})
	}
	if err := f.dispatch(ctx, m, a); err != nil && ctx.Err() == nil {
		return f.park(ctx, m, err)
	}
	return nil
}

func (f *Federation) park(ctx context.Context, m storage.Message, err error) error {
	f.Log.Error("message failed", "id", m.ID, "type", m.Type, "object", m.Object, "attempt", m.Attempts+1, "error", err)
	if m.Attempts+1 >= maxTries {
		return f.DB.Settle(ctx, m, thread.Verdict{Decision: thread.Failed, Reason: err.Error()})
	}
	return f.DB.Postpone(ctx, m, f.Now().Add(time.Duration(m.Attempts+1)*10*time.Second), err.Error())
}

// dispatch finds who carries a message out. Before anything else: does its sender speak for its actor and object?
func (f *Federation) dispatch(ctx context.Context, m storage.Message, a *wire.Object) error {
	if v, ok := f.authority(m, a); !ok {
		return f.hint(ctx, m, a, v)
	}
	switch a.Type() {
	case "Follow":
		return f.follow(ctx, m, a)
	case "Create", "Update":
		return f.createOrUpdate(ctx, m, a)
	case "Delete":
		return f.delete(ctx, m, a)
	case "Like", "EmojiReact":
		return f.DB.React(ctx, m, storage.Like, done)
	case "Dislike": // Lemmy turns a like into one without an Undo
		return f.DB.Unreact(ctx, m, m.Object, storage.Like, ignored("a dislike is not counted, and ends a like"))
	case "Announce":
		return f.announce(ctx, m, a)
	case "Undo":
		return f.undo(ctx, m, a)
	case "Block":
		return f.DB.RemoveFollower(ctx, m, m.Sender, thread.Verdict{Decision: thread.Done, Reason: "the account blocks the blog: it no longer follows"})
	case "Move":
		return f.DB.SettleByPull(ctx, m, m.Sender, thread.Verdict{Decision: thread.Done, Reason: "the account moves; it is looked at again"})
	case "ReplyRequest":
		return f.replyRequest(ctx, m, a)
	case "QuoteRequest":
		return f.quoteRequest(ctx, m, a)
	case "Flag":
		return f.DB.Settle(ctx, m, thread.Verdict{Decision: thread.Done, Reason: "a report about the blog, kept for the blogger"})
	}
	return f.DB.Settle(ctx, m, ignored("nothing is done with "+a.Type()))
}

var done = thread.Verdict{Decision: thread.Done}

func refused(reason string) thread.Verdict {
	return thread.Verdict{Decision: thread.Refused, Reason: reason}
}

func ignored(reason string) thread.Verdict {
	return thread.Verdict{Decision: thread.Ignored, Reason: reason}
}

// authority is the one rule about who may say what (SECURITY R1): the verified sender is the activity's actor. What it creates,
// changes or deletes lives on the actor's server, and so does the activity. Nothing foreign speaks for our ids. A
// signature or proof inside the message (FEP-8b32) is no reason to believe it: whoever has it can send it.
func (f *Federation) authority(m storage.Message, a *wire.Object) (thread.Verdict, bool) {
	o := a.Object
	switch {
	case m.Sender != a.Actor:
		return refused(fmt.Sprintf("signed by %s, not by its actor %s", m.Sender, a.Actor)), false
	case !brings(a) && a.Type() != "Delete":
		return thread.Verdict{}, true
	case a.ID != "" && !thread.SameOrigin(a.ID, a.Actor):
		return refused("the activity's id is on another server than its actor"), false
	case f.blog.IsOurs(o.ID):
		return refused("it speaks of an object of this blog"), false
	case !thread.SameOrigin(o.ID, a.Actor):
		return refused("the object is on another server than its actor"), false
	case len(o.AttributedTo) > 0 && o.AttributedTo[0] != a.Actor && o.ID != a.Actor:
		return refused(fmt.Sprintf("written by %s, sent by %s", o.AttributedTo[0], a.Actor)), false
	}
	return thread.Verdict{}, true
}

// hint is what is left of a message without authority: a reason to ask the object's own server (SECURITY R2), if it is
// an object that may concern us.
func (f *Federation) hint(ctx context.Context, m storage.Message, a *wire.Object, v thread.Verdict) error {
	o := a.Object
	askable := (brings(a) || a.Type() == "Delete") && o.ID != "" && !f.blog.IsOurs(o.ID)
	if askable && thread.SameOrigin(o.ID, m.Sender) {
		sender, err := f.DB.Actor(ctx, m.Sender)
		if err != nil {
			return err
		}
		askable = sender.Type == "Application" // the server itself, which passes on what its accounts say
	}
	if askable && a.Type() == "Delete" {
		known, err := f.DB.Known(ctx, o.ID)
		if err != nil {
			return err
		}
		askable = known
	}
	if !askable {
		return f.DB.Settle(ctx, m, v)
	}
	v.Reason += "; its own server is asked"
	return f.DB.SettleByPull(ctx, m, o.ID, v)
}

func (f *Federation) follow(ctx context.Context, m storage.Message, a *wire.Object) error {
	actor, err := f.DB.Actor(ctx, m.Sender)
	if err != nil {
		return err
	}
	if actor.Inbox == "" {
		return f.DB.Settle(ctx, m, refused("the account has no inbox on its server"))
	}
	return f.DB.AddFollower(ctx, m, m.Raw, thread.Verdict{Decision: thread.Done, Reason: "follows the blog"})
}

func (f *Federation) createOrUpdate(ctx context.Context, m storage.Message, a *wire.Object) error {
	o := a.Object
	switch {
	case o.ID == a.Actor:
		return f.updateActor(ctx, m, o)
	case len(o.Raw) == 0:
		return f.DB.SettleByPull(ctx, m, o.ID, thread.Verdict{Decision: thread.Done, Reason: "only its address came; its server is asked"})
	}
	author, err := f.DB.Actor(ctx, m.Sender)
	if err != nil {
		return err
	}
	m.Forward = f.forwards(a)
	return f.reply(ctx, m, o, o.AudienceOf(a), author)
}

func (f *Federation) updateActor(ctx context.Context, m storage.Message, o *wire.Object) error {
	a, err := f.actorFrom(o)
	if err != nil { // only its address, or half a document: ask its server
		return f.DB.SettleByPull(ctx, m, o.ID, thread.Verdict{Decision: thread.Done, Reason: "the account is looked at again"})
	}
	if err := f.DB.SaveActor(ctx, a); err != nil {
		return err
	}
	if a.Claim != "" { // which is believed once others confirm it
		return f.DB.SettleByPull(ctx, m, o.ID, thread.Verdict{Decision: thread.Done, Reason: "the account changed; its name is looked up"})
	}
	return f.DB.Settle(ctx, m, thread.Verdict{Decision: thread.Done, Reason: "the account's name or picture changed"})
}

func (f *Federation) delete(ctx context.Context, m storage.Message, a *wire.Object) error {
	if m.Object == m.Sender {
		return f.DB.EraseActor(ctx, m, thread.Verdict{Decision: thread.Done, Reason: "the account was deleted"})
	}
	c, err := f.DB.Comment(ctx, m.Object)
	switch {
	case errors.Is(err, storage.ErrNotFound): // or a boost, which is a post of its own with Wafrn
		if found, err := f.unreact(ctx, m, m.Object); err != nil || found {
			return err
		}
		return f.DB.DeleteComment(ctx, m, m.Object, thread.Verdict{Decision: thread.Done, Reason: "not here; remembered in case it comes"})
	case err != nil:
		return err
	case c.Author.ID != m.Sender:
		return f.DB.Settle(ctx, m, refused("only its author deletes a comment"))
	}
	m.Forward = f.forwards(a)
	return f.DB.DeleteComment(ctx, m, m.Object, thread.Verdict{Decision: thread.Done, Reason: "deleted by its author"})
}

// announce counts a boost. What is wrapped in one is a hint: it is fetched from its own server.
func (f *Federation) announce(ctx context.Context, m storage.Message, a *wire.Object) error {
	if known, err := f.DB.Known(ctx, a.Object.ID); err != nil || known {
		return errors.Join(err, f.DB.React(ctx, m, storage.Boost, done))
	}
	inner := a.Object
	if inner.Object != nil {
		inner = inner.Object
	}
	if inner.ID == "" || f.blog.IsOurs(inner.ID) {
		return f.DB.Settle(ctx, m, ignored("it boosts nothing of this blog"))
	}
	return f.DB.SettleByPull(ctx, m, inner.ID, thread.Verdict{Decision: thread.Done, Reason: "it passes a reply on; the reply's own server is asked"})
}

// undo takes back a follow or a reaction, named by the activity itself or by its id alone.
func (f *Federation) undo(ctx context.Context, m storage.Message, a *wire.Object) error {
	inner := a.Object
	if inner.Actor != "" && inner.Actor != m.Sender {
		return f.DB.Settle(ctx, m, refused("only its actor undoes an activity"))
	}
	if inner.Object != nil {
		return f.undoEmbedded(ctx, m, inner)
	}
	if inner.ID == "" {
		return f.DB.Settle(ctx, m, ignored("there is nothing to undo"))
	}
	follows, err := f.DB.Follows(ctx, m.Sender, string(inner.ID))
	if err != nil {
		return err
	}
	if follows {
		return f.DB.RemoveFollower(ctx, m, m.Sender, unfollowed)
	}
	if found, err := f.unreact(ctx, m, inner.ID); err != nil || found {
		return err
	}
	return f.DB.Settle(ctx, m, ignored("there is nothing to undo"))
}

// unreact takes back the sender's reaction that has this id, if there is one.
func (f *Federation) unreact(ctx context.Context, m storage.Message, id thread.IRI) (found bool, err error) {
	object, kind, err := f.DB.ReactionByID(ctx, m.Sender, id)
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	return true, f.DB.Unreact(ctx, m, object, kind, done)
}

var unfollowed = thread.Verdict{Decision: thread.Done, Reason: "no longer follows the blog"}

func (f *Federation) undoEmbedded(ctx context.Context, m storage.Message, inner *wire.Object) error {
	switch inner.Type() {
	case "Follow":
		return f.DB.RemoveFollower(ctx, m, m.Sender, unfollowed)
	case "Like", "EmojiReact":
		return f.DB.Unreact(ctx, m, inner.Object.ID, storage.Like, done)
	case "Announce":
		return f.DB.Unreact(ctx, m, inner.Object.ID, storage.Boost, done)
	}
	return f.DB.Settle(ctx, m, ignored("nothing is done with Undo of "+inner.Type()))
}
