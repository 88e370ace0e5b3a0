package api

import (
	"iter"
	"slices"
	"sort"
	"time"

	"afterword/thread"
)

// branch is a top-level comment with all that stands below it, in tree order; or the rest of one.
type branch []*thread.Placed

func branches(all []*thread.Placed) []branch { return appendBranches(nil, all) }

func appendBranches(out []branch, all []*thread.Placed) []branch {
	for start := 0; start < len(all); {
		end := start + 1
		for end < len(all) && all[end].Depth > 0 {
			end++
		}
		out = append(out, all[start:end])
		start = end
	}
	return out
}

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
// itself is cut, and goes on in the next part.
func (q query) part(post thread.Post, all []branch, now time.Time) part {
	p, room := part{post: post, now: now}, q.bound()
	for at, inside := q.start(all); at < len(all); at, inside = at+1, 0 {
		b := q.branch(all, at)
		rest := b[inside:]
		switch {
		case len(p.branches) == 0:
			p.above = b.above(inside)
			if len(rest) > room {
				p.branches, p.next = []branch{rest[:room]}, cursorInside(b[0], rest[room-1])
				return p
			}
		case len(rest) > room, len(p.branches) == q.limit:
			p.next = cursorAfter(q.branch(all, at-1)[0])
			return p
		}
		p.branches = append(p.branches, rest)
		room -= len(rest)
	}
	return p
}

// branch is the one at a place in the query's order. Newest first is the same branches the other way round.
func (q query) branch(all []branch, at int) branch {
	if q.order == thread.Newest {
		at = len(all) - 1 - at
	}
	return all[at]
}

// start is where the part begins that follows the query's cursor: the branch, and how many of its comments come before.
func (q query) start(all []branch) (at, inside int) {
	if q.after == (cursor{}) {
		return 0, 0
	}
	direction := 1
	if q.order == thread.Newest {
		direction = -1
	}
	at = sort.Search(len(all), func(i int) bool { return q.after.top.compare(q.branch(all, i)[0])*direction <= 0 })
	for i := at; i < len(all) && q.after.top.compare(q.branch(all, i)[0]) == 0; i++ {
		if b := q.branch(all, i); q.after.top.is(b[0]) {
			if inside = b.after(q.after); inside == len(b) {
				return i + 1, 0
			}
			return i, inside
		}
	}
	return at, 0 // it is gone; the next one follows
}

// after is how many comments of a branch come before what follows a cursor. When the comment that it names is gone, it is
// where that would stand; when the one above that is gone too, the branch begins anew.
func (b branch) after(c cursor) int {
	if c.last == (position{}) {
		return len(b)
	}
	if i := slices.IndexFunc(b, c.last.is); i >= 0 {
		return i + 1
	}
	parent := slices.IndexFunc(b, func(p *thread.Placed) bool { return anchor(p.ID) == c.parent })
	i := parent + 1
	for i > 0 && i < len(b) && b[i].Depth > b[parent].Depth && (b[i].Depth > b[parent].Depth+1 || c.last.compare(b[i]) >= 0) {
		i++
	}
	return i
}

// above is the way from the top down to a comment.
func (b branch) above(i int) branch {
	if i == 0 {
		return nil
	}
	chain := make(branch, b[i].Depth)
	for missing := len(chain); missing > 0; {
		if i--; b[i].Depth == missing-1 {
			missing--
			chain[missing] = b[i]
		}
	}
	return chain
}

// step is a comment of a part, with what follows from where it stands.
type step struct {
	*thread.Placed
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

func (p part) step(c *thread.Placed, above []step) step {
	at := step{Placed: c}
	if c.Depth > 0 {
		at.parent, at.closed = above[c.Depth-1].Placed, above[c.Depth-1].closed
	}
	at.closes = !at.closed && !c.ClosedAt.IsZero() && !p.now.Before(c.ClosedAt)
	at.closed = at.closed || at.closes
	return at
}

// none is for steps without what stands above.
func none(int) bool { return false }
