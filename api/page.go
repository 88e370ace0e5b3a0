package api

import (
	_ "embed"
	"fmt"
	"html/template"
	"net/url"
	"strconv"
	"strings"

	"afterword/thread"
)

//go:embed page.html
var pageHTML string

// href writes an address exactly as it is, apart from what HTML escapes: html/template would percent-encode it further,
// and an id must arrive byte for byte.
var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"href": func(address string) template.HTMLAttr {
		return template.HTMLAttr(`href="` + template.HTMLEscapeString(web(address)) + `"`)
	},
}).Parse(pageHTML))

// frame is what stands around a thread on a page of our own.
type frame struct {
	Lang, Dir string
	Blog      Blog
	Style     string
	Title     string
	Post      thread.Post
	NoteID    string
	Date      template.HTML
	Summary   template.HTML // made safe when it came
}

func (s *Server) frame(w *words, title string) frame {
	return frame{Lang: w.Lang, Dir: w.Dir, Blog: s.Blog, Style: s.Base + styleCSS.path(), Title: title}
}

// page is a thread as a page of its own, which works without script.
func (s *Server) page(q query, p part) []byte {
	w := s.words(q.lang, p.post)
	f := s.frame(w, title(p.post))
	f.Post, f.NoteID, f.Summary = p.post, string(p.post.ID), template.HTML(p.post.Summary)
	date := markup{words: w}
	date.time("dt-published", p.post.Published, w.date(p.post.Published))
	f.Date = template.HTML(date.String())

	m := markup{words: w}
	s.open(&m, "page", f)
	s.section(&m, q, p)
	return m.end()
}

// fragment is the same thread to stand inside a page of the blog.
func (s *Server) fragment(q query, p part) []byte {
	m := markup{words: s.words(q.lang, p.post)}
	s.section(&m, q, p)
	return m.Bytes()
}

// problemPage is the page for what went wrong, in the blog's language: it must not tell what it is about.
func (s *Server) problemPage(p problem) []byte {
	m := markup{words: s.words("", thread.Post{})}
	title := m.NotFound
	if p.status >= 500 {
		title = m.Oh
	}
	s.open(&m, "problem", s.frame(m.words, title))
	return m.end()
}

// open begins a page; end completes it.
func (s *Server) open(m *markup, name string, f frame) {
	if err := templates.ExecuteTemplate(m, name, f); err != nil {
		s.Log.Error("template", "name", name, "error", err) // a Buffer takes everything: a mistake in the template
	}
}

func (m *markup) end() []byte {
	m.put("</main>\n</body>\n</html>\n")
	return m.Bytes()
}

// section is the thread itself. The heading's id has the post's hash: there may be several threads on one page.
func (s *Server) section(m *markup, q query, p part) {
	m.Grow(1600 * p.len()) // about; growing step by step would cost more than writing
	state := s.Rules.StateAt(p.post, p.now)
	m.put(`<section class="aw"`)
	m.attr("lang", m.Lang)
	m.attr("dir", m.Dir)
	m.attr("aria-labelledby", "aw-"+anchor(p.post.ID))
	m.put("><h2")
	m.attr("id", "aw-"+anchor(p.post.ID))
	m.put(">")
	m.text(m.heading(p.post.Comments))
	m.put("</h2>\n")
	m.note(m.numbers(p.post))
	s.notices(m, p, state)
	m.list(p, s.byOwner, state != thread.Closed)
	if p.next != "" {
		m.put(`<p class="aw-more"><a rel="next"`)
		m.attr("href", s.pageURL(p.post, q, p.next))
		m.put(">")
		m.text(m.More)
		m.put("</a></p>")
	}
	m.put("</section>\n")
}

func (w *words) heading(comments int) string {
	if comments == 0 {
		return w.NoComments
	}
	return w.count(w.Comments, comments)
}

// numbers are likes and boosts.
func (w *words) numbers(p thread.Post) string {
	var out []string
	if p.Likes > 0 {
		out = append(out, w.count(w.Likes, p.Likes))
	}
	if p.Boosts > 0 {
		out = append(out, w.count(w.Boosts, p.Boosts))
	}
	return strings.Join(out, " · ")
}

// notices say whether and how one can reply.
func (s *Server) notices(m *markup, p part, state thread.Openness) {
	at := s.Rules.ClosingTime(p.post)
	switch {
	case state == thread.Closed:
		m.put(`<p class="aw-closed"><strong>`)
		m.text(m.Closed)
		m.put("</strong> ")
		m.time("", at, m.date(at))
		m.put("</p>\n")
	case at.IsZero():
		m.reply(p.post.ID, "")
	default:
		m.reply(p.post.ID, "")
		m.note(fmt.Sprintf(m.ClosesOn, m.date(at)))
	}
	if state == thread.Moderated {
		m.note(m.Approval)
	}
	if p.post.Late > 0 {
		m.note(m.count(m.Late, p.post.Late))
	}
}

func title(p thread.Post) string {
	if p.Title == "" {
		return p.URL
	}
	return p.Title
}

// pageURL is the page of the next part of a thread.
func (s *Server) pageURL(p thread.Post, q query, cursor string) string {
	form := url.Values{"url": {p.URL}, "sort": {string(q.order)}, "cursor": {cursor}}
	if q.lang != "" {
		form.Set("lang", q.lang)
	}
	if q.limit > 0 {
		form.Set("limit", strconv.Itoa(q.limit))
	}
	return s.Base + "/t?" + form.Encode()
}
