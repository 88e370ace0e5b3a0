package sanitize

import "unicode/utf8"

// Excerpt is Note of the first paragraphs that together have at most about max runes. A first paragraph that is longer
// is cut, as text.
func Excerpt(in, base string, max int) string {
	root := own(in, base)
	left := max
	for i, k := range root.kids {
		if left -= utf8.RuneCountInString(k.says()); left < 0 && i > 0 {
			root.kids = root.kids[:i]
			break
		} else if left < 0 {
			return Plain(shorten(k.says(), max))
		}
	}
	return root.html("")
}
