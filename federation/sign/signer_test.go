package sign

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"
)

var us = Signer{KeyID: aliceKey, Private: alicePrivate}

// sent is the request as it goes over the wire to the host "blog.test", parsed by the peer.
func sent(t *testing.T, r *http.Request) request {
	t.Helper()
	body, err := r.GetBody()
	if err != nil {
		t.Fatal(err)
	}
	r.Body = body
	var wire bytes.Buffer
	if err := r.Write(&wire); err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(wire.String(), "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	first := strings.Split(lines[0], " ")
	q := request{first[0], first[1], lines[1:], rest}
	return q.with("Content-Length", "")
}

func newRequest(t *testing.T, method, url, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if method == "POST" {
		r.Header.Set("Content-Type", "application/activity+json")
	} else {
		r.Header.Set("Accept", "application/activity+json")
	}
	return r
}

// TestSign sends what Signer signs through our own door, which trusts nothing of it.
func TestSign(t *testing.T) {
	for _, c := range []struct{ method, url, body string }{
		{"POST", "https://blog.test/inbox", `{"type":"Create"}`},
		{"POST", "https://blog.test", `{}`},
		{"POST", "https://blog.test:443/inbox", `{}`},
		{"POST", "https://blog.test/users/J%C3%BCrgen%2Fx/inbox?a=%20b&c", `{}`},
		{"POST", "https://blog.test/inbox", ""},
		{"GET", "https://blog.test/users/blog?page=1", ""},
		{"GET", "https://blog.test/@blog/a b", ""},
		{"GET", "https://blog.test/users/blog?", ""},
		{"GET", "https://blog.test/users/blog#main-key", ""},
	} {
		for name, signIt := range map[string]func(*http.Request, []byte, time.Time) error{"Sign": us.Sign, "SignRFC9421": us.SignRFC9421} {
			r := newRequest(t, c.method, c.url, c.body)
			for range 2 { // a second attempt signs afresh
				if err := signIt(r, []byte(c.body), now); err != nil {
					t.Fatal(err)
				}
			}
			if s, err := sent(t, r).verify(t, everybody()); err != nil || s.Actor() != alice {
				t.Errorf("%s %s %s: %v", name, c.method, c.url, err)
			}
		}
	}
}

func TestR029_SignedPost(t *testing.T) {
	r := newRequest(t, "POST", "https://blog.test/inbox", "{}")
	if err := us.Sign(r, []byte("{}"), now); err != nil {
		t.Fatal(err)
	}
	p, err := parameters(r.Header.Get("Signature"))
	if err != nil || p["headers"] != "(request-target) host date digest content-type" || p["keyid"] != aliceKey || p["algorithm"] != "rsa-sha256" {
		t.Errorf("%q, %v", p, err)
	}
	if got := r.Header.Get("Digest"); got != "SHA-256=RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=" {
		t.Error(got)
	}
	if got := r.Header.Get("Date"); got != "Sun, 01 Mar 2026 12:00:00 GMT" {
		t.Error(got)
	}
	if r.Header.Get("Host") != "" {
		t.Error("a Host header was left behind")
	}
}

func TestR030_SignedGet(t *testing.T) {
	r := newRequest(t, "GET", "https://blog.test/users/blog", "")
	if err := us.Sign(r, nil, now); err != nil {
		t.Fatal(err)
	}
	p, err := parameters(r.Header.Get("Signature"))
	if err != nil || p["headers"] != "(request-target) host date accept" || r.Header.Get("Digest") != "" {
		t.Errorf("%q, %v", p, err)
	}
}

// TestR031_OtherSchemeAfter401 has the same request signed both ways in turn, as after a 401.
func TestR031_OtherSchemeAfter401(t *testing.T) {
	r := newRequest(t, "POST", "https://blog.test/inbox", "{}")
	for i, signIt := range []func(*http.Request, []byte, time.Time) error{us.Sign, us.SignRFC9421, us.Sign} {
		if err := signIt(r, []byte("{}"), now); err != nil {
			t.Fatal(err)
		}
		s, err := sent(t, r).verify(t, everybody())
		want := [...]string{"cavage rsa-sha256", "rfc9421 rsa-v1_5-sha256"}[i%2]
		if err != nil || s.Algorithm() != want || (r.Header.Get("Digest") == "") != (i == 1) {
			t.Errorf("attempt %d: %q, %v", i, s.Algorithm(), err)
		}
	}
	const input = `sig1=("@method" "@target-uri" "content-digest");created=1772366400;keyid="https://good.test/users/alice#main-key";alg="rsa-v1_5-sha256"`
	if err := us.SignRFC9421(r, []byte("{}"), now); err != nil || r.Header.Get("Signature-Input") != input {
		t.Errorf("%s, %v", r.Header.Get("Signature-Input"), err)
	}
}

func TestSign_Errors(t *testing.T) {
	post := newRequest(t, "POST", "https://blog.test/inbox", "{}")
	for name, s := range map[string]Signer{"no key": {KeyID: aliceKey}, "no keyId": {Private: alicePrivate}, "nothing": {}} {
		if s.Sign(post, nil, now) == nil || s.SignRFC9421(post, nil, now) == nil {
			t.Errorf("%s: signed", name)
		}
	}
	bare := newRequest(t, "POST", "https://blog.test/inbox", "{}")
	bare.Header.Del("Content-Type")
	if us.Sign(bare, nil, now) == nil {
		t.Error("signed a Content-Type that is not there")
	}
	if (Signer{"https://good.test/é", alicePrivate}).SignRFC9421(post, nil, now) == nil {
		t.Error("signed with a keyid that cannot be written")
	}
}
