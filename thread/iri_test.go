package thread

import (
	"strings"
	"testing"
)

func TestParseIRI(t *testing.T) {
	for in, want := range map[string]IRI{
		"https://a.example/x":                            "https://a.example/x",
		"HTTPS://A.Example/X?Y=Z#f":                      "https://a.example/X?Y=Z#f",
		"https://a.example":                              "https://a.example",
		"https://a.example?c=148":                        "https://a.example?c=148",
		"http://localhost:8080/":                         "http://localhost:8080/",
		"https://[::1]/":                                 "https://[::1]/",
		"":                                               "",
		"a.example/x":                                    "",
		"ftp://a.example/":                               "",
		"javascript:alert(1)":                            "",
		"https:///x":                                     "",
		"https://user@a.example/":                        "",
		"https://a.example/ x":                           "",
		"https://a.example/\x00":                         "",
		"https://a.example/%0d%0aX":                      "",
		"https://a.example/\\x":                          "",
		"https://a.example/\u009b1m":                     "",
		"https://a.example/\u202ex":                      "",
		"https://a.example/\u2028x":                      "",
		"https://a.example/ü\u200cx":                     "https://a.example/ü\u200cx",
		"https://a.example/" + strings.Repeat("x", 2048): "",
	} {
		if got, err := ParseIRI(in); got != want || (err == nil) == (want == "") {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
}

func TestSameOrigin(t *testing.T) {
	for _, c := range []struct {
		a, b IRI
		want bool
	}{
		{"https://a.example/x", "https://a.example:443/y", true},
		{"https://a.example/x", "https://A.example./y", true},
		{"https://a.example/x", "http://a.example/x", false},
		{"https://a.example/x", "https://a.example:8443/x", false},
		{"https://a.example/x", "https://b.a.example/x", false},
		{"https://a.example/x", "https://a.example.evil.example/x", false},
		{"", "", false},
	} {
		if got := SameOrigin(c.a, c.b); got != c.want {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
	}
}

func TestCanonicalURL(t *testing.T) {
	const want = "blog.example/2026/a"
	for _, spelling := range []string{"https://blog.example/2026/a/", "http://www.blog.example/2026/a", "https://BLOG.example:443/2026/a/#top",
		"https://blog.example/2026/a/?utm_source=x&fbclid=y", "https://blog.example/2026/a/index.html", " https://blog.example/2026/a/ "} {
		if got := CanonicalURL(spelling); got != want {
			t.Errorf("%s: %s", spelling, got)
		}
	}
	for url, want := range map[string]string{"https://blog.example/?p=1&utm_medium=z": "blog.example?p=1", "https://blog.example/?p=2": "blog.example?p=2",
		"https://blog.example/A": "blog.example/A", "mailto:a@blog.example": "", "/2026/a": "", "https://blog.example": "blog.example"} {
		if got := CanonicalURL(url); got != want {
			t.Errorf("%s: %q, want %q", url, got, want)
		}
	}
}

func TestNoteID(t *testing.T) {
	for _, c := range []struct {
		base, page string
		times      int
		want       IRI
	}{
		{"https://c.example", "https://blog.example/2009/07/06/slug/", 1, "https://c.example/posts/2009/07/06/slug/"},
		{"https://blog.example/.ap", "https://blog.example/a", 2, "https://blog.example/.ap/posts/a~2"},
		{"https://c.example", "https://blog.example/?p=1&utm_source=x", 1, "https://c.example/posts/?p=1"},
		{"https://c.example", "https://blog.example", 1, "https://c.example/posts/"},
		{"https://c.example", "https://blog.example/ü/%C3%BC", 1, "https://c.example/posts/%C3%BC/%C3%BC"},
	} {
		if got, err := NoteID(c.base, c.page, c.times); got != c.want || err != nil {
			t.Errorf("%s: %s, %v", c.page, got, err)
		}
	}
}

func FuzzIRI(f *testing.F) {
	f.Add("https://A.example:443/x?y#z")
	f.Add("http://[::1%25eth0]/")
	f.Add("http://" + strings.Repeat("\x8e", MaxIRI/2) + "/")
	f.Add("http://" + strings.Repeat("Ⱥ", MaxIRI/2-10) + "/")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := ParseIRI(s)
		if err != nil {
			return
		}
		if again, err := ParseIRI(string(id)); err != nil || again != id {
			t.Errorf("%q is %q is %q, %v", s, id, again, err)
		}
		if id.Origin() == "" || id.Host() == "" || !SameOrigin(id, id.WithoutFragment()) {
			t.Errorf("%q has origin %q", id, id.Origin())
		}
		CanonicalURL(s)
		PathOf(s) //nolint:errcheck // it must only not panic
	})
}

func TestSameSite(t *testing.T) {
	for _, x := range []struct {
		a, b string
		want bool
	}{
		{"https://blog.test/a", "http://WWW.blog.test/", true},
		{"https://blog.test:443/a", "https://blog.test", true},
		{"https://blog.test:8443/a", "https://blog.test", false},
		{"https://a.blog.test/", "https://blog.test", false},
		{"https://blog.test.evil.test/", "https://blog.test", false},
		{"blog.test", "blog.test", false},
		{"", "", false},
	} {
		if got := SameSite(x.a, x.b); got != x.want {
			t.Errorf("%s and %s: %v", x.a, x.b, got)
		}
	}
}
