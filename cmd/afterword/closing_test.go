package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"afterword/federation/fedtest"
	"afterword/storage"
	"afterword/thread"
)

// fails runs a command that must fail, and returns its one line.
func (s *stage) fails(args ...string) string {
	s.t.Helper()
	var out, problems bytes.Buffer
	c := &call{ctx: s.ctx, stdout: &out, stderr: &problems, now: s.now}
	if code := run(c, append([]string{"-config", s.config}, args...)); code == 0 || strings.Count(problems.String(), "\n") != 1 || out.Len() > 0 {
		s.t.Fatalf("afterword %s: exit %d, printed %q and %q", strings.Join(args, " "), code, out.String(), problems.String())
	}
	return problems.String()
}

// opened is a stage with one post, and one comment below it.
func opened(t *testing.T, config string) (s *stage, c *clock, page, id, first string) {
	t.Helper()
	s, c = inMemory(t, config)
	page = s.blog + "a/"
	id = s.afterword("post", "add", "-url", page, "-title", "A")
	s.settle()
	first = s.must(s.alpha.Person("alice").Reply(s.ctx, id, "First."))
	s.settle()
	return s, c, page, id, first
}

// state is the state of a post in every place where it is told: JSON, page, Note.
func (s *stage) state(page, id string) string {
	s.t.Helper()
	_, doc := s.get(s.base+"/api/v1/thread?url="+page, "*/*")
	state := doc["post"].(map[string]any)["state"].(string)
	if closed := s.note(id)["commentsEnabled"] == false; closed != (state == "closed") {
		s.t.Fatalf("JSON says %s, the Note says %v", state, !closed)
	}
	shown := s.page(s.base + "/t?url=" + page)
	if closed := strings.Contains(shown, "Comments are closed."); closed != (state == "closed") || closed == strings.Contains(shown, "Reply from your") {
		s.t.Fatalf("JSON says %s, the page says %s", state, shown)
	}
	return state
}

// page is a page as a browser gets it.
func (s *stage) page(url string) string {
	s.t.Helper()
	resp, err := s.http.Get(url)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		s.t.Fatal(err)
	}
	return b.String()
}

func (s *stage) expectState(page, id, want string) {
	s.t.Helper()
	s.settle()
	if got := s.state(page, id); got != want {
		s.t.Fatalf("%s at %s, want %s", got, s.now().UTC(), want)
	}
}

func TestR081_ClosingIsToldOnceAndSilently(t *testing.T) {
	s, c, page, id, _ := opened(t, "")
	s.must(s.alpha.Person("anton").Follow(s.ctx, s.base+"/actor"))
	s.must(s.beta.Person("bob").Follow(s.ctx, s.base+"/actor"))
	s.settle()
	open := s.note(id)
	c.advance(time.Minute)
	s.afterword("close", page)
	for _, server := range []*fedtest.Server{s.alpha, s.beta} { // alice takes part on alpha, where anton follows: one inbox
		note := s.expectReceived(server, "Update", 1)[0].Activity["object"].(map[string]any)
		if note["content"] != open["content"] || note["published"] != open["published"] || !onlyBlogMayReply(note, s.base+"/actor") || note["commentsEnabled"] != false {
			t.Errorf("told %v", note)
		}
		if updated, err := time.Parse(time.RFC3339, note["updated"].(string)); err != nil || updated.Before(c.t.Truncate(time.Second)) {
			t.Errorf("updated %v, %v", updated, err)
		}
	}
}

func TestR082_TheNoteSaysItAndReopeningReversesIt(t *testing.T) {
	s, _, page, id, _ := opened(t, "")
	open := s.note(id)
	s.afterword("close", page)
	s.expectState(page, id, "closed")
	s.afterword("reopen", page)
	s.expectState(page, id, "open")
	again := s.note(id)
	delete(open, "updated")
	delete(again, "updated")
	if was, is := fmt.Sprint(open), fmt.Sprint(again); was != is {
		t.Errorf("was %s\nis  %s", was, is)
	}
}

// TestR089_S36_ItIsSaidEverywhere: wherever readers look, a closed thread says so and offers no reply, and an open one
// does; a closed branch says it where it begins.
func TestR089_S36_ItIsSaidEverywhere(t *testing.T) {
	s, _, page, id, first := opened(t, "")
	second := s.must(s.gamma.Person("carol").Reply(s.ctx, id, "Second."))
	s.settle()
	const notice, branch, offer = "Comments are closed.", "Replies to this comment are closed.", "Reply from your"
	places := []string{"/t?url=" + page, "/embed/thread?url=" + page, "/posts/a/"}
	sees := func(notices, branches, offers int) {
		t.Helper()
		s.start() // what a command writes is noticed after a second; here, at once
		s.settle()
		for _, place := range places {
			text := s.page(s.base + place)
			if n, b, o := strings.Count(text, notice), strings.Count(text, branch), strings.Count(text, offer); n != notices || b != branches || o != offers {
				t.Errorf("%s: %d notices, %d at branches, %d offers to reply; want %d, %d, %d\n%s", place, n, b, o, notices, branches, offers, text)
			}
		}
		if told := strings.Contains(s.page(s.base+"/t.atom?url="+page), notice); told != (notices > 0) {
			t.Errorf("the feed says closed: %v", told)
		}
		if told := strings.Contains(s.page(s.base+"/reply?uri="+id), notice); told != (notices > 0) {
			t.Errorf("the page to reply from says closed: %v", told)
		}
	}
	sees(0, 0, 3) // the post and two comments
	s.afterword("close", page, "-branch", first)
	sees(0, 1, 2)
	s.afterword("close", page)
	sees(1, 1, 0)
	s.afterword("reopen", page)
	s.afterword("reopen", page, "-branch", first)
	s.afterword("close", "all")
	sees(1, 0, 0)
	if text := s.page(s.base + "/reply?uri=" + second); !strings.Contains(text, notice) {
		t.Error("the page to reply to a comment from is open")
	}
}

func TestCloseReopenCloseEndsInOneTrueUpdate(t *testing.T) {
	s, _, page, _, _ := opened(t, "")
	s.must(s.alpha.Person("alice").Follow(s.ctx, s.base+"/actor"))
	s.settle()
	for range 3 {
		s.afterword("close", page)
		s.afterword("reopen", page)
	}
	s.afterword("close", page)
	if note := s.expectReceived(s.alpha, "Update", 1)[0].Activity["object"].(map[string]any); note["commentsEnabled"] != false {
		t.Errorf("told %v", note)
	}
}

func TestR083_R084_S35_LateRepliesAtEveryDepth(t *testing.T) {
	s, c, page, id, first := opened(t, "")
	carol := s.gamma.Person("carol")
	second := s.must(carol.Reply(s.ctx, first, "Second."))
	s.settle()
	s.afterword("close", page)
	s.settle()
	var late []string
	for i, parent := range []string{id, first, second} {
		late = append(late, s.must(carol.Reply(s.ctx, parent, fmt.Sprintf("Late %d.", i))))
		s.settle()
	}
	late = append(late, s.must(carol.Reply(s.ctx, late[0], "Below a late one.")))
	late = append(late, s.must(s.beta.Person("bob").Write(s.ctx, fedtest.Draft{InReplyTo: first, HTML: "Forced.", Force: true})))
	s.expect(page, "closed: 2 comments, 0 likes, 0 boosts, 5 late", "@alice First.", "  @carol Second.")
	for _, url := range []string{s.base + "/replies/a/?page=1", s.base + "/context/a/?page=1", s.base + "/t?url=" + page, s.base + "/embed/thread?url=" + page} {
		text := s.page(url)
		for _, id := range late {
			if strings.Contains(text, id) {
				t.Errorf("%s shows %s", url, id)
			}
		}
	}
	s.expectReceived(s.beta, "Reject", 1)
	reject := s.expectReceived(s.gamma, "Reject", 1)[0] // one an hour, to the personal inbox
	if reject.Activity["object"] != late[0] || reject.Activity["id"] == nil || reject.Activity["target"] != id || reject.Inbox == s.gamma.Base+"/inbox" {
		t.Errorf("%s at %s", reject.Raw, reject.Inbox)
	}
	c.advance(61 * time.Minute)
	s.must(carol.Reply(s.ctx, id, "An hour later."))
	s.expectReceived(s.gamma, "Reject", 2)
	if got := s.page(s.base + "/t?url=" + page); !strings.Contains(got, "6 replies came after") {
		t.Errorf("the page does not count late replies: %s", got)
	}
}

// TestR084_LateByEveryPath: an unknown parent that has to be fetched, and a reply that somebody passes on, are late too.
func TestR084_LateByEveryPath(t *testing.T) {
	s, c, page, id, first := opened(t, "")
	s.afterword("close", page)
	c.advance(time.Hour)
	anton := s.alpha.Person("anton")
	unseen := s.must(anton.Write(s.ctx, fedtest.Draft{InReplyTo: first, HTML: "Never pushed.", WithoutMentions: true}))
	below := s.must(anton.Reply(s.ctx, unseen, "Below what was never pushed."))
	create := anton.Activity("Create", s.note(below)) // as Mastodon would push it if it mentioned the blog
	if a := anton.Send(s.ctx, s.base+"/inbox", create, fedtest.Envelope{}); a.Status != http.StatusAccepted {
		t.Fatalf("%+v", a)
	}
	s.expect(page, "closed: 1 comments, 0 likes, 0 boosts, 2 late", "@alice First.")
	passed := s.must(s.beta.Person("bob").Write(s.ctx, fedtest.Draft{InReplyTo: id, HTML: "Passed on.", WithoutMentions: true, Force: true}))
	note := map[string]any{"id": passed, "type": "Note", "inReplyTo": id, "content": "Something else."}
	create = map[string]any{"id": passed + "#create", "type": "Create", "actor": s.beta.Person("bob").ID, "object": note}
	if a := s.gamma.Person("carol").Send(s.ctx, s.base+"/inbox", s.gamma.Person("carol").Activity("Announce", create), fedtest.Envelope{}); a.Status != http.StatusAccepted {
		t.Fatalf("%+v", a)
	}
	s.expect(page, "closed: 1 comments, 0 likes, 0 boosts, 3 late", "@alice First.")
	if got := s.afterword("comment", "list", "-state", "late"); !strings.Contains(got, "Never pushed.") || !strings.Contains(got, "Passed on.") || strings.Contains(got, "Something else.") {
		t.Errorf("the blogger sees %s", got)
	}
}

func TestS39_RepliesUnderWayWhenItClosedAreHeld(t *testing.T) {
	s, c, page, id, _ := opened(t, "")
	c.advance(time.Minute)
	written := c.t
	s.afterword("close", page)
	c.advance(10*time.Minute - time.Second)
	held := s.must(s.gamma.Person("carol").Write(s.ctx, fedtest.Draft{InReplyTo: id, HTML: "On its way.", Published: written.Add(-time.Second)}))
	c.advance(time.Second)
	s.must(s.gamma.Person("chen").Write(s.ctx, fedtest.Draft{InReplyTo: id, HTML: "Too late.", Published: written.Add(-time.Second)}))
	s.expect(page, "closed: 1 comments, 0 likes, 0 boosts, 1 late", "@alice First.")
	if got := s.afterword("comment", "list", "-state", "pending"); !strings.Contains(got, held) || strings.Contains(got, "Too late") {
		t.Errorf("held: %s", got)
	}
	s.afterword("comment", "approve", held)
	s.expect(page, "closed: 2 comments, 0 likes, 0 boosts, 1 late", "@alice First.", "@carol On its way.")
}

func TestR086_S38_ClosingByAge(t *testing.T) {
	s, c := inMemory(t, "[comments]\nclose_after = \"10d\"\n")
	page := s.blog + "a/"
	id := s.afterword("post", "add", "-url", page, "-title", "A")
	s.must(s.alpha.Person("alice").Follow(s.ctx, s.base+"/actor"))
	s.settle()
	c.advance(10*24*time.Hour - time.Second)
	s.expectState(page, id, "open")
	s.must(s.alpha.Person("alice").Reply(s.ctx, id, "Just in time."))
	s.start()
	c.advance(time.Second)
	s.expectState(page, id, "closed")
	s.start()
	s.expectState(page, id, "closed")
	s.expectReceived(s.alpha, "Update", 1)
	s.must(s.alpha.Person("alice").Reply(s.ctx, id, "A second late."))
	s.expect(page, "closed: 1 comments, 0 likes, 0 boosts, 1 late", "@alice Just in time.")
	s.afterword("reopen", page)
	c.advance(24 * time.Hour)
	s.start()
	s.expectState(page, id, "open") // by hand wins over age …
	s.afterword("close", page)      // … until closed again
	s.expectState(page, id, "closed")
	s.afterword("reopen", page)
	s.afterword("close", page, "-at", "2h") // a time for later leaves it open until then
	c.advance(2*time.Hour - time.Second)
	s.expectState(page, id, "open")
	c.advance(time.Second)
	s.expectState(page, id, "closed")
}

// TestClosingLaterThanByAge: a time that the age would forestall needs a reopening first, and is not silently lost.
func TestClosingLaterThanByAge(t *testing.T) {
	s, c, page, id, _ := opened(t, "[comments]\nclose_after = \"10d\"\n")
	if got := s.fails("close", page, "-at", "20d"); !strings.Contains(got, "close before that") || !strings.Contains(got, "afterword reopen "+page) {
		t.Error(got)
	}
	s.afterword("reopen", page)
	s.afterword("close", page, "-at", "20d")
	c.advance(20*24*time.Hour - time.Second)
	s.expectState(page, id, "open")
	c.advance(time.Second)
	s.expectState(page, id, "closed")
}

func TestClosingAtATime(t *testing.T) {
	s, c, page, id, _ := opened(t, "")
	s.afterword("close", page, "-at", "3h")
	s.expectState(page, id, "open")
	if _, doc := s.get(s.base+"/api/v1/thread?url="+page, "*/*"); doc["post"].(map[string]any)["closes_at"] == nil || doc["post"].(map[string]any)["closed_at"] != nil {
		t.Errorf("%v", doc["post"])
	}
	c.advance(3*time.Hour - time.Second)
	s.expectState(page, id, "open")
	s.expectReceived(s.alpha, "Update", 0)
	c.advance(time.Second)
	s.expectState(page, id, "closed")
	s.expectReceived(s.alpha, "Update", 1)
}

func TestClosingByNumber(t *testing.T) {
	s, c, page, id, first := opened(t, "[comments]\nclose_after_comments = 2\n")
	c.advance(time.Minute)
	s.expectState(page, id, "open")
	s.must(s.gamma.Person("carol").Reply(s.ctx, first, "The last one."))
	s.expectState(page, id, "closed")
	s.must(s.alpha.Person("alice").Delete(s.ctx, first))
	s.expectState(page, id, "closed") // a deletion opens nothing
	c.advance(time.Minute)
	s.must(s.gamma.Person("carol").Reply(s.ctx, id, "One too many."))
	s.expect(page, "closed: 1 comments, 0 likes, 0 boosts, 1 late", "(deleted)", "  @carol The last one.")
	c.advance(time.Minute)
	late := s.must(s.gamma.Person("chen").Reply(s.ctx, id, "Let me in."))
	s.settle()
	s.afterword("comment", "approve", late)
	s.expect(page, "closed: 2 comments, 0 likes, 0 boosts, 1 late", "(deleted)", "  @carol The last one.", "@chen Let me in.")
	s.expectState(page, id, "closed")
	s.afterword("reopen", page)
	s.expectState(page, id, "open")
}

// TestClosingByNumberIsExact: replies that come together are not let in together when only some of them fit. What the blog
// and the blogger say takes nobody's place.
func TestClosingByNumberIsExact(t *testing.T) {
	s, c, page, id, _ := opened(t, "owner = \"@anton@alpha.test\"\n[comments]\nclose_after_comments = 3\n")
	c.advance(time.Minute)
	s.afterword("reply", page, "Three at the most.")
	s.must(s.alpha.Person("anton").Reply(s.ctx, id, "I mean it."))
	s.settle()
	for _, name := range []string{"carol", "chen", "cora", "curt"} {
		c.advance(time.Second)
		s.must(s.gamma.Person(name).Reply(s.ctx, id, "And I."))
	}
	c.advance(time.Second) // whichever of them are let in, all were written before
	s.expectState(page, id, "closed")
	if got := s.thread(page); !strings.HasPrefix(got, "closed: 5 comments, 0 likes, 0 boosts, 0 late") {
		t.Error(got)
	}
	if s.pending() != 2 { // they were written before it closed
		t.Errorf("%d wait for the blogger", s.pending())
	}
	_, before := s.get(s.base+"/api/v1/thread?url="+page, "*/*")
	c.advance(time.Hour)
	s.afterword("reply", page, "That was it.")
	s.must(s.alpha.Person("anton").Reply(s.ctx, id, "Good night."))
	s.settle()
	_, after := s.get(s.base+"/api/v1/thread?url="+page, "*/*")
	if was, is := before["post"].(map[string]any)["closed_at"], after["post"].(map[string]any)["closed_at"]; was != is {
		t.Errorf("closed at %v, then at %v", was, is)
	}
}

// TestClosingByNumberWhereModerated: only what was let in counts.
func TestClosingByNumberWhereModerated(t *testing.T) {
	s, _ := inMemory(t, "[comments]\nmoderation = \"all\"\nclose_after_comments = 1\n")
	page := s.blog + "a/"
	id := s.afterword("post", "add", "-url", page, "-title", "A")
	one := s.must(s.gamma.Person("carol").Reply(s.ctx, id, "One."))
	s.must(s.gamma.Person("chen").Reply(s.ctx, id, "Two."))
	s.expectState(page, id, "moderated")
	s.afterword("comment", "approve", one)
	s.expectState(page, id, "closed")
}

func TestClosingABranch(t *testing.T) {
	s, _, page, id, first := opened(t, "")
	carol := s.gamma.Person("carol")
	second := s.must(carol.Reply(s.ctx, first, "Second."))
	s.settle()
	s.afterword("close", page, "-branch", first)
	s.expectState(page, id, "open")
	s.must(carol.Reply(s.ctx, second, "In the closed branch."))
	s.must(carol.Reply(s.ctx, id, "Beside it."))
	s.expect(page, "open: 3 comments, 0 likes, 0 boosts, 1 late", "@alice First.", "  @carol Second.", "@carol Beside it.")
	if got := s.page(s.base + "/t?url=" + page); strings.Count(got, "closed") == 0 {
		t.Errorf("the page does not say that the branch is closed")
	}
	if got := s.fails("close", page, "-branch", first); !strings.Contains(got, "closed already") {
		t.Error(got)
	}
	s.afterword("reopen", page, "-branch", first)
	s.must(carol.Reply(s.ctx, second, "Open again."))
	s.expect(page, "open: 4 comments, 0 likes, 0 boosts, 1 late", "@alice First.", "  @carol Second.", "    @carol Open again.", "@carol Beside it.")
}

func TestClosingEverything(t *testing.T) {
	s, _, page, id, _ := opened(t, "")
	other := s.blog + "b/"
	s.afterword("post", "add", "-url", other, "-title", "B")
	s.settle()
	s.afterword("close", other)
	s.afterword("close", "all")
	s.expectState(page, id, "closed")
	s.expectReceived(s.alpha, "Update", 1)
	if got := s.fails("reopen", page); !strings.Contains(got, "reopen all") {
		t.Error(got)
	}
	s.afterword("post", "add", "-url", s.blog+"c/", "-title", "C")
	s.expect(s.blog+"c/", "closed: 0 comments, 0 likes, 0 boosts, 0 late")
	s.afterword("reopen", "all")
	s.expectState(page, id, "open")
	s.expectReceived(s.alpha, "Update", 2)
	s.expect(other, "closed: 0 comments, 0 likes, 0 boosts, 0 late") // it was closed for itself
}

func TestCreatedClosed(t *testing.T) {
	s, _ := inMemory(t, "")
	s.must(s.beta.Person("bob").Follow(s.ctx, s.base+"/actor"))
	s.settle()
	id := s.afterword("post", "add", "-url", s.blog+"a/", "-title", "A", "-closed")
	if note := s.expectReceived(s.beta, "Create", 1)[0].Activity["object"].(map[string]any); note["commentsEnabled"] != false {
		t.Errorf("told %v", note)
	}
	if _, err := s.beta.Person("bob").Reply(s.ctx, id, "May I?"); !errors.Is(err, fedtest.ErrClosed) {
		t.Errorf("its users may reply: %v", err)
	}
}

func TestClosedNotice(t *testing.T) {
	s, _, page, id, _ := opened(t, "[comments]\nclosed_notice = true\n")
	if text := s.note(id)["content"].(string); strings.Contains(text, "closed") {
		t.Error(text)
	}
	s.afterword("close", page)
	if text := s.note(id)["content"].(string); !strings.HasSuffix(text, "<p>Comments are closed.</p>") {
		t.Error(text)
	}
}

func TestClosingWord(t *testing.T) {
	s, _, page, id, _ := opened(t, "")
	s.afterword("close", page, "-say", "Thanks, *all*.")
	s.settle()
	answers := s.expectReceived(s.alpha, "Create", 1)
	note := answers[0].Activity["object"].(map[string]any)
	if note["inReplyTo"] != id || !strings.Contains(note["content"].(string), "<em>all</em>") || note["context"] != s.note(id)["context"] {
		t.Errorf("%v", note)
	}
	s.expect(page, "closed: 2 comments, 0 likes, 0 boosts, 0 late", "@alice First.", "@blog@comments.test Thanks, all.")
	if got := s.note(note["id"].(string)); got["commentsEnabled"] != false || !onlyBlogMayReply(got, s.base+"/actor") {
		t.Errorf("the closing word says %v", got)
	}
}

// TestAnswersSayWhetherTheyMayBeAnswered: servers look at the policy of the very note that is answered.
func TestAnswersSayWhetherTheyMayBeAnswered(t *testing.T) {
	s, c, page, id, first := opened(t, "")
	own, below := s.afterword("reply", page, "Beside it."), s.afterword("reply", first, "In the branch.")
	closed := func(answer string) bool {
		t.Helper()
		note := s.note(answer)
		closed := note["commentsEnabled"] == false
		if closed != onlyBlogMayReply(note, s.base+"/actor") {
			t.Fatalf("%v", note)
		}
		return closed
	}
	s.settle()
	if closed(own) || closed(below) {
		t.Error("closed before anything was")
	}
	s.afterword("close", page, "-branch", first)
	if closed(own) || !closed(below) {
		t.Errorf("after the branch was closed: %v beside it, %v in it", closed(own), closed(below))
	}
	s.afterword("close", page, "-branch", own)
	if update := s.expectReceived(s.alpha, "Update", 1)[0].Activity["object"].(map[string]any); update["id"] != own || update["commentsEnabled"] != false {
		t.Errorf("told %v", update)
	}
	s.afterword("reopen", page, "-branch", first)
	s.afterword("reopen", page, "-branch", own)
	c.advance(time.Minute)
	s.afterword("close", page)
	s.expectState(page, id, "closed")
	if !closed(own) || !closed(below) {
		t.Error("open though the thread is closed")
	}
}

// TestTheBloggerMayAnswerInAClosedThread also with an account elsewhere. Who only names the blogger's page may not.
func TestTheBloggerMayAnswerInAClosedThread(t *testing.T) {
	s, c, page, id, first := opened(t, "owner = \"https://alpha.test/@anton\"\n")
	s.afterword("close", page)
	c.advance(time.Hour)
	s.must(s.alpha.Person("anton").Reply(s.ctx, first, "I add this."))
	s.must(s.gamma.Person("anton").Reply(s.ctx, id, "So do I!"))
	s.expect(page, "closed: 2 comments, 0 likes, 0 boosts, 1 late", "@alice First.", "  @anton I add this.")
}

func TestR085_S37_WhatStandsCanChange(t *testing.T) {
	s, _, page, _, first := opened(t, "")
	alice, carol := s.alpha.Person("alice"), s.gamma.Person("carol")
	second := s.must(carol.Reply(s.ctx, first, "Second."))
	s.must(carol.Like(s.ctx, s.base+"/posts/a/"))
	s.settle()
	s.afterword("close", page)
	s.must(alice.Edit(s.ctx, first, "Edited."))
	s.must(carol.Delete(s.ctx, second))
	s.must(carol.Unlike(s.ctx, s.base+"/posts/a/"))
	s.must(alice.Boost(s.ctx, s.base+"/posts/a/"))
	s.expect(page, "closed: 1 comments, 0 likes, 1 boosts, 0 late", "@alice Edited. (edited)")
	s.must(alice.DeleteAccount(s.ctx))
	s.expect(page, "closed: 0 comments, 0 likes, 0 boosts, 0 late")
}

func TestR087_RequestsToReply(t *testing.T) {
	s, _, page, id, _ := opened(t, "")
	bob := s.beta.Person("bob")
	ask := func(reply string) fedtest.Delivery {
		t.Helper()
		before := len(s.received(s.beta, "Accept")) + len(s.received(s.beta, "Reject"))
		request := bob.Activity("ReplyRequest", id)
		request["instrument"] = reply
		if a := bob.Send(s.ctx, s.base+"/inbox", request, fedtest.Envelope{}); a.Status != http.StatusAccepted {
			t.Fatalf("%+v", a)
		}
		s.settle()
		all := append(s.received(s.beta, "Accept"), s.received(s.beta, "Reject")...)
		if len(all) != before+1 {
			t.Fatalf("%d answers", len(all)-before)
		}
		answer := s.beta.Received()[len(s.beta.Received())-1]
		if object := answer.Activity["object"].(map[string]any); object["id"] != request["id"] || object["type"] != "ReplyRequest" {
			t.Errorf("%s", answer.Raw)
		}
		return answer
	}
	granted := ask(s.beta.Base + "/users/bob/statuses/1")
	if granted.Type != "Accept" {
		t.Fatalf("%s", granted.Raw)
	}
	proof := s.note(granted.Activity["result"].(string))
	if proof["type"] != "ReplyAuthorization" || proof["interactingObject"] != s.beta.Base+"/users/bob/statuses/1" || proof["interactionTarget"] != id || proof["attributedTo"] != s.base+"/actor" {
		t.Errorf("%v", proof)
	}
	s.afterword("close", page)
	if refused := ask(s.beta.Base + "/users/bob/statuses/2"); refused.Type != "Reject" {
		t.Errorf("%s", refused.Raw)
	}
}

func TestR088_ModeratedThreads(t *testing.T) {
	s, _ := inMemory(t, "[comments]\nmoderation = \"first\"\n")
	page := s.blog + "a/"
	id := s.afterword("post", "add", "-url", page, "-title", "A")
	policy := s.note(id)["interactionPolicy"].(map[string]any)["canReply"].(map[string]any)
	if fmt.Sprint(policy["manualApproval"]) != "[https://www.w3.org/ns/activitystreams#Public]" || fmt.Sprint(policy["automaticApproval"]) != "["+s.base+"/actor]" {
		t.Errorf("%v", policy)
	}
	bob, carol := s.beta.Person("bob"), s.gamma.Person("carol")
	good := s.must(bob.Write(s.ctx, fedtest.Draft{InReplyTo: id, HTML: "Hello.", Force: true}))
	bad := s.must(carol.Reply(s.ctx, id, "Buy this."))
	s.expect(page, "moderated: 0 comments, 0 likes, 0 boosts, 0 late")
	for _, url := range []string{"/replies/a/?page=1", "/context/a/?page=1", "/t?url=" + page, "/embed/thread?url=" + page, "/api/v1/thread?url=" + page} {
		if text := s.page(s.base + url); strings.Contains(text, "Hello.") || strings.Contains(text, good) {
			t.Errorf("%s shows what waits: %s", url, text)
		}
	}
	s.afterword("comment", "approve", good)
	s.afterword("comment", "hide", bad)
	accept := s.expectReceived(s.beta, "Accept", 1)[0]
	if accept.Activity["object"] != good || s.note(accept.Activity["result"].(string))["interactingObject"] != good {
		t.Errorf("%s", accept.Raw)
	}
	if reject := s.expectReceived(s.gamma, "Reject", 1)[0]; reject.Activity["object"] != bad {
		t.Errorf("%s", reject.Raw)
	}
	s.must(bob.Write(s.ctx, fedtest.Draft{InReplyTo: id, HTML: "Again.", Force: true}))
	s.expect(page, "moderated: 2 comments, 0 likes, 0 boosts, 0 late", "@bob Hello.", "@bob Again.")
	s.afterword("comment", "hide", good)
	if status, _ := s.get(accept.Activity["result"].(string), "application/activity+json"); status != http.StatusNotFound {
		t.Errorf("the approval of a hidden reply still stands: %d", status)
	}
}

func TestR090_QuotesAreRefused(t *testing.T) {
	s, _, _, id, _ := opened(t, "")
	bob := s.beta.Person("bob")
	request := bob.Activity("QuoteRequest", id)
	request["instrument"] = s.beta.Base + "/users/bob/statuses/9"
	bob.Send(s.ctx, s.base+"/inbox", request, fedtest.Envelope{})
	s.expectReceived(s.beta, "Reject", 1)
	if who := fmt.Sprint(s.note(id)["interactionPolicy"].(map[string]any)["canQuote"].(map[string]any)["automaticApproval"]); who != "["+s.base+"/actor]" {
		t.Error(who)
	}
}

// TestPostShowSaysWhatClosesIt and all else that the blogger may want to know.
func TestPostShowSaysWhatClosesIt(t *testing.T) {
	s, c, page, id, first := opened(t, "[comments]\nclose_after = \"10d\"\nclose_after_comments = 2\nmoderation = \"first\"\n")
	shows := func(want string) {
		t.Helper()
		s.settle()
		if got := s.afterword("post", "show", page); !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	shows(" 0 late, 1 waiting\n")
	shows(", moderated, closes by age at ")
	s.afterword("close", page, "-at", "1h")
	shows(", moderated, closes by hand at ")
	s.afterword("close", "all")
	shows(", closed with all threads since ")
	s.afterword("reopen", "all")
	s.afterword("comment", "approve", first)
	s.must(s.alpha.Person("alice").Reply(s.ctx, id, "Me again."))
	shows(", closed by the number of comments since ")
	s.afterword("reopen", page)
	s.afterword("close", page, "-branch", first)
	shows("closed branches: " + first)
	c.advance(11 * 24 * time.Hour)
	shows(", moderated\n2 comments") // reopened
	var shown map[string]any
	if err := json.Unmarshal([]byte(s.afterword("post", "show", page, "-json")), &shown); err != nil || shown["closed_by"] != "" || fmt.Sprint(shown["closed_branches"]) != "["+first+"]" {
		t.Errorf("%v %v", shown, err)
	}
}

func TestClosingRefusesNonsense(t *testing.T) {
	s, _, page, id, first := opened(t, "")
	other := s.afterword("post", "add", "-url", s.blog+"b/", "-title", "B")
	before := s.page(s.base + "/api/v1/thread?url=" + page)
	for name, args := range map[string][]string{
		"an unknown post":          {"close", s.blog + "nope/"},
		"a time in the past":       {"close", page, "-at", "-3d"},
		"no time":                  {"close", page, "-at", "soon"},
		"an unknown branch":        {"close", page, "-branch", "https://alpha.test/nope"},
		"a branch of another post": {"close", other, "-branch", first},
		"a say of nothing":         {"close", page, "-say", "  "},
		"an open thread reopened":  {"reopen", page},
		"an open branch reopened":  {"reopen", page, "-branch", first},
		"nothing closed together":  {"reopen", "all"},
		"all with a branch":        {"close", "all", "-branch", first},
		"a branch with a say":      {"close", page, "-branch", first, "-say", "Enough."},
		"all with a say":           {"close", "all", "-say", "Enough."},
		"a date in the past":       {"close", page, "-at", "2020-01-01"},
		"this very moment":         {"close", page, "-at", "0s"},
		"an unknown approval":      {"comment", "approve", "https://alpha.test/nope"},
		"two arguments":            {"close", page, id},
		"none":                     {"close"},
	} {
		s.fails(args...)
		s.settle()
		if after := s.page(s.base + "/api/v1/thread?url=" + page); after != before {
			t.Errorf("%s changed something: %s", name, after)
		}
	}
	s.afterword("close", page)
	if got := s.fails("close", page); !strings.Contains(got, "closed already, since ") {
		t.Error(got)
	}
}

// TestCloseAgainstReplies: replies and a closing at the same moment. Whatever is shown afterwards was shown before the
// closing was committed, and what came late is counted.
func TestCloseAgainstReplies(t *testing.T) {
	s, _ := onSockets(t)
	page := s.blog + "a/"
	id := s.afterword("post", "add", "-url", page, "-title", "A")
	count := func(what string) int {
		_, doc := s.get(s.base+"/api/v1/thread?url="+page, "*/*")
		return int(doc["post"].(map[string]any)[what].(float64))
	}
	var replying sync.WaitGroup
	const writers, each = 4, 25
	closed := make(chan struct{})
	for w := range writers {
		replying.Go(func() {
			for n := range each {
				if n == each-1 { // however fast they were, the last ones come late
					<-closed
				}
				s.beta.Person(fmt.Sprint("writer", w)).Write(s.ctx, fedtest.Draft{InReplyTo: id, HTML: fmt.Sprint("reply ", n), Force: true}) //nolint:errcheck // counted below
			}
		})
	}
	if !s.await(func() bool { return count("comments") > 10 }) {
		t.Fatal("no comments")
	}
	s.afterword("close", page)
	close(closed)
	replying.Wait()
	if !s.await(func() bool { return count("comments")+count("late")+s.pending() == writers*each }) {
		t.Fatalf("%d shown, %d late, %d held of %d", count("comments"), count("late"), s.pending(), writers*each)
	}
	// A reply is before or after the closing by the order of their commits.
	db, err := storage.Open(filepath.Join(filepath.Dir(s.config), "afterword.db"), storage.Options{Base: s.base})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	post, err := db.FindPost(s.ctx, page)
	if err != nil {
		t.Fatal(err)
	}
	comments, err := db.Thread(s.ctx, post.ID)
	if err != nil || len(comments) != writers*each {
		t.Fatal(len(comments), err)
	}
	for _, c := range comments {
		if after := c.Received.After(post.ClosesAt); after && c.State == thread.Visible || c.Received.Before(post.ClosesAt) && c.State != thread.Visible {
			t.Errorf("received %s, closed %s, %s", c.Received, post.ClosesAt, c.State)
		}
	}
	if count("late") == 0 && s.pending() == 0 {
		t.Error("nothing came late")
	}
}

// TestClosingInManyProcessesAtOnce: the thread is closed once, and the world hears of it once.
func TestClosingInManyProcessesAtOnce(t *testing.T) {
	s, p := onSockets(t)
	page := s.blog + "a/"
	s.afterword("post", "add", "-url", page, "-title", "A")
	s.must(s.alpha.Person("alice").Follow(s.ctx, s.base+"/actor"))
	s.expectReceived(s.alpha, "Accept", 1)
	var closing sync.WaitGroup
	var closed atomic.Int32
	for range 4 {
		closing.Go(func() {
			out, err := exec.Command(p.path, "-config", s.config, "close", page).CombinedOutput()
			if err == nil {
				closed.Add(1)
			} else if !strings.Contains(string(out), "closed already, since ") {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	closing.Wait()
	if closed.Load() == 0 {
		t.Error("nobody closed it")
	}
	s.expectReceived(s.alpha, "Update", 1)
	s.afterword("reopen", page) // whatever else were told of the closing would have been told before this
	updates := s.expectReceived(s.alpha, "Update", 2)
	if first, last := updates[0].Activity["object"].(map[string]any), updates[1].Activity["object"].(map[string]any); first["commentsEnabled"] != false || last["commentsEnabled"] == false {
		t.Errorf("%s\n%s", updates[0].Raw, updates[1].Raw)
	}
}

func (s *stage) pending() int {
	return strings.Count(s.afterword("comment", "list", "-state", "pending", "-limit", "1000"), "  pending ")
}

// TestS40_TheRealThread: a real closed thread, eight comments four levels deep, comes out of the federation path as it was.
func TestS40_TheRealThread(t *testing.T) {
	file := cmp.Or(os.Getenv("AFTERWORD_TEST_SEED"), "../../../shared/seed/thread.json")
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("needs the real thread, and there is no file %s (AFTERWORD_TEST_SEED may name another)", file)
	}
	var seed struct {
		Post     struct{ Title, URL, Published string }
		Comments []struct {
			ID, Parent int
			Paragraphs []string
			Published  time.Time
		}
	}
	if err == nil {
		err = json.Unmarshal(text, &seed)
	}
	if err != nil {
		t.Fatal(err)
	}
	s, _ := inMemory(t, "")
	page := s.blog + "2009/07/06/the-real-thread/"
	ids := map[int]string{0: s.afterword("post", "add", "-url", page, "-title", seed.Post.Title, "-published", seed.Post.Published)}
	s.settle()
	want := []string{"closed: 8 comments, 0 likes, 0 boosts, 0 late"}
	depth := map[int]int{0: -1}
	for i, c := range seed.Comments {
		person := s.alpha.Person(fmt.Sprint("commenter", i+1))
		var body strings.Builder
		for _, p := range c.Paragraphs {
			body.WriteString("<p>" + html.EscapeString(p) + "</p>")
		}
		ids[c.ID] = s.must(person.Write(s.ctx, fedtest.Draft{InReplyTo: ids[c.Parent], HTML: body.String(), Published: c.Published}))
		s.settle()
		depth[c.ID] = depth[c.Parent] + 1
		want = append(want, strings.Repeat("  ", depth[c.ID])+person.Handle()[:strings.LastIndex(person.Handle(), "@")]+" "+strings.Join(strings.Fields(strings.Join(c.Paragraphs, "")), " "))
	}
	s.afterword("close", page)
	s.settle()
	if got := html.UnescapeString(s.plain(s.thread(page))); got != strings.Join(want, "\n") {
		t.Errorf("readers see\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	if !strings.Contains(s.page(s.base+"/t?url="+page), "Comments are closed.") {
		t.Error("the page does not say that comments are closed")
	}
}
