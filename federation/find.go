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

// lookUp asks a host which actor has a name there.
func (f *Federation) lookUp(ctx context.Context, name, host string) (thread.IRI, error) {
	_, id, err := f.finger(ctx, name, host, fetch.Get{Fresh: true})
	if err == nil && id == "" {
		err = fmt.Errorf("%s names no ActivityPub account of that name", host)
	}
	return id, err
}

// finger asks a host about a name (RFC 7033): how the account calls itself, and which actor it is.
func (f *Federation) finger(ctx context.Context, name, host string, g fetch.Get) (account string, self thread.IRI, err error) {
	scheme := "https://"
	if f.Fetch.Check("http://"+host+"/") == nil { // tests and demo only
		scheme = "http://"
	}
	g.URL = scheme + host + "/.well-known/webfinger?resource=" + url.QueryEscape("acct:"+name+"@"+host)
	g.Accept, g.MaxBytes = "application/jrd+json, application/json", maxJRD
	doc, err := f.Fetch.Get(ctx, g)
	if err != nil {
		return "", "", err
	}
	account, self = wire.ReadJRD(doc.Body)
	return account, self, nil
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
