package fedtest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"afterword/sanitize"
	"afterword/thread"
)

const (
	maxPosts      = 20
	maxComments   = 100
	maxDeliveries = 20
	maxIndent     = 6           // deeper ones stand below each other: a phone is narrow
	glance        = time.Second // what looking at other servers may cost whoever opens the page
)

// view is what the page shows.
type view struct {
	Name, Software, Base string
	As, Handle, Blog     string
	People               []string
	Following            string
	Notice               string
	Mood                 Mood
	Posts                []post
	Deliveries           []Delivery
}

type post struct {
	Head     entry
	Closed   bool
	Comments []entry
}

// entry is a note as somebody sees it. Its HTML went through package sanitize.
type entry struct {
	As, ID, Anchor, URL string
	Author, When, Text  string
	HTML                markup
	Indent              int
	Stub, Mine          bool
	Liked, Boosted      bool
	Marks               []string
}

func (s *Server) showPage(w http.ResponseWriter, r *http.Request) {
	page := s.view(r.Context(), r.FormValue("as")).html()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, string(page))
}

func (s *Server) view(ctx context.Context, as string) view {
	v := view{Name: s.Name, Software: s.software.name, Base: s.Base, Blog: s.Blog, Mood: s.Mood(),
		Deliveries: s.Received()}
	slices.Reverse(v.Deliveries)
	v.Deliveries = v.Deliveries[:min(len(v.Deliveries), maxDeliveries)]
	s.mu.Lock()
	v.Notice, s.notice = s.notice, ""
	for _, p := range s.people[1:] { // all but the instance
		v.People = append(v.People, p.Name)
	}
	s.mu.Unlock()
	blog, shown := s.glance(ctx)
	reader := s.reader(as)
	if reader != nil {
		v.As, v.Handle, v.Following = reader.Name, reader.Handle(), reader.Following(blog.ID)
	}
	v.Posts = s.posts(reader, shown)
	return v
}

// reader is who looks at the page: whom the form names, else the first account; nil where there is none.
func (s *Server) reader(name string) *Person {
	for _, wanted := range []string{name, ""} {
		if p := s.person(func(p *Person) bool { return p != s.instance && (p.Name == wanted || wanted == "") }); p != nil {
			return p
		}
	}
	return nil
}

// glance looks at the blog: its newest posts, and what stands under each by the blog's own account (FEP-f228). What
// cannot be had in time stays as it was known. It returns the ids that the blog shows, nil when it cannot be asked.
func (s *Server) glance(ctx context.Context) (actor, map[string]bool) {
	ctx, cancel := context.WithTimeout(ctx, glance)
	defer cancel()
	if s.Blog == "" {
		return actor{}, nil
	}
	blog, err := s.find(ctx, s.Blog)
	if err != nil {
		return blog, nil
	}
	shown := map[string]bool{}
	for _, item := range s.items(ctx, blog.Outbox, maxPosts) {
		if note := asObject(item).obj("object"); note.id("attributedTo") == blog.ID && sameHost(note.str("id"), blog.ID) {
			_, _ = s.learn(note)
		}
	}
	var comments []string
	for _, n := range s.newest() {
		for _, item := range s.items(ctx, n.Context, maxComments-len(comments)) {
			comments = append(comments, idOf(item))
			shown[idOf(item)] = true
		}
	}
	s.lookAt(ctx, comments)
	return blog, shown
}

// items are the first items of a collection, on its pages or in itself.
func (s *Server) items(ctx context.Context, collection string, atMost int) (items []any) {
	for range 10 {
		if collection == "" || len(items) >= atMost {
			break
		}
		d, err := s.get(ctx, collection)
		if err != nil {
			break
		}
		if first := d.obj("first"); first.str("type") != "" { // its first page is inlined
			d = first
		}
		items = append(items, slices.Concat(d.list("orderedItems"), d.list("items"))...)
		collection = cmp.Or(d.id("next"), d.id("first"))
	}
	return items[:min(len(items), max(atMost, 0))]
}

// lookAt fetches notes as they are now, some at a time. One that is gone is forgotten.
func (s *Server) lookAt(ctx context.Context, ids []string) {
	var all sync.WaitGroup
	places := make(chan struct{}, 8)
	for _, id := range ids {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			n, err := s.resolve(ctx, id)
			if bad := (*StatusError)(nil); errors.As(err, &bad) && (bad.Status == http.StatusNotFound || bad.Status == http.StatusGone) {
				known, _ := s.Note(id)
				s.forget(id, known.Author)
			}
			if err == nil {
				_, _ = s.actor(ctx, n.Author) // for the name
			}
		})
	}
	all.Wait()
}

// newest are the newest posts that the server knows.
func (s *Server) newest() []Note {
	posts := s.notesThat(func(n Note) bool { return n.InReplyTo == "" && !n.Deleted })
	slices.Reverse(posts)
	return posts[:min(len(posts), maxPosts)]
}

// posts are the newest posts with what stands under them, here or at the blog.
func (s *Server) posts(reader *Person, shown map[string]bool) (posts []post) {
	replies := s.notesThat(func(n Note) bool { return n.InReplyTo != "" })
	for _, n := range s.newest() {
		p := post{Head: s.entry(n, reader, nil), Closed: n.Closed}
		for _, placed := range arrange(n.ID, replies) {
			reply, _ := s.Note(string(placed.ID))
			e := s.entry(reply, reader, shown)
			e.Indent, e.Stub = min(placed.Depth, maxIndent), placed.Stub
			p.Comments = append(p.Comments, e)
		}
		posts = append(posts, p)
	}
	return posts
}

// arrange picks out the replies under a post, in the order of the tree.
func arrange(post string, replies []Note) []thread.Placed {
	comments := make([]thread.Comment, len(replies))
	for i, n := range replies {
		comments[i] = thread.Comment{ID: thread.IRI(n.ID), Parent: thread.IRI(n.InReplyTo), Published: n.Published,
			State: thread.Visible, Deleted: n.Deleted}
		if n.InReplyTo == post {
			comments[i].Parent = ""
		}
	}
	return thread.Arrange(comments).List()
}

func (s *Server) entry(n Note, reader *Person, shown map[string]bool) entry {
	e := entry{ID: n.ID, Anchor: anchor(n.ID), URL: n.URL, Author: s.nameOf(n.Author), When: n.Published.UTC().Format("2 Jan 2006 15:04"),
		HTML: markup(sanitize.HTML(n.HTML)), Marks: marks(n, shown)}
	if reader != nil {
		e.As, e.Mine = reader.Name, reader.ID == n.Author
		e.Liked, e.Boosted = reader.did("Like", n.ID), reader.did("Boost", n.ID)
	}
	if e.Mine {
		e.Text = sanitize.Text(n.text, 5000)
	}
	return e
}

// marks say what became of a note.
func marks(n Note, shown map[string]bool) (marks []string) {
	if !n.Updated.IsZero() && n.InReplyTo != "" {
		marks = append(marks, "edited")
	}
	if n.Sent.Type != "" {
		marks = append(marks, n.Sent.String())
	}
	switch {
	case n.RejectedBy != "":
		marks = append(marks, "rejected by "+hostOf(n.RejectedBy))
	case n.Sent.Type == "" || shown == nil:
	case shown[n.ID]:
		marks = append(marks, "shown by the blog")
	default:
		marks = append(marks, "not shown by the blog")
	}
	return marks
}

func (s *Server) nameOf(id string) string {
	if p := s.owner(id); p != nil {
		return p.Handle()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return cmp.Or(s.actors[id].Handle, id)
}

// anchor is an id as a name within the page.
func anchor(id string) string {
	sum := sha256.Sum256([]byte(id))
	return "n" + hex.EncodeToString(sum[:6])
}

// act does what a form says and leads back to the page, which then tells how it went.
func (s *Server) act(w http.ResponseWriter, r *http.Request) {
	reader := s.reader(r.FormValue("as"))
	if reader == nil {
		http.Error(w, "nobody lives here", http.StatusBadRequest)
		return
	}
	said, err := reader.obey(r.Context(), r.FormValue)
	if err != nil {
		said = err.Error()
	}
	s.mu.Lock()
	s.notice = said
	s.mu.Unlock()
	http.Redirect(w, r, "/?as="+url.QueryEscape(reader.Name)+"#"+anchor(r.FormValue("object")), http.StatusSeeOther)
}

// obey does what the field "do" says.
func (p *Person) obey(ctx context.Context, field func(string) string) (said string, err error) {
	object := field("object")
	var sent Sent
	switch do := field("do"); do {
	case "mood":
		p.server.SetMood(Mood(field("mood")))
		return "in mood: " + field("mood"), nil
	case "lookup":
		_, err = p.server.Lookup(ctx, object)
		return "found " + object, err
	case "follow":
		sent, err = p.Follow(ctx, object)
	case "unfollow":
		sent, err = p.Unfollow(ctx, object)
	case "reply":
		sent, err = p.Write(ctx, Draft{InReplyTo: object, HTML: sanitize.Plain(field("text")), Visibility: Visibility(field("visibility")),
			WithoutMentions: field("silent") != ""})
	case "edit":
		sent, err = p.Edit(ctx, object, sanitize.Plain(field("edit")))
	case "delete":
		sent, err = p.Delete(ctx, object)
	case "like":
		sent, err = p.Like(ctx, object)
	case "unlike":
		sent, err = p.Unlike(ctx, object)
	case "boost":
		sent, err = p.Boost(ctx, object)
	case "unboost":
		sent, err = p.Unboost(ctx, object)
	default:
		return "", fmt.Errorf("nobody here can %q", do)
	}
	return sent.String(), err
}

// interact is where the blog sends a reader who has an account here and wants to reply.
func (s *Server) interact(w http.ResponseWriter, r *http.Request) {
	n, err := s.Lookup(r.Context(), cmp.Or(r.FormValue("uri"), r.FormValue("acct")))
	if err != nil {
		s.mu.Lock()
		s.notice = err.Error()
		s.mu.Unlock()
	}
	http.Redirect(w, r, "/#"+anchor(n.ID), http.StatusSeeOther)
}
