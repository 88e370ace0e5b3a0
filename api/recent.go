package api

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"

	"afterword/thread"
)

// recentJSON is a comment in the list that many blogs have beside their posts: as in its thread, but for what only the
// thread tells.
type recentJSON struct {
	ID        thread.IRI     `json:"id"`
	URL       *string        `json:"url"`
	Permalink string         `json:"permalink"` // on the blog's page
	Post      recentPostJSON `json:"post"`
	Author    *authorJSON    `json:"author"`
	HTML      string         `json:"html"`
	Warning   *string        `json:"warning"`
	Lang      *string        `json:"lang"`
	Published *string        `json:"published"`
	Edited    *string        `json:"edited"`
}

type recentPostJSON struct {
	ID    thread.IRI `json:"id"`
	URL   string     `json:"url"`
	Title string     `json:"title"`
}

// recent answers with the comments that came last, of all threads: /feed.atom for programs that read JSON.
func (s *Server) recent(w http.ResponseWriter, r *http.Request) {
	n, err := limit(r.URL.Query())
	var b *body
	if err == nil {
		b, err = s.recentBody(min(cmp.Or(n, feedLimit), maxFeedLimit), r)
	}
	if err != nil {
		s.fail(w, r, asJSON, err)
		return
	}
	b.serve(w, r)
}

// recentKey is under what the newest n are kept.
type recentKey int

// recentBody is made anew by the first request after a commit.
func (s *Server) recentBody(n int, r *http.Request) (*body, error) {
	if b, _ := s.cache.get(recentKey(n)).(*body); b != nil && b.fresh(s.DB.Version(), s.Now()) {
		return b, nil
	}
	if err := s.allow(r); err != nil {
		return nil, err
	}
	b, err, _ := s.flight.Do(fmt.Sprint("recent ", n), func() (any, error) { return s.buildRecent(n) })
	if err != nil {
		return nil, err
	}
	return b.(*body), nil
}

func (s *Server) buildRecent(n int) (*body, error) {
	ctx, done := context.WithTimeout(context.Background(), patience)
	defer done()
	version := s.DB.Version() // before looking: what is committed from now on makes it outdated
	found, err := s.DB.Recent(ctx, n)
	if err != nil {
		return nil, err
	}
	out := make([]recentJSON, len(found))
	for i := range found {
		f := &found[i]
		c := s.commentJSON(step{Placed: thread.Placed{Comment: &f.Comment}})
		out[i] = recentJSON{c.ID, c.URL, Permalink(thread.Post{URL: f.PostURL}, c.ID), recentPostJSON{f.Post, f.PostURL, f.PostTitle},
			c.Author, c.HTML, c.Warning, c.Lang, c.Published, c.Edited}
	}
	var text bytes.Buffer
	writeJSON(&text, map[string]any{"comments": out})
	b := newBody(s.headers[asJSON], text.Bytes())
	b.version.Store(version)
	s.cache.put(recentKey(n), b)
	return b, nil
}
