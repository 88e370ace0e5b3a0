package main

import (
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"

	"afterword/federation"
	"afterword/feed"
	"afterword/storage"
	"afterword/thread"
)

// reader is what answers people's browsers (package api).
type reader interface {
	Handler() http.Handler
	ThreadPage(w http.ResponseWriter, r *http.Request, post thread.IRI)
}

// router sends a request to who answers it: other servers to federation, browsers to api, hubs to feed. Servers and
// browsers may ask for a Note's id; what they accept tells them apart. base is base_url without trailing slash.
func router(base string, fed *federation.Federation, readers reader, hub http.HandlerFunc) http.Handler {
	prefix := pathOf(base)
	servers, pages := fed.Handler(), readers.Handler()
	below := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "" { // base_url itself; ServeMux would redirect to the root of the host
			r.URL.Path = "/"
		}
		switch first := firstSegment(r.URL.Path); {
		case first == "posts" && !federation.WantsActivity(r) && (r.Method == http.MethodGet || r.Method == http.MethodHead):
			readers.ThreadPage(w, r, noteID(base, r))
		case first == firstSegment(feed.HubPath):
			hub(w, r)
		case r.URL.Path == "/", federation.Answers(first):
			servers.ServeHTTP(w, r)
		default:
			pages.ServeHTTP(w, r)
		}
	})
	return clean(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if firstSegment(r.URL.Path) == ".well-known" {
			servers.ServeHTTP(w, r)
			return
		}
		http.StripPrefix(prefix, below).ServeHTTP(w, r)
	}))
}

func pathOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return u.Path
}

func firstSegment(p string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(p, "/"), "/")
	return first
}

// noteID is the id that a browser asks for, with a query that is part of it.
func noteID(base string, r *http.Request) thread.IRI {
	id := base + r.URL.EscapedPath()
	if r.URL.RawQuery != "" {
		id += "?" + r.URL.RawQuery
	}
	return thread.IRI(id)
}

// surviving answers 503 where a handler panics: never 500, nor a closed connection (SECURITY 1.2). What was written
// before that is written; our handlers write when all is done.
func surviving(db *storage.DB, log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler { // meant, and net/http's to end
				panic(p)
			}
			log.Error("request failed", "error", db.Fault(r.Context(), "request", p, []byte(r.Method+" "+r.RequestURI)))
			w.Header().Set("Retry-After", "60")
			http.Error(w, "this server has a problem of its own; please come again", http.StatusServiceUnavailable)
		}()
		next.ServeHTTP(w, r)
	})
}

// longest is how long the target of a request may be: an id and some parameters; or the pages of a list, whose counts are
// asked for at once.
func longest(path string) int {
	if strings.HasSuffix(path, "/api/v1/counts") {
		return 8 << 10
	}
	return thread.MaxIRI + 1024
}

// clean refuses targets that are written in a roundabout way, instead of redirecting to where they might lead: a
// redirect to "//evil.example" would leave this server (SECURITY A21).
func clean(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch p := r.URL.Path; {
		case !strings.HasPrefix(r.RequestURI, "/"):
			http.Error(w, "the request target must be a path", http.StatusBadRequest)
		case len(r.RequestURI) > longest(p):
			http.Error(w, "the request target is too long", http.StatusRequestURITooLong)
		case strings.ContainsRune(p, 0), p != "/" && path.Clean(p) != strings.TrimSuffix(p, "/"):
			http.Error(w, "there is nothing here", http.StatusNotFound)
		default:
			next.ServeHTTP(w, r)
		}
	})
}
