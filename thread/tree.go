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
func Arrange(comments []Comment, order Order) []*Placed {
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
	if c := a.Published.Compare(b.Published); c != 0 {
		return c
	}
	if c := a.Received.Compare(b.Received); c != 0 {
		return c
	}
	return cmp.Compare(a.ID, b.ID)
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
func prune(all []Placed) []*Placed {
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
	kept := make([]*Placed, 0, n)
	for i := range all {
		if keep[i] {
			kept = append(kept, all[i].withoutText())
		}
	}
	return kept
}

// withoutText empties a stub, so that nobody shows by mistake what was taken away.
func (p *Placed) withoutText() *Placed {
	if p.Stub {
		p.Author, p.HTML, p.Warning, p.Lang, p.URL, p.Attached, p.Deleted = Author{}, "", "", "", "", nil, true
	}
	return p
}

// Update is Arrange, oldest first, when one comment is new or has another text: it costs less, because nothing is read
// or sorted again. The given tree stays as it is. known is false when the whole has to be arranged: the comment it
// answers is not there, or it is no longer shown itself.
func Update(placed []*Placed, c Comment) (updated []*Placed, known bool) {
	shown := !c.Deleted && c.State == Visible
	same := func(p *Placed) bool { return p.Published.Equal(c.Published) && p.ID == c.ID } // its date never changes, and is nearer in memory than its id
	if i := slices.IndexFunc(placed, same); i >= 0 {
		return replace(placed, i, c), shown && !placed[i].Stub
	}
	if !shown {
		return placed, true
	}
	parent := -1
	if c.Parent != "" {
		if parent = slices.IndexFunc(placed, func(p *Placed) bool { return p.ID == c.Parent }); parent < 0 {
			return nil, false
		}
	}
	return insert(placed, parent, c), true
}

func replace(placed []*Placed, i int, c Comment) []*Placed {
	edited := *placed[i]
	edited.Comment = c
	placed = slices.Clone(placed)
	placed[i] = &edited
	return placed
}

// insert puts a comment behind the siblings that were before it; parent is -1 at top level.
func insert(placed []*Placed, parent int, c Comment) []*Placed {
	at, depth := len(placed), 0
	if parent >= 0 {
		depth = placed[parent].Depth + 1
		for at = parent + 1; at < len(placed) && placed[at].Depth >= depth; {
			at++
		}
	}
	for i := at - 1; i > parent && (placed[i].Depth > depth || before(&placed[i].Comment, &c) > 0); i-- {
		if placed[i].Depth == depth { // most come last
			at = i
		}
	}
	placed = slices.Insert(slices.Clone(placed), at, &Placed{Comment: c, Depth: depth})
	if parent >= 0 {
		above := *placed[parent]
		above.Replies++
		placed[parent] = &above
	}
	return placed
}
