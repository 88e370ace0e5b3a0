package api

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"afterword/storage"
	"afterword/thread"
)

// New comments as Atom (RFC 4287) with threading (RFC 4685), of one thread or of all.

// How many entries a feed has, and may be asked to have.
const (
	feedLimit    = 50
	maxFeedLimit = 100
)

// latest answers with the new comments of all threads.
func (s *Server) latest(v view) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		form := r.URL.Query()
		q := query{view: v, lang: known(form.Get("lang"))}
		var err error
		if q.limit, err = limit(form); err != nil {
			s.fail(w, r, v, err)
			return
		}
		s.answer(w, r, q.asFeed())
	}
}

func (q query) isFeed() bool { return q.view == asThreadFeed || q.ofAll() }

// ofAll tells whether it is about all threads.
func (q query) ofAll() bool { return q.view == asFeed || q.view == asRecent }

// asFeed takes away what a feed does not know: parts and order.
func (q query) asFeed() query {
	q.order, q.after, q.limit = "", cursor{}, min(cmp.Or(q.limit, feedLimit), maxFeedLimit)
	return q
}

// buildFeed is build for feeds: of a post, or of all when there is none.
func (s *Server) buildFeed(ctx context.Context, q query, p thread.Post, now time.Time) (b *body, err error) {
	m := markup{words: s.words(q.lang, p)}
	var entries []storage.Recent
	if q.view == asThreadFeed {
		entries, err = s.DB.RecentOf(ctx, p.ID, q.limit)
	} else {
		entries, err = s.DB.Recent(ctx, q.limit)
	}
	if err != nil {
		return nil, err
	}
	m.put(`<?xml version="1.0" encoding="utf-8"?>` + "\n" + `<feed xmlns="http://www.w3.org/2005/Atom" xmlns:thr="http://purl.org/syndication/thread/1.0"`)
	m.attr("xml:lang", m.Lang)
	m.put(">\n")
	if q.view == asThreadFeed {
		s.threadHead(&m, q, p, now)
	} else {
		s.blogHead(&m, q)
	}
	m.element("updated", stamp(newest(entries, p)))
	m.put("<generator>Afterword</generator>\n")
	for i := range entries {
		s.entry(&m, &entries[i])
	}
	m.put("</feed>\n")
	b = newBody(s.headers[q.view], validXML(m.Bytes()))
	b.post, b.revision = p.ID, p.Revision
	if at := s.Rules.ClosingTime(p); at.After(now) {
		b.until = at
	}
	return b, nil
}

// threadHead says what the feed of a thread is about, and whether one can reply.
func (s *Server) threadHead(m *markup, q query, p thread.Post, now time.Time) {
	state, at := s.Rules.StateAt(p, now), s.Rules.ClosingTime(p)
	about := []string{m.heading(p.Comments)}
	switch {
	case state == thread.Closed:
		about = append(about, m.Closed, m.date(at))
	case !at.IsZero():
		about = append(about, strings.Replace(m.ClosesOn, "%s", m.date(at), 1))
	}
	m.element("id", s.feedURL(query{view: q.view}, p))
	m.element("title", m.feedTitle(title(p), s.Blog.Name))
	m.element("subtitle", strings.Join(about, " · "))
	m.feedLink("self", s.feedURL(q, p), "application/atom+xml", "")
	m.feedLink("alternate", p.URL, "text/html", "")
	m.feedLink("replies", s.permalink(p.URL, ""), "text/html", strconv.Itoa(p.Comments))
	m.put("<category")
	m.attr("term", string(state))
	m.put("/>\n")
}

func (s *Server) blogHead(m *markup, q query) {
	m.element("id", s.feedURL(query{view: q.view}, thread.Post{}))
	m.element("title", m.feedTitle(cmp.Or(s.Blog.Name, s.Blog.URL, s.Base)))
	m.feedLink("self", s.feedURL(q, thread.Post{}), "application/atom+xml", "")
	if s.Blog.URL != "" {
		m.feedLink("alternate", s.Blog.URL, "text/html", "")
	}
}

// feedTitle tells a feed from the blog's own, which readers may have beside it.
func (w *words) feedTitle(about ...string) string {
	return strings.Join(slices.DeleteFunc(append([]string{w.Talk}, about...), func(s string) bool { return s == "" }), " – ")
}

// entry is one comment. What it warns of is read on its page: feed readers fold nothing.
func (s *Server) entry(m *markup, r *storage.Recent) {
	c := thread.Placed{Comment: &r.Comment, Replies: r.Replies}
	m.put("<entry>\n")
	m.element("id", string(c.ID))
	m.element("title", name(c.Author)+" – "+cmp.Or(r.PostTitle, r.PostURL))
	m.element("published", stamp(c.Published))
	m.element("updated", stamp(changed(r)))
	m.put("<author>")
	m.element("name", strings.TrimSpace(name(c.Author)+" "+c.Author.Handle))
	if page := profile(c); page != "" {
		m.element("uri", page)
	}
	m.put("</author>\n")
	m.feedLink("alternate", s.permalink(r.PostURL, c.ID), "text/html", "")
	if page := original(c); page != "" {
		m.feedLink("via", page, "text/html", "")
	}
	m.put("<thr:in-reply-to")
	m.attr("ref", string(cmp.Or(c.Parent, c.Post)))
	m.attr("href", s.permalink(r.PostURL, c.Parent))
	m.put(` type="text/html"/>` + "\n")
	if r.Replies > 0 && r.Replies < storage.MaxReplies {
		m.feedLink("replies", s.permalink(r.PostURL, c.ID), "text/html", strconv.Itoa(r.Replies))
	}
	if c.Warning != "" {
		m.element("summary", m.Warning+" "+c.Warning)
	} else {
		m.put(`<content type="html"`)
		m.attr("xml:lang", c.Lang)
		m.put(">")
		m.text(c.HTML)
		m.put("</content>\n")
	}
	m.put("</entry>\n")
}

func (m *markup) element(name literal, text string) {
	m.put("<", name, ">")
	m.text(text)
	m.put("</", name, ">\n")
}

// feedLink writes a link; count is how many replies there are behind it, or empty (RFC 4685, 4).
func (m *markup) feedLink(rel literal, href, mime, count string) {
	m.put(`<link rel="`, rel, `"`)
	m.attr("href", href)
	m.attr("type", mime)
	m.attr("thr:count", count)
	m.put("/>\n")
}

// permalink is where a comment stands on the thread's own page; without one it is that page.
func (s *Server) permalink(page string, comment thread.IRI) string {
	address := s.Base + "/t?" + url.Values{"url": {page}}.Encode()
	if comment != "" {
		address += "#" + comment.Anchor()
	}
	return address
}

// feedURL is the feed of a thread, or of all.
func (s *Server) feedURL(q query, p thread.Post) string {
	form, path := url.Values{}, "/feed.atom"
	if q.view == asThreadFeed {
		path = "/t.atom"
		form.Set("url", p.URL)
	}
	if q.lang != "" {
		form.Set("lang", q.lang)
	}
	if q.limit != 0 && q.limit != feedLimit {
		form.Set("limit", strconv.Itoa(q.limit))
	}
	return strings.TrimSuffix(s.Base+path+"?"+form.Encode(), "?")
}

func changed(r *storage.Recent) time.Time {
	if r.Edited.After(r.Published) {
		return r.Edited
	}
	return r.Published
}

// newest is when a feed last changed; without entries, when its post appeared.
func newest(entries []storage.Recent, p thread.Post) time.Time {
	last := p.Published
	for i := range entries {
		if at := changed(&entries[i]); at.After(last) {
			last = at
		}
	}
	if last.IsZero() {
		last = time.Unix(0, 0)
	}
	return last
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// validXML leaves out what XML cannot say, not even escaped (XML 1.0, 2.2).
func validXML(text []byte) []byte {
	out := text[:0]
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		valid := r == '\t' || r == '\n' || r == '\r' || r >= ' ' && r != 0xFFFE && r != 0xFFFF
		if valid && (r != utf8.RuneError || n > 1) {
			out = append(out, text[:n]...)
		}
		text = text[n:]
	}
	return out
}
