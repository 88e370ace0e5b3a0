package api

import (
	"context"
	"maps"
	"net/http"
	"net/url"

	"afterword/storage"
	"afterword/thread"
)

// subject is what a reader wants to reply to or, if it is the blog itself, to follow.
type subject struct {
	id     string
	follow bool
	post   thread.Post
	name   string // of the comment's author; empty for a post
	closed bool
}

// subject finds it by its id. Whatever readers do not see is as unknown as what never was.
func (s *Server) subject(ctx context.Context, id string) (subject, error) {
	if id == s.Base+"/actor" {
		return subject{id: id, follow: true, name: s.Blog.Name}, nil
	}
	if len(id) > thread.MaxIRI {
		return subject{}, storage.ErrNotFound
	}
	place, err := s.DB.PlaceOf(ctx, thread.IRI(id))
	if err != nil {
		return subject{}, err
	}
	now := s.Now()
	about := subject{id: string(place.Post.ID), post: place.Post, closed: s.Rules.StateAt(place.Post, now) == thread.Closed ||
		!place.BranchClosedAt.IsZero() && !now.Before(place.BranchClosedAt)}
	if place.Parent == "" {
		return about, nil
	}
	c, err := s.DB.Comment(ctx, place.Parent)
	if err == nil && (place.ParentWithheld || c.Deleted || c.Imported) {
		err = storage.ErrNotFound
	}
	about.id, about.name = string(place.Parent), name(c.Author)
	return about, err
}

// askForm is what the buttons of a section belong to: a plain form that leads to the page of what was chosen. The script
// opens a dialog instead.
func (m *markup) askForm(base string, p thread.Post) {
	m.asks = "ask-" + p.ID.Anchor()
	m.put("<form")
	m.attr("id", m.asks)
	m.attr("action", base+"/reply")
	m.put(`><input type="hidden" name="lang"`)
	m.attr("value", m.Lang)
	m.put("></form>\n")
}

// ask makes a button of it; label is what it is called where its text alone would not do.
func (m *markup) ask(class literal, about thread.IRI, text, label string) {
	m.put(`<button class="aw-ask `, class, `" name="uri"`)
	m.attr("form", m.asks)
	m.attr("value", string(about))
	if label != "" {
		m.attr("aria-label", label)
		m.attr("title", m.Reply)
	}
	m.put(">")
	m.text(text)
	m.put("</button>")
}

// replyPage is how one replies or follows without script: a form, and the address to copy. It asks nobody.
func (s *Server) replyPage(w http.ResponseWriter, r *http.Request) {
	s.writeReply(w, r, r.URL.Query(), "", nil)
}

// replyForm looks up where to go on, and shows the way as a link with its host.
func (s *Server) replyForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 8<<10)
	if err := r.ParseForm(); err != nil {
		s.fail(w, r, asPage, problem{http.StatusBadRequest, "bad_form"})
		return
	}
	found, err := s.interaction(r.Context(), r.PostForm)
	s.writeReply(w, r, r.PostForm, found.URL, err)
}

// writeReply writes the page; address is where the reader can go on, failed why there is none.
func (s *Server) writeReply(w http.ResponseWriter, r *http.Request, form url.Values, address string, failed error) {
	about, err := s.subject(r.Context(), form.Get("uri"))
	if err != nil {
		s.fail(w, r, asPage, err)
		return
	}
	m := markup{words: s.words(form.Get("lang"), about.post)}
	s.head(&m, m.asking(about))
	s.main(&m)
	m.put(`<section class="aw">`)
	m.purpose("h1", about)
	m.backTo(s.Base, about)
	m.form(s.Base, about, form.Get("account"), failed != nil)
	if address != "" {
		m.goOn(address)
	}
	m.copy(about, false)
	m.put("</section>\n")
	s.once(w, asPage, m.end())
}

// replyDialog is the same as a fragment: what the script puts into its dialog.
func (s *Server) replyDialog(w http.ResponseWriter, r *http.Request) {
	form := r.URL.Query()
	about, err := s.subject(r.Context(), form.Get("uri"))
	if err != nil {
		s.fail(w, r, asFragment, err)
		return
	}
	m := markup{words: s.words(form.Get("lang"), about.post)}
	m.put("<div")
	m.attr("lang", m.Lang)
	m.attr("dir", m.Dir)
	m.put(">")
	m.purpose("h2", about)
	m.form(s.Base, about, "", false)
	m.copy(about, true)
	m.put(`<form method="dialog"><button>`)
	m.text(m.Close)
	m.put("</button></form></div>")
	s.once(w, asFragment, m.Bytes())
}

// asking is the title of the page.
func (w *words) asking(about subject) string {
	if about.follow {
		return w.Follow
	}
	return w.Reply
}

// purpose is the heading: what is about to be done, and below it what it is about.
func (m *markup) purpose(tag literal, about subject) {
	m.put("<", tag, ">")
	switch {
	case about.follow:
		m.text(m.Follow)
	case about.name != "":
		m.framed(m.ReplyTo, about.name)
	default:
		m.text(m.Reply)
	}
	m.put("</", tag, ">\n")
	if about.name != "" && !about.follow {
		m.note(m.Reply)
	}
}

// backTo leads from the page back to where the reader came from.
func (m *markup) backTo(base string, about subject) {
	if about.follow {
		return
	}
	address := base + "/t?url=" + url.QueryEscape(about.post.URL) + "&lang=" + m.Lang
	if about.name != "" {
		address += "#" + thread.IRI(about.id).Anchor()
	}
	m.put(`<p class="aw-note"><a`)
	m.attr("href", address)
	m.put("><bdi>")
	m.text(title(about.post))
	m.put("</bdi></a></p>\n")
}

// form asks for the account. Script and style hide the message that it found nothing until it is true.
func (m *markup) form(base string, about subject, account string, failed bool) {
	if about.closed {
		m.put(`<p class="aw-closed">`)
		m.text(m.Closed)
		m.put("</p>\n")
		return
	}
	m.put(`<form method="post"`)
	m.attr("action", base+"/reply")
	m.put(`><label>`)
	m.text(m.Account)
	m.put(`<input name="account" required maxlength="320" placeholder="@me@example.social" dir="ltr" inputmode="email" autocapitalize="none" spellcheck="false"`)
	m.attr("value", account)
	if failed {
		m.put(` aria-invalid="true"`)
	}
	m.put(`></label><input type="hidden" name="uri"`)
	m.attr("value", about.id)
	m.put(`><input type="hidden" name="lang"`)
	m.attr("value", m.Lang)
	m.put(`><button class="aw-main">`)
	m.text(m.Continue)
	m.put(`</button><p role="alert"`)
	if !failed {
		m.put(" hidden")
	}
	m.put(">")
	m.text(m.NoServer)
	m.put("</p></form>\n")
}

// goOn is the way to the reader's own server.
func (m *markup) goOn(address string) {
	u, err := url.Parse(web(address))
	if err != nil || u.Host == "" {
		return
	}
	m.put(`<p role="status"><a class="aw-main" rel="nofollow noopener noreferrer"`)
	m.attr("href", web(address))
	m.put(">")
	m.framed(m.GoOn, u.Host)
	m.put("</a></p>\n")
}

// copy is the way that every server knows. A script can do the copying.
func (m *markup) copy(about subject, script bool) {
	if about.closed {
		return
	}
	how := m.HowTo
	if about.follow {
		how = m.HowToFollow
	}
	m.put(`<div class="aw-copy"><label>`)
	m.text(how)
	m.put(`<input readonly dir="ltr"`)
	m.attr("value", about.id)
	m.put("></label>")
	if script {
		m.put(`<button type="button" name="copy">`)
		m.text(m.Copy)
		m.put("</button>")
	}
	m.put("</div>\n")
}

// once sends what is not kept.
func (s *Server) once(w http.ResponseWriter, v view, b []byte) {
	maps.Copy(w.Header(), s.headers[v])
	w.Header().Set("Cache-Control", "no-store")
	w.Write(b) //nolint:errcheck // the reader has gone
}
