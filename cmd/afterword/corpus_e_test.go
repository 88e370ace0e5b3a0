package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

const (
	parentNote = "https://evil.test/users/mallory/notes/parent"
	lost       = "actors keys origins received" // the reply is kept as an orphan
	found      = "actors checks comments keys origins posts received"
)

// answersTo is alice's reply to something of mallory's that is not known yet, whose address answers with h.
func answersTo(h func(*site) http.HandlerFunc) func(*site) []byte {
	return func(s *site) []byte {
		s.serve(parentNote, h(s))
		return s.alice.send(s.alice.does("Create", but(s.alice.note("yes"), object{"inReplyTo": parentNote, "cc": []any{blogActor}})))
	}
}

// parent is mallory's note with other members, as it should be served.
func parent(members object) func(*site) http.HandlerFunc {
	return func(s *site) http.HandlerFunc {
		return sending(http.StatusOK, "Content-Type", activities, but(but(s.mallory.note("first"), object{"id": parentNote}), members))
	}
}

func answer(status int, name, value string, body any) func(*site) http.HandlerFunc {
	return func(*site) http.HandlerFunc { return sending(status, name, value, body) }
}

// TestCorpusE: what other servers answer when we ask them. Sizes, times, redirects and addresses are held by the tests of
// package fetch, which are numbered alike; here, what is believed of what was read.
func TestCorpusE(t *testing.T) {
	const both = "mallory: first; >alice: yes"
	other := func(id string) func(*site) http.HandlerFunc { return parent(object{"id": id}) }
	orphaned := func(name string, h func(*site) http.HandlerFunc, fetches int) {
		try(name, answersTo(h), 202, lost, fetches).run(t)
	}
	try("E0 an honest answer", answersTo(parent(nil)), 202, found, 3).shows(both).run(t)
	try("E1 another id of the same server, which is there", func(s *site) []byte {
		s.serve("https://evil.test/notes/1", other("https://evil.test/notes/1")(s))
		return answersTo(other("https://evil.test/notes/1"))(s)
	}, 202, found, 4).shows(both).run(t)
	orphaned("E1 another id of the same server, which is not there", other("https://evil.test/notes/2"), 3)
	orphaned("E2 an id on another server", other("https://victim.test/notes/1"), 2)
	orphaned("E2 an id of ours", other(blogBase+"/answers/1"), 2)
	orphaned("E2 no id", parent(object{"id": nil}), 2)
	orphaned("E2 an id that is no URL", other("hello"), 2)
	try("E3 an id that changes on every fetch", func(s *site) []byte {
		n := 0
		return answersTo(func(s *site) http.HandlerFunc {
			var h http.HandlerFunc
			h = func(w http.ResponseWriter, r *http.Request) {
				n++
				next := fmt.Sprint("https://evil.test/notes/", n)
				s.serve(next, h)
				other(next)(s)(w, r)
			}
			return h
		})(s)
	}, 202, lost, 3).run(t)
	for name, kind := range map[string]string{"application/json": "application/json", "text/html": "text/html", "ld+json without profile": "application/ld+json", "none": "",
		"E5 ld+json of another profile": `application/ld+json; profile="https://evil.test/"`, "text/plain": "text/plain; application/activity+json"} {
		orphaned("E4 "+strings.ReplaceAll(name, "/", "|"), func(s *site) http.HandlerFunc {
			return sending(http.StatusOK, "Content-Type", kind, but(s.mallory.note("first"), object{"id": parentNote}))
		}, 2)
	}
	for name, kind := range map[string]string{"ld+json of several profiles": `application/ld+json; profile="https://evil.test/ https://www.w3.org/ns/activitystreams"`,
		"activity+json with charset": "application/activity+json; charset=utf-8"} {
		try("E5 "+name, answersTo(func(s *site) http.HandlerFunc {
			return sending(http.StatusOK, "Content-Type", kind, but(s.mallory.note("first"), object{"id": parentNote}))
		}), 202, found, 3).shows(both).run(t)
	}
	for _, status := range []int{201, 203, 204, 206, 300, 304, 400, 403, 404, 405, 406, 410, 418, 451} {
		orphaned(fmt.Sprint("E7 ", status), func(s *site) http.HandlerFunc {
			return sending(status, "Content-Type", activities, but(s.mallory.note("first"), object{"id": parentNote}))
		}, 3) // 400 may mean that another signature is wanted
	}
	for _, to := range []string{"http://evil.test/x", "ftp://evil.test/x", "data:,x", "file:///etc/passwd", "//127.0.0.1/x", "https://10.0.0.1/", "https://localhost/", "https://evil.test:22/", "javascript:alert(1)",
		"/%0d%0aX:y", "https://[::1]/", "gopher://evil.test/"} {
		orphaned("E9 E35 a redirect to "+strings.ReplaceAll(to, "/", "|"), answer(http.StatusFound, "Location", to, nil), 2)
	}
	orphaned("E10 a redirect to a document elsewhere that has its own id", func(s *site) http.HandlerFunc {
		s.document("https://victim.test/notes/1", but(s.victim.note("first"), object{"id": "https://victim.test/notes/1"}))
		return sending(http.StatusFound, "Location", "https://victim.test/notes/1", nil)
	}, 4)
	orphaned("E12 a redirect to the blog itself", answer(http.StatusFound, "Location", blogActor, nil), 3)
	orphaned("E19 300 KiB", parent(object{"x": []any{strings.Repeat("x", 120<<10), strings.Repeat("x", 120<<10), strings.Repeat("x", 60<<10)}}), 2)
	for name, body := range map[string]string{"nothing": "", "cut": "{", "a list": "[]", "a byte order mark": "\ufeff{}", "a name twice": `{"id":"` + parentNote + `","id":"x"}`, "deep": strings.Repeat("[", 10_000),
		"invalid UTF-8": "{\"\xff\":1}", "surrogate": `{"a":"\ud800"}`, "tokens": `{"a":[` + strings.Repeat("1,", 10_000) + "1]}", "null": "null", "no type": `{"id":"` + parentNote + `"}`} {
		orphaned("E27 "+name, answer(http.StatusOK, "Content-Type", activities, body), 2)
	}
	orphaned("E27 another meaning of attributedTo", parent(object{"@context": object{"attributedTo": "as:actor"}}), 2)
	orphaned("E28 content that is no text", parent(object{"content": 7}), 2)
	orphaned("E30 an activity", func(s *site) http.HandlerFunc {
		return sending(http.StatusOK, "Content-Type", activities, but(s.mallory.create("first"), object{"id": parentNote}))
	}, 2)
	orphaned("E32 an account", func(s *site) http.HandlerFunc {
		return sending(http.StatusOK, "Content-Type", activities, but(s.mallory.profile(), object{"id": parentNote}))
	}, 2)
	orphaned("E34 a Tombstone", parent(object{"type": "Tombstone"}), 2)
	try("E36 not public", answersTo(parent(object{"to": []any{"https://evil.test/followers"}})), 202, "actors counts keys origins received", 2).run(t)
	orphaned("E37 written by an account of another server", parent(object{"attributedTo": "https://victim.test/users/victim"}), 2)
	orphaned("E37 written by the blog", parent(object{"attributedTo": blogActor}), 2)
	orphaned("E37 written by nobody", parent(object{"attributedTo": nil}), 2)
	orphaned("E38 its author cannot be had", parent(object{"attributedTo": "https://evil.test/users/nobody"}), 3)
	orphaned("E38 its author is a Note", func(s *site) http.HandlerFunc {
		s.mallory.with(object{"type": "Note", "inbox": nil, "publicKey": nil})
		return parent(nil)(s)
	}, 3)
	orphaned("E38 its author has another id", func(s *site) http.HandlerFunc {
		s.mallory.with(object{"id": "https://victim.test/users/victim"})
		return parent(nil)(s)
	}, 3)
	orphaned("E40 its thread ends elsewhere", parent(object{"inReplyTo": nil}), 2)
	for _, link := range []any{"javascript:alert(1)", "data:text/html,x", "/relative", []any{}, object{"type": "Link"}, 7, "https://evil.test/\r\n", "vbscript:x"} {
		try(fmt.Sprintf("E39 url %.20v", strings.ReplaceAll(fmt.Sprint(link), "/", "|")), answersTo(parent(object{"url": link})), 202, found, 3).shows(both).expect(func(s *site) {
			if c := s.first(); c.URL != parentNote {
				s.Errorf("its link is %q", c.URL)
			}
		}).run(t)
	}
	try("E41 cookies and other headers are forgotten", answersTo(func(s *site) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Set-Cookie", "a=b")
			w.Header().Set("Strict-Transport-Security", "max-age=1000")
			parent(nil)(s)(w, r)
		}
	}), 202, found, 3).shows(both).run(t)
}

// TestCorpusE29_ManyKeys: of ten thousand keys sixteen are looked at.
func TestCorpusE29_ManyKeys(t *testing.T) {
	s := newSite(t)
	keys := []any{s.alice.publicKey()}
	for n := range 1500 { // what fits into a document
		keys = append(keys, object{"id": fmt.Sprint(s.alice.id, "#", n), "owner": s.alice.id, "publicKeyPem": "x"})
	}
	s.alice.with(object{"publicKey": keys})
	s.accepts(s.alice.send(s.alice.create("hello")))
	if words := s.words(); words != "alice: hello" {
		t.Error(words)
	}
}

// TestCorpusE33_TombstoneElsewhere: another server's word about a comment does nothing to it.
func TestCorpusE33_TombstoneElsewhere(t *testing.T) {
	s := newSite(t)
	lives(s)
	s.accepts(s.alice.send(s.alice.create("hello")))
	s.document("https://evil.test/tombstone", object{"id": s.alice.note("hello")["id"], "type": "Tombstone"})
	s.accepts(s.mallory.send(s.mallory.does("Announce", object{"id": "https://evil.test/tombstone", "type": "Note", "inReplyTo": marchNote, "content": "x"})))
	s.accepts(s.mallory.send(s.mallory.does("Delete", s.alice.note("hello")["id"])))
	if words := s.words(); words != "alice: hello" {
		t.Errorf("%q\n%s", words, s.ledger())
	}
}

// TestP11_Recursion: servers that never come to an end cost at most thirty requests and two megabytes, and nobody who is
// merely mentioned becomes an account.
func TestP11_Recursion(t *testing.T) {
	s := newSite(t)
	var requests, bytes int
	s.network.Serve("troll.test", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		here := "https://troll.test" + r.RequestURI
		var doc object
		switch {
		case strings.HasPrefix(r.URL.Path, "/replies"):
			doc = object{"id": here, "type": "CollectionPage", "partOf": here, "next": here + "x", "items": times(50, here+"/note")}
		case strings.HasPrefix(r.URL.Path, "/users"):
			doc = but((&account{s, here, here + "#main-key", keyNumber(3)}).profile(), object{"summary": strings.Repeat("x", 60_000)})
		default:
			doc = object{"id": here, "type": "Note", "attributedTo": "https://troll.test/users" + r.URL.Path, "to": everybody, "inReplyTo": here + "x", "replies": "https://troll.test/replies" + r.URL.Path,
				"context": "https://troll.test/replies/context", "content": strings.Repeat("x", 90_000), "tag": mentions(64)}
		}
		b := jsonOf(doc)
		bytes += len(b)
		sending(200, "Content-Type", activities, b)(w, r)
	}))
	s.accepts(by(alice, creates("yes", object{"inReplyTo": "https://troll.test/x", "cc": []any{blogActor}}))(s))
	for range 24 {
		s.clock.advance(time.Hour)
		s.settle()
	}
	if requests == 0 || requests > 30 || bytes > 2<<20 {
		t.Errorf("%d requests, %d bytes", requests, bytes)
	}
	if len(s.network.Log()) > 32 {
		t.Errorf("%q", s.network.Log())
	}
	if words := s.words(); words != "" {
		t.Error(words)
	}
}
