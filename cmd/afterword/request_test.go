package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"afterword/federation/fedtest"
)

// ask sends a ReplyRequest about a note that its server tells nobody of yet. Whole: the note is in it, else its address.
func (s *stage) ask(p *fedtest.Person, target, words string, whole bool) (request map[string]any, reply string) {
	s.t.Helper()
	reply = s.must(p.Write(s.ctx, fedtest.Draft{InReplyTo: target, HTML: words, WithoutMentions: true}))
	request = p.Activity("ReplyRequest", target)
	request["instrument"] = reply
	if whole {
		request["instrument"] = s.note(reply)
	}
	if a := p.Send(s.ctx, s.base+"/inbox", request, fedtest.Envelope{}); a.Status != http.StatusAccepted {
		s.t.Fatalf("%+v", a)
	}
	s.settle()
	return request, reply
}

// about is the request that an answer repeats.
func about(d fedtest.Delivery) any {
	object, _ := d.Activity["object"].(map[string]any)
	return object["id"]
}

// TestR088_RequestsThatWait: in a moderated thread a request is answered when the blogger has decided, whether the reply
// came with it or has to be fetched. Its proof speaks of the very note that was answered.
func TestR088_RequestsThatWait(t *testing.T) {
	for name, whole := range map[string]bool{"with the reply": true, "with its address": false} {
		s, _ := inMemory(t, "[comments]\nmoderation = \"all\"\n")
		page := s.blog + "a/"
		id := s.afterword("post", "add", "-url", page, "-title", "A")
		answer := s.afterword("reply", id, "Ask me.")
		alice, anton := s.alpha.Person("alice"), s.alpha.Person("anton")
		wanted, good := s.ask(alice, answer, "May I?", whole)
		unwanted, bad := s.ask(anton, id, "Buy this.", whole)
		s.expect(page, "moderated: 1 comments, 0 likes, 0 boosts, 0 late", "@blog@comments.test Ask me.")
		if n := len(s.received(s.alpha, "Accept")) + len(s.received(s.alpha, "Reject")); n > 0 || s.pending() != 2 {
			t.Fatalf("%s: %d answers before a word was said, %d wait", name, n, s.pending())
		}
		s.start()
		s.afterword("comment", "approve", good)
		s.afterword("comment", "hide", bad)
		accept, reject := s.expectReceived(s.alpha, "Accept", 1)[0], s.expectReceived(s.alpha, "Reject", 1)[0]
		if about(accept) != wanted["id"] || about(reject) != unwanted["id"] {
			t.Errorf("%s: %s\n%s", name, accept.Raw, reject.Raw)
		}
		if proof := s.note(accept.Activity["result"].(string)); proof["interactingObject"] != good || proof["interactionTarget"] != answer {
			t.Errorf("%s: %v", name, proof)
		}
		s.expect(page, "moderated: 2 comments, 0 likes, 0 boosts, 0 late", "@blog@comments.test Ask me.", "  @alice May I?")
	}
}

// TestR087_RequestsAfterClosing are refused at once, at every depth; what is asked a moment later waits for the blogger.
func TestR087_RequestsAfterClosing(t *testing.T) {
	s, c, page, id, first := opened(t, "")
	alice := s.alpha.Person("alice")
	s.afterword("close", page)
	c.advance(time.Minute)
	refused, _ := s.ask(alice, first, "May I?", true)
	if reject := s.expectReceived(s.alpha, "Reject", 1)[0]; about(reject) != refused["id"] {
		t.Errorf("%s", reject.Raw)
	}
	s.expect(page, "closed: 1 comments, 0 likes, 0 boosts, 0 late", "@alice First.")

	note := s.note(s.must(alice.Write(s.ctx, fedtest.Draft{InReplyTo: id, HTML: "Just before.", WithoutMentions: true, Published: c.t.Add(-2 * time.Minute)})))
	request := alice.Activity("ReplyRequest", id)
	request["instrument"] = note
	alice.Send(s.ctx, s.base+"/inbox", request, fedtest.Envelope{})
	s.settle()
	if s.pending() != 1 {
		t.Fatalf("%d wait", s.pending())
	}
	s.afterword("comment", "approve", note["id"].(string))
	if accept := s.expectReceived(s.alpha, "Accept", 1)[0]; about(accept) != request["id"] {
		t.Errorf("%s", accept.Raw)
	}
	s.expect(page, "closed: 2 comments, 0 likes, 0 boosts, 0 late", "@alice Just before.", "@alice First.")
}

// TestR084_LateByBackfill: what backfill has yet to fetch when the thread closes is late too. Nobody brought it, so nobody
// is told; what stands is still looked at.
func TestR084_LateByBackfill(t *testing.T) {
	s, c, page, _, first := opened(t, "")
	carol := s.gamma.Person("carol")
	unseen := s.must(carol.Write(s.ctx, fedtest.Draft{InReplyTo: first, HTML: "Never pushed.", WithoutMentions: true}))
	if _, err := s.alpha.Lookup(s.ctx, unseen); err != nil { // somebody at alpha reads it: now it is among the replies there
		t.Fatal(err)
	}
	s.gamma.SetMood(fedtest.Unavailable)
	c.advance(10 * time.Minute)
	for range 5 { // alpha is asked one thing at a time
		s.settle()
		c.advance(10 * time.Second)
	}
	if got := s.afterword("inbox", "list", "-reply", unseen); !strings.Contains(got, "undecided") {
		t.Fatalf("backfill does not know it: %s", got)
	}
	s.afterword("close", page)
	s.gamma.SetMood(fedtest.Well)
	for range 8 {
		c.advance(time.Hour)
		s.settle()
	}
	s.expect(page, "closed: 1 comments, 0 likes, 0 boosts, 1 late", "@alice First.")
	if got := s.afterword("comment", "list", "-state", "late"); !strings.Contains(got, "Never pushed.") {
		t.Error(got)
	}
	s.expectReceived(s.gamma, "Reject", 0)
}
