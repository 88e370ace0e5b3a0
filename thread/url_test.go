package thread

import (
	"strings"
	"testing"
)

// FuzzPage: a page has one spelling, which is spelled the same; its Note's id is an id of ours that leads back to it.
func FuzzPage(f *testing.F) {
	for _, s := range []string{"https://www.Example.com:443/a/index.html?utm_source=x&p=1#top", "http://example.com", "https://example.com//a/../b/", "https://example.com/%7Ea/?a=%20&&b",
		"https://[::1]:8080/", "https://example.com/?fbclid=1&gclid=2&_ga=3", "https://münchen.example/ü"} {
		f.Add(s)
	}
	f.Add("https://example.com/" + strings.Repeat("é", MaxIRI/4))
	f.Add("https://example.com/?x &utm_source=y")
	f.Add("https://example.com/?x& #y")
	f.Add("https://%c2%a0/")
	f.Add("https://%ff/")
	f.Add("https://a../")
	f.Add("https://[fe80::1%25eth0]/x")
	const base = "https://comments.example.com"
	f.Fuzz(func(t *testing.T, s string) {
		if key := CanonicalURL(s); key != "" {
			if again := CanonicalURL("https://" + key); again != key && !strings.HasPrefix(key, "www.") && !strings.Contains(key, "index.") && !strings.Contains(key, ":") {
				t.Errorf("%q is %q is %q", s, key, again)
			}
			if strings.ContainsAny(key, "\r\n#") {
				t.Errorf("%q is %q", s, key)
			}
		}
		id, err := NoteID(base, s, 1)
		if err != nil {
			if id != "" {
				t.Errorf("%q has the id %q with %v", s, id, err)
			}
			return
		}
		path, err := PathOf(s)
		if err != nil || !strings.HasPrefix(path, "/") || string(id) != base+"/posts"+path || !SameOrigin(id, base) {
			t.Errorf("%q has the path %q and the id %q, %v", s, path, id, err)
		}
		if again, err := PathOf("https://blog.example" + path); err != nil || again != path {
			t.Errorf("%q has the path %q, and that %q, %v", s, path, again, err)
		}
	})
}
