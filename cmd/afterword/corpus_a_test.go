package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"afterword/config"
)

// hello is alice's comment, signed, and changed by edit on its way.
func hello(edit func(wire) wire) func(*site) []byte {
	return func(s *site) []byte { return edit(s.alice.signed(s.posted(s.alice.create("hello")))).bytes() }
}

func asItIs(q wire) wire { return q }

func line(l string) func(wire) wire { return func(q wire) wire { q.line = l; return q } }

func header(name, value string) func(wire) wire {
	return func(q wire) wire { return q.set(name, value) }
}

func and(edits ...func(wire) wire) func(wire) wire {
	return func(q wire) wire {
		for _, edit := range edits {
			q = edit(q)
		}
		return q
	}
}

func further(l string) func(wire) wire { return func(q wire) wire { return q.add(l) } }

func body(text string) func(wire) wire { return func(q wire) wire { q.body = []byte(text); return q } }

// typed is alice's comment with another media type, which she signs.
func typed(mediaType string) func(*site) []byte {
	return func(s *site) []byte {
		return s.alice.signed(s.posted(s.alice.create("hello")).set("Content-Type", mediaType)).bytes()
	}
}

// chunked sends the body in pieces of 100 bytes.
func chunked(q wire) wire {
	var b strings.Builder
	for rest := string(q.body); rest != ""; rest = rest[min(100, len(rest)):] {
		fmt.Fprintf(&b, "%x\r\n%s\r\n", min(100, len(rest)), rest[:min(100, len(rest))])
	}
	q.body = []byte(b.String() + "0\r\n\r\n")
	return q.set("Content-Length", "").set("Transfer-Encoding", "chunked")
}

func raw(lines ...string) func(*site) []byte {
	return func(*site) []byte { return []byte(strings.Join(lines, "\r\n") + "\r\n\r\n") }
}

// ofSize is alice's comment, made this many bytes long by white space.
func ofSize(n int) func(*site) []byte {
	return func(s *site) []byte {
		b := jsonOf(s.alice.create("hello"))
		return s.alice.send(append(b, []byte(strings.Repeat(" ", n-len(b)))...))
	}
}

func TestCorpusA(t *testing.T) {
	for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"} {
		try("A1 A2 "+method, raw(method+" /inbox HTTP/1.1", "Host: blog.test"), 405, nothing, 0).run(t)
	}
	for _, target := range []string{"/inbox/", "/inbox/x", "/Inbox", "/inbox/../inbox", "/./inbox", "/%2e/inbox", "/%2e%2e/inbox", "/x/%2e%2e/inbox",
		"/inbox%2f", "/inbox%00", "/inbox;x", "//evil.test/inbox", "///inbox", "/%2finbox", `/\evil.test/inbox`, "/actor/inbox", "/in%0d%0abox"} {
		try("A20 A21 "+strings.ReplaceAll(target, "/", "|"), hello(line("POST "+target+" HTTP/1.1")), 404, nothing, 0).run(t)
	}
	play(t,
		try("A20 a post's address", hello(line("POST /posts/inbox HTTP/1.1")), 405, nothing, 0),
		try("A0 an honest reply", hello(asItIs), 202, entered, 1).shows("alice: hello"),
		try("A3 text/plain", typed("text/plain"), 415, nothing, 0),
		try("A3 text/html", typed("text/html"), 415, nothing, 0),
		try("A3 multipart", typed("multipart/form-data; boundary=x"), 415, nothing, 0),
		try("A4 application/json, as Takahē sends it", typed("application/json"), 202, entered, 1).shows("alice: hello"),
		try("A4 activity+json with charset", typed("application/activity+json; charset=utf-8"), 202, entered, 1).shows("alice: hello"),
		try("A4 in capitals", typed("Application/Activity+JSON"), 202, entered, 1).shows("alice: hello"),
		try("A5 ld+json without profile", typed("application/ld+json"), 415, nothing, 0),
		try("A5 ld+json of another profile", typed(`application/ld+json; profile="https://evil.test/ns"`), 415, nothing, 0),
		try("A5 ld+json with profile", typed(`application/ld+json; profile="https://www.w3.org/ns/activitystreams"`), 202, entered, 1).shows("alice: hello"),
		try("A6 no media type", hello(header("Content-Type", "")), 415, nothing, 0),
		try("A7 more than 1 MiB is announced", raw("POST /inbox HTTP/1.1", "Host: blog.test", "Content-Type: "+activities, "Content-Length: 1048577"), 413, nothing, 0),
		try("A8 exactly 1 MiB", ofSize(1<<20), 202, entered, 1).shows("alice: hello"),
		try("A8 a byte more", ofSize(1<<20+1), 413, nothing, 0),
		try("A10 more than 1 MiB in chunks", hello(func(q wire) wire { q.body = make([]byte, 1<<20+1); return chunked(q) }), 413, nothing, 0),
		try("A10 sound chunks", hello(chunked), 202, entered, 1).shows("alice: hello"),
		try("A11 a header of 17 KiB", hello(header("X-Long", strings.Repeat("x", 17<<10))), 431, nothing, 0),
		try("A11 16 KiB of headers", hello(further("X-A: a\r\n"+strings.Repeat("X-B: "+strings.Repeat("b", 93)+"\r\n", 170)+"X-C: c")), 431, nothing, 0),
		try("A11 12 KiB of headers", hello(header("X-Long", strings.Repeat("x", 11<<10))), 202, entered, 1).shows("alice: hello"),
		try("A12 Content-Length and chunks", hello(func(q wire) wire { l := q.get("Content-Length"); return chunked(q).add("Content-Length: " + l) }), 400, nothing, 0),
		try("A12 chunks and Content-Length", hello(and(header("Transfer-Encoding", "chunked"), body("0\r\n\r\n"))), 400, nothing, 0),
		try("A13 two different Content-Length", hello(further("Content-Length: 3")), 400, nothing, 0),
		try("A13 Content-Length that is no number", hello(header("Content-Length", "+5")), 400, nothing, 0),
		try("A13 negative Content-Length", hello(header("Content-Length", "-1")), 400, nothing, 0),
		try("A14 a bad chunk", hello(and(chunked, body("zz\r\nhello\r\n0\r\n\r\n"))), 400, nothing, 0),
		try("A14 a chunk longer than it says", hello(and(chunked, body("2\r\nhello\r\n0\r\n\r\n"))), 400, nothing, 0),
		try("A15 Transfer-Encoding: xchunked", hello(and(header("Content-Length", ""), header("Transfer-Encoding", "xchunked"))), 501, nothing, 0),
		try("A15 Transfer-Encoding: gzip, chunked", hello(and(header("Content-Length", ""), header("Transfer-Encoding", "gzip, chunked"))), 501, nothing, 0),
		try("A15 Transfer-Encoding twice", hello(and(chunked, further("Transfer-Encoding: identity"))), 501, nothing, 0),
		try("A16 no Host", hello(header("Host", "")), 400, nothing, 0),
		try("A17 two Hosts", hello(further("Host: evil.test")), 400, nothing, 0),
		try("A18 another Host", hello(header("Host", "evil.test")), 401, nothing, 0),
		try("A18 another port", hello(header("Host", "blog.test:8443")), 401, nothing, 0),
		try("A18 Host with a dot", hello(header("Host", "blog.test.")), 401, nothing, 0),
		try("A18 Host with a user", hello(header("Host", "x@blog.test")), 400, nothing, 0),
		try("A18 the Host in capitals is the same, signed so", func(s *site) []byte {
			return s.alice.signed(s.posted(s.alice.create("hello")).set("Host", "BLOG.test:443")).bytes()
		}, 202, entered, 1).shows("alice: hello"),
		try("A19 an absolute target elsewhere", hello(line("POST http://evil.test/inbox HTTP/1.1")), 400, nothing, 0),
		try("A19 an absolute target here", hello(line("POST https://blog.test/inbox HTTP/1.1")), 400, nothing, 0),
		try("A19 an authority as target", raw("CONNECT evil.test:443 HTTP/1.1", "Host: evil.test:443"), 400, nothing, 0),
		try("A19 an asterisk as target", raw("POST * HTTP/1.1", "Host: blog.test"), 400, nothing, 0),
		try("A20 a target longer than any id", raw("GET /inbox?"+strings.Repeat("x", 4000)+" HTTP/1.1", "Host: blog.test"), 414, nothing, 0),
		try("A20 the path percent-encoded, as signed", func(s *site) []byte {
			return s.alice.signed(line("POST /%69nbox HTTP/1.1")(s.posted(s.alice.create("hello")))).bytes()
		}, 202, entered, 1).shows("alice: hello"),
		try("A20 the path percent-encoded, not as signed", hello(line("POST /%69nbox HTTP/1.1")), 401, nothing, 1),
		try("A22 HTTP/1.0", hello(line("POST /inbox HTTP/1.0")), 202, entered, 1).shows("alice: hello"),
		try("A22 HTTP/2.0 in clear text", hello(line("POST /inbox HTTP/2.0")), 505, nothing, 0),
		try("A22 no version", hello(line("POST /inbox")), 400, nothing, 0),
		try("A23 post", hello(line("post /inbox HTTP/1.1")), 405, nothing, 0),
		try("A23 a method with a space", hello(line("PO ST /inbox HTTP/1.1")), 400, nothing, 0),
		try("A24 Content-Encoding: identity", hello(header("Content-Encoding", "identity")), 202, entered, 1).shows("alice: hello"),
		try("A25 Content-Encoding: gzip", hello(header("Content-Encoding", "gzip")), 415, nothing, 0),
		try("A25 Content-Encoding: identity, gzip", hello(header("Content-Encoding", "identity, gzip")), 415, nothing, 0),
		try("A25 two Content-Encodings", hello(and(header("Content-Encoding", "identity"), further("Content-Encoding: gzip"))), 415, nothing, 0),
		try("A26 trailers are not headers", hello(func(q wire) wire {
			digest := q.get("Digest")
			q = chunked(q.set("Digest", ""))
			q.body = []byte(strings.TrimSuffix(string(q.body), "\r\n") + "Digest: " + digest + "\r\n\r\n")
			return q.add("Trailer: Digest")
		}), 401, nothing, 0),
		try("A27 Expect: 100-continue and 1 GB", raw("POST /inbox HTTP/1.1", "Host: blog.test", "Content-Type: "+activities, "Expect: 100-continue", "Content-Length: 1000000000"), 413, nothing, 0),
		try("A27 Expect: something", hello(header("Expect", "something")), 417, nothing, 0),
		try("A29 NUL in a header", hello(header("X-Nul", "a\x00b")), 400, nothing, 0),
		try("A29 a control character in a header's name", hello(further("X\x01: a")), 400, nothing, 0),
		try("A29 space before the colon", hello(further("X-Space : a")), 400, nothing, 0),
		try("A29 a line that is no header", hello(further("nonsense")), 400, nothing, 0),
		try("A30 a header over two lines", hello(further("X-Folded: a\r\n b")), 400, nothing, 0),
		try("A31 X-Forwarded-Host", hello(and(header("X-Forwarded-Host", "evil.test"), header("X-Forwarded-Proto", "http"), header("Forwarded", "host=evil.test"))), 202, entered, 1).shows("alice: hello"),
		try("A31 X-Forwarded-Host does not make another host ours", hello(and(header("Host", "evil.test"), header("X-Forwarded-Host", "blog.test"))), 401, nothing, 0),
		try("A31 X-HTTP-Method-Override", raw("GET /inbox HTTP/1.1", "Host: blog.test", "X-HTTP-Method-Override: POST"), 405, nothing, 0),
		try("A32 X-Original-URL", raw("POST /nowhere HTTP/1.1", "Host: blog.test", "X-Original-URL: /inbox", "X-Rewrite-URL: /inbox", "Content-Length: 0"), 404, nothing, 0),
		try("A34 nothing but a line end", func(*site) []byte { return []byte("\r\n\r\nGET /inbox HTTP/1.1\r\nHost: blog.test\r\n\r\n") }, 400, nothing, 0),
		try("A34 TLS in clear text", func(*site) []byte { return []byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n") }, 400, nothing, 0),
	)
}

// impatientSite is a site that waits a moment only.
func impatientSite(t *testing.T) *site {
	return newSite(t, func(_ *config.Config, s *server) {
		s.waits = waits{head: 100 * time.Millisecond, whole: 200 * time.Millisecond, answer: time.Second, idle: 300 * time.Millisecond}
	})
}

// TestCorpusA09_Stalls: who sends a part and stops is told so or cut off, and nothing is stored.
func TestCorpusA09_Stalls(t *testing.T) {
	if usualWaits.whole >= 15*time.Second || usualWaits.head >= 15*time.Second {
		t.Errorf("a stalled request is held for %+v", usualWaits)
	}
	s := impatientSite(t)
	before := s.rows()
	for name, x := range map[string]struct {
		wire   string
		status int
	}{
		"A9 a body of 1 GB":  {"POST /inbox HTTP/1.1\r\nHost: blog.test\r\nContent-Type: " + activities + "\r\nContent-Length: 1000000000\r\n\r\nx", 413},
		"A9 a body of 1 MB":  {"POST /inbox HTTP/1.1\r\nHost: blog.test\r\nContent-Type: " + activities + "\r\nContent-Length: 1000000\r\n\r\nx", 408},
		"A9 a chunk":         {"POST /inbox HTTP/1.1\r\nHost: blog.test\r\nContent-Type: " + activities + "\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\nx", 408},
		"A9 a head":          {"POST /inbox HTTP/1.1\r\nHost: blog.test\r\n", 0},
		"A9 a request line":  {"POST /inb", 400},
		"A9 not a word":      {"", 0},
		"A9 after an answer": {"GET /inbox HTTP/1.1\r\nHost: blog.test\r\n\r\n", 405},
	} {
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(10 * time.Second)) //nolint:errcheck // a test that hangs fails
		io.WriteString(c, x.wire)                       //nolint:errcheck // what comes back is looked at
		r := bufio.NewReader(c)
		status := 0
		if resp, err := http.ReadResponse(r, nil); err == nil {
			status = resp.StatusCode
			io.Copy(io.Discard, resp.Body) //nolint:errcheck // then the connection's end is looked for
		}
		if _, err := io.Copy(io.Discard, r); err != nil || status != x.status {
			t.Errorf("%s: %d, want %d and the connection closed: %v", name, status, x.status, err)
		}
	}
	if got := s.changedSince(before); got != "" {
		t.Errorf("changes %s", got)
	}
}

// TestCorpusA28_Pipelining: requests that stand behind one another are answered in their order, and an ambiguous one is
// the last of its connection.
func TestCorpusA28_Pipelining(t *testing.T) {
	s := newSite(t)
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second)) //nolint:errcheck // a test that hangs fails
	ambiguous := hello(func(q wire) wire { return chunked(q).add("Content-Length: 3") })(s)
	for _, message := range [][]byte{s.alice.send(s.alice.create("one")), raw("GET /actor HTTP/1.1", "Host: blog.test")(s), s.alice.send(s.alice.create("two")), ambiguous,
		s.alice.send(s.alice.create("three"))} {
		if _, err := c.Write(message); err != nil {
			t.Fatal(err)
		}
	}
	var statuses []int
	for r := bufio.NewReader(c); ; {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			break
		}
		io.Copy(io.Discard, resp.Body) //nolint:errcheck // the next answer is looked for
		statuses = append(statuses, resp.StatusCode)
	}
	s.settle()
	if got := fmt.Sprintln(statuses, s.words()); got != "[202 200 202 400] alice: one; alice: two\n" {
		t.Error(got)
	}
}

// TestCorpusA21_NoRedirects: odd paths lead nowhere, not even elsewhere on this server.
func TestCorpusA21_NoRedirects(t *testing.T) {
	s := newSite(t)
	for _, target := range []string{"//evil.test", "//evil.test/", "/posts", "/replies", "/answers", "/posts//x", "/posts/../actor", "/actor/", "/api", "/api/v1", "/api/v1/",
		"/.well-known", "/.well-known/", "/.well-known/webfinger/", "//.well-known/webfinger", "/embed", "/t/", "/admin", "/%2f%2fevil.test", `/\evil.test`, "/nodeinfo", "/nodeinfo/2.1/"} {
		resp := s.exchange([]byte("GET " + target + " HTTP/1.1\r\nHost: blog.test\r\nAccept: */*\r\n\r\n"))
		if resp.StatusCode/100 != 4 || resp.Header.Get("Location") != "" {
			t.Errorf("%s: %d %q", target, resp.StatusCode, resp.Header.Get("Location"))
		}
	}
}
