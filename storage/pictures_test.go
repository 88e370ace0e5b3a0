package storage

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"afterword/thread"
)

// TestPicturesAreBounded: when there are too many bytes, the picture goes that nobody needed for longest; its account
// gets one again, but not at once.
func TestPicturesAreBounded(t *testing.T) {
	db, clock := open(t)
	ctx := context.Background()
	p, _, err := db.SavePost(ctx, Draft{URL: "https://blog.example/a/"})
	if err != nil {
		t.Fatal(err)
	}
	save := func(name string, size int) thread.IRI {
		t.Helper()
		clock.advance(time.Minute)
		a := thread.Author{ID: thread.IRI("https://remote.example/" + name), Avatar: "https://remote.example/" + name + ".png"}
		c := thread.Comment{ID: a.ID + "/1", Author: a, Published: clock.now(), Received: clock.now()}
		err := errors.Join(db.SaveActor(ctx, Actor{Author: a, Type: "Person"}),
			db.AddComment(ctx, Message{}, c, []thread.IRI{p.ID}, func(Place) thread.Verdict { return thread.Verdict{Decision: thread.Shown} }),
			db.SavePicture(ctx, a.ID, Found{a.Avatar, Picture{Name: name, Type: "image/png", Data: make([]byte, size)}, false, clock.now().Add(time.Hour)}))
		if err != nil {
			t.Fatal(err)
		}
		return a.ID
	}
	first := save("a", maxPictures/2)
	save("b", maxPictures/2)
	save("c", 1)
	for name, kept := range map[string]bool{"a": false, "b": true, "c": true} {
		if _, err := db.Picture(ctx, name); (err == nil) != kept {
			t.Error(name, err)
		}
	}
	if _, _, err := db.NextPicture(ctx); !errors.Is(err, ErrNotFound) {
		t.Error("one is wanted again at once", err)
	}
	clock.advance(time.Hour)
	if _, _, err := db.NextPicture(ctx); err != nil {
		t.Error(err)
	}
	if c, err := db.Comment(ctx, first+"/1"); err != nil || c.Author.Picture != "" {
		t.Error(c.Author, err)
	}
}

// TestAttachmentsAreBounded: pictures within comments go like those of accounts, and the thread is shown without them.
func TestAttachmentsAreBounded(t *testing.T) {
	db, clock := open(t)
	ctx := context.Background()
	p, _, err := db.SavePost(ctx, Draft{URL: "https://blog.example/a/"})
	if err != nil {
		t.Fatal(err)
	}
	c := thread.Comment{ID: "https://remote.example/1", Published: clock.now(), Received: clock.now(), Attached: []thread.Attached{{URL: "https://remote.example/a"}, {URL: "https://remote.example/b"}}}
	err = db.AddComment(ctx, Message{}, c, []thread.IRI{p.ID}, func(Place) thread.Verdict { return thread.Verdict{Decision: thread.Shown} })
	if err != nil {
		t.Fatal(err)
	}
	var before thread.Post
	for _, name := range []string{"a", "b"} {
		clock.advance(time.Minute)
		found := Found{Address: "https://remote.example/" + name, Picture: Picture{Name: name, Type: "image/png", Width: 1, Height: 2, Data: make([]byte, maxPictures/2+1)}, Due: clock.now().Add(time.Hour)}
		if before, err = db.Post(ctx, p.ID); err == nil {
			err = db.SaveAttachments(ctx, []Found{found})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, since := range []int64{0, before.Revision} {
		shown, err := db.Attached(ctx, p.ID, since)
		if err != nil || len(shown) != 1 || !slices.Equal(shown[c.ID], []thread.Attached{{URL: "https://remote.example/b", Picture: "b", Width: 1, Height: 2}}) {
			t.Error(since, shown, err)
		}
	}
	if _, err := db.Picture(ctx, "a"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if due, err := db.NextAttachments(ctx); err != nil || len(due) > 0 {
		t.Error("it is wanted again at once", due, err)
	}
	clock.advance(time.Hour)
	if due, err := db.NextAttachments(ctx); err != nil || !slices.Equal(due, []string{"https://remote.example/b"}) {
		t.Error(due, err)
	}
}
