package fetch

import (
	"errors"
	"strings"
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
		"//home.test", "http://home.test", "ftp://home.test", "https://", "https:///", "https:///@me", "https://me@home.test/", "https://me:x@home.test/@me",
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
		if u, err := parse(a.WebFinger("https").URL); err != nil || u.Host != a.Host {
			t.Errorf("%q is asked about at %s: %v", text, a.WebFinger("https").URL, err)
		}
	})
}
