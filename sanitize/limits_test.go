package sanitize

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// The corpus cases whose input is too big, or too odd, for testdata/golden.txt.
func TestR097_Limits(t *testing.T) {
	deep := strings.Repeat("<blockquote>", 2500) + "x" + strings.Repeat("</blockquote>", 2500) + "y"
	for _, c := range []struct{ name, in, want string }{
		{"G21 blockquotes", deep,
			strings.Repeat("<blockquote>", maxBlocks) + "<p>x</p>" + strings.Repeat("</blockquote>", maxBlocks) + "<p>y</p>"},
		{"G21 5,000 blockquotes", strings.Repeat("<blockquote>", 5000) + "x",
			strings.Repeat("<blockquote>", maxBlocks) + "<p>x</p>" + strings.Repeat("</blockquote>", maxBlocks)},
		{"a br at the deepest place", strings.Repeat("<blockquote>", 20) + "<a href=https://e.example><b><i><code><s>x<br>y",
			strings.Repeat("<blockquote>", maxBlocks) + `<p><a href="https://e.example"` + rel + "><strong><em><code><del>x<br/>y</del></code></em></strong></a></p>" +
				strings.Repeat("</blockquote>", maxBlocks)},
		{"G23 p b", strings.Repeat("<p><b>", 10_000) + "x", "<p><strong>x</strong></p>"},
		{"G25 attributes", "<p " + many(" a%d=b", maxIn-100) + ">x", "<p>x</p>"},
		{"G31 newlines", "a" + strings.Repeat("\n", 10_000) + "b", "<p>a b</p>"},
		{"G31 br", "a" + strings.Repeat("<br>", 10_000) + "b", "<p>a<br/><br/>b</p>"},
		{"G31 paragraphs", "a" + strings.Repeat("<p>&nbsp;<br></p>", 3_000) + "b", "<p>a</p><p>b</p>"},
		{"G27 bytes", "a\x00\xff\xfe\xed\xa0\x80b\ufffe\ufdd0c", "<p>abc</p>"},
		{"longer than read", strings.Repeat("<!---->", maxIn) + "x", ""},
		{"cut in a rune", strings.Repeat(" ", maxIn-1) + "é", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := HTML(c.in)
			if got != c.want {
				t.Errorf("got:  %.300q\nwant: %.300q", got, c.want)
			}
			check(t, got)
		})
	}
}

// Where the output ends early, it ends well: nearly full, and balanced.
func TestFull(t *testing.T) {
	for _, unit := range []string{"&", "x & y ", "<b>é</b>&", "<p>'''", "<li>\"", "<pre>&\n"} {
		out := HTML(strings.Repeat(unit, maxIn/len(unit)))
		check(t, out)
		body := reread(t, out)
		if nodes := checkNode(t, body, 0); len(out) < maxOut*9/10 && nodes < maxNodes/2 {
			t.Errorf("%q: stopped at %d bytes and %d nodes", unit, len(out), nodes)
		}
	}
}

// A link whose label finds no room must not stay a link.
func TestNoRoomForLabel(t *testing.T) {
	lie := `<a href="https://evil.example/">paypal.com</a>`
	for pad := maxOut - 250; pad < maxOut; pad++ {
		b := newBuilder(options{})
		b.charge(0, pad)
		z := html.NewTokenizer(strings.NewReader(lie))
		z.Next()
		b.start(z.Token())
		b.text("paypal.com")
		b.end("a")
		out := b.finish().html(rel)
		check(t, out)
		if strings.Contains(out, "paypal.com</a>") {
			t.Fatalf("%d bytes left: %s", maxOut-pad, out)
		}
	}
}

// Scripts whose letters need many marks, and emoji made of several runes, pass unchanged.
func TestMarks(t *testing.T) {
	for _, s := range []string{
		"สวัสดีที่นี่ น้ำ", "हिन्दी क्ष्म्यँ", "عَرَبِيّٰ", "שַׁבָּ֑ת", "བསྒྲུབས་ ཧཱུྃ", "မြန်မာ င်္ကြွ", "ខ្មែរ", "Việt Nam",
		"👩‍👩‍👧‍👦 ❤️‍🔥 1️⃣ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 👍🏽", "نمی\u200cخواهم", "e\u0301\u0323",
	} {
		if got := Name(s, 1000); got != s {
			t.Errorf("%q became %q", s, got)
		}
	}
}
