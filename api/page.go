package api

import (
	"bytes"
	"cmp"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"afterword/thread"
)

// page is a thread as a page of its own, which works without script.
func (s *Server) page(room []byte, q query, p part) []byte {
	m := markup{Buffer: *bytes.NewBuffer(room), words: s.words(q.lang, p.post), indent: q.indent()}
	s.head(&m, title(p.post))
	m.put(`<link rel="canonical"`)
	m.attr("href", web(p.post.URL))
	m.put(">\n" + `<link rel="alternate" type="application/activity+json"`)
	m.attr("href", string(p.post.ID))
	m.put(">\n" + `<link rel="alternate" type="application/atom+xml"`)
	m.attr("title", m.feedTitle(title(p.post)))
	m.attr("href", s.feedURL(query{view: asThreadFeed}, p.post))
	m.put(">\n")
	s.main(&m)
	m.headline(p.post)
	s.section(&m, q, p)
	return m.end()
}

// head begins a page of our own.
func (s *Server) head(m *markup, title string) {
	m.put("<!DOCTYPE html>\n<html")
	m.attr("lang", m.Lang)
	m.attr("dir", m.Dir)
	m.put(`>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>`)
	m.text(title)
	if s.Blog.Name != "" {
		m.text(" – " + s.Blog.Name)
	}
	m.put("</title>\n" + `<link rel="stylesheet"`)
	m.attr("href", s.Base+styleCSS.path())
	m.put(">\n" + `<link rel="alternate" type="application/atom+xml"`)
	m.attr("title", m.feedTitle(s.Blog.Name))
	m.attr("href", s.Base+"/feed.atom")
	m.put(">\n")
}

// main ends the head and begins what is to be read; end completes it.
func (s *Server) main(m *markup) {
	m.put("</head>\n" + `<body class="aw-page">` + "\n" + `<main class="h-entry">` + "\n")
	if s.Blog.URL == "" {
		return
	}
	m.put(`<p class="aw-blog"><a`)
	m.attr("href", web(s.Blog.URL))
	m.put(">")
	m.text(cmp.Or(s.Blog.Name, s.Blog.URL))
	m.put("</a></p>\n")
}

// headline is the post above its thread.
func (m *markup) headline(p thread.Post) {
	m.put(`<h1 class="p-name" dir="auto"`)
	m.attr("lang", p.Lang)
	m.put(`><a class="u-url"`)
	m.attr("href", web(p.URL))
	m.put(">")
	m.text(title(p))
	m.put("</a></h1>\n" + `<p class="aw-note">`)
	m.time("dt-published", p.Published, m.date(p.Published))
	m.put("</p>\n")
	if p.Summary != "" {
		m.put(`<div class="p-summary" dir="auto"`)
		m.attr("lang", p.Lang)
		m.put(">")
		m.stored(p.Summary)
		m.put("</div>\n")
	}
}

// fragment is the same thread to stand inside a page of the blog.
func (s *Server) fragment(room []byte, q query, p part) []byte {
	m := markup{Buffer: *bytes.NewBuffer(room), words: s.words(q.lang, p.post), indent: q.indent(), joins: true}
	s.section(&m, q, p)
	return m.Bytes()
}

// problemPage is the page for what went wrong, in the blog's language: it must not tell what it is about.
func (s *Server) problemPage(p problem) []byte {
	m := markup{words: s.words("", thread.Post{})}
	title := m.NotFound
	if p.status >= 500 || p == tooMany {
		title = m.Oh
	}
	s.head(&m, title)
	s.main(&m)
	m.put("<h1>")
	m.text(title)
	m.put("</h1>\n")
	return m.end()
}

func (m *markup) end() []byte {
	m.put("</main>\n</body>\n</html>\n")
	return m.Bytes()
}

// section is the thread itself. The heading's id has the post's hash: there may be several threads on one page.
func (s *Server) section(m *markup, q query, p part) {
	state := s.Rules.StateAt(p.post, p.now)
	m.put(`<section class="aw"`)
	m.attr("lang", m.Lang)
	m.attr("dir", m.Dir)
	m.attr("aria-labelledby", "aw-"+p.post.ID.Anchor())
	m.attr("data-revision", strconv.FormatInt(p.post.Revision, 10)) // embed.js compares it with a fragment in the page
	m.newsForms()
	m.put("><h2")
	m.attr("id", "aw-"+p.post.ID.Anchor())
	m.put(">")
	m.text(m.heading(p.post.Comments))
	m.put("</h2>\n")
	m.note(m.numbers(p.post.Likes, p.post.Boosts))
	m.askForm(s.Base, p.post)
	s.notices(m, p, state)
	m.list(p, s, state != thread.Closed)
	if p.next != "" {
		m.put(`<p class="aw-more"><a rel="next"`)
		m.attr("href", s.pageURL(p.post, q, p.next))
		m.put(">")
		m.text(m.More)
		m.put("</a></p>")
	}
	m.put("</section>\n")
}

// newsForms are what embed.js says when comments come while the page is open.
func (m *markup) newsForms() {
	forms := strings.Split(m.News, "|")
	for i, category := range categories[len(forms)] {
		m.attr("data-"+category, forms[i])
	}
}

func (w *words) heading(comments int) string {
	if comments == 0 {
		return w.NoComments
	}
	return w.count(w.Comments, comments)
}

// numbers are likes and boosts.
func (w *words) numbers(likes, boosts int) string {
	var out []string
	if likes > 0 {
		out = append(out, w.count(w.Likes, likes))
	}
	if boosts > 0 {
		out = append(out, w.count(w.Boosts, boosts))
	}
	return strings.Join(out, " · ")
}

// notices say whether and how one can reply.
func (s *Server) notices(m *markup, p part, state thread.Openness) {
	at := s.Rules.ClosingTime(p.post)
	if state == thread.Closed {
		m.put(`<p class="aw-closed"><strong>`)
		m.text(m.Closed)
		m.put("</strong> ")
		m.time("", at, m.date(at))
		m.put("</p>\n")
	}
	if p.post.Late > 0 {
		m.note(m.count(m.Late, p.post.Late))
	}
	m.put(`<p class="aw-actions">`)
	if state != thread.Closed {
		m.ask("aw-reply", p.post.ID, m.Reply, "")
	}
	m.ask("aw-follow", thread.IRI(s.Base+"/actor"), m.Follow, "")
	m.put("</p>\n")
	if state != thread.Closed && !at.IsZero() {
		m.note(fmt.Sprintf(m.ClosesOn, m.date(at)))
	}
	if state == thread.Moderated {
		m.note(m.Approval)
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
	if q.shallow > 0 {
		form.Set("depth", strconv.Itoa(q.indent()))
	}
	return s.Base + "/t?" + form.Encode()
}
