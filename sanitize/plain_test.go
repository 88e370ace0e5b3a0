package sanitize

import (
	"strings"
	"testing"
)

// link is the stored form of a link.
func stored(href, text string) string {
	return `<a href="` + href + `" rel="nofollow ugc noopener noreferrer">` + text + `</a>`
}

func TestPlain(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"a <b> & 'c'", "<p>a &lt;b&gt; &amp; &#39;c&#39;</p>"},
		{"a\nb\r\n\r\n \n\nc\n", "<p>a<br/>b</p><p>c</p>"},
		{"see https://example.com/a_(b), or", "<p>see " + stored("https://example.com/a_(b)", "https://example.com/a_(b)") + ", or</p>"},
		{"(http://example.com/?a=1&b=2).", "<p>(" + stored("http://example.com/?a=1&amp;b=2", "http://example.com/?a=1&amp;b=2") + ").</p>"},
		{"<https://example.com>", "<p>&lt;" + stored("https://example.com", "https://example.com") + "&gt;</p>"},
		{"xhttps://a.example https://u@b.example https://", "<p>xhttps://a.example https://u@b.example https://</p>"},
		{"https://раypal.com", "<p>" + stored("https://xn--ypal-43d9g.com", "https://раypal.com [xn--ypal-43d9g.com]") + "</p>"},
		{"javascript:alert(1)", "<p>javascript:alert(1)</p>"},
	} {
		got := Plain(c.in)
		if got != c.want {
			t.Errorf("Plain(%q)\ngot:  %q\nwant: %q", c.in, got, c.want)
		}
		check(t, got)
	}
}

func TestR092_Markdown(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"@af2@bae.st idk", "<p>@af2@bae.st idk</p>"}, // PeerTube
		{"a\nb\n\nc", "<p>a<br/>b</p><p>c</p>"},
		{"# h\n\n*a* **b** ~~c~~ `d`", "<p><strong>h</strong></p><p><em>a</em> <strong>b</strong> <del>c</del> <code>d</code></p>"},
		{"- a\n- b\n  1. c\n\n> q", "<ul><li>a</li><li>b<ol><li>c</li></ol></li></ul><blockquote><p>q</p></blockquote>"},
		{"```go\nif a < b {\n\tx\n```", "<pre><code>if a &lt; b {\n\tx</code></pre>"},
		{"[x](https://e.example) https://e.example/b", "<p>" + stored("https://e.example", "x") + " " + stored("https://e.example/b", "https://e.example/b") + "</p>"},
		{"[x](javascript:alert(1)) ![alt](x.png)", "<p>x alt</p>"},
		{"<script>alert(1)</script> next\n\na <b onclick=x>b</b>", `<p>&lt;script&gt;alert(1)&lt;/script&gt; next</p><p>a &lt;b onclick=x&gt;b&lt;/b&gt;</p>`},
		{strings.Repeat(">", maxPunct) + "!", "<p>" + strings.Repeat("&gt;", maxPunct) + "!</p>"}, // see maxPunct
	} {
		got := Markdown(c.in)
		if got != c.want {
			t.Errorf("Markdown(%.200q)\ngot:  %.200q\nwant: %.200q", c.in, got, c.want)
		}
		check(t, got)
	}
}
