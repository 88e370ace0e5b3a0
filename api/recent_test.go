package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"afterword/storage"
	"afterword/thread"
)

// TestRecent: what came last of all threads, newest first; what is not shown in them is not here either.
func TestRecent(t *testing.T) {
	s := newSite(t, func(c *Config) { c.Owner = "@alice@remote.example" })
	p, q := s.post("p", storage.Draft{Title: "P & Q"}), s.post("q", storage.Draft{})
	a := s.person("alice", "Alice")
	s.comment(p, thread.Comment{ID: id(1), Author: a, HTML: "<p>First</p>", Lang: "en"})
	s.comment(q, thread.Comment{ID: id(2), Author: a, HTML: "<p>Second</p>", Warning: "Careful"})
	s.verdict(p, &thread.Comment{ID: id(3), Author: a, HTML: "<p>Waits</p>"}, thread.Held)
	ids := func(query string) (found string) {
		t.Helper()
		answer, text := s.get("/api/v1/recent" + query)
		var out struct{ Comments []recentJSON }
		s.must(json.Unmarshal([]byte(text), &out))
		if h := answer.Header; h.Get("Access-Control-Allow-Origin") != "*" || h.Get("ETag") == "" || h.Get("Content-Type") != "application/json" {
			t.Error(h)
		}
		for _, c := range out.Comments {
			found += fmt.Sprint(c.ID[len(c.ID)-1:], " ", c.Permalink, " ", c.Post.Title, " ", c.Author.Name, c.Author.Owner, c.HTML, ";")
		}
		return found
	}
	first := "1 " + p.URL + "#" + id(1).Anchor() + " P & Q Alicetrue<p>First</p>;"
	second := "2 " + q.URL + "#" + id(2).Anchor() + "  Alicetrue<p>Second</p>;"
	for query, want := range map[string]string{"": second + first, "?limit=1": second, "?limit=1000": second + first} {
		if got := ids(query); got != want {
			t.Errorf("%q: %s", query, got)
		}
	}
	answer, _ := s.get("/api/v1/recent")
	if same, _ := s.get("/api/v1/recent", "If-None-Match", answer.Header.Get("ETag")); same.StatusCode != http.StatusNotModified {
		t.Error(same.Status)
	}
	s.must(s.DB.DeleteComment(t.Context(), storage.Message{}, id(2), thread.Verdict{Decision: thread.Done}))
	if got := ids(""); got != first {
		t.Error("after a deletion:", got)
	}
	if answer, text := s.get("/api/v1/recent?limit=x"); answer.StatusCode != http.StatusBadRequest || !strings.Contains(text, "bad_limit") {
		t.Error(answer.Status, text)
	}
	if _, text := newSite(t, nil).get("/api/v1/recent"); text != `{"comments":[]}`+"\n" {
		t.Error(text)
	}
}
