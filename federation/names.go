package federation

import (
	"context"
	"errors"
	"strings"
	"time"

	"afterword/fetch"
	"afterword/storage"
	"afterword/thread"
)

// Many servers name their accounts on another domain than the one where they live, and not all say so in the account's
// document (FEP-2c59, which confirm looks up). The others are asked once, by WebFinger, while nobody waits.

const (
	keepName  = 365 * 24 * time.Hour // or until the account is looked at again after profileAge
	retryName = 6 * time.Hour
)

func (f *Federation) nameWorker() Worker {
	claim := func(ctx context.Context) (job, error) {
		a, err := f.DB.NextName(ctx)
		if errors.Is(err, storage.ErrNotFound) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		return func(ctx context.Context) error { return f.name(ctx, a) }, nil
	}
	return Worker{Name: "names", claim: claim, parallel: 1}
}

// name looks up what an account is called.
func (f *Federation) name(ctx context.Context, a storage.Actor) error {
	name, domain, _ := strings.Cut(strings.TrimPrefix(a.Handle, "@"), "@")
	if domain != a.ID.Host() && !a.Elsewhere || a.Is(f.Owner) { // its document said so, and that was confirmed; the blogger did
		return f.DB.SaveName(ctx, a, f.Now().Add(keepName))
	}
	handle, err := f.named(new(fetch.Budget).In(ctx), a.ID, name)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case temporary(err):
		return f.DB.SaveName(ctx, a, f.Now().Add(max(retryName, retryAfter(err))))
	case handle != "":
		a.Handle, a.Elsewhere = handle, true
	case a.Elsewhere: // no longer
		a.Handle, a.Elsewhere = "@"+name+"@"+a.ID.Host(), false
	}
	return f.DB.SaveName(ctx, a, f.Now().Add(keepName))
}

// named is the handle on another domain that an account's own server gives it and that this domain confirms (SECURITY F17);
// empty when there is none. The domain may be anybody's, so it is asked as on a stranger's word.
func (f *Federation) named(ctx context.Context, id thread.IRI, name string) (handle string, err error) {
	account, self, err := f.finger(ctx, fetch.Account{User: name, Host: id.Host()}, fetch.Get{})
	if !temporary(err) {
		err = errors.Join(err, f.DB.Asked(ctx, id.Host(), true, 0)) // so backfill leaves it in peace for a moment
	}
	if handle = elsewhere(account, id); err != nil || self != id || handle == "" {
		return "", err
	}
	name, domain, _ := strings.Cut(account, "@")
	there, self, err := f.finger(ctx, fetch.Account{User: name, Host: domain}, fetch.Get{Stranger: true})
	if err != nil || self != id || !strings.EqualFold(there, account) {
		return "", err
	}
	return handle, nil
}
