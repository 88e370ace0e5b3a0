package api

import (
	"iter"
	"slices"
	"time"

	"afterword/thread"
)

// branch is a top-level comment with all that stands below it, in tree order.
type branch []thread.Placed

func branches(all []thread.Placed) (out []branch) {
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
	branches []branch
	next     string // cursor of the rest; empty when there is none
}

func (p part) len() (n int) {
	for _, b := range p.branches {
		n += len(b)
	}
	return n
}

// part chooses the branches that a query asks for. Newest first is the same branches the other way round.
func (q query) part(post thread.Post, all []thread.Placed, now time.Time) part {
	rest := branches(all)
	direction := 1
	if q.order == thread.Newest {
		slices.Reverse(rest)
		direction = -1
	}
	if q.after != (position{}) {
		rest = slices.DeleteFunc(rest, func(b branch) bool { return b.position().compare(q.after)*direction <= 0 })
	}
	n := q.fits(rest)
	p := part{post: post, now: now, branches: rest[:n]}
	if n < len(rest) {
		p.next = rest[n-1].position().cursor()
	}
	return p
}

// fits is how many of the branches go into one answer: one at least.
func (q query) fits(rest []branch) int {
	comments := 0
	for i, b := range rest {
		if comments += len(b); comments >= q.bound() || i+1 == q.limit {
			return i + 1
		}
	}
	return len(rest)
}

// step is a comment of a part, with what follows from where it stands.
type step struct {
	*thread.Placed
	parent *thread.Placed // nil at top level
	closed bool           // it or a comment above it is closed
	closes bool           // and it is this one
}

// steps walks a part from top to bottom.
func (p part) steps() iter.Seq[step] {
	return func(yield func(step) bool) {
		for _, b := range p.branches {
			var above []step // by depth
			for i := range b {
				above = append(above[:b[i].Depth], p.step(&b[i], above))
				if !yield(above[b[i].Depth]) {
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

// nextChange is when the clock alone will change what readers see; zero: never.
func nextChange(r thread.Rules, p thread.Post, comments []thread.Placed, now time.Time) (next time.Time) {
	soonest := func(at time.Time) {
		if at.After(now) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	soonest(r.ClosingTime(p))
	for i := range comments {
		soonest(comments[i].ClosedAt)
	}
	return next
}
