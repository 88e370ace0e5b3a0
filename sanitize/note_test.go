package sanitize

import (
	"strings"
	"testing"
)

func TestNote(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"<h2 id=x>Title</h2><p>Text <a href=/b>b</a> <a href='c?d#e'>c</a> <a href=#f>f</a></p>",
			`<p><strong>Title</strong></p><p>Text <a href="https://blog.example/b">b</a> <a href="https://blog.example/a/c?d#e">c</a> <a href="https://blog.example/a/#f">f</a></p>`},
		{`<a href="https://e.example" rel="me" class=x>example.com</a> <a href="mailto:a@b.example">mail</a>`,
			`<p><a href="https://e.example">example.com</a> mail</p>`},
		{"<figure><img src=x.png alt='A cat'></figure><script>x</script><table><tr><td>1<td>2</table>", "<p>A cat</p><p>1 2</p>"},
		{"<p class=quote-inline>RE: x</p>y", "<p>RE: x</p><p>y</p>"},
	} {
		if got := Note(c.in, "https://blog.example/a/"); got != c.want {
			t.Errorf("Note(%q)\ngot:  %q\nwant: %q", c.in, got, c.want)
		}
	}
}

// A whole blog post may be longer than a comment.
func TestNoteReadsMore(t *testing.T) {
	if got := Note(strings.Repeat("<!-- x -->", maxIn)+"late", ""); got != "<p>late</p>" {
		t.Errorf("got %q", got)
	}
}

func TestNoteWithoutBase(t *testing.T) {
	for _, base := range []string{"", "relative/", "%zz"} {
		if got := Note("<a href=/b>b</a>", base); got != "<p>b</p>" {
			t.Errorf("base %q: %q", base, got)
		}
	}
}

func TestSplitMentions(t *testing.T) {
	a := `<a href="https://blog.example/?u=1&v">@<span>a</span></a>`
	b := `<a href="https://blog.example/?u=1&w">@b@blog.example</a>`
	cut := func(one string) string { return strings.TrimSuffix(strings.TrimPrefix(HTML(one), "<p>"), "</p>") }
	for _, c := range []struct{ in, names, rest string }{
		{"<p>" + a + " yes</p>", cut(a), " yes</p>"},
		{a + " " + b + "<br>yes " + a, cut(a + " " + b), "<br/>yes " + cut(a) + "</p>"},
		{"<p>" + a + "</p><p>yes</p>", cut(a), "</p><p>yes</p>"},
		{`@<a href="https://blog.example/?u=1&v">A</a>, yes`, cut(`@<a href="https://blog.example/?u=1&v">A</a>,`), " yes</p>"}, // Friendica
		{"<p>" + a + "</p>", "", ""},
		{"<p>yes " + a + "</p>", "", ""},
		{`<a href="https://blog.example/?u=1&v">a</a> yes`, "", ""}, // no mention, a word
		{"<blockquote>" + a + " yes</blockquote>", "", ""},
		{"", "", ""},
	} {
		in := HTML(c.in)
		if c.rest == "" {
			c.rest = in // as it was
		}
		if names, rest := SplitMentions(in); names != c.names || rest != c.rest {
			t.Errorf("SplitMentions(%q)\ngot:  %q %q\nwant: %q %q", in, names, rest, c.names, c.rest)
		}
	}
}

// TestSplitAfter: blocks stay whole, whatever is within them.
func TestSplitAfter(t *testing.T) {
	blocks := []string{"<p>one two</p>", "<pre>three</pre>", "<ul><li>four<ul><li>five</li></ul></li><li>six</li></ul>",
		"<blockquote><blockquote><p>seven</p></blockquote><p>eight</p></blockquote>", `<p><em>nine</em></p>`}
	in := strings.Join(blocks, "")
	if HTML(in) != in {
		t.Fatal("this is not as it is stored:", HTML(in))
	}
	for n := range len(in) + 10 {
		want := ""
		for i := 0; i < len(blocks) && len(want) < max(n, 1); i++ {
			want += blocks[i]
		}
		if head, rest := SplitAfter(in, n); head != want || head+rest != in {
			t.Fatalf("%d: %q %q", n, head, rest)
		}
	}
	for n, c := range map[int]struct{ in, head, rest string }{
		1:  {`<p>one <em>two<br/>three</em> four<br/><br/>five<br/>six</p><p>seven</p>`, `<p>one <em>two<br/>three</em> four</p>`, `<p>five<br/>six</p><p>seven</p>`},
		11: {`<p>one</p><p>two<br/>three</p>`, `<p>one</p><p>two</p>`, `<p>three</p>`},
		5:  {`<p>one two<br/></p><p>three<br/>four</p>`, `<p>one two<br/></p>`, `<p>three<br/>four</p>`},
		6:  {`<blockquote><p>one<br/>two</p></blockquote><p>three</p>`, `<blockquote><p>one<br/>two</p></blockquote>`, `<p>three</p>`},
	} {
		if head, rest := SplitAfter(c.in, n); head != c.head || rest != c.rest {
			t.Errorf("%d: %q %q", n, head, rest)
		}
	}
	for _, odd := range []string{"", "<", "no block", "<p>", "<ul><ul></ul>"} {
		if head, rest := SplitAfter(odd, 1); head != odd || rest != "" {
			t.Errorf("%q: %q %q", odd, head, rest)
		}
	}
}
