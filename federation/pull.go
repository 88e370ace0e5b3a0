package federation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"afterword/federation/wire"
	"afterword/fetch"
	"afterword/storage"
	"afterword/thread"
)

const (
	maxAncestors = 20 // steps up from a reply that are fetched to find its post (PROTOCOL 50)
	maxPulls     = 6  // tries at one object
)

// errElsewhere is returned for a document that is not what its address says.
var errElsewhere = errors.New("the document there has another id")

// get fetches an object from its own origin. Its id equals id: what another address calls itself is not believed, but
// asked for once more where it says it lives, on the same server (SECURITY R3).
func (f *Federation) get(ctx context.Context, id thread.IRI) (*wire.Object, error) {
	o, err := f.getOnce(ctx, id)
	if err != nil || o.ID == id {
		return o, err
	}
	if !thread.SameOrigin(o.ID, id) {
		return nil, errElsewhere
	}
	moved := o.ID
	if o, err = f.getOnce(ctx, moved); err == nil && o.ID != moved {
		err = errElsewhere
	}
	return o, err
}

func (f *Federation) getOnce(ctx context.Context, id thread.IRI) (*wire.Object, error) {
	doc, err := f.Fetch.Get(ctx, fetch.Get{URL: string(id.WithoutFragment()), Accept: wire.AcceptJSON, Media: fetch.ActivityJSON, Sign: f.signGet})
	if err != nil {
		return nil, err
	}
	o, err := wire.Parse(doc.Body)
	if err != nil {
		return nil, fmt.Errorf("the document at %s cannot be read: %w", id, err)
	}
	if o.ID == "" {
		return nil, fmt.Errorf("the document at %s has no id", id)
	}
	return o, nil
}

// pullWorker fetches what a message pointed at: the comment above a reply, an object that somebody else spoke of, an
// account that is said to be gone.
func (f *Federation) pullWorker() Worker {
	var busy claims[int64]
	claim := func(ctx context.Context) (job, error) {
		before := busy.copy()
		due, err := f.DB.DueMessages(ctx, storage.Pull, batch)
		for _, m := range due {
			if before[m.ID] == 0 {
				busy.take(m.ID)
				return func(ctx context.Context) error {
					defer busy.give(m.ID)
					return f.pull(ctx, m)
				}, nil
			}
		}
		return nil, err
	}
	return Worker{Name: "pull", claim: claim, parallel: 4}
}

// pull lets a fetched object in by the same rules as a pushed one; only who vouches for it differs: its own server.
func (f *Federation) pull(ctx context.Context, m storage.Message) error {
	if blocked, err := f.DB.Blocked(ctx, m.Object); err != nil || blocked {
		return errors.Join(err, f.DB.Strand(ctx, m, thread.Verdict{Decision: thread.Blocked, Reason: "the blog blocks this account or its server"}))
	}
	o, err := f.get(ctx, m.Object)
	if err != nil {
		return f.notPulled(ctx, m, err)
	}
	switch {
	case o.Type() == "Tombstone":
		return f.vanished(ctx, m, "its server says that it was deleted")
	case o.Profile != nil:
		return f.refreshActor(ctx, m, o)
	}
	author, err := f.authorOfPulled(ctx, o)
	if err != nil {
		return f.notPulled(ctx, m, err)
	}
	m.Sender, m.Object = author.ID, o.ID
	return f.reply(ctx, m, o, o.AudienceOf(nil), author)
}

func (f *Federation) authorOfPulled(ctx context.Context, o *wire.Object) (storage.Actor, error) {
	if len(o.AttributedTo) == 0 || !thread.SameOrigin(o.AttributedTo[0], o.ID) {
		return storage.Actor{}, errors.New("its author is not an account of its server")
	}
	return f.author(ctx, o.AttributedTo[0])
}

// notPulled decides what a failed fetch means: try again, it is gone, or it cannot be had.
func (f *Federation) notPulled(ctx context.Context, m storage.Message, err error) error {
	var e *fetch.Error
	switch {
	case errors.As(err, &e) && e.Temporary() && m.Attempts+1 < maxPulls:
		return f.DB.Postpone(ctx, m, f.Now().Add(max(e.RetryAfter, time.Minute<<(2*m.Attempts))), err.Error())
	case errors.As(err, &e) && (e.Gone() || e.NotFound()):
		return f.vanished(ctx, m, err.Error())
	}
	return f.DB.Strand(ctx, m, thread.Verdict{Decision: thread.Orphaned, Reason: "cannot be had: " + err.Error()})
}

// vanished carries out what an object's own server says: it is no more.
func (f *Federation) vanished(ctx context.Context, m storage.Message, reason string) error {
	c, err := f.DB.Comment(ctx, m.Object)
	if err == nil {
		m.Sender = c.Author.ID
		return f.DB.DeleteComment(ctx, m, c.ID, thread.Verdict{Decision: thread.Done, Reason: reason})
	}
	if !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	if known, err := f.knownActor(ctx, m.Object); err != nil || known {
		return errors.Join(err, f.actorVanished(ctx, m, reason))
	}
	return f.DB.Strand(ctx, m, thread.Verdict{Decision: thread.Orphaned, Reason: reason})
}

// actorVanished: 410 and 404 end a follow; only 410, which nobody answers by mistake, erases what somebody wrote.
func (f *Federation) actorVanished(ctx context.Context, m storage.Message, reason string) error {
	v := thread.Verdict{Decision: thread.Done, Reason: reason}
	var e *fetch.Error
	if _, err := f.get(ctx, m.Object); errors.As(err, &e) && e.Gone() {
		return f.DB.EraseActor(ctx, m, v)
	}
	return f.DB.RemoveFollower(ctx, m, m.Object, v)
}

func (f *Federation) refreshActor(ctx context.Context, m storage.Message, o *wire.Object) error {
	a, err := f.actorFrom(o)
	if err == nil {
		err = f.DB.SaveActor(ctx, a)
	}
	if err != nil {
		return err
	}
	return f.DB.Settle(ctx, m, thread.Verdict{Decision: thread.Done, Reason: "looked at the account again"})
}
