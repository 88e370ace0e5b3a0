package federation

import (
	"context"
	"slices"

	"afterword/federation/wire"
	"afterword/storage"
	"afterword/thread"
)

// What carries a signature of its own can be handed on: whoever gets it need not ask its author's server (AP 7.1.2, decision
// 006). We do that for what readers see at once, and neither for what the blogger approves later nor for what we fetched.

// forwards tells whether a message would be believed at third hand, and is for everybody. Where it was forwarded its author
// must be able to delete it: a Delete may be without an address.
func (f *Federation) forwards(a *wire.Object) bool {
	return f.Forward && a.Signed && a.ID != "" && (slices.Contains(a.To, wire.Public) || a.Type() == "Delete")
}

// publishForward sends a message of somebody else to the followers' servers as the bytes in which it came, and not back to
// where that was. It is too late for it when readers no longer see what it is about.
func (f *Federation) publishForward(ctx context.Context, c storage.Change) error {
	a, err := wire.Parse(c.Data)
	if err != nil {
		return err
	}
	about, err := f.DB.Comment(ctx, c.Object)
	if err != nil {
		return err
	}
	if a.Type() != "Delete" && about.State != thread.Visible {
		return f.DB.Publish(ctx, c, nil, storage.Recipients{})
	}
	out := &storage.Outgoing{ID: a.ID, Object: c.Object, Kind: c.Kind, Body: c.Data}
	return f.DB.Publish(ctx, c, out, storage.Recipients{Followers: true, Except: c.Object.Host()})
}
