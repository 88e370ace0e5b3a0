package feed

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"afterword/fetch"
	"afterword/sanitize"
	"afterword/storage"
	"afterword/thread"
)

// Demand makes the post of a page that no feed has brought (yet), because somebody asks for it: a page of the blog that is
// there, does not want to stay unfound (noindex), and names the very Note that its post will be. Nobody is told. It is
// storage.ErrNotFound where there is nothing to make a post of, or where that cannot be found out now.
//
// Anybody can ask for anything, so this costs the blog next to nothing: a page that refuses is remembered by fetch, one that
// is no post by us, and of either kind the blog is asked for ten a minute (fetch.Get.Stranger).
func (r *Reader) Demand(ctx context.Context, page string) error {
	path, err := thread.PathOf(page)
	asked := thread.IRI(r.Blog).Origin() + path
	key := thread.CanonicalURL(asked)
	if err != nil || !thread.SameSite(page, r.Blog) || key == thread.CanonicalURL(r.Blog) || r.strangers.knows(key, r.Now()) {
		return storage.ErrNotFound
	}
	switch item, err := r.DB.FindItem(ctx, storage.Draft{URL: asked}); {
	case err != nil || item.Known: // it came meanwhile, or has moved there
		return err
	case item.Removed:
		return storage.ErrNotFound
	}
	found, err := r.askFor(ctx, asked)
	if err != nil {
		r.Log.Debug("no page to make a post of", "page", asked, "error", err)
		return storage.ErrNotFound
	}
	post, ok := r.wants(found, key)
	if !ok {
		r.strangers.add(key, r.Now())
		return storage.ErrNotFound
	}
	r.Fetch.Vouch(asked)
	home, err := r.DB.Profile(ctx)
	if err != nil {
		return err
	}
	found.Title = withoutBlog(found.Title, home.Name)
	_, _, err = r.DB.SavePost(ctx, r.onDemand(found, post))
	return err
}

var beforeBlog = regexp.MustCompile(`^(.*\S)\s+(?:[-–—|·•»:]|::)\s+(.+)$`)

// withoutBlog is a page's title without the name of the blog behind it, as most templates write it. A home page's title
// begins with that name.
func withoutBlog(title, home string) string {
	parts := beforeBlog.FindStringSubmatch(title)
	if parts == nil || home != parts[2] && beforeBlog.ReplaceAllString(home, "$1") != parts[2] {
		return title
	}
	return parts[1]
}

// askFor reads a page for a stranger. Readers' addresses come without the slash at their end, by which many blogs find no
// page.
func (r *Reader) askFor(ctx context.Context, page string) (Page, error) {
	found, err := getPage(ctx, r.Fetch, fetch.Get{URL: page, Stranger: true})
	if _, refused := errors.AsType[*fetch.Error](err); refused && !strings.HasSuffix(page, "/") && !strings.ContainsAny(page[strings.LastIndexByte(page, '/'):], ".?") {
		return getPage(ctx, r.Fetch, fetch.Get{URL: page + "/", Stranger: true})
	}
	return found, err
}

// wants tells whether a page is to have a post, and under which address.
func (r *Reader) wants(p Page, key string) (post string, ok bool) {
	post = p.URL
	if thread.CanonicalURL(p.Canonical) == key {
		post = p.Canonical
	}
	id, err := thread.NoteID(r.Base, post, 1)
	return post, err == nil && !p.Noindex && slices.Contains(p.Activity, string(id)) && thread.CanonicalURL(post) == key
}

// DemandNote is Demand for a Note's id.
func (r *Reader) DemandNote(ctx context.Context, note thread.IRI) error {
	path, ok := strings.CutPrefix(string(note), r.Base+"/posts/")
	if !ok {
		return storage.ErrNotFound
	}
	return r.Demand(ctx, thread.IRI(r.Blog).Origin()+"/"+path)
}

func (r *Reader) onDemand(p Page, post string) storage.Draft {
	d := storage.Draft{URL: post, Title: p.Title, Tags: p.Tags, Published: p.Published, Lang: p.Lang, Quiet: true, Demanded: true,
		Pictures: p.Pictures[:min(len(p.Pictures), r.Pictures)]}
	if d.Published.IsZero() {
		_, d.Published = dated(post)
	}
	if d.Published.After(r.Now()) {
		d.Published = time.Time{}
	}
	if d.Lang == "" {
		d.Lang = r.Lang
	}
	if r.Note != Title {
		d.Summary = sanitize.Excerpt(markup(p.Description), post, excerpt)
	}
	return d
}

// bystanders are pages that are there and no posts, for a while.
type bystanders struct {
	mu    sync.Mutex
	pages map[string]time.Time // until when they are remembered
}

const (
	maxBystanders = 4096
	rememberThem  = 10 * time.Minute
)

func (b *bystanders) knows(page string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return now.Before(b.pages[page])
}

func (b *bystanders) add(page string, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.pages) >= maxBystanders || b.pages == nil {
		b.pages = map[string]time.Time{}
	}
	b.pages[page] = now.Add(rememberThem)
}
