package federation_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"afterword/federation/fedtest"
	"afterword/storage/storagetest"
	"afterword/thread"
)

// passes lets time pass and everything happen in it. The clock goes from one moment at which something falls due to the
// next, by five seconds, the shortest pause of backfill, or more, but never so far that the server takes it for an absence.
func (s *stage) passes(d time.Duration) {
	s.Helper()
	db, err := sql.Open("sqlite", "file:"+s.path+"?mode=ro")
	if err != nil {
		s.Fatal(err)
	}
	defer db.Close()
	for end := s.clock.now().Add(d); s.clock.now().Before(end); {
		now := s.clock.now()
		s.clock.advance(max(5*time.Second, min(s.nextEvent(db, now).Sub(now), end.Sub(now), 150*time.Second)))
		s.settle()
	}
}

// nextEvent is the next moment at which something falls due or a rest ends; an hour from now when there is nothing.
func (s *stage) nextEvent(db *sql.DB, now time.Time) time.Time {
	s.Helper()
	const cooldown = 15 * 60 * 1000
	var ms int64
	err := db.QueryRowContext(s.ctx, `SELECT COALESCE(MIN(at), 0) FROM (SELECT due AS at FROM checks UNION ALL SELECT due FROM received WHERE decision = ''
		UNION ALL SELECT rests FROM origins UNION ALL SELECT ended + $1 FROM runs WHERE ended > 0 UNION ALL SELECT due FROM deliveries) WHERE at > $2`,
		cooldown, now.UnixMilli()).Scan(&ms)
	if err != nil {
		s.Fatal(err)
	}
	if ms == 0 {
		return now.Add(time.Hour)
	}
	return time.UnixMilli(ms)
}

// quietly writes a reply that is sent to nobody but whom its author must send it to: the blog is not told.
func (s *stage) quietly(p *fedtest.Person, inReplyTo, html string) string {
	s.Helper()
	sent, err := p.Write(s.ctx, fedtest.Draft{InReplyTo: inReplyTo, HTML: html, WithoutMentions: true})
	if err != nil {
		s.Fatal(err)
	}
	s.settle()
	s.clock.advance(time.Second) // so that their order is certain
	return sent.Note
}

// visits are the documents that a host was asked for, and when.
type visits struct {
	at []time.Time
	of []string
}

// documents is how many of them were not about what somebody is called, which is no part of a run.
func (v *visits) documents() (n int) {
	for _, uri := range v.of {
		if !strings.HasPrefix(uri, "/.well-known/webfinger?") {
			n++
		}
	}
	return n
}

// visits notes from now on who is asked for what, and lets answer, which may be nil, answer in a host's place.
func (s *stage) visits(authority string, answer func(w http.ResponseWriter, r *http.Request) bool) *visits {
	v, inside := new(visits), s.network.Handler(authority)
	s.network.Serve(authority, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			v.at, v.of = append(v.at, s.clock.now()), append(v.of, r.RequestURI)
		}
		if answer == nil || !answer(w, r) {
			inside.ServeHTTP(w, r)
		}
	}))
	return v
}

func TestR073_RepliesThatNobodySentUs(t *testing.T) {
	s := open(t)
	delta := s.server("delta.test", "mastodon")
	first := s.must(s.alpha.Person("alice").Reply(s.ctx, note, "One."))
	two := s.quietly(s.alpha.Person("dave"), first, "Two, her neighbour.")
	three := s.quietly(delta.Person("dora"), first, "Three, from elsewhere.")
	s.quietly(s.alpha.Person("alice"), two, "Four, below it.")
	s.quietly(delta.Person("dirk"), three, "Five, below that.")
	s.shows("@alice@alpha.test: " + s.comment(first).HTML)

	s.passes(20 * time.Minute) // the first look is after ten minutes; what it finds is completed in the same run
	want := []string{"@alice@alpha.test: One.", "  @dave@alpha.test: Two, her neighbour.", "    @alice@alpha.test: Four, below it.",
		"  @dora@delta.test: Three, from elsewhere.", "    @dirk@delta.test: Five, below that."}
	if got := strip(s.thread()); got != strings.Join(want, "\n") {
		t.Errorf("readers see\n%s\nledger:\n%s\n%s", got, s.ledger(), strings.Join(s.network.Log(), "\n"))
	}
}

// strip is a thread without markup and without the mentions that begin a comment.
func strip(thread string) string {
	lines := strings.Split(thread, "\n")
	for i, line := range lines {
		indent := len(line) - len(strings.TrimLeft(line, " "))
		said := strings.Fields(storagetest.Words(line))
		kept := said[:1]
		for _, w := range said[1:] {
			if !strings.HasPrefix(w, "@") {
				kept = append(kept, w)
			}
		}
		lines[i] = strings.Repeat(" ", indent) + strings.Join(kept, " ")
	}
	return strings.Join(lines, "\n")
}

// reply makes a stranger's pushed comment whose collections a test serves itself.
func (s *stage) withReplies(p *stranger, id string, replies any) {
	s.Helper()
	o := changed(p.note(id, note, "Look below."), object{"replies": replies})
	s.serve(id, o)
	p.says(p.create(o))
}

// below serves replies of a stranger to a comment, n of them, and returns their ids.
func (s *stage) below(p *stranger, parent string, n int) (ids []any) {
	for i := range n {
		id := fmt.Sprintf("%s/below/%d", p.id, i)
		s.serve(id, p.note(id, parent, fmt.Sprintf("Below %d.", i)))
		ids = append(ids, id)
	}
	return ids
}

func TestR074_PagesOfReplies(t *testing.T) {
	const id = "https://eve.test/n/1"
	page := func(name, next string, items ...any) object {
		return object{"id": "https://eve.test/r?" + name, "type": "CollectionPage", "next": next, "items": items}
	}
	collection := func(first any) object {
		return object{"id": "https://eve.test/r", "type": "Collection", "first": first}
	}
	for name, c := range map[string]struct {
		replies any
		pages   []object
		want    int
		reads   int
	}{
		"an empty first page with a next": {collection(page("0", "https://eve.test/r?1")), []object{page("1", "", "https://eve.test/eve/below/0")}, 1, 1},
		"first by its address":            {collection("https://eve.test/r?1"), []object{page("1", "", "https://eve.test/eve/below/0")}, 1, 1},
		"the collection by its address":   {"https://eve.test/r", []object{{"id": "https://eve.test/r", "type": "OrderedCollection", "orderedItems": []any{"https://eve.test/eve/below/0"}}}, 1, 1},
		"a page that is its own next":     {collection(page("0", "https://eve.test/r?1")), []object{page("1", "https://eve.test/r?1", "https://eve.test/eve/below/0")}, 1, 1},
		"pages in a circle": {collection(page("0", "https://eve.test/r?1")),
			[]object{page("1", "https://eve.test/r?2"), page("2", "https://eve.test/r?1", "https://eve.test/eve/below/0")}, 1, 2},
		"the next page elsewhere": {collection(page("0", "https://mallory.test/r?1")), nil, 0, 0},
		"a collection elsewhere":  {object{"id": "https://mallory.test/r", "type": "Collection", "first": "https://mallory.test/r?1"}, nil, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			eve := s.stranger("https://eve.test/eve")
			s.below(eve, id, 1)
			s.serve("https://mallory.test/r?1", page("1", "", "https://eve.test/eve/below/0"))
			for _, p := range c.pages {
				s.serve(p["id"].(string), p)
			}
			s.withReplies(eve, id, c.replies)
			s.passes(15 * time.Minute)
			if n := s.post().Comments - 1; n != c.want {
				t.Errorf("%d found, want %d\n%s", n, c.want, s.ledger())
			}
			var reads int
			for _, line := range s.network.Log() {
				if strings.HasPrefix(line, "GET https://eve.test/r") || strings.Contains(line, "mallory") {
					reads++
				}
			}
			if reads != c.reads {
				t.Errorf("%d pages read, want %d:\n%s", reads, c.reads, strings.Join(s.network.Log(), "\n"))
			}
		})
	}
}

func (s *stage) post() thread.Post {
	s.Helper()
	p, err := s.db.Post(s.ctx, note)
	if err != nil {
		s.Fatal(err)
	}
	return p
}

func TestR075_OneOriginIsAskedAtItsLeisure(t *testing.T) {
	const id = "https://eve.test/n/1"
	s := open(t)
	eve := s.stranger("https://eve.test/eve")
	s.withReplies(eve, id, object{"id": id + "/r", "type": "Collection", "items": s.below(eve, id, 230)})
	v := s.visits("eve.test", nil)
	s.passes(40 * time.Minute) // 10 until the first look, then 201 requests at 5 seconds
	for i := 1; i < len(v.at); i++ {
		if pause := v.at[i].Sub(v.at[i-1]); pause < 5*time.Second {
			t.Fatalf("asked for %s %s after %s", v.of[i], pause, v.of[i-1])
		}
	}
	if n := s.post().Comments; n != 201 {
		t.Errorf("%d comments after one run, want 1 and 200 that it found", n)
	}
	asked := v.documents()
	if asked > 300 {
		t.Errorf("%d requests in one run", asked)
	}
	s.db.Opened(note)
	s.passes(10 * time.Minute)
	if v.documents() > asked+300 {
		t.Errorf("%d requests during the rest after a run", v.documents()-asked)
	}
	s.passes(30 * time.Minute)
	if n := s.post().Comments; n != 231 {
		t.Errorf("%d comments after another run", n)
	}
}

// crowd are origins that keep everybody waiting for their documents until they are let go.
type crowd struct {
	mu   sync.Mutex
	held map[string][]chan bool // by origin: closed to let one that asks go
}

func (c *crowd) hold(ctx context.Context, origin string) {
	let := make(chan bool)
	c.mu.Lock()
	c.held[origin] = append(c.held[origin], let)
	c.mu.Unlock()
	select {
	case <-let:
	case <-ctx.Done():
	}
}

// release lets all go that are kept waiting, and tells how many each origin kept.
func (c *crowd) release() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	asked := map[string]int{}
	for origin, waiting := range c.held {
		asked[origin] = len(waiting)
		for _, let := range waiting {
			close(let)
		}
	}
	clear(c.held)
	return asked
}

// gather makes n origins, each with a comment, and with another one below a comment elsewhere that lists them all.
func (s *stage) gather(n int) *crowd {
	c, eve := &crowd{held: map[string][]chan bool{}}, s.stranger("https://eve.test/eve")
	var listed []any
	for i := range n {
		origin := fmt.Sprintf("o%d.test", i)
		p, one, two := s.stranger("https://"+origin+"/p"), "https://"+origin+"/n/1", "https://"+origin+"/n/2"
		s.serve(one, p.note(one, note, "Here."))
		s.serve(two, p.note(two, "https://eve.test/n/1", "Below."))
		listed = append(listed, two)
		p.says(p.create(p.note(one, note, "Here.")))
		inside := s.network.Handler(origin)
		s.network.Serve(origin, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/n/") {
				c.hold(r.Context(), origin)
			}
			inside.ServeHTTP(w, r)
		}))
	}
	s.withReplies(eve, "https://eve.test/n/1", object{"id": "https://eve.test/r", "type": "Collection", "items": listed})
	s.clock.advance(time.Minute)
	s.settle() // what they are called is known
	return c
}

// However many have something to be asked, four are asked at a time, each by one request (PROTOCOL 2e). In the bubble,
// synctest.Wait returns when nobody has anything left to do but to wait for an origin.
func TestR075_FourOriginsAreAskedAtATime(t *testing.T) {
	const origins, atATime = 12, 4
	synctest.Test(t, func(t *testing.T) {
		s := open(t)
		c := s.gather(origins)
		ctx, stop := context.WithCancel(s.ctx)
		var running sync.WaitGroup
		defer running.Wait()
		defer stop()
		s.clock.advance(10 * time.Minute)
		running.Go(func() { s.fed.Run(ctx) })
		for range 3 { // each has two comments, of which one is to be fetched before it is looked at
			for range origins / atATime {
				synctest.Wait()
				asked := c.release()
				if len(asked) != atATime || slices.Max(slices.Collect(maps.Values(asked))) != 1 {
					t.Errorf("asked at once: %v", asked)
				}
			}
			synctest.Wait()
			if asked := c.release(); len(asked) > 0 {
				t.Errorf("asked before they had their rest: %v", asked)
			}
			s.clock.advance(5 * time.Second)
			time.Sleep(5 * time.Second) // of the bubble, after which workers look whether something is due
		}
		if n := s.post().Comments; n != 1+2*origins {
			t.Errorf("%d comments, want %d\n%s", n, 1+2*origins, s.ledger())
		}
	})
}

func TestR076_TooManyRequests(t *testing.T) {
	const id = "https://eve.test/n/1"
	s := open(t)
	eve := s.stranger("https://eve.test/eve")
	s.withReplies(eve, id, object{"id": id + "/r", "type": "Collection", "items": s.below(eve, id, 20)})
	busy, until := false, time.Time{}
	v := s.visits("eve.test", func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/below/3") && !busy {
			busy, until = true, s.clock.now().Add(1800*time.Second)
			w.Header().Set("Retry-After", "1800")
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}
		return false
	})
	s.passes(90 * time.Minute)
	if !busy {
		t.Fatal("it was never asked for")
	}
	for i, at := range v.at {
		if at.After(until.Add(-1800*time.Second)) && at.Before(until) {
			t.Errorf("asked for %s while it wanted to be left alone", v.of[i])
		}
	}
	if n := s.post().Comments; n != 21 {
		t.Errorf("%d comments in the end, want 21\n%s", n, s.ledger())
	}
}

func TestR077_OnlyItsOwnServerSpeaksForAnObject(t *testing.T) {
	const id = "https://eve.test/n/1"
	s := open(t)
	eve, vic, mal := s.stranger("https://eve.test/eve"), s.stranger("https://vic.test/vic"), s.stranger("https://mal.test/mal")
	s.serve("https://vic.test/n/1", vic.note("https://vic.test/n/1", id, "My words."))
	s.serve("https://mal.test/n/9", vic.note("https://vic.test/n/2", id, "Not my words."))
	s.serve("https://mal.test/n/8", vic.note("https://mal.test/n/8", id, "Not mine either."))
	forged := vic.note("https://vic.test/n/1", id, "Twisted words.")
	s.withReplies(eve, id, object{"id": id + "/r", "type": "Collection", "items": []any{forged, mal.create(forged), "https://mal.test/n/9", "https://mal.test/n/8",
		vic.note("https://vic.test/n/404", id, "Never said.")}})
	s.passes(15 * time.Minute)
	if got := s.words(); got != "@peve@eve.test: Look below. @pvic@vic.test: My words." {
		t.Errorf("%s\n%s", got, s.ledger())
	}
}

// What a collection lists by another address is asked for by its own name, at leisure, and not again each time.
func TestR077_AddressesThatAreNotIds(t *testing.T) {
	const id = "https://eve.test/n/1"
	s := open(t)
	eve := s.stranger("https://eve.test/eve")
	real := eve.note("https://eve.test/n/2", id, "My words.")
	s.serve("https://eve.test/@eve/2", real)
	s.serve("https://eve.test/n/2", real)
	s.serve("https://eve.test/@eve/3", changed(real, object{"id": "https://eve.test/@eve/4"})) // which calls itself 3
	s.serve("https://eve.test/@eve/4", changed(real, object{"id": "https://eve.test/@eve/3"}))
	s.withReplies(eve, id, object{"id": id + "/r", "type": "Collection", "items": []any{"https://eve.test/@eve/2", "https://eve.test/@eve/3"}})
	v := s.visits("eve.test", nil)
	s.passes(90 * time.Minute)
	for i := 1; i < len(v.at); i++ {
		if pause := v.at[i].Sub(v.at[i-1]); pause < 5*time.Second {
			t.Fatalf("asked for %s %s after %s", v.of[i], pause, v.of[i-1])
		}
	}
	s.shows("@peve@eve.test: <p>Look below.</p>", "  @peve@eve.test: <p>My words.</p>")
	if n := s.outboundTo("https://eve.test/@eve/2"); n != 1 || len(v.at) > 16 {
		t.Errorf("asked %d times, and %d in all: %q", n, len(v.at), v.of)
	}
}

func TestR078_WhatWasFetchedIsLookedAtAgain(t *testing.T) {
	s := open(t)
	first := s.must(s.alpha.Person("alice").Reply(s.ctx, note, "One."))
	dave, erin := s.alpha.Person("dave"), s.alpha.Person("erin")
	two, three := s.quietly(dave, first, "Two."), s.quietly(erin, first, "Three.")
	s.quietly(s.alpha.Person("alice"), two, "Below two.")
	s.passes(15 * time.Minute)
	if n := s.post().Comments; n != 4 {
		t.Fatalf("%d comments\n%s", n, s.ledger())
	}
	quiet := func(_ fedtest.Sent, err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	quiet(dave.Delete(s.ctx, two))
	quiet(erin.Edit(s.ctx, three, "Three, better."))
	s.passes(2 * time.Hour)
	if got := strip(s.thread()); got != strings.Join([]string{"@alice@alpha.test: One.", "  (deleted)", "    @alice@alpha.test: Below two.",
		"  @erin@alpha.test: Three, better. (edited)"}, "\n") {
		t.Errorf("readers see\n%s\n%s", got, s.ledger())
	}
}

// A server that finds nothing for a while, not even its accounts, takes no comment away; one that never does in the end.
func TestServersInDisorder(t *testing.T) {
	s := open(t)
	eve := s.stranger("https://eve.test/eve")
	const id = "https://eve.test/n/1"
	s.serve(id, eve.note(id, note, "Here."))
	eve.says(eve.create(eve.note(id, note, "Here.")))
	found := true
	s.visits("eve.test", func(w http.ResponseWriter, r *http.Request) bool {
		if !found {
			http.NotFound(w, r)
		}
		return !found
	})
	found = false
	s.passes(4 * time.Hour)
	s.shows("@peve@eve.test: <p>Here.</p>")
	found = true
	s.passes(8 * time.Hour)
	s.shows("@peve@eve.test: <p>Here.</p>")
	found = false
	s.passes(3 * 24 * time.Hour)
	s.shows("")
}

func TestR079_WhatHasNoEnd(t *testing.T) {
	const id = "https://eve.test/n/1"
	s := open(t)
	eve := s.stranger("https://eve.test/eve")
	s.withReplies(eve, id, object{"id": id + "/r", "type": "Collection", "first": id + "/r?0"})
	v := s.visits("eve.test", func(w http.ResponseWriter, r *http.Request) bool {
		var n int
		switch _, err := fmt.Sscanf(r.RequestURI, "/n/1/r?%d", &n); {
		case err == nil: // a page of ten thousand, each different, and another page after it
			items := make([]any, 10_000)
			for i := range items {
				items[i] = fmt.Sprintf("https://eve.test/deep/%d-%d", n, i)
			}
			s.respondWith(w, object{"id": fmt.Sprint(id, "/r?", n), "type": "CollectionPage", "items": items, "next": fmt.Sprint(id, "/r?", n+1)})
		case strings.HasPrefix(r.RequestURI, "/deep/"): // each the answer to one that is never the same
			here := "https://eve.test" + r.RequestURI
			s.respondWith(w, eve.note(here, here+"+", "Deeper."))
		default:
			return false
		}
		return true
	})
	s.passes(40 * time.Minute)
	pages := 0
	for _, uri := range v.of {
		if strings.Contains(uri, "/r?") {
			pages++
		}
	}
	if v.documents() > 300 || pages > 10 {
		t.Errorf("%d requests, %d of them for pages", v.documents(), pages)
	}
	if n := s.post().Comments; n != 1 {
		t.Errorf("%d comments", n)
	}
}

func (s *stage) respondWith(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", asJSON)
	w.Write(encode(body)) //nolint:errcheck // into memory
}

func TestR080_WhatWasTakenAwayStaysAway(t *testing.T) {
	const id = "https://eve.test/n/1"
	s := open(t)
	eve, bad := s.stranger("https://eve.test/eve"), s.stranger("https://bad.test/bad")
	s.serve("https://bad.test/n/1", bad.note("https://bad.test/n/1", id, "Blocked."))
	ids := append(s.below(eve, id, 4), "https://bad.test/n/1")
	s.withReplies(eve, id, object{"id": id + "/r", "type": "Collection", "items": ids})
	say := func(n int) string { return ids[n].(string) }

	if _, _, err := s.db.Block(s.ctx, "bad.test"); err != nil { // a server that the blogger wants nothing of
		t.Fatal(err)
	}
	o := eve.note(say(0), id, "Taken back by its author.")
	eve.says(eve.create(o))
	eve.says(eve.activity("Delete", say(0)))
	eve.says(eve.activity("Delete", say(1))) // before it ever came
	eve.says(eve.create(eve.note(say(2), id, "Removed by the blogger.")))
	if err := s.db.RemoveComment(s.ctx, thread.IRI(say(2))); err != nil {
		t.Fatal(err)
	}
	eve.says(eve.create(eve.note(say(3), id, "Hidden by the blogger.")))
	if err := s.db.Moderate(s.ctx, thread.IRI(say(3)), thread.Hidden); err != nil {
		t.Fatal(err)
	}
	s.passes(25 * time.Hour)
	if got := s.words(); got != "@peve@eve.test: Look below." {
		t.Errorf("%s\n%s", got, s.ledger())
	}
	if s.network.Requests("bad.test") > 0 {
		t.Error("a blocked server was asked")
	}
}

// A reader who opens a thread has it looked at, but seldom, and the seldomer the older it is (PROTOCOL 2e).
func TestReadersHaveThreadsLookedAt(t *testing.T) {
	s := open(t)
	first := s.must(s.alpha.Person("alice").Reply(s.ctx, note, "One."))
	s.passes(25 * time.Hour) // the next look is after three days
	s.quietly(s.alpha.Person("dave"), first, "Two.")
	v := s.visits("alpha.test", nil)
	looks := func() (n int) {
		for _, uri := range v.of {
			if "https://alpha.test"+uri == first {
				n++
			}
		}
		return n
	}
	s.passes(3 * time.Hour)
	if looks() > 0 {
		t.Fatalf("looked at without a reason: %q", v.of)
	}
	for range 60 { // an hour of a reader a minute
		s.db.Opened(note)
		s.passes(time.Minute)
	}
	if got := strip(s.thread()); !strings.Contains(got, "  @dave@alpha.test: Two.") {
		t.Errorf("%s\n%s", got, s.ledger())
	}
	if n := looks(); n < 1 || n > 4 {
		t.Errorf("looked at %d times in an hour of readers", n)
	}
}

// Under a closed thread nothing new is looked for; what stands there is still looked at, for thirty days.
func TestClosedThreadsAreVerified(t *testing.T) {
	s := open(t)
	alice, dave := s.alpha.Person("alice"), s.alpha.Person("dave")
	first := s.must(alice.Reply(s.ctx, note, "One."))
	two := s.quietly(dave, first, "Two.")
	s.passes(20 * time.Minute)
	if err := s.db.CloseThread(s.ctx, note, s.clock.now()); err != nil {
		t.Fatal(err)
	}
	s.settle()
	s.quietly(alice, two, "Three, after the end.")
	if _, err := dave.Edit(s.ctx, two, "Two, corrected."); err != nil {
		t.Fatal(err)
	}
	s.passes(26 * time.Hour)
	if got := strip(s.thread()); got != "@alice@alpha.test: One.\n  @dave@alpha.test: Two, corrected. (edited)" {
		t.Errorf("%s\n%s", got, s.ledger())
	}
	if n := s.post().Late; n != 0 {
		t.Errorf("%d late ones that nobody sent", n)
	}
	s.clock.advance(31 * 24 * time.Hour)
	v := s.visits("alpha.test", nil)
	s.passes(2 * time.Hour)
	if slices.ContainsFunc(v.of, func(uri string) bool { return strings.Contains(uri, "/statuses/") }) {
		t.Errorf("asked after thirty days: %q", v.of)
	}
}

// looks are the times at which a host was asked for a document, since a time.
func (v *visits) looks(path string, since time.Time) (ages []time.Duration) {
	for i, uri := range v.of {
		if uri == path {
			ages = append(ages, v.at[i].Sub(since))
		}
	}
	return ages
}

// A comment is looked at ever more seldom, until somebody answers it (PROTOCOL 2e).
func TestLooksGrowRare(t *testing.T) {
	const hour = time.Hour
	s := open(t)
	eve := s.stranger("https://eve.test/eve")
	o := eve.note("https://eve.test/n/1", note, "Here.")
	s.serve("https://eve.test/n/1", o)
	v, came := s.visits("eve.test", nil), s.clock.now()
	eve.says(eve.create(o))
	s.passes(25 * hour)
	looked := func(since time.Time, want ...time.Duration) {
		t.Helper()
		got := v.looks("/n/1", since)
		for i, at := range got {
			if len(got) != len(want) || at < want[i] || at > want[i]+3*time.Minute {
				t.Fatalf("looked at after %s, want %s", got, want)
			}
		}
	}
	looked(came, 10*time.Minute, hour, 6*hour, 24*hour)

	*v, came = visits{}, s.clock.now()
	below := eve.note("https://eve.test/n/2", "https://eve.test/n/1", "Below.")
	s.serve("https://eve.test/n/2", below)
	eve.says(eve.create(below))
	s.passes(2 * hour)
	looked(came, 10*time.Minute, hour)
}

// What its own server no longer has is no longer shown, however the server says so; what it forbids us to see stays.
func TestGoneAtItsOrigin(t *testing.T) {
	const id = "https://eve.test/n/1"
	for name, c := range map[string]struct {
		now   answer
		stays bool
	}{
		"404":             {answer{status: http.StatusNotFound}, false},
		"410":             {answer{status: http.StatusGone}, false},
		"a Tombstone":     {answer{body: object{"id": id, "type": "Tombstone"}}, false},
		"a 410 Tombstone": {answer{status: http.StatusGone, body: object{"id": id, "type": "Tombstone"}}, false},
		"401":             {answer{status: http.StatusUnauthorized}, true},
		"403":             {answer{status: http.StatusForbidden}, true},
		"a page":          {answer{kind: "text/html", body: []byte("<title>Log in</title>")}, true},
		"another's":       {answer{body: object{"id": "https://eve.test/n/2", "type": "Tombstone"}}, true},
	} {
		s := open(t)
		eve := s.stranger("https://eve.test/eve")
		o := eve.note(id, note, "Here.")
		s.serve(id, o)
		eve.says(eve.create(o))
		s.answer(id, c.now)
		s.passes(15 * time.Minute)
		if got := s.post().Comments; got == 1 != c.stays {
			t.Errorf("%s: %d comments\n%s", name, got, s.ledger())
		}
	}
}

// Below a depth of fifty nothing more is looked for (PROTOCOL 2e).
func TestDeepThreadsEnd(t *testing.T) {
	s := open(t)
	eve := s.stranger("https://eve.test/eve")
	ids, notes := s.chain(eve, 60, note)
	for i, o := range notes[:59] {
		s.serve(ids[i], changed(o, object{"replies": object{"id": ids[i] + "/r", "type": "Collection", "items": []any{ids[i+1]}}}))
	}
	eve.says(eve.create(notes[0]))
	s.passes(30 * time.Minute)
	if n := s.post().Comments; n != 51 {
		t.Errorf("%d comments, want one at each depth from 0 to 50", n)
	}
}
