package storage

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"afterword/thread"
)

// huge fills a post's thread with n comments in chains of the given depth, all by alice, all on the schedule of backfill.
func huge(t testing.TB, db *DB, p thread.Post, n, depth int) {
	t.Helper()
	err := db.write(context.Background(), func(t tx) error {
		for i := range n {
			c := thread.Comment{ID: hugeID(i), Post: p.ID, Author: thread.Author{ID: alice}, HTML: "<p>Text.</p>", State: thread.Visible,
				Published: noon.Add(time.Duration(i) * time.Second), Received: noon.Add(time.Duration(i) * time.Second)}
			if i%depth > 0 {
				c.Parent = hugeID(i - 1)
			}
			if _, err := t.addComment(c, c.Received); err != nil {
				return err
			}
			if err := t.watch(c, Push, c.Received); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func hugeID(i int) thread.IRI { return thread.IRI(fmt.Sprintf("https://alpha.example/%d", i)) }

// TestHugeThread: a thread of 100,000 comments, a thousand deep, is stored into and read from like any other.
func TestHugeThread(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes some seconds")
	}
	const n, depth = 100_000, 1000
	db, c := open(t)
	ctx := context.Background()
	person(t, db, alice)
	p := post(t, db)
	other, _, err := db.SavePost(ctx, Draft{URL: "https://blog.example/2026/empty/", Title: "Empty", Published: noon, Quiet: true})
	must(t, err)
	huge(t, db, p, n, depth)
	must(t, db.CloseBranch(ctx, hugeID(0), noon)) // so that the way up is walked
	c.advance(2 * n * time.Second)

	serial := 0
	took := func(times int, all ...func()) []time.Duration { // what each costs when nothing else is in the way
		least := make([]time.Duration, len(all))
		for n := range times {
			for i, do := range all { // in turn, so that what is in the way is in everybody's
				start := time.Now()
				if do(); n == 0 || time.Since(start) < least[i] {
					least[i] = time.Since(start)
				}
			}
		}
		return least
	}
	reply := func(to thread.IRI) func() {
		return func() {
			serial++
			id := thread.IRI(fmt.Sprintf("https://beta.example/%d", serial))
			m := Message{Way: Push, Sender: alice, Type: "Create", Activity: id, Object: id}
			_, err := db.Receive(ctx, m, nil)
			must(t, err)
			must(t, db.AddComment(ctx, m, thread.Comment{ID: id, Author: thread.Author{ID: alice}, HTML: "x", Received: c.t, Published: c.t}, []thread.IRI{to}, verdict(thread.Shown)))
		}
	}
	for name, to := range map[string]thread.IRI{"the post": p.ID, "a comment at the top": hugeID(depth), "a comment a thousand deep": hugeID(n - 1)} {
		if d := took(31, reply(other.ID), reply(to)); d[1] > 10*d[0] {
			t.Errorf("a reply to %s is stored in %s, in an empty thread in %s", name, d[1], d[0])
		}
	}
	whole := took(3, func() { _, err := db.Thread(ctx, p.ID); must(t, err) })[0]
	for name, do := range map[string]func(){
		"the first direct replies":    func() { _, err := db.DirectReplies(ctx, p.ID, 201, 0); must(t, err) },
		"replies to a comment":        func() { _, err := db.DirectReplies(ctx, hugeID(5), 201, 0); must(t, err) },
		"a page of the context":       func() { _, err := db.AllReplies(ctx, p.ID, 101, 50_000); must(t, err) },
		"its number":                  func() { _, err := db.CountReplies(ctx, p.ID); must(t, err) },
		"a place":                     func() { _, err := db.PlaceOf(ctx, hugeID(n-1)); must(t, err) },
		"a depth":                     func() { _, err := db.Depth(ctx, hugeID(n-1), 50); must(t, err) },
		"what is due to be looked at": func() { _, err := db.DueChecks(ctx, 8); must(t, err) },
		"who knows its author":        func() { _, err := db.KnownAuthor(ctx, alice); must(t, err) },
		"what came while it rests":    func() { must(t, db.BringForward(ctx, other.ID)) },
	} {
		if is := took(31, do)[0]; is > whole/20 {
			t.Errorf("%s took %s, the whole thread %s", name, is, whole)
		} else {
			t.Logf("%s: %s", name, is)
		}
	}

	all, err := db.Thread(ctx, p.ID)
	must(t, err)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	placed := thread.Arrange(all, thread.Oldest)
	runtime.ReadMemStats(&after)
	if per := int(after.TotalAlloc-before.TotalAlloc) / n; len(placed) < n || per > 4096 {
		t.Errorf("%d placed of %d, %d bytes each", len(placed), len(all), per)
	}
}
