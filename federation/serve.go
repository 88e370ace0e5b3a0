package federation

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"

	"afterword/federation/wire"
	"afterword/storage"
	"afterword/thread"
)

// Handler answers other servers. Its paths are those below base_url, and /.well-known at the root of the host
// (CONTRACT, "Federation URLs").
func (f *Federation) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/inbox", f.postInbox)
	for path, serve := range map[string]func(*http.Request) document{
		"/.well-known/webfinger": f.webFinger,
		"/.well-known/host-meta": f.hostMeta,
		"/.well-known/nodeinfo":  f.nodeInfoLinks,
		"/nodeinfo/2.0":          f.nodeInfo("2.0"),
		"/nodeinfo/2.1":          f.nodeInfo("2.1"),
		"/{$}":                   f.home,
		"/actor":                 f.actor,
		"/outbox":                f.outbox,
		"/followers":             f.followers,
		"/following":             f.following,
		"/featured":              f.featured,
		"/posts/":                f.note,
		"/replies/":              f.replies,
		"/context/":              f.context,
		"/likes/":                f.likes,
		"/shares/":               f.shares,
		"/answers/":              f.answer,
		"/approvals/":            f.approval,
	} {
		mux.HandleFunc(path, f.getOnly(serve))
		if bare, is := strings.CutSuffix(path, "/"); is { // or ServeMux would redirect, and below base_url wrongly
			mux.HandleFunc(bare, f.getOnly(func(*http.Request) document { return notFound }))
		}
	}
	return mux
}

// Answers tells whether Handler has paths that begin with this segment.
func Answers(segment string) bool {
	switch segment {
	case ".well-known", "nodeinfo", "actor", "inbox", "outbox", "followers", "following", "featured", "posts", "replies", "context", "likes", "shares",
		"answers", "approvals":
		return true
	}
	return false
}

// document is an answer to a GET.
type document struct {
	status    int // 0: 200
	mediaType string
	body      []byte
	location  string // of a redirect
	err       error
}

func activityJSON(body []byte) document { return document{mediaType: wire.ActivityJSON, body: body} }

func failed(err error) document {
	if errors.Is(err, storage.ErrNotFound) {
		return notFound
	}
	return document{err: err}
}

var notFound = document{status: http.StatusNotFound, mediaType: "application/json", body: []byte(`{"error":"not_found"}`)}

// WantsActivity tells whether a request asks for ActivityPub rather than for a page.
func WantsActivity(r *http.Request) bool {
	accept := strings.ToLower(strings.Join(r.Header.Values("Accept"), ","))
	return strings.Contains(accept, "application/activity+json") || strings.Contains(accept, "application/ld+json")
}

func (f *Federation) getOnly(serve func(*http.Request) document) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Vary", "Accept")
		h.Set("X-Content-Type-Options", "nosniff")
		switch r.Method {
		case http.MethodGet, http.MethodHead:
			f.write(w, r, serve(r))
		case http.MethodOptions:
			h.Set("Allow", "GET, HEAD, OPTIONS")
			w.WriteHeader(http.StatusNoContent)
		default:
			h.Set("Allow", "GET, HEAD, OPTIONS")
			writeError(w, http.StatusMethodNotAllowed, "only GET is answered here")
		}
	}
}

func (f *Federation) write(w http.ResponseWriter, r *http.Request, d document) {
	switch {
	case d.err != nil:
		// Never 404 or 410 for a trouble of ours: peers would delete what they know of us (PROTOCOL 0.6).
		f.Log.Error("cannot answer", "path", r.URL.Path, "error", d.err)
		w.Header().Set("Retry-After", "60")
		writeError(w, http.StatusServiceUnavailable, "this server has a problem of its own; please come again")
		return
	case d.location != "":
		http.Redirect(w, r, d.location, http.StatusSeeOther)
		return
	case d.status == 0:
		sum := sha256.Sum256(d.body)
		tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
		w.Header().Set("ETag", tag)
		w.Header().Set("Cache-Control", "public, max-age=0, must-revalidate")
		if strings.Contains(r.Header.Get("If-None-Match"), tag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		d.status = http.StatusOK
	}
	w.Header().Set("Content-Type", d.mediaType)
	w.WriteHeader(d.status)
	if r.Method != http.MethodHead {
		w.Write(d.body) //nolint:errcheck // the reader is gone
	}
}

func (f *Federation) webFinger(r *http.Request) document {
	resource := r.URL.Query().Get("resource")
	switch {
	case !wire.ValidResource(resource):
		return document{status: http.StatusBadRequest, mediaType: "application/json", body: []byte(`{"error":"resource is missing or malformed"}`)}
	case !f.blog.ResourceIsUs(resource):
		return notFound
	}
	return document{mediaType: wire.JRDJSON, body: f.blog.WebFinger()}
}

func (f *Federation) hostMeta(*http.Request) document {
	return document{mediaType: wire.XRDXML, body: f.blog.HostMeta()}
}

func (f *Federation) nodeInfoLinks(*http.Request) document {
	return document{mediaType: "application/json", body: f.blog.NodeInfoLinks()}
}

func (f *Federation) nodeInfo(version string) func(*http.Request) document {
	return func(r *http.Request) document {
		posts, comments, err := f.DB.CountPosts(r.Context())
		if err != nil {
			return failed(err)
		}
		mediaType := `application/json; profile="http://nodeinfo.diaspora.software/ns/schema/` + version + `#"`
		return document{mediaType: mediaType, body: f.blog.NodeInfo(version, posts, comments, f.Version)}
	}
}

// actor needs no signature, whoever asks: servers with "authorized fetch" ask for our key to check ours (PROTOCOL 1g).
func (f *Federation) actor(r *http.Request) document {
	if !WantsActivity(r) && strings.Contains(r.Header.Get("Accept"), "text/html") {
		return document{location: f.Page}
	}
	me, err := f.identify(r.Context(), true)
	if err != nil {
		return failed(err)
	}
	return activityJSON(me.blog.ActorDocument())
}

// home leads who asks for base_url itself to whom they mean.
func (f *Federation) home(r *http.Request) document {
	if WantsActivity(r) {
		return document{location: string(f.Actor())}
	}
	return document{location: f.Page}
}

func (f *Federation) followers(r *http.Request) document {
	n, err := f.DB.CountFollowers(r.Context())
	if err != nil {
		return failed(err)
	}
	return activityJSON(f.blog.FollowersDocument(n))
}

func (f *Federation) following(*http.Request) document {
	return activityJSON(f.blog.FollowingDocument())
}

func (f *Federation) featured(r *http.Request) document {
	ids, err := f.DB.Featured(r.Context(), 10)
	if err != nil {
		return failed(err)
	}
	return activityJSON(f.blog.FeaturedDocument(ids))
}

const (
	outboxPage  = 20
	contextPage = 100
	maxPage     = 1 << 20 // pages further on than any blog has
)

func (f *Federation) outbox(r *http.Request) document {
	_, n := f.requested(r)
	if n == 0 {
		posts, _, err := f.DB.CountPosts(r.Context())
		if err != nil {
			return failed(err)
		}
		return activityJSON(f.blog.OutboxDocument(posts))
	}
	posts, err := f.DB.Posts(r.Context(), outboxPage+1, (n-1)*outboxPage)
	if err != nil {
		return failed(err)
	}
	state := func(p thread.Post) thread.Openness { return f.Rules.StateAt(p, f.Now()) }
	return activityJSON(f.blog.OutboxPage(n, posts[:min(len(posts), outboxPage)], state, len(posts) > outboxPage))
}

// requested is the address that was asked for, without the number of its page. An id may have a query of its own.
func (f *Federation) requested(r *http.Request) (id string, page int) {
	id = f.Base + r.URL.EscapedPath()
	if r.URL.RawQuery != "" {
		id += "?" + r.URL.RawQuery
	}
	id, page = wire.CutPage(id)
	return id, min(page, maxPage)
}

func (f *Federation) note(r *http.Request) document {
	id, _ := f.requested(r)
	p, err := f.postAsked(r.Context(), thread.IRI(id))
	switch {
	case errors.Is(err, storage.ErrNotFound) && f.isFrontPage(id):
		return document{location: string(f.Actor())}
	case err != nil:
		return failed(err)
	case p.ID != thread.IRI(id): // the page has moved: its template names a Note that is not its post's
		return document{location: string(p.ID)}
	}
	if !p.Removed.IsZero() {
		return document{status: http.StatusNotFound, mediaType: wire.ActivityJSON, body: f.blog.Tombstone(p.ID, p.Removed)}
	}
	replies, err := f.directReplies(r.Context(), p.ID, 1)
	if err != nil {
		return failed(err)
	}
	return activityJSON(f.blog.NoteDocument(p, f.Rules.StateAt(p, f.Now()), replies))
}

// isFrontPage tells whether an id is what a post would have whose page is the blog's front page: a blog's web server that
// sends other servers from each page to its Note sends them there, and they mean the account.
func (f *Federation) isFrontPage(id string) bool {
	front, err := thread.NoteID(f.Base, f.Page, 1)
	return err == nil && string(front) == id
}

// postAsked is the post of a Note that is asked for: one that is known, one whose page has moved to where that Note's would
// be, or one that is made now.
func (f *Federation) postAsked(ctx context.Context, id thread.IRI) (thread.Post, error) {
	p, err := f.DB.Post(ctx, id)
	if f.Demand == nil || !errors.Is(err, storage.ErrNotFound) {
		return p, err
	}
	if err := f.Demand(ctx, id); err != nil {
		return p, err
	}
	if p, err = f.DB.Post(ctx, id); !errors.Is(err, storage.ErrNotFound) {
		return p, err
	}
	path, _ := strings.CutPrefix(string(id), f.Base+"/posts")
	return f.DB.FindPost(ctx, thread.IRI(f.Page).Origin()+path)
}

// firstPage is how many direct replies a page shows, the inlined first one too: Mastodon reads no further (PROTOCOL 1e).
const firstPage = 200

func (f *Federation) directReplies(ctx context.Context, post thread.IRI, page int) (wire.Direct, error) {
	ids, err := f.DB.DirectReplies(ctx, post, firstPage+1, (page-1)*firstPage)
	return wire.Direct{IDs: ids[:min(len(ids), firstPage)], More: len(ids) > firstPage}, err
}

// postOf is the living post whose collection is asked for: "/replies/PATH" belongs to "/posts/PATH".
func (f *Federation) postOf(r *http.Request, collection string) (p thread.Post, page int, err error) {
	id, page := f.requested(r)
	rest, ok := strings.CutPrefix(id, f.Base+collection)
	if !ok {
		return p, 0, storage.ErrNotFound
	}
	p, err = f.DB.Post(r.Context(), thread.IRI(f.Base+"/posts"+rest))
	if err == nil && !p.Removed.IsZero() {
		err = storage.ErrNotFound
	}
	return p, page, err
}

func (f *Federation) replies(r *http.Request) document {
	p, n, err := f.postOf(r, "/replies")
	if err != nil {
		return failed(err)
	}
	replies, err := f.directReplies(r.Context(), p.ID, max(n, 1))
	switch {
	case err != nil:
		return failed(err)
	case n == 0:
		return activityJSON(f.blog.RepliesDocument(p.ID, replies))
	}
	return activityJSON(f.blog.RepliesPage(p.ID, n, replies))
}

// context is the whole thread, the post first, then every shown comment by its date (FEP-f228).
func (f *Federation) context(r *http.Request) document {
	p, n, err := f.postOf(r, "/context")
	if err != nil {
		return failed(err)
	}
	if n == 0 {
		total, err := f.DB.CountReplies(r.Context(), p.ID)
		if err != nil {
			return failed(err)
		}
		return activityJSON(f.blog.ContextDocument(p.ID, total+1))
	}
	// The post is the first item of the first page, so that every later page begins one comment earlier.
	ids, err := f.DB.AllReplies(r.Context(), p.ID, contextPage+1, max((n-1)*contextPage-1, 0))
	if err != nil {
		return failed(err)
	}
	if n == 1 {
		ids = append([]thread.IRI{p.ID}, ids...)
	}
	return activityJSON(f.blog.ContextPage(p.ID, n, ids[:min(len(ids), contextPage)], len(ids) > contextPage))
}

func (f *Federation) likes(r *http.Request) document {
	p, _, err := f.postOf(r, "/likes")
	if err != nil {
		return failed(err)
	}
	return activityJSON(f.blog.LikesDocument(p.ID, p.Likes))
}

func (f *Federation) shares(r *http.Request) document {
	p, _, err := f.postOf(r, "/shares")
	if err != nil {
		return failed(err)
	}
	return activityJSON(f.blog.SharesDocument(p.ID, p.Boosts))
}
