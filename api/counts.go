package api

import (
	"bytes"
	"errors"
	"net/http"

	"afterword/storage"
	"afterword/thread"
)

// maxCounts is how many pages one request may ask about.
const maxCounts = 100

// countJSON is what a list page says about one post.
type countJSON struct {
	Comments int             `json:"comments"`
	State    thread.Openness `json:"state"`
	Label    string          `json:"label"` // "8 comments", in the language asked for or the post's
}

// counts answers for many pages at once, by the URLs as they were asked for; unknown ones are left out. It is not kept:
// a point query for each is cheaper than knowing when to forget it.
func (s *Server) counts(w http.ResponseWriter, r *http.Request) {
	form := r.URL.Query()
	if len(form["url"]) == 0 {
		s.fail(w, r, asJSON, problem{http.StatusBadRequest, "missing_url"})
		return
	}
	if len(form["url"]) > maxCounts {
		s.fail(w, r, asJSON, problem{http.StatusBadRequest, "too_many_urls"})
		return
	}
	found := map[string]countJSON{}
	for _, url := range form["url"] {
		p, err := s.DB.FindPost(r.Context(), url)
		if errors.Is(err, storage.ErrNotFound) {
			continue
		}
		if err != nil {
			s.fail(w, r, asJSON, err)
			return
		}
		words := s.words(form.Get("lang"), p)
		found[url] = countJSON{p.Comments, s.Rules.StateAt(p, s.Now()), words.count(words.Comments, p.Comments)}
	}
	var b bytes.Buffer
	writeJSON(&b, map[string]any{"counts": found})
	newBody(s.headers[asJSON], b.Bytes()).serve(w, r)
}
