package feed

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"afterword/fetch"
	"afterword/storage"
)

// Look reads the feed without saving anything: where it is, and how many items it has.
func (r *Reader) Look(ctx context.Context) (address string, items int, err error) {
	s, err := r.State(ctx)
	if err != nil {
		return "", 0, err
	}
	if address, err = r.find(ctx, &s, Options{Fresh: true}); err != nil {
		return "", 0, err
	}
	doc, err := r.Fetch.Get(ctx, fetch.Get{URL: address, Accept: accept, MaxBytes: maxFeed, Fresh: true})
	if err != nil {
		return address, 0, err
	}
	f, err := parse(doc.Body, doc.Header, doc.URL)
	if err != nil {
		return address, 0, fmt.Errorf("%s: %w", address, err)
	}
	return address, len(f.items), nil
}

// profileEvery is how often the home page is asked for what it says of the blog.
const profileEvery = 24 * time.Hour

// profile keeps what the home page says of the blog: its name, icon and so on stand in the account's profile where the
// configuration says nothing. A page that cannot be read changes nothing.
func (r *Reader) profile(ctx context.Context) error {
	r.mu.Lock() // a reading under way would lose what it notes
	defer r.mu.Unlock()
	s, err := r.State(ctx)
	if wait := s.Profile.Sub(r.Now()); err != nil || wait > 0 && wait <= profileEvery { // more: the clock was set back
		return err
	}
	s.Profile = r.Now().Add(profileEvery)
	page, err := getPage(ctx, r.Fetch, fetch.Get{URL: r.Blog})
	if err != nil {
		s.Profile = r.Now().Add(interval)
		return r.keep(ctx, s)
	}
	err = r.DB.SaveProfile(ctx, storage.Profile{Name: strings.TrimSpace(page.Title), Summary: page.Description, Icon: page.Icon, Lang: page.Lang})
	return errors.Join(err, r.keep(ctx, s))
}
