package api

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"afterword/storage"
	"afterword/thread"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := "testdata/" + name
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test ./api -update writes it anew):\n%s", file, got)
	}
}

// debate is a closed thread in which everything occurs.
func debate(t *testing.T) (*site, thread.Post) {
	s := newSite(t, func(c *Config) {
		c.Base, c.Owner = "https://comments.example", "@me@remote.example"
	})
	ctx, done := context.Background(), thread.Verdict{Decision: thread.Done}
	p := s.post("debate", storage.Draft{Title: "Old & <new>", Lang: "en-US", Summary: "<p>What it is about.</p>"})
	alice, bob, me := s.person("alice", "Alice"), s.person("bob", `Bob "<b>" & Co`), s.person("me", "The Blogger")
	robot := thread.Author{ID: "https://bots.example/robot", Handle: "@robot@bots.example", URL: "https://bots.example/@robot",
		Avatar: "https://bots.example/robot.png", Bot: true}
	s.save(robot)
	walter := thread.Author{ID: "https://blog.example/people/walter", Name: "Walter"}
	s.save(walter)

	s.comment(p, thread.Comment{ID: id(1), Author: alice, Lang: "en", HTML: `<p>First &amp; <a href="https://a.example/?x=1&amp;y=2" rel="nofollow ugc noopener noreferrer">best</a></p>`})
	s.comment(p, thread.Comment{ID: id(2), Parent: id(1), Author: me, HTML: "<p>Thank you.</p>", Edited: s.now().Add(time.Hour)})
	s.comment(p, thread.Comment{ID: id(3), Parent: id(2), Author: bob, Warning: "Spoilers", HTML: "<p>The butler.</p>"})
	s.comment(p, thread.Comment{ID: id(4), Author: bob, HTML: "<p>I take this back.</p>"})
	s.comment(p, thread.Comment{ID: id(5), Parent: id(4), Author: alice, Lang: "de", HTML: "<p>Schade.</p>"})
	s.must(s.DB.DeleteComment(ctx, storage.Message{}, id(4), done))
	s.comment(p, thread.Comment{ID: id(6), Author: robot, HTML: "<p>Beep.</p>"})
	s.comment(p, thread.Comment{ID: id(7), Parent: id(6), Author: alice, HTML: "<p>Deleted, without replies: gone.</p>"})
	s.must(s.DB.DeleteComment(ctx, storage.Message{}, id(7), done))
	s.comment(p, thread.Comment{ID: id(8), Author: bob, HTML: "<p>secret: hidden by the blogger</p>"})
	s.must(s.DB.Moderate(ctx, id(8), thread.Hidden))
	s.comment(p, thread.Comment{ID: id(9), Parent: id(8), Author: alice, HTML: "<p>Below what was hidden.</p>"})
	s.comment(p, thread.Comment{ID: "https://blog.example/old#1", Author: walter, Imported: true, HTML: "<p>From 2009.</p>",
		Published: time.Date(2009, 7, 6, 17, 12, 0, 0, time.FixedZone("", 7200))})
	s.must(s.DB.CloseBranch(ctx, id(2), s.now()))
	s.must(s.DB.React(ctx, storage.Message{Sender: alice.ID, Object: p.ID}, storage.Like, done))
	s.must(s.DB.React(ctx, storage.Message{Sender: bob.ID, Object: p.ID}, storage.Boost, done))
	s.must(s.DB.CloseThread(ctx, p.ID, s.now()))
	s.verdict(p, &thread.Comment{ID: id(10), Author: alice, HTML: "<p>secret: late</p>"}, thread.TooLate)
	s.verdict(p, &thread.Comment{ID: id(11), Author: alice, HTML: "<p>secret: held</p>"}, thread.Held)
	return s, p
}

func TestThreadJSON(t *testing.T) {
	s, p := debate(t)
	for _, ask := range []string{"url=" + p.URL, "id=" + string(p.ID), "url=" + string(p.ID), "url=http://www.blog.example/debate?utm_source=x%23top"} {
		answer, text := s.get("/api/v1/thread?" + ask)
		if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "application/json" {
			t.Fatal(ask, answer.Status, answer.Header)
		}
		golden(t, "thread.json", strings.ReplaceAll(text, `},{"id"`, "},\n{\"id\""))
	}
}

// TestContract holds names, order and types of the fields against CONTRACT.md.
func TestContract(t *testing.T) {
	s, p := debate(t)
	_, text := s.get("/api/v1/thread?url=" + p.URL)
	shape := map[string]string{
		"":                "post comments next",
		"post":            "id url title published state closes_at closed_at comments likes boosts late",
		"comments":        "id url parent depth author html warning lang published edited deleted imported closed replies likes boosts",
		"comments.author": "id name handle url avatar bot owner",
	}
	d := json.NewDecoder(strings.NewReader(text))
	var walk func(path string)
	walk = func(path string) {
		start, err := d.Token()
		s.must(err)
		var fields []string
		for start == json.Delim('{') && d.More() {
			field, _ := d.Token()
			fields = append(fields, field.(string))
			walk(strings.TrimPrefix(path+"."+field.(string), "."))
		}
		for start == json.Delim('[') && d.More() {
			walk(path)
		}
		if _, nested := start.(json.Delim); nested {
			d.Token() //nolint:errcheck // the closing one
		}
		if start == json.Delim('{') && strings.Join(fields, " ") != shape[path] {
			t.Errorf("%q has the fields %q, want %q", path, fields, shape[path])
		}
	}
	walk("")
	if strings.Contains(text, "secret") || strings.Contains(text, "robot.png") {
		t.Error("something is shown that must not be")
	}
}

// TestTree: parents stand before their replies, depth counts the steps, replies counts the shown ones.
func TestTree(t *testing.T) {
	s, p := debate(t)
	comments := s.thread(p, "").Comments
	depth := map[string]int{}
	replies := map[string]int{}
	for _, c := range comments {
		if c.Parent != nil {
			above, known := depth[*c.Parent]
			if !known || c.Depth != above+1 {
				t.Errorf("%s stands wrong below %s", c.ID, *c.Parent)
			}
			replies[*c.Parent]++
		} else if c.Depth != 0 {
			t.Errorf("%s: depth %d at top level", c.ID, c.Depth)
		}
		depth[string(c.ID)] = c.Depth
	}
	for _, c := range comments {
		if c.Replies != replies[string(c.ID)] {
			t.Errorf("%s: %d replies, want %d", c.ID, c.Replies, replies[string(c.ID)])
		}
	}
}

// thread reads a thread as JSON.
func (s *site) thread(p thread.Post, more string) (t threadJSON) {
	s.Helper()
	answer, text := s.get("/api/v1/thread?id=" + url.QueryEscape(string(p.ID)) + more)
	if answer.StatusCode != 200 {
		s.Fatal(answer.Status, text)
	}
	s.must(json.Unmarshal([]byte(text), &t))
	return t
}

func TestPaging(t *testing.T) {
	s := newSite(t, nil)
	p := s.post("long", storage.Draft{})
	a := s.person("a", "A")
	at := s.now() // the same for all: the id decides
	for i := range 10 {
		s.comment(p, thread.Comment{ID: id(i), Author: a, Published: at})
		s.comment(p, thread.Comment{ID: id(100 + i), Parent: id(i), Author: a, Published: at})
	}
	for _, sort := range []string{"oldest", "newest"} {
		whole := s.thread(p, "&sort="+sort)
		if len(whole.Comments) != 20 || whole.Next != nil {
			t.Fatal(sort, len(whole.Comments), whole.Next)
		}
		var pieced []commentJSON
		for cursor := ""; ; {
			part := s.thread(p, "&limit=3&sort="+sort+"&cursor="+cursor)
			pieced = append(pieced, part.Comments...)
			if part.Next == nil {
				break
			}
			cursor = *part.Next
			if cursor != "" && len(pieced) == 6 { // what comes or goes meanwhile moves nothing
				s.must(s.DB.Moderate(context.Background(), pieced[5].ID, thread.Hidden))
				s.must(s.DB.Moderate(context.Background(), pieced[4].ID, thread.Hidden))
			}
		}
		same := slices.EqualFunc(whole.Comments, pieced, func(a, b commentJSON) bool { return a.ID == b.ID })
		if !same {
			t.Error(sort, "the parts are not the whole")
		}
		for _, c := range whole.Comments[4:6] {
			s.must(s.DB.Moderate(context.Background(), c.ID, thread.Visible))
		}
	}
	if first, last := s.thread(p, "").Comments[0].ID, s.thread(p, "&sort=newest").Comments[0].ID; first != id(0) || last != id(9) {
		t.Error(first, last)
	}
}

// TestPagingInside: however a thread is grown, its parts are bounded and make the whole; a part that goes on within a
// branch knows what stands above it.
func TestPagingInside(t *testing.T) {
	at := func(i int) time.Time { return noon.Add(time.Duration(i/3) * time.Second) }
	for name, parent := range map[string]func(int) int{
		"chain": func(i int) int { return i - 1 },
		"bush":  func(i int) int { return 0 },
		"wild":  func(i int) int { return i*i%i - i%97*i/500 },
		"wide":  func(i int) int { return -1 },
	} {
		var comments []thread.Comment
		for i := range 7000 {
			c := thread.Comment{ID: id(i), Published: at(i), Received: at(i), State: thread.Visible}
			if i > 0 && parent(i) >= 0 {
				c.Parent = id(parent(i))
			}
			comments = append(comments, c)
		}
		for _, order := range []thread.Order{thread.Oldest, thread.Newest} {
			all := thread.Arrange(comments)
			whole := all.List()
			if order == thread.Newest {
				whole = nil
				for _, top := range slices.Backward(all.Top()) {
					for n := range top.Branch() {
						whole = append(whole, n.Placed)
					}
				}
			}
			q := query{view: asPage, order: order}
			for seen, n := 0, 0; ; n++ {
				p := q.part(thread.Post{}, all, noon)
				if p.len() == 0 || p.len() > maxPaged || n > 7000 {
					t.Fatal(name, order, "a part of", p.len())
				}
				for c := range p.steps(none) {
					if c.ID != whole[seen].ID || c.Depth > 0 && c.parent.ID != c.Parent {
						t.Fatal(name, order, seen, c.ID, "instead of", whole[seen].ID)
					}
					seen++
				}
				if p.next == "" {
					if seen != len(whole) {
						t.Error(name, order, seen)
					}
					break
				}
				var err error
				if q.after, err = parseCursor(p.next); err != nil || len(p.next) > maxCursor {
					t.Fatal(err, len(p.next))
				}
			}
		}
	}
}

// TestGoesOnWithin: a page that goes on within a branch begins with what stands above, and its lists are whole.
func TestGoesOnWithin(t *testing.T) {
	s := newSite(t, nil)
	var comments []thread.Comment
	for i := range maxPaged + 10 {
		c := thread.Comment{ID: id(i), State: thread.Visible, Published: noon, HTML: "<p>x</p>", Author: thread.Author{Name: fmt.Sprint("Author ", i)}}
		if i > 0 {
			c.Parent = id(i - 1)
		}
		comments = append(comments, c)
	}
	comments = append(comments, thread.Comment{ID: id(9000), Parent: id(0), State: thread.Visible, Published: noon.Add(time.Hour)})
	q := query{view: asPage, order: thread.Oldest}
	all := thread.Arrange(comments)
	first := q.part(thread.Post{}, all, noon)
	q.after, _ = parseCursor(first.next)
	rest := q.part(thread.Post{}, all, noon)
	text := string(s.page(nil, q, rest))
	if strings.Count(text, "<ol>") != strings.Count(text, "</ol>") || strings.Count(text, "<li ") != strings.Count(text, "</li>") {
		t.Error("the lists are not whole")
	}
	if n := strings.Count(text, "<li "); n != maxIndent+11 {
		t.Error(n, "comments")
	}
	above, here := fmt.Sprintf(`<li id="%s"`, id(maxPaged-1).Anchor()), fmt.Sprintf(`</article><ol><li id="%s"`, id(maxPaged).Anchor())
	if _, after, found := strings.Cut(text, above); !found || !strings.Contains(after, here) {
		t.Error("the first comment does not stand below the one that it answers")
	}
	_, last, _ := strings.Cut(text, id(9000).Anchor())
	if !strings.Contains(last, "in reply to") || !strings.Contains(last, "Author 0") {
		t.Error("the last one does not say what it answers")
	}
	text = string(s.fragment(nil, q, rest)) // to be put into what is there: as deep as it is, below what is above all
	_, last, _ = strings.Cut(text, id(9000).Anchor())
	if !strings.Contains(text, id(0).Anchor()) || strings.Count(text, "<li ") != maxIndent+11 || strings.Contains(last, "in reply to") {
		t.Error("the fragment does not begin at the top of the branch")
	}
}

// TestCursorOutlives: a cursor within a branch is good when what it names is gone, or even more.
func TestCursorOutlives(t *testing.T) {
	comments := []thread.Comment{
		{ID: id(0), State: thread.Visible}, {ID: id(1), Parent: id(0), Published: noon, State: thread.Visible},
		{ID: id(2), Parent: id(1), Published: noon, State: thread.Visible}, {ID: id(3), Parent: id(1), Published: noon.Add(time.Second), State: thread.Visible},
		{ID: id(4), Parent: id(0), Published: noon.Add(time.Minute), State: thread.Visible}}
	placed := thread.Arrange(comments).List()
	follows := func(last thread.Placed, left ...int) (ids []thread.IRI) {
		var some []thread.Comment
		for _, i := range left {
			some = append(some, comments[i])
		}
		c, err := parseCursor(cursorInside(placed[0], last))
		if err != nil {
			t.Fatal(err)
		}
		for s := range (query{view: asPage, order: thread.Oldest, after: c}).part(thread.Post{}, thread.Arrange(some), noon).steps(none) {
			ids = append(ids, s.ID)
		}
		return ids
	}
	for i := range placed {
		var want []thread.IRI
		for _, p := range placed[i+1:] {
			want = append(want, p.ID)
		}
		if got := follows(placed[i], 0, 1, 2, 3, 4); !slices.Equal(got, want) {
			t.Error("after", i, "follows", got)
		}
	}
	if got := follows(placed[3], 0, 1, 2, 4); !slices.Equal(got, []thread.IRI{id(4)}) {
		t.Error(got, "follows when the last one is gone")
	}
	if got := follows(placed[2], 0, 1, 3, 4); !slices.Equal(got, []thread.IRI{id(3), id(4)}) {
		t.Error(got, "follows when the first one is gone")
	}
	if got := follows(placed[3], 0, 4); !slices.Equal(got, []thread.IRI{id(0), id(4)}) {
		t.Error(got, "follows when the one above is gone too")
	}
	if got := follows(placed[3]); len(got) != 0 {
		t.Error(got, "follows when all are gone")
	}
}

func TestProblems(t *testing.T) {
	s := newSite(t, nil)
	p := s.post("here", storage.Draft{})
	gone := s.post("gone", storage.Draft{})
	s.must(s.DB.RemovePost(context.Background(), gone.ID))
	long := strings.Repeat("x", 9000)
	for ask, want := range map[string]string{
		"/api/v1/thread":                                  `400 {"error":"missing_url"}`,
		"/api/v1/thread?url=":                             `400 {"error":"missing_url"}`,
		"/api/v1/thread?url=" + p.URL + "&limit=-1":       `400 {"error":"bad_limit"}`,
		"/api/v1/thread?url=" + p.URL + "&limit=1e9":      `400 {"error":"bad_limit"}`,
		"/api/v1/thread?url=" + p.URL + "&limit=1000000":  `400 {"error":"bad_limit"}`,
		"/api/v1/thread?url=" + p.URL + "&sort=best":      `400 {"error":"bad_sort"}`,
		"/api/v1/thread?url=" + p.URL + "&limit=abc":      `400 {"error":"bad_limit"}`,
		"/api/v1/thread?url=" + p.URL + "&cursor=!":       `400 {"error":"bad_cursor"}`,
		"/api/v1/thread?url=" + p.URL + "&cursor=MSAy":    `400 {"error":"bad_cursor"}`,
		"/api/v1/thread?url=" + p.URL + "&cursor=" + long: `400 {"error":"bad_cursor"}`,
		"/api/v1/thread?url=" + gone.URL:                  `404 {"error":"unknown_post"}`,
		"/api/v1/thread?id=" + string(gone.ID):            `404 {"error":"unknown_post"}`,
		"/api/v1/thread?url=https://blog.example/never/":  `404 {"error":"unknown_post"}`,
		"/api/v1/thread?url=../../etc/passwd":             `404 {"error":"unknown_post"}`,
		"/api/v1/thread?url=%00":                          `404 {"error":"unknown_post"}`,
		"/api/v1/thread?url=" + long:                      `404 {"error":"unknown_post"}`,
		"/api/v1/thread?id=" + long:                       `404 {"error":"unknown_post"}`,
		"/embed/thread?url=https://blog.example/never/":   `404 {"error":"unknown_post"}`,
		"/api/v1/counts":                                  `400 {"error":"missing_url"}`,
		"/api/v1/counts?" + strings.Repeat("url=a&", 201): `400 {"error":"too_many_urls"}`,
	} {
		answer, text := s.get(ask)
		if got := fmt.Sprint(answer.StatusCode, " ", strings.TrimSpace(text)); got != want {
			t.Errorf("%.80s: %s, want %s", ask, got, want)
		}
		if answer.Header.Get("Content-Type") != "application/json" || answer.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%.80s: %v", ask, answer.Header)
		}
	}
}

// TestAbsence: nobody learns whether there was a post.
func TestAbsence(t *testing.T) {
	s := newSite(t, nil)
	gone := s.post("gone", storage.Draft{})
	s.get("/t?url=" + gone.URL)
	s.must(s.DB.RemovePost(context.Background(), gone.ID))
	for _, path := range []string{"/t?url=", "/embed/thread?url=", "/api/v1/thread?url=", "/t.atom?url="} {
		removed, removedText := s.get(path + gone.URL)
		never, neverText := s.get(path + "https://blog.example/never/")
		removed.Header.Del("Date")
		never.Header.Del("Date")
		if removed.StatusCode != 404 || removedText != neverText || fmt.Sprint(removed.Header) != fmt.Sprint(never.Header) {
			t.Errorf("%s: %v %s and %v %s", path, removed.Header, removedText, never.Header, neverText)
		}
	}
}

func TestCounts(t *testing.T) {
	s, p := debate(t)
	open := s.post("open", storage.Draft{Lang: "de"})
	_, text := s.get("/api/v1/counts?url=" + p.URL + "&url=" + open.URL + "&url=http://blog.example/debate&url=https://blog.example/never/")
	want := `{"counts":{"http://blog.example/debate":{"comments":7,"state":"closed","label":"7 comments"},` +
		`"https://blog.example/debate/":{"comments":7,"state":"closed","label":"7 comments"},` +
		`"https://blog.example/open/":{"comments":0,"state":"open","label":"0 Kommentare"}}}`
	if strings.TrimSpace(text) != want {
		t.Error(text)
	}
	pages := []string{p.URL, open.URL, "http://blog.example/debate", "https://blog.example/never/"}
	for kind, c := range map[string]struct{ body, want string }{
		"text/plain;charset=UTF-8":          {strings.Join(pages, "\r\n") + "\n", want},
		"application/x-www-form-urlencoded": {url.Values{"url": pages}.Encode(), want},
		"text/plain":                        {strings.Repeat(p.URL+"\n", 200), `{"counts":{"https://blog.example/debate/":{"comments":7,"state":"closed","label":"7 comments"}}}`},
		"text/csv":                          {strings.Repeat("https://blog.example/debate/\n", 5000), `{"error":"too_large"}`},
		"multipart/form-data":               {"", `{"error":"missing_url"}`},
	} {
		answer, err := http.Post(s.url+"/api/v1/counts", kind, strings.NewReader(c.body))
		s.must(err)
		text, err := io.ReadAll(answer.Body)
		if s.must(err); strings.TrimSpace(string(text)) != c.want || answer.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %s", kind, text)
		}
	}
}

func TestOwner(t *testing.T) {
	for _, c := range []struct {
		owner string
		a     thread.Author
		want  bool
	}{
		{"", thread.Author{}, false},
		{"@me@a.example", thread.Author{ID: "https://a.example/1", Handle: "@Me@a.example"}, true},
		{"@me@a.example", thread.Author{ID: "https://a.example/1", Handle: "@me@evil.example", Name: "@me@a.example"}, false},
		{"https://a.example/1", thread.Author{ID: "https://a.example/1"}, true},
		{"https://a.example/@me", thread.Author{ID: "https://a.example/1", URL: "https://a.example/@me"}, true},
		{"https://a.example/@me", thread.Author{ID: "https://evil.example/1", URL: "https://a.example/@me"}, false},
		{"", thread.Author{ID: "https://comments.example/actor"}, true},
	} {
		s := New(Config{Base: "https://comments.example", Owner: c.owner})
		if s.byOwner(c.a) != c.want {
			t.Errorf("%q %v: want %v", c.owner, c.a, c.want)
		}
	}
}

func TestMethods(t *testing.T) {
	s, p := debate(t)
	for _, path := range []string{"/api/v1/thread?url=" + p.URL, "/api/v1/counts?url=" + p.URL, "/t?url=" + p.URL,
		"/embed/thread?url=" + p.URL, "/embed.js", "/style.css", "/healthz", "/readyz", "/t.atom?url=" + p.URL, "/feed.atom"} {
		get, text := s.get(path)
		head, nothing := s.do(http.MethodHead, path)
		if get.StatusCode != 200 || head.StatusCode != 200 || nothing != "" || head.ContentLength != int64(len(text)) {
			t.Error(path, get.Status, head.Status, len(nothing), head.ContentLength)
		}
		method, allowed := http.MethodPost, "GET, HEAD"
		if strings.HasPrefix(path, "/api/v1/counts") {
			method, allowed = http.MethodPut, "GET, HEAD, POST"
		}
		if wrong, _ := s.do(method, path); wrong.StatusCode != 405 || wrong.Header.Get("Allow") != allowed {
			t.Error(path, wrong.Status, wrong.Header)
		}
		if len(get.Cookies()) > 0 {
			t.Error(path, "sets cookies")
		}
	}
	for _, path := range []string{"/debug/pprof", "/debug/vars", "/metrics", "/debug/"} { // SECURITY H25
		if a, _ := s.get(path); a.StatusCode != 404 || a.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Error(path, a.Status, a.Header)
		}
	}
}

// TestLimits: who asks for ever other things is slowed; who shares an address with others, and reads, is not.
func TestLimits(t *testing.T) {
	s := newSite(t, func(c *Config) {
		c.Source = func(r *http.Request) (from netip.Prefix) {
			from, _ = netip.ParsePrefix(r.Header.Get("From")) // nothing: not known
			return from
		}
	})
	p := s.post("p", storage.Draft{})
	ask := func(from string, i int) *http.Response {
		a, _ := s.get(fmt.Sprintf("/api/v1/thread?url=%s&limit=%d", p.URL, i%maxLimit+1), "From", from)
		return a
	}
	for i := range missBurst {
		if a := ask("192.0.2.1/32", i); a.StatusCode != 200 {
			t.Fatal(i, a.Status)
		}
	}
	if a := ask("192.0.2.1/32", missBurst); a.StatusCode != 429 || a.Header.Get("Retry-After") == "" || a.Header.Get("Content-Type") != "application/json" {
		t.Error(a.Status, a.Header)
	}
	for _, path := range []string{"/t?url=https://blog.example/never/", "/t.atom?url=" + p.URL, "/api/v1/counts?url=" + p.URL} {
		if a, _ := s.get(path, "From", "192.0.2.1/32"); a.StatusCode != 429 {
			t.Error(path, a.Status)
		}
	}
	for range 2 * missBurst { // what is kept costs nothing
		if a := ask("192.0.2.1/32", 0); a.StatusCode != 200 {
			t.Fatal(a.Status)
		}
	}
	for i, from := range []string{"192.0.2.2/32", ""} {
		if a := ask(from, missBurst+i); a.StatusCode != 200 {
			t.Error(from, a.Status)
		}
	}
	s.comment(p, thread.Comment{ID: id(1), Author: s.person("a", "A")})
	s.advance(time.Second)
	if a := ask("192.0.2.1/32", missBurst+5); a.StatusCode != 200 {
		t.Error("is not let in again", a.Status)
	}
}
