package api

import (
	"context"
	"encoding/xml"
	"fmt"
	"strings"
	"testing"
	"time"

	"afterword/storage"
	"afterword/thread"
)

// atomFeed is what a feed reader sees; encoding/xml refuses what is not well formed.
type atomFeed struct {
	XMLName  xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	ID       string      `xml:"http://www.w3.org/2005/Atom id"`
	Title    string      `xml:"http://www.w3.org/2005/Atom title"`
	Subtitle string      `xml:"http://www.w3.org/2005/Atom subtitle"`
	Updated  time.Time   `xml:"http://www.w3.org/2005/Atom updated"`
	Links    []atomLink  `xml:"http://www.w3.org/2005/Atom link"`
	State    []atomTerm  `xml:"http://www.w3.org/2005/Atom category"`
	Entries  []atomEntry `xml:"http://www.w3.org/2005/Atom entry"`
}

type atomTerm struct {
	Term string `xml:"term,attr"`
}

type atomLink struct {
	Rel   string `xml:"rel,attr"`
	Href  string `xml:"href,attr"`
	Type  string `xml:"type,attr"`
	Count string `xml:"http://purl.org/syndication/thread/1.0 count,attr"`
}

type atomEntry struct {
	ID        string     `xml:"http://www.w3.org/2005/Atom id"`
	Title     string     `xml:"http://www.w3.org/2005/Atom title"`
	Updated   time.Time  `xml:"http://www.w3.org/2005/Atom updated"`
	Published time.Time  `xml:"http://www.w3.org/2005/Atom published"`
	Author    string     `xml:"http://www.w3.org/2005/Atom author>name"`
	Summary   string     `xml:"http://www.w3.org/2005/Atom summary"`
	Content   string     `xml:"http://www.w3.org/2005/Atom content"`
	Links     []atomLink `xml:"http://www.w3.org/2005/Atom link"`
	InReplyTo struct {
		Ref string `xml:"ref,attr"`
	} `xml:"http://purl.org/syndication/thread/1.0 in-reply-to"`
}

func linked(links []atomLink, rel string) (found atomLink) {
	for _, l := range links {
		if l.Rel == rel {
			found = l
		}
	}
	return found
}

// atom reads a feed and holds it against RFC 4287.
func (s *site) atom(path string) (f atomFeed) {
	s.Helper()
	answer, text := s.get(path)
	if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "application/atom+xml; charset=utf-8" {
		s.Fatal(answer.Status, answer.Header)
	}
	s.must(xml.Unmarshal([]byte(text), &f))
	if f.ID == "" || f.Title == "" || f.Updated.IsZero() || linked(f.Links, "self").Href == "" {
		s.Errorf("%s: the feed lacks something: %+v", path, f)
	}
	seen := map[string]bool{}
	for _, e := range f.Entries {
		if e.ID == "" || seen[e.ID] || e.Title == "" || e.Updated.IsZero() || e.Published.IsZero() || e.Author == "" || e.InReplyTo.Ref == "" ||
			linked(e.Links, "alternate").Href == "" || (e.Summary == "") == (e.Content == "") {
			s.Errorf("%s: an entry lacks something: %+v", path, e)
		}
		seen[e.ID] = true
	}
	return f
}

func TestThreadFeed(t *testing.T) {
	s, p := debate(t)
	_, text := s.get("/t.atom?url=" + p.URL)
	golden(t, "thread.atom", text)
	f := s.atom("/t.atom?url=" + p.URL)
	var ids []string
	for _, e := range f.Entries {
		ids = append(ids, strings.TrimPrefix(e.ID, "https://remote.example/notes/"))
	}
	if got := strings.Join(ids, " "); got != "2 https://blog.example/old#1 9 6 5 3 1" {
		t.Error("the entries are", got)
	}
	if f.State[0].Term != "closed" || !strings.Contains(f.Subtitle, "Comments are closed.") || linked(f.Links, "replies").Count != "7" {
		t.Errorf("%+v", f)
	}
	first := f.Entries[6]
	if first.InReplyTo.Ref != string(p.ID) || linked(first.Links, "replies").Count != "1" || f.Entries[0].InReplyTo.Ref != first.ID {
		t.Errorf("%+v", first)
	}
	if strings.Contains(text, "secret") || strings.Contains(text, "butler") || strings.Contains(text, "robot.png") {
		t.Error("something is told that must not be")
	}
}

// TestBlogFeed: new comments of all posts, until their post goes.
func TestBlogFeed(t *testing.T) {
	s, p := debate(t)
	other := s.post("other", storage.Draft{Title: "Other"})
	s.comment(other, thread.Comment{ID: id(50), Author: s.person("alice", "Alice"), HTML: "<p>Elsewhere</p>"})
	f := s.atom("/feed.atom")
	if len(f.Entries) != 8 || f.Entries[0].ID != string(id(50)) || !strings.Contains(f.Entries[0].Title, "Other") {
		t.Errorf("%+v", f.Entries)
	}
	if f := s.atom("/feed.atom?limit=2"); len(f.Entries) != 2 {
		t.Error(len(f.Entries), "entries")
	}
	s.must(s.DB.RemovePost(context.Background(), p.ID))
	if f := s.atom("/feed.atom"); len(f.Entries) != 1 {
		t.Error(len(f.Entries), "entries")
	}
	for path, want := range map[string]int{"/feed.atom?limit=x": 400, "/t.atom": 400, "/t.atom?url=" + p.URL: 404, "/t.atom?url=https://blog.example/never/": 404} {
		if a, _ := s.get(path); a.StatusCode != want || a.Header.Get("Content-Type") != "application/json" {
			t.Error(path, a.Status, a.Header)
		}
	}
}

// TestHostileFeed: whatever strangers write, a feed is XML and says nothing but what they wrote (SECURITY H17).
func TestHostileFeed(t *testing.T) {
	s := newSite(t, nil)
	evil := "]]></content><x>&\"'<![CDATA[ a\x00b\x0b\x1b\uffff\ufffe\xff\u202e <?pi?> <!--"
	p := s.post("p", storage.Draft{Title: evil, Lang: "en"})
	a := thread.Author{ID: "https://remote.example/users/x", Name: evil, Handle: "@" + evil, URL: "javascript:alert(1)"}
	s.save(a)
	s.comment(p, thread.Comment{ID: id(1), Author: a, HTML: evil, Lang: evil})
	s.comment(p, thread.Comment{ID: id(2), Author: a, Warning: evil, HTML: "<p>hidden</p>"})
	for _, path := range []string{"/feed.atom", "/t.atom?url=" + p.URL} {
		f := s.atom(path)
		if len(f.Entries) != 2 || f.Entries[1].Content != "]]></content><x>&\"'<![CDATA[ ab\u202e <?pi?> <!--" {
			t.Errorf("%s: %q", path, f.Entries)
		}
		if _, text := s.get(path); strings.Contains(text, "javascript:") || strings.Contains(text, "hidden") {
			t.Error(path, text)
		}
	}
}

// TestFeedChanges: a feed is asked for again and again, and answers 304 until something in it changes.
func TestFeedChanges(t *testing.T) {
	s := newSite(t, func(c *Config) { c.Rules.CloseAfter = time.Hour })
	p, other := s.post("p", storage.Draft{}), s.post("other", storage.Draft{})
	a := s.person("a", "A")
	s.comment(p, thread.Comment{ID: id(1), Author: a, HTML: "<p>Hello</p>"})
	path := "/t.atom?url=" + p.URL
	answer, _ := s.get(path)
	tag := answer.Header.Get("ETag")
	s.comment(other, thread.Comment{ID: id(2), Author: a, HTML: "<p>Elsewhere</p>"})
	if same, _ := s.get(path, "If-None-Match", tag); same.StatusCode != 304 {
		t.Error(same.Status)
	}
	if f := s.atom(path); f.State[0].Term != "open" || !strings.Contains(f.Subtitle, "Comments close on 1 March 2026") {
		t.Error(f.Subtitle)
	}
	s.advance(time.Hour)
	closed, _ := s.get(path, "If-None-Match", tag)
	if closed.StatusCode != 200 || s.atom(path).State[0].Term != "closed" {
		t.Error("does not say that comments are closed", closed.Status)
	}
	edited, err := s.DB.Comment(context.Background(), id(1))
	s.must(err)
	edited.HTML, edited.Edited = "<p>Edited</p>", s.now()
	s.must(s.DB.EditComment(context.Background(), storage.Message{}, edited, thread.Verdict{Decision: thread.Done}))
	if e := s.atom(path).Entries[0]; e.Content != "<p>Edited</p>" || !e.Updated.Equal(s.now()) {
		t.Errorf("%+v", e)
	}
	s.verdict(p, &thread.Comment{ID: id(3), Author: a, HTML: "<p>Held</p>"}, thread.Held)
	s.comment(p, thread.Comment{ID: id(4), Author: a, HTML: "<p>Newer</p>"})
	if e := s.atom(path).Entries; len(e) != 2 || e[0].ID != string(id(4)) {
		t.Errorf("%+v", e)
	}
	s.must(s.DB.Moderate(context.Background(), id(3), thread.Visible))
	if e := s.atom(path).Entries; len(e) != 3 || e[0].ID != string(id(3)) {
		t.Errorf("what was approved is not what is new: %+v", e)
	}
	for i := range maxFeedLimit + 10 {
		s.comment(p, thread.Comment{ID: id(100 + i), Author: a, HTML: "<p>x</p>"})
	}
	for limit, want := range map[string]int{"": feedLimit, "&limit=7": 7, "&limit=1000": maxFeedLimit} {
		if n := len(s.atom(path + limit).Entries); n != want {
			t.Error(limit, n)
		}
	}
	if _, page := s.get("/t?url=" + p.URL); !strings.Contains(page, fmt.Sprintf(`type="application/atom+xml" title="Comments – %s" href="%s"`, p.URL, linked(s.atom(path).Links, "self").Href)) {
		t.Error("the page does not name its feed")
	}
}
