package thread

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// tree makes comments from "id<parent" words; "!" in front marks a deleted one, "?" one that waits. They are a minute
// apart, in the order of the words.
func tree(words string) (comments []Comment) {
	for i, word := range strings.Fields(words) {
		c := Comment{State: Visible, Published: noon.Add(time.Duration(i) * time.Minute)}
		if c.Deleted = word[0] == '!'; c.Deleted || word[0] == '?' {
			if word[0] == '?' {
				c.State = Pending
			}
			word = word[1:]
		}
		id, parent, _ := strings.Cut(word, "<")
		c.ID, c.Parent, c.HTML = IRI(id), IRI(parent), "text"
		comments = append(comments, c)
	}
	return comments
}

// shape is the arranged tree in words: depth, id, replies; stubs in parentheses.
func shape(t *Tree) string {
	var words []string
	for _, p := range t.List() {
		word := fmt.Sprintf("%d%s%d", p.Depth, p.ID, p.Replies)
		if p.Stub {
			word = "(" + word + ")"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

func TestArrange(t *testing.T) {
	for name, c := range map[string]struct {
		in, want string
	}{
		"none":                      {"", ""},
		"nested":                    {"a b<a c<b d e<a", "0a2 1b1 2c0 1e0 0d0"},
		"child before parent":       {"b<a a", "0a1 1b0"},
		"deleted with replies":      {"!a b<a", "(0a1) 1b0"},
		"deleted alone":             {"!a b", "0b0"},
		"deleted chain":             {"a !b<a !c<b", "0a0"},
		"deleted chain with an end": {"a !b<a !c<b d<c", "0a1 (1b1) (2c1) 3d0"},
		"waiting":                   {"a ?b<a", "0a0"},
		"parent unknown":            {"a b<x", "0a0"},
		"circle":                    {"a b<c c<b", "0a0"},
	} {
		if got := shape(Arrange(tree(c.in))); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if stub := Arrange(tree("!a b<a")).List()[0]; stub.HTML != "" || stub.Author != (Author{}) || !stub.Deleted {
		t.Errorf("a stub says %+v", stub)
	}
}

// TestArrangeKeepsOrder: whatever order comments are read in, the tree is the same, and depth never makes it fail.
func TestArrangeKeepsOrder(t *testing.T) {
	comments := []Comment{{ID: "0", State: Visible}}
	for i := 1; i < 20_000; i++ {
		comments = append(comments, Comment{ID: IRI(fmt.Sprint(i)), Parent: IRI(fmt.Sprint(i - 1 - i%2*min(i-1, 3))), State: Visible, Published: noon.Add(time.Duration(i%7) * time.Hour)})
	}
	want := shape(Arrange(comments))
	rand.Shuffle(len(comments), func(i, j int) { comments[i], comments[j] = comments[j], comments[i] })
	if shape(Arrange(comments)) != want {
		t.Error("the order of reading shows")
	}
}

// TestPut: comments that come one by one, at any place, make the tree that they make together.
func TestPut(t *testing.T) {
	all := tree("a b<a c<b d e<a f<d g h<c ?i<a !j<d")
	for range 50 {
		rest := slices.Clone(all)
		for i := range rest {
			rest[i].Published = noon.Add(time.Duration(rand.IntN(5)) * time.Minute)
		}
		var have []Comment
		grown := Arrange(nil)
		for len(rest) > 0 {
			i := rand.IntN(len(rest))
			c := rest[i]
			before := shape(grown)
			known := grown.Put(&c)
			if answered := c.Parent == "" || grown.Find(c.Parent.Anchor()) != nil || c.Deleted || c.State != Visible; known != answered {
				t.Fatalf("%s into %s: %v", c.ID, before, known)
			}
			if !known {
				continue // its turn comes when the one above it is there
			}
			rest, have = slices.Delete(rest, i, i+1), append(have, c)
			if want := shape(Arrange(have)); shape(grown) != want {
				t.Fatalf("%s into %s: %s, want %s", c.ID, before, shape(grown), want)
			}
		}
	}
}

// TestPutText: what was taken from the tree before an edit stays as it was.
func TestPutText(t *testing.T) {
	grown := Arrange(tree("a b<a !c d<c"))
	placed := grown.List()
	edited := *placed[1].Comment
	edited.HTML = "new"
	if !grown.Put(&edited) || grown.List()[1].HTML != "new" || placed[1].HTML != "text" || shape(grown) != "0a1 1b0 (0c1) 1d0" {
		t.Error(shape(grown))
	}
	moved := edited
	moved.Published = noon.Add(time.Hour)
	for _, c := range []*Comment{&moved, {ID: "x", Parent: "unknown", State: Visible}} {
		if grown.Put(c) {
			t.Errorf("%s: another date, or a comment without place, moves others", c.ID)
		}
	}
}

// TestPutState: comments that are hidden, deleted, closed and shown again leave the tree that they make together.
func TestPutState(t *testing.T) {
	all := tree("a b<a c<b d<c e<a f<e g h<g")
	grown, anew := Arrange(slices.Clone(all)), 0
	for range 2000 {
		c := all[rand.IntN(len(all))] // another one than the tree has
		c.State, c.Deleted = []State{Visible, Hidden, Pending}[rand.IntN(3)], rand.IntN(3) == 0
		c.ClosedAt = noon.Add(time.Duration(rand.IntN(3)) * time.Minute)
		all[slices.IndexFunc(all, func(old Comment) bool { return old.ID == c.ID })] = c
		before := shape(grown)
		whole := Arrange(slices.Clone(all))
		if !grown.Put(&c) {
			grown, anew = whole, anew+1
			continue
		}
		if shape(grown) != shape(whole) {
			t.Fatalf("%+v into %s: %s, want %s", c, before, shape(grown), shape(whole))
		}
		for i, p := range grown.List() {
			if same := whole.List()[i]; p.HTML != same.HTML || !p.ClosedAt.Equal(same.ClosedAt) || p.Deleted != same.Deleted || grown.Find(p.ID.Anchor()) == nil {
				t.Fatalf("%+v, want %+v", p.Comment, same.Comment)
			}
		}
		if len(grown.named) != len(whole.named) {
			t.Fatal("what is not shown can be found")
		}
	}
	if anew > 500 {
		t.Errorf("the whole was arranged %d times", anew)
	}
}

// TestFollow: from wherever one goes on, what is left is what follows there in the whole.
func TestFollow(t *testing.T) {
	grown := Arrange(tree("a b<a c<b d e<a f<d g h<c i<b j<h k<a"))
	ids := func(seq iter.Seq[*Node]) (words []string) {
		for n := range seq {
			words = append(words, string(n.ID))
		}
		return words
	}
	for _, top := range grown.Top() {
		branch := slices.Collect(top.Branch())
		for i, n := range branch {
			past := i + 1
			for past < len(branch) && branch[past].Depth > n.Depth {
				past++
			}
			if whole := ids(top.Branch()); !slices.Equal(ids(n.After()), whole[i+1:]) || !slices.Equal(ids(n.Past()), whole[past:]) || n.Top() != top {
				t.Errorf("%s: after %v, past %v, of %v", n.ID, ids(n.After()), ids(n.Past()), whole)
			}
			way := append(n.Above(), n.Placed)
			for depth, p := range way {
				if p.Depth != depth || depth > 0 && p.Parent != way[depth-1].ID {
					t.Errorf("the way down to %s: %+v", n.ID, way)
				}
			}
		}
	}
}
