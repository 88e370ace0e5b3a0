package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"afterword/federation/fedtest"
	"afterword/thread"
)

// TestWhyIsThisReplyNotShown: the command answers for any address of a reply, and fetches what never came.
func TestWhyIsThisReplyNotShown(t *testing.T) {
	s, c := inMemory(t, "")
	page := s.blog + "a/"
	id := s.afterword("post", "add", "-url", page, "-title", "A")
	alice, dave, carol, bob := s.alpha.Person("alice"), s.alpha.Person("dave"), s.gamma.Person("carol"), s.beta.Person("bob")
	ask := func(reply string) (f fate) {
		t.Helper()
		if err := json.Unmarshal([]byte(s.afterword("inbox", "list", "-json", "-reply", reply)), &f); err != nil {
			t.Fatal(err)
		}
		return f
	}
	write := func(p *fedtest.Person, d fedtest.Draft) string {
		t.Helper()
		id := s.must(p.Write(s.ctx, d))
		s.settle()
		c.advance(time.Second)
		return id
	}
	pageOf := func(server *fedtest.Server, id string) string { n, _ := server.Note(id); return n.URL }

	first := write(alice, fedtest.Draft{InReplyTo: id, HTML: "First."})
	for _, address := range []string{first, pageOf(s.alpha, first)} {
		if f := ask(address); f.Decision != thread.Shown || !strings.HasPrefix(f.Permalink, page+"#c-") || f.Fetched || string(f.ID) != first || f.At == nil {
			t.Errorf("%+v", f)
		}
	}
	if got := s.afterword("inbox", "list", "-reply", first); !strings.HasPrefix(got, "shown at "+page+"#c-") {
		t.Error(got)
	}

	// What never came: a neighbour's answer to an answer, and one below that.
	two := write(dave, fedtest.Draft{InReplyTo: first, HTML: "Two.", WithoutMentions: true})
	three := write(alice, fedtest.Draft{InReplyTo: two, HTML: "Three.", WithoutMentions: true})
	if f := ask(pageOf(s.alpha, three)); f.Decision != thread.Shown || !f.Fetched || string(f.ID) != three || f.Post != thread.IRI(id) {
		t.Errorf("%+v", f)
	}
	s.expect(page, "open: 3 comments, 0 likes, 0 boosts, 0 late", "@alice First.", "  @dave Two.", "    @alice Three.")

	for name, c := range map[string]struct {
		reply string
		want  thread.Decision
	}{
		"private":         {write(bob, fedtest.Draft{InReplyTo: id, HTML: "Psst.", Visibility: fedtest.Followers}), thread.Unknown}, // nobody may fetch it
		"about something": {write(carol, fedtest.Draft{HTML: "A post of my own."}), thread.Orphaned},
		"nowhere":         {"https://alpha.test/users/alice/statuses/1", thread.Unknown},
		"no server":       {"https://nobody.test/1", thread.Unknown},
	} {
		if f := ask(c.reply); f.Decision != c.want || !f.Fetched || f.Reason == "" {
			t.Errorf("%s: %+v", name, f)
		}
	}

	s.afterword("block", "add", "beta.test")
	s.afterword("close", page)
	late := write(carol, fedtest.Draft{InReplyTo: first, HTML: "Late.", Force: true})
	s.must(alice.Delete(s.ctx, first))
	s.settle()
	for reply, want := range map[string]thread.Decision{first: thread.Erased, "https://beta.test/users/bob/statuses/1": thread.Blocked, late: thread.TooLate} {
		if f := ask(reply); f.Decision != want || f.Permalink != "" || f.Fetched {
			t.Errorf("%s: %+v", reply, f)
		}
	}
	s.afterword("comment", "approve", late)
	if f := ask(late); f.Decision != thread.Shown || f.Reason != "by the blogger's word" {
		t.Errorf("%+v", f)
	}
	if got := s.fails("inbox", "list", "-reply", "carol"); !strings.Contains(got, "is no address of a reply") {
		t.Error(got)
	}
}
