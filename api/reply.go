package api

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"net/url"
	"strings"

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

// ask makes the link to it. The script opens a dialog instead.
func (m *markup) ask(class literal, base string, id thread.IRI, text, to string) {
	m.put(`<a class="aw-ask `, class, `" rel="nofollow" href="`)
	m.text(base)
	m.put("/reply?uri=")
	m.WriteString(url.QueryEscape(string(id))) // letters, digits and %
	m.put("&amp;lang=")
	m.text(m.Lang)
	m.put(`">`)
	m.text(text)
	if to != "" {
		m.put(`<span class="aw-hidden">: <bdi>`)
		m.text(to)
		m.put("</bdi></span>")
	}
	m.put("</a>")
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
	address, err := s.interaction(r.Context(), r.PostForm)
	s.writeReply(w, r, r.PostForm, address, err)
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
	m.form(s.Base, about, form.Get("account"), failed != nil, false)
	if address != "" {
		m.goOn(address)
	}
	m.copy(about)
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
	m.form(s.Base, about, "", false, true)
	m.copy(about)
	m.put("</div>")
	s.once(w, asFragment, m.Bytes())
}

func (w *words) asking(about subject) string {
	if about.follow {
		return w.Follow
	}
	return w.Reply
}

// form asks for the account. In a dialog it can also be closed, and says only when it is told to that it found nothing.
func (m *markup) form(base string, about subject, account string, failed, dialog bool) {
	heading := literal("h1>")
	if dialog {
		heading = "h2>"
	}
	m.put("<", heading)
	m.text(m.asking(about))
	if about := cmp.Or(about.name, about.post.Title); about != "" {
		m.put(`: <bdi>`)
		m.text(about)
		m.put("</bdi>")
	}
	m.put("</", heading, "\n")
	if about.closed {
		m.note(m.Closed)
		return
	}
	m.put(`<form method="post"`)
	m.attr("action", base+"/reply")
	m.put(`><label>`)
	m.text(m.Account)
	m.put(`<input name="account" required maxlength="320" placeholder="@me@example.social" dir="ltr" autocapitalize="none" spellcheck="false"`)
	m.attr("value", account)
	m.put(`></label><input type="hidden" name="uri"`)
	m.attr("value", about.id)
	m.put(`><input type="hidden" name="lang"`)
	m.attr("value", m.Lang)
	m.put(`><button>`)
	m.text(m.Continue)
	m.put(`</button>`)
	if dialog {
		m.put(` <button formmethod="dialog" formnovalidate>`)
		m.text(m.Cancel)
		m.put(`</button>`)
	}
	if dialog || failed {
		m.put(`<p role="alert"`)
		if !failed {
			m.put(" hidden")
		}
		m.put(">")
		m.text(m.NoServer)
		m.put("</p>")
	}
	m.put("</form>\n")
}

// goOn is the way to the reader's own server.
func (m *markup) goOn(address string) {
	u, err := url.Parse(web(address))
	if err != nil || u.Host == "" {
		return
	}
	before, after, _ := strings.Cut(m.GoOn, "%s")
	m.put(`<p role="status"><a class="aw-go" rel="nofollow noopener noreferrer"`)
	m.attr("href", web(address))
	m.put(">")
	m.text(before)
	m.put("<bdi>")
	m.text(u.Host)
	m.put("</bdi>")
	m.text(after)
	m.put("</a></p>\n")
}

// copy is the way that every server knows.
func (m *markup) copy(about subject) {
	if about.closed {
		return
	}
	m.put("<p>")
	if about.follow {
		m.text(m.HowToFollow)
	} else {
		m.text(m.HowTo)
	}
	m.put(`</p><code class="aw-copy">`)
	m.text(about.id)
	m.put("</code>\n")
}

// once sends what is not kept.
func (s *Server) once(w http.ResponseWriter, v view, b []byte) {
	maps.Copy(w.Header(), s.headers[v])
	w.Header().Set("Cache-Control", "no-store")
	w.Write(b) //nolint:errcheck // the reader has gone
}
