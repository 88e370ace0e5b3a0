package federation

import (
	"bytes"
	"context"
	"errors"
	"mime"
	"strings"
	"time"

	"golang.org/x/net/html"

	"afterword/federation/wire"
	"afterword/fetch"
	"afterword/storage"
	"afterword/thread"
)

// fateLimit is how long somebody who asks for a reply's fate waits at most; what is not known by then is found later.
const fateLimit = 10 * time.Second

// ErrNoAddress is returned for what cannot be the address of a reply.
var ErrNoAddress = errors.New("is no address of a reply: that begins with https://")

// Fate tells what became of a reply, given by its id or by the address of its page. One that never came is fetched now
// and enters, or does not, by the same door as every other. For the page of an admin as for the command.
func (f *Federation) Fate(ctx context.Context, address string) (thread.Fate, error) {
	known, err := f.DB.Fate(ctx, address)
	if !errors.Is(err, storage.ErrNotFound) {
		return known, err
	}
	at, err := thread.ParseIRI(address)
	if err != nil || f.blog.IsOurs(at) {
		return thread.Fate{}, ErrNoAddress
	}
	if blocked, err := f.DB.Blocked(ctx, at); err != nil || blocked {
		return thread.Fate{Decision: thread.Blocked, Reason: "the blog blocks its server, which was not asked"}, err
	}
	ctx, cancel := context.WithTimeout(new(fetch.Budget).In(ctx), fateLimit)
	defer cancel()
	id, err := f.idAt(ctx, at)
	if err != nil {
		return thread.Fate{Decision: thread.Unknown, Reason: err.Error(), Fetched: true}, nil
	}
	if known, err = f.DB.Fate(ctx, string(id)); !errors.Is(err, storage.ErrNotFound) {
		return known, err
	}
	return f.fetched(ctx, id)
}

// notForTheWeb is said of what is kept nowhere, so that nobody knows any more which it was.
const notForTheWeb = "not addressed to the public, or its author's profile says that such posts are not for the open web " +
	"(of GoToSocial's accounts unlisted ones are not, unless the author chooses so): it was counted, and nothing of it was kept"

// fetched pulls a reply that nobody sent, and what is above it.
func (f *Federation) fetched(ctx context.Context, id thread.IRI) (thread.Fate, error) {
	if err := f.DB.Pull(ctx, id, fetch.SpentIn(ctx)); err != nil {
		return thread.Fate{}, err
	}
	for range 2 * maxAncestors {
		m, err := f.DB.NextFetch(ctx, id)
		if errors.Is(err, storage.ErrNotFound) {
			break
		}
		if err == nil {
			err = f.pullOrPark(ctx, m)
		}
		if err != nil && ctx.Err() == nil {
			return thread.Fate{}, err
		} else if ctx.Err() != nil { // the server goes on where we stop
			return thread.Fate{ID: id, Decision: thread.Undecided, Reason: "its way up to a post is still being looked for", Fetched: true}, nil
		}
	}
	fate, err := f.DB.Fate(ctx, string(id))
	if errors.Is(err, storage.ErrNotFound) {
		fate, err = thread.Fate{ID: id, Decision: thread.Secret, Reason: notForTheWeb}, nil
	}
	fate.Fetched = true
	return fate, err
}

// idAt is the id of what is at an address: of the document there, or of the one that the page there names.
func (f *Federation) idAt(ctx context.Context, address thread.IRI) (thread.IRI, error) {
	o, err := f.getOnce(ctx, address)
	var e *fetch.Error
	switch {
	case err == nil && o.ID == "":
		return "", errElsewhere
	case err == nil:
		return o.ID, nil
	case !errors.As(err, &e) || e.Kind != fetch.MediaType:
		return "", err
	}
	page, err := f.Fetch.Get(ctx, fetch.Get{URL: string(address.WithoutFragment()), Accept: "text/html", MaxBytes: pageBytes})
	if err != nil {
		return "", err
	}
	if id := alternate(page.Body); id != "" {
		return id, nil
	}
	return "", errors.New("the page there names no ActivityPub document (link rel=alternate)")
}

// alternate is the ActivityPub document that a page names as its own.
func alternate(page []byte) thread.IRI {
	for z := html.NewTokenizer(bytes.NewReader(page)); z.Next() != html.ErrorToken; {
		token := z.Token()
		attr := map[string]string{}
		for _, a := range token.Attr {
			attr[a.Key] = a.Val
		}
		kind, _, _ := mime.ParseMediaType(attr["type"])
		if token.Data == "link" && strings.EqualFold(attr["rel"], "alternate") && (kind == wire.ActivityJSON || kind == "application/ld+json") {
			if id, err := thread.ParseIRI(attr["href"]); err == nil {
				return id
			}
		}
	}
	return ""
}
