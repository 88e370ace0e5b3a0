package federation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"afterword/federation/wire"
	"afterword/fetch"
	"afterword/sanitize"
	"afterword/storage"
	"afterword/thread"
)

// maxKey is the longest key that is kept, in bytes. That of an account with RSA-4096 has 800.
const maxKey = 2 << 10

// actorFrom is what we keep of an account's document. Inboxes on another server are not believed: they would make us
// send to whom we were pointed at.
func (f *Federation) actorFrom(o *wire.Object) (storage.Actor, error) {
	p := o.Profile
	if p == nil || o.ID == "" {
		return storage.Actor{}, errors.New("not an account")
	}
	if f.blog.IsOurs(o.ID) {
		return storage.Actor{}, errors.New("an account on this server")
	}
	name, _, _ := strings.Cut(sanitize.Name(p.Username, 64), "@") // or it would read as of another domain
	handle := "@" + name + "@" + o.ID.Host()
	if name == "" {
		name, handle = o.ID.Host(), "@"+o.ID.Host()
	}
	a := storage.Actor{
		Author: thread.Author{ID: o.ID, Name: sanitize.Name(o.Name, 100), Handle: handle,
			URL: sanitize.Link(o.URL), Avatar: sanitize.Link(p.Icon), Bot: p.Bot},
		Type: o.Type(), HidesPublic: p.HidesPublic || p.Suspended || optsOut(o), HidesUnlisted: p.HidesCC,
	}
	a.Claim = elsewhere(p.WebFinger, o.ID)
	if a.Name == "" {
		a.Name = name
	}
	if a.URL == "" {
		a.URL = string(o.ID)
	}
	if thread.SameOrigin(p.Inbox, o.ID) {
		a.Inbox = string(p.Inbox)
	}
	if a.Inbox != "" && thread.SameOrigin(p.SharedInbox, o.ID) {
		a.SharedInbox = string(p.SharedInbox)
	}
	for _, k := range p.Keys {
		if k.PEM != "" && len(k.PEM) <= maxKey && (k.Owner == o.ID || k.Owner == "") && thread.SameOrigin(thread.IRI(k.ID), o.ID) {
			a.Keys = append(a.Keys, storage.ActorKey{ID: k.ID, Owner: o.ID, PEM: k.PEM})
		}
	}
	if len(a.Keys) > 0 { // PeerTube signs by the id of the account: that means its first key
		a.Keys = append(a.Keys, storage.ActorKey{ID: string(o.ID), Owner: o.ID, PEM: a.Keys[0].PEM})
	}
	return a, nil
}

// optsOut tells whether an account says in its profile that it wants none of its posts on blogs. "#noblog" is our word for
// it; "#nobot" and "#noindex" are about other things, and many have them who like to be read here.
func optsOut(o *wire.Object) bool {
	for word := range strings.FieldsSeq(sanitize.Text(o.Summary, 5000)) {
		if strings.EqualFold(strings.TrimRight(word, ".,;:!?)"), "#noblog") {
			return true
		}
	}
	return false
}

// elsewhere is an account ("name@domain") as a handle, if it is on another domain than the actor's; else empty.
func elsewhere(account string, id thread.IRI) string {
	name, domain, _ := strings.Cut(account, "@")
	if name == "" || name != sanitize.Name(name, 64) || domain == id.Host() {
		return ""
	}
	return "@" + account
}

// confirm asks others about what an account says of itself: does the domain of its name know it (SECURITY F17), and does
// the account that it says to have moved to say so too? Only then readers see the one, and are led to the other.
func (f *Federation) confirm(ctx context.Context, a *storage.Actor, o *wire.Object) {
	if name, domain, _ := strings.Cut(strings.TrimPrefix(a.Claim, "@"), "@"); a.Claim != "" {
		if id, err := f.lookUp(ctx, fetch.Account{User: name, Host: domain}); err == nil && id == a.ID {
			a.Handle = a.Claim
		}
	}
	if to := o.Profile.MovedTo; to != "" && !f.blog.IsOurs(to) {
		there, err := f.get(ctx, to)
		if err == nil && there.Profile != nil && slices.Contains(there.Profile.AlsoKnownAs, a.ID) {
			a.URL = cmp.Or(sanitize.Link(there.URL), string(there.ID))
		}
	}
}

// profileAge is after how long an account is looked at again when it comments.
const profileAge = 7 * 24 * time.Hour

// author is the account that wrote a fetched object, known or fetched now. A known one serves while its server is away.
func (f *Federation) author(ctx context.Context, id thread.IRI) (storage.Actor, error) {
	known, err := f.DB.Actor(ctx, id)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return known, err
	}
	if err == nil && !known.Deleted && f.Now().Sub(known.Fetched) < profileAge {
		return known, nil
	}
	o, fetchErr := f.get(ctx, id)
	if fetchErr != nil {
		if err == nil && (temporary(fetchErr) || spent(fetchErr)) {
			return known, nil
		}
		return storage.Actor{}, fmt.Errorf("its author: %w", fetchErr)
	}
	a, fetchErr := f.actorFrom(o)
	if fetchErr != nil {
		return a, fmt.Errorf("its author: %w", fetchErr)
	}
	f.confirm(ctx, &a, o)
	return a, f.DB.SaveActor(ctx, a)
}
