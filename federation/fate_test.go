package federation_test

import (
	"fmt"
	"testing"

	"afterword/federation"
	"afterword/thread"
)

// A page leads to its reply by the alternate that it names, where its server does not answer with the reply itself.
func TestFateOfAPage(t *testing.T) {
	s := open(t)
	eve := s.stranger("https://eve.test/eve")
	s.serve("https://eve.test/n/1", eve.note("https://eve.test/n/1", note, "Found by its page."))
	s.serve("https://eve.test/n/2", changed(eve.note("https://eve.test/n/2", note, "Private-canary."), object{"to": []any{actor}}))
	for path, head := range map[string]string{"1": `<link rel=alternate type="application/activity+json" href="https://eve.test/n/1">`, "3": "<title>None</title>"} {
		s.answer("https://eve.test/@eve/"+path, answer{kind: "text/html; charset=utf-8", body: []byte("<!doctype html><head>" + head)})
	}
	for address, want := range map[string]thread.Decision{"https://eve.test/@eve/1#top": thread.Shown, "https://eve.test/n/2": thread.Secret,
		"https://eve.test/@eve/3": thread.Unknown} {
		f, err := s.fed.Fate(s.ctx, address)
		if err != nil || f.Decision != want || !f.Fetched || f.Reason == "" && want != thread.Shown {
			t.Errorf("%s: %+v %v\n%s", address, f, err, s.ledger())
		}
	}
	s.shows("@peve@eve.test: <p>Found by its page.</p>")
	s.erased("Private-canary.")
}

// Whatever became of a reply, there is an answer, with its reason and time.
func TestFates(t *testing.T) {
	s := open(t, func(c *federation.Config) { c.Rules.Moderation = thread.ModerateAll })
	eve, bad := s.stranger("https://eve.test/eve"), s.stranger("https://bad.test/bad")
	say := func(n int, members object) string {
		id := fmt.Sprint("https://eve.test/n/", n)
		eve.says(eve.create(changed(eve.note(id, note, "<p>Here.</p>"), members)))
		return id
	}
	moderated := func(n int, to thread.State) string {
		id := say(n, nil)
		if err := s.db.Moderate(s.ctx, thread.IRI(id), to); err != nil {
			t.Fatal(err)
		}
		return id
	}
	want := map[string]thread.Decision{
		say(1, nil):                   thread.Held,
		say(2, object{"content": ""}): thread.Ignored,
		moderated(3, thread.Hidden):   thread.NotShown,
		moderated(4, thread.Visible):  thread.Shown,
		"https://bad.test/n/1":        thread.Refused, // written by another
		"https://eve.test/nowhere":    thread.Unknown,
		say(5, object{"inReplyTo": "https://eve.test/n/404", "cc": []any{actor}}): thread.Orphaned,
	}
	bad.says(bad.create(changed(bad.note("https://bad.test/n/1", note, "Not mine."), object{"attributedTo": "https://bad.test/another"})))
	for address, decision := range want {
		f, err := s.fed.Fate(s.ctx, address)
		if err != nil || f.Decision != decision || f.Reason == "" && decision != thread.Shown || f.At.IsZero() && decision != thread.Unknown {
			t.Errorf("%s: %+v %v, want %s", address, f, err, decision)
		}
	}
}
