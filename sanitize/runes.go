package sanitize

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A gap is the white space before the next visible rune. It is written only if there is one.
type gap struct {
	breaks int
	space  []byte // after the last break
}

// maxBreaks is how many line breaks may follow one another: an empty line, not a hole.
const maxBreaks = 2

// text feeds decoded text to the open leaf: unfit runes stripped, white space folded.
func (b *builder) text(s string) {
	for _, r := range s {
		switch {
		case r == '\n' && b.want == "pre":
			b.newline()
		case blank(r):
			b.space(r)
		case !unfit(r) && b.bearable(r):
			b.put(r)
		}
		if b.full {
			return
		}
	}
}

func (b *builder) newline() {
	b.gap.breaks++
	b.gap.space = b.gap.space[:0]
	b.marks = 0
}

// space keeps indentation in pre and no-break spaces everywhere; the rest folds into one space.
func (b *builder) space(r rune) {
	b.bearable(r)
	indent := b.want == "pre" && (r == ' ' || r == '\t')
	if folds(r) && !indent {
		r = ' '
		if n := len(b.gap.space); n > 0 && b.gap.space[n-1] == ' ' {
			return
		}
	}
	b.gap.space = utf8.AppendRune(b.gap.space, r)
}

// put writes the gap and a visible rune, or neither if there is no room for both.
func (b *builder) put(r rune) {
	leaf := b.openLeaf()
	between, gap := b.between(leaf)
	n1, c1 := between.cost(leaf.last(), gap)
	if gap == "" {
		between = leaf.last()
	}
	n2, c2 := b.now.cost(between, string(r))
	if !b.charge(n1+n2, c1+c2) {
		return
	}
	leaf.add(between, gap)
	leaf.add(b.now, string(r))
	leaf.ink = leaf.ink || shows(r)
	b.gap.breaks, b.gap.space = 0, b.gap.space[:0]
}

// between is the white space to write before the next rune, in the style both sides share.
func (b *builder) between(leaf *block) (style, string) {
	pre, first := leaf.tag == "pre", len(leaf.runs) == 0
	switch {
	case first && pre:
		return b.now, string(b.gap.space)
	case first:
		return b.now, ""
	}
	gap := strings.Repeat("\n", min(b.gap.breaks, maxBreaks))
	if pre || gap == "" {
		gap += string(b.gap.space)
	}
	return leaf.last().common(b.now), gap
}

// last is the style of a leaf's last run.
func (b *block) last() style {
	if len(b.runs) == 0 {
		return style{}
	}
	return b.runs[len(b.runs)-1].style
}

// add appends text to the last run, or to a new one.
func (b *block) add(s style, text string) {
	if text == "" {
		return
	}
	if len(b.runs) == 0 || b.last() != s {
		b.runs = append(b.runs, run{style: s})
	}
	r := &b.runs[len(b.runs)-1]
	r.text = append(r.text, text...)
}

// plain is what runs say.
func plain(runs []run) string {
	var s strings.Builder
	for _, r := range runs {
		s.Write(r.text)
	}
	return s.String()
}

// blank runes take room, or none, but show nothing.
func blank(r rune) bool {
	switch r {
	case 0x200B, 0xFEFF, 0x115F, 0x1160, 0x3164, 0xFFA0, 0x2800:
		return true
	}
	return unicode.IsSpace(r)
}

// shows says which runes are something to see by themselves. That is said of what cannot be seen: an emoji of the coming
// Unicode, or a letter of private use in its author's font, is unknown to our tables and a reply all the same.
func shows(r rune) bool {
	return !unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// folds says which blanks are mere white space.
func folds(r rune) bool {
	return r <= ' ' || r == 0x85 || r == 0x2028 || r == 0x2029
}

// unfit runes are stripped: controls, bidi overrides and isolates (but not the harmless marks U+200E, U+200F, U+061C),
// interlinear annotations and what Unicode says is no character.
func unfit(r rune) bool {
	switch {
	case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x206F, r >= 0xFFF9 && r <= 0xFFFB:
		return true
	case r&0xFFFE == 0xFFFE, r >= 0xFDD0 && r <= 0xFDEF:
		return true
	}
	return unicode.IsControl(r)
}

// stackable are the combining marks that go on any letter: accents, and the towers of "zalgo" text.
var stackable = &unicode.RangeTable{R16: []unicode.Range16{
	{Lo: 0x0300, Hi: 0x036F, Stride: 1},
	{Lo: 0x0483, Hi: 0x0489, Stride: 1},
	{Lo: 0x1AB0, Hi: 0x1AFF, Stride: 1},
	{Lo: 0x1DC0, Hi: 0x1DFF, Stride: 1},
	{Lo: 0x20D0, Hi: 0x20FF, Stride: 1},
	{Lo: 0xFE00, Hi: 0xFE2F, Stride: 1},
}}

// How many marks a base may carry. The marks that belong to a script (Arabic, Hebrew, Thai, Devanagari, Tibetan, …) are
// its vowels and tones, and a syllable may need several.
const (
	maxAccents = 2
	maxMarks   = 6
)

// bearable counts combining marks and refuses the ones beyond the limit. Format characters such as U+200D are neither
// mark nor base.
func (b *builder) bearable(r rune) bool {
	switch {
	case r < 0x300 && r != 0xAD:
		b.marks = 0
	case unicode.Is(stackable, r):
		b.marks++
		return b.marks <= maxAccents
	case unicode.Is(unicode.M, r):
		b.marks++
		return b.marks <= maxMarks
	case !unicode.Is(unicode.Cf, r):
		b.marks = 0
	}
	return true
}
