package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// apiClient is a program of the blogger's that uses the API with a token.
type apiClient struct {
	*stage
	token string
}

// call asks for something and returns the status with the answer's members.
func (a *apiClient) call(method, path, body string) (int, map[string]any) {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.ctx, method, a.base+"/api/v1/"+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Origin", "https://evil.test")
	if a.token != "" {
		req.Header.Set("Authorization", a.token)
	}
	resp, err := a.http.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	for name := range resp.Header {
		if strings.HasPrefix(name, "Access-Control-") {
			a.t.Errorf("%s %s sends %s", method, path, name)
		}
	}
	text, err := io.ReadAll(resp.Body)
	out := map[string]any{}
	if err == nil && len(text) > 0 {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		a.t.Fatalf("%s %s: %s: %v", method, path, text, err)
	}
	return resp.StatusCode, out
}

// must expects a status, and the code of an error.
func (a *apiClient) must(method, path, body string, status int, code string) map[string]any {
	a.t.Helper()
	got, out := a.call(method, path, body)
	said, _ := out["error"].(string)
	if message, _ := out["message"].(string); got != status || said != code || (code == "") != (message == "") {
		a.t.Errorf("%s %s %.100s: %d %v, want %d %s", method, path, body, got, out, status, code)
	}
	return out
}

func TestBloggersAPI(t *testing.T) {
	s, c := inMemory(t, "[comments]\nmoderation = \"all\"\n")
	s.must(s.alpha.Person("alice").Follow(s.ctx, s.base+"/actor"))
	a := &apiClient{s, "bearer " + s.afterword("token", "add", "site builder")}
	page := s.blog + "a/"

	draft := fmt.Sprintf(`{"url":%q,"title":"A <b>","summary":"Rain & frogs.","tags":["rain"],"lang":"de","warning":"Frogs","unlisted":true,
		"pictures":[{"url":"frog.jpg","alt":"A frog"}]}`, page)
	post := a.must("PUT", "posts", draft, 200, "")
	if post["id"] != s.base+"/posts/a/" || post["state"] != "moderated" {
		t.Error(post)
	}
	note := s.expectReceived(s.alpha, "Create", 1)[0].Activity["object"].(map[string]any)
	picture := note["attachment"].([]any)[0].(map[string]any)
	if note["summary"] != "Frogs" || note["to"].([]any)[0] != s.base+"/followers" || picture["url"] != page+"frog.jpg" || picture["mediaType"] != "image/jpeg" || picture["name"] != "A frog" {
		t.Errorf("%v", note)
	}
	a.must("PUT", "posts", draft, 200, "")
	a.must("PUT", "posts", strings.Replace(draft, "Frogs", "Toads", 1), 200, "")
	s.expectReceived(s.alpha, "Update", 1)

	comment := s.must(s.alpha.Person("alice").Reply(s.ctx, post["id"].(string), "Hello."))
	other := s.must(s.alpha.Person("alice").Reply(s.ctx, post["id"].(string), "Me again."))
	s.settle()
	pending := a.must("GET", "comments?state=pending&limit=1", "", 200, "")["comments"].([]any)
	if len(pending) != 1 || pending[0].(map[string]any)["state"] != "pending" {
		t.Error(pending)
	}
	if got := a.must("POST", "comments/approve", fmt.Sprintf(`{"id":%q}`, comment), 200, ""); got["state"] != "visible" {
		t.Error(got)
	}
	a.must("POST", "comments/approve", fmt.Sprintf(`{"id":%q}`, other), 200, "")
	s.expect(page, "moderated: 2 comments, 0 likes, 0 boosts, 0 late", "@alice Hello.", "@alice Me again.")
	a.must("POST", "comments/hide", fmt.Sprintf(`{"id":%q}`, other), 200, "")
	a.must("POST", "comments/remove", fmt.Sprintf(`{"id":%q}`, other), 204, "")

	of := fmt.Sprintf(`{"url":%q}`, page)
	branch := fmt.Sprintf(`{"url":%q,"branch":%q}`, page, comment)
	a.must("POST", "posts/close", branch, 200, "")
	a.must("POST", "posts/close", branch, 409, "already_closed")
	a.must("POST", "posts/reopen", branch, 200, "")
	a.must("POST", "posts/reopen", branch, 409, "already_open")
	if got := a.must("POST", "posts/close", fmt.Sprintf(`{"url":%q,"at":"3d"}`, page), 200, ""); got["closes_at"] != c.now().Add(72*time.Hour).UTC().Format(time.RFC3339) {
		t.Error(got)
	}
	if got := a.must("POST", "posts/close", of, 200, ""); got["state"] != "closed" {
		t.Error(got)
	}
	a.must("POST", "posts/close", of, 409, "already_closed")
	a.must("POST", "posts/reopen", of, 200, "")
	a.must("POST", "posts/reopen", of, 409, "already_open")

	a.must("DELETE", "posts?url="+page, "", 204, "")
	s.expectReceived(s.alpha, "Delete", 1)
	a.must("DELETE", "posts?url="+page, "", 404, "unknown_post")
}

// What is wrong has a code, and nothing else happens.
func TestBloggersAPIRefuses(t *testing.T) {
	s, c := inMemory(t, "")
	secret := s.afterword("token", "add", "x")
	a := &apiClient{stage: s}
	for _, token := range []string{"", secret, "Basic " + secret, "Bearer", "Bearer ", "Bearer " + secret[:len(secret)-1], "Bearer " + secret + "x", "Bearer afterword_"} {
		a.token = token
		a.must("PUT", "posts", "{}", 401, "unauthorized")
		a.must("GET", "comments", "", 401, "unauthorized")
		a.must("POST", "comments/remove", `{"id":"x"}`, 401, "unauthorized")
	}
	a.token = "Bearer " + secret
	for _, x := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"PUT", "posts", ``, 400, "bad_json"},
		{"PUT", "posts", `[]`, 400, "bad_json"},
		{"PUT", "posts", `{"url":"https://blog.test/a/","title":"A"} {}`, 400, "bad_json"},
		{"PUT", "posts", `{"url":"https://blog.test/a/","title":"A","sumary":"typo"}`, 400, "bad_json"},
		{"PUT", "posts", `{"title":"A"}`, 400, "incomplete"},
		{"PUT", "posts", `{"url":"https://blog.test/a/","title":" "}`, 400, "incomplete"},
		{"PUT", "posts", `{"url":"https://elsewhere.test/a/","title":"A"}`, 400, "not_on_blog"},
		{"PUT", "posts", `{"url":"https://blog.test:444/a/","title":"A"}`, 400, "not_on_blog"},
		{"PUT", "posts", `{"url":"javascript:alert(1)","title":"A"}`, 400, "not_on_blog"},
		{"PUT", "posts", `{"url":"https://blog.test/a/","title":"A","published":"soon"}`, 400, "bad_time"},
		{"PUT", "posts", `{"url":"https://blog.test/a/","title":"A","pictures":[{"url":"data:image/png,x"}]}`, 400, "bad_picture"},
		{"PUT", "posts", `{"url":"https://blog.test/a/","title":"A","pictures":[{"url":"x","type":"text/html"}]}`, 400, "bad_picture"},
		{"PUT", "posts", `{"url":"https://blog.test/a/","title":"A","pictures":[{},{},{},{},{}]}`, 400, "too_many"},
		{"PUT", "posts", `{"url":"https://blog.test/a/","title":"` + strings.Repeat("A", 1<<20) + `"}`, 413, "too_large"},
		{"POST", "posts/close", `{"url":"https://blog.test/none/"}`, 404, "unknown_post"},
		{"POST", "posts/close", `{"url":"https://blog.test/b/","at":"2009-07-06"}`, 400, "bad_time"},
		{"POST", "posts/close", `{"url":"https://blog.test/b/","branch":"https://x.test/1"}`, 404, "unknown_comment"},
		{"POST", "comments/hide", `{"id":"https://x.test/1"}`, 404, "unknown_comment"},
		{"GET", "comments?state=odd", ``, 400, "bad_state"},
		{"GET", "comments?limit=0", ``, 400, "bad_limit"},
		{"GET", "comments?post=https://blog.test/none/", ``, 404, "unknown_post"},
		{"DELETE", "posts", ``, 404, "unknown_post"},
	} {
		s.afterword("post", "add", "-url", s.blog+"b/", "-title", "B", "-quiet")
		a.must(x.method, x.path, x.body, x.status, x.code)
	}
	if got := s.afterword("post", "list"); strings.Count(got, "\n") != 0 {
		t.Error(got)
	}

	first := s.afterword("token", "list")
	c.advance(30 * time.Minute)
	a.must("GET", "comments", "", 200, "")
	if again := s.afterword("token", "list"); again != first || !strings.Contains(first, "used 20") || strings.Contains(first, secret) {
		t.Errorf("%s\n%s", first, again)
	}
	c.advance(31 * time.Minute)
	a.must("GET", "comments", "", 200, "")
	if again := s.afterword("token", "list"); again == first {
		t.Error(again)
	}
	s.afterword("token", "revoke", "x")
	a.must("GET", "comments", "", 401, "unauthorized")
}

// TestPostSync: a deploy hook need not wait for the next visit.
func TestPostSync(t *testing.T) {
	s, _, b := withSite(t, "", sitePost{path: "a/", title: "A", at: time.Now().AddDate(-1, 0, 0)})
	s.must(s.alpha.Person("alice").Follow(s.ctx, s.base+"/actor"))
	if got := s.afterword("post", "sync"); !strings.HasPrefix(got, "1 new, of which 0 are sent;") {
		t.Error(got)
	}
	b.posts = append(b.posts, sitePost{path: "b/", title: "B", at: time.Now().AddDate(-2, 0, 0)})
	if got := s.afterword("post", "sync", "-send", "-json"); !strings.Contains(got, `"sent": 1`) {
		t.Error(got)
	}
	s.expectReceived(s.alpha, "Create", 1)
}
