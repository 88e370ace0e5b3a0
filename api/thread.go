package api

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"afterword/storage"
	"afterword/thread"
)

// patience is how long making an answer may take. It does not end when a reader leaves: others wait for the same.
const patience = 30 * time.Second

// body is the finished answer to a query: the kept one as long as it is good. The first request that finds it outdated
// makes it anew; those that come meanwhile get the old one, or wait when there is none.
func (s *Server) body(q query) (*body, error) {
	old, _ := s.cache.get(q).(*body)
	if old != nil && (old.fresh(s.DB.Version(), s.Now()) || !old.renewing.CompareAndSwap(false, true)) {
		return old, nil
	}
	if old != nil {
		defer old.renewing.Store(false)
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
	t, err := s.arranged(ctx, post)
	if err != nil {
		return nil, err
	}
	b := newBody(s.headers[q.view], s.render(q, q.part(post, t.comments, now)))
	b.post, b.revision, b.until = post.ID, post.Revision, nextChange(s.Rules, post, t.comments, now)
	return b, nil
}

func (s *Server) render(q query, p part) []byte {
	switch q.view {
	case asJSON:
		return s.json(p)
	case asFragment:
		return s.fragment(q, p)
	}
	return s.page(q, p)
}

// arrangement is a post's thread at one revision. It is kept beside the bodies that are made from it.
type arrangement struct {
	revision int64
	comments []thread.Placed // oldest first
}

func (s *Server) arranged(ctx context.Context, p thread.Post) (*arrangement, error) {
	if t, _ := s.cache.get(p.ID).(*arrangement); t != nil && t.revision == p.Revision {
		return t, nil
	}
	t, err, _ := s.flight.Do(fmt.Sprint(p.ID, " ", p.Revision), func() (any, error) {
		comments, err := s.DB.Thread(ctx, p.ID)
		t := &arrangement{p.Revision, thread.Arrange(comments, thread.Oldest)}
		if err == nil {
			s.cache.put(p.ID, t)
		}
		return t, err
	})
	return t.(*arrangement), err
}

func (t *arrangement) size() int {
	n := 1024
	for i := range t.comments {
		c := &t.comments[i]
		n += 512 + len(c.ID) + len(c.URL) + len(c.Post) + len(c.Parent) + len(c.HTML) + len(c.Warning) +
			len(c.Author.ID) + len(c.Author.Name) + len(c.Author.Handle) + len(c.Author.URL) + len(c.Author.Avatar)
	}
	return n
}
