package sanitize

import (
	"strings"
	"testing"
)

func TestLink(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"https://example.com", "https://example.com"},
		{" HTTPS://Example.COM:8443/A?b=c#d\n", "https://example.com:8443/A?b=c#d"},
		{"http://example.com/?p=1&q=%zz%41", "http://example.com/?p=1&q=%25zz%41"},
		{"https://münchen.de/ä b", ""},
		{"https://münchen.de/ä\"<>`", "https://xn--mnchen-3ya.de/%C3%A4%22%3C%3E%60"},
		{"https://раypal.com", "https://xn--ypal-43d9g.com"},
		{"https://☃.example/", "https://xn--n3h.example/"},
		{"https://under_score.example/", "https://under_score.example/"},
		{"https://[2001:DB8::1]:80/", "https://[2001:db8::1]:80/"},
		{"https://127.0.0.1/", "https://127.0.0.1/"},
		{"https://[::1%25eth0]/", ""},
		{"https://[::1", ""},
		{"https://a:b/", ""},
		{"https:///path", ""},
		{"https://./", ""},
		{"https://user@example.com/", ""},
		{"https://user:pw@example.com/", ""},
		{"https://example.com\\@evil.example/", ""},
		{"https://exam%70le.com/", ""},
		{"https://example.com/\u202egpj", ""},
		{"https://example.com/\x00", ""},
		{"https://example.com/a\tb", ""},
		{"//example.com/", ""},
		{"/path", ""},
		{"example.com", ""},
		{"https:example.com", ""},
		{"javascript://example.com/%0aalert(1)", ""},
		{"data:text/html,x", ""},
		{"mailto:a@b.example", ""},
		{"", ""},
		{"https://example.com/" + strings.Repeat("a", maxLink-20), "https://example.com/" + strings.Repeat("a", maxLink-20)},
		{"https://example.com/" + strings.Repeat("a", maxLink-19), ""},
		{"https://example.com/" + strings.Repeat("ä", 400), ""}, // too long once encoded
		{"https://" + strings.Repeat("a", 254) + "/", ""},
	} {
		got := Link(c.in)
		if got != c.want {
			t.Errorf("Link(%.80q) = %.80q, want %.80q", c.in, got, c.want)
		}
		if got != "" && Link(got) != got {
			t.Errorf("no fixed point: %q, then %q", got, Link(got))
		}
	}
}
