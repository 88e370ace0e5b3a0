package api

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"afterword/storage"
	"afterword/thread"
)

// patience is how long making an answer may take. It does not end when a reader leaves: others wait for the same.
const patience = 30 * time.Second

// body is the finished answer to a query: the kept one as long as it is good. The first request that finds it outdated
// makes it anew; those that come meanwhile get the old one, or wait when there is none.
func (s *Server) body(q query) (*body, error) { return s.bodyFor(q, func() error { return nil }) }

// bodyFor is body, asking allow before anything is made that was not kept. To bring what is kept up to date is no stranger's
// doing: it happens once for each commit, whoever asks.
func (s *Server) bodyFor(q query, allow func() error) (*body, error) {
	old, _ := s.cache.get(q).(*body)
	if old != nil && (old.fresh(s.DB.Version(), s.Now()) || !old.renewing.CompareAndSwap(false, true)) {
		s.hits.Inc()
		return old, nil
	}
	s.made.Inc()
	if old != nil {
		defer old.renewing.Store(false)
	} else if err := allow(); err != nil {
		return nil, err
	}
	b, err, _ := s.flight.Do(fmt.Sprintf("%#v", q), func() (any, error) { return s.renew(q, old) })
	if err != nil {
		return nil, err
	}
	return b.(*body), nil
}

// renew finds out whether the old body (nil: there is none) is still right, with one point query, and makes it anew
// when it is not. The version is read first: whatever is committed from then on makes the result outdated again.
func (s *Server) renew(q query, old *body) (*body, error) {
	ctx, done := context.WithTimeout(context.Background(), patience)
	defer done()
	version, now := s.DB.Version(), s.Now()
	post, err := s.find(ctx, q)
	if errors.Is(err, storage.ErrNotFound) {
		s.cache.drop(q)
	}
	if err != nil {
		return nil, err
	}
	b := old
	if !old.shows(post, now) {
		if b, err = s.build(ctx, q, post, now); err != nil {
			return nil, err
		}
		s.cache.put(q, b)
	}
	b.version.Store(version)
	return b, nil
}

// find is the post that a query means, if it exists, or exists once it is asked for.
func (s *Server) find(ctx context.Context, q query) (thread.Post, error) {
	if q.view == asFeed { // of no post, and as new as anything
		return thread.Post{Revision: int64(s.DB.Version())}, nil
	}
	p, err := s.lookUp(ctx, q)
	if s.Demand == nil || !errors.Is(err, storage.ErrNotFound) {
		return p, err
	}
	page := q.page
	if path, ok := strings.CutPrefix(string(q.id), s.Base+"/posts"); ok {
		page = thread.IRI(s.Blog.URL).Origin() + path
	}
	if err := s.Demand(ctx, page); err != nil {
		return p, err
	}
	return s.DB.FindPost(ctx, page)
}

func (s *Server) lookUp(ctx context.Context, q query) (thread.Post, error) {
	if q.page != "" {
		return s.DB.FindPost(ctx, q.page)
	}
	p, err := s.DB.Post(ctx, q.id)
	if err == nil && !p.Removed.IsZero() {
		err = storage.ErrNotFound
	}
	return p, err
}

func (s *Server) build(ctx context.Context, q query, post thread.Post, now time.Time) (*body, error) {
	if q.isFeed() {
		return s.buildFeed(ctx, q, post, now)
	}
	t, err := s.arranged(ctx, post)
	if err != nil {
		return nil, err
	}
	p := q.part(post, t.branches, now)
	b := newBody(s.headers[q.view], written(func(room []byte) []byte { return s.render(room, q, p) }))
	b.post, b.revision, b.until = post.ID, post.Revision, t.nextChange(s.Rules.ClosingTime(post), now)
	return b, nil
}

// render writes a part into room, or more of it.
func (s *Server) render(room []byte, q query, p part) []byte {
	switch q.view {
	case asJSON:
		return s.json(room, p)
	case asFragment:
		return s.fragment(room, q, p)
	}
	return s.page(room, q, p)
}

// arrangement is a post's thread at one revision. It is kept beside the bodies that are made from it, and never changes.
type arrangement struct {
	revision, reshaped int64
	branches           []branch
	closings           []time.Time // of its comments, in no order
	bytes              int
}

// maxUpdates is up to how many new comments it is cheaper to put them in one by one.
const maxUpdates = 256

// arranged is the thread as it is now. In a large one nearly everything stays from one reply to the next, so it is read
// and sorted as a whole only when it must be.
func (s *Server) arranged(ctx context.Context, p thread.Post) (*arrangement, error) {
	old, _ := s.cache.get(p.ID).(*arrangement)
	if old != nil && old.revision == p.Revision {
		return old, nil
	}
	t, err, _ := s.flight.Do(fmt.Sprint(p.ID, " ", p.Revision), func() (any, error) {
		t, err := s.updated(ctx, p, old)
		if t == nil && err == nil {
			t, err = s.read(ctx, p)
		}
		if err == nil {
			s.cache.put(p.ID, t)
		}
		return t, err
	})
	if err != nil {
		return nil, err
	}
	return t.(*arrangement), nil
}

// updated is an older arrangement with what came since; nil when the thread has to be read.
func (s *Server) updated(ctx context.Context, p thread.Post, old *arrangement) (*arrangement, error) {
	if old == nil || old.reshaped != p.Reshaped || old.revision > p.Revision {
		return nil, nil
	}
	news, err := s.DB.ThreadSince(ctx, p.ID, old.revision)
	if err == nil {
		err = s.attached(ctx, p.ID, old.revision, news)
	}
	if err != nil || len(news) > maxUpdates {
		return nil, err
	}
	placed, known := slices.Concat(old.branches...), true
	for _, c := range news {
		if placed, known = thread.Update(placed, c); !known {
			return nil, nil
		}
	}
	t := &arrangement{p.Revision, p.Reshaped, old.branches, old.closings, old.bytes}
	if len(news) == 0 {
		return t, nil
	}
	t.branches = appendBranches(make([]branch, 0, len(old.branches)+len(news)), placed)
	for i := range news {
		t.add(&news[i])
	}
	return t, nil
}

func (s *Server) read(ctx context.Context, p thread.Post) (*arrangement, error) {
	s.reads.Add(1)
	comments, err := s.DB.Thread(ctx, p.ID)
	if err == nil {
		err = s.attached(ctx, p.ID, 0, comments)
	}
	if err != nil {
		return nil, err
	}
	t := &arrangement{revision: p.Revision, reshaped: p.Reshaped, bytes: 1024}
	for i := range comments {
		t.add(&comments[i])
	}
	t.branches = branches(thread.Arrange(comments, thread.Oldest))
	return t, nil
}

// add counts a comment in.
func (t *arrangement) add(c *thread.Comment) {
	t.bytes += 400 + len(c.ID) + len(c.URL) + len(c.Parent) + len(c.HTML) + len(c.Warning) + 400*len(c.Attached)
	if !c.ClosedAt.IsZero() {
		t.closings = append(t.closings[:len(t.closings):len(t.closings)], c.ClosedAt)
	}
}

func (t *arrangement) size() int { return t.bytes }

// nextChange is when the clock alone will change what readers see; zero: never.
func (t *arrangement) nextChange(closes, now time.Time) (next time.Time) {
	for _, at := range append(t.closings[:len(t.closings):len(t.closings)], closes) {
		if at.After(now) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}
