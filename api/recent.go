package api

import (
	"bytes"
	"context"

	"afterword/thread"
)

// recentJSON is a comment in the list that many blogs have beside their posts: as in its thread, but for what only the
// thread tells.
type recentJSON struct {
	ID        thread.IRI     `json:"id"`
	URL       *string        `json:"url"`
	Permalink string         `json:"permalink"` // on the blog's page
	Post      recentPostJSON `json:"post"`
	saidJSON
}

type recentPostJSON struct {
	ID    thread.IRI `json:"id"`
	URL   string     `json:"url"`
	Title string     `json:"title"`
}

// buildRecent is build for the comments that came last, of all threads: /feed.atom for programs that read JSON.
func (s *Server) buildRecent(ctx context.Context, q query, p thread.Post) (*body, error) {
	found, err := s.DB.Recent(ctx, q.limit)
	if err != nil {
		return nil, err
	}
	out := make([]recentJSON, len(found))
	for i := range found {
		f := &found[i]
		c := s.commentJSON(step{Placed: thread.Placed{Comment: &f.Comment}})
		out[i] = recentJSON{c.ID, c.URL, Permalink(thread.Post{URL: f.PostURL}, c.ID), recentPostJSON{f.Post, f.PostURL, f.PostTitle}, c.saidJSON}
	}
	var text bytes.Buffer
	writeJSON(&text, map[string]any{"comments": out})
	b := newBody(s.headers[asRecent], text.Bytes())
	b.revision = p.Revision
	return b, nil
}
