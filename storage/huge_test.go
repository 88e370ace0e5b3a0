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

// TestHugeThread: a thread a thousand deep is stored into and read from like any other, and takes no more memory for a
// comment than that comment needs. That no statement reads a whole table, plans holds for every test.
func TestHugeThread(t *testing.T) {
	const n, depth = 10_000, 1000
	db, c := open(t)
	ctx := context.Background()
	person(t, db, alice)
	p := post(t, db)
	huge(t, db, p, n, depth)
	must(t, db.CloseBranch(ctx, hugeID(0), noon)) // so that the way up is walked
	c.advance(2 * n * time.Second)
	if got, err := db.Depth(ctx, hugeID(n-1), 50); err != nil || got != 50 {
		t.Error(got, err)
	}
	if place, err := db.PlaceOf(ctx, hugeID(depth-1)); err != nil || !place.BranchClosedAt.Equal(noon) {
		t.Error(place.BranchClosedAt, err)
	}
	if ids, err := db.DirectReplies(ctx, p.ID, 201, 0); err != nil || len(ids) != n/depth {
		t.Error(len(ids), err)
	}
	if ids, err := db.AllReplies(ctx, p.ID, 101, n/2); err != nil || len(ids) != 101 || ids[0] != hugeID(n/2) {
		t.Error(len(ids), err)
	}
	all, err := db.Thread(ctx, p.ID)
	must(t, err)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	placed := thread.Arrange(all).List()
	runtime.ReadMemStats(&after)
	if per := int(after.TotalAlloc-before.TotalAlloc) / n; len(placed) != n || placed[depth-1].Depth != depth-1 || per > 4096 {
		t.Errorf("%d placed of %d, %d bytes each", len(placed), len(all), per)
	}
}

// BenchmarkHugeThread is what storing a reply costs in a thread of 100,000 comments, a thousand deep, beside storing it in
// an empty one.
func BenchmarkHugeThread(b *testing.B) {
	const n, depth = 100_000, 1000
	db, c := open(b)
	ctx := context.Background()
	person(b, db, alice)
	p := post(b, db)
	other, _, err := db.SavePost(ctx, Draft{URL: "https://blog.example/2026/empty/", Title: "Empty", Published: noon, Quiet: true})
	must(b, err)
	huge(b, db, p, n, depth)
	c.advance(2 * n * time.Second)
	serial := 0
	for name, to := range map[string]thread.IRI{"empty": other.ID, "top": p.ID, "deep": hugeID(n - 1)} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				serial++
				id := thread.IRI(fmt.Sprintf("https://beta.example/%d", serial))
				m := Message{Way: Push, Sender: alice, Type: "Create", Activity: id, Object: id}
				_, err := db.Receive(ctx, m, nil)
				must(b, err)
				must(b, db.AddComment(ctx, m, thread.Comment{ID: id, Author: thread.Author{ID: alice}, HTML: "x", Received: c.t, Published: c.t}, []thread.IRI{to}, verdict(thread.Shown)))
			}
		})
	}
}
