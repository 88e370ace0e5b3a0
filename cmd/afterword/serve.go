package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"afterword/api"
	"afterword/config"
	"afterword/federation"
	"afterword/feed"
	"afterword/fetch"
	"afterword/metrics"
	"afterword/storage"
	"afterword/thread"
)

func serve(c *call) error {
	var once, verbose bool
	c.flags.BoolVar(&once, "once", false, "do all work that is due, then stop")
	c.flags.BoolVar(&verbose, "v", false, "log more")
	if err := c.parse(0); err != nil {
		return err
	}
	cfg, db, err := c.open()
	if err != nil {
		return err
	}
	unlock, err := lock(cfg.Database)
	if err != nil {
		return err
	}
	defer unlock()
	s, err := newServer(c.ctx, cfg, db, world{Log: c.logger(verbose)})
	if err != nil {
		return err
	}
	if once {
		return s.once(c.ctx)
	}
	l, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("cannot listen: %w (listen in the configuration says where)", err)
	}
	stop, err := s.debug(db)
	if err != nil {
		return err
	}
	defer stop()
	return s.run(c.ctx, l, s.handler)
}

func (c *call) logger(verbose bool) *slog.Logger {
	level := slog.LevelInfo
	if verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(c.stderr, &slog.HandlerOptions{Level: level}))
}

func rules(cfg *config.Config) thread.Rules {
	return thread.Rules{Moderation: thread.Moderation(cfg.Comments.Moderation), CloseAfter: time.Duration(cfg.Comments.CloseAfter),
		CloseAfterComments: cfg.Comments.CloseAfterComments, ShowUnlisted: cfg.Comments.ShowUnlisted}
}

// server is the running program: the parts, wired.
type server struct {
	cfg     *config.Config
	fed     *federation.Federation
	posts   *feed.Reader
	readers *api.Server
	handler http.Handler
	metrics *metrics.Set
	log     *slog.Logger

	waits waits
}

// world is what a server lives in. Tests hand in a clock of their own and a fediverse in memory.
type world struct {
	Log       *slog.Logger
	Transport http.RoundTripper // nil: the real network
	Now       func() time.Time  // nil: time.Now

	metrics *metrics.Set
}

func newServer(ctx context.Context, cfg *config.Config, db *storage.DB, w world) (*server, error) {
	if w.Now == nil {
		w.Now = time.Now
	}
	w.metrics = new(metrics.Set)
	client := newClient(cfg, w)
	posts := newReader(cfg, db, client, w)
	fed, err := newFederation(ctx, cfg, db, client, posts.DemandNote, w)
	if err != nil {
		return nil, err
	}
	found, err := db.Profile(ctx) // what the configuration leaves open
	if err != nil {
		return nil, err
	}
	blog := api.Blog{Name: cmp.Or(cfg.Blog.Name, found.Name), URL: cfg.Blog.URL, Lang: cmp.Or(cfg.Blog.Language, found.Lang)}
	readers := api.New(api.Config{DB: db, Fetch: client, Base: cfg.BaseURL, Blog: blog, Owner: cfg.Blog.Owner, Rules: rules(cfg), Demand: posts.Demand,
		Source: source(cfg), BlogOrigins: []string{thread.IRI(cfg.Blog.URL).Origin()}, Pictures: cfg.Comments.Images != "none", Attachments: cfg.Comments.Images == "all",
		Now: w.Now, Log: w.Log, Metrics: w.metrics})
	handler := withEcho(db, w.Now, cfg.Prefix()+echoPath, router(cfg.BaseURL, fed, readers, posts.ServeHub))
	return &server{cfg: cfg, fed: fed, posts: posts, readers: readers, handler: surviving(db, w.Log, handler), metrics: w.metrics, log: w.Log, waits: usualWaits}, nil
}

// newClient is the process's only way out.
func newClient(cfg *config.Config, w world) *fetch.Client {
	return fetch.New(fetch.Options{UserAgent: userAgent(cfg), AllowPrivate: cfg.Federation.AllowPrivate, Transport: w.Transport, Now: w.Now, Metrics: w.metrics})
}

// newReader reads the blog.
func newReader(cfg *config.Config, db *storage.DB, client *fetch.Client, w world) *feed.Reader {
	return feed.New(feed.Config{DB: db, Fetch: client, Base: cfg.BaseURL, Blog: cfg.Blog.URL, URL: cfg.Blog.Feed, Lang: cfg.Blog.Language,
		Note: feed.Style(cfg.Blog.Note), Pictures: cfg.Blog.Pictures, RemoveMissing: cfg.Blog.RemoveMissing, Now: w.Now, Log: w.Log})
}

// userAgent names the program and whom to ask about it: servers refuse an empty one.
func userAgent(cfg *config.Config) string {
	contact := cfg.BaseURL
	if cfg.Federation.Contact != "" {
		contact += "; " + cfg.Federation.Contact
	}
	return "Afterword/" + version + " (+" + contact + ")"
}

// once steps every worker until none has anything to do.
func (s *server) once(ctx context.Context) error {
	if _, err := s.posts.Step(ctx); err != nil {
		return fmt.Errorf("feed: %w", err)
	}
	for any := true; any; {
		any = false
		for _, w := range s.fed.Workers() {
			worked, err := drain(ctx, w.Name, w.Step)
			if err != nil {
				return err
			}
			any = any || worked
		}
	}
	_, err := drain(ctx, "pictures", s.readers.StepPictures)
	return err
}

// drain steps until there is nothing to do, and tells whether there was anything.
func drain(ctx context.Context, name string, step func(context.Context) (bool, error)) (any bool, err error) {
	for {
		worked, err := step(ctx)
		if err != nil {
			return any, fmt.Errorf("%s: %w", name, err)
		}
		if !worked {
			return any, nil
		}
		any = true
	}
}

const (
	headerSize = 12 << 10 // Go adds 4 KiB
	lastWords  = 5 * time.Second
)

// waits is how long one connection may take (SECURITY A9, P13).
type waits struct {
	head   time.Duration // for the head of a request
	whole  time.Duration // for the request with its body
	answer time.Duration
	idle   time.Duration // until the next request
}

var usualWaits = waits{head: 8 * time.Second, whole: 12 * time.Second, answer: time.Minute, idle: 2 * time.Minute}

// run serves and works until ctx ends, then lets what is under way come to its end.
func (s *server) run(ctx context.Context, l net.Listener, handler http.Handler) error {
	conns := limitConns(l, s.cfg.TrustedProxies)
	web := s.web(conns, handler)
	work, stop := context.WithCancel(ctx)
	defer stop()
	var working sync.WaitGroup
	working.Go(func() { s.fed.Run(work) })
	working.Go(func() { s.posts.Run(work) })
	working.Go(func() { s.readers.RunPictures(work) })
	working.Go(func() {
		<-work.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
		defer cancel()
		web.Shutdown(end) //nolint:errcheck // whoever is still there is cut off
	})
	s.log.Info("serving", "at", l.Addr().String(), "as", s.cfg.BaseURL, "account", "@"+s.cfg.Account())
	debug.FreeOSMemory() // what starting needed is not needed again
	err := web.Serve(conns)
	stop()
	working.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// web answers the connections that conns lets in.
func (s *server) web(conns *limitedListener, handler http.Handler) *http.Server {
	return &http.Server{Handler: unambiguous(handler), ReadHeaderTimeout: s.waits.head, ReadTimeout: s.waits.whole,
		WriteTimeout: s.waits.answer, IdleTimeout: s.waits.idle, MaxHeaderBytes: headerSize,
		ConnContext: withConn, ConnState: conns.watch, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)}
}

// lock makes sure that one server works on a database. Commands need no lock.
func lock(database string) (unlock func(), err error) {
	name := database + ".lock"
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		pid := make([]byte, 20)
		n, _ := f.Read(pid)
		f.Close()
		return nil, fmt.Errorf("another server (process %s) works on %s: stop it first", strings.TrimSpace(string(pid[:n])), database)
	}
	f.Truncate(0) //nolint:errcheck // the number only helps people
	fmt.Fprintf(f, "%d\n", os.Getpid())
	return func() { f.Close() }, nil
}
