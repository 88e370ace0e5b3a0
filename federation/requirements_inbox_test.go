package federation_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"afterword/federation"
	"afterword/storage"
	"afterword/thread"
)

// Group D of PROTOCOL section 11: what becomes of what others send.

// Every deleted account of every server that ever heard of us is told to us.
func TestR045_DeletionsOfStrangers(t *testing.T) {
	s := open(t)
	s.untouched(0, func() {
		for i := range 200 {
			p := fmt.Sprintf("https://flood%d.test/users/p%d", i%20, i)
			for _, kind := range []string{"Delete", "Update"} {
				of := []any{p, object{"id": p, "type": "Person", "inbox": p + "/inbox"}, []any{p}}[i%3]
				message := object{"id": p + "#" + kind, "type": kind, "actor": p, "object": of, "to": []any{public}}
				r := (&stranger{stage: s, id: p, keyID: p + "#main-key", key: keyOf(1)}).request(message)
				if i%2 == 0 {
					r.Header.Set("Signature", "whatever")
				}
				if w := s.do(r); w.Code != http.StatusAccepted {
					t.Fatalf("%s %d: %d", kind, i, w.Code)
				}
			}
		}
	})
	if strings.Contains(s.log.String(), "flood") {
		t.Error("the log has", s.log.String())
	}
}

func (s *stage) followers() (ids []string) {
	s.Helper()
	all, err := s.db.Followers(s.ctx)
	if err != nil {
		s.Fatal(err)
	}
	for _, f := range all {
		ids = append(ids, string(f.Actor))
	}
	return ids
}

func TestR046_Follow(t *testing.T) {
	s := open(t)
	p := s.peer("one.test", &peer{answer: func(r *http.Request) int {
		if r.Method == http.MethodPost {
			return http.StatusAccepted
		}
		return 0
	}})
	alice := s.stranger("https://one.test/users/alice")
	for i := range 3 {
		follow := changed(alice.activity("Follow", actor), object{"id": fmt.Sprint("https://one.test/follows/", i)})
		if i == 2 {
			follow["object"] = object{"id": actor, "type": "Person"}
		}
		alice.says(follow)
		last := len(p.asked) - 1
		var accept object
		if err := json.Unmarshal(p.bodies[last], &accept); err != nil || p.asked[last].RequestURI != "/in/users/alice" {
			t.Fatalf("%v at %s", err, p.asked[last].RequestURI)
		}
		embedded, _ := accept["object"].(object)
		if accept["type"] != "Accept" || accept["actor"] != actor || accept["id"] == nil || embedded["id"] != follow["id"] || embedded["type"] != "Follow" || embedded["actor"] != alice.id {
			t.Errorf("%v", accept)
		}
		if got := fmt.Sprint(s.followers()); got != "["+alice.id+"]" {
			t.Errorf("followers %s", got)
		}
	}
	a, err := s.db.Actor(s.ctx, thread.IRI(alice.id))
	if err != nil || a.Inbox != "https://one.test/in/users/alice" || a.SharedInbox != "https://one.test/in" {
		t.Errorf("%+v %v", a, err)
	}
	s.untouched(0, func() { // SECURITY D49
		for _, other := range []any{note, "https://one.test/users/bob", base + "/featured", object{"type": "Person"}} {
			alice.send(alice.activity("Follow", other))
		}
	})
}

func TestR047_UndoFollow(t *testing.T) {
	const id = "https://one.test/follows/1"
	for name, c := range map[string]struct {
		undone any
		by     string
		gone   bool
	}{
		"embedded":               {object{"id": id, "type": "Follow", "actor": "https://one.test/users/alice", "object": actor}, "alice", true},
		"embedded, without id":   {object{"type": "Follow", "actor": "https://one.test/users/alice", "object": actor}, "alice", true},
		"embedded, another id":   {object{"id": id + "2", "type": "Follow", "object": object{"id": actor}}, "alice", true},
		"by its id":              {id, "alice", true},
		"by its id as an object": {object{"id": id}, "alice", true},
		"by an id of nothing":    {"https://one.test/follows/2", "alice", false},
		"by somebody else":       {object{"id": id, "type": "Follow", "actor": "https://one.test/users/alice", "object": actor}, "mallory", false},
		"by his id for it":       {id, "mallory", false},
	} {
		s := open(t)
		alice := s.stranger("https://one.test/users/alice")
		alice.says(changed(alice.activity("Follow", actor), object{"id": id}))
		by := s.stranger("https://one.test/users/" + c.by)
		by.says(changed(by.activity("Undo", c.undone), object{"id": "https://one.test/undos/1"}))
		if got := len(s.followers()) == 0; got != c.gone {
			t.Errorf("%s: gone is %v\n%s", name, got, s.ledger())
		}
	}
}

// Misskey's follows have the same id whenever the same account follows, as Wafrn's and Pixelfed's; Wafrn's likes, too.
func TestR047_AgainUnderTheSameID(t *testing.T) {
	s := open(t)
	alice := s.follower("https://one.test/users/alice", http.StatusAccepted)
	alice.says(alice.activity("Undo", alice.activity("Follow", actor)))
	sent := s.posts("one.test")
	follow := changed(alice.activity("Follow", actor), object{"id": "https://one.test/follows/alice/blog"})
	like := changed(alice.activity("Like", note), object{"id": "https://one.test/likes/alice/march"})
	undo := func(a object) object {
		return object{"id": str(a, "id") + "/undo", "type": "Undo", "actor": alice.id, "object": a}
	}
	for range 2 {
		alice.says(follow)
		alice.says(like)
		if got := fmt.Sprint(s.followers(), s.document(base + "/likes/2026/march/")["totalItems"]); got != "["+alice.id+"] 1" {
			t.Fatalf("%s\n%s", got, s.ledger())
		}
		alice.says(undo(follow))
		alice.says(undo(like))
		if got := fmt.Sprint(s.followers(), s.document(base + "/likes/2026/march/")["totalItems"]); got != "[] 0" {
			t.Fatalf("%s\n%s", got, s.ledger())
		}
	}
	if accepts := s.posts("one.test") - sent; accepts != 2 {
		t.Errorf("%d Accepts", accepts)
	}
}

func TestR048_Block(t *testing.T) {
	s := open(t)
	alice := s.follower("https://one.test/alice", http.StatusAccepted)
	alice.says(alice.activity("Block", actor))
	sent := s.posts("one.test")
	s.blog(1)
	if len(s.followers()) != 0 || s.posts("one.test") != sent {
		t.Errorf("%v, %d messages", s.followers(), s.posts("one.test")-sent)
	}
}

func TestR049_Once(t *testing.T) {
	s := open(t)
	alice := s.stranger("https://one.test/users/alice")
	n := alice.note("https://one.test/notes/1", note, "<p>Here.</p>")
	first := alice.create(n)
	alice.says(first)
	for name, again := range map[string]object{
		"the same":                first,
		"another activity":        changed(first, object{"id": "https://one.test/activities/again"}),
		"another text":            changed(first, object{"id": "https://one.test/activities/other", "object": changed(n, object{"content": "<p>Else.</p>"})}),
		"an Update, nothing new":  changed(first, object{"id": "https://one.test/activities/update", "type": "Update"}),
		"by its address":          changed(first, object{"id": "https://one.test/activities/address", "object": "https://one.test/notes/1"}),
		"from the personal inbox": first,
	} {
		s.serve("https://one.test/notes/1", n)
		s.clock.advance(time.Second)
		alice.says(again)
		if s.thread() != "@pusers_alice@one.test: <p>Here.</p>" {
			t.Errorf("%s: %s\n%s", name, s.thread(), s.ledger())
		}
	}
	if got := len(s.walk(s.document(base + "/context/2026/march/"))); got != 2 {
		t.Errorf("%d in the thread", got)
	}
}

func TestR050_Nested(t *testing.T) {
	s := open(t)
	p := s.stranger("https://one.test/p")
	above := note
	for i, name := range []string{"one", "two", "three"} {
		id := "https://one.test/notes/" + name
		p.says(p.create(p.note(id, above, "<p>"+name+"</p>")))
		if c := s.comment(id); string(c.Parent) != above && i > 0 || i == 0 && c.Parent != "" {
			t.Errorf("%s answers %s", name, c.Parent)
		}
		above = id
	}
	// Up to twenty are fetched to find the post; a way that does not end there is no way in.
	for name, c := range map[string]struct {
		steps int
		root  string
		shown bool
	}{"twenty": {20, note, true}, "more": {24, note, false}, "another thread": {3, "https://two.test/notes/root", false}} {
		s := open(t)
		p := s.stranger("https://one.test/p")
		s.serve("https://two.test/notes/root", changed(p.note("https://two.test/notes/root", "", "<p>Other.</p>"), object{"attributedTo": "https://two.test/q", "inReplyTo": nil}))
		above := c.root
		var last object
		for i := range c.steps + 1 {
			last = p.note(fmt.Sprint("https://one.test/notes/", i), above, fmt.Sprintf("<p>%d</p>", i))
			last["cc"] = []any{actor}
			s.serve(str(last, "id"), last)
			above = str(last, "id")
		}
		p.says(p.create(last))
		if got := strings.Contains(s.thread(), fmt.Sprintf("<p>%d</p>", c.steps)); got != c.shown {
			t.Errorf("%s: shown is %v\n%s", name, got, s.thread())
		}
		if n := s.outbound(); n > 30 {
			t.Errorf("%s: %d requests", name, n)
		}
	}
}

func TestR051_ChildFirst(t *testing.T) {
	s := open(t)
	alice, bob := s.stranger("https://one.test/alice"), s.stranger("https://two.test/bob")
	s.answer("https://one.test/notes/1", answer{status: http.StatusServiceUnavailable})
	child := changed(bob.note("https://two.test/notes/2", "https://one.test/notes/1", "<p>Child.</p>"), object{"cc": []any{actor}})
	bob.says(bob.create(child))
	s.shows()
	alice.says(alice.create(alice.note("https://one.test/notes/1", note, "<p>Parent.</p>")))
	s.shows("@palice@one.test: <p>Parent.</p>", "  @pbob@two.test: <p>Child.</p>")
}

func TestR053_TheContextAloneProvesNothing(t *testing.T) {
	s := open(t)
	p := s.stranger("https://one.test/p")
	for i, parent := range []string{"https://one.test/notes/gone", "https://one.test/notes/elsewhere", "https://nowhere.test/x"} {
		s.serve("https://one.test/notes/elsewhere", changed(p.note("https://one.test/notes/elsewhere", "", "<p>Elsewhere.</p>"), object{"inReplyTo": nil}))
		n := p.note(fmt.Sprint("https://one.test/notes/", i), parent, "<p>Let me in.</p>")
		n["context"], n["conversation"] = base+"/context/2026/march/", base+"/context/2026/march/"
		p.says(p.create(n))
	}
	n := changed(p.note("https://one.test/notes/none", "", "<p>Let me in.</p>"), object{"inReplyTo": nil, "context": base + "/context/2026/march/"})
	p.says(p.create(n))
	s.shows()
}

// everything the world can read: pages of ActivityPub, and the database's own text of the comments.
func (s *stage) everything() string {
	s.Helper()
	var all strings.Builder
	for _, path := range []string{"/posts/2026/march/", "/replies/2026/march/", "/replies/2026/march/?page=1", "/context/2026/march/", "/context/2026/march/?page=1", "/outbox?page=1"} {
		all.WriteString(s.get("/.ap"+path, asJSON).Body.String())
	}
	return all.String() + s.thread()
}

func TestR054_NotForEverybody(t *testing.T) {
	const secret = "kaninchen"
	s := open(t)
	alice := s.stranger("https://one.test/users/alice")
	followers := alice.id + "/followers"
	before := s.document(base + "/context/2026/march/")["totalItems"]
	for i, c := range []struct{ object, activity object }{
		{object{"to": []any{followers}}, nil},
		{object{"to": followers, "cc": []any{}}, nil},
		{object{"to": []any{actor}}, nil},
		{object{"to": actor, "directMessage": true}, nil},
		{object{"to": nil}, object{"to": nil}},
		{object{"to": []any{}, "cc": []any{}}, object{"to": []any{public}}},
		{object{"to": []any{followers}}, object{"to": []any{public}}},
		{object{"to": []any{public}}, object{"to": []any{followers}}},
		{object{"to": "https://www.w3.org/ns/activitystreams#public"}, nil},
		{object{"to": "http://www.w3.org/ns/activitystreams#Public"}, nil},
		{object{"to": "https://www.w3.org/ns/activitystreams#Public/"}, nil},
		{object{"to": []any{actor}, "bto": []any{public}}, nil},
		{object{"to": []any{actor}, "audience": public}, nil},
		{object{"to": []any{object{"type": "Person", "id": actor}}}, nil},
	} {
		id := fmt.Sprint("https://one.test/notes/", i)
		message := changed(alice.create(changed(alice.note(id, note, "<p>"+secret+"</p>"), c.object)), c.activity)
		alice.says(message)
		if all := s.everything(); strings.Contains(all, id) || strings.Contains(all, secret) {
			t.Errorf("%v %v is shown", c.object, c.activity)
		}
	}
	if got := s.document(base + "/context/2026/march/")["totalItems"]; got != before {
		t.Errorf("%v of %v", got, before)
	}
	s.nowhere(secret)
}

// nowhere fails the test when the database's files have a text.
func (s *stage) nowhere(text string) {
	s.Helper()
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(s.path + suffix)
		if err == nil && strings.Contains(string(content), text) {
			s.Errorf("%q is in %s%s", text, s.path, suffix)
		}
	}
}

func TestR054_PublicInAllItsSpellings(t *testing.T) {
	s := open(t)
	alice := s.stranger("https://one.test/users/alice")
	for i, c := range []struct{ object, activity object }{
		{object{"to": public}, nil},
		{object{"to": "as:Public"}, nil},
		{object{"to": "Public"}, nil},
		{object{"to": []any{object{"id": public}}}, nil},
		{object{"to": object{"id": "as:Public"}}, nil},
		{object{"to": []any{actor}, "cc": "as:Public"}, nil},
		{object{"to": nil, "cc": nil}, object{"to": public, "cc": nil}},
		{object{"to": []any{public}}, object{"to": nil}},
		{object{"to": []any{public}, "cc": []any{nil, 5, object{}}}, nil},
		{object{"to": nil, "audience": "https://one.test/group"}, object{"to": []any{public}}},
	} {
		id := fmt.Sprint("https://one.test/notes/", i)
		alice.says(changed(alice.create(changed(alice.note(id, note, "<p>Here.</p>"), c.object)), c.activity))
		if got := s.verdict(id); got != "shown" {
			t.Errorf("%v %v: %s\n%s", c.object, c.activity, got, s.ledger())
		}
	}
}

func TestR055_Unlisted(t *testing.T) {
	unlisted, all := object{"to": []any{"https://one.test/users/alice/followers"}, "cc": []any{public}}, object{}
	for name, c := range map[string]struct {
		show     bool
		profile  object
		audience object
		shown    bool
	}{
		"unlisted":                              {true, nil, unlisted, true},
		"unlisted, not wanted":                  {false, nil, unlisted, false},
		"unlisted, of one who hides them":       {true, object{"hidesCcPublicFromUnauthedWeb": true}, unlisted, false},
		"public, of one who hides unlisted":     {true, object{"hidesCcPublicFromUnauthedWeb": true}, all, true},
		"public, of one who hides all":          {true, object{"hidesToPublicFromUnauthedWeb": true}, all, false},
		"public, of one who hides it, prefixed": {true, object{"gts:hidesToPublicFromUnauthedWeb": true}, all, false},
	} {
		s := open(t, func(f *federation.Config) { f.Rules.ShowUnlisted = c.show })
		alice := s.stranger("https://one.test/users/alice").with(c.profile)
		alice.says(alice.create(changed(alice.note("https://one.test/notes/1", note, "<p>Here.</p>"), c.audience)))
		if (s.thread() != "") != c.shown {
			t.Errorf("%s: %q", name, s.thread())
		}
	}
}

func TestR056_Edits(t *testing.T) {
	const id = "https://one.test/notes/1"
	at := func(minutes int) string { return noon.Add(time.Duration(minutes) * time.Minute).Format(time.RFC3339) }
	for name, c := range map[string]struct {
		change object
		by     string
		want   string
	}{
		"newer":                     {object{"updated": at(5), "content": "<p>New.</p>"}, "alice", "@palice@one.test: <p>New.</p> (edited)"},
		"without a date":            {object{"content": "<p>New.</p>"}, "alice", "@palice@one.test: <p>New.</p> (edited)"},
		"other form of a date":      {object{"updated": "Sun, 01 Mar 2026 12:05:00 GMT", "content": "<p>New.</p>"}, "alice", "@palice@one.test: <p>New.</p> (edited)"},
		"older":                     {object{"updated": at(-5), "content": "<p>New.</p>"}, "alice", "@palice@one.test: <p>Old.</p>"},
		"of the same second":        {object{"updated": at(0), "content": "<p>New.</p>"}, "alice", "@palice@one.test: <p>New.</p> (edited)"},
		"by a neighbour":            {object{"updated": at(5), "content": "<p>New.</p>"}, "mallory", "@palice@one.test: <p>Old.</p>"},
		"by a neighbour as his own": {object{"updated": at(5), "content": "<p>New.</p>", "attributedTo": "https://one.test/mallory"}, "mallory", "@palice@one.test: <p>Old.</p>"},
		"to followers only":         {object{"updated": at(5), "content": "<p>New.</p>", "to": []any{"https://one.test/alice/followers"}}, "alice", ""},
		"nothing new":               {object{"updated": at(5)}, "alice", "@palice@one.test: <p>Old.</p>"},
	} {
		s := open(t)
		alice := s.stranger("https://one.test/alice")
		n := alice.note(id, note, "<p>Old.</p>")
		alice.says(alice.create(n))
		s.clock.advance(9 * time.Minute)
		by := s.stranger("https://one.test/" + c.by)
		by.says(by.activity("Update", changed(n, c.change)))
		if got := s.thread(); got != c.want {
			t.Errorf("%s: %q\n%s", name, got, s.ledger())
		}
	}
}

// What was edited before we heard of it is an edited comment, and the edits before that change nothing any more.
func TestR056_FirstHeardOfAsEdited(t *testing.T) {
	s := open(t)
	alice := s.stranger("https://one.test/alice")
	n := alice.note("https://one.test/notes/1", note, "<p>Third.</p>")
	at := func(d time.Duration) string { return noon.Add(d).Format(time.RFC3339Nano) }
	s.clock.advance(9 * time.Minute)
	alice.says(alice.create(changed(n, object{"updated": at(5 * time.Minute)})))
	alice.says(alice.activity("Update", changed(n, object{"updated": at(4 * time.Minute), "content": "<p>Second.</p>"})))
	s.shows("@palice@one.test: <p>Third.</p> (edited)")

	twice := alice.note("https://one.test/notes/2", note, "<p>Saved twice.</p>")
	alice.says(alice.create(changed(twice, object{"published": at(6 * time.Minute), "updated": at(6*time.Minute + 30*time.Millisecond)})))
	s.shows("@palice@one.test: <p>Third.</p> (edited)", "@palice@one.test: <p>Saved twice.</p>")
}

// Friendica and Takahē give every Update of a note the same id, Hubzilla and Streams that of its Create.
func TestR056_EditsUnderOneID(t *testing.T) {
	s := open(t)
	alice := s.stranger("https://one.test/alice")
	n := alice.note("https://one.test/notes/1", note, "<p>Old.</p>")
	created := alice.create(n)
	alice.says(created)
	for _, text := range []string{"Newer.", "Newest."} {
		s.clock.advance(time.Minute)
		n = changed(n, object{"updated": s.clock.now().Format(time.RFC3339), "content": "<p>" + text + "</p>"})
		alice.says(changed(alice.activity("Update", n), object{"id": created["id"]}))
		s.shows("@palice@one.test: <p>" + text + "</p> (edited)")
	}
}

// Of two edits of one moment the first stands.
func TestR056_EqualEdits(t *testing.T) {
	s := open(t)
	alice := s.stranger("https://one.test/alice")
	n := alice.note("https://one.test/notes/1", note, "<p>Old.</p>")
	alice.says(alice.create(n))
	s.clock.advance(5 * time.Minute)
	for i, text := range []string{"First.", "Second."} {
		alice.says(changed(alice.activity("Update", changed(n, object{"updated": noon.Add(time.Minute).Format(time.RFC3339), "content": "<p>" + text + "</p>"})), object{"id": fmt.Sprint("https://one.test/updates/", i)}))
	}
	s.shows("@palice@one.test: <p>First.</p> (edited)")
}

// An author's clock that is behind ours takes nothing away from him.
func TestR056_EditOfWhatHasNoDate(t *testing.T) {
	s := open(t)
	alice := s.stranger("https://one.test/alice")
	n := changed(alice.note("https://one.test/notes/1", note, "<p>Old.</p>"), object{"published": nil})
	alice.says(alice.create(n))
	s.clock.advance(time.Minute)
	alice.says(alice.activity("Update", changed(n, object{"updated": noon.Add(-time.Minute).Format(time.RFC3339), "content": "<p>New.</p>"})))
	s.shows("@palice@one.test: <p>New.</p> (edited)")
}

func TestR057_Deletions(t *testing.T) {
	const id = "https://one.test/notes/1"
	for name, of := range map[string]any{"string": id, "Tombstone": object{"id": id, "type": "Tombstone", "atomUri": id}, "list": []any{id},
		"the note itself": object{"id": id, "type": "Note", "attributedTo": "https://one.test/alice", "content": "<p>Parent.</p>"}} {
		s := open(t)
		alice, bob := s.stranger("https://one.test/alice"), s.stranger("https://two.test/bob")
		parent := alice.note(id, note, "<p>Parent.</p>")
		s.serve(id, parent)
		alice.says(alice.create(parent))
		bob.says(bob.create(bob.note("https://two.test/notes/2", id, "<p>Child.</p>")))
		bob.says(bob.activity("Delete", of)) // not his: her server is asked, and knows better
		if !strings.Contains(s.thread(), "Parent.") {
			t.Errorf("%s: somebody else deleted it", name)
		}
		alice.says(changed(alice.activity("Delete", of), object{"id": id + "#delete"}))
		s.shows("(deleted)", "  @pbob@two.test: <p>Child.</p>")
		if all := s.everything(); strings.Contains(all, "Parent.") || strings.Contains(all, `"`+id+`"`) {
			t.Errorf("%s: %s", name, all)
		}
	}
}

func TestR057_DeletedBeforeItCame(t *testing.T) {
	s := open(t)
	alice, bob := s.stranger("https://one.test/alice"), s.stranger("https://one.test/bob")
	alice.says(alice.activity("Delete", "https://one.test/notes/1"))
	bob.says(bob.activity("Delete", "https://one.test/notes/2")) // not his: it does not keep hers out
	s.clock.advance(6 * time.Hour)
	alice.says(alice.create(alice.note("https://one.test/notes/1", note, "<p>Deleted.</p>")))
	alice.says(alice.create(alice.note("https://one.test/notes/2", note, "<p>Stays.</p>")))
	s.shows("@palice@one.test: <p>Stays.</p>")
}

// An account is erased on its own word, or when its own server says that it is gone; a 404 says nothing.
func TestR058_DeletedAccounts(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		key    bool // the deletion is signed with the key that we know
		erased bool
	}{"signed": {http.StatusOK, true, true}, "gone": {http.StatusGone, false, true}, "not found": {http.StatusNotFound, false, false}} {
		s := open(t)
		alice, bob := s.stranger("https://one.test/alice"), s.stranger("https://two.test/bob")
		alice.with(object{"name": "Alice Pleasance"})
		alice.says(alice.create(alice.note("https://one.test/notes/1", note, "<p>Curiouser.</p>")))
		alice.says(alice.activity("Like", note))
		bob.says(bob.create(bob.note("https://two.test/notes/2", "https://one.test/notes/1", "<p>Child.</p>")))
		deletion := alice.activity("Delete", alice.id)
		if c.status != http.StatusOK {
			s.answer(alice.id, answer{status: c.status})
			alice.key = keyOf(6)
		}
		status := alice.send(deletion)
		if s.settle(); (s.words() == "(deleted) @pbob@two.test: Child.") != c.erased {
			t.Errorf("%s: %d, %q\n%s", name, status, s.words(), s.ledger())
		}
		if c.erased {
			if a := s.author(alice.id); a.Name+a.Handle+a.Avatar != "" {
				t.Errorf("%s: %+v", name, a)
			}
			if p := s.document(note); p["likes"].(object)["totalItems"] != 0.0 {
				t.Errorf("%s: %v", name, p["likes"])
			}
			if n := s.countRows("SELECT COUNT(*) FROM received WHERE raw LIKE '%Curiouser%'"); n > 0 {
				t.Errorf("%s: the ledger still has her text", name)
			}
		}
	}
}

func TestR059_Reactions(t *testing.T) {
	s := open(t)
	alice := s.stranger("https://one.test/alice")
	counts := func() string {
		n := s.document(note)
		return fmt.Sprint(n["likes"].(object)["totalItems"], " ", n["shares"].(object)["totalItems"])
	}
	react := func(kind string, members object, id string) object {
		return changed(changed(alice.activity(kind, note), members), object{"id": "https://one.test/reactions/" + id})
	}
	for i, c := range []struct {
		message object
		want    string
	}{
		{react("Like", nil, "1"), "1 0"},
		{react("Like", nil, "2"), "1 0"}, // once for each account
		{react("Announce", object{"to": []any{public}}, "3"), "1 1"},
		{react("Undo", object{"object": react("Like", nil, "1")}, "4"), "0 1"},
		{react("Undo", object{"object": "https://one.test/reactions/3"}, "5"), "0 0"},
		{react("EmojiReact", object{"content": "🐢"}, "6"), "1 0"},
		{react("Undo", object{"object": "https://one.test/reactions/6"}, "7"), "0 0"},
		{react("Like", object{"content": ":blobcat:", "_misskey_reaction": ":blobcat:", "tag": object{"type": "Emoji", "name": ":blobcat:"}}, "8"), "1 0"},
		{react("Like", object{"object": object{"id": note, "type": "Note"}}, "9"), "1 0"},
		{react("Undo", object{"object": changed(react("Like", nil, "8"), object{"id": nil})}, "10"), "0 0"},
		{react("Announce", nil, "14"), "0 1"},
		{react("Delete", object{"object": object{"id": "https://one.test/reactions/14", "type": "Tombstone"}}, "15"), "0 0"},
		{react("Dislike", nil, "11"), "0 0"},
		{react("Like", nil, "18"), "1 0"},
		{react("Dislike", nil, "19"), "0 0"}, // all that Lemmy says when a vote is turned
		{react("Like", object{"object": "https://blog.test/2026/march/"}, "20"), "1 0"},
		{react("Undo", object{"object": react("Like", object{"object": "https://blog.test/2026/march/"}, "99")}, "21"), "0 0"}, // PieFed and Lemmy make a new id for what they undo
		{react("Announce", object{"object": "https://blog.test/2026/march/"}, "22"), "0 1"},
		{react("Undo", object{"object": "https://one.test/reactions/22"}, "23"), "0 0"},
		{react("Announce", object{"object": []any{note}}, "12"), "0 1"},
		{react("Announce", nil, "13"), "0 1"},
		{react("Undo", object{"object": "https://one.test/reactions/13"}, "16"), "0 0"},
		{react("Announce", nil, "17"), "0 1"},
	} {
		alice.says(c.message)
		if got := counts(); got != c.want {
			t.Errorf("%d, %v: %s, want %s", i, c.message["type"], got, c.want)
		}
	}
	bob := s.stranger("https://one.test/bob")
	bob.says(changed(bob.activity("Undo", "https://one.test/reactions/17"), nil)) // not his
	if got := counts(); got != "0 1" {
		t.Error(got)
	}
	s.untouched(0, func() { // of what is not here
		for _, kind := range []string{"Like", "Announce", "EmojiReact", "Undo"} {
			alice.send(alice.activity(kind, "https://two.test/notes/unknown"))
		}
	})
}

// An activity may be too small a thing to have an id (AP 3): Epicyon's likes and deletions have none, nor have some of Pixelfed's
// follows and of WordPress's updates.
func TestR059_WithoutAnID(t *testing.T) {
	s := open(t)
	alice := s.follower("https://one.test/alice", http.StatusAccepted)
	alice.says(alice.create(alice.note("https://one.test/notes/1", note, "<p>Here.</p>")))
	says := func(kind string, of any) {
		t.Helper()
		alice.says(changed(alice.activity(kind, of), object{"id": nil}))
	}
	state := func() string {
		n := s.document(note)
		return fmt.Sprint(n["likes"].(object)["totalItems"], " ", len(s.followers()), " ", s.words())
	}
	like, follow := changed(alice.activity("Like", note), object{"id": nil}), changed(alice.activity("Follow", actor), object{"id": nil})
	for _, c := range []struct {
		kind string
		of   any
		want string
	}{
		{"Like", note, "1 1 @palice@one.test: Here."},
		{"Undo", like, "0 1 @palice@one.test: Here."},
		{"EmojiReact", note, "1 1 @palice@one.test: Here."},
		{"Undo", object{}, "1 1 @palice@one.test: Here."},
		{"Undo", follow, "1 0 @palice@one.test: Here."},
		{"Follow", actor, "1 1 @palice@one.test: Here."},
		{"Update", alice.id, "1 1 @palice@one.test: Here."},
		{"Delete", "https://one.test/notes/1", "1 1 "},
		{"Block", actor, "1 0 "},
	} {
		says(c.kind, c.of)
		if got := state(); got != c.want {
			t.Errorf("%s: %s, want %s\n%s", c.kind, got, c.want, s.ledger())
		}
	}
	for _, kind := range []string{"Create", "Announce", "Move", "ReplyRequest"} {
		if status := alice.send(changed(alice.activity(kind, "https://one.test/notes/2"), object{"id": nil})); status != http.StatusBadRequest {
			t.Errorf("%s: %d", kind, status)
		}
	}
}

func TestR060_R061_Polls(t *testing.T) {
	s := open(t)
	p := s.stranger("https://one.test/p")
	vote := changed(p.note("https://one.test/votes/1", note, ""), object{"content": nil, "name": "Tabs", "to": []any{actor}})
	s.untouched(0, func() {
		p.send(p.create(vote))
		p.send(p.create(changed(vote, object{"id": "https://one.test/votes/2", "to": []any{public}, "content": ""})))
	})
	options := []any{object{"type": "Note", "name": "Tabs", "replies": object{"type": "Collection", "totalItems": 3}}, object{"type": "Note", "name": "Spaces"}}
	for i, members := range []object{{"type": "Question", "oneOf": options, "endTime": "2026-03-02T12:00:00Z"}, {"type": "Question", "anyOf": options, "closed": true},
		{"oneOf": options, "votersCount": 3}, {"type": "Question", "oneOf": options[0]}} {
		p.says(p.create(changed(p.note(fmt.Sprint("https://one.test/polls/", i), note, "<p>Which?</p>"), members)))
	}
	if got := s.words(); got != strings.TrimSpace(strings.Repeat("@pp@one.test: Which?TabsSpaces ", 3)+"@pp@one.test: Which?Tabs") {
		t.Error(got)
	}
}

func TestR062_WhatIsNotOurs(t *testing.T) {
	s := open(t)
	p := s.stranger("https://one.test/p")
	instance := s.stranger("https://one.test/actor").with(object{"type": "Application", "preferredUsername": "one.test"})
	instance.says(object{"id": "https://one.test/flags/1", "type": "Flag", "actor": instance.id, "content": "spam", "object": []any{actor, note}})
	instance.says(object{"id": "https://one.test/flags/2", "type": "Flag", "actor": instance.id, "content": "spam", "object": []any{"https://two.test/x", note}})
	if ledger := s.ledger(); strings.Count(ledger, "Flag of ") != 2 || strings.Count(ledger, "report about the blog") != 2 {
		t.Error(ledger)
	}
	embedded := p.note("https://one.test/notes/1", "", "<p>Nothing to do with you.</p>")
	delete(embedded, "inReplyTo")
	s.untouched(0, func() {
		for _, kind := range []string{"Move", "Accept", "Reject", "TentativeAccept", "Add", "Remove", "Listen", "View", "Read", "Join", "Leave", "Ignore", "Invite", "Offer",
			"Travel", "Lock", "Resolve", "Warn", "EncryptedActivity", "https://example.test/ns#Wave", "Block", "Flag"} {
			for _, of := range []any{"https://two.test/x", object{"id": "https://two.test/x", "type": "Follow", "actor": p.id, "object": actor}, embedded} {
				if status := p.send(p.activity(kind, of)); status != http.StatusAccepted {
					t.Errorf("%s: %d", kind, status)
				}
			}
		}
		for _, members := range []object{nil, {"quote": note, "quoteUrl": note, "_misskey_quote": note}, {"type": "ChatMessage", "to": []any{actor}}, {"type": "EncryptedMessage", "inReplyTo": note},
			{"type": "Tombstone"}, {"type": "Answer", "inReplyTo": note}, {"inReplyTo": "https://two.test/notes/unknown"}, {"inReplyTo": base + "/posts/unknown/"}, {"id": nil, "inReplyTo": note}} {
			for _, kind := range []string{"Create", "Update"} {
				if status := p.send(p.activity(kind, changed(embedded, members))); status != http.StatusAccepted {
					t.Errorf("%s of %v: %d", kind, members, status)
				}
			}
		}
		if status := p.send(p.activity("Add", p.create(changed(embedded, object{"inReplyTo": note})))); status != http.StatusAccepted { // FEP-171b
			t.Errorf("Add{Create}: %d", status)
		}
	})
}

func TestR063_Blocked(t *testing.T) {
	for _, blocked := range []string{"evil.test", "https://sub.evil.test/p"} {
		s := open(t)
		p := s.stranger("https://sub.evil.test/p")
		if _, _, err := s.db.Block(s.ctx, blocked); err != nil {
			t.Fatal(err)
		}
		s.untouched(0, func() {
			for _, message := range []object{p.create(p.note("https://sub.evil.test/notes/1", note, "<p>Spam.</p>")), p.activity("Follow", actor), p.activity("Like", note)} {
				if status := p.send(message); status != http.StatusAccepted {
					t.Errorf("%s: %d", blocked, status)
				}
			}
		})
	}
}

// 202 is a promise: what was answered so is on the disk, and is carried out by whoever starts next. The program itself is
// killed in cmd/afterword.
func TestR064_A202IsKept(t *testing.T) {
	s := open(t)
	p := s.stranger("https://one.test/p")
	slow := 0
	for i := range 5 {
		began := time.Now()
		if status := p.send(p.create(p.note(fmt.Sprint("https://one.test/notes/", i), note, fmt.Sprintf("<p>%d</p>", i)))); status != http.StatusAccepted {
			t.Fatal(status)
		}
		if time.Since(began) > time.Second {
			slow++
		}
		if rows := s.countRows("SELECT COUNT(*) FROM received"); rows != i+1 {
			t.Errorf("%d answered, %d on the disk", i+1, rows)
		}
	}
	if s.restart(); slow > 1 {
		t.Errorf("%d answers took more than a second", slow)
	}
	s.shows()
	s.settle()
	if got := strings.Count(s.thread(), "\n"); got != 4 {
		t.Error(s.thread())
	}
}

// countRows asks the database by a connection of its own: it sees what was committed.
func (s *stage) countRows(query string) (n int) {
	s.Helper()
	db, err := sql.Open("sqlite", "file:"+s.path+"?mode=ro")
	if err == nil {
		defer db.Close()
		err = db.QueryRowContext(s.ctx, query).Scan(&n)
	}
	if err != nil {
		s.Fatal(err)
	}
	return n
}

func TestR065_Limits(t *testing.T) {
	for name, c := range map[string]struct {
		limits federation.Limits
		who    func(i int) string
	}{
		"account":  {federation.Limits{ActorHour: 3}, func(int) string { return "https://one.test/p" }},
		"server":   {federation.Limits{HostHour: 3}, func(i int) string { return fmt.Sprint("https://one.test/p", i) }},
		"newcomer": {federation.Limits{NewActorsHour: 3}, func(i int) string { return fmt.Sprint("https://one.test/p", i) }},
	} {
		s := open(t, func(f *federation.Config) { f.Limits = c.limits })
		for i := range 5 {
			p := s.stranger(c.who(i))
			w := s.do(p.request(p.create(p.note(fmt.Sprint("https://one.test/notes/", i), note, "<p>Here.</p>"))))
			if want := map[bool]int{true: http.StatusAccepted, false: http.StatusTooManyRequests}[i < 3]; w.Code != want || (w.Header().Get("Retry-After") == "") != (i < 3) {
				t.Errorf("%s, message %d: %d %v", name, i, w.Code, w.Header())
			}
		}
		s.clock.advance(time.Hour)
		p := s.stranger(c.who(4))
		p.says(p.create(p.note("https://one.test/notes/4", note, "<p>Again.</p>")))
		if got := strings.Count(s.words(), "one.test"); got != 4 {
			t.Errorf("%s: %s", name, s.words())
		}
	}
}

// TestForgersShutNobodyOut: one network that names ever other keys of a server, none of which it has, keeps nobody of that
// server from being heard for the first time.
func TestForgersShutNobodyOut(t *testing.T) {
	from := func(address string) func(*http.Request) {
		return func(r *http.Request) { r.RemoteAddr = address + ":443" }
	}
	s := open(t, func(f *federation.Config) {
		f.Source = func(r *http.Request) netip.Prefix {
			return netip.PrefixFrom(netip.MustParseAddrPort(r.RemoteAddr).Addr(), 32)
		}
	})
	forger := s.stranger("https://evil.test/forger")
	s.serve("https://one.test/", object{})
	for i := range 300 {
		s.clock.advance(time.Second)
		forged := forger.create(forger.note(fmt.Sprintf("https://evil.test/notes/%d", i), note, "<p>Forged.</p>"))
		named := fmt.Sprintf(`keyId="https://one.test/nobody/%d#main-key"`, i)
		if status := forger.send(forged, from("192.0.2.1"), func(r *http.Request) {
			r.Header.Set("Signature", strings.Replace(r.Header.Get("Signature"), `keyId="`+forger.keyID+`"`, named, 1))
		}); status == http.StatusAccepted {
			t.Fatal("a forgery is let in")
		}
		if i%20 > 0 {
			continue
		}
		p := s.stranger(fmt.Sprintf("https://one.test/p%d", i))
		if status := p.send(p.create(p.note(p.id+"/1", note, "<p>Honest.</p>")), from("198.51.100.1")); status != http.StatusAccepted {
			t.Errorf("second %d: answered %d", i, status)
		}
	}
	if n := s.outbound(); n < 20 || n > 45 { // five a minute for the forger, and fifteen honest ones
		t.Errorf("%d requests", n)
	}
}

// TestLargeMessagesCountAsSeveral: who sends as much as a message may have fills nobody's disk.
func TestLargeMessagesCountAsSeveral(t *testing.T) {
	s := open(t, func(f *federation.Config) { f.Limits = federation.Limits{ActorHour: 60, HostHour: 100} })
	sent := map[int]int{}
	for i := range 4 {
		p := s.stranger(fmt.Sprint("https://one.test/p", i/2))
		n := p.note(fmt.Sprint("https://one.test/notes/", i), note, "<p>Here.</p>")
		for j := range 9 {
			n[fmt.Sprint("padding", j)] = strings.Repeat("x", 110<<10)
		}
		sent[p.send(p.create(n))]++
	}
	if sent[http.StatusAccepted] != 2 || sent[http.StatusTooManyRequests] != 2 {
		t.Errorf("answered %v", sent)
	}
}

func TestR066_WhatTheRulesTurnAwayIsTaken(t *testing.T) {
	s := open(t, func(c *federation.Config) { c.Rules.Moderation = thread.ModerateAll })
	p := s.stranger("https://one.test/p")
	p.says(p.create(p.note("https://one.test/notes/1", note, "<p>Held.</p>")))
	p.says(p.create(p.note("https://one.test/notes/2", note, "")))
	p.says(p.create(p.note("https://one.test/notes/3", note, strings.Repeat("<p>long</p>", 10_000))))
	if err := s.db.CloseThread(s.ctx, note, s.clock.now()); err != nil {
		t.Fatal(err)
	}
	s.clock.advance(9 * time.Minute)
	p.says(p.create(p.note("https://one.test/notes/4", note, "<p>Late.</p>")))
	if err := s.db.RemovePost(s.ctx, note); err != nil {
		t.Fatal(err)
	}
	p.says(p.create(p.note("https://one.test/notes/5", note, "<p>Too late.</p>")))
	var got []string
	for i := range 4 {
		got = append(got, string(s.verdict(fmt.Sprint("https://one.test/notes/", i+1))))
	}
	if strings.Join(got, " ") != "held ignored held late" {
		t.Errorf("%s\n%s", got, s.ledger())
	}
	if _, err := s.db.Comment(s.ctx, "https://one.test/notes/5"); err != storage.ErrNotFound {
		t.Error(err)
	}
}

func parseBytes(t testing.TB, body []byte) (o object) {
	t.Helper()
	if err := json.Unmarshal(body, &o); err != nil {
		t.Fatal(err)
	}
	return o
}
