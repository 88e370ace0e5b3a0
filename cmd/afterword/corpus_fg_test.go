package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
)

// ask is a GET of ours with these header lines.
func (s *site) ask(target string, lines ...string) (*http.Response, string) {
	s.Helper()
	resp := s.exchange([]byte("GET " + target + " HTTP/1.1\r\n" + strings.Join(append(lines, "Host: blog.test", "Connection: close"), "\r\n") + "\r\n\r\n"))
	var b bytes.Buffer
	if resp.Body != nil {
		if _, err := b.ReadFrom(resp.Body); err != nil {
			s.Fatal(err)
		}
	}
	return resp, b.String()
}

// TestCorpusF: what is asked of our WebFinger. Theirs, which we ask, is in package api.
func TestCorpusF(t *testing.T) {
	s := newSite(t)
	before := s.rows()
	for _, x := range []struct {
		name, resource string
		status         int
	}{
		{"F2 empty", "", 400},
		{"F3 another domain", "acct:blog@evil.test", 404},
		{"F3 a domain that ends alike", "acct:blog@notblog.test", 404},
		{"F3 a domain below", "acct:blog@x.blog.test", 404},
		{"F3 another port", "acct:blog@blog.test:8443", 404},
		{"F4 another user", "acct:admin@blog.test", 404},
		{"F4 no user", "acct:@blog.test", 404},
		{"F4 no domain", "acct:blog", 404},
		{"F4 two at signs", "acct:blog@blog.test@evil.test", 404},
		{"F5 our account", "acct:blog@blog.test", 200},
		{"F5 the actor", blogActor, 200},
		{"F5 the blog", blogBase + "/", 200},
		{"F6 in capitals", "ACCT:Blog@BLOG.TEST", 200},
		{"F6 without acct", "@blog@blog.test", 200},
		{"F6 with the usual port", "acct:blog@blog.test:443", 200},
		{"F6 with a path", "acct:blog@blog.test/x", 404},
		{"F7 NUL", "acct:x@y\x00", 400},
		{"F7 a line break", "acct:blog@blog.test\r\nX: y", 400},
		{"F7 a space", "acct:blog @blog.test", 400},
		{"F8 10 KB", "acct:" + strings.Repeat("x", 3000) + "@blog.test", 400},
		{"F8 another scheme", "mailto:blog@blog.test", 404},
		{"F8 a page elsewhere", "https://evil.test/actor", 404},
		{"F8 a page of ours that is no account", marchPage, 404},
		{"F10 marks of direction", "acct:blog\u202e@blog.test", 404},
		{"F10 full-width at sign", "acct:blog＠blog.test", 404},
		{"F10 a path up", "acct:../../etc/passwd@blog.test", 404},
		{"F10 quotes", `acct:blog"@blog.test`, 404},
		{"F10 markup", "acct:<script>@blog.test", 404},
	} {
		resp, body := s.ask("/.well-known/webfinger?resource=" + url.QueryEscape(x.resource))
		if resp.StatusCode != x.status || resp.Header.Get("Access-Control-Allow-Origin") != "*" || resp.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %d %v, want %d", x.name, resp.StatusCode, resp.Header, x.status)
		}
		if x.status == 200 && (!strings.Contains(body, `"acct:blog@blog.test"`) || resp.Header.Get("Content-Type") != "application/jrd+json") {
			t.Errorf("%s: %s %s", x.name, resp.Header.Get("Content-Type"), body)
		}
	}
	for name, x := range map[string]struct {
		request string
		status  int
	}{
		"F1 no resource":          {"GET /.well-known/webfinger HTTP/1.1", 400},
		"F9 two resources":        {"GET /.well-known/webfinger?resource=acct:blog@blog.test&resource=acct:x@evil.test HTTP/1.1", 200},
		"F11 HEAD":                {"HEAD /.well-known/webfinger?resource=acct:blog@blog.test HTTP/1.1", 200},
		"F11 OPTIONS":             {"OPTIONS /.well-known/webfinger HTTP/1.1", 204},
		"F11 POST":                {"POST /.well-known/webfinger?resource=acct:blog@blog.test HTTP/1.1", 405},
		"F12 DELETE":              {"DELETE /.well-known/webfinger?resource=acct:blog@blog.test HTTP/1.1", 405},
		"F12 a longer path":       {"GET /.well-known/webfinger/x?resource=acct:blog@blog.test HTTP/1.1", 404},
		"F12 others there":        {"GET /.well-known/security.txt HTTP/1.1", 404},
		"F14 a broken escape":     {"GET /.well-known/webfinger?resource=%zz HTTP/1.1", 400},
		"F14 invalid UTF-8":       {"GET /.well-known/webfinger?resource=acct:%ff@blog.test HTTP/1.1", 404},
		"F16 host-meta":           {"GET /.well-known/host-meta HTTP/1.1", 200},
		"F16 nodeinfo":            {"GET /.well-known/nodeinfo HTTP/1.1", 200},
		"F18 a target of 4 KB":    {"GET /.well-known/webfinger?resource=" + strings.Repeat("x", 4096) + " HTTP/1.1", 414},
		"F18 escaped and escaped": {"GET /.well-known/webfinger?resource=acct%253Ablog%2540blog.test HTTP/1.1", 200},
	} {
		if status := s.request([]byte(x.request + "\r\nHost: blog.test\r\n\r\n")); status != x.status {
			t.Errorf("%s: %d, want %d", name, status, x.status)
		}
	}
	if got, log := s.changedSince(before), s.network.Log(); got != "" || len(log) > 0 {
		t.Errorf("changes %s, asked %q", got, log)
	}
}

// TestCorpusG: every case of group G, sent as a comment, is stored as its committed HTML: those of sanitize/testdata.
func TestCorpusG(t *testing.T) {
	text, err := os.ReadFile("../../sanitize/testdata/golden.txt")
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t)
	want := map[string]string{}
	for n, c := range strings.Split(strings.TrimPrefix(string(text), "== "), "\n== ") {
		name, rest, _ := strings.Cut(c, "\n")
		in, out, _ := strings.Cut(rest, "\n--")
		id := fmt.Sprint(s.alice.id, "/notes/", n)
		if status := s.direct(s.alice.send(s.alice.does("Create", but(s.alice.note("x"), object{"id": id, "content": in})))); status != 202 {
			t.Errorf("%s: %d", name, status)
		}
		if out = strings.Trim(out, "\n"); out != "" {
			want[id] = out
		}
	}
	s.settle()
	all, err := s.db.Thread(s.ctx, marchNote)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.HTML != want[string(c.ID)] {
			t.Errorf("%s: %q, want %q", c.ID, c.HTML, want[string(c.ID)])
		}
		delete(want, string(c.ID))
	}
	for id := range want {
		t.Errorf("%s: no comment\n%s", id, s.verdict(id))
	}
	if page := s.page("/t?url=" + marchPage); strings.Contains(page, "<script>alert") || strings.Contains(page, "onerror=") {
		t.Error("a script in the page")
	}
}
