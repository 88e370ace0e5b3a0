package api

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"time"

	"afterword/thread"
)

// The JSON of CONTRACT.md, field by field.
type (
	threadJSON struct {
		Post     postJSON      `json:"post"`
		Comments []commentJSON `json:"comments"`
		Next     *string       `json:"next"`
	}
	postJSON struct {
		ID        thread.IRI      `json:"id"`
		URL       string          `json:"url"`
		Title     string          `json:"title"`
		Published *string         `json:"published"`
		State     thread.Openness `json:"state"`
		ClosesAt  *string         `json:"closes_at"`
		ClosedAt  *string         `json:"closed_at"`
		Comments  int             `json:"comments"`
		Likes     int             `json:"likes"`
		Boosts    int             `json:"boosts"`
		Late      int             `json:"late"`
	}
	commentJSON struct {
		ID     thread.IRI `json:"id"`
		URL    *string    `json:"url"`
		Parent *string    `json:"parent"`
		Depth  int        `json:"depth"`
		saidJSON
		Deleted  bool `json:"deleted"`
		Imported bool `json:"imported"`
		Closed   bool `json:"closed"`
		Replies  int  `json:"replies"`
		Likes    int  `json:"likes"`
		Boosts   int  `json:"boosts"`
	}
	saidJSON struct { // by whom, what and when
		Author    *authorJSON `json:"author"`
		HTML      string      `json:"html"`
		Warning   *string     `json:"warning"`
		Lang      *string     `json:"lang"`
		Published *string     `json:"published"`
		Edited    *string     `json:"edited"`
	}
	authorJSON struct {
		ID     thread.IRI `json:"id"`
		Name   string     `json:"name"`
		Handle string     `json:"handle"`
		URL    *string    `json:"url"`
		Avatar *string    `json:"avatar"` // ours, or null: pictures are never sent from other people's servers
		Bot    bool       `json:"bot"`
		Owner  bool       `json:"owner"`
	}
)

func (s *Server) json(room []byte, p part) []byte {
	t := threadJSON{Post: s.postJSON(p.post, p.now), Comments: make([]commentJSON, 0, p.len()), Next: orNull(p.next)}
	for c := range p.steps(none) {
		t.Comments = append(t.Comments, s.commentJSON(c))
	}
	b := bytes.NewBuffer(room)
	writeJSON(b, t)
	return b.Bytes()
}

func (s *Server) postJSON(p thread.Post, now time.Time) postJSON {
	out := postJSON{ID: p.ID, URL: p.URL, Title: p.Title, Published: timestamp(p.Published), State: s.Rules.StateAt(p, now),
		Comments: p.Comments, Likes: p.Likes, Boosts: p.Boosts, Late: p.Late}
	if at := timestamp(s.Rules.ClosingTime(p)); out.State == thread.Closed {
		out.ClosedAt = at
	} else {
		out.ClosesAt = at
	}
	return out
}

func (s *Server) commentJSON(c step) commentJSON {
	out := commentJSON{ID: c.ID, Parent: orNull(string(c.Parent)), Depth: c.Depth, saidJSON: saidJSON{Published: timestamp(c.Published)},
		Deleted: c.Stub, Imported: c.Imported, Closed: c.closed, Replies: c.Replies}
	if c.Stub {
		return out
	}
	out.Likes, out.Boosts = c.Likes, c.Boosts
	out.URL, out.HTML, out.Warning, out.Lang = orNull(original(c.Placed)), s.illustrated(c), orNull(c.Warning), orNull(c.Lang)
	out.Edited = timestamp(c.Edited)
	out.Author = &authorJSON{ID: c.Author.ID, Name: c.Author.Name, Handle: c.Author.Handle, URL: orNull(profile(c.Placed)),
		Avatar: orNull(s.avatar(c.Author)),
		Bot:    c.Author.Bot, Owner: s.byOwner(c.Author)}
	return out
}

// original is where a comment stands at its author's server. An imported one may stand nowhere else.
func original(c thread.Placed) string {
	if url := web(c.URL); url != "" || c.Imported {
		return url
	}
	return web(string(c.ID))
}

// profile is the page of a comment's author.
func profile(c thread.Placed) string {
	if url := web(c.Author.URL); url != "" || c.Imported {
		return url
	}
	return web(string(c.Author.ID))
}

// web is an address that may become a link; empty when it is none. The door lets no other in; this is the second lock.
func web(address string) string {
	if !strings.HasPrefix(address, "https://") && !strings.HasPrefix(address, "http://") {
		return ""
	}
	return address
}

// byOwner tells whether the blogger wrote it.
func (s *Server) byOwner(a thread.Author) bool {
	return a.Owner || string(a.ID) == s.Base+"/actor" || a.Is(s.Owner)
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func timestamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return orNull(t.UTC().Format(time.RFC3339))
}

// writeJSON leaves <, > and & as they are: nobody reads this as HTML (nosniff).
func writeJSON(w io.Writer, v any) {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.Encode(v) //nolint:errcheck // a Buffer takes everything, and a reader may go
}
