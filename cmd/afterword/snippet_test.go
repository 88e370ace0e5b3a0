package main

import (
	"crypto/sha512"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestSnippet: the printed lines name the post's id, also the one that it got when its page came back, and the hash of
// the script that the server serves.
func TestSnippet(t *testing.T) {
	s, c := inMemory(t, "")
	page := s.blog + "2026/a&b/"
	got := s.afterword("snippet", page)
	for _, want := range []string{`<link rel="canonical" href="` + s.blog + `2026/a&amp;b/">`, `href="` + s.base + `/posts/2026/a&amp;b/">`,
		`src="` + s.base + `/embed.js"></script>`, `/t?url=https%3A%2F%2F`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in\n%s", want, got)
		}
	}
	s.afterword("post", "add", "-url", page, "-title", "A")
	s.afterword("post", "remove", page)
	s.settle()
	c.advance(time.Minute)
	id := s.afterword("post", "add", "-url", page, "-title", "A")
	resp, err := s.http.Get(s.base + "/embed.js")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	hash := sha512.New384()
	if _, err := io.Copy(hash, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status, err)
	}
	got = s.afterword("snippet", "-sri", page)
	if want := ` integrity="sha384-` + base64.StdEncoding.EncodeToString(hash.Sum(nil)) + `" crossorigin></script>`; !strings.Contains(got, want) {
		t.Errorf("%s is not in\n%s", want, got)
	}
	if !strings.HasSuffix(strings.TrimSpace(id), "~2") || !strings.Contains(got, "~2") {
		t.Errorf("%s is not named in\n%s", id, got)
	}
}
