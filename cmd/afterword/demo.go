package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"afterword/config"
	"afterword/federation/fedtest"
	"afterword/feed"
	"afterword/storage"
	"afterword/thread"
)

// stranger is one of the other servers that the demo starts beside the blog's.
type stranger struct {
	name, software string
	people         []string
	server         *fedtest.Server
	listener       net.Listener
}

// demo runs the real server with a small blog and three strangers' servers, all on this machine: signed requests go
// between them over real sockets. Nothing of it is kept unless -db names a file.
func demo(c *call) error {
	var listen, database string
	c.flags.StringVar(&listen, "listen", "localhost:8080", "the `address` of the blog's server; the strangers take free ports")
	c.flags.StringVar(&database, "db", "", "keep the database in this `file` (default: a temporary one)")
	if err := c.parse(0); err != nil {
		return err
	}
	if database == "" {
		dir, err := os.MkdirTemp("", "afterword-demo")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		database = filepath.Join(dir, "demo.db")
	}
	d := &demonstration{c: c, strangers: []*stranger{
		{name: "Alpha", software: "mastodon", people: []string{"alice", "anton"}},
		{name: "Beta", software: "gotosocial", people: []string{"bea", "boris"}},
		{name: "Gamma", software: "misskey", people: []string{"carol", "chen"}},
	}}
	if err := d.open(listen, database); err != nil {
		return err
	}
	return d.run()
}

// demonstration is a running demo.
type demonstration struct {
	c         *call
	cfg       *config.Config
	db        *storage.DB
	server    *server
	listener  net.Listener
	strangers []*stranger
}

func (d *demonstration) open(listen, database string) (err error) {
	if d.listener, err = net.Listen("tcp", listen); err != nil {
		return fmt.Errorf("%w: is another program there? Try -listen localhost:9090", err)
	}
	d.cfg = config.Default()
	d.cfg.BaseURL, d.cfg.Listen, d.cfg.Database = "http://"+listen, listen, database
	d.cfg.Blog.URL, d.cfg.Blog.Name, d.cfg.Blog.Language = "http://"+listen+"/demo/", "Notes from the garden", "en"
	d.cfg.Blog.Summary = "A small blog, to show what Afterword does."
	d.cfg.Federation.AllowPrivate = true
	if err := d.cfg.Check(); err != nil {
		return err
	}
	if d.db, err = storage.Open(database, storage.Options{Base: d.cfg.BaseURL}); err != nil {
		return err
	}
	d.c.db = d.db // closed with the call
	if d.server, err = newServer(d.c.ctx, d.cfg, d.db, world{Log: d.c.logger(false)}); err != nil {
		return err
	}
	for _, s := range d.strangers {
		if err := s.open(d.server.fed.Actor()); err != nil {
			return err
		}
	}
	return nil
}

func (s *stranger) open(blog thread.IRI) (err error) {
	if s.listener, err = net.Listen("tcp", "localhost:0"); err != nil {
		return err
	}
	base := fmt.Sprintf("http://localhost:%d", s.listener.Addr().(*net.TCPAddr).Port)
	s.server, err = fedtest.NewServer(fedtest.Options{Base: base, Name: s.name, Software: s.software, People: s.people, Blog: string(blog)})
	return err
}

func (d *demonstration) run() error {
	ctx, stop := context.WithCancel(d.c.ctx)
	defer stop()
	for _, s := range d.strangers {
		web := &http.Server{Handler: s.server.Handler(), ReadHeaderTimeout: usualWaits.head}
		defer web.Close()
		go web.Serve(s.listener) //nolint:errcheck // it ends with the demo
	}
	told := make(chan error, 1)
	go func() {
		err := d.tell(ctx)
		if err != nil {
			stop()
		} else {
			d.welcome()
		}
		told <- err
	}()
	blog := (&demoBlog{cfg: d.cfg, posts: demoPosts(), published: d.sync}).Handler()
	err := d.server.run(ctx, d.listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if firstSegment(r.URL.Path) == "demo" || r.URL.Path == "/" {
			blog.ServeHTTP(w, r)
			return
		}
		d.server.handler.ServeHTTP(w, r)
	}))
	stop()
	if telling := <-told; telling != nil && !errors.Is(telling, context.Canceled) {
		return telling
	}
	return err
}

func (d *demonstration) welcome() {
	d.c.printf("\nThe blog:            %s\n", d.cfg.Blog.URL)
	d.c.printf("An old, closed post: %s\n", d.cfg.Blog.URL+"2009/07/tomatoes/")
	for _, s := range d.strangers {
		d.c.printf("%-20s %s/\n", s.name+" ("+s.software+"):", s.server.Base)
	}
	d.c.printf("\nFollow the blog, reply, edit, delete, like and boost from the strangers' pages; watch the blog's pages.\n" +
		"Strangers can be made slow, unavailable or gone. Ctrl-C ends it all.\n")
}

// The blog's posts and what was said under the old one.
//
//go:embed demo.json
var demoJSON []byte

type demoPost struct {
	Path      string
	Title     string
	Summary   string
	HTML      string
	Tags      []string
	Published time.Time
	Closed    time.Time // zero: open
	Comments  []demoComment
}

type demoComment struct {
	Stranger, Person int // which of the strangers' people says it
	Parent           int // 1 is the first comment; 0: it answers the post
	Published        time.Time
	Text             string
}

func demoPosts() (posts []demoPost) {
	if err := json.Unmarshal(demoJSON, &posts); err != nil {
		panic("demo.json: " + err.Error()) // a test loads it
	}
	return posts
}

// sync reads the blog's feed: this is how the posts come in.
func (d *demonstration) sync(ctx context.Context) error {
	_, err := d.server.posts.Sync(ctx, feed.Options{Fresh: true})
	return err
}

// tell reads the feed and lets the strangers say what they once said, as they would: with signed replies, before the old
// thread was closed.
func (d *demonstration) tell(ctx context.Context) error {
	kept, _, err := d.db.CountPosts(ctx)
	if err != nil {
		return err
	}
	if err := d.sync(ctx); err != nil || kept > 0 { // from an earlier demo, with what was said then
		return err
	}
	for _, p := range demoPosts() {
		made, err := d.db.FindPost(ctx, d.cfg.Blog.URL+p.Path)
		if err != nil {
			return err
		}
		if err := d.reply(ctx, made.ID, p.Comments); err != nil {
			return err
		}
		if !p.Closed.IsZero() {
			if err := d.db.CloseThread(ctx, made.ID, p.Closed); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *demonstration) reply(ctx context.Context, post thread.IRI, comments []demoComment) error {
	ids := []string{string(post)}
	for _, c := range comments {
		s := d.strangers[c.Stranger]
		sent, err := s.server.Person(s.people[c.Person]).Write(ctx, fedtest.Draft{InReplyTo: ids[c.Parent], HTML: c.Text, Published: c.Published})
		if err != nil {
			return fmt.Errorf("%s does not reach the blog: %w", s.name, err)
		}
		ids = append(ids, sent.Note)
		if err := d.shown(ctx, thread.IRI(sent.Note)); err != nil {
			return err
		}
	}
	return nil
}

// shown waits until a comment stands.
func (d *demonstration) shown(ctx context.Context, id thread.IRI) error {
	for {
		changed := d.db.Changed()
		if _, err := d.db.Comment(ctx, id); !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}
