package main

import (
	"strings"
	"testing"
)

// TestR102_Story is the product in one story: follow, post, reply, nested reply, edit, delete, close, late reply, reopen.
// It is played twice: here in memory, and in TestStoryOfTheProgram with the built program on real sockets.
func TestR102_Story(t *testing.T) {
	s, _ := inMemory(t, "")
	story(s)
}

func story(s *stage) {
	page := s.blog + "2026/march/"
	alice, bob, carol := s.alpha.Person("alice"), s.beta.Person("bob"), s.gamma.Person("carol")
	actor := s.base + "/actor"

	// Alice and her neighbour follow the blog; each gets an Accept that holds the whole Follow.
	s.must(alice.Follow(s.ctx, actor))
	s.must(s.alpha.Person("anna").Follow(s.ctx, actor))
	accepts := s.expectReceived(s.alpha, "Accept", 2)
	if follow := accepts[0].Activity["object"].(map[string]any); follow["type"] != "Follow" || follow["actor"] != alice.ID {
		s.t.Fatalf("%s", accepts[0].Raw)
	}
	if got := alice.Following(actor); got != "following" {
		s.t.Fatalf("alice is %q", got)
	}

	// A new post reaches their server once, and is a Note under the id that the page's template can write.
	id := s.afterword("post", "add", "-url", page, "-title", "March", "-summary", "It rains.")
	if want := s.base + "/posts" + strings.TrimPrefix(page, s.origin()); id != want {
		s.t.Fatalf("the post is %s, want %s", id, want)
	}
	s.expectReceived(s.alpha, "Create", 1)
	s.expect(page, "open: 0 comments, 0 likes, 0 boosts, 0 late")

	// Replies stand where they belong, whatever server they come from.
	first := s.must(alice.Reply(s.ctx, id, "Here too."))
	s.expect(page, "open: 1 comments, 0 likes, 0 boosts, 0 late",
		"@alice Here too.")
	second := s.must(bob.Reply(s.ctx, first, "Not here!"))
	s.expect(page, "open: 2 comments, 0 likes, 0 boosts, 0 late",
		"@alice Here too.",
		"  @bob Not here!")
	third := s.must(carol.Reply(s.ctx, second, "Lucky you."))
	s.must(carol.Like(s.ctx, id))
	s.must(carol.Boost(s.ctx, id))
	s.expect(page, "open: 3 comments, 1 likes, 1 boosts, 0 late",
		"@alice Here too.",
		"  @bob Not here!",
		"    @carol Lucky you.")

	// Their authors edit and delete them.
	s.must(bob.Edit(s.ctx, second, "Sunshine here!"))
	s.must(alice.Delete(s.ctx, first))
	s.must(carol.Unlike(s.ctx, id))
	s.expect(page, "open: 2 comments, 0 likes, 1 boosts, 0 late",
		"(deleted)",
		"  @bob Sunshine here! (edited)",
		"    @carol Lucky you.")

	// Closing tells followers and participants, once each, and the Note says so.
	s.afterword("close", page)
	for name, update := range map[string]map[string]any{
		"alpha": s.expectReceived(s.alpha, "Update", 1)[0].Activity,
		"beta":  s.expectReceived(s.beta, "Update", 1)[0].Activity,
		"gamma": s.expectReceived(s.gamma, "Update", 1)[0].Activity,
	} {
		if note := update["object"].(map[string]any); note["commentsEnabled"] != false || !onlyBlogMayReply(note, actor) {
			s.t.Fatalf("%s was told %v", name, note)
		}
	}
	if note := s.note(id); note["commentsEnabled"] != false || !onlyBlogMayReply(note, actor) {
		s.t.Fatalf("the Note says %v", note)
	}

	// A reply that comes now is accepted, kept for the blogger, not shown, and rejected once.
	late := s.must(carol.Reply(s.ctx, second, "Still raining?"))
	s.expectReceived(s.gamma, "Reject", 1)
	s.must(carol.Reply(s.ctx, id, "Hello?"))
	s.expect(page, "closed: 2 comments, 0 likes, 1 boosts, 2 late",
		"(deleted)",
		"  @bob Sunshine here! (edited)",
		"    @carol Lucky you.")
	reject := s.expectReceived(s.gamma, "Reject", 1)[0]
	if reject.Activity["object"] != late || !strings.HasSuffix(reject.Inbox, "/inbox") || reject.Activity["actor"] != actor {
		s.t.Fatalf("%s at %s", reject.Raw, reject.Inbox)
	}
	if got := s.afterword("comment", "list", "-state", "late"); !strings.Contains(got, "Still raining?") {
		s.t.Fatalf("the blogger sees %q", got)
	}
	if got := s.afterword("inbox", "list", "-reply", late); !strings.Contains(got, "late") || !strings.Contains(got, "comments were closed at") {
		s.t.Fatalf("why it is not shown: %q", got)
	}

	// Edits and deletions of what stands are still honoured.
	s.must(bob.Edit(s.ctx, second, "Clouds."))
	s.must(carol.Delete(s.ctx, third))
	s.expect(page, "closed: 1 comments, 0 likes, 1 boosts, 2 late",
		"(deleted)",
		"  @bob Clouds. (edited)")

	// Reopened, it takes replies again; an account that stops following gets nothing more.
	s.afterword("reopen", page)
	s.expectReceived(s.alpha, "Update", 2)
	s.must(alice.Reply(s.ctx, second, "And now snow."))
	s.expect(page, "open: 2 comments, 0 likes, 1 boosts, 2 late",
		"(deleted)",
		"  @bob Clouds. (edited)",
		"    @alice And now snow.")
	s.must(alice.Unfollow(s.ctx, actor))
	s.must(s.alpha.Person("anna").Unfollow(s.ctx, actor))
	s.expectFollowers(0)
	s.afterword("post", "add", "-url", s.blog+"2026/april/", "-title", "April")
	s.expect(s.blog+"2026/april/", "open: 0 comments, 0 likes, 0 boosts, 0 late")
	s.expectReceived(s.alpha, "Create", 1)
}

func (s *stage) origin() string {
	scheme, rest, _ := strings.Cut(s.blog, "://")
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host
}

func onlyBlogMayReply(note map[string]any, actor string) bool {
	policy := note["interactionPolicy"].(map[string]any)["canReply"].(map[string]any)
	for _, spelling := range []string{"automaticApproval", "always"} {
		if who, ok := policy[spelling].([]any); !ok || len(who) != 1 || who[0] != actor {
			return false
		}
	}
	return true
}

func (s *stage) expectFollowers(want int) {
	s.t.Helper()
	got := 0
	if !s.await(func() bool {
		got = strings.Count(s.afterword("follower", "list")+"\n", "\n")
		return got == max(want, 1)
	}) {
		s.t.Fatalf("%d followers, want %d", got, want)
	}
}
