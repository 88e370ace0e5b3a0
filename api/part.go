package api

import (
	"iter"
	"sort"
	"time"

	"afterword/thread"
)

// branch is comments in tree order that all stand below the same one at top level, or are it.
type branch []thread.Placed

// part is what one answer shows of a thread.
type part struct {
	post     thread.Post
	now      time.Time
	above    branch // when it goes on within a branch: the comments above the first one, from top level down
	branches []branch
	next     string // cursor of the rest; empty when there is none
}

func (p part) len() (n int) {
	for _, b := range p.branches {
		n += len(b)
	}
	return n
}

// part chooses what a query asks for: whole branches, as many as its bounds allow. A branch that is too large even by
// itself is cut, and goes on in the next part. It costs what the part does, however large the tree is.
func (q query) part(post thread.Post, t *thread.Tree, now time.Time) part {
	p, room := part{post: post, now: now}, q.bound()
	for at, rest := q.start(t); at < len(t.Top()); at, rest = at+1, nil {
		top := q.branch(t, at)
		if rest == nil {
			rest = top.Branch()
		}
		first, comments, more := cut(rest, room)
		switch {
		case first == nil: // the branch has ended where the reader was
			continue
		case len(p.branches) == 0:
			p.above = first.Above()
			if more {
				p.branches, p.next = []branch{comments}, cursorInside(top.Placed, comments[room-1])
				return p
			}
		case more, len(p.branches) == q.limit:
			p.next = cursorAfter(q.branch(t, at-1).Placed)
			return p
		}
		p.branches = append(p.branches, comments)
		room -= len(comments)
	}
	return p
}

// cut takes comments as long as there is room, and tells whether there are more.
func cut(rest iter.Seq[*thread.Node], room int) (first *thread.Node, comments branch, more bool) {
	for n := range rest {
		if first == nil {
			first = n
		}
		if len(comments) == room {
			return first, comments, true
		}
		comments = append(comments, n.Placed)
	}
	return first, comments, false
}

// branch is the top of the one at a place in the query's order. Newest first is the same branches the other way round.
func (q query) branch(t *thread.Tree, at int) *thread.Node {
	top := t.Top()
	if q.order == thread.Newest {
		at = len(top) - 1 - at
	}
	return top[at]
}

// start is where the part begins that follows the query's cursor: the branch, and what is left of it; nil: all.
func (q query) start(t *thread.Tree) (at int, rest iter.Seq[*thread.Node]) {
	if q.after == (cursor{}) {
		return 0, nil
	}
	direction := 1
	if q.order == thread.Newest {
		direction = -1
	}
	n, c := len(t.Top()), q.after
	at = sort.Search(n, func(i int) bool { return c.top.compare(q.branch(t, i).Placed)*direction <= 0 })
	for i := at; i < n && c.top.compare(q.branch(t, i).Placed) == 0; i++ {
		switch top := q.branch(t, i); {
		case !c.top.is(top.Placed):
		case c.last == (position{}):
			return i + 1, nil
		default:
			return i, c.follow(t, top)
		}
	}
	return at, nil // it is gone; the next one follows
}

// follow is what follows a cursor within a branch. When the comment that it names is gone, it is what follows where that
// would stand; when the one above that is gone too, the branch begins anew.
func (c cursor) follow(t *thread.Tree, top *thread.Node) iter.Seq[*thread.Node] {
	if last := t.Find(c.last.name); last != nil && c.last.is(last.Placed) && last.Top() == top {
		return last.After()
	}
	parent := t.Find(c.parent)
	if parent == nil || parent.Top() != top {
		return top.Branch()
	}
	replies := parent.Below()
	later := sort.Search(len(replies), func(i int) bool { return c.last.compare(replies[i].Placed) < 0 })
	if later == 0 {
		return parent.After()
	}
	return replies[later-1].Past()
}

// step is a comment of a part, with what follows from where it stands.
type step struct {
	thread.Placed
	parent *thread.Placed // nil at top level
	closed bool           // it or a comment above it is closed
	closes bool           // and it is this one
}

// steps walks a part from top to bottom, beginning with those comments above it whose depth is shown.
func (p part) steps(shown func(depth int) bool) iter.Seq[step] {
	return func(yield func(step) bool) {
		var above []step // by depth
		for i, c := range p.above {
			above = append(above, p.step(c, above))
			if shown(i) && !yield(above[i]) {
				return
			}
		}
		for _, b := range p.branches {
			for _, c := range b {
				above = append(above[:c.Depth], p.step(c, above))
				if !yield(above[c.Depth]) {
					return
				}
			}
		}
	}
}

func (p part) step(c thread.Placed, above []step) step {
	at := step{Placed: c}
	if c.Depth > 0 {
		at.parent, at.closed = &above[c.Depth-1].Placed, above[c.Depth-1].closed
	}
	at.closes = !at.closed && !c.ClosedAt.IsZero() && !p.now.Before(c.ClosedAt)
	at.closed = at.closed || at.closes
	return at
}

// none is for steps without what stands above.
func none(int) bool { return false }
