package sanitize

import (
	"strings"

	"golang.org/x/net/html"
)

// charge takes nodes and bytes from the budget. Once it is spent, nothing more is written.
func (b *builder) charge(nodes, bytes int) bool {
	if b.full || nodes > b.nodes || bytes > b.bytes {
		b.full = true
		return false
	}
	b.nodes -= nodes
	b.bytes -= bytes
	return true
}

// tagCost is the bytes of a start and an end tag.
func tagCost(tag string) int {
	if tag == "" {
		return 0
	}
	return len("<></>") + 2*len(tag)
}

// cost is what text in this style adds, at most, after a run in the style before.
func (s style) cost(before style, text string) (nodes, bytes int) {
	if text == "" {
		return 0, 0
	}
	bytes = len(html.EscapeString(text))
	if n := strings.Count(text, "\n"); n > 0 {
		nodes, bytes = 2*n, bytes+n*len("<br/>")
	}
	if s == before {
		return nodes, bytes
	}
	for i := range s.fmt {
		bytes += tagCost(inline[s.fmt[i]])
	}
	if s.link != nil {
		bytes += tagCost("a") + len(` href=""`) + len(rel) + len(html.EscapeString(s.link.href))
	}
	return nodes + 2 + len(s.fmt), bytes
}
