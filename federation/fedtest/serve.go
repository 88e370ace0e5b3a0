package fedtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Mood is how a server treats who comes.
type Mood string

// The moods. The page at "/" is not moody.
const (
	Well        Mood = "well"
	Slow        Mood = "slow"        // waits before it answers
	Unavailable Mood = "unavailable" // 503 with Retry-After
	Gone        Mood = "gone"        // 410 to everything
)

var moods = []Mood{Well, Slow, Unavailable, Gone}

// SetMood changes the mood from the next request on.
func (s *Server) SetMood(m Mood) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mood = m
}

// Mood is the present one.
func (s *Server) Mood() Mood {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mood
}

func fiveSeconds(ctx context.Context) {
	timer := time.NewTimer(5 * time.Second)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// Handler is all that the server answers: other servers, and whoever opens its page.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.showPage)
	mux.Handle("POST /act", http.NewCrossOriginProtection().Handler(http.HandlerFunc(s.act)))
	mux.HandleFunc("GET /authorize_interaction", s.interact) // as Mastodon
	mux.HandleFunc("GET /authorize-follow", s.interact)      // as Misskey
	mux.Handle("GET /.well-known/webfinger", s.moody(s.webFinger))
	mux.Handle("GET /", s.moody(s.getDocument))
	mux.Handle("POST /inbox", s.moody(s.postInbox))
	mux.Handle("POST /{people}/{name}/inbox", s.moody(s.postInbox))
	return mux
}

func (s *Server) moody(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch s.Mood() {
		case Unavailable:
			w.Header().Set("Retry-After", "60")
			http.Error(w, "be right back", http.StatusServiceUnavailable)
			return
		case Gone:
			http.Error(w, "gone", http.StatusGone)
			return
		case Slow:
			s.Wait(r.Context())
		}
		h(w, r)
	})
}

func (s *Server) webFinger(w http.ResponseWriter, r *http.Request) {
	account := strings.TrimPrefix(r.FormValue("resource"), "acct:")
	p := s.person(func(p *Person) bool { return p.Handle() == "@"+account && !p.deleted })
	if p == nil {
		http.NotFound(w, r)
		return
	}
	page := s.address("profile", "{name}", p.Name)
	links := []any{
		object{"rel": "http://webfinger.net/rel/profile-page", "type": "text/html", "href": page},
		object{"rel": "self", "type": activityJSON, "href": p.ID},
	}
	if template := s.address("remote"); template != "" {
		links = append(links, object{"rel": "http://ostatus.org/schema/1.0/subscribe", "template": template})
	}
	w.Header().Set("Content-Type", "application/jrd+json; charset=utf-8")
	_, _ = w.Write(encode(object{"subject": "acct:" + account, "aliases": []any{page, p.ID}, "links": links}))
}

// getDocument answers with what has the address that was asked for. Who does not ask for ActivityPub is led to the page.
func (s *Server) getDocument(w http.ResponseWriter, r *http.Request) {
	address := s.Base + r.URL.RequestURI()
	for _, n := range s.notesThat(func(n Note) bool { return n.URL == address }) {
		address = n.ID // a page is its note to those who ask for that
	}
	if !strings.Contains(r.Header.Get("Accept"), "json") {
		http.Redirect(w, r, "/#"+anchor(address), http.StatusSeeOther)
		return
	}
	if p := s.person(func(p *Person) bool { return p.keyID() == address && !p.deleted }); p != nil {
		s.write(w, r, p.stub(), http.StatusOK) // to those too who have not signed: how else could they check our signatures?
		return
	}
	if s.software.secureMode {
		if _, err := s.verify(r, nil); err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
	}
	doc, status := s.document(address)
	s.write(w, r, doc, status)
}

// document is what has that address, and the status to serve it with; nil: nothing.
func (s *Server) document(address string) (object, int) {
	id, query, _ := strings.Cut(address, "?")
	doc, status := s.personal(id)
	if doc == nil && status == 0 {
		doc, status = s.noted(id, query)
	}
	if s.software.keepsTopics && doc == nil {
		if doc = s.topicCollection(id); doc != nil {
			status = http.StatusOK
		}
	}
	if first := doc.obj("first"); query != "" && first.str("id") == address {
		doc = first
	}
	return doc, status
}

// personal is an account's document or one of its collections; nil and 0 when there is no such account.
func (s *Server) personal(id string) (object, int) {
	at := strings.LastIndex(id, "/")
	p := s.owner(id)
	if p == nil && slices.Contains([]string{"/outbox", "/followers", "/following"}, id[at:]) {
		p = s.owner(id[:at])
	}
	switch {
	case p == nil:
		return nil, 0
	case s.isDeleted(p):
		return nil, http.StatusGone
	case id == p.ID:
		return p.document(), http.StatusOK
	case id == p.ID+"/outbox":
		return s.outbox(p), http.StatusOK
	}
	return object{"id": id, "type": "OrderedCollection"}, http.StatusOK // who follows whom is nobody's business
}

// noted is a note of one of the people, or the replies to it.
func (s *Server) noted(id, query string) (object, int) {
	id, isReplies := strings.CutSuffix(id, "/replies")
	n, known := s.Note(id)
	switch {
	case !known || !s.isLocal(id) || !n.isPublic(), isReplies && s.software.replies == nil:
		return nil, http.StatusNotFound
	case n.Deleted:
		return tombstone(id), s.software.deleted
	case isReplies:
		return s.software.replies(s, n, strings.Contains(query, "only_other_accounts=true")), http.StatusOK
	}
	return s.noteObject(n), http.StatusOK
}

func (s *Server) isDeleted(p *Person) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return p.deleted
}

// outbox has somebody's public posts, newest first, on its one page.
func (s *Server) outbox(p *Person) object {
	items := []any{}
	for _, n := range s.notesThat(func(n Note) bool { return n.Author == p.ID && n.InReplyTo == "" && !n.Deleted && n.isPublic() }) {
		items = append(items, object{"id": s.address("Create", "{object}", n.ID), "type": "Create", "actor": p.ID, "object": s.noteObject(n)})
	}
	slices.Reverse(items)
	id := p.ID + "/outbox"
	first := object{"id": id + "?page=true", "type": "OrderedCollectionPage", "partOf": id, "orderedItems": items}
	return object{"id": id, "type": "OrderedCollection", "totalItems": len(items), "first": first}
}

func (s *Server) write(w http.ResponseWriter, r *http.Request, doc object, status int) {
	if doc == nil {
		http.Error(w, http.StatusText(status), status)
		return
	}
	whole := object{"@context": s.software.context}
	for name, value := range doc {
		whole[name] = value
	}
	body := encode(whole)
	sum := sha256.Sum256(body)
	tag := `W/"` + hex.EncodeToString(sum[:16]) + `"`
	w.Header().Set("ETag", tag)
	w.Header().Set("Vary", "Accept, Signature")
	if status == http.StatusOK && r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", activityJSON+"; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
