package storage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"afterword/thread"
)

// clock is a time that moves only when a test says so.
type clock struct{ t time.Time }

func (c *clock) now() time.Time          { return c.t }
func (c *clock) advance(d time.Duration) { c.t = c.t.Add(d) }

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func open(t testing.TB) (*DB, *clock) {
	t.Helper()
	c := &clock{noon}
	db, err := Open(filepath.Join(t.TempDir(), "test.db"), Options{Base: "https://comments.example", Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		plans(t, db)
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db, c
}

func TestSavePostOnce(t *testing.T) {
	db, c := open(t)
	ctx := context.Background()
	d := Draft{URL: "https://blog.example/2026/a/", Title: "A", Published: noon}
	p, saved, err := db.SavePost(ctx, d)
	if err != nil || saved != Created || p.ID != "https://comments.example/posts/2026/a/" {
		t.Fatal(p.ID, saved, err)
	}
	if _, saved, err = db.SavePost(ctx, d); err != nil || saved != Unchanged {
		t.Fatal(saved, err)
	}
	c.advance(time.Minute)
	d.Title = "B"
	d.URL = "http://www.blog.example/2026/a?utm_source=x#top"
	q, saved, err := db.SavePost(ctx, d)
	if err != nil || saved != Updated || q.ID != p.ID || q.Title != "B" || !q.Updated.Equal(c.t) {
		t.Fatal(q, saved, err)
	}
	if err := db.RemovePost(ctx, p.ID); err != nil {
		t.Fatal(err)
	}
	d.Title = "C"
	q, saved, err = db.SavePost(ctx, d)
	if err != nil || saved != Created || q.ID != "https://comments.example/posts/2026/a~2" {
		t.Fatal(q.ID, saved, err)
	}
}

func TestWritesShareCommitsAndFailAlone(t *testing.T) {
	db, _ := open(t)
	ctx := context.Background()
	var wg sync.WaitGroup
	failed := errors.New("this one fails")
	for i := range 200 {
		wg.Go(func() {
			err := db.write(ctx, func(t tx) error {
				if err := t.tick("written"); err != nil {
					return err
				}
				switch {
				case i%10 == 3:
					return failed
				case i%10 == 7:
					panic("a bad job")
				}
				return nil
			})
			if (err != nil) != (i%10 == 3 || i%10 == 7) {
				t.Errorf("job %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if n, err := db.Counted(ctx, "written"); n != 160 || err != nil {
		t.Errorf("%d writes stayed, %v; want 160", n, err)
	}
}

func TestOtherProcessesShareTheFile(t *testing.T) {
	db, c := open(t)
	ctx := context.Background()
	other, err := Open(db.path, Options{Base: "https://comments.example", Now: c.now})
	must(t, err)
	defer other.Close()
	changed := db.Changed()
	p := post(t, other)
	if _, err := db.Post(ctx, p.ID); err != nil {
		t.Error(err)
	}
	select {
	case <-changed:
	case <-time.After(20 * time.Second):
		t.Error("the commit of another process went unnoticed")
	}
	var wg sync.WaitGroup
	for _, d := range []*DB{db, other} {
		for range 50 {
			wg.Go(func() { must(t, d.Count(ctx, "both")) })
		}
	}
	wg.Wait()
	if n, err := db.Counted(ctx, "both"); n != 100 || err != nil {
		t.Error(n, err)
	}
}

// A command gets its turn while the server commits without a pause.
func TestOtherProcessesGetTheirTurn(t *testing.T) {
	db, c := open(t)
	ctx := context.Background()
	done := make(chan struct{})
	var busy sync.WaitGroup
	for writer := range 64 {
		busy.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				if _, _, err := db.SavePost(ctx, Draft{URL: fmt.Sprintf("https://blog.example/%d/%d/", writer, n)}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 10 {
		other, err := Open(db.path, Options{Base: "https://comments.example", Now: c.now})
		must(t, err)
		if err := other.Count(ctx, "other"); err != nil {
			t.Error(err)
		}
		must(t, other.Close())
	}
	close(done)
	busy.Wait()
	if n, err := db.Counted(ctx, "other"); n != 10 || err != nil {
		t.Error(n, err)
	}
}

func TestNewerDatabaseIsLeftAlone(t *testing.T) {
	db, _ := open(t)
	must(t, db.write(context.Background(), func(t tx) error { return t.exec("PRAGMA user_version = 99") }))
	if _, err := Open(db.path, Options{}); err == nil || !strings.Contains(err.Error(), "newer version") {
		t.Errorf("opened: %v", err)
	}
}

func TestBackupOpensAlone(t *testing.T) {
	db, _ := open(t)
	p := post(t, db)
	copy := filepath.Join(t.TempDir(), "copy.db")
	must(t, db.Backup(context.Background(), copy))
	if info, err := os.Stat(copy); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	restored, err := Open(copy, Options{})
	must(t, err)
	defer restored.Close()
	if _, err := restored.Post(context.Background(), p.ID); err != nil {
		t.Error(err)
	}
}

// TestRecent: what came last, of all posts and of one; how it is found is looked at by plans.
func TestRecent(t *testing.T) {
	db, c := open(t)
	ctx := context.Background()
	person(t, db, alice)
	p := post(t, db)
	for i := range 5 {
		c.advance(time.Minute)
		r := thread.Comment{ID: hugeID(i), Author: thread.Author{ID: alice}, Received: c.t, Published: c.t.Add(-time.Duration(i) * time.Hour)}
		answers := p.ID
		if i == 3 {
			answers = hugeID(2)
		}
		must(t, db.AddComment(ctx, Message{}, r, []thread.IRI{answers}, verdict(thread.Shown)))
	}
	must(t, db.RemoveComment(ctx, hugeID(4)))
	all, err := db.Recent(ctx, 3)
	must(t, err)
	one, err := db.RecentOf(ctx, p.ID, 3)
	must(t, err)
	for _, rs := range [][]Recent{all, one} {
		if len(rs) != 3 || rs[0].ID != hugeID(3) || rs[1].ID != hugeID(2) || rs[1].Replies != 1 || rs[0].Replies != 0 || rs[0].PostURL != p.URL {
			t.Errorf("%+v", rs)
		}
	}
	if none, err := db.RecentOf(ctx, "https://comments.example/posts/other", 3); err != nil || len(none) != 0 {
		t.Error(none, err)
	}
}
