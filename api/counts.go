package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"afterword/storage"
	"afterword/thread"
)

// How many pages one request may ask about, and with how many bytes.
const (
	maxCounts = 200
	maxAsked  = 64 << 10
)

// countJSON is what a list page says about one post.
type countJSON struct {
	Comments int             `json:"comments"`
	State    thread.Openness `json:"state"`
	Label    string          `json:"label"` // "8 comments", in the language asked for or the post's
}

// counts answers for many pages at once.
func (s *Server) counts(w http.ResponseWriter, r *http.Request) {
	form, err := asked(w, r)
	if err == nil {
		err = s.allow(r)
	}
	var found map[string]countJSON
	if err == nil {
		found, err = s.count(r.Context(), form)
	}
	if err != nil {
		s.fail(w, r, asJSON, err)
		return
	}
	var b bytes.Buffer
	writeJSON(&b, map[string]any{"counts": found})
	newBody(s.headers[asJSON], b.Bytes()).serve(w, r)
}

// asked is what a request asks for: in its address, or, since those must be short, in its body: as a form, or a page on each
// line. What cannot be read as a form was not asked for.
func asked(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxAsked)
	r.ParseForm()                    //nolint:errcheck // as said
	lines, err := io.ReadAll(r.Body) // nothing is left of a form
	if err != nil {
		return nil, problem{http.StatusRequestEntityTooLarge, "too_large"}
	}
	r.Form["url"] = append(r.Form["url"], strings.Fields(string(lines))...)
	return r.Form, nil
}

// count finds the posts by the URLs as they were asked for; unknown ones are left out. Nothing of it is kept: a point
// query for each is cheaper than knowing when to forget.
func (s *Server) count(ctx context.Context, form url.Values) (map[string]countJSON, error) {
	pages := form["url"]
	switch {
	case len(pages) == 0:
		return nil, problem{http.StatusBadRequest, "missing_url"}
	case len(pages) > maxCounts:
		return nil, problem{http.StatusBadRequest, "too_many_urls"}
	}
	found := map[string]countJSON{}
	for _, page := range pages {
		p, err := s.DB.FindPost(ctx, page)
		if errors.Is(err, storage.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		w := s.words(form.Get("lang"), p)
		found[page] = countJSON{p.Comments, s.Rules.StateAt(p, s.Now()), w.count(w.Comments, p.Comments)}
	}
	return found, nil
}
