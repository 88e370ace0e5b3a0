package feed

import (
	"context"
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
	iri, err := thread.ParseIRI(page)
	asked := string(iri.WithoutFragment())
	key := thread.CanonicalURL(asked)
	if err != nil || !OnBlog(asked, r.Blog) || key == thread.CanonicalURL(r.Blog) || r.strangers.knows(key, r.Now()) {
		return storage.ErrNotFound
	}
	switch item, err := r.DB.FindItem(ctx, storage.Draft{URL: asked}); {
	case err != nil || item.Known: // it came meanwhile, or has moved there
		return err
	case item.Removed:
		return storage.ErrNotFound
	}
	found, err := getPage(ctx, r.Fetch, fetch.Get{URL: asked, Stranger: true})
	if err != nil {
		r.Log.Debug("no page to make a post of", "page", asked, "error", err)
		return storage.ErrNotFound
	}
	post := found.URL
	if thread.CanonicalURL(found.Canonical) == key {
		post = found.Canonical
	}
	if id, err := thread.NoteID(r.Base, post, 1); err != nil || found.Noindex || !slices.Contains(found.Activity, string(id)) || thread.CanonicalURL(post) != key {
		r.strangers.add(key, r.Now())
		return storage.ErrNotFound
	}
	r.Fetch.Vouch(asked)
	_, _, err = r.DB.SavePost(ctx, r.onDemand(found, post))
	return err
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
