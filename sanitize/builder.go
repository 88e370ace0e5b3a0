package sanitize

import "strings"

// maxBlocks leaves room below the deepest container for a leaf and five inline elements with a br in them.
const maxBlocks = maxDepth - 1 - 5 - 1

// A builder makes the tree from a stream of tags and text, whatever their order.
type builder struct {
	opt   options
	open  []*block // the root and the open containers
	over  int      // containers open beyond maxBlocks, which are flattened
	leaf  *block   // the open leaf; it opens with its first visible rune, so nil is common
	want  string   // the tag the next leaf was asked to have; "": see leafTag
	now   style    // what the next run will have
	count [256]int // how often each letter of now.fmt is open

	gap   gap // white space since the last visible rune
	marks int // combining marks since the last base

	skip  string // the element being dropped, and how deep we are in it
	skips int

	nodes, bytes int // what may still be written
	full         bool
}

func newBuilder(o options) *builder {
	return &builder{opt: o, open: []*block{{}}, nodes: maxNodes, bytes: maxOut}
}

// finish closes everything and returns the root.
func (b *builder) finish() *block {
	b.closeLeaf("")
	b.popTo(1)
	return b.open[0]
}

func (b *builder) top() *block { return b.open[len(b.open)-1] }

// push opens a container in the innermost one.
func (b *builder) push(tag string) {
	k := &block{tag: tag}
	b.charge(1, tagCost(tag))
	b.top().kids = append(b.top().kids, k)
	b.open = append(b.open, k)
}

// popTo closes containers until n are open. The empty ones vanish.
func (b *builder) popTo(n int) {
	for len(b.open) > n {
		last := b.top()
		b.open = b.open[:len(b.open)-1]
		if len(last.kids) == 0 {
			b.top().dropLast()
		}
	}
}

func (b *block) dropLast() { b.kids = b.kids[:len(b.kids)-1] }

// openBlock opens a blockquote, a list or an item.
func (b *builder) openBlock(tag string) {
	b.closeLeaf("")
	if tag == "li" {
		b.openItem()
		return
	}
	b.ensureItem()
	room := 1
	if tag != "blockquote" {
		room = 2 // a list needs items
	}
	if len(b.open)-1+room > maxBlocks {
		b.over++
		return
	}
	b.push(tag)
}

// openItem opens an item of the innermost list. Outside a list it is only a new paragraph.
func (b *builder) openItem() {
	for i := len(b.open) - 1; i > 0 && b.over == 0; i-- {
		switch b.open[i].tag {
		case "ul", "ol":
			b.popTo(i + 1)
			b.push("li")
			return
		case "blockquote":
			return
		}
	}
}

// ensureItem is for what stands in a list outside its items: it joins the last one.
func (b *builder) ensureItem() {
	list := b.top()
	if list.tag != "ul" && list.tag != "ol" {
		return
	}
	if n := len(list.kids); n > 0 {
		b.open = append(b.open, list.kids[n-1])
		return
	}
	b.push("li")
}

// closeBlock closes the innermost container of that name, and what is open in it. An item cannot be closed from within
// a list inside it.
func (b *builder) closeBlock(tag string) {
	b.closeLeaf("")
	if b.over > 0 {
		if tag != "li" {
			b.over--
		}
		return
	}
	for i := len(b.open) - 1; i > 0; i-- {
		here := b.open[i].tag
		if here == tag {
			b.popTo(i)
			return
		}
		if tag == "li" && here != "blockquote" {
			return
		}
	}
}

// paragraph ends a paragraph; the next is to have the given tag. Inside pre it is only a line.
func (b *builder) paragraph(want string) {
	if b.want == "pre" {
		b.newline()
		return
	}
	b.closeLeaf(want)
}

// closeLeaf ends the open leaf, which vanishes if it shows nothing. The next is to have the given tag.
func (b *builder) closeLeaf(want string) {
	b.labelLink()
	if b.leaf != nil && !b.leaf.ink {
		b.top().dropLast()
	}
	b.leaf, b.want, b.gap, b.marks = nil, want, gap{}, 0
}

func (b *builder) openLeaf() *block {
	if b.leaf == nil {
		b.ensureItem()
		b.leaf = &block{tag: b.leafTag()}
		b.charge(2, tagCost(b.leaf.tag)) // with its first text
		b.top().kids = append(b.top().kids, b.leaf)
	}
	return b.leaf
}

// leafTag is p for text that asked for nothing, except where it opens an item.
func (b *builder) leafTag() string {
	if b.want == "" && (b.top().tag != "li" || len(b.top().kids) > 0) {
		return "p"
	}
	return b.want
}

// format opens or closes an inline element. Within itself an element is only counted.
func (b *builder) format(letter byte, by int) {
	n := &b.count[letter]
	switch *n += by; {
	case *n < 0:
		*n = 0
	case *n == 0:
		b.now.fmt = strings.ReplaceAll(b.now.fmt, string(letter), "")
	case *n == 1 && by > 0:
		b.now.fmt += string(letter)
	}
}

// openLink starts a link, or ends the one before when the address is unfit.
func (b *builder) openLink(href string) {
	b.closeLink()
	b.now.link = newLink(href, b.opt.base)
}

func (b *builder) closeLink() {
	b.labelLink()
	b.now.link = nil
}

// labelLink ends the link's text in the open leaf. If that text names another host than the link leads to, the real one
// is added in brackets; if there is no room for it, the text is no link.
func (b *builder) labelLink() {
	l := b.now.link
	if l == nil || b.leaf == nil || b.opt.own {
		return
	}
	runs := b.leaf.tail(l)
	if !l.deniedBy(plain(runs)) {
		return
	}
	if label := l.label(); b.charge(0, len(label)) {
		last := &runs[len(runs)-1]
		last.text = append(last.text, label...)
		return
	}
	for i := range runs {
		runs[i].link = nil
	}
}

// tail is the runs at a leaf's end that belong to a link.
func (b *block) tail(l *link) []run {
	i := len(b.runs)
	for i > 0 && b.runs[i-1].link == l {
		i--
	}
	return b.runs[i:]
}
