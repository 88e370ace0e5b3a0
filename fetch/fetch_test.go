package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// peer is a stranger's server on loopback that counts requests.
type peer struct {
	*httptest.Server
	hits atomic.Int64
}

func serve(t *testing.T, handler http.HandlerFunc) *peer {
	t.Helper()
	p := &peer{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.hits.Add(1)
		handler(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

// impatient is a client of loopback peers whose time limits a test can wait for.
func impatient(shrink func(*limits)) *Client {
	l := defaultLimits
	shrink(&l)
	return newClient(Options{AllowPrivate: true}, l, guardian.Safe)
}

// fails asserts the kind of an error and returns it.
func fails(t *testing.T, err error, want Kind) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an *Error of kind %s", err, want)
	}
	if e.Kind != want || e.URL == "" {
		t.Errorf("got %s (URL %q), want %s: %v", e.Kind, e.URL, want, err)
	}
	return e
}

func TestGet(t *testing.T) {
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "Application/Activity+JSON; charset=utf-8")
		w.Header().Set("ETag", `"1"`)
		fmt.Fprintf(w, "%s %s %v", r.Header.Get("User-Agent"), r.Header.Get("Accept"), r.Header["Referer"])
	})
	c := New(Options{AllowPrivate: true, UserAgent: "Afterword/1.0 (+https://blog.test)"})
	url := p.URL + "/a%7Cb|ü?x=%20"
	doc, err := c.Get(t.Context(), Get{URL: url, Accept: "application/activity+json", Media: ActivityJSON})
	if err != nil {
		t.Fatal(err)
	}
	if doc.URL != url || doc.Status != 200 || doc.MediaType != "application/activity+json" || doc.Header.Get("ETag") != `"1"` {
		t.Errorf("%+v", doc)
	}
	if got, want := string(doc.Body), "Afterword/1.0 (+https://blog.test) application/activity+json []"; got != want {
		t.Errorf("%s", got)
	}
}

func TestGetHTTP2(t *testing.T) {
	p := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
	p.EnableHTTP2 = true
	p.Config.ErrorLog = log.New(io.Discard, "", 0)
	p.StartTLS()
	defer p.Close()
	c := New(Options{AllowPrivate: true})
	if _, err := c.Get(t.Context(), Get{URL: p.URL}); fails(t, err, Unreachable).Temporary() != true {
		t.Error("an unknown certificate was accepted")
	}
	c = New(Options{AllowPrivate: true})
	transport := c.transport.(*http.Transport)
	transport.TLSClientConfig = p.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	transport.TLSClientConfig.NextProtos = nil
	doc, err := c.Get(t.Context(), Get{URL: p.URL})
	if err != nil || string(doc.Body) != "HTTP/2.0" {
		t.Errorf("%v %v", doc, err)
	}
}

func TestConditionalGet(t *testing.T) {
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") == `"1"` || r.Header.Get("If-Modified-Since") != "" || r.URL.Path == "/odd" {
			w.WriteHeader(http.StatusNotModified)
		}
	})
	c := New(Options{AllowPrivate: true})
	for _, g := range []Get{{URL: p.URL, IfNoneMatch: `"1"`, Media: ActivityJSON}, {URL: p.URL, IfModifiedSince: "Mon, 06 Jul 2009 00:00:00 GMT"}} {
		if doc, err := c.Get(t.Context(), g); err != nil || doc.Status != 304 || len(doc.Body) != 0 {
			t.Errorf("%v %v", doc, err)
		}
	}
	if doc, err := c.Get(t.Context(), Get{URL: p.URL, IfNoneMatch: `"2"`}); err != nil || doc.Status != 200 {
		t.Errorf("%v %v", doc, err)
	}
	_, err := c.Get(t.Context(), Get{URL: p.URL + "/odd"})
	fails(t, err, Status) // 304 to a question without condition
}

func TestGetStatus(t *testing.T) {
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var status int
		fmt.Sscanf(r.URL.Path, "/%d", &status)
		w.Header().Set("Retry-After", "120")
		w.WriteHeader(status)
		if status >= 400 {
			io.WriteString(w, "{\"error\":\n\"no\"}\x1b[31m")
		}
	})
	for status, temporary := range map[int]bool{
		204: false, 206: false, 203: false, 201: false, 300: false, 305: false, 302: false, // E7; 302 without Location
		400: false, 401: false, 403: false, 404: false, 405: false, 410: false, 422: false, // N3
		408: true, 429: true, 500: true, 501: true, 502: true, 503: true, 504: true, // N5
	} {
		t.Run(fmt.Sprint("E7 ", status), func(t *testing.T) {
			_, err := New(Options{AllowPrivate: true}).Get(t.Context(), Get{URL: fmt.Sprint(p.URL, "/", status)})
			e := fails(t, err, Status)
			if e.Status != status || e.Temporary() != temporary || e.Gone() != (status == 410) || e.NotFound() != (status == 404) || e.RetryAfter != 2*time.Minute {
				t.Errorf("%+v", e)
			}
			if status >= 400 && !strings.HasSuffix(e.Error(), `"{\"error\": \"no\"}\x1b[31m"`) {
				t.Errorf("%v", e)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "0": 0, "90": 90 * time.Second, "3600": time.Hour, "999999999": time.Hour, "99999999999999999999": 0, "-5": 0, "1.5": 0, "soon": 0,
		"Fri, 02 Jan 2026 03:05:05 GMT": time.Minute, "Fri, 02 Jan 2026 03:00:00 GMT": 0, "Sat, 02 Jan 2027 03:00:00 GMT": time.Hour,
	} {
		if got := retryAfter(value, now); got != want {
			t.Errorf("N5 %q: %v, want %v", value, got, want)
		}
	}
}

func TestR042_Redirects(t *testing.T) {
	port, visits := canary(t)
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if to := r.URL.Query().Get("to"); to != "" {
			w.Header()["Location"] = []string{to}
			w.Header().Set("Set-Cookie", "a=b; Path=/")
			w.WriteHeader(http.StatusFound)
			return
		}
		switch r.URL.Path {
		case "/3", "/2", "/1":
			http.Redirect(w, r, fmt.Sprintf("/%d#top", r.URL.Path[1]-'1'), http.StatusPermanentRedirect)
		case "/4", "/loop":
			http.Redirect(w, r, map[string]string{"/4": "/3", "/loop": "/loop"}[r.URL.Path], http.StatusMovedPermanently)
		default:
			fmt.Fprint(w, r.Header["Cookie"], r.Header["Referer"], r.Header["X-Signed"])
		}
	})
	var c *Client
	get := func(url string) (*Document, error) {
		c = New(Options{AllowPrivate: true})
		return c.Get(t.Context(), Get{URL: url, Sign: func(r *http.Request) error {
			r.Header.Add("X-Signed", r.Method+" "+r.URL.Path)
			return nil
		}})
	}
	doc, err := get(p.URL + "/3")
	if err != nil || doc.URL != p.URL+"/0" || string(doc.Body) != "[] [] [GET /0]" { // E11: no cookies; each hop signed anew
		t.Errorf("%+v %v", doc, err)
	}
	for _, path := range []string{"/4", "/loop"} { // B61
		before := p.hits.Load()
		_, err := get(p.URL + path)
		if fails(t, err, Forbidden); p.hits.Load()-before != 4 {
			t.Errorf("%s: %d requests", path, p.hits.Load()-before)
		}
	}
	for name, to := range map[string]string{
		"E9 ftp": "ftp://127.0.0.1:" + port, "E9 data:": "data:text/plain,x", "E9 file:": "file:///etc/passwd", "E9 other scheme": "https://127.0.0.1:" + port + "/",
		"E9 javascript:": "javascript:alert(1)", "userinfo": "//me@127.0.0.1:" + port + "/", "E35 CRLF": "/x%0d%0aSet-Cookie:%20a", "not a URL": "http://[::1", "long": "/" + strings.Repeat("x", 2048),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := get(p.URL + "/?to=" + strings.NewReplacer("%", "%25", "#", "%23").Replace(to))
			fails(t, err, Forbidden)
		})
	}
	if visits.Load() != 0 {
		t.Error("canary was visited")
	}
}

// TestR042_RedirectsGuarded lets a public host, in memory, point a guarded client elsewhere.
func TestR042_RedirectsGuarded(t *testing.T) {
	for name, to := range map[string]string{
		"E9 http": "http://good.test/", "E9 //127.0.0.1": "//127.0.0.1/", "E9 private": "https://10.0.0.1/x", "E9 metadata": "https://169.254.169.254/latest/",
		"localhost": "https://localhost/", "port": "https://good.test:8443/", "mapped": "https://[::ffff:127.0.0.1]/", "E9 file:": "file:///etc/passwd",
	} {
		t.Run(name, func(t *testing.T) {
			requests := 0
			c := New(Options{Transport: memory(func(r *http.Request) (*http.Response, error) {
				requests++
				return answer(302, "", "Location", to), nil
			})})
			_, err := c.Get(t.Context(), Get{URL: "https://good.test/"})
			if fails(t, err, Forbidden); requests != 1 {
				t.Errorf("%d requests", requests)
			}
		})
	}
}

// memory is a fediverse in memory.
type memory func(*http.Request) (*http.Response, error)

func (m memory) RoundTrip(r *http.Request) (*http.Response, error) { return m(r) }

func answer(status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for pair := range slices.Chunk(header, 2) {
		h.Add(pair[0], pair[1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
}

func TestSign(t *testing.T) {
	p := serve(t, func(http.ResponseWriter, *http.Request) {})
	c := New(Options{AllowPrivate: true})
	broken := func(*http.Request) error { return errors.New("no key") }
	_, err := c.Get(t.Context(), Get{URL: p.URL, Sign: broken})
	if e := fails(t, err, Unsigned); e.Temporary() {
		t.Error("N15 temporary")
	}
	fails(t, c.Post(t.Context(), Post{URL: p.URL, Sign: broken}), Unsigned)
	if p.hits.Load() != 0 {
		t.Error("sent without signature")
	}
	if _, err := c.Get(t.Context(), Get{URL: p.URL, Sign: func(*http.Request) error { return nil }}); err != nil {
		t.Errorf("N15 the failed signature was remembered: %v", err)
	}
}

func TestR042_ActivityJSON(t *testing.T) {
	const ld, as = "application/ld+json", "https://www.w3.org/ns/activitystreams"
	for contentType, want := range map[string]bool{
		"application/activity+json":                               true,
		"application/activity+json; charset=utf-8":                true,
		"Application/Activity+JSON":                               true,
		"application/activity+json; charset":                      true,
		ld + `; profile="` + as + `"`:                             true,
		ld + `;profile="` + as + `";charset=utf-8`:                true,
		ld + `; profile="https://x.test/y ` + as + `"`:            true,  // E5
		ld + `; PROFILE="` + as + ` https://x.test/y"`:            true,  // E5
		ld + `; profile="https://www.w3.org/ns/activitystreamsX"`: false, // E5
		ld + `; profile="https://evil.test/?` + as + `"`:          false,
		ld + `; profile=` + as:                                    false, // not a token: Mastodon refuses it too
		ld:                                                        false, // E4
		ld + `; profile=""`:                                       false,
		ld + `; profile="` + as + `"; profile="https://x.test/y"`: false,
		"application/json":                                        false,
		"text/html":                                               false,
		"text/plain; x=application/activity+json":                 false,
		"application/activity+jsonx":                              false,
		"application/activity+json, text/html":                    false,
		"image/png":                                               false,
		"":                                                        false,
		"application/octet-stream; profile=\"" + as + "\"":        false,
		`application/json; profile="` + as + `"`:                  false,
		"application/ld+json+x; profile=\"" + as + "\"":           false,
		"multipart/form-data; boundary=application/activity+json": false,
	} {
		if ActivityJSON(contentType) != want {
			t.Errorf("E5 %.120q: want %v", contentType, want)
		}
	}
}

func TestMedia(t *testing.T) {
	for name, headers := range map[string][]string{
		"E4 json": {"Content-Type", "application/json"}, "none": {}, "two": {"Content-Type", "application/activity+json", "Content-Type", "text/html"},
		"E4 html": {"Content-Type", "text/html"},
	} {
		c := New(Options{Transport: memory(func(*http.Request) (*http.Response, error) { return answer(200, "{}", headers...), nil })})
		_, err := c.Get(t.Context(), Get{URL: "https://good.test/", Media: ActivityJSON})
		if e := fails(t, err, MediaType); e.Temporary() {
			t.Errorf("%s: %v", name, e)
		}
	}
}

func zipped(t *testing.T, size int64) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.CopyN(w, zeros{}, size); err != nil || w.Close() != nil {
		t.Fatal("gzip")
	}
	return b.Bytes()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestBodies(t *testing.T) {
	var written atomic.Int64
	endless := func(w io.Writer, block []byte) {
		for range 100 << 20 / len(block) {
			n, err := w.Write(block)
			if written.Add(int64(n)); err != nil {
				return
			}
		}
	}
	bomb := zipped(t, 512<<10) // about 500 bytes
	emptyMembers := bytes.Repeat(zipped(t, 0), 1000)
	bodies := map[string]func(w http.ResponseWriter){
		"fits":                func(w http.ResponseWriter) { w.Write(make([]byte, 1000)) },
		"E19 100 MB":          func(w http.ResponseWriter) { endless(w, make([]byte, 64<<10)) },
		"one too many":        func(w http.ResponseWriter) { w.(http.Flusher).Flush(); w.Write(make([]byte, 1001)) },
		"E19 announced":       func(w http.ResponseWriter) { w.Header().Set("Content-Length", "1001"); w.Write(make([]byte, 1001)) },
		"E19 announced 1 GB":  func(w http.ResponseWriter) { w.Header().Set("Content-Length", "1000000000"); w.Write([]byte("x")) },
		"gzip":                func(w http.ResponseWriter) { w.Header().Set("Content-Encoding", "gzip"); w.Write(zipped(t, 1000)) },
		"P12 gzip bomb":       func(w http.ResponseWriter) { w.Header().Set("Content-Encoding", "GZIP"); w.Write(bomb) },
		"K3 small bomb":       func(w http.ResponseWriter) { w.Header().Set("Content-Encoding", "x-gzip"); w.Write(zipped(t, 2000)) },
		"P12 bomb of nothing": func(w http.ResponseWriter) { w.Header().Set("Content-Encoding", "gzip"); endless(w, emptyMembers) },
		"not gzip":            func(w http.ResponseWriter) { w.Header().Set("Content-Encoding", "gzip"); w.Write([]byte("plain text")) },
		"cut gzip":            func(w http.ResponseWriter) { w.Header().Set("Content-Encoding", "gzip"); w.Write(zipped(t, 1000)[:20]) },
		"cut off":             func(w http.ResponseWriter) { w.Header().Set("Content-Length", "100"); w.Write([]byte("x")) },
		"brotli":              func(w http.ResponseWriter) { w.Header().Set("Content-Encoding", "br"); w.Write([]byte("x")) },
		"gzip twice":          func(w http.ResponseWriter) { w.Header().Set("Content-Encoding", "gzip, gzip"); w.Write([]byte("x")) },
		"E23 2 MB header":     func(w http.ResponseWriter) { w.Header().Set("X", strings.Repeat("x", 2<<20)) },
	}
	want := map[string]Kind{
		"fits": "", "gzip": "", "brotli": MediaType, "gzip twice": MediaType,
		"not gzip": Unreachable, "cut gzip": Unreachable, "cut off": Unreachable, "E23 2 MB header": Unreachable,
	}
	for _, name := range slices.Sorted(maps.Keys(bodies)) {
		t.Run(name, func(t *testing.T) {
			p := serve(t, func(w http.ResponseWriter, r *http.Request) { bodies[name](w) })
			doc, err := New(Options{AllowPrivate: true}).Get(t.Context(), Get{URL: p.URL, MaxBytes: 1000})
			kind, listed := want[name]
			switch {
			case !listed:
				fails(t, err, TooLarge)
			case kind != "":
				fails(t, err, kind)
			case err != nil || len(doc.Body) != 1000:
				t.Errorf("%v %v", doc, err)
			}
			p.Close() // waits for the handler, so that written is final
		})
	}
	if n := written.Load(); n > 32<<20 { // what fits into socket buffers, far from 200 MB
		t.Errorf("endless bodies were read for %d bytes", n)
	}
}

func TestR042_TimeLimits(t *testing.T) {
	hang := func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	drip := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		for r.Context().Err() == nil {
			io.WriteString(w, "x")
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	const short = 100 * time.Millisecond
	for _, x := range []struct {
		name    string
		handler http.HandlerFunc
		shrink  func(*limits)
	}{
		{"E25 never answers", hang, func(l *limits) { l.headers = short }},
		{"E25 never answers, total", hang, func(l *limits) { l.total = short }},
		{"E21 drip", drip, func(l *limits) { l.total = short }},
	} {
		t.Run(x.name, func(t *testing.T) {
			p := serve(t, x.handler)
			_, err := impatient(x.shrink).Get(t.Context(), Get{URL: p.URL})
			if e := fails(t, err, Unreachable); !e.Temporary() {
				t.Error(e)
			}
		})
	}
	t.Run("TLS never answers", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		_, err = impatient(func(l *limits) { l.tls = short }).Get(t.Context(), Get{URL: "https://" + l.Addr().String()})
		fails(t, err, Unreachable)
	})
	t.Run("N7 drip after a delivery", func(t *testing.T) {
		p := serve(t, drip)
		if err := impatient(func(l *limits) { l.answer = short }).Post(t.Context(), Post{URL: p.URL}); err != nil {
			t.Error(err)
		}
	})
	t.Run("canceled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		p := serve(t, func(w http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
		c := New(Options{AllowPrivate: true})
		_, err := c.Get(ctx, Get{URL: p.URL})
		if e := fails(t, err, Canceled); !e.Temporary() || !errors.Is(err, context.Canceled) {
			t.Error(e)
		}
		fails(t, c.Post(ctx, Post{URL: p.URL}), Canceled)
	})
}

func TestUnreachable(t *testing.T) {
	p := serve(t, nil)
	p.Close()
	c := New(Options{AllowPrivate: true})
	_, err := c.Get(t.Context(), Get{URL: p.URL})
	if e := fails(t, err, Unreachable); !e.Temporary() || !wholeHost(e) {
		t.Error(e)
	}
	fails(t, c.Post(t.Context(), Post{URL: p.URL}), Unreachable)

	tls := httptest.NewUnstartedServer(nil)
	tls.Config.ErrorLog = log.New(io.Discard, "", 0)
	tls.StartTLS()
	defer tls.Close()
	_, err = c.Get(t.Context(), Get{URL: tls.URL})
	var unknown x509.UnknownAuthorityError
	if fails(t, err, Unreachable); !errors.As(err, &unknown) {
		t.Error("the cause is lost")
	}
}

func TestPost(t *testing.T) {
	var moved atomic.Int64
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if string(body) != "{}" || r.Method != "POST" || r.Header.Get("Content-Type") != "application/activity+json" || r.Header.Get("X-Signed") != "yes" || r.ContentLength != 2 {
			t.Errorf("%s %q %v", r.Method, body, r.Header)
		}
		var status int
		fmt.Sscanf(r.URL.Path, "/%d", &status)
		w.Header().Set("Retry-After", "7")
		if status/100 == 3 {
			w.Header().Set("Location", "/200")
		}
		if r.URL.Path == "/200" {
			moved.Add(1)
		}
		w.WriteHeader(status)
		if status == 403 {
			io.WriteString(w, "<html>")
		}
	})
	c := New(Options{AllowPrivate: true})
	post := func(path string) error {
		return c.Post(t.Context(), Post{URL: p.URL + path, MediaType: "application/activity+json", Body: []byte("{}"),
			Sign: func(r *http.Request) error { r.Header.Set("X-Signed", "yes"); return nil }})
	}
	for _, path := range []string{"/201", "/202", "/204", "/299"} { // N1
		if err := post(path); err != nil {
			t.Error(err)
		}
	}
	for _, status := range []int{300, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 410, 422} { // N3
		if e := fails(t, post(fmt.Sprint("/", status)), Status); e.Status != status || e.Temporary() || e.Err != nil {
			t.Errorf("%+v", e)
		}
	}
	for _, status := range []int{408, 429, 500, 503, 507} { // N5; nothing of it is remembered
		for range 2 {
			if e := fails(t, post(fmt.Sprint("/", status)), Status); e.Status != status || !e.Temporary() || e.RetryAfter != 7*time.Second {
				t.Errorf("%+v", e)
			}
		}
	}
	if moved.Load() != 0 {
		t.Error("a redirect was followed")
	}
	for range 100 {
		if err := post("/202"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPostReadsLittle(t *testing.T) { // N7
	read := int64(0)
	c := New(Options{Transport: memory(func(r *http.Request) (*http.Response, error) {
		status := 202
		if r.URL.Path == "/500" {
			status = 500
		}
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(counted{&read})}, nil
	})})
	if err := c.Post(t.Context(), Post{URL: "https://good.test/"}); err != nil {
		t.Error(err)
	}
	fails(t, c.Post(t.Context(), Post{URL: "https://good.test/500"}), Status)
	if read > 2*4<<10 {
		t.Errorf("read %d bytes", read)
	}
}

type counted struct{ read *int64 }

func (c counted) Read(p []byte) (int, error) { *c.read += int64(len(p)); return len(p), nil }

func TestErrorIsOneLine(t *testing.T) {
	_, err := New(Options{}).Get(t.Context(), Get{URL: "https://good.test/\r\nSet-Cookie: x\x1b[31m"})
	if got, want := err.Error(), `"https://good.test/\r\nSet-Cookie: x\x1b[31m": forbidden: control character, space or backslash in URL`; got != want {
		t.Errorf("%s", got)
	}
}
