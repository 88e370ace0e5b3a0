package api

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"afterword/storage"
	"afterword/thread"
)

// patience is how long making an answer may take. It does not end when a reader leaves: others wait for the same.
const patience = 30 * time.Second

// bodyFor is the finished answer to a query: the kept one as long as it is good. The first request that finds it outdated
// makes it anew; those that come meanwhile get the old one, or wait when there is none. allow is asked before anything is
// made that was not kept. To bring what is kept up to date is no stranger's doing: it happens once for each commit, whoever
// asks.
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
	if q.ofAll() { // of no post, and as new as anything
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
	if q.view == asRecent {
		return s.buildRecent(ctx, q, post)
	}
	if q.isFeed() {
		return s.buildFeed(ctx, q, post, now)
	}
	t, err := s.arranged(ctx, post)
	if err != nil {
		return nil, err
	}
	p, until := t.part(q, post, s.Rules.ClosingTime(post), now)
	b := newBody(s.headers[q.view], written(func(room []byte) []byte { return s.render(room, q, p) }))
	b.post, b.revision, b.until = post.ID, post.Revision, until
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

// arrangement is a post's thread, kept beside the bodies that are made from it. It grows with the thread.
type arrangement struct {
	mu       sync.Mutex // guards what follows
	revision int64      // that it is known to be up to; a comment may be newer
	recast   int64
	tree     *thread.Tree
	closings map[time.Time]bool // moments at which a branch closes or closed
	bytes    int
}

// arranged is the thread as it is now, or a little later. In a large one nearly everything stays from one reply to the
// next, so it is read and sorted as a whole only when it must be.
func (s *Server) arranged(ctx context.Context, p thread.Post) (*arrangement, error) {
	if t, _ := s.cache.get(p.ID).(*arrangement); t != nil {
		if known, err := s.update(ctx, t, p); known || err != nil {
			return t, err
		}
	}
	t, err, _ := s.flight.Do(fmt.Sprint(p.ID, " ", p.Revision), func() (any, error) { return s.read(ctx, p) })
	if err != nil {
		return nil, err
	}
	return t.(*arrangement), nil
}

// update brings what changed since into a thread; it tells false when that has to be read as a whole.
func (s *Server) update(ctx context.Context, t *arrangement, p thread.Post) (bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.revision >= p.Revision {
		return true, nil
	}
	news, err := s.DB.ThreadSince(ctx, p.ID, t.revision)
	if err == nil {
		err = s.attached(ctx, p.ID, t.revision, news)
	}
	if err != nil {
		return false, err
	}
	for i := range news {
		t.add(&news[i], t.tree.Find(news[i].ID.Anchor()) == nil)
		if !t.tree.Put(&news[i]) {
			return false, nil
		}
	}
	if t.recast != p.Recast {
		authors := t.tree.Authors()
		if err := s.DB.Authors(ctx, authors); err != nil {
			return false, err
		}
		t.tree.Recast(authors)
	}
	t.revision, t.recast = p.Revision, p.Recast
	s.cache.put(p.ID, t)
	return true, nil
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
	t := &arrangement{revision: p.Revision, recast: p.Recast, closings: map[time.Time]bool{}, bytes: 1024}
	for i := range comments {
		t.add(&comments[i], true)
	}
	t.tree = thread.Arrange(comments)
	s.cache.put(p.ID, t)
	return t, nil
}

// add counts a comment in.
func (t *arrangement) add(c *thread.Comment, anew bool) {
	if anew {
		t.bytes += 600 + len(c.ID) + len(c.URL) + len(c.Parent) + len(c.HTML) + len(c.Warning) + 400*len(c.Attached)
	}
	if !c.ClosedAt.IsZero() {
		t.closings[c.ClosedAt] = true
	}
}

// size is asked for by who has the lock, or the only one.
func (t *arrangement) size() int { return t.bytes }

// part is what a query asks for, and when the clock alone will change what readers see of it; zero: never.
func (t *arrangement) part(q query, post thread.Post, closes, now time.Time) (p part, until time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	until = soonest(now, closes, until)
	for at := range t.closings {
		until = soonest(now, at, until)
	}
	return q.part(post, t.tree, now), until
}

// soonest is the earlier of two moments that are yet to come; zero: neither is.
func soonest(now, a, b time.Time) time.Time {
	if a.After(now) && (b.IsZero() || a.Before(b)) {
		return a
	}
	return b
}
