package federation

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"afterword/federation/wire"
	"afterword/fetch"
	"afterword/storage"
	"afterword/thread"
)

// The ways to sign that servers ask for. What a host took is remembered (PROTOCOL 31).
const (
	cavage     = ""              // as nearly all do
	withoutURL = "without-query" // draft-cavage over the path alone, as old Mastodons check it
	rfc9421    = "rfc9421"
)

// knock tries a request in the way that its host liked before, and if that is answered 401 (a POST: 400 too) in the others.
func (f *Federation) knock(ctx context.Context, url, liked string, try func(way string) error) error {
	refusal := try(liked)
	if !asksForAnother(refusal) {
		return refusal
	}
	for _, way := range []string{cavage, withoutURL, rfc9421} {
		if way == liked || way == withoutURL && !strings.Contains(url, "?") {
			continue
		}
		if err := try(way); !asksForAnother(err) {
			if err == nil {
				err = f.DB.RememberScheme(ctx, thread.IRI(url).Host(), way)
			}
			return err
		}
	}
	return refusal
}

func asksForAnother(err error) bool {
	var e *fetch.Error
	return errors.As(err, &e) && e.Kind == fetch.Status && (e.Status == http.StatusUnauthorized || e.Status == http.StatusBadRequest)
}

// getSigned fetches a document as the blog: servers with "authorized fetch" answer nobody else.
func (f *Federation) getSigned(ctx context.Context, g fetch.Get) (doc *fetch.Document, err error) {
	me, err := f.identity(ctx)
	if err != nil {
		return nil, err
	}
	liked, err := f.DB.Scheme(ctx, thread.IRI(g.URL).Host())
	if err != nil {
		return nil, err
	}
	g.Accept, g.Media = wire.AcceptJSON, fetch.ActivityJSON
	err = f.knock(ctx, g.URL, liked, func(way string) (err error) {
		g.Signature = "blog " + way
		g.Sign = func(r *http.Request) error { return me.signer.in(way, r, nil, f.Now()) }
		doc, err = f.Fetch.Get(ctx, g)
		return err
	})
	return doc, err
}

// postSigned delivers once, signed anew. What tells of a new key is signed with the one that peers know; who does not
// remember that looks it up in vain, and is told again with the new one.
func (f *Federation) postSigned(ctx context.Context, d storage.Delivery, t *turn) error {
	me, err := f.identity(ctx)
	if err != nil {
		return err
	}
	if d.Kind == "actor" && me.former != nil {
		if err := f.postAs(ctx, *me.former, d, t); !asksForAnother(err) {
			return err
		}
	}
	return f.postAs(ctx, me.signer, d, t)
}

func (f *Federation) postAs(ctx context.Context, s signer, d storage.Delivery, t *turn) error {
	return f.knock(ctx, d.Inbox, d.Scheme, func(way string) error {
		return f.Fetch.Post(ctx, fetch.Post{URL: d.Inbox, MediaType: wire.ActivityJSON, Body: d.Body, Sign: func(r *http.Request) error {
			if err := t.take(ctx); err != nil {
				return err
			}
			defer t.give()
			return s.in(way, r, d.Body, f.Now())
		}})
	})
}
