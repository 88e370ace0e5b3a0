package federation

import (
	"context"
	"fmt"
	"strings"

	"afterword/federation/wire"
	"afterword/fetch"
	"afterword/thread"
)

// Find is the id of the account that is meant by what somebody typed: its name (fetch.ParseAccount), or the address of its
// document or profile. Its server is asked. An address is asked itself first: it may say more than the name in it.
func (f *Federation) Find(ctx context.Context, account string) (id thread.IRI, err error) {
	ctx = new(fetch.Budget).In(ctx)
	isAddress := strings.Contains(account, "://")
	if isAddress {
		if id, err = f.findAt(ctx, account); err == nil {
			return id, nil
		}
	}
	a, bad := fetch.ParseAccount(account)
	switch {
	case bad == nil && a.User != "":
		if id, err = f.lookUp(ctx, a); err != nil {
			return "", err
		}
		return f.findAt(ctx, string(id))
	case isAddress:
		return "", err
	}
	return "", fetch.ErrNoAccount
}

// lookUp asks a host which actor an account is.
func (f *Federation) lookUp(ctx context.Context, a fetch.Account) (thread.IRI, error) {
	_, id, err := f.finger(ctx, a, fetch.Get{Fresh: true})
	if err == nil && id == "" {
		err = fmt.Errorf("%s names no ActivityPub account of that name", a.Host)
	}
	return id, err
}

// finger asks a host about an account (RFC 7033): how it calls itself, and which actor it is.
func (f *Federation) finger(ctx context.Context, a fetch.Account, g fetch.Get) (account string, self thread.IRI, err error) {
	doc, err := f.Fetch.WebFinger(ctx, a, g)
	if err != nil {
		return "", "", err
	}
	account, self = wire.ReadJRD(doc.Body)
	return account, self, nil
}

func (f *Federation) findAt(ctx context.Context, address string) (thread.IRI, error) {
	id, err := thread.ParseIRI(address)
	if err != nil {
		return "", fetch.ErrNoAccount
	}
	o, err := f.get(ctx, id)
	if err == nil && o.Profile == nil {
		err = fetch.ErrNoAccount
	}
	if err != nil {
		return "", err
	}
	return o.ID, nil
}
