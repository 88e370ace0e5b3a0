package thread

import (
	"cmp"
	"iter"
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
	*Comment      // as it was: an edit makes another one
	Depth    int  // 0 at top level
	Replies  int  // shown replies directly below
	Stub     bool // stands only for the sake of its replies: no author, no text
}

// Tree is the comments of one post at their places. It is not safe for concurrent use.
type Tree struct {
	post  Node             // above the top level
	named map[string]*Node // by the anchors of their ids
}

// Node is a place in a tree.
type Node struct {
	Placed
	above *Node
	below []*Node // oldest first
}

// Arrange puts the comments of one post at their places. It shows visible comments, and stubs for deleted or withheld
// ones that have something visible below them. A comment whose parent is not among the given ones, or that is its own
// ancestor, is left out: it is not known to belong here. Time and memory grow linearly (but for sorting siblings),
// whatever the depth: strangers choose that, so nothing here is recursive.
func Arrange(comments []Comment) *Tree {
	t := &Tree{named: make(map[string]*Node, len(comments))}
	t.post.Depth = -1
	nodes, byID := make([]Node, len(comments)), make(map[IRI]*Node, len(comments))
	for i := range comments {
		nodes[i].Comment = &comments[i]
		byID[comments[i].ID] = &nodes[i]
	}
	byID[""] = &t.post
	for i := range nodes {
		n := &nodes[i]
		if n.above = byID[n.Parent]; n.above != nil {
			n.above.below = append(n.above.below, n)
		}
	}
	t.post.sort()
	t.prune()
	return t
}

// sort puts the replies to everything below n in their order.
func (n *Node) sort() {
	slices.SortFunc(n.below, (*Node).compare)
	for reply := range follow(n.below) {
		reply.Depth = reply.above.Depth + 1
		slices.SortFunc(reply.below, (*Node).compare)
	}
}

func (n *Node) compare(other *Node) int { return before(n.Comment, other.Comment) }

func before(a, b *Comment) int {
	if c := a.Published.Compare(b.Published); c != 0 {
		return c
	}
	if c := a.Received.Compare(b.Received); c != 0 {
		return c
	}
	return cmp.Compare(a.ID, b.ID)
}

// prune goes backwards through the tree, so that a comment is met after everything below it, and keeps what is visible
// or has something visible below.
func (t *Tree) prune() {
	all := slices.Collect(follow(t.post.below))
	for _, n := range slices.Backward(all) {
		n.below = slices.DeleteFunc(n.below, (*Node).gone)
		n.Replies, n.Stub = len(n.below), n.Deleted || n.State != Visible
		if n.gone() {
			continue
		}
		t.named[n.ID.Anchor()] = n
		if n.Stub {
			n.Comment = n.withoutText()
		}
	}
	t.post.below = slices.DeleteFunc(t.post.below, (*Node).gone)
}

func (n *Node) gone() bool { return n.Stub && len(n.below) == 0 }

// withoutText is a stub's comment, emptied, so that nobody shows by mistake what was taken away.
func (c Comment) withoutText() *Comment {
	c.Author, c.HTML, c.Warning, c.Lang, c.URL, c.Attached, c.Deleted = Author{}, "", "", "", "", nil, true
	return &c
}

// Put puts one comment at its place that is new, or not as it was. It tells false when the whole has to be arranged: the
// comment it answers is not there, or its place is another one now.
func (t *Tree) Put(c *Comment) bool {
	n, shown := t.Find(c.ID.Anchor()), !c.Deleted && c.State == Visible
	switch {
	case n != nil && before(n.Comment, c) != 0:
		return false
	case n != nil && shown:
		n.Comment, n.Stub = c, false
		return true
	case n != nil:
		n.Comment, n.Stub = c.withoutText(), true
		t.drop(n)
		return true
	case !shown:
		return true
	}
	above := &t.post
	if c.Parent != "" {
		if above = t.Find(c.Parent.Anchor()); above == nil || above.ID != c.Parent {
			return false
		}
	}
	n = &Node{Placed: Placed{Comment: c, Depth: above.Depth + 1}, above: above}
	above.below = slices.Insert(above.below, n.index(), n)
	above.Replies++
	t.named[c.ID.Anchor()] = n
	return true
}

// Authors are those of all comments in the tree.
func (t *Tree) Authors() map[IRI]Author {
	authors := map[IRI]Author{}
	for _, n := range t.named {
		authors[n.Author.ID] = n.Author
	}
	delete(authors, "") // of the stubs
	return authors
}

// Recast gives every comment its author as given here, by their ids.
func (t *Tree) Recast(authors map[IRI]Author) {
	for _, n := range t.named {
		if a, given := authors[n.Author.ID]; given && a != n.Author {
			c := *n.Comment
			c.Author, n.Comment = a, &c
		}
	}
}

// drop takes a stub out that has nothing below it, and those above it that stood only for its sake.
func (t *Tree) drop(n *Node) {
	for n != &t.post && n.gone() {
		i := n.index()
		n.above.below = slices.Delete(n.above.below, i, i+1)
		n.above.Replies--
		delete(t.named, n.ID.Anchor())
		n = n.above
	}
}

// index is where n stands among its siblings, or would.
func (n *Node) index() int {
	i, _ := slices.BinarySearchFunc(n.above.below, n, (*Node).compare)
	return i
}

// List is the whole tree in its order: a comment stands after its parent and before its parent's next reply, and what
// answers the same is oldest first.
func (t *Tree) List() []Placed {
	out := make([]Placed, 0, len(t.named))
	for n := range follow(t.post.below) {
		out = append(out, n.Placed)
	}
	return out
}

// Top is the comments at top level, oldest first. The list changes with the tree.
func (t *Tree) Top() []*Node { return t.post.below }

// Find is the comment whose id has this anchor; nil when it is not there.
func (t *Tree) Find(anchor string) *Node { return t.named[anchor] }

// Above is the way from top level down to a comment, without itself.
func (n *Node) Above() []Placed {
	way := make([]Placed, n.Depth)
	for n.Depth > 0 {
		n = n.above
		way[n.Depth] = n.Placed
	}
	return way
}

// Top is the comment at top level to whose branch n belongs.
func (n *Node) Top() *Node {
	for n.Depth > 0 {
		n = n.above
	}
	return n
}

// Below is the replies to n, oldest first. The list changes with the tree.
func (n *Node) Below() []*Node { return n.below }

// Branch is n and everything below it, in the order of the tree.
func (n *Node) Branch() iter.Seq[*Node] { return follow([]*Node{n}) }

// After is what follows n within its branch, in the order of the tree: first what is below it.
func (n *Node) After() iter.Seq[*Node] { return follow(append(n.younger(), n.below)...) }

// Past is what follows n and all that is below it.
func (n *Node) Past() iter.Seq[*Node] { return follow(n.younger()...) }

// younger is the siblings that follow n and each comment above it, from top level down.
func (n *Node) younger() [][]*Node {
	lists := make([][]*Node, n.Depth)
	for ; n.Depth > 0; n = n.above {
		lists[n.Depth-1] = n.above.below[n.index()+1:]
	}
	return lists
}

// follow goes through lists of siblings, the last list first, and through all that is below them. The tree must stay as it
// is meanwhile, but for the order below a comment that has yet to be met.
func follow(left ...[]*Node) iter.Seq[*Node] {
	return func(yield func(*Node) bool) {
		left := slices.Clone(left)
		for len(left) > 0 {
			last := len(left) - 1
			if len(left[last]) == 0 {
				left = left[:last]
				continue
			}
			n := left[last][0]
			left[last] = left[last][1:]
			if !yield(n) {
				return
			}
			left = append(left, n.below)
		}
	}
}
