package storage

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"afterword/thread"
)

const (
	page  = "https://blog.example/2026/a/"
	alice = thread.IRI("https://alpha.example/users/alice")
	bob   = thread.IRI("https://beta.example/users/bob")
)

// must fails the test on an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// person makes an account known.
func person(t testing.TB, db *DB, id thread.IRI) {
	t.Helper()
	must(t, db.SaveActor(context.Background(), Actor{Author: thread.Author{ID: id, Name: "N", Handle: "@n@" + id.Host(), URL: string(id)},
		Type: "Person", Inbox: string(id) + "/inbox", SharedInbox: "https://" + id.Host() + "/inbox"}))
}

func post(t testing.TB, db *DB) thread.Post {
	t.Helper()
	p, _, err := db.SavePost(context.Background(), Draft{URL: page, Title: "A", Published: noon, Quiet: true})
	must(t, err)
	return p
}

// message puts a message into the ledger, as the door would.
func message(t *testing.T, db *DB, sender, object thread.IRI, raw string) Message {
	t.Helper()
	ctx := context.Background()
	_, err := db.Receive(ctx, Message{Way: Push, Sender: sender, Type: "Create", Activity: object + "#activity", Object: object, Raw: []byte(raw)}, nil)
	must(t, err)
	found, err := db.Ledger(ctx, string(object), 1)
	must(t, err)
	return found[0]
}

func verdict(d thread.Decision) func(Place) thread.Verdict {
	return func(Place) thread.Verdict { return thread.Verdict{Decision: d} }
}

func say(t *testing.T, db *DB, p thread.Post, author, id, parent thread.IRI, d thread.Decision) {
	t.Helper()
	if parent == "" {
		parent = p.ID
	}
	m := message(t, db, author, id, "{}")
	must(t, db.AddComment(context.Background(), m, thread.Comment{ID: id, Author: thread.Author{ID: author},
		HTML: "<p>text of " + string(id) + "</p>", Published: m.Received, Received: m.Received}, []thread.IRI{parent}, verdict(d)))
}

func TestCommentsAreCountedByState(t *testing.T) {
	db, _ := open(t)
	ctx := context.Background()
	p := post(t, db)
	person(t, db, alice)
	say(t, db, p, alice, "https://alpha.example/1", "", thread.Shown)
	say(t, db, p, alice, "https://alpha.example/2", "https://alpha.example/1", thread.Shown)
	say(t, db, p, alice, "https://alpha.example/3", "", thread.TooLate)
	say(t, db, p, alice, "https://alpha.example/4", "", thread.Held)
	expect := func(comments, late int) {
		t.Helper()
		before := p.Revision
		p, _ = db.Post(ctx, p.ID)
		if p.Comments != comments || p.Late != late || p.Revision <= before {
			t.Errorf("comments %d, late %d, revision %d after %d; want %d and %d", p.Comments, p.Late, p.Revision, before, comments, late)
		}
	}
	expect(2, 1)
	must(t, db.Moderate(ctx, "https://alpha.example/4", thread.Visible))
	expect(3, 1)
	must(t, db.Moderate(ctx, "https://alpha.example/3", thread.Visible))
	expect(4, 0)
	must(t, db.DeleteComment(ctx, message(t, db, alice, "https://alpha.example/9", "{}"), "https://alpha.example/1", thread.Verdict{Decision: thread.Done}))
	expect(3, 0)
	must(t, db.DeleteComment(ctx, message(t, db, alice, "https://alpha.example/8", "{}"), "https://alpha.example/1", thread.Verdict{Decision: thread.Done}))
	if again, _ := db.Post(ctx, p.ID); again.Comments != 3 {
		t.Errorf("a second deletion counted: %d", again.Comments)
	}
	comments, err := db.Thread(ctx, p.ID)
	must(t, err)
	placed := thread.Arrange(comments).List()
	if len(placed) != 4 || !placed[0].Stub || placed[0].HTML != "" || placed[0].Replies != 1 {
		t.Errorf("%+v", placed)
	}
}

func TestDeletedTextIsNowhere(t *testing.T) {
	db, _ := open(t)
	ctx := context.Background()
	p := post(t, db)
	person(t, db, alice)
	id := thread.IRI("https://alpha.example/1")
	m := message(t, db, alice, id, `{"secret":"text"}`)
	must(t, db.AddComment(ctx, m, thread.Comment{ID: id, Author: thread.Author{ID: alice}, HTML: "secret", Received: noon}, []thread.IRI{p.ID}, verdict(thread.Shown)))
	must(t, db.DeleteComment(ctx, m, id, thread.Verdict{Decision: thread.Done}))
	if m, err := db.Message(ctx, m.ID); err != nil || len(m.Raw) != 0 {
		t.Errorf("the ledger keeps %s, %v", m.Raw, err)
	}
	if err := db.Replay(ctx, m.ID); !errors.Is(err, ErrErased) {
		t.Errorf("replay of an erased message: %v", err)
	}
	if gone, err := db.Tombstoned(ctx, id, alice); err != nil || !gone {
		t.Error(gone, err)
	}
	if gone, _ := db.Tombstoned(ctx, id, bob); gone {
		t.Error("one account's deletion stands in the way of another's id")
	}
	if c, err := db.FindComment(ctx, ""); !errors.Is(err, ErrNotFound) {
		t.Errorf("nothing names %s, %v", c.ID, err)
	}
}

// TestNobodyIsMistakenForAnother: who gives another's page as the one of their own account or comment is not who is meant by
// it.
func TestNobodyIsMistakenForAnother(t *testing.T) {
	const mallory, page, profile = thread.IRI("https://aaa.example/mallory"), "https://alpha.example/@alice/1", "https://alpha.example/@alice"
	db, c := open(t)
	ctx, p := context.Background(), post(t, db)
	for _, who := range []thread.IRI{mallory, alice} {
		must(t, db.SaveActor(ctx, Actor{Author: thread.Author{ID: who, Handle: "@x@" + who.Host(), URL: profile}}))
		note := thread.Comment{ID: who + "/1", URL: page, Author: thread.Author{ID: who}, HTML: "x", Received: c.t, Published: c.t}
		must(t, db.AddComment(ctx, Message{}, note, []thread.IRI{p.ID}, verdict(thread.Shown)))
	}
	for ref, want := range map[string]thread.IRI{page: alice + "/1", string(alice) + "/1": alice + "/1", string(mallory) + "/1": mallory + "/1"} {
		if c, err := db.FindComment(ctx, ref); err != nil || c.ID != want {
			t.Errorf("%s means %s, %v", ref, c.ID, err)
		}
	}
	for ref, want := range map[string]thread.IRI{profile: alice, string(mallory): mallory, "@x@aaa.example": mallory, "x@alpha.example": alice} {
		if id, err := db.FindActor(ctx, ref); err != nil || id != want {
			t.Errorf("%s means %s, %v", ref, id, err)
		}
	}
}

// TestStrangersAreForgotten: an account that merely sent something is not kept for ever, with its keys.
func TestStrangersAreForgotten(t *testing.T) {
	db, c := open(t)
	ctx, p := context.Background(), post(t, db)
	kept := []thread.IRI{"https://a.example/wrote", "https://a.example/likes", "https://a.example/follows", "https://a.example/blocks", "https://a.example/sent"}
	for _, id := range append(kept, "https://a.example/stranger") {
		must(t, db.SaveActor(ctx, Actor{Author: thread.Author{ID: id}, Keys: []ActorKey{{ID: string(id) + "#key", Owner: id, PEM: "x"}}}))
	}
	say(t, db, p, kept[0], "https://a.example/1", p.ID, thread.Shown)
	must(t, db.React(ctx, Message{Sender: kept[1], Object: p.ID}, Like, thread.Verdict{Decision: thread.Done}))
	must(t, db.AddFollower(ctx, Message{Sender: kept[2]}, nil, thread.Verdict{Decision: thread.Done}))
	must(t, db.Refuse(ctx, Message{Sender: kept[3]}, true, thread.Verdict{Decision: thread.Done}))
	c.advance(Retention + time.Hour)
	_, err := db.Receive(ctx, Message{Way: Push, Sender: kept[4], Type: "Delete", Object: "https://a.example/2"}, nil)
	must(t, errors.Join(err, db.Prune(ctx)))
	for _, id := range kept {
		if _, err := db.Actor(ctx, id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	_, err = db.Actor(ctx, "https://a.example/stranger")
	if _, _, keyErr := db.Key(ctx, "https://a.example/stranger#key"); !errors.Is(err, ErrNotFound) || !errors.Is(keyErr, ErrNotFound) {
		t.Errorf("still there: %v, %v", err, keyErr)
	}
}

func TestPrivateMessagesAreCountedAndNotKept(t *testing.T) {
	db, _ := open(t)
	ctx := context.Background()
	m := message(t, db, alice, "https://alpha.example/1", `{"secret":"text"}`)
	must(t, db.Settle(ctx, m, thread.Verdict{Decision: thread.Secret}))
	if _, err := db.Message(ctx, m.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("still in the ledger: %v", err)
	}
	if n, err := db.Counted(ctx, "private"); n != 1 || err != nil {
		t.Errorf("counted %d, %v", n, err)
	}
}

func TestWaitingRepliesWakeOrAreStranded(t *testing.T) {
	db, _ := open(t)
	ctx := context.Background()
	p := post(t, db)
	person(t, db, alice)
	waiting := thread.Verdict{Decision: thread.Waiting}
	child := message(t, db, alice, "https://alpha.example/child", "{}")
	must(t, db.Await(ctx, child, "https://beta.example/parent", waiting))
	grandchild := message(t, db, alice, "https://alpha.example/grandchild", "{}")
	must(t, db.Await(ctx, grandchild, child.Object, waiting))

	pulls, err := db.DueMessages(ctx, Pull, 10)
	must(t, err)
	if len(pulls) != 2 || pulls[0].Object != "https://beta.example/parent" || pulls[0].Depth != 1 {
		t.Fatalf("%+v", pulls)
	}
	must(t, db.Strand(ctx, pulls[0], thread.Verdict{Decision: thread.Orphaned, Reason: "404"}))
	for _, m := range []Message{child, grandchild} {
		if m, _ = db.Message(ctx, m.ID); m.Decision != thread.Orphaned {
			t.Errorf("%s: %s %s", m.Object, m.Decision, m.Reason)
		}
	}
	say(t, db, p, alice, "https://beta.example/parent", "", thread.Shown)
	due, err := db.DueMessages(ctx, Push, 10)
	must(t, err)
	if len(due) != 1 || due[0].ID != child.ID {
		t.Errorf("woken: %+v", due)
	}
}

// sendable is what may be sent now, to whatever host.
func sendable(db *DB) (due []Delivery, err error) {
	ctx := context.Background()
	hosts, err := db.ReadyHosts(ctx, AnyHost, 100)
	for _, host := range hosts {
		some, failed := db.DueDeliveries(ctx, host, 100)
		due, err = append(due, some...), errors.Join(err, failed)
	}
	return due, err
}

func TestChangesCollapseIntoOneTrueUpdate(t *testing.T) {
	db, c := open(t)
	ctx := context.Background()
	p := post(t, db)
	person(t, db, alice)
	must(t, db.AddFollower(ctx, Message{Sender: alice, Activity: "https://alpha.example/follow"}, []byte("{}"), thread.Verdict{Decision: thread.Done}))
	accept, err := db.NextChange(ctx)
	must(t, err)
	must(t, db.Publish(ctx, accept, nil, Recipients{}))
	for range 3 {
		must(t, db.CloseThread(ctx, p.ID, c.t))
		must(t, db.ReopenThread(ctx, p.ID))
	}
	publish := func(kind string, id thread.IRI) {
		t.Helper()
		change, err := db.NextChange(ctx)
		must(t, err)
		if change.Kind != kind {
			t.Fatal(change.Kind)
		}
		must(t, db.Publish(ctx, change, &Outgoing{ID: id, Object: p.ID, Kind: kind, Body: []byte("{}")}, Recipients{Followers: true, Participants: p.ID}))
	}
	publish("update", "https://comments.example/1")
	if _, err := db.NextChange(ctx); !errors.Is(err, ErrNotFound) {
		t.Fatalf("another change is left: %v", err)
	}
	must(t, db.CloseThread(ctx, p.ID, c.t))
	publish("update", "https://comments.example/2")
	due, err := sendable(db)
	must(t, err)
	if len(due) != 1 || due[0].Activity != "https://comments.example/2" || due[0].Inbox != "https://alpha.example/inbox" {
		t.Errorf("%+v", due)
	}
}

// An Update that is under way when the next one drops it is gone from the table, and its number may be the next one's:
// whatever comes of it says nothing about that.
func TestSupersededOnItsWay(t *testing.T) {
	db, _ := open(t)
	ctx := context.Background()
	p := post(t, db)
	person(t, db, alice)
	must(t, db.AddFollower(ctx, Message{Sender: alice, Activity: "https://alpha.example/follow"}, nil, thread.Verdict{Decision: thread.Done}))
	for i, ends := range []func(Delivery) error{
		func(d Delivery) error { return db.Delivered(ctx, []Delivery{d}) },
		func(d Delivery) error { return db.Undeliverable(ctx, d) },
		func(d Delivery) error { return db.Retry(ctx, d, noon.Add(time.Hour), time.Time{}, "busy") },
		func(d Delivery) error { return db.Trying(ctx, []Delivery{d}) },
	} {
		publish := func(id string) Delivery {
			t.Helper()
			out := &Outgoing{ID: thread.IRI(fmt.Sprint("https://comments.example/", i, id)), Object: p.ID, Kind: "update", Body: []byte("{}")}
			must(t, db.Publish(ctx, Change{}, out, Recipients{Followers: true}))
			due, err := sendable(db)
			if err != nil || len(due) != 1 || due[0].Activity != out.ID {
				t.Fatalf("%+v %v", due, err)
			}
			return due[0]
		}
		old, next := publish("old"), publish("new")
		if old.ID != next.ID {
			t.Fatalf("numbers %d, %d", old.ID, next.ID)
		}
		must(t, ends(old))
		if due, err := sendable(db); err != nil || len(due) != 1 || due[0].Activity != next.Activity || due[0].Attempts != 0 {
			t.Errorf("%d: %+v %v", i, due, err)
		}
	}
}

// The server and a command fetched the same thing, found it private, and the one that came late meant a row that is gone.
func TestSettledByTwoProcesses(t *testing.T) {
	db, _ := open(t)
	ctx := context.Background()
	private := thread.Verdict{Decision: thread.Secret}
	for i, late := range []func(Message) error{
		func(m Message) error { return db.Settle(ctx, m, private) },
		func(m Message) error { return db.Strand(ctx, m, thread.Verdict{Decision: thread.Orphaned}) },
		func(m Message) error { return db.Postpone(ctx, m, noon.Add(time.Hour), "away") },
		func(m Message) error { m.Raw = []byte("hers"); return db.Keep(ctx, m) },
		func(m Message) error {
			return db.Await(ctx, m, "https://alpha.example/above", thread.Verdict{Decision: thread.Waiting})
		},
	} {
		must(t, db.Pull(ctx, thread.IRI(fmt.Sprint("https://alpha.example/hers/", i)), 0))
		pulls, err := db.DueMessages(ctx, Pull, 10)
		must(t, err)
		hers := pulls[len(pulls)-1]
		must(t, db.Settle(ctx, hers, private))
		his := message(t, db, alice, thread.IRI(fmt.Sprint("https://alpha.example/his/", i)), "his")
		if his.ID != hers.ID {
			t.Fatalf("numbers %d, %d", hers.ID, his.ID)
		}
		must(t, late(hers))
		if got, err := db.Message(ctx, his.ID); err != nil || got.Decision != "" || string(got.Raw) != "his" || got.Attempts != 0 {
			t.Errorf("%d: %+v %v", i, got, err)
		}
	}
}

func TestUpdatesDoNotOvertakeTheirCreate(t *testing.T) {
	db, c := open(t)
	ctx := context.Background()
	p := post(t, db)
	person(t, db, alice)
	must(t, db.AddFollower(ctx, Message{Sender: alice, Activity: "https://alpha.example/follow"}, nil, thread.Verdict{Decision: thread.Done}))
	for i, kind := range []string{"create", "update"} {
		out := &Outgoing{ID: thread.IRI(fmt.Sprint("https://comments.example/", i)), Object: p.ID, Kind: kind, Body: []byte("{}")}
		must(t, db.Publish(ctx, Change{ID: 99}, out, Recipients{Followers: true}))
	}
	due, err := sendable(db)
	must(t, err)
	if len(due) != 1 || due[0].Activity != "https://comments.example/0" {
		t.Fatalf("%+v", due)
	}
	rest := c.t.Add(time.Minute)
	must(t, db.Retry(ctx, due[0], rest, rest, "connection refused"))
	if due, _ = sendable(db); len(due) != 0 {
		t.Fatalf("the host gets no rest: %+v", due)
	}
	queue, err := db.Queue(ctx)
	must(t, err)
	if len(queue) != 1 || queue[0].Waiting != 2 || queue[0].Failures != 1 || !queue[0].Next.Equal(rest) || queue[0].Error != "connection refused" {
		t.Errorf("%+v", queue)
	}
	must(t, db.HostSpoke(ctx, "alpha.example"))
	due, err = sendable(db)
	must(t, err)
	if len(due) != 1 || due[0].Attempts != 1 || due[0].Failures != 0 {
		t.Fatalf("a host that speaks is well again: %+v", due)
	}
	must(t, db.Delivered(ctx, due[:1]))
	if due, _ = sendable(db); len(due) != 1 || due[0].Activity != "https://comments.example/1" {
		t.Fatalf("%+v", due)
	}
	must(t, db.Publish(ctx, Change{ID: 99}, &Outgoing{ID: "https://comments.example/d", Object: p.ID, Kind: "delete", Body: []byte("{}")}, Recipients{Followers: true}))
	if due, _ = sendable(db); len(due) != 1 || due[0].Activity != "https://comments.example/d" {
		t.Fatalf("a Delete makes the rest pointless: %+v", due)
	}
}

func TestThreadsThatCloseByThemselvesAreTold(t *testing.T) {
	db, c := open(t)
	ctx := context.Background()
	p := post(t, db)
	must(t, db.Publish(ctx, Change{}, &Outgoing{ID: "https://comments.example/c", Object: p.ID, Kind: "create", Body: []byte("{}"), Told: thread.Open}, Recipients{}))
	must(t, db.CloseThread(ctx, p.ID, c.t.Add(time.Hour)))
	announced := func(closeAfter time.Duration, want int) {
		t.Helper()
		if n, err := db.AnnounceStates(ctx, thread.Rules{CloseAfter: closeAfter}); n != want || err != nil {
			t.Errorf("announced %d, %v; want %d", n, err, want)
		}
	}
	announced(0, 0)
	c.advance(time.Hour)
	announced(0, 1)
	announced(0, 0)
	change, err := db.NextChange(ctx)
	must(t, err)
	must(t, db.Publish(ctx, change, &Outgoing{ID: "https://comments.example/u", Object: p.ID, Kind: "update", Body: []byte("{}"), Told: thread.Closed}, Recipients{}))
	announced(0, 0)
	must(t, db.ReopenThread(ctx, p.ID))
	change, _ = db.NextChange(ctx)
	must(t, db.Publish(ctx, change, &Outgoing{ID: "https://comments.example/u2", Object: p.ID, Kind: "update", Body: []byte("{}"), Told: thread.Open}, Recipients{}))
	c.advance(24 * time.Hour)
	announced(time.Hour, 0) // reopened by hand: age no longer closes it
}

// Whatever is told of a post is newer, by others' reckoning in whole seconds, than what was told before; and what changes
// nothing is not told.
func TestChangesInOneSecond(t *testing.T) {
	db, c := open(t)
	ctx := context.Background()
	p := post(t, db)
	draft := Draft{URL: p.URL, Title: "Another title", Published: p.Published}
	save := func() error { _, _, err := db.SavePost(ctx, draft); return err }
	for i, change := range []func() error{
		func() error { return db.CloseThread(ctx, p.ID, time.Time{}) }, func() error { return db.ReopenThread(ctx, p.ID) }, save,
		func() error { return db.CloseThread(ctx, p.ID, time.Time{}) },
	} {
		before := p.Updated
		for range 2 { // two processes at once: the second finds it done
			must(t, change())
		}
		var err error
		if p, err = db.Post(ctx, p.ID); err != nil || p.Updated.Before(c.t) || i > 0 && p.Updated.Sub(before) < time.Second || p.Updated.Sub(c.t) > time.Duration(i)*time.Second {
			t.Errorf("%d: updated %s, before that %s, %v", i, p.Updated, before, err)
		}
		if next, err := db.NextChange(ctx); err != nil || next.newest-next.ID != int64(i) {
			t.Errorf("%d: %+v %v", i, next, err)
		}
	}
}

func TestEditsInOneSecond(t *testing.T) {
	db, c := open(t)
	ctx := context.Background()
	p := post(t, db)
	answer, err := db.Answer(ctx, Actor{Author: thread.Author{ID: "https://comments.example/actor"}}, p.ID, "<p>Well.</p>")
	must(t, err)
	for i := range 3 {
		must(t, db.EditAnswer(ctx, answer.ID, fmt.Sprint("<p>Well, ", i)))
		if got, err := db.Comment(ctx, answer.ID); err != nil || got.Edited.Sub(c.t) != time.Duration(i)*time.Second {
			t.Errorf("edited %s, %v", got.Edited, err)
		}
	}
}

// What changes while a change is being published is told too: the activity may have been written before.
func TestChangesDuringPublishing(t *testing.T) {
	db, _ := open(t)
	ctx := context.Background()
	p := post(t, db)
	must(t, db.CloseThread(ctx, p.ID, time.Time{}))
	change, err := db.NextChange(ctx)
	must(t, err)
	must(t, db.ReopenThread(ctx, p.ID)) // by another process, which knows nothing of it
	must(t, db.Publish(ctx, change, &Outgoing{ID: "https://comments.example/u", Object: p.ID, Kind: change.Kind, Body: []byte("{}"), Told: thread.Closed}, Recipients{}))
	next, err := db.NextChange(ctx)
	if err != nil || next.Object != p.ID || next.Kind != "update" {
		t.Errorf("%+v %v", next, err)
	}
}

func TestBranchClosing(t *testing.T) {
	db, c := open(t)
	ctx := context.Background()
	p := post(t, db)
	person(t, db, alice)
	say(t, db, p, alice, "https://alpha.example/1", "", thread.Shown)
	say(t, db, p, alice, "https://alpha.example/2", "https://alpha.example/1", thread.Shown)
	say(t, db, p, alice, "https://alpha.example/3", "https://alpha.example/2", thread.Shown)
	say(t, db, p, alice, "https://alpha.example/4", "", thread.Shown)
	must(t, db.CloseBranch(ctx, "https://alpha.example/1", c.t))
	for id, closed := range map[thread.IRI]bool{"https://alpha.example/3": true, "https://alpha.example/1": true, "https://alpha.example/4": false, p.ID: false} {
		place, err := db.PlaceOf(ctx, id)
		must(t, err)
		if !place.BranchClosedAt.IsZero() != closed {
			t.Errorf("%s closed since %v", id, place.BranchClosedAt)
		}
	}
}

// TestBranchClosingReachesAllTheWay: nobody answers himself so often that the closing above is lost.
func TestBranchClosingReachesAllTheWay(t *testing.T) {
	const depth = 3000
	db, c := open(t)
	ctx, p := context.Background(), post(t, db)
	say(t, db, p, alice, "https://alpha.example/0", "", thread.Shown)
	must(t, db.write(ctx, func(t tx) error {
		return t.exec(`INSERT INTO comments (id, post, parent, author, url, html, warning, lang, published, edited, received, state, unlisted, imported, revision)
			WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < $1)
			SELECT 'https://alpha.example/' || i, $2, 'https://alpha.example/' || (i - 1), $3, '', 'x', '', '', 0, 0, 0, 'visible', 0, 0, 0 FROM numbers`, depth, p.ID, alice)
	}))
	must(t, db.CloseBranch(ctx, "https://alpha.example/0", c.t))
	place, err := db.PlaceOf(ctx, thread.IRI(fmt.Sprint("https://alpha.example/", depth)))
	if err != nil || place.BranchClosedAt.IsZero() {
		t.Errorf("closed since %v, %v", place.BranchClosedAt, err)
	}
}

func TestErasedAccount(t *testing.T) {
	db, _ := open(t)
	ctx := context.Background()
	p := post(t, db)
	person(t, db, alice)
	person(t, db, bob)
	say(t, db, p, alice, "https://alpha.example/1", "", thread.Shown)
	say(t, db, p, bob, "https://beta.example/2", "https://alpha.example/1", thread.Shown)
	must(t, db.React(ctx, Message{Sender: alice, Object: p.ID, Activity: "https://alpha.example/like"}, Like, thread.Verdict{Decision: thread.Done}))
	must(t, db.React(ctx, Message{Sender: alice, Object: p.ID, Activity: "https://alpha.example/like2"}, Like, thread.Verdict{Decision: thread.Done}))
	if p, _ = db.Post(ctx, p.ID); p.Likes != 1 {
		t.Errorf("likes %d", p.Likes)
	}
	must(t, db.EraseActor(ctx, Message{Object: alice}, thread.Verdict{Decision: thread.Done}))
	p, _ = db.Post(ctx, p.ID)
	comments, _ := db.Thread(ctx, p.ID)
	placed := thread.Arrange(comments).List()
	if p.Comments != 1 || p.Likes != 0 || len(placed) != 2 || !placed[0].Stub {
		t.Errorf("%+v %+v", p, placed)
	}
	if a, err := db.Actor(ctx, alice); err != nil || !a.Deleted || a.Name != "" || a.Handle != "" {
		t.Errorf("%+v %v", a, err)
	}
}

func TestBlocksCoverSubdomains(t *testing.T) {
	db, _ := open(t)
	ctx := context.Background()
	_, _, err := db.Block(ctx, "evil.example", string(bob))
	must(t, err)
	for id, want := range map[thread.IRI]bool{"https://a.b.evil.example:8443/x": true, "https://evil.example/": true,
		"https://notevil.example/": false, bob: true, "https://beta.example/users/bobby": false} {
		if got, err := db.Blocked(ctx, id); err != nil || got != want {
			t.Errorf("%s: %v %v", id, got, err)
		}
	}
	if _, err := db.Unblock(ctx, "evil.example"); err != nil {
		t.Error(err)
	}
	if _, err := db.Unblock(ctx, "evil.example"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

// Looks at a comment are ever farther apart, and thirty days in the end.
func TestNextLook(t *testing.T) {
	const day = 24 * time.Hour
	at := noon
	for _, age := range []time.Duration{10 * time.Minute, time.Hour, 6 * time.Hour, day, 3 * day, 7 * day, 30 * day, 60 * day, 90 * day} {
		if at = nextLook(noon, at); at.Sub(noon) != age {
			t.Errorf("after %s, want %s", at.Sub(noon), age)
		}
	}
}
