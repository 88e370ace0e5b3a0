package federation

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"afterword/federation/wire"
	"afterword/fetch"
	"afterword/thread"
)

// maxJRD is how much is read of a WebFinger answer, in bytes (SECURITY R7).
const maxJRD = 64 << 10

// ErrNoAccount is returned for what names no account.
var ErrNoAccount = errors.New("is neither an account such as @me@example.social nor its address")

// Find is the id of the account that "@me@host", or the address of its document or profile, means. Its server is asked.
func (f *Federation) Find(ctx context.Context, account string) (thread.IRI, error) {
	if strings.Contains(account, "://") {
		return f.findAt(ctx, account)
	}
	name, host, both := strings.Cut(strings.TrimPrefix(account, "@"), "@")
	if id, err := thread.ParseIRI("https://" + host + "/"); !both || name == "" || err != nil || id.Host() != strings.ToLower(host) {
		return "", ErrNoAccount
	}
	id, err := f.lookUp(ctx, name, host)
	if err != nil {
		return "", err
	}
	return f.findAt(ctx, string(id))
}

// lookUp asks a host which actor has a name there (RFC 7033).
func (f *Federation) lookUp(ctx context.Context, name, host string) (thread.IRI, error) {
	scheme := "https://"
	if f.Fetch.Check("http://"+host+"/") == nil { // tests and demo only
		scheme = "http://"
	}
	doc, err := f.Fetch.Get(ctx, fetch.Get{URL: scheme + host + "/.well-known/webfinger?resource=" + url.QueryEscape("acct:"+name+"@"+host),
		Accept: "application/jrd+json, application/json", MaxBytes: maxJRD, Fresh: true})
	if err != nil {
		return "", err
	}
	id := wire.SelfIn(doc.Body)
	if id == "" {
		return "", fmt.Errorf("%s names no ActivityPub account of that name", host)
	}
	return id, nil
}

func (f *Federation) findAt(ctx context.Context, address string) (thread.IRI, error) {
	id, err := thread.ParseIRI(address)
	if err != nil {
		return "", ErrNoAccount
	}
	o, err := f.get(ctx, id)
	if err == nil && o.Profile == nil {
		err = ErrNoAccount
	}
	if err != nil {
		return "", err
	}
	return o.ID, nil
}
