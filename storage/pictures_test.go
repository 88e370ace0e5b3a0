package storage

import (
	"context"
	"errors"
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
			db.SavePicture(ctx, a.ID, a.Avatar, Picture{Name: name, Type: "image/png", Data: make([]byte, size)}, clock.now().Add(time.Hour)))
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
