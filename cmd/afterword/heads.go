package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"strconv"
	"sync"
)

// heads reads the heads of a connection's requests along with net/http, which drops what would tell that a request is
// written to be understood in two ways: a Content-Length beside Transfer-Encoding, and header lines that are continued
// (RFC 9112 6.1 and 5.2; SECURITY A12). A proxy in front of us may have read such a request as two.
type heads struct {
	mu     sync.Mutex // guards what follows: net/http reads ahead while a handler runs
	head   []byte     // of the request that is coming, so far
	body   int64      // bytes that are still to come of the present body
	lost   bool       // nothing more is known of where requests begin
	seen   int        // heads that were read
	judged int        // requests that were asked about
	bad    int        // the first head that is ambiguous, from 1; 0: none
}

// read takes in what comes over the wire.
func (h *heads) read(p []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(p) > 0 && !h.lost {
		if h.body > 0 {
			n := min(h.body, int64(len(p)))
			h.body, p = h.body-n, p[n:]
			continue
		}
		end := bytes.IndexByte(p, '\n') + 1
		if end == 0 {
			end = len(p)
		}
		h.head, p = append(h.head, p[:end]...), p[end:]
		switch line := bytes.TrimRight(h.head, "\r\n"); {
		case len(line) == 0:
			h.lost = true // net/http has no empty lines before a request
		case bytes.HasSuffix(h.head, []byte("\n\n")) || bytes.HasSuffix(h.head, []byte("\n\r\n")):
			h.end()
		case len(h.head) > headerSize+4<<10:
			h.lost = true // net/http will not read that
		}
	}
}

// end judges a head that is complete.
func (h *heads) end() {
	h.seen++
	var length, chunked, folded bool
	for _, line := range bytes.Split(h.head, []byte("\n"))[1:] {
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case len(line) > 0 && (line[0] == ' ' || line[0] == '\t'):
			folded = true
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = true
		case bytes.EqualFold(name, []byte("Content-Length")):
			length = true
			h.body, _ = strconv.ParseInt(string(bytes.TrimSpace(value)), 10, 64) // net/http refuses what is no number
		}
	}
	if h.bad == 0 && (length && chunked || folded) {
		h.bad = h.seen
	}
	h.lost = chunked || folded // such a request is the last one of its connection
	h.head = h.head[:0]
}

// next tells whether the next request of the connection is ambiguous, or may be.
func (h *heads) next() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.judged++
	return h.bad != 0 && h.judged >= h.bad
}

type connKey struct{}

// withConn is a http.Server's ConnContext.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// unambiguous refuses requests that can be understood in two ways.
func unambiguous(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, counted := r.Context().Value(connKey{}).(*countedConn)
		if !counted {
			next.ServeHTTP(w, r)
			return
		}
		ambiguous := c.heads.next()
		if ambiguous || len(r.TransferEncoding) > 0 {
			w.Header().Set("Connection", "close")
		}
		if ambiguous {
			http.Error(w, "the request has both Content-Length and Transfer-Encoding, or a header over several lines", http.StatusBadRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}
