package sanitize

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/util"
)

// Plain turns plain text into the closed tree: an empty line parts paragraphs, a newline is a br, and bare http and
// https addresses become links. Markup in it is text.
func Plain(in string) string {
	b := newBuilder(options{})
	for line := range strings.Lines(newlines.Replace(cut(in, maxIn))) {
		if strings.TrimSpace(line) == "" {
			b.closeLeaf("")
			continue
		}
		b.linkify(line)
		b.newline()
	}
	return b.finish().html(rel)
}

var newlines = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// address finds bare addresses. The punctuation after one is the sentence's, unless it closes a bracket of the address.
var address = regexp.MustCompile(`(?i)\bhttps?://(?:` + bracketed + `|[^\s<>"()])*(?:` + bracketed + `|[^\s<>"().,:;!?'…»”\]}])`)

const bracketed = `\([^\s<>"()]*\)`

// linkify feeds a line of plain text to the builder.
func (b *builder) linkify(line string) {
	at := 0
	for _, m := range address.FindAllStringIndex(line, -1) {
		b.text(line[at:m[0]])
		b.openLink(line[m[0]:m[1]])
		b.text(line[m[0]:m[1]])
		b.closeLink()
		at = m[1]
	}
	b.text(line[at:])
}

// The dialect of PeerTube, the only server known to send text/markdown: CommonMark whose newlines are line breaks, with
// bare links and strikethrough. Tags are text.
var markdown = goldmark.New(
	goldmark.WithParser(parser.NewParser(
		parser.WithBlockParsers(without(parser.NewHTMLBlockParser(), parser.DefaultBlockParsers())...),
		parser.WithInlineParsers(without(parser.NewRawHTMLParser(), parser.DefaultInlineParsers())...),
		parser.WithParagraphTransformers(parser.DefaultParagraphTransformers()...),
	)),
	goldmark.WithExtensions(extension.Linkify, extension.Strikethrough),
	goldmark.WithRendererOptions(html.WithHardWraps()),
)

func without(one any, all []util.PrioritizedValue) []util.PrioritizedValue {
	return slices.DeleteFunc(all, func(v util.PrioritizedValue) bool { return v.Value == one })
}

// maxPunct is how many punctuation marks of Markdown are rendered. goldmark takes quadratic time for some rows of them
// (1.5 s for 64 KiB of ">"); at this number it takes a few milliseconds, and 10,000 words of prose have fewer.
const maxPunct = 2048

// Markdown renders CommonMark, in which tags are text, into the closed tree. What is mostly punctuation is left as it is.
func Markdown(in string) string {
	in = cut(in, maxIn)
	var out bytes.Buffer
	if punctuation(in) > maxPunct || markdown.Convert([]byte(in), &out) != nil {
		return Plain(in)
	}
	return HTML(out.String())
}

// punctuation counts the bytes that may be markup.
func punctuation(in string) (n int) {
	for i := range len(in) {
		if c := in[i]; c > ' ' && c < '0' || c > '9' && c < 'A' || c > 'Z' && c < 'a' || c > 'z' && c < 0x7F {
			n++
		}
	}
	return n
}
