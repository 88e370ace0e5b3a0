package api

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"afterword/sanitize"
	"afterword/thread"
)

// markup is HTML being written. html/template takes six times as long (23 ms for 1,000 comments) and makes the program
// 25 MB larger (docs/decisions/005-size.md), so it is written by hand; what keeps that safe is that text is the one way
// in for strings that come from outside.
type markup struct {
	bytes.Buffer
	*words
	indent int    // how deep comments are indented
	joins  bool   // a part that goes on within a branch is for a page that shows what was before it
	asks   string // id of the form that the buttons belong to
	cards  map[person]string
	day    time.Time // of which dated is the date
	dated  string
}

// literal is markup that stands in this source: no string from elsewhere becomes one without a conversion.
type literal string

func (m *markup) put(ls ...literal) {
	for _, l := range ls {
		m.WriteString(string(l))
	}
}

// text writes any string as text, or as the value of an attribute in double quotes.
func (m *markup) text(s string) {
	from := 0
	for i := range len(s) {
		if escaped := escapes[s[i]]; escaped != "" {
			m.WriteString(s[from:i])
			m.WriteString(escaped)
			from = i + 1
		}
	}
	m.WriteString(s[from:])
}

// escapes are what stands for a byte in text and in attributes; empty: it stands for itself.
var escapes = [256]string{'&': "&amp;", '<': "&lt;", '>': "&gt;", '"': "&#34;", '\'': "&#39;"}

// stored writes HTML that was made safe when it came.
func (m *markup) stored(safe string) { m.WriteString(safe) }

// note writes a paragraph of ours, unless it is empty.
func (m *markup) note(text string) {
	if text != "" {
		m.put(`<p class="aw-note">`)
		m.text(text)
		m.put("</p>\n")
	}
}

// framed writes a text of ours with a stranger's name at the place of its %s.
func (m *markup) framed(ours, name string) {
	before, after, _ := strings.Cut(ours, "%s")
	m.text(before)
	m.put("<bdi>")
	m.text(name)
	m.put("</bdi>")
	m.text(after)
}

// attr writes an attribute, unless it is empty.
func (m *markup) attr(name literal, value string) {
	if value != "" {
		m.put(" ", name, `="`)
		m.text(value)
		m.put(`"`)
	}
}

// link writes name as a link to a stranger's page, or as it is when there is no address.
func (m *markup) link(class literal, address, name string) {
	tag := literal("span")
	if address = web(address); address != "" {
		tag, class = "a", class+" u-url"
	}
	m.put("<", tag)
	m.attr("class", string(class))
	if address != "" {
		m.attr("href", address)
		m.put(` rel="nofollow ugc noopener noreferrer"`)
	}
	m.put("><bdi>")
	m.text(name)
	m.put("</bdi></", tag, ">")
}

func (m *markup) time(class literal, t time.Time, text string) {
	m.put("<time")
	m.attr("class", string(class))
	m.put(` datetime="`)
	m.Write(t.UTC().AppendFormat(m.AvailableBuffer(), time.RFC3339))
	m.put(`">`)
	m.text(text)
	m.put("</time>")
}

// maxIndent is the depth at which comments stop being indented, and say what they reply to instead; readers may ask for
// less. Strangers choose the depth: browsers give up at 512 nested elements, and a phone long before.
const maxIndent = 6

// list writes comments as nested lists.
func (m *markup) list(p part, s *Server, open bool) {
	depth := -1 // of the comment written last
	for c := range p.steps(func(depth int) bool { return m.above(p, depth) }) {
		indent := min(max(c.Depth-m.outdent(p), 0), m.indent)
		if indent > depth {
			m.put("<ol>")
		} else {
			m.leave(depth - indent)
			m.put("</li>")
		}
		depth = indent
		m.comment(p, c, s, open && !c.closed)
	}
	if depth >= 0 {
		m.leave(depth)
		m.put("</li></ol>")
	}
}

// above tells which comments above a part are shown: those next to it, or those by which a script finds its place.
func (m *markup) above(p part, depth int) bool {
	if m.joins {
		return depth < m.indent
	}
	return depth >= len(p.above)-max(m.indent, 1)
}

// outdent is how many levels are left out on the left: a page that goes on deep within a branch begins at the left too.
func (m *markup) outdent(p part) int {
	if m.joins {
		return 0
	}
	return max(len(p.above)-m.indent, 0)
}

func (m *markup) leave(levels int) {
	for range levels {
		m.put("</li></ol>")
	}
}

func (m *markup) comment(p part, c step, s *Server, open bool) {
	here := c.ID.Anchor()
	m.put(`<li id="`)
	m.text(here)
	if c.Stub {
		m.put(`"><article class="aw-gone"><p>`)
		m.text(m.Deleted)
		m.put("</p>")
		m.branchClosed(c)
		m.put("</article>")
		return
	}
	m.put(`"><article class="h-entry h-cite u-comment">`)
	m.card(c, s)
	m.when(c, here)
	m.replyTo(p, c)
	m.content(c, s.illustrated(c))
	m.branchClosed(c)
	m.foot(c, open)
	m.put("</article>")
}

// card is what a comment says of its author. It is made once for each: most threads have fewer people than comments.
func (m *markup) card(c step, s *Server) {
	who := person{c.Author, c.Imported}
	if made, known := m.cards[who]; known {
		m.WriteString(made)
		return
	}
	start := m.Len()
	m.avatar(c.Author, s.avatar(c.Author))
	m.byline(c, s.byOwner(c.Author))
	if m.cards == nil {
		m.cards = map[person]string{}
	}
	m.cards[who] = string(m.Bytes()[start:])
}

// person is all that a card depends on.
type person struct {
	thread.Author
	imported bool
}

// byline says who wrote it. Names can be anything, the blogger's too: the handle is always beside them, and the badges are
// ours.
func (m *markup) byline(c step, owner bool) {
	m.put(`<div class="aw-by p-author h-card">`)
	m.link("p-name", profile(c.Placed), name(c.Author))
	m.badge(owner, m.Author)
	m.badge(c.Author.Bot, m.Bot)
	if c.Author.Handle != "" {
		m.put(` <bdi class="p-nickname">`)
		m.text(c.Author.Handle)
		m.put("</bdi>")
	}
	m.put("</div>")
}

// when says when it was written, as the link to where it stands.
func (m *markup) when(c step, here string) {
	m.put(`<div class="aw-when"><a href="#`)
	m.text(here)
	m.put(`">`)
	m.time("dt-published", c.Published, m.dayOf(c.Published)+m.at+c.Published.UTC().Format("15:04 UTC"))
	m.put("</a>")
	if !c.Edited.IsZero() {
		m.put(" · ")
		m.time("dt-updated", c.Edited, m.Edited)
	}
	if c.Imported {
		m.put(" · ")
		m.text(m.Imported)
	}
	m.put("</div>")
}

// dayOf is date, made once for the comments of a day that stand together.
func (m *markup) dayOf(t time.Time) string {
	if day := t.UTC().Truncate(24 * time.Hour); m.dated == "" || !day.Equal(m.day) {
		m.day, m.dated = day, m.date(t)
	}
	return m.dated
}

func (m *markup) badge(on bool, text string) {
	if on {
		m.put(` <span class="aw-badge">`)
		m.text(text)
		m.put("</span>")
	}
}

// hues is how many colours there are for avatars (style.css: aw-hue0 …).
const hues = 6

// avatar is our copy of an author's picture, else it is computed: a reader's browser asks nobody else for one.
func (m *markup) avatar(a thread.Author, picture string) {
	if picture != "" {
		m.put(`<img class="aw-avatar" alt="" width="128" height="128" loading="lazy"`)
		m.attr("src", picture)
		m.put(">")
		return
	}
	hue := sha256.Sum256([]byte(a.ID))
	m.put(`<span class="aw-avatar aw-hue`)
	m.WriteByte('0' + hue[0]%hues)
	m.put(`" aria-hidden="true">`)
	m.text(cmp.Or(initials(name(a)), initials(user(a))))
	m.put("</span>")
}

// initials are the first letters, digits or pictures of the first and the last word of a name.
func initials(name string) string {
	var found []rune
	for word := range strings.FieldsSeq(name) {
		if i := strings.IndexFunc(word, initial); i >= 0 {
			first, _ := utf8.DecodeRuneInString(word[i:])
			found = append(found[:min(len(found), 1)], unicode.ToUpper(first))
		}
	}
	return string(found)
}

func initial(r rune) bool { return unicode.In(r, unicode.L, unicode.N, unicode.So) }

// name is what an author is called: never nothing, nor what shows nothing.
func name(a thread.Author) string {
	if strings.ContainsFunc(a.Name, visible) {
		return a.Name
	}
	return cmp.Or(user(a), a.ID.Host())
}

// user is the first half of an author's handle.
func user(a thread.Author) string {
	user, _, _ := strings.Cut(strings.TrimPrefix(a.Handle, "@"), "@")
	return user
}

// visible is what can be seen by itself: marks need a letter.
func visible(r rune) bool { return unicode.IsGraphic(r) && !unicode.In(r, unicode.M, unicode.Z) }

// replyTo says what a comment answers: to machines always, to readers where indentation does not.
func (m *markup) replyTo(p part, c step) {
	above := p.post.URL
	if c.parent != nil {
		above = string(c.Parent)
	}
	m.put(`<data class="u-in-reply-to"`)
	m.attr("value", above)
	m.put("></data>")
	if below := c.Depth - m.outdent(p); below <= m.indent && (below > 0 || c.parent == nil) {
		return
	}
	m.put(`<p class="aw-to"><a href="#`)
	m.text(c.Parent.Anchor())
	m.put(`">`)
	if c.parent.Stub {
		m.text(m.ToDeleted)
	} else {
		m.framed(m.InReplyTo, name(c.parent.Author))
	}
	m.put("</a></p>")
}

func (m *markup) content(c step, text string) {
	if c.Warning != "" {
		m.put(`<details class="aw-warning"><summary>`)
		m.text(m.Warning)
		m.put(` <bdi class="p-summary">`)
		m.text(c.Warning)
		m.put("</bdi></summary>")
		defer m.put("</details>")
	}
	m.put(`<div class="e-content" dir="auto"`)
	m.attr("lang", c.Lang)
	m.put(">")
	m.long(text, c.Warning == "")
	m.put("</div>")
}

// How many bytes of a long comment are seen at once, and how many more it takes to be one.
const (
	seenAtOnce = 2500
	worthClick = 1000
)

// long writes the text of a comment. Of a long one the rest is folded, unless the whole is folded already.
func (m *markup) long(text string, folds bool) {
	head, rest := text, ""
	if folds && len(text) > seenAtOnce+worthClick {
		head, rest = sanitize.SplitAfter(text, seenAtOnce)
	}
	if len(rest) < worthClick {
		m.said(text)
		return
	}
	m.said(head)
	m.put("<details><summary>")
	m.text(m.Rest)
	m.put("</summary>")
	m.stored(rest)
	m.put("</details>")
}

// branchClosed stands where a branch was closed, and nowhere else in it.
func (m *markup) branchClosed(c step) {
	if c.closes {
		m.note(m.BranchClosed)
	}
}

func (m *markup) foot(c step, open bool) {
	address := original(c.Placed)
	if address == "" {
		return
	}
	m.put(`<div class="aw-foot">`)
	if open && !c.Imported { // nobody's server would find that one
		m.ask("aw-reply", c.ID, m.ReplyHere, strings.Replace(m.ReplyTo, "%s", name(c.Author), 1))
	}
	m.link("aw-original", address, m.Original)
	if numbers := m.numbers(c.Likes, c.Boosts); numbers != "" {
		m.put(" · ")
		m.text(numbers)
	}
	m.put("</div>")
}

// said puts the text of a comment. The mentions that it begins with are made small, because its place says whom it
// answers, and have no say in the direction of the text.
func (m *markup) said(safe string) {
	names, rest := sanitize.SplitMentions(safe)
	if names != "" {
		m.put(`<p><bdi class="aw-names">`)
		m.stored(names)
		m.put(`</bdi>`)
	}
	m.stored(rest)
}

// Permalink is where a comment of a post is found by people.
func Permalink(p thread.Post, comment thread.IRI) string { return p.URL + "#" + comment.Anchor() }
