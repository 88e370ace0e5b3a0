package sanitize

import (
	"strings"

	"golang.org/x/net/html"
)

// A block is a container (the root "", blockquote, ul, ol, li) with kids, or a leaf (p, pre, or the bare text that may
// open an li, whose tag is "") with runs.
type block struct {
	tag  string
	kids []*block
	runs []run
	ink  bool // a leaf that shows something
}

// A run is text of one style. A newline in it is a line break.
type run struct {
	style
	text []byte
}

// A style is what surrounds a run: a link, outermost so that its text stays in one piece, and in it the inline elements
// by letter, outermost first.
type style struct {
	link *link
	fmt  string
}

// A link is one <a> of the input: its checked href and that address's host.
type link struct {
	href, host string
}

// inline names the elements behind the letters of style.fmt.
var inline = map[byte]string{'s': "strong", 'e': "em", 'c': "code", 'd': "del"}

// rel is what a stranger's link has after its href.
const rel = ` rel="nofollow ugc noopener noreferrer"`

// common is the style two neighbours share.
func (a style) common(b style) style {
	if a.link != b.link {
		return style{}
	}
	n := 0
	for n < len(a.fmt) && n < len(b.fmt) && a.fmt[n] == b.fmt[n] {
		n++
	}
	return style{a.link, a.fmt[:n]}
}

// html writes a tree whose links have the given rel attribute.
func (b *block) html(rel string) string {
	w := writer{rel: rel}
	w.block(b)
	return w.String()
}

// A writer writes a tree exactly as html.Render would.
type writer struct {
	strings.Builder
	rel string // of every link
	now style  // what is open
}

func (w *writer) block(b *block) {
	if b.tag != "" {
		w.WriteString("<" + b.tag + ">")
	}
	for _, k := range b.kids {
		w.block(k)
	}
	for _, r := range b.runs {
		w.change(r.style)
		w.text(string(r.text), b.tag == "pre")
	}
	w.change(style{})
	if b.tag != "" {
		w.WriteString("</" + b.tag + ">")
	}
}

func (w *writer) text(s string, pre bool) {
	s = html.EscapeString(s)
	if !pre {
		s = strings.ReplaceAll(s, "\n", "<br/>")
	}
	w.WriteString(s)
}

// change closes and opens what differs between the style now and the next.
func (w *writer) change(next style) {
	keep := w.now.common(next)
	for i := len(w.now.fmt) - 1; i >= len(keep.fmt); i-- {
		w.WriteString("</" + inline[w.now.fmt[i]] + ">")
	}
	if w.now.link != nil && w.now.link != next.link {
		w.WriteString("</a>")
	}
	if next.link != nil && w.now.link != next.link {
		w.WriteString(`<a href="` + html.EscapeString(next.link.href) + `"` + w.rel + ">")
	}
	for i := len(keep.fmt); i < len(next.fmt); i++ {
		w.WriteString("<" + inline[next.fmt[i]] + ">")
	}
	w.now = next
}
