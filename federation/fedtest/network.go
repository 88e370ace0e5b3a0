package fedtest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
)

// Network is a network in memory. Hosts that are not served fail as unknown to DNS.
type Network struct {
	mu    sync.Mutex // guards what follows
	hosts map[string]http.Handler
	log   []string
	count map[string]int
}

// NewNetwork is a network without hosts.
func NewNetwork() *Network {
	return &Network{hosts: map[string]http.Handler{}, count: map[string]int{}}
}

// Serve lets h answer for an authority, "alpha.test" or "localhost:8080", by whatever scheme. A nil h takes the host
// off the network.
func (n *Network) Serve(authority string, h http.Handler) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[authority] = h
}

// Handler is what answers for an authority; nil when nothing does.
func (n *Network) Handler(authority string) http.Handler {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.hosts[authority]
}

// Requests is how many requests a host was sent, answered or not.
func (n *Network) Requests(authority string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.count[authority]
}

// Log has all requests in their order, as "GET https://alpha.test/users/alice".
func (n *Network) Log() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.log)
}

// RoundTrip implements http.RoundTripper. The request goes through its bytes, so that the handler sees it as a real
// server would, and is answered in the caller's goroutine.
func (n *Network) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	h := n.route(r)
	var wire bytes.Buffer
	if err := r.Write(&wire); err != nil { // also closes the body
		return nil, err
	}
	if h == nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: r.URL.Hostname(), IsNotFound: true}}
	}
	arrived, err := http.ReadRequest(bufio.NewReader(&wire))
	if err != nil {
		return nil, err
	}
	arrived.RemoteAddr = "192.0.2.1:49152"
	var w recorder
	h.ServeHTTP(&w, arrived.WithContext(ctx))
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return w.response(r), nil
}

func (n *Network) route(r *http.Request) http.Handler {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.count[r.URL.Host]++
	n.log = append(n.log, r.Method+" "+r.URL.String())
	return n.hosts[r.URL.Host]
}

// recorder is a ResponseWriter that keeps the answer.
type recorder struct {
	header http.Header
	sent   http.Header // as it was when the status was written
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header {
	if w.header == nil {
		w.header = http.Header{}
	}
	return w.header
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status, w.sent = status, w.Header().Clone()
	}
}

func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

func (w *recorder) response(r *http.Request) *http.Response {
	w.WriteHeader(http.StatusOK)
	body := w.body.Bytes()
	if r.Method == http.MethodHead || w.status == http.StatusNotModified {
		body = nil
	}
	return &http.Response{
		Status:        strconv.Itoa(w.status) + " " + http.StatusText(w.status),
		StatusCode:    w.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        w.sent,
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)),
		Request:       r,
	}
}

// maxSteps ends a Settle that would not end by itself.
const maxSteps = 10_000

// Settle takes the steps in turn until none of them has anything left to do. It is how tests wait: for nothing.
func Settle(ctx context.Context, steps ...func(context.Context) (worked bool, err error)) error {
	for taken := 0; taken < maxSteps; {
		quiet := true
		for _, step := range steps {
			worked, err := step(ctx)
			if err != nil {
				return err
			}
			quiet = quiet && !worked
			taken++
		}
		if quiet {
			return nil
		}
	}
	return errors.New("fedtest: it does not come to rest")
}
