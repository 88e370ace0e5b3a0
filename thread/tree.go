package thread

import (
	"cmp"
	"slices"
)

// Order is how the comments of one level follow each other.
type Order string

// The orders that readers may ask for; replies to a comment are always oldest first.
const (
	Oldest Order = "oldest"
	Newest Order = "newest"
)

// Placed is a comment at its place in the tree.
type Placed struct {
	Comment
	Depth   int  // 0 at top level
	Replies int  // shown replies directly below
	Stub    bool // stands only for the sake of its replies: no author, no text
}

// Arrange puts the comments of one post in tree order: a comment stands after its parent and before its parent's
// next reply. It shows visible comments, and stubs for deleted or withheld ones that have something visible below
// them. A comment whose parent is not among the given ones, or that is its own ancestor, is left out: it is not
// known to belong here. Time and memory grow linearly (but for sorting siblings), whatever the depth.
func Arrange(comments []Comment, order Order) []Placed {
	children := make(map[IRI][]int, len(comments))
	for i, c := range comments {
		children[c.Parent] = append(children[c.Parent], i)
	}
	for parent, kids := range children {
		newestFirst := order == Newest && parent == ""
		slices.SortFunc(kids, func(a, b int) int {
			if newestFirst {
				a, b = b, a
			}
			return before(&comments[a], &comments[b])
		})
	}
	walked := walk(comments, children)
	return prune(walked)
}

func before(a, b *Comment) int {
	return cmp.Or(a.Published.Compare(b.Published), a.Received.Compare(b.Received), cmp.Compare(a.ID, b.ID))
}

// walk lists every comment that hangs on the post, depth first, without recursion: strangers choose the depth.
func walk(comments []Comment, children map[IRI][]int) []Placed {
	out := make([]Placed, 0, len(comments))
	stack := [][]int{children[""]} // by depth: siblings still to come
	for len(stack) > 0 {
		depth := len(stack) - 1
		if len(stack[depth]) == 0 {
			stack = stack[:depth]
			continue
		}
		c := comments[stack[depth][0]]
		stack[depth] = stack[depth][1:]
		out = append(out, Placed{Comment: c, Depth: depth})
		if kids := children[c.ID]; c.ID != "" && len(kids) > 0 {
			stack = append(stack, kids)
		}
	}
	return out
}

// prune goes backwards through the depth-first list, so that a comment is met after everything below it, and keeps
// what is visible or has something visible below.
func prune(all []Placed) []Placed {
	var shownBelow []int // by depth: how many children were kept under the comment that comes next at that depth
	keep := make([]bool, len(all))
	n := 0
	for i := len(all) - 1; i >= 0; i-- {
		p := &all[i]
		for len(shownBelow) <= p.Depth+1 {
			shownBelow = append(shownBelow, 0)
		}
		p.Replies, shownBelow[p.Depth+1] = shownBelow[p.Depth+1], 0
		p.Stub = p.Deleted || p.State != Visible
		if keep[i] = !p.Stub || p.Replies > 0; keep[i] {
			shownBelow[p.Depth]++
			n++
		}
	}
	kept := make([]Placed, 0, n)
	for i, p := range all {
		if keep[i] {
			kept = append(kept, withoutText(p))
		}
	}
	return kept
}

// withoutText empties a stub, so that nobody shows by mistake what was taken away.
func withoutText(p Placed) Placed {
	if p.Stub {
		p.Author, p.HTML, p.Warning, p.Lang, p.URL, p.Deleted = Author{}, "", "", "", "", true
	}
	return p
}
