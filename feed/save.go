package feed

import (
	"context"
	"errors"
	"html"
	"net/url"
	"slices"
	"strings"
	"time"

	"afterword/sanitize"
	"afterword/storage"
	"afterword/thread"
)

const (
	fresh      = 7 * 24 * time.Hour // a post that is found when it is older is saved and not sent
	maxSent    = 20                 // new posts of one reading that are sent: more is not news but a change of the feed
	excerpt    = 500                // characters of a Note that is one
	maxTitle   = 500
	maxAhead   = 366 * 24 * time.Hour // a date further ahead is none
	maxSummary = 5000
)

// entry is an item that is to be saved.
type entry struct {
	storage.Draft
	isNew bool
}

// save turns a feed into posts, the oldest first. first: nobody is told.
func (r *Reader) save(ctx context.Context, f document, first bool) (did Report, err error) {
	entries, err := r.entries(ctx, f, first, &did)
	if err != nil {
		return did, err
	}
	for _, e := range slices.Backward(entries) { // feeds begin with the newest
		_, saved, err := r.DB.SavePost(ctx, e.Draft)
		if err != nil {
			return did, err
		}
		switch saved {
		case storage.Created:
			did.Created++
		case storage.Updated:
			did.Updated++
		case storage.Unchanged:
			did.Unchanged++
		}
		if saved == storage.Created && !e.Quiet {
			did.Sent++
		}
	}
	return did, nil
}

// entries are the items that are to be saved, in their order.
func (r *Reader) entries(ctx context.Context, f document, first bool, did *Report) (out []entry, err error) {
	ambiguous, pages, news := ambiguousNames(f.items), map[string]bool{}, 0
	for _, it := range f.items {
		page := r.pageOf(it)
		key := thread.CanonicalURL(page)
		if page == "" || pages[key] {
			did.Skipped++
			continue
		}
		pages[key] = true
		e := entry{Draft: r.draft(it, page, f.lang)}
		if ambiguous[it.guid] {
			e.GUID = ""
		}
		switch err := r.judge(ctx, &e, first); {
		case errors.Is(err, errRemoved):
			did.Skipped++
			continue
		case errors.Is(err, errFuture):
			did.Waiting++
			continue
		case err != nil:
			return nil, err
		}
		if e.isNew && !e.Quiet {
			news++
			e.Quiet = news > maxSent
		}
		out = append(out, e)
	}
	return out, nil
}

var (
	errRemoved = errors.New("the blogger removed it")
	errFuture  = errors.New("it is dated in the future")
)

// judge decides what becomes of an entry, by what is known of it and by its date. The date of a known post stays: a
// generator that stamps every build would otherwise change every post.
func (r *Reader) judge(ctx context.Context, e *entry, first bool) error {
	now := r.Now()
	if e.Published.After(now.Add(maxAhead)) {
		e.Published = time.Time{}
	}
	known, err := r.DB.FindItem(ctx, e.Draft)
	switch {
	case err == nil && !known.Removed.IsZero():
		return errRemoved
	case err == nil:
		e.Published, e.Quiet = time.Time{}, first
		return nil
	case !errors.Is(err, storage.ErrNotFound):
		return err
	case e.Published.After(now):
		return errFuture
	}
	e.isNew = true
	e.Quiet = first || !e.Published.IsZero() && e.Published.Before(now.Add(-fresh))
	return nil
}

// ambiguousNames are the guids that several items have: they name nothing.
func ambiguousNames(items []item) map[string]bool {
	seen, twice := map[string]bool{}, map[string]bool{}
	for _, it := range items {
		twice[it.guid] = seen[it.guid]
		seen[it.guid] = true
	}
	return twice
}

// pageOf is the item's page on the blog; empty when it has none. The home page is no post's.
func (r *Reader) pageOf(it item) string {
	for _, link := range it.links {
		iri, err := thread.ParseIRI(link)
		page := string(iri)
		if err == nil && OnBlog(page, r.Blog) && thread.CanonicalURL(page) != thread.CanonicalURL(r.Blog) {
			return page
		}
	}
	return ""
}

// OnBlog tells whether a page is on the blog's host, with or without "www.".
func OnBlog(page, blog string) bool {
	p, err := url.Parse(page)
	b, errBlog := url.Parse(blog)
	return err == nil && errBlog == nil && bare(p) == bare(b) && bare(p) != ""
}

func bare(u *url.URL) string { return strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.") }

// draft is an item as it is saved.
func (r *Reader) draft(it item, page, lang string) storage.Draft {
	d := storage.Draft{URL: page, GUID: it.guid, Title: sanitize.Text(it.title, maxTitle), Lang: r.Lang, Tags: it.tags, Published: it.published}
	if d.Lang == "" {
		d.Lang = lang
	}
	if d.GUID == "" {
		d.GUID = page // it came from the feed, all the same
	}
	text := it.content
	if text == "" {
		text = it.summary
	}
	switch {
	case r.Note == Full:
		d.Content = sanitize.Note(markup(text), page)
	case r.Note == Title && d.Title != "":
	case it.summary != "":
		d.Summary = sanitize.Excerpt(markup(it.summary), page, excerpt)
	default:
		d.Summary = sanitize.Excerpt(markup(text), page, excerpt)
	}
	return d
}

// markup is HTML, made of plain text where the feed has that.
func markup(s string) string {
	if strings.Contains(s, "<") {
		return s
	}
	lines := strings.ReplaceAll(html.EscapeString(html.UnescapeString(strings.TrimSpace(s))), "\r\n", "\n")
	return "<p>" + strings.ReplaceAll(strings.ReplaceAll(lines, "\n\n", "</p><p>"), "\n", "<br>") + "</p>"
}
