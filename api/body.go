package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"

	"afterword/thread"
)

// view is the form of an answer.
type view string

const (
	asJSON       view = "json"
	asPage       view = "page"
	asNotePage   view = "note" // the page, at the id of the Note
	asFragment   view = "fragment"
	asThreadFeed view = "thread feed"
	asFeed       view = "feed"   // of all threads
	asRecent     view = "recent" // the same as JSON
)

// headers are what all answers of a view share. No answer depends on who asks, so any site may read it.
func headers(blogOrigins []string) map[view]http.Header {
	common := http.Header{
		"Content-Type":                 {"application/json"},
		"Vary":                         {"Accept-Encoding"},
		"Cache-Control":                {"public, max-age=0, must-revalidate"},
		"X-Content-Type-Options":       {"nosniff"},
		"Access-Control-Allow-Origin":  {"*"},
		"Cross-Origin-Resource-Policy": {"cross-origin"},
	}
	html := common.Clone()
	html["Content-Type"] = []string{"text/html; charset=utf-8"}
	html["Referrer-Policy"] = []string{"no-referrer"}
	html["Content-Security-Policy"] = []string{"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; " +
		"frame-ancestors " + strings.Join(append([]string{"'self'"}, blogOrigins...), " ")}
	feed := common.Clone()
	feed["Content-Type"] = []string{"application/atom+xml; charset=utf-8"}
	note := html.Clone()
	note["Vary"] = []string{"Accept, Accept-Encoding"}
	return map[view]http.Header{asJSON: common, asPage: html, asFragment: html, asNotePage: note, asThreadFeed: feed, asFeed: feed, asRecent: common}
}

// body is a finished answer: its bytes, plain and compressed, and what must hold for it to be sent again.
type body struct {
	header     http.Header
	plain, zip representation // zip may be missing

	post     thread.IRI
	revision int64
	until    time.Time     // when something in it changes by the clock alone; zero: never
	version  atomic.Uint64 // of the database, when the revision was last known to be this one
	renewing atomic.Bool   // held by the one request that makes it anew
}

type representation struct {
	bytes        []byte
	etag, length []string // ready to be header values
}

// newBody makes the tags from the compressed bytes: they say the same as the plain ones, and there are fewer to hash.
func newBody(header http.Header, plain []byte) *body {
	zip := compress(plain)
	hash := sha256.Sum256(zip)
	tag := base64.RawURLEncoding.EncodeToString(hash[:15])
	return &body{header: header, plain: represent(plain, tag), zip: represent(zip, tag+"-gz")}
}

func represent(b []byte, tag string) representation {
	return representation{b, []string{`"` + tag + `"`}, []string{strconv.Itoa(len(b))}}
}

var compressors = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is valid
	return w
}}

// compress trades a little size for speed: a thread of 1,000 comments is compressed anew with each reply.
func compress(plain []byte) []byte {
	w := compressors.Get().(*gzip.Writer)
	defer compressors.Put(w)
	return written(func(room []byte) []byte {
		b := bytes.NewBuffer(room)
		w.Reset(b)
		w.Write(plain) //nolint:errcheck // a Buffer takes everything
		w.Close()      //nolint:errcheck
		return b.Bytes()
	})
}

var rooms = sync.Pool{New: func() any { return new([]byte) }}

// written is what write puts into the room it gets, or more. Room is used again: for a large thread, getting it costs as
// much as writing into it.
func written(write func(room []byte) []byte) []byte {
	room := rooms.Get().(*[]byte)
	defer rooms.Put(room)
	*room = write((*room)[:0])
	return bytes.Clone(*room)
}

// size is what a body costs to keep.
func (b *body) size() int { return len(b.plain.bytes) + len(b.zip.bytes) + 1024 }

func (b *body) fresh(version uint64, now time.Time) bool {
	return b.version.Load() == version && b.current(now)
}

func (b *body) current(now time.Time) bool { return b.until.IsZero() || now.Before(b.until) }

// shows tells whether the body still is what readers should see of a post.
func (b *body) shows(p thread.Post, now time.Time) bool {
	return b != nil && b.post == p.ID && b.revision == p.Revision && b.current(now)
}

var gzipped = []string{"gzip"}

// serve sends the body, or 304 to who has it. It makes nothing, so that it costs no more than sending bytes does.
func (b *body) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	for name, values := range b.header {
		h[name] = values
	}
	rep, zipped := &b.plain, b.zip.etag != nil && acceptsGzip(r.Header["Accept-Encoding"])
	if zipped {
		rep = &b.zip
	}
	h["Etag"] = rep.etag
	if matches(r.Header["If-None-Match"], rep.etag[0]) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if zipped {
		h["Content-Encoding"] = gzipped
	}
	h["Content-Length"] = rep.length
	if r.Method != http.MethodHead {
		w.Write(rep.bytes) //nolint:errcheck // the reader has gone
	}
}

// acceptsGzip reads Accept-Encoding (RFC 9110 12.5.3); a weight of zero is a no.
func acceptsGzip(values []string) bool {
	star := false
	for coding := range strings.SplitSeq(strings.Join(values, ","), ",") {
		name, params, _ := strings.Cut(coding, ";")
		_, q, _ := strings.Cut(params, "q=")
		weight, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
		wanted := err != nil || weight > 0
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "gzip", "x-gzip":
			return wanted
		case "*":
			star = wanted
		}
	}
	return star
}

// matches compares If-None-Match weakly (RFC 9110 13.1.2): proxies that recompress mark tags as weak.
func matches(values []string, etag string) bool {
	for _, v := range values {
		for tag := range strings.SplitSeq(v, ",") {
			tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
			if tag == etag || tag == "*" {
				return true
			}
		}
	}
	return false
}
