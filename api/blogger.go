package api

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"afterword/desk"
	"afterword/thread"
)

// The blogger's API (CONTRACT): what the commands do, for programs that have a token. Answers are JSON; an error has a
// code that does not change, and a message for people. No browser of another origin gets at it: it sends no CORS headers.

// maxDraft is how long a request may be: the text of a post and its list of pictures.
const maxDraft = 1 << 20

func (s *Server) bloggerRoutes(mux *http.ServeMux) {
	mux.HandleFunc("PUT /api/v1/posts", s.blogger(s.putPost))
	mux.HandleFunc("DELETE /api/v1/posts", s.blogger(s.deletePost))
	mux.HandleFunc("POST /api/v1/posts/close", s.blogger(s.closeThread))
	mux.HandleFunc("POST /api/v1/posts/reopen", s.blogger(s.reopenThread))
	mux.HandleFunc("GET /api/v1/comments", s.blogger(s.listComments))
	mux.HandleFunc("POST /api/v1/comments/approve", s.blogger(s.moderate(thread.Visible)))
	mux.HandleFunc("POST /api/v1/comments/hide", s.blogger(s.moderate(thread.Hidden)))
	mux.HandleFunc("POST /api/v1/comments/remove", s.blogger(s.removeComment))
}

func (s *Server) desk() desk.Desk {
	return desk.Desk{DB: s.DB, Rules: s.Rules, Blog: s.Blog.URL, Lang: s.Blog.Lang, Now: s.Now}
}

// blogger lets only who has a token do something. What it returns is the answer; nil is none (204).
func (s *Server) blogger(do func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		secret, isBearer := cutPrefixFold(r.Header.Get("Authorization"), "Bearer ")
		switch known, err := s.desk().Authorized(r.Context(), secret); {
		case err != nil:
			s.failBlogger(w, r, err)
			return
		case !known || !isBearer:
			h.Set("WWW-Authenticate", `Bearer realm="afterword"`)
			s.failBlogger(w, r, problem{http.StatusUnauthorized, "unauthorized"})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxDraft)
		out, err := do(r)
		switch {
		case err != nil:
			s.failBlogger(w, r, err)
		case out == nil:
			h.Del("Content-Type")
			w.WriteHeader(http.StatusNoContent)
		default:
			writeJSON(w, out)
		}
	}
}

func cutPrefixFold(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return strings.TrimSpace(s[len(prefix):]), true
}

// conflicts are refusals of what is so already; all others but the unknown are mistakes of the request.
var conflicts = []string{"already_closed", "already_open", "all_closed", "closes_earlier"}

func (s *Server) failBlogger(w http.ResponseWriter, r *http.Request, err error) {
	p, text := problem{http.StatusServiceUnavailable, "unavailable"}, "this server has a problem of its own"
	var refusal *desk.Refusal
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		p, text = problem{http.StatusRequestEntityTooLarge, "too_large"}, "a request has at most 1 MiB"
	case errors.As(err, &p):
		text = strings.ReplaceAll(p.code, "_", " ")
	case !errors.As(err, &refusal):
		s.Log.Error("the blogger's API", "path", r.URL.Path, "error", err)
	case strings.HasPrefix(refusal.Code, "unknown_"):
		p, text = problem{http.StatusNotFound, refusal.Code}, refusal.Text
	case slices.Contains(conflicts, refusal.Code):
		p, text = problem{http.StatusConflict, refusal.Code}, refusal.Text
	default:
		p, text = problem{http.StatusBadRequest, refusal.Code}, refusal.Text
	}
	w.WriteHeader(p.status)
	writeJSON(w, map[string]string{"error": p.code, "message": text})
}

// readJSON reads a request. A member that is not known is a mistake that should not go unnoticed.
func readJSON(r *http.Request, into any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	var tooLong *http.MaxBytesError
	if errors.As(err, &tooLong) {
		return err
	}
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		err = errors.New("there is more than one value")
	}
	return &desk.Refusal{Code: "bad_json", Text: "the body is not what it should be: " + err.Error()}
}

func (s *Server) putPost(r *http.Request) (any, error) {
	var draft desk.Draft
	if err := readJSON(r, &draft); err != nil {
		return nil, err
	}
	p, _, err := s.desk().Save(r.Context(), draft)
	return s.desk().View(p), err
}

func (s *Server) deletePost(r *http.Request) (any, error) {
	return nil, s.desk().RemovePost(r.Context(), r.URL.Query().Get("url"))
}

// which is the thread, or the branch of it, that is to be closed or reopened.
type which struct {
	URL    string `json:"url"`    // or id
	At     string `json:"at"`     // closing: see desk.Moment; empty: now
	Branch string `json:"branch"` // a comment; empty: all of it
}

// onThread does something to a thread and answers with the post as it is then.
func (s *Server) onThread(r *http.Request, do func(desk.Desk, thread.Post, which) error) (any, error) {
	var w which
	if err := readJSON(r, &w); err != nil {
		return nil, err
	}
	d := s.desk()
	p, err := d.Post(r.Context(), w.URL)
	if err != nil {
		return nil, err
	}
	if err := do(d, p, w); err != nil {
		return nil, err
	}
	p, err = d.Post(r.Context(), string(p.ID))
	return d.View(p), err
}

func (s *Server) closeThread(r *http.Request) (any, error) {
	return s.onThread(r, func(d desk.Desk, p thread.Post, w which) error {
		at, err := d.ClosingAt(w.At)
		switch {
		case err != nil:
			return err
		case w.Branch != "":
			return d.CloseBranch(r.Context(), p, w.Branch, at)
		}
		return d.Close(r.Context(), p, at)
	})
}

func (s *Server) reopenThread(r *http.Request) (any, error) {
	return s.onThread(r, func(d desk.Desk, p thread.Post, w which) error {
		if w.Branch != "" {
			return d.ReopenBranch(r.Context(), p, w.Branch)
		}
		return d.Reopen(r.Context(), p)
	})
}

func (s *Server) listComments(r *http.Request) (any, error) {
	form := r.URL.Query()
	state, limit := thread.State(form.Get("state")), maxLimit
	if state != "" && !slices.Contains(thread.States, state) {
		return nil, problem{http.StatusBadRequest, "bad_state"}
	}
	if text := form.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxLimit {
			return nil, problem{http.StatusBadRequest, "bad_limit"}
		}
		limit = n
	}
	var p thread.Post
	var err error
	if ref := form.Get("post"); ref != "" {
		if p, err = s.desk().Post(r.Context(), ref); err != nil {
			return nil, err
		}
	}
	found, err := s.desk().Comments(r.Context(), p.ID, state, limit)
	return map[string]any{"comments": found}, err
}

// readID reads which comment is meant.
func readID(r *http.Request) (string, error) {
	var of struct {
		ID string `json:"id"`
	}
	err := readJSON(r, &of)
	return of.ID, err
}

func (s *Server) moderate(to thread.State) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		id, err := readID(r)
		if err != nil {
			return nil, err
		}
		c, err := s.desk().Moderate(r.Context(), id, to)
		return desk.ViewComments([]thread.Comment{c})[0], err
	}
}

func (s *Server) removeComment(r *http.Request) (any, error) {
	id, err := readID(r)
	if err != nil {
		return nil, err
	}
	return nil, s.desk().RemoveComment(r.Context(), id)
}
