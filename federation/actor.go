package federation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"afterword/federation/wire"
	"afterword/sanitize"
	"afterword/storage"
	"afterword/thread"
)

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
	name := sanitize.Name(p.Username, 64)
	a := storage.Actor{
		Author: thread.Author{ID: o.ID, Name: sanitize.Name(o.Name, 100), Handle: "@" + name + "@" + o.ID.Host(),
			URL: sanitize.Link(o.URL), Avatar: sanitize.Link(p.Icon), Bot: p.Bot},
		Type: o.Type(), HidesPublic: p.HidesPublic, HidesUnlisted: p.HidesCC,
	}
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
		if k.PEM != "" && (k.Owner == o.ID || k.Owner == "") && thread.SameOrigin(thread.IRI(k.ID), o.ID) {
			a.Keys = append(a.Keys, storage.ActorKey{ID: k.ID, Owner: o.ID, PEM: k.PEM})
		}
	}
	return a, nil
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
		if err == nil && temporary(fetchErr) {
			return known, nil
		}
		return storage.Actor{}, fmt.Errorf("its author: %w", fetchErr)
	}
	a, fetchErr := f.actorFrom(o)
	if fetchErr != nil {
		return a, fmt.Errorf("its author: %w", fetchErr)
	}
	return a, f.DB.SaveActor(ctx, a)
}
