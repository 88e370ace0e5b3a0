package api

import (
	"errors"
	"maps"
	"net/http"

	"afterword/storage"
)

// problem is what is wrong with a request, with its stable code.
type problem struct {
	status int
	code   string
}

func (p problem) Error() string { return p.code }

var unknownPost = problem{http.StatusNotFound, "unknown_post"}

// fail is where errors become answers. What is hidden, removed or unknown gets the same one.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, v view, err error) {
	p := problem{http.StatusServiceUnavailable, "unavailable"}
	switch {
	case err == tooMany:
		p = tooMany
		w.Header().Set("Retry-After", "10")
	case errors.As(err, &p):
	case errors.Is(err, storage.ErrNotFound):
		p = unknownPost
	case r.Context().Err() != nil:
		return // the reader has gone
	default:
		s.Log.Error("reading", "path", r.URL.Path, "error", err)
		w.Header().Set("Retry-After", "5")
	}
	if v == asFragment || v == asFeed || v == asThreadFeed || v == asRecent { // for a program: embed.js, a static generator, a feed reader
		v = asJSON
	}
	maps.Copy(w.Header(), s.headers[v])
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.status)
	if v == asJSON {
		writeJSON(w, map[string]string{"error": p.code})
	} else {
		w.Write(s.problemPage(p)) //nolint:errcheck // the reader has gone
	}
}
