package federation_test

import (
	"testing"

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
