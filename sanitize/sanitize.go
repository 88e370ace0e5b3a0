// Package sanitize turns strangers' HTML into HTML that may stand on the blogger's pages.
//
// # The closed tree
//
// What comes out is not the input with bad parts removed but a new tree of the few nodes a comment needs, written
// from scratch: p, br, a, em, strong, code, pre, blockquote, ul, ol, li, del and text. The only attributes are a
// link's href (absolute, http or https) and rel. A name this package does not know cannot appear, because nothing
// ever copies one.
//
// Blocks (blockquote, ul, ol, li) hold blocks; a leaf (p, pre, or the bare text of an li) holds a flat list of runs,
// pieces of text that share a link and a set of inline elements. White space belongs to no run: it is folded, and
// written with what its two neighbours have in common. Everything is bounded: 64 KiB in, 64 KiB out, 5,000 nodes,
// 16 levels. What goes beyond is cut or flattened, and the result is still balanced.
//
// # Why a tokenizer
//
// The HTML5 tree construction (html.Parse) is quadratic for input such as "<p><b><p><b>…". Here each token costs a
// constant number of steps: containers are at most nine deep and inline elements are counted, not stacked.
//
// # Why a fixed point
//
// HTML(HTML(x)) == HTML(x), and an HTML5 parser reads the output as the very tree that was written, so there is no
// second reading for mutation attacks to live in, and stored text can pass through here again without drifting. This
// holds because a list of runs has one spelling, and because budgets are charged for what is written: the second pass is
// never charged more than the first.
package sanitize

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// The limits of SECURITY.md R6.
const (
	maxIn    = 64 << 10 // bytes read
	maxOut   = 64 << 10 // bytes written
	maxNodes = 5000     // elements and texts written
	maxDepth = 16       // nested elements
	maxOwn   = 1 << 20  // bytes read of the blogger's own posts
)

// options are what differs between strangers' words and the blog's own.
type options struct {
	own        bool     // the blogger's text: plain links, and nobody to deceive
	base       *url.URL // what relative links are relative to; nil: they are no links
	keepQuotes bool     // keep "RE: link" paragraphs (class quote-inline)
}

// HTML turns a stranger's HTML into the closed tree. It never fails: the worst input gives "". An input beyond 64 KiB is
// cut. Linear time, at most a few milliseconds.
func HTML(in string) string {
	return build(cut(in, maxIn), options{}).html(rel)
}

// build reads HTML into a tree. A quote's "RE: link" stands in for those who cannot show quotes, so it goes, unless it
// is all there is.
func build(in string, o options) *block {
	root := parse(in, o)
	if len(root.kids) > 0 || !strings.Contains(in, quoteInline) {
		return root
	}
	o.keepQuotes = true
	return parse(in, o)
}

// cut is in as valid UTF-8 of at most max bytes.
func cut(in string, max int) string {
	if len(in) > max {
		for max > 0 && !utf8.RuneStart(in[max]) {
			max--
		}
		in = in[:max]
	}
	return strings.ToValidUTF8(in, "")
}
