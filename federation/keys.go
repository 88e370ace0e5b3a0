package federation

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"afterword/federation/sign"
	"afterword/federation/wire"
	"afterword/fetch"
	"afterword/storage"
	"afterword/thread"
)

// refreshEvery is how often a key that failed may be fetched anew for one actor (PROTOCOL 37).
const refreshEvery = time.Minute

// keyring finds other servers' public keys: in memory, in the database, or at their origin.
type keyring struct {
	f *Federation

	mu        sync.Mutex // guards what follows
	parsed    map[string]sign.Key
	refreshed map[thread.IRI]time.Time // by owner
}

// maxParsed bounds the keys kept in memory; when it is reached, all are forgotten.
const maxParsed = 4096

// requestKeys is the keyring as one request sees it: it remembers the account that had to be fetched, so that it can
// be stored with the message once the signature has proven good.
type requestKeys struct {
	ring    *keyring
	source  netip.Prefix // who asked; the zero value: nobody knows
	fetched *storage.Actor
	asked   []string     // what was fetched for somebody who had proven nothing yet
	budget  fetch.Budget // of the message
}

func (k *keyring) forRequest(r *http.Request) *requestKeys {
	keys := &requestKeys{ring: k}
	if k.f.Source != nil {
		keys.source = k.f.Source(r)
	}
	return keys
}

// Key implements sign.KeySource.
func (r *requestKeys) Key(ctx context.Context, keyID string, fresh bool) (sign.Key, bool, error) {
	if !fresh {
		key, err := r.ring.stored(ctx, keyID)
		if !errors.Is(err, storage.ErrNotFound) {
			return key, true, err
		}
	} else if !r.ring.mayRefresh(ctx, keyID) {
		return sign.Key{}, true, sign.ErrNoRefresh
	}
	actor, key, err := r.fetch(ctx, keyID, fresh)
	if err != nil {
		return sign.Key{}, false, err
	}
	r.fetched = &actor
	return key, false, nil
}

// stored is a key that was proven good before.
func (k *keyring) stored(ctx context.Context, keyID string) (sign.Key, error) {
	row, fetched, err := k.f.DB.Key(ctx, keyID)
	if err != nil {
		return sign.Key{}, err
	}
	name := fmt.Sprint(keyID, " ", fetched.UnixMilli())
	k.mu.Lock()
	key, ok := k.parsed[name]
	k.mu.Unlock()
	if ok {
		return key, nil
	}
	public, err := sign.ParsePublicKey(row.PEM)
	if err != nil {
		return sign.Key{}, storage.ErrNotFound // fetch it anew
	}
	key = sign.Key{ID: row.ID, Owner: row.Owner, Public: public}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.parsed) >= maxParsed || k.parsed == nil {
		k.parsed = map[string]sign.Key{}
	}
	k.parsed[name] = key
	return key, nil
}

func (k *keyring) mayRefresh(ctx context.Context, keyID string) bool {
	row, _, err := k.f.DB.Key(ctx, keyID)
	if err != nil {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.f.Now()
	if now.Sub(k.refreshed[row.Owner]) < refreshEvery {
		return false
	}
	if len(k.refreshed) >= maxParsed {
		clear(k.refreshed)
	}
	k.refreshed[row.Owner] = now
	return true
}

// vouch tells the client that what was fetched on a stranger's word proved true.
func (r *requestKeys) vouch() {
	for _, url := range r.asked {
		r.ring.f.Fetch.Vouch(url)
		r.ring.f.sources.giveBack(r.source, thread.IRI(url).Host())
	}
}

// fetch gets a key from its origin, and the account that owns it. The keyId may name the account's document with a
// fragment, a document of the key alone, or a stub of the account (GoToSocial). Only the account's own document says
// which keys are its (PROTOCOL 35).
func (r *requestKeys) fetch(ctx context.Context, keyID string, fresh bool) (storage.Actor, sign.Key, error) {
	doc, err := r.document(ctx, keyID, fresh)
	if err != nil {
		return storage.Actor{}, sign.Key{}, err
	}
	owner := ownerIn(doc, keyID)
	if owner == "" || !thread.SameOrigin(owner, thread.IRI(keyID)) {
		return storage.Actor{}, sign.Key{}, noKey("the document of the key names no owner on its server")
	}
	ofKey := doc
	elsewhere := thread.IRI(keyID).WithoutFragment() != owner.WithoutFragment() // such as in an uploaded file (SECURITY R3)
	if elsewhere || doc.ID != owner || doc.Profile == nil || doc.Profile.Inbox == "" {
		if doc, err = r.document(ctx, string(owner), fresh); err != nil {
			return storage.Actor{}, sign.Key{}, err
		}
	}
	if doc.ID != owner || doc.Profile == nil || !doc.IsActor() { // SECURITY B71
		return storage.Actor{}, sign.Key{}, noKey("its owner is not an account")
	}
	complete(doc.Profile, ofKey)
	return r.ring.f.match(doc, keyID)
}

// complete puts into an account's list the key that it names by its id alone and that has a document of its own.
func complete(owner *wire.Profile, ofKey *wire.Object) {
	for i, listed := range owner.Keys {
		for _, k := range ofKey.Profile.Keys {
			if listed.PEM == "" && k.ID == listed.ID && k.ID == string(ofKey.ID) {
				owner.Keys[i] = k
			}
		}
	}
}

// document fetches what a key's id points to, for somebody who has yet to prove anything.
func (r *requestKeys) document(ctx context.Context, id string, fresh bool) (*wire.Object, error) {
	f := r.ring.f
	if f.blog.IsOurs(thread.IRI(id)) {
		return nil, noKey("it claims a key of ours")
	}
	url := string(thread.IRI(id).WithoutFragment())
	if err := f.Fetch.Check(url); err != nil {
		return nil, err
	}
	if wait := f.sources.take(r.source, thread.IRI(url).Host()); wait > 0 {
		return nil, &fetch.Error{Kind: fetch.Busy, RetryAfter: wait, URL: url}
	}
	doc, err := f.getSigned(r.budget.In(ctx), fetch.Get{URL: url, Stranger: true, Fresh: fresh})
	if err != nil {
		return nil, err
	}
	r.asked = append(r.asked, doc.URL)
	if !thread.SameOrigin(thread.IRI(doc.URL), thread.IRI(url)) { // whoever stands where a server redirects to is not that server
		return nil, noKey("its id leads to another server")
	}
	o, err := wire.Parse(doc.Body)
	if err != nil {
		return nil, noKey("the document of the key cannot be read: " + err.Error())
	}
	return o, nil
}

// ownerIn is the account that a document gives as the key's owner.
func ownerIn(doc *wire.Object, keyID string) thread.IRI {
	if doc.Profile == nil {
		return ""
	}
	for _, key := range doc.Profile.Keys {
		if key.ID == keyID && key.Owner != "" {
			return key.Owner
		}
	}
	if doc.Profile.Inbox != "" {
		return doc.ID
	}
	return ""
}

// match finds the key among those that its owner lists.
func (f *Federation) match(owner *wire.Object, keyID string) (storage.Actor, sign.Key, error) {
	actor, err := f.actorFrom(owner)
	if err != nil {
		return actor, sign.Key{}, noKey(err.Error())
	}
	for _, listed := range actor.Keys {
		if listed.ID != keyID {
			continue
		}
		public, err := sign.ParsePublicKey(listed.PEM)
		if err != nil {
			return actor, sign.Key{}, noKey("the key cannot be used: " + err.Error())
		}
		return actor, sign.Key{ID: keyID, Owner: actor.ID, Public: crypto.PublicKey(public)}, nil
	}
	return actor, sign.Key{}, noKey("its owner does not list this key")
}

func noKey(reason string) error { return &sign.Error{Kind: sign.Refused, Reason: reason} }
