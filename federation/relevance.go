package federation

import (
	"context"
	"errors"
	"slices"
	"strings"

	"afterword/federation/wire"
	"afterword/storage"
	"afterword/thread"
)

// concerns tells whether a message is about us. It is asked before any signature is checked, so it may cost no more
// than a few look-ups: the fediverse sends everyone's deletions to everyone (PROTOCOL 0.8).
func (f *Federation) concerns(ctx context.Context, a *wire.Object) (bool, error) {
	o := a.Object
	if o == nil || f.blog.IsOurs(a.Actor) {
		return false, nil
	}
	switch a.Type() {
	case "Follow", "Block":
		return o.ID == f.Actor(), nil
	case "Move":
		return f.knownActor(ctx, a.Actor)
	case "Create", "Update":
		if o.ID == a.Actor {
			return f.knownActor(ctx, a.Actor)
		}
		if a.Type() == "Create" && len(o.Raw) == 0 && thread.SameOrigin(o.ID, a.Actor) {
			return true, nil
		}
		return f.isReply(ctx, a, o)
	case "Delete":
		if o.ID == a.Actor {
			return f.knownActor(ctx, a.Actor)
		}
		return o.ID != "" && !f.blog.IsOurs(o.ID), nil
	case "Like", "Dislike", "EmojiReact", "ReplyRequest", "QuoteRequest":
		return f.DB.Known(ctx, o.ID)
	case "Announce":
		return f.isBoostOrHint(ctx, o)
	case "Undo":
		return f.undoConcerns(ctx, a)
	case "Flag":
		return slices.ContainsFunc(a.Objects, f.blog.IsOurs), nil
	}
	return false, nil // Add, too: threads of ours are handed around by nobody else (FEP-171b)
}

// isReply tells whether an object may stand in one of our threads: it answers something there, or it answers
// something and speaks of us.
func (f *Federation) isReply(ctx context.Context, a, o *wire.Object) (bool, error) {
	if o.ID == "" || o.IsVote() || len(o.Raw) > 0 && !o.Speaks() {
		return false, nil
	}
	if len(o.Raw) == 0 { // a bare id: what it is, its origin must say
		if f.blog.IsOurs(o.ID) || f.addressed(a) {
			return !f.blog.IsOurs(o.ID), nil
		}
		return f.DB.Known(ctx, o.ID)
	}
	for _, id := range o.InReplyTo {
		if known, err := f.DB.Known(ctx, id); err != nil || known {
			return known, err
		}
	}
	if strangers := slices.ContainsFunc(o.InReplyTo, func(id thread.IRI) bool { return !f.blog.IsOurs(id) }); strangers {
		if f.inOurContext(o) || f.addressed(a) || f.addressed(o) {
			return true, nil
		}
	}
	return f.DB.Known(ctx, o.ID) // an edit
}

func (f *Federation) inOurContext(o *wire.Object) bool {
	return slices.ContainsFunc(o.Contexts, func(id thread.IRI) bool {
		return strings.HasPrefix(string(id), f.Base+"/context/")
	})
}

func (f *Federation) addressed(o *wire.Object) bool {
	us := func(id thread.IRI) bool { return id == f.Actor() }
	return slices.ContainsFunc(o.To, us) || slices.ContainsFunc(o.Cc, us) || slices.ContainsFunc(o.Mentions, us)
}

// isBoostOrHint: an Announce of something in our threads is a boost; one that wraps a reply to us, its edit or its
// deletion (Lemmy, Mbin, NodeBB) is a hint to fetch that reply.
func (f *Federation) isBoostOrHint(ctx context.Context, o *wire.Object) (bool, error) {
	if known, err := f.DB.Known(ctx, o.ID); err != nil || known {
		return known, err
	}
	switch inner := o.Object; {
	case len(o.Raw) == 0:
		return false, nil
	case inner == nil:
		return f.isReply(ctx, o, o)
	case o.Type() == "Create" || o.Type() == "Update":
		return f.isReply(ctx, o, inner)
	case o.Type() == "Delete" && !f.blog.IsOurs(inner.ID):
		return f.DB.Known(ctx, inner.ID)
	}
	return false, nil
}

func (f *Federation) undoConcerns(ctx context.Context, a *wire.Object) (bool, error) {
	if inner := a.Object; inner.Object != nil {
		if inner.Object.ID == f.Actor() {
			return true, nil
		}
		return f.DB.Known(ctx, inner.Object.ID)
	}
	if known, err := f.DB.Follows(ctx, a.Actor, string(a.Object.ID)); err != nil || known {
		return known, err
	}
	_, _, err := f.DB.ReactionByID(ctx, a.Actor, a.Object.ID)
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// brings tells whether an activity brings or changes an object with a text.
func brings(a *wire.Object) bool {
	return (a.Type() == "Create" || a.Type() == "Update") && a.Object != nil
}
