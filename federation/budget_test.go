package federation_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"afterword/federation"
	"afterword/fetch"
	"afterword/thread"
)

// What one message may cost (SECURITY P11): thirty requests, 2 MiB, ten seconds, twenty ancestors; so may one look at a
// comment with all pages of its replies. What somebody is called is asked once for each account, and is no part of it.

// meter is a stage whose way out takes time and is measured where the strangers are.
type meter struct {
	*stage
	pace     func(address string) time.Duration // how long an answer takes; nil: no time
	requests int
	read     counter
	took     time.Duration
}

func metered(t testing.TB) *meter {
	m := new(meter)
	now := func() time.Time { return m.clock.now() }
	m.stage = open(t, func(c *federation.Config) { c.Fetch = fetch.New(fetch.Options{Transport: m, Now: now}) })
	return m
}

func (m *meter) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	if r.Method != http.MethodGet || r.URL.Path == "/.well-known/webfinger" {
		return m.network.RoundTrip(r)
	}
	m.requests++
	if m.pace != nil {
		d := m.pace(r.URL.String())
		left := fetch.MostTime - fetch.SpentIn(r.Context())
		if most := min(left, max(left/5*3, 4*time.Second)); most < d { // by then we have hung up (TestPatience)
			d = most
			defer func() { resp, err = nil, os.ErrDeadlineExceeded }()
		}
		m.took += d
		m.clock.advance(d)
	}
	if resp, err = m.network.RoundTrip(r); err == nil {
		resp.Body = io.NopCloser(io.TeeReader(resp.Body, &m.read))
	}
	return resp, err
}

// counter counts what is written to it.
type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// within fails the test if more was asked than one message may cost.
func (m *meter) within(what string) {
	m.Helper()
	if m.requests > 30 || m.read > 2<<20 || m.took > 10*time.Second {
		m.Errorf("%s: %d requests, %d bytes, %s\n%s", what, m.requests, m.read, m.took, strings.Join(m.network.Log(), "\n"))
	}
}

// reason is the newest verdict on a reply, with its reason.
func (s *stage) reason(about string) string {
	s.Helper()
	all, err := s.db.Ledger(s.ctx, about, 1)
	if err != nil || len(all) == 0 {
		s.Fatal(about, err)
	}
	return fmt.Sprint(all[0].Decision, ": ", all[0].Reason)
}

func every(d time.Duration) func(string) time.Duration {
	return func(string) time.Duration { return d }
}

// strangers serves a chain of n notes below the post, each by an account of another server, and what answers each; the
// last one is returned with its author.
func (m *meter) strangers(n int) (last *stranger, note object) {
	above := noteID
	for i := range n {
		last = m.stranger(fmt.Sprintf("https://s%d.test/eve", i))
		id := fmt.Sprintf("https://s%d.test/n", i)
		note = changed(last.note(id, above, fmt.Sprintf("Step %d.", i)), object{"cc": []any{actor},
			"replies": object{"id": id + "/r", "type": "Collection", "items": []any{fmt.Sprintf("https://s%d.test/n", i+1)}}})
		m.serve(id, note)
		above = id
	}
	return last, note
}

const noteID = note

// Every document above a reply and every account that wrote one is paid from the same purse. What it pays for is shown; the
// rest is an orphan that says why, until backfill comes to it at its leisure.
func TestSlowStrangers(t *testing.T) {
	for name, c := range map[string]struct {
		steps int
		pace  time.Duration
		shown int
	}{
		"quick":           {6, 0, 6},
		"slow":            {3, 1500 * time.Millisecond, 3}, // her key, two documents, two accounts
		"slower":          {4, 1250 * time.Millisecond, 4}, // 1 + 3 + 3, with 1.25 s left
		"too slow":        {4, 2 * time.Second, 1},         // 1 + 3 + 1
		"too many":        {21, 0, 9},                      // 1 + 20 + 9
		"a little slower": {21, 400 * time.Millisecond, 4}, // 25 requests at 0.4 s are ten seconds
		"hardly moving":   {2, 4 * time.Second, 0},         // her key, one document, and no account
	} {
		t.Run(name, func(t *testing.T) {
			m := metered(t)
			last, note := m.strangers(c.steps)
			m.pace = every(c.pace)
			last.says(last.create(note))
			m.passes(9 * time.Minute) // all that is tried again is, and backfill has not begun
			m.within(name)
			if got := m.post().Comments; got != c.shown {
				t.Errorf("%d of %d are shown after %d requests in %s\n%s", got, c.steps, m.requests, m.took, m.ledger())
			}
			if why := m.reason(note["id"].(string)); c.shown < c.steps && !(strings.HasPrefix(why, "orphan: ") && strings.Contains(why, "one message ")) {
				t.Error(why)
			}
			if m.pace = nil; c.shown > 0 {
				m.passes(25 * time.Minute)
				if got := m.post().Comments; got != c.steps {
					t.Errorf("%d of %d are shown in the end\n%s", got, c.steps, m.ledger())
				}
			}
		})
	}
}

// An endless way up, each step by another account on another server: small and quick, large, or slow.
func TestEndlessStrangers(t *testing.T) {
	for name, c := range map[string]struct {
		pad  int // strings of 100 KiB in each document
		pace time.Duration
		why  string
	}{
		"quick": {0, 0, "too far below"},
		"large": {2, 0, "2 MiB"},
		"slow":  {0, 900 * time.Millisecond, "one message may cost no more"},
	} {
		t.Run(name, func(t *testing.T) {
			m := metered(t)
			eve := m.stranger("https://eve.test/eve")
			for i := range 40 {
				id := fmt.Sprintf("https://d%d.test/n", i)
				above := m.stranger(fmt.Sprintf("https://d%d.test/eve", i)).note(id, fmt.Sprintf("https://d%d.test/n", i+1), "Deeper.")
				m.serve(id, changed(above, object{"junk": junk(c.pad)}))
			}
			m.pace = every(c.pace)
			id := "https://eve.test/n/1"
			eve.says(eve.create(changed(eve.note(id, "https://d0.test/n", "At the bottom."), object{"cc": []any{actor}})))
			m.passes(26 * time.Hour)
			m.within(name)
			all, _ := m.db.Ledger(m.ctx, "", 1000)
			if why := m.reason(id); len(all) > 21 || m.post().Comments > 0 || !strings.HasPrefix(why, "orphan: ") || !strings.Contains(why, c.why) {
				t.Errorf("%s: %d rows, %d comments, %s", name, len(all), m.post().Comments, why)
			}
			if _, err := m.db.Actor(m.ctx, "https://d0.test/eve"); err == nil {
				t.Error("an account was kept that nothing came of")
			}
		})
	}
}

// A server that is away for hours costs next to nothing: what waits for it comes through. One that takes its time to fail
// is asked less often, over the same hours, and what was spent counts after a restart.
func TestTriesAreCheap(t *testing.T) {
	for name, c := range map[string]struct {
		pace  time.Duration // of a failure
		away  time.Duration
		shown int
	}{
		"refused":    {0, 4 * time.Hour, 2},
		"failing":    {3 * time.Second, 4 * time.Hour, 2},
		"hanging":    {time.Minute, 50 * time.Minute, 2}, // for six seconds, and an hour later it is well
		"hanging on": {time.Minute, 4 * time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			m := metered(t)
			eve, vic := m.stranger("https://eve.test/eve"), m.stranger("https://vic.test/vic")
			parent, id := "https://vic.test/n/1", "https://eve.test/n/1"
			m.serve(parent, vic.note(parent, note, "Above."))
			m.serve(id, eve.note(id, parent, "Below."))
			inside, back := m.network.Handler("vic.test"), m.clock.now().Add(c.away)
			m.pace = func(address string) time.Duration {
				if strings.HasPrefix(address, "https://vic.test") && m.clock.now().Before(back) {
					return c.pace
				}
				return 0
			}
			m.network.Serve("vic.test", nil)
			eve.says(eve.create(changed(eve.note(id, parent, "Below."), object{"cc": []any{actor}})))
			m.passes(c.away - time.Minute)
			m.restart(func(f *federation.Config) { f.Fetch = fetch.New(fetch.Options{Transport: m, Now: m.clock.now}) })
			m.network.Serve("vic.test", inside)
			m.passes(4 * time.Hour)
			m.within(name)
			if got := m.post().Comments; got != c.shown {
				t.Errorf("%d comments after %d requests and %s\n%s", got, m.requests, m.took, m.ledger())
			}
		})
	}
}

// Who asks what became of a reply makes us ask no more than the reply itself would have.
func TestFateCostsNoMore(t *testing.T) {
	for _, pace := range []time.Duration{0, 900 * time.Millisecond} {
		m := metered(t)
		last, said := m.strangers(22)
		m.answer("https://s21.test/@eve/1", answer{kind: "text/html", body: []byte(`<link rel=alternate type="application/activity+json" href="` + said["id"].(string) + `">`)})
		m.pace = every(pace)
		f, err := m.fed.Fate(m.ctx, "https://s21.test/@eve/1")
		m.within("asked by hand")
		if err != nil || f.Decision != thread.Orphaned || !f.Fetched || f.ID != thread.IRI(said["id"].(string)) {
			t.Errorf("%+v %v %s", f, err, last.id)
		}
	}
}

// One look at a comment costs no more than one message, whatever its server has for pages.
func TestPagesWithoutEnd(t *testing.T) {
	const id = "https://eve.test/n/1"
	items := func(n int) []any {
		list := make([]any, n)
		for i := range list {
			list[i] = fmt.Sprintf("https://i.test/%d", i)
		}
		return list
	}
	for name, c := range map[string]struct {
		page   func(n int) object
		pace   time.Duration
		pages  int
		offers bool // there are objects, which are fetched then
	}{
		"endless":        {func(n int) object { return object{"next": fmt.Sprint(id, "/r?", n+1)} }, 0, 10, false},
		"slow":           {func(n int) object { return object{"next": fmt.Sprint(id, "/r?", n+1)} }, 1800 * time.Millisecond, 5, false},
		"its own next":   {func(int) object { return object{"next": id + "/r?0"} }, 0, 1, false},
		"next elsewhere": {func(int) object { return object{"next": "https://mallory.test/r"} }, 0, 1, false},
		"ten thousand":   {func(n int) object { return object{"items": items(10_000), "next": fmt.Sprint(id, "/r?", n+1)} }, 0, 1, true},
		"nine thousand":  {func(n int) object { return object{"items": items(9_000), "next": fmt.Sprint(id, "/r?", n+1)} }, 0, 1, true},
		"large": {func(n int) object {
			return object{"junk": junk(9), "next": fmt.Sprint(id, "/r?", n+1)}
		}, 0, 3, false},
	} {
		t.Run(name, func(t *testing.T) {
			m := metered(t)
			eve := m.stranger("https://eve.test/eve")
			m.withReplies(eve, id, object{"id": id + "/r", "type": "Collection", "first": id + "/r?0"})
			v := m.visits("eve.test", func(w http.ResponseWriter, r *http.Request) bool {
				var n int
				if _, err := fmt.Sscanf(r.RequestURI, "/n/1/r?%d", &n); err != nil {
					return false
				}
				m.respondWith(w, changed(c.page(n), object{"id": fmt.Sprint(id, "/r?", n), "type": "CollectionPage"}))
				return true
			})
			m.serve("https://i.test/nothing", object{})
			m.requests, m.read, m.took, m.pace = 0, 0, 0, every(c.pace)
			offers := m.network.Requests("i.test")
			m.passes(9*time.Minute + 50*time.Second)
			m.passes(70 * time.Second) // so that nothing of what was found is fetched yet, but for a few
			m.requests -= m.network.Requests("i.test")
			m.within(name)
			m.pace = nil
			m.passes(25 * time.Minute)
			pages := 0
			for _, uri := range v.of {
				if strings.HasPrefix(uri, "/n/1/r") {
					pages++
				}
			}
			if offers = m.network.Requests("i.test") - offers; pages != c.pages || offers > 200 || offers > 0 != c.offers || m.network.Requests("mallory.test") > 0 {
				t.Errorf("%d pages, %d objects: %q", pages, offers, v.of)
			}
		})
	}
}

// junk is n strings of 100 KiB.
func junk(n int) []any { return slices.Repeat([]any{strings.Repeat("x", 100<<10)}, n) }

// A run counts every request, redirects and authors too. What it does not reach, the next one does.
func TestARunCostsNoMore(t *testing.T) {
	const id = "https://eve.test/n/1"
	m := metered(t)
	var items []any
	for i := range 150 {
		host := fmt.Sprintf("https://h%d.test", i%4)
		p, item := m.stranger(fmt.Sprint(host, "/p/", i)), fmt.Sprint(host, "/i/", i)
		m.answer(item, answer{status: http.StatusFound, header: http.Header{"Location": {fmt.Sprint(host, "/n/", i)}}})
		m.serve(fmt.Sprint(host, "/n/", i), p.note(item, id, fmt.Sprintf("Item %d.", i)))
		items = append(items, item)
	}
	m.withReplies(m.stranger("https://eve.test/eve"), id, object{"id": id + "/r", "type": "Collection", "items": items})
	m.requests = 0
	m.passes(28 * time.Minute) // the run begins after ten
	if m.requests != 300 {
		t.Errorf("%d requests in one run, for %d comments\n%s", m.requests, m.post().Comments, m.ledger())
	}
	m.passes(time.Hour)
	if got := m.post().Comments; got != 151 {
		t.Errorf("%d comments in the end", got)
	}
}

// What an account says of itself is confirmed from the same purse: its key in a document of its own, its name on another
// domain, the account that it moved to.
func TestClaimsArePaidToo(t *testing.T) {
	m := metered(t)
	eve := m.stranger("https://eve.test/eve")
	eve.keyID = "https://eve.test/key"
	eve.with(object{"webfinger": "eve@name.test", "movedTo": "https://new.test/eve"})
	m.serve(eve.keyID, eve.publicKey())
	m.serve("https://new.test/eve", m.stranger("https://new.test/eve").document())
	m.serve("https://name.test/", object{})
	_, said := m.strangers(21)
	said = changed(said, object{"id": "https://eve.test/n/1", "attributedTo": eve.id, "inReplyTo": said["id"]})
	before := m.outbound()
	eve.says(eve.create(said))
	m.within("one that has a lot to say of itself")
	asked := m.outbound() - before
	for i := range 21 { // what those are called whose comments are shown is no part of it
		asked -= m.outboundTo(fmt.Sprintf("https://s%d.test/.well-known/webfinger?resource=acct%%3Apeve%%40s%d.test", i, i))
	}
	if asked > 30 || m.network.Requests("name.test") == 0 || m.network.Requests("new.test") == 0 {
		t.Errorf("%d requests\n%s", asked, strings.Join(m.network.Log(), "\n"))
	}
}
