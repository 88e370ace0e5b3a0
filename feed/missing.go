package feed

import (
	"context"
	"errors"

	"afterword/fetch"
	"afterword/thread"
)

const (
	missed     = 3 // readings of the feed without a post before its page is asked for
	maxVisited = 5 // pages that are asked for after one reading, and so posts that are removed
)

// removeMissing removes the posts that the feed has listed no more for some readings and whose pages are gone. guids are
// those of the feed; none: it is as it was. A feed that is empty says nothing: something is wrong with it (SECURITY K11).
func (r *Reader) removeMissing(ctx context.Context, guids []string) (removed int, err error) {
	posts, err := r.DB.Missing(ctx, guids, missed, maxVisited)
	for _, p := range posts {
		if err != nil {
			break
		}
		var gone bool
		switch gone, err = r.gone(ctx, p); {
		case err != nil:
		case gone:
			removed++
			err = r.DB.RemoveMissing(ctx, p.ID)
		default:
			err = r.DB.Aged(ctx, p.ID)
		}
	}
	return removed, err
}

// gone tells whether the blog says that a post's page is not there. Where it says nothing (temporary), the post stays
// and is asked for again.
func (r *Reader) gone(ctx context.Context, p thread.Post) (bool, error) {
	_, err := getPage(ctx, r.Fetch, fetch.Get{URL: p.URL, Fresh: true})
	var refused *fetch.Error
	switch {
	case !errors.As(err, &refused):
		return false, nil
	case refused.NotFound() || refused.Gone():
		return true, nil
	case refused.Temporary():
		return false, &Problem{err}
	}
	return false, nil
}
