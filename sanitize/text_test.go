package sanitize

import (
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	for _, c := range []struct {
		in   string
		max  int
		want string
	}{
		{"", 10, ""},
		{"plain & simple", 100, "plain & simple"},
		{"<p>a <b>b</b></p><script>x</script><ul><li>c<br>d", 100, "a b c d"}, // G39
		{"&lt;b&gt; a&nbsp;&nbsp;b", 100, "<b> a b"},
		{"\u200b", 100, ""}, // Misskey's empty content warning
		{"\u202eevil\u202c\x00\u2066x", 100, "evilx"},
		{"<p>Z\u0351\u036b\u0343\u032a</p>", 100, "Z\u0351\u036b"},
		{"abcdef", 6, "abcdef"},
		{"abcdefg", 6, "abcde…"},
		{"abcd  efgh", 6, "abcd…"},
		{"abcde\u0301fgh", 6, "abcd…"},
		{"abc", 0, ""},
		{"a \xff\xfeb", 100, "a b"},
	} {
		got := Text(c.in, c.max)
		if got != c.want {
			t.Errorf("Text(%q, %d) = %q, want %q", c.in, c.max, got, c.want)
		}
		checkLine(t, got, max(c.max, 1))
	}
}

func TestName(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"Alice <b>&amp;</b>", "Alice <b>&amp;</b>"},
		{"  Alice\r\n\tBob ", "Alice Bob"},
		{"\u202eAdmin\u202c\u2069", "Admin"}, // G29
		{"A\u200bli\ufeffce\x00", "A\u200bli\ufeffce"},
		{"\u200b\u00a0\u3164\u200e", ""},
		{"\ufe0f\u2060\U000e0041\ufff0", ""},
		{"\U0001fae9", "\U0001fae9"}, // an emoji of Unicode 16
		{"\U0001fb00\ufe0f", "\U0001fb00\ufe0f"},
		{"\U0003ffff\U0003fff0", "\U0003fff0"}, // not assigned yet, but a character
		{"\uf8ff", "\uf8ff"},                   // of private use
		{"👩‍👩‍👧‍👦 ❤️ ｱﾘｽ", "👩‍👩‍👧‍👦 ❤️ ｱﾘｽ"},
		{strings.Repeat("n", 101), strings.Repeat("n", 99) + "…"},
	} {
		got := Name(c.in, 100)
		if got != c.want {
			t.Errorf("Name(%q) = %q, want %q", c.in, got, c.want)
		}
		checkLine(t, got, 100)
	}
}
