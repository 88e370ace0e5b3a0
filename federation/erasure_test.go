package federation_test

import (
	"bytes"
	"os"
	"testing"

	"afterword/thread"
)

// inFiles tells whether any file of the database has these bytes.
func (s *stage) inFiles(canary string) (found []string) {
	s.Helper()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		text, err := os.ReadFile(s.path + suffix)
		if err != nil && !os.IsNotExist(err) {
			s.Fatal(err)
		}
		if bytes.Contains(text, []byte(canary)) {
			found = append(found, "blog.db"+suffix)
		}
	}
	return found
}

func (s *stage) erased(canaries ...string) {
	s.Helper()
	for _, c := range canaries {
		if found := s.inFiles(c); found != nil {
			s.Errorf("%q is still in %v\n%s", c, found, s.ledger())
		}
	}
}

// SECURITY P17: what was taken back is in no file any more.
func TestErasure(t *testing.T) {
	const id = "https://eve.test/n/1"
	setUp := func(t *testing.T) (*stage, *stranger) {
		s := open(t)
		eve, bob := s.stranger("https://eve.test/eve"), s.stranger("https://bob.test/bob")
		eve.with(object{"name": "Evelyn-Canary"})
		eve.says(eve.create(eve.note(id, note, "First-canary.")))
		eve.says(eve.activity("Like", note))
		eve.says(changed(eve.activity("ReplyRequest", note), object{"instrument": eve.note(id, note, "First-canary.")}))
		bob.says(bob.create(bob.note("https://bob.test/n/1", id, "I keep my place.")))
		liked := changed(bob.activity("Like", eve.note(id, note, "First-canary.")), object{"id": "https://bob.test/likes/1"})
		bob.says(liked)
		bob.says(changed(bob.activity("Undo", liked), object{"id": "https://bob.test/undone/1"}))
		lost := changed(eve.note("https://eve.test/n/2", "https://eve.test/n/nowhere", "Second-canary."), object{"cc": []any{actor}})
		eve.says(eve.create(lost))
		if s.inFiles("First-canary.") == nil || s.inFiles("Second-canary.") == nil || s.inFiles("Evelyn-Canary") == nil {
			t.Fatal("this test cannot find what is there")
		}
		return s, eve
	}
	t.Run("a comment", func(t *testing.T) {
		s, eve := setUp(t)
		eve.says(eve.activity("Delete", object{"id": id, "type": "Tombstone"}))
		s.shows("(deleted)", "  @pbob@bob.test: <p>I keep my place.</p>")
		s.erased("First-canary.")
	})
	t.Run("by the blogger", func(t *testing.T) {
		s, _ := setUp(t)
		if err := s.db.RemoveComment(s.ctx, id); err != nil {
			t.Fatal(err)
		}
		s.erased("First-canary.")
	})
	t.Run("an account", func(t *testing.T) {
		s, eve := setUp(t)
		eve.says(eve.activity("Delete", eve.id))
		s.shows("(deleted)", "  @pbob@bob.test: <p>I keep my place.</p>")
		s.erased("First-canary.", "Second-canary.", "Evelyn-Canary")
		if p := s.post(); p.Likes != 0 {
			t.Error("its like still counts")
		}
	})
	t.Run("no longer public", func(t *testing.T) {
		s, eve := setUp(t)
		eve.says(eve.activity("Update", changed(eve.note(id, note, "First-canary."), object{"to": []any{eve.id + "/followers"}})))
		s.erased("First-canary.")
	})
}

// Private words are in no file, whoever brings them and however (SECURITY P16).
func TestPrivateWordsAreNowhere(t *testing.T) {
	s := open(t)
	eve, group := s.stranger("https://eve.test/eve"), s.stranger("https://lemmy.test/c/group")
	secret := changed(eve.note("https://eve.test/n/1", note, "Private-canary."), object{"to": []any{eve.id + "/followers", actor}})
	s.serve("https://eve.test/n/1", secret)
	eve.says(eve.create(secret))
	group.says(changed(group.activity("Announce", eve.create(secret)), object{"id": "https://lemmy.test/a/1", "to": []any{public}}))
	group.says(changed(group.activity("Announce", secret), object{"id": "https://lemmy.test/a/2", "to": []any{public}}))
	eve.says(changed(eve.activity("ReplyRequest", note), object{"instrument": secret}))
	eve.says(changed(eve.activity("QuoteRequest", note), object{"instrument": secret}))
	if err := s.db.Pull(s.ctx, thread.IRI("https://eve.test/n/1"), 0); err != nil {
		t.Fatal(err)
	}
	s.settle()
	s.shows("")
	s.erased("Private-canary.")
}
