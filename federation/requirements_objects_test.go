package federation_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"afterword/federation"
	"afterword/sanitize"
	"afterword/storage"
	"afterword/thread"
)

// Group B of PROTOCOL section 11: what the blog's posts and threads look like to other servers.

func TestR016_R017_TheNote(t *testing.T) {
	s := open(t)
	n := s.document(note)
	for _, member := range []string{"id", "attributedTo", "content", "published", "url", "to", "cc", "context", "conversation", "replies"} {
		if n[member] == nil {
			t.Error("no", member)
		}
	}
	if n["type"] != "Note" || n["name"] != nil || n["summary"] != nil || n["id"] != note || n["attributedTo"] != actor {
		t.Errorf("%v", n)
	}
	if n["context"] != n["conversation"] || !strings.HasPrefix(str(n, "context"), base+"/") {
		t.Errorf("context %v, conversation %v", n["context"], n["conversation"])
	}
	if c := s.document(str(n, "context")); c["type"] != "OrderedCollection" || c["id"] != n["context"] || c["attributedTo"] != actor {
		t.Errorf("%v", c)
	}
}

func TestR018_Dates(t *testing.T) {
	s := open(t)
	old := storage.Draft{URL: "https://blog.test/2009/", Title: "Old", Published: time.Date(2009, 7, 6, 10, 0, 0, 0, time.FixedZone("", 7200)), Quiet: true}
	p, _, err := s.db.SavePost(s.ctx, old)
	if err != nil {
		t.Fatal(err)
	}
	if n := s.document(string(p.ID)); n["published"] != "2009-07-06T08:00:00Z" || n["updated"] != nil {
		t.Errorf("published %v, updated %v", n["published"], n["updated"])
	}
	s.clock.advance(time.Hour)
	old.Title = "Old and changed"
	if _, _, err := s.db.SavePost(s.ctx, old); err != nil {
		t.Fatal(err)
	}
	if err := s.db.CloseThread(s.ctx, p.ID, s.clock.now()); err != nil {
		t.Fatal(err)
	}
	n := s.document(string(p.ID))
	published, updated := moment(t, n, "published"), published(t, n)
	if updated.Before(published) {
		t.Errorf("updated %s, published %s", updated, published)
	}
}

// published is updated where it is said, else published.
func published(t *testing.T, n object) time.Time {
	if n["updated"] != nil {
		return moment(t, n, "updated")
	}
	return moment(t, n, "published")
}

func moment(t *testing.T, n object, member string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, str(n, member))
	if err != nil || !strings.HasSuffix(str(n, member), "Z") {
		t.Fatalf("%s is %v", member, n[member])
	}
	return at
}

// Misskey refuses a Note whose url and id are on different hosts.
func TestR019_OneHost(t *testing.T) {
	s := open(t)
	if n := s.document(note); n["url"] != page {
		t.Errorf("%v", n["url"])
	}
	p, _, err := s.db.SavePost(s.ctx, storage.Draft{URL: "https://www.blog.test/2026/april/", Title: "April", Quiet: true})
	if err != nil {
		t.Fatal(err)
	}
	n := s.document(string(p.ID))
	if u, err := url.Parse(str(n, "url")); err != nil || u.Host != host || !strings.Contains(str(n, "content"), "https://www.blog.test/2026/april/") {
		t.Errorf("%v %v", n["url"], n["content"])
	}
}

var tag = regexp.MustCompile(`</?([a-zA-Z0-9]+)`)

func TestR020_R021_Content(t *testing.T) {
	s := open(t)
	p, _, err := s.db.SavePost(s.ctx, storage.Draft{URL: "https://blog.test/x/", Title: `<script>"Q & A"`, Lang: "de", Quiet: true,
		Content: sanitize.Note(`<h2>Head</h2><p onclick="x">Text</p><img src="/a.png"><table><tr><td>cell</td></tr></table><script>alert(1)</script>`, "https://blog.test/x/")})
	if err != nil {
		t.Fatal(err)
	}
	n := s.document(string(p.ID))
	content := str(n, "content")
	safe := strings.Fields("p br span a del s pre blockquote code b strong u i em ul ol li ruby rt rp")
	for _, found := range tag.FindAllStringSubmatch(content, -1) {
		if !slices.Contains(safe, found[1]) {
			t.Errorf("<%s> in %s", found[1], content)
		}
	}
	if !strings.Contains(content, `<a href="https://blog.test/x/">`) || strings.Contains(content, "onclick") || strings.Contains(content, "alert") {
		t.Error(content)
	}
	if got, want := n["contentMap"], (object{"de": content}); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v", got)
	}
}

// 404, because Mastodon does nothing about a 410; and an id is never used again.
func TestR022_DeletedNotes(t *testing.T) {
	s := open(t)
	if err := s.db.RemovePost(s.ctx, note); err != nil {
		t.Fatal(err)
	}
	w := s.get("/.ap/posts/2026/march/", asJSON)
	if tombstone := parse(t, w.Body); w.Code != http.StatusNotFound || tombstone["type"] != "Tombstone" || tombstone["id"] != note {
		t.Errorf("%d %v", w.Code, tombstone)
	}
	p, _, err := s.db.SavePost(s.ctx, storage.Draft{URL: page, Title: "March, again", Quiet: true})
	if err != nil || string(p.ID) == note {
		t.Fatalf("%s, %v", p.ID, err)
	}
	if n := s.document(string(p.ID)); n["id"] != string(p.ID) {
		t.Errorf("%v", n["id"])
	}
	if w := s.get("/.ap/posts/2026/march/", asJSON); w.Code != http.StatusNotFound {
		t.Errorf("the old id: %d", w.Code)
	}
}

// fill puts comments of one account under the post, a minute apart, through the door.
func (s *stage) fill(n int) (ids []string) {
	s.Helper()
	p := s.stranger("https://one.test/users/alice")
	for i := range n {
		s.clock.advance(time.Second)
		id := fmt.Sprintf("https://one.test/notes/%03d", i)
		if status := p.send(p.create(p.note(id, note, fmt.Sprintf("<p>No. %d</p>", i)))); status != http.StatusAccepted {
			s.Fatal(status)
		}
		ids = append(ids, id)
	}
	s.settle()
	return ids
}

// walk follows a collection from its first page to its last, however that is given, and returns all items.
func (s *stage) walk(collection object) (items []any) {
	s.Helper()
	next := collection["first"]
	for range 20 {
		p, inlined := next.(object)
		if !inlined {
			p = s.document(fmt.Sprint(next))
			if p["id"] != next {
				s.Fatalf("%v calls itself %v", next, p["id"])
			}
		} else if again := s.document(str(p, "id")); fmt.Sprint(again["items"]) != fmt.Sprint(p["items"]) {
			s.Fatalf("inlined %v\nfetched %v", p, again)
		}
		if p["partOf"] != collection["id"] {
			s.Fatalf("part of %v", p["partOf"])
		}
		for _, name := range []string{"items", "orderedItems"} {
			if list, ok := p[name].([]any); ok {
				items = append(items, list...)
			}
		}
		if next = p["next"]; next == nil {
			return items
		}
	}
	s.Fatal("paging does not end")
	return nil
}

func TestR023_R025_R026_Collections(t *testing.T) {
	s := open(t)
	ids := s.fill(205)
	slices.Reverse(ids)
	n := s.document(note)
	replies := n["replies"].(object)
	first := replies["first"].(object)
	if got := first["items"].([]any); len(got) != 200 || got[0] != ids[0] || !strings.HasPrefix(str(first, "next"), base+"/") {
		t.Fatalf("%d on the first page, next %v", len(got), first["next"])
	}
	if got := fmt.Sprint(s.walk(replies)); got != fmt.Sprint(ids) {
		t.Errorf("replies: %s", got)
	}
	if got := s.document(str(replies, "id")); fmt.Sprint(got["first"]) != fmt.Sprint(replies["first"]) {
		t.Error("the collection is not the inlined one")
	}
	slices.Reverse(ids)
	whole := s.document(str(n, "context"))
	if got := s.walk(whole); fmt.Sprint(got) != fmt.Sprint(append([]string{note}, ids...)) || whole["totalItems"] != 206.0 {
		t.Errorf("context: %v", got)
	}
	for _, path := range []string{"/.ap/posts/2026/march/", "/.ap/context/2026/march/?page=1", "/.ap/replies/2026/march/?page=2", "/.ap/outbox?page=1"} {
		if w := s.get(path, asJSON); w.Header().Get("Content-Type") != asJSON || w.Body.Len() > 1_000_000 {
			t.Errorf("%s: %d bytes of %s", path, w.Body.Len(), w.Header().Get("Content-Type"))
		}
	}
	for _, number := range []string{"0", "-1", "abc", "1e18", "99999999999999999999"} { // SECURITY H7
		if w := s.get("/.ap/context/2026/march/?page="+number, asJSON); w.Code != http.StatusOK && w.Code != http.StatusNotFound {
			t.Errorf("page %s: %d", number, w.Code)
		}
	}
}

// Mastodon stops reading once it has five.
func TestR024_SevenReplies(t *testing.T) {
	s := open(t)
	ids := s.fill(7)
	slices.Reverse(ids)
	first := s.document(note)["replies"].(object)["first"].(object)
	if fmt.Sprint(first["items"]) != fmt.Sprint(ids) || first["next"] != nil {
		t.Errorf("%v", first)
	}
}

// What is not shown is not listed either.
func TestR025_ContextIsWhatIsShown(t *testing.T) {
	s := open(t)
	p := s.stranger("https://one.test/users/alice")
	say := func(id, inReplyTo string, members object) string {
		s.clock.advance(time.Minute)
		p.says(p.create(changed(p.note("https://one.test/"+id, inReplyTo, "<p>"+id+"</p>"), members)))
		return "https://one.test/" + id
	}
	first := say("first", note, nil)
	second := say("second", first, nil)
	deleted := say("deleted", note, nil)
	below := say("below", deleted, nil)
	say("private", note, object{"to": []any{p.id + "/followers"}})
	hidden := say("hidden", note, nil)
	p.says(p.activity("Delete", deleted))
	if err := s.db.Moderate(s.ctx, thread.IRI(hidden), thread.Hidden); err != nil {
		t.Fatal(err)
	}
	if got, want := s.walk(s.document(base+"/context/2026/march/")), []any{note, first, second, below}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v\nwant %v", got, want)
	}
	r := httptest.NewRequestWithContext(s.ctx, http.MethodGet, "/.ap/context/2026/march/?page=1", nil)
	r.Host, r.Header = host, http.Header{"Accept": {asJSON}, "If-None-Match": {s.get("/.ap/context/2026/march/?page=1", asJSON).Header().Get("ETag")}}
	if w := s.do(r); w.Code != http.StatusNotModified || w.Body.Len() > 0 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestR027_ExtensionsArriveAsTheyAre(t *testing.T) {
	s := open(t)
	s.must(s.alpha.Person("alice").Follow(s.ctx, actor))
	if err := s.db.CloseThread(s.ctx, note, s.clock.now()); err != nil {
		t.Fatal(err)
	}
	s.settle()
	got := s.told(s.alpha, "Update")
	if len(got) != 1 {
		t.Fatalf("%d updates", len(got))
	}
	for _, exactly := range []string{`"canReply":{"always":["` + actor + `"],"automaticApproval":["` + actor + `"]}`, `"commentsEnabled":false`,
		`"conversation":"` + base + `/context/2026/march/"`} {
		if !strings.Contains(string(got[0].Raw), exactly) {
			t.Errorf("no %s in %s", exactly, got[0].Raw)
		}
	}
}

func TestR028_Answers(t *testing.T) {
	s := open(t, func(c *federation.Config) { c.Owner = "" })
	bob := s.beta.Person("bob")
	first := s.must(bob.Reply(s.ctx, note, "Here too."))
	c, err := s.answers(first, "<p>Thank you.</p>")
	if err != nil {
		t.Fatal(err)
	}
	s.settle()
	n := s.document(string(c.ID))
	mention, _ := n["tag"].([]any)[0].(object)
	if n["type"] != "Note" || n["inReplyTo"] != first || mention["type"] != "Mention" || mention["href"] != bob.ID || !strings.Contains(fmt.Sprint(n["cc"]), bob.ID) ||
		n["context"] != base+"/context/2026/march/" || n["conversation"] != n["context"] {
		t.Errorf("%v", n)
	}
	if got := s.told(s.beta, "Create"); len(got) != 1 || got[0].Activity["object"].(object)["id"] != n["id"] {
		t.Errorf("%v", got)
	}
}
