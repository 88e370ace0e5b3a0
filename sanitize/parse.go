package sanitize

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// formats are the inline elements we keep, under the names they come in.
var formats = map[string]byte{
	"strong": 's', "b": 's',
	"em": 'e', "i": 'e',
	"code": 'c',
	"del":  'd', "s": 'd', "strike": 'd',
}

// breaks are the elements that go but part paragraphs.
var breaks = set(`address article aside body caption center details dialog dir div dl fieldset figcaption figure footer
	form frameset head header hgroup hr html legend main menu nav optgroup search section select summary table tbody
	tfoot thead`)

// lines are the elements that go but start a line.
var lines = set(`dd dt option tr`)

// dropped are the elements whose content is not text.
var dropped = set(`iframe noembed noframes noscript plaintext script style template textarea title xmp`)

// headings become a paragraph in strong, as in Mastodon.
var headings = set(`h1 h2 h3 h4 h5 h6`)

// containers are the blocks that hold blocks.
var containers = set(`blockquote ul ol li`)

func set(names string) map[string]bool {
	m := map[string]bool{}
	for _, name := range strings.Fields(names) {
		m[name] = true
	}
	return m
}

// parse reads HTML, token by token, into a tree.
func parse(in string, o options) *block {
	b := newBuilder(o)
	z := html.NewTokenizer(strings.NewReader(in))
	for !b.full {
		switch z.Next() {
		case html.ErrorToken:
			return b.finish()
		case html.TextToken:
			if b.skip == "" {
				b.text(string(z.Text()))
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			if !b.skipped(t.Data, +1) {
				b.start(t)
			}
		case html.EndTagToken:
			if t := z.Token(); !b.skipped(t.Data, -1) {
				b.end(t.Data)
			}
		}
	}
	return b.finish()
}

// skipped says whether a tag is inside an element whose content is dropped, and keeps count of that element's depth.
// A dropped quote line ends where the next block starts, should its own end be missing.
func (b *builder) skipped(name string, by int) bool {
	if b.skip == "" {
		return false
	}
	if !dropped[b.skip] && isBlock(name) {
		b.skip = ""
		return false
	}
	if name == b.skip {
		b.skips += by
	}
	if b.skips == 0 {
		b.skip = ""
	}
	return true
}

func isBlock(name string) bool {
	return name == "p" || name == "pre" || containers[name] || headings[name] || breaks[name] || lines[name]
}

func (b *builder) start(t html.Token) {
	switch name := t.Data; {
	case dropped[name], b.quoteLine(t):
		b.skip, b.skips = name, 1
	case containers[name]:
		b.openBlock(name)
	case formats[name] != 0:
		b.format(formats[name], +1)
	case headings[name]:
		b.paragraph("p")
		b.format('s', +1)
	case breaks[name]:
		b.paragraph("")
	case lines[name]:
		b.newline()
	default:
		b.startOther(t)
	}
}

func (b *builder) startOther(t html.Token) {
	switch t.Data {
	case "p":
		b.paragraph("p")
	case "pre":
		b.closeLeaf("pre")
	case "a":
		b.openLink(attr(t, "href"))
	case "br":
		b.newline()
	case "img":
		b.text(attr(t, "alt")) // of a custom emoji this is :name:
	case "q":
		b.text("“")
	case "td", "th":
		b.text(" ")
	}
}

func (b *builder) end(name string) {
	switch {
	case containers[name]:
		b.closeBlock(name)
	case formats[name] != 0:
		b.format(formats[name], -1)
	case headings[name]:
		b.paragraph("")
		b.format('s', -1)
	case name == "p", breaks[name]:
		b.paragraph("")
	case name == "pre":
		b.closeLeaf("")
	case name == "a":
		b.closeLink()
	case name == "q":
		b.text("”")
	}
}

// quoteInline is the class of the line that stands in for a quote.
const quoteInline = "quote-inline"

// quoteLine recognises "RE: link", which Mastodon and Misskey put before or after the text of a quote.
func (b *builder) quoteLine(t html.Token) bool {
	return !b.opt.keepQuotes && (t.Data == "p" || t.Data == "span") &&
		slices.Contains(strings.Fields(attr(t, "class")), quoteInline)
}

// attr is a tag's attribute, "" without. The tokenizer has dropped repeated ones.
func attr(t html.Token, key string) string {
	for _, a := range t.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
