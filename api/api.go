// Package api is what a reader's browser talks to: a thread as JSON, as a page and as a fragment, the counts of list
// pages, and the custom element <afterword-thread>.
//
// Nothing is stored here, and every answer is a function of the database and the clock, but for the one to a reader who
// asks how to reply from his own server: that server is asked (interact.go). Finished bytes (plain, compressed, with their ETags) are kept in a cache of bounded size. They are sent again as long as the
// database has not changed; when it has, the post's revision says whether this thread did. One request makes a changed
// thread anew while the others get the old bytes, so that a reader sees a commit with the first request after it, or,
// under load, as soon as that request is done. After a crash the cache is empty, which is all.
//
// Strangers' words enter HTML in one place (markup.text); their comments were made safe when they came (sanitize) and
// are the only stored HTML that is written as it is.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"afterword/fetch"
	"afterword/metrics"
	"afterword/storage"
	"afterword/thread"
)

// Blog is what readers are told about the blog.
type Blog struct {
	Name string
	URL  string
	Lang string // BCP 47, may be empty
}

// Config is what New needs.
type Config struct {
	DB          *storage.DB
	Fetch       *fetch.Client // the process's own
	Base        string        // base_url without trailing slash, with its path prefix if there is one
	Blog        Blog
	Owner       string // the blogger's own account, "@me@host" or its URL, whose comments carry the Author badge; may be empty
	Rules       thread.Rules
	Demand      func(ctx context.Context, page string) error // makes the post of a page that is not known, if the blog has it; nil: none is made
	BlogOrigins []string                                     // who may frame our pages, "https://blog.example"
	Source      func(*http.Request) netip.Prefix             // from which network a request comes; the zero prefix: not known. May be nil
	Pictures    bool                                         // of authors are shown, through our own cache
	Attachments bool                                         // with Pictures: those within comments too
	CacheBytes  int                                          // 0: 128 MiB
	Now         func() time.Time                             // nil: time.Now
	Metrics     *metrics.Set                                 // may be nil
	Log         *slog.Logger                                 // nil: nothing is logged
}

// Server answers readers.
type Server struct {
	Config
	headers    map[view]http.Header
	cache      *cache
	flight     singleflight.Group
	lookups    lookups
	misses     budgets
	hits, made *metrics.Series
	reads      atomic.Int64 // threads that were read as a whole
}

// New makes a Server.
func New(c Config) *Server {
	if c.CacheBytes == 0 {
		c.CacheBytes = 128 << 20 // a thread of 100,000 comments has room
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	asked := c.Metrics.Counter("afterword_threads_total", "Threads that were asked for, by whether their bytes were ready.", "cache")
	return &Server{Config: c, headers: headers(c.BlogOrigins), cache: newCache(c.CacheBytes), hits: asked.Of("hit"), made: asked.Of("miss")}
}

// Handler serves the paths below the base.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/thread", s.thread(asJSON))
	mux.HandleFunc("GET /api/v1/counts", s.counts)
	mux.HandleFunc("POST /api/v1/counts", s.counts)
	mux.HandleFunc("GET /api/v1/recent", s.latest(asRecent))
	mux.HandleFunc("GET /t", s.thread(asPage))
	mux.HandleFunc("GET /embed/thread", s.thread(asFragment))
	mux.HandleFunc("GET /t.atom", s.thread(asThreadFeed))
	mux.HandleFunc("GET /feed.atom", s.latest(asFeed))
	mux.HandleFunc("GET /api/v1/interact", s.interact)
	mux.HandleFunc("GET /reply", s.replyPage)
	mux.Handle("POST /reply", http.NewCrossOriginProtection().Handler(http.HandlerFunc(s.replyForm)))
	mux.HandleFunc("GET /embed/reply", s.replyDialog)
	mux.Handle("GET /embed.js", embedJS)
	mux.Handle("GET /style.css", styleCSS)
	mux.HandleFunc("GET /images/{name}", s.image)
	s.bloggerRoutes(mux)
	mux.HandleFunc("GET /healthz", ok)
	mux.HandleFunc("GET /readyz", s.ready)
	return mux
}

// thread answers with a post's thread in one of its forms.
func (s *Server) thread(v view) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q, err := s.parse(v, r.URL.Query())
		if err != nil {
			s.fail(w, r, v, err)
			return
		}
		if v == asThreadFeed {
			q = q.asFeed()
		}
		s.answer(w, r, q)
	}
}

// ThreadPage answers a browser that asks for a Note by its id: the same URL gives others the Note itself, so caches are
// told that the answer depends on Accept.
func (s *Server) ThreadPage(w http.ResponseWriter, r *http.Request, postID thread.IRI) {
	s.answer(w, r, query{view: asNotePage, id: postID, order: thread.Oldest})
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, q query) {
	b, err := s.bodyFor(q, func() error { return s.allow(r) })
	if err != nil {
		s.fail(w, r, q.view, err)
		return
	}
	if !q.isFeed() { // programs ask for those, all the time
		s.DB.Opened(b.post)
	}
	b.serve(w, r)
}

func ok(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write([]byte("ok\n")) //nolint:errcheck // the reader has gone
}

// ready tells whether the database answers.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if _, err := s.DB.Posts(r.Context(), 1, 0); err != nil {
		s.fail(w, r, asJSON, err)
		return
	}
	ok(w, r)
}
