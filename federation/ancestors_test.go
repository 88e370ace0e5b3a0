package federation_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"afterword/storage"
	"afterword/thread"
)

// inReplyTo may name our Note, our page or the post's page in any of its spellings, also where it was before it moved
// (SCENARIOS 6, 7, 40).
func TestWhatAReplyAnswers(t *testing.T) {
	s := open(t)
	eve := s.stranger("https://eve.test/eve")
	move := func(to string) {
		if _, _, err := s.db.SavePost(s.ctx, storage.Draft{URL: to, GUID: "march", Title: "March", Quiet: true}); err != nil {
			t.Fatal(err)
		}
	}
	answered := func(moved bool) {
		for i, answers := range []any{note, strings.TrimSuffix(note, "/"), note + "#top", page, strings.TrimSuffix(page, "/"), page + "#comments",
			page + "?utm_source=fedi&utm_medium=x", "http://www.blog.test/2026/march", "HTTPS://BLOG.TEST/2026/march/index.html", page + "?fbclid=1#a",
			[]any{"https://elsewhere.test/1", note}, []any{page}, object{"id": note, "type": "Note"}, object{"type": "Link", "href": page}} {
			id := fmt.Sprintf("https://eve.test/n/%d-%v", i, moved)
			eve.says(eve.create(changed(eve.note(id, "", "Here."), object{"inReplyTo": answers})))
			if c, err := s.db.Comment(s.ctx, thread.IRI(id)); err != nil || c.Post != note || c.Parent != "" || c.State != thread.Visible {
				t.Errorf("%v, moved %v: %v %v\n%s", answers, moved, c, err, s.ledger())
			}
		}
	}
	answered(false)
	move(page)
	move("https://blog.test/march/")
	answered(true)
}

// chain serves n notes, each the answer to the one before, and returns their ids, the topmost first.
func (s *stage) chain(p *stranger, n int, top string) (ids []string, notes []object) {
	for i := range n {
		id := fmt.Sprintf("%s/chain/%d", p.id, i)
		o := changed(p.note(id, top, fmt.Sprintf("Step %d.", i)), object{"cc": []any{actor}})
		s.serve(id, o)
		ids, notes, top = append(ids, id), append(notes, o), id
	}
	return ids, notes
}

// SCENARIOS 9, PROTOCOL 50: twenty unknown steps up are found; a way that is longer is not gone to its end.
func TestUnknownAncestors(t *testing.T) {
	for n, found := range map[int]bool{2: true, 21: true, 22: false, 300: false} {
		s := open(t)
		eve := s.stranger("https://eve.test/eve")
		ids, notes := s.chain(eve, n, note)
		asked := s.outbound()
		eve.says(eve.create(notes[n-1]))
		if got := s.post().Comments; got != map[bool]int{true: n, false: 0}[found] {
			t.Errorf("%d steps: %d comments\n%s", n, got, s.ledger())
		}
		if got := s.outbound() - asked; got > 30 {
			t.Errorf("%d steps: %d requests", n, got)
		}
		if want := map[bool]thread.Decision{true: thread.Shown, false: thread.Orphaned}[found]; s.verdict(ids[n-1]) != want {
			t.Errorf("%d steps: %s", n, s.verdict(ids[n-1]))
		}
		if n == 22 { // the missing end comes by itself: all that waited wakes
			eve.says(eve.create(notes[0]))
			if got := s.post().Comments; got != n {
				t.Errorf("%d steps, then the first came: %d comments\n%s", n, got, s.ledger())
			}
		}
	}
}

// An orphan is kept with its reason, not shown, and woken when what it answers comes, even long after.
func TestOrphansWake(t *testing.T) {
	s := open(t)
	eve := s.stranger("https://eve.test/eve")
	_, notes := s.chain(eve, 3, note)
	s.answer(eve.id+"/chain/1", answer{status: http.StatusForbidden})
	eve.says(eve.create(notes[2]))
	s.shows("")
	if v := s.verdict(eve.id + "/chain/2"); v != thread.Orphaned {
		t.Errorf("%s\n%s", v, s.ledger())
	}
	eve.says(eve.create(notes[0]))
	s.clock.advance(3 * 24 * time.Hour)
	eve.says(eve.create(notes[1]))
	s.shows("@peve@eve.test: <p>Step 0.</p>", "  @peve@eve.test: <p>Step 1.</p>", "    @peve@eve.test: <p>Step 2.</p>")
}

func TestCirclesEnd(t *testing.T) {
	for _, n := range []int{1, 2, 5} {
		s := open(t)
		eve := s.stranger("https://eve.test/eve")
		_, notes := s.chain(eve, n, fmt.Sprintf("%s/chain/%d", eve.id, n-1))
		for _, o := range notes {
			eve.says(eve.create(o))
		}
		s.shows("")
		if v := s.verdict(notes[0]["id"].(string)); v != thread.Orphaned {
			t.Errorf("%d: %s\n%s", n, v, s.ledger())
		}
		s.passes(time.Hour)
		if n := s.outbound(); n > 40 {
			t.Errorf("%d requests", n)
		}
	}
}

// SECURITY P11: a server that invents without end makes us ask at most thirty times, read at most 2 MiB, keep at most twenty
// ancestors, and meet nobody who was merely mentioned.
func TestEndlessAncestors(t *testing.T) {
	s := open(t)
	eve := s.stranger("https://eve.test/eve")
	var asked, read int
	pad := strings.Repeat("x", 200<<10)
	s.visits("eve.test", func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.URL.Path, "/deep/") {
			return false
		}
		here := "https://eve.test" + r.URL.Path
		mentions := []any{}
		for i := range 50 {
			mentions = append(mentions, object{"type": "Mention", "href": fmt.Sprintf("https://m%d.test/%s", i, r.URL.Path)})
		}
		o := changed(eve.note(here, here+"a", "Deeper."), object{"tag": mentions, "replies": here + "/replies"})
		if asked++; asked == 5 {
			o["content"] = pad
		}
		body := encode(o)
		read += len(body)
		s.respondWith(w, body)
		return true
	})
	o := changed(eve.note("https://eve.test/deep/", "https://eve.test/deep/a", "At the bottom."), object{"cc": []any{actor}})
	eve.says(eve.create(o))
	s.passes(time.Hour)
	if asked > 30 || read > 2<<20 || s.post().Comments > 0 {
		t.Errorf("%d requests, %d bytes, %d comments", asked, read, s.post().Comments)
	}
	all, _ := s.db.Ledger(s.ctx, "", 1000)
	if len(all) > 21 {
		t.Errorf("%d rows are kept", len(all))
	}
	if slices.ContainsFunc(s.network.Log(), func(line string) bool { return strings.Contains(line, "//m") }) {
		t.Error("somebody who was mentioned was looked up")
	}
}

// PROTOCOL 71: after three minutes away, threads in which something happened lately are looked at at once.
func TestAfterAnOutage(t *testing.T) {
	s := open(t)
	first := s.must(s.alpha.Person("alice").Reply(s.ctx, note, "One."))
	s.passes(25 * time.Hour) // it is looked at seldom by now
	s.network.Serve(host, nil)
	s.quietly(s.gamma.Person("carol"), first, "Sent while you were away.")
	s.clock.advance(5 * time.Minute)
	s.restart()
	s.passes(3 * time.Minute)
	if got := strip(s.thread()); !strings.Contains(got, "Sent while you were away.") {
		t.Errorf("%s\n%s", got, s.ledger())
	}
}

// Servers that never answer, which many replies make us ask, hold up no way up to a post but their own, however many they
// are.
func TestHangingAncestors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t)
		bob := s.stranger("https://bob.test/bob")
		send := func(p *stranger, id, parent string) {
			p.send(p.create(changed(p.note(id, parent, "Below."), object{"cc": []any{actor}})))
			synctest.Wait()
		}
		ctx, stop := context.WithCancel(s.ctx)
		var running sync.WaitGroup
		running.Go(func() { s.fed.Run(ctx) })
		for i := range 30 {
			origin := fmt.Sprintf("https://e%d.test", i%15)
			eve := s.stranger(origin + "/eve")
			if i < 15 {
				s.visits(origin[len("https://"):], func(_ http.ResponseWriter, r *http.Request) bool {
					if strings.HasPrefix(r.URL.Path, "/hang/") {
						<-r.Context().Done()
					}
					return false
				})
			}
			send(eve, fmt.Sprintf("%s/n/%d", origin, i), fmt.Sprintf("%s/hang/%d", origin, i))
		}
		s.serve("https://bob.test/n/1", bob.note("https://bob.test/n/1", note, "Above."))
		send(bob, "https://bob.test/n/2", "https://bob.test/n/1")
		time.Sleep(15 * time.Second) // of the bubble: each was asked once
		synctest.Wait()
		got := s.words()
		stop()
		running.Wait()
		if got != "@pbob@bob.test: Above. @pbob@bob.test: Below." {
			t.Errorf("readers see %q\n%s", got, s.ledger())
		}
	})
}
