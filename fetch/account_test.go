package fetch

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestParseAccount(t *testing.T) {
	for text, want := range map[string]Account{
		"@me@home.test":                           {"me", "home.test"},
		"me@home.test":                            {"me", "home.test"},
		" me@home.test ":                          {"me", "home.test"},
		"\u2068@me@home.test\u2069\u00a0":         {"me", "home.test"}, // as copied from a page
		"Acct:Me@HOME.test":                       {"Me", "home.test"},
		"acct:@me@home.test":                      {"me", "home.test"},
		"a.b-c_d~e+f@home.test":                   {"a.b-c_d~e+f", "home.test"},
		"me@home.test.":                           {"me", "home.test"},
		"me@home.test:8443":                       {"me", "home.test:8443"},
		"me@home.test:443":                        {"me", "home.test"},
		"me@bücher.test":                          {"me", "xn--bcher-kva.test"},
		"me@BÜCHER.test:8443":                     {"me", "xn--bcher-kva.test:8443"},
		"@me@192.0.2.1:8080":                      {"me", "192.0.2.1:8080"},
		"home.test":                               {"", "home.test"},
		"@home.test":                              {"", "home.test"},
		"https://home.test":                       {"", "home.test"},
		"HTTPS://Home.test/":                      {"", "home.test"},
		"https://home.test/@me":                   {"me", "home.test"},
		"https://home.test:8443/@me/":             {"me", "home.test:8443"},
		"https://home.test/@me?tab=replies":       {"me", "home.test"},
		"https://other.test/@me@home.test":        {"me", "home.test"},
		"https://other.test/@me@bücher.test":      {"me", "xn--bcher-kva.test"},
		"https://home.test/@me/113000000000":      {"", "home.test"},
		"https://home.test/users/me":              {"", "home.test"},
		"https://home.test/u/me?page=2":           {"", "home.test"},
		"https://home.test?x":                     {"", "home.test"},
		"https://home.test/@":                     {"", "home.test"},
		"home.test/@me":                           {"me", "home.test"},
		"Home.test/":                              {"", "home.test"},
		"other.test/@me@home.test":                {"me", "home.test"},
		strings.Repeat("a", 64) + "@home.test":    {strings.Repeat("a", 64), "home.test"},
		"me@" + strings.Repeat("a.", 120) + "net": {"me", strings.Repeat("a.", 120) + "net"},
	} {
		if got, err := ParseAccount(text); err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

// TestParseNoAccount: SECURITY I1, I3.
func TestParseNoAccount(t *testing.T) {
	for _, text := range []string{"", " ", "@", "@@", "acct:", "me@", "@home.test@", "a@b@c", "@@home.test", "me@home.test/../x", "me@home.test?x", "me@home.test#x",
		"me＠home.test", "me@ho me.test", "me@home.test\n", "\nme@home.test", "m\re@home.test", "me@home.test\\x", "javascript:alert(1)", "data:text/html,x",
		"//home.test", "http://home.test", "http:/home.test", "/home.test", "@home.test/@me", "acct:me/x", "ftp://home.test", "https://", "https:///", "https:///@me", "https://me@home.test/", "https://me:x@home.test/@me",
		"https://home.test\\@evil.test/", "https://home.test/%0d%0a", "https://home.test/\n", "https://other.test/@me@", "https://other.test/@me@a@b",
		"me@[::1]", "https://[::1]/", "me@home.test:99999999", "me@home.test:65536", "me@home.test:", "me@home.test:80x", "me@home.test:0443", "me@home%2etest", "<b>@home.test",
		"me@home.test\x00", "me@\xff", "me@a..b", "me@..", ".", "..", "x:y@home.test", strings.Repeat("a", 65) + "@home.test", strings.Repeat("a", 10<<10),
		"me@" + strings.Repeat("a.", 300) + "test", "https://home.test/" + strings.Repeat("x", 4<<10)} {
		if got, err := ParseAccount(text); !errors.Is(err, ErrNoAccount) || got != (Account{}) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

// FuzzParseAccount: whatever is typed, what comes out is an account that reads as itself, at a host to which a request may go.
func FuzzParseAccount(f *testing.F) {
	for _, text := range []string{"@me@home.test", "acct:me@home.test:8443", "https://other.test/@me@bücher.test", "home.test", "me@[::1]", "home.test:" + strings.Repeat("0", 1000) + "80"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ParseAccount(text)
		if err != nil {
			return
		}
		if again, err := ParseAccount(strings.TrimPrefix(a.User+"@"+a.Host, "@")); err != nil || again != a {
			t.Errorf("%q is %+v, which is %+v, %v", text, a, again, err)
		}
		if u, err := parse(a.asked("https", Get{}).URL); err != nil || u.Host != a.Host {
			t.Errorf("%q is asked about at %s: %v", text, a.asked("https", Get{}).URL, err)
		}
	})
}

// On this machine servers speak either scheme; what they answer is what the one that they speak does.
func TestWebFinger(t *testing.T) {
	says := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("resource") != "acct:me@"+r.Host {
			w.WriteHeader(http.StatusBadRequest)
		}
		io.WriteString(w, r.URL.Path)
	}
	open, secure := serve(t, says), httptest.NewUnstartedServer(http.HandlerFunc(says))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	c := New(Options{AllowPrivate: true})
	c.transport.(*http.Transport).TLSClientConfig = secure.Client().Transport.(*http.Transport).TLSClientConfig
	for _, server := range []string{open.URL, secure.URL} {
		u, err := parse(server)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := c.WebFinger(t.Context(), Account{"me", u.Host}, Get{})
		if err != nil || string(doc.Body) != "/.well-known/webfinger" || !strings.HasPrefix(doc.URL, server) {
			t.Errorf("%s: %v %v", server, doc, err)
		}
		_, err = c.WebFinger(t.Context(), Account{"", u.Host}, Get{})
		if e := fails(t, err, Status); e.Status != http.StatusBadRequest || !strings.HasPrefix(e.URL, server) {
			t.Errorf("%s: %v", server, err)
		}
	}
}

// A server that has nothing at port 80 is not taken for one that is down.
func TestWebFingerOfDefaultPorts(t *testing.T) {
	for _, private := range []bool{true, false} {
		var asked []string
		c := New(Options{AllowPrivate: private, Transport: memory(func(r *http.Request) (*http.Response, error) {
			asked = append(asked, r.URL.Scheme)
			if r.URL.Scheme == "http" {
				return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
			}
			return answer(http.StatusOK, "{}"), nil
		})})
		for range 2 {
			if _, err := c.WebFinger(t.Context(), Account{"me", "good.test"}, Get{}); err != nil {
				t.Error(err)
			}
		}
		want := []string{"https", "https"}
		if private { // and is not asked there again soon
			want = []string{"http", "https", "https"}
		}
		if !slices.Equal(asked, want) {
			t.Errorf("asked by %v, want %v", asked, want)
		}
	}
}
