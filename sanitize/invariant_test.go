package sanitize

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

const (
	blocks  = "p pre blockquote ul ol"
	inlines = "a em strong code del br"
)

// children is the closed tree: what may stand in what. The root is body.
var children = map[string]map[string]bool{
	"body":       set(blocks),
	"blockquote": set(blocks),
	"ul":         set("li"),
	"ol":         set("li"),
	"li":         set(blocks + " #text " + inlines),
	"p":          set(inlines + " #text"),
	"pre":        set("a em strong code del #text"),
	"a":          set("em strong code del br #text"),
	"em":         set("strong code del br #text"),
	"strong":     set("em code del br #text"),
	"code":       set("em strong del br #text"),
	"del":        set("em strong code br #text"),
}

// check holds what is promised of every output for a stranger's input.
func check(t testing.TB, out string) {
	t.Helper()
	if !utf8.ValidString(out) || len(out) > maxOut {
		t.Fatalf("%d bytes, valid %v", len(out), utf8.ValidString(out))
	}
	body := reread(t, out)
	if n := checkNode(t, body, 0); n > maxNodes {
		t.Fatalf("%d nodes", n)
	}
	if again := HTML(out); again != out {
		t.Fatalf("no fixed point:\n1: %.2000q\n2: %.2000q", out, again)
	}
	head, rest := SplitAfter(out, len(out)/2)
	reread(t, head)
	reread(t, rest)
}

// reread is the output as a browser reads it, which must be as it was written.
func reread(t testing.TB, out string) *html.Node {
	t.Helper()
	body := &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body}
	nodes, err := html.ParseFragment(strings.NewReader(out), body)
	if err != nil {
		t.Fatal(err)
	}
	var back strings.Builder
	for _, n := range nodes {
		body.AppendChild(n)
		if err := html.Render(&back, n); err != nil {
			t.Fatal(err)
		}
	}
	if back.String() != out {
		t.Fatalf("a parser reads it differently:\nwritten: %.2000q\nread:    %.2000q", out, back.String())
	}
	return body
}

// checkNode checks what is below a node of that depth and counts it.
func checkNode(t testing.TB, n *html.Node, depth int) int {
	t.Helper()
	if depth > maxDepth {
		t.Fatalf("deeper than %d", maxDepth)
	}
	count := 0
	for c := range n.ChildNodes() {
		count++
		name := c.Data
		if c.Type == html.TextNode {
			name = "#text"
			checkText(t, c.Data)
		} else {
			checkAttr(t, c)
			count += checkNode(t, c, depth+1)
		}
		if !children[n.Data][name] {
			t.Fatalf("<%s> in <%s>", name, n.Data)
		}
	}
	return count
}

func checkAttr(t testing.TB, n *html.Node) {
	t.Helper()
	if n.Data != "a" {
		if len(n.Attr) > 0 {
			t.Fatalf("attributes on <%s>: %v", n.Data, n.Attr)
		}
		return
	}
	if len(n.Attr) != 2 || n.Attr[0].Key != "href" || n.Attr[1] != (html.Attribute{Key: "rel", Val: "nofollow ugc noopener noreferrer"}) {
		t.Fatalf("attributes on <a>: %v", n.Attr)
	}
	if href := n.Attr[0].Val; href == "" || Link(href) != href {
		t.Fatalf("href %q becomes %q", href, Link(href))
	}
}

func checkText(t testing.TB, s string) {
	t.Helper()
	if strings.ContainsFunc(s, func(r rune) bool { return unfit(r) && r != '\n' && r != '\t' }) {
		t.Fatalf("unfit runes in %q", s)
	}
	if strings.Contains(s, "\n\n\n") {
		t.Fatalf("a hole in %q", s)
	}
}
