package sanitize

import (
	"strings"
	"unicode"
)

// Text is what HTML says, as plain text of at most max runes on one line: for summaries and content warnings. It is not
// escaped. The last rune of a text that was cut is "…".
func Text(in string, max int) string {
	return shorten(build(cut(in, maxIn), options{}).says(), max)
}

// Name is Text for what is plain text already, such as display names and handles: "<b>" stays "<b>".
func Name(in string, max int) string {
	b := newBuilder(options{})
	b.text(cut(in, maxIn))
	return shorten(b.finish().says(), max)
}

// says is the text of a tree on one line. A line begins with something to see: pre keeps what is blank in front of it.
func (b *block) says() string { return strings.TrimLeftFunc(strings.Join(b.words(), " "), blank) }

func (b *block) words() []string {
	words := strings.Fields(plain(b.runs))
	for _, k := range b.kids {
		words = append(words, k.words()...)
	}
	return words
}

// shorten cuts to max runes, and not in front of a combining mark.
func shorten(s string, max int) string {
	runes := []rune(s)
	if len(runes) <= max {
		return s
	}
	end := max - 1
	for end > 0 && (unicode.Is(unicode.M, runes[end]) || unicode.Is(unicode.Cf, runes[end])) {
		end--
	}
	if end <= 0 {
		return ""
	}
	return strings.TrimSpace(string(runes[:end])) + "…"
}
