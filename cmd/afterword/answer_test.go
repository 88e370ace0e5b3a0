package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestR028_TheBlogAnswers: an answer is a Note of the blog that mentions whom it answers, reaches the whole thread, wears
// the Author badge, can be changed and taken back, and is answered in turn.
func TestR028_TheBlogAnswers(t *testing.T) {
	s, c, page, id, first := opened(t, "")
	alice, carol := s.alpha.Person("alice"), s.gamma.Person("carol")
	s.must(s.beta.Person("bob").Follow(s.ctx, s.base+"/actor"))
	s.must(carol.Reply(s.ctx, first, "Me too."))
	s.settle()
	c.advance(time.Minute)

	answer := s.afterword("reply", first, "Thank you, **Alice**.")
	s.settle()
	for _, server := range s.servers() { // author, participant, follower
		if got := len(s.expectReceived(server, "Create", 1)); got != 1 {
			t.Errorf("%s got %d", server.Base, got)
		}
	}
	note := s.note(answer)
	if note["inReplyTo"] != first || note["attributedTo"] != s.base+"/actor" || note["context"] != s.note(id)["context"] || note["conversation"] != note["context"] {
		t.Errorf("%v", note)
	}
	if !strings.Contains(fmt.Sprint(note["cc"]), alice.ID) || !strings.Contains(fmt.Sprint(note["tag"]), "Mention") || !strings.Contains(fmt.Sprint(note["tag"]), alice.ID) {
		t.Errorf("alice is not mentioned: cc %v tag %v", note["cc"], note["tag"])
	}
	s.expect(page, "open: 3 comments, 0 likes, 0 boosts, 0 late", "@alice First.", "  @carol Me too.", "  @blog@comments.test Thank you, Alice.")
	_, doc := s.get(s.base+"/api/v1/thread?url="+page, "*/*")
	if author := doc["comments"].([]any)[2].(map[string]any)["author"].(map[string]any); author["owner"] != true || author["name"] != "The Blog" {
		t.Errorf("%v", author)
	}

	// It is answered in turn, also by somebody who found it by its id.
	s.must(alice.Reply(s.ctx, answer, "You are welcome."))
	s.expect(page, "open: 4 comments, 0 likes, 0 boosts, 0 late", "@alice First.", "  @carol Me too.", "  @blog@comments.test Thank you, Alice.", "    @alice You are welcome.")
	if replies := s.note(answer + "/replies")["first"].(map[string]any)["items"].([]any); len(replies) != 1 {
		t.Errorf("%v", replies)
	}

	// Changed, then taken back.
	c.advance(time.Minute)
	s.afterword("reply", "-edit", answer, "Thanks, Alice.")
	s.expectReceived(s.beta, "Update", 1)
	s.expect(page, "open: 4 comments, 0 likes, 0 boosts, 0 late", "@alice First.", "  @carol Me too.", "  @blog@comments.test Thanks, Alice. (edited)", "    @alice You are welcome.")
	s.afterword("comment", "remove", answer)
	s.expectReceived(s.beta, "Delete", 1)
	if status, tombstone := s.get(answer, "application/activity+json"); status != http.StatusNotFound || tombstone["type"] != "Tombstone" {
		t.Errorf("%d %v", status, tombstone)
	}
	s.expect(page, "open: 3 comments, 0 likes, 0 boosts, 0 late", "@alice First.", "  @carol Me too.", "  (deleted)", "    @alice You are welcome.")

	// The post itself is answered; nothing else is.
	own := s.afterword("reply", page, "One more thing.")
	if note := s.note(own); note["inReplyTo"] != id {
		t.Errorf("%v", note["inReplyTo"])
	}
	if got := s.fails("reply", "https://alpha.test/nope", "Hello?"); !strings.Contains(got, "there is no comment or post") {
		t.Error(got)
	}
	if got := s.fails("reply", "-edit", first, "Not mine."); !strings.Contains(got, "no answer of the blog") {
		t.Error(got)
	}
}

// TestOwnerIsTheAuthor: replies of the configured account carry the badge and wait for nobody.
func TestOwnerIsTheAuthor(t *testing.T) {
	s, _ := inMemory(t, "owner = \"@alice@alpha.test\"\n[comments]\nmoderation = \"all\"\n")
	page := s.blog + "a/"
	id := s.afterword("post", "add", "-url", page, "-title", "A")
	s.must(s.alpha.Person("alice").Reply(s.ctx, id, "It is me."))
	s.must(s.gamma.Person("alice").Reply(s.ctx, id, "No, me!"))
	s.expect(page, "moderated: 1 comments, 0 likes, 0 boosts, 0 late", "@alice It is me.")
	_, doc := s.get(s.base+"/api/v1/thread?url="+page, "*/*")
	if author := doc["comments"].([]any)[0].(map[string]any)["author"].(map[string]any); author["owner"] != true || author["id"] != s.alpha.Person("alice").ID {
		t.Errorf("%v", author)
	}
}
