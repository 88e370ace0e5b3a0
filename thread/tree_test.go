package thread

import (
	"fmt"
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
func shape(placed []*Placed) string {
	var words []string
	for _, p := range placed {
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
		order    Order
	}{
		"none":                         {"", "", Oldest},
		"nested":                       {"a b<a c<b d e<a", "0a2 1b1 2c0 1e0 0d0", Oldest},
		"newest first, replies oldest": {"a b<a c<a d", "0d0 0a2 1b0 1c0", Newest},
		"child before parent":          {"b<a a", "0a1 1b0", Oldest},
		"deleted with replies":         {"!a b<a", "(0a1) 1b0", Oldest},
		"deleted alone":                {"!a b", "0b0", Oldest},
		"deleted chain":                {"a !b<a !c<b", "0a0", Oldest},
		"deleted chain with an end":    {"a !b<a !c<b d<c", "0a1 (1b1) (2c1) 3d0", Oldest},
		"waiting":                      {"a ?b<a", "0a0", Oldest},
		"parent unknown":               {"a b<x", "0a0", Oldest},
		"circle":                       {"a b<c c<b", "0a0", Oldest},
	} {
		if got := shape(Arrange(tree(c.in), c.order)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if stub := Arrange(tree("!a b<a"), Oldest)[0]; stub.HTML != "" || stub.Author != (Author{}) || !stub.Deleted {
		t.Errorf("a stub says %+v", stub)
	}
}

// TestArrangeKeepsOrder: whatever order comments are read in, the tree is the same, and depth never makes it fail.
func TestArrangeKeepsOrder(t *testing.T) {
	comments := []Comment{{ID: "0", State: Visible}}
	for i := 1; i < 20_000; i++ {
		comments = append(comments, Comment{ID: IRI(fmt.Sprint(i)), Parent: IRI(fmt.Sprint(i - 1 - i%2*min(i-1, 3))), State: Visible, Published: noon.Add(time.Duration(i%7) * time.Hour)})
	}
	want := shape(Arrange(comments, Oldest))
	rand.Shuffle(len(comments), func(i, j int) { comments[i], comments[j] = comments[j], comments[i] })
	if shape(Arrange(comments, Oldest)) != want {
		t.Error("the order of reading shows")
	}
}

// TestUpdate: comments that come one by one, at any place, make the tree that they make together; trees that somebody
// still reads do not change.
func TestUpdate(t *testing.T) {
	all := tree("a b<a c<b d e<a f<d g h<c ?i<a !j<d")
	for range 50 {
		rest := slices.Clone(all)
		for i := range rest {
			rest[i].Published = noon.Add(time.Duration(rand.IntN(5)) * time.Minute)
		}
		var have []Comment
		var placed []*Placed
		for len(rest) > 0 {
			i := rand.IntN(len(rest))
			c := rest[i]
			before, kept := shape(placed), placed
			next, known := Update(placed, c)
			if answered := c.Parent == "" || slices.ContainsFunc(placed, func(p *Placed) bool { return p.ID == c.Parent }) || c.Deleted || c.State != Visible; known != answered {
				t.Fatalf("%s into %s: %v", c.ID, before, known)
			}
			if !known {
				continue // its turn comes when the one above it is there
			}
			rest, have, placed = slices.Delete(rest, i, i+1), append(have, c), next
			if want := shape(Arrange(have, Oldest)); shape(placed) != want || shape(kept) != before {
				t.Fatalf("%s into %s: %s, want %s", c.ID, before, shape(placed), want)
			}
		}
	}
}

func TestUpdateText(t *testing.T) {
	placed := Arrange(tree("a b<a !c d<c"), Oldest)
	edited := placed[1].Comment
	edited.HTML = "new"
	after, known := Update(placed, edited)
	if !known || after[1].HTML != "new" || placed[1].HTML != "text" || shape(after) != shape(placed) {
		t.Error(known, shape(after))
	}
	gone := edited
	gone.Deleted = true
	for _, c := range []Comment{gone, placed[2].Comment, {ID: "x", Parent: "unknown", State: Visible}} {
		if _, known := Update(placed, c); known {
			t.Errorf("%s: a deletion, or a comment without place, moves others", c.ID)
		}
	}
}
