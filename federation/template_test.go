package federation

import (
	"testing"

	"afterword/federation/wire"
	"afterword/sanitize"
	"afterword/thread"
)

// TestTemplate: what a template says, for a post with everything and for one with nothing but its address.
func TestTemplate(t *testing.T) {
	full := thread.Post{URL: "https://blog.test/a/?p=1&q=2", Title: "<A> {tags}", Summary: "<p>One.</p><p>Two.</p>", Tags: []string{"open source", "go"}}
	bare := thread.Post{URL: "https://blog.test/b/"}
	const (
		page  = `https://blog.test/a/?p=1&amp;q=2`
		link  = `<a href="` + page + `">` + page + `</a>`
		other = `<a href="https://blog.test/b/">https://blog.test/b/</a>`
		tags  = `<a href="https://blog.test/#openSource" class="mention hashtag" rel="tag">#openSource</a> <a href="https://blog.test/#go" class="mention hashtag" rel="tag">#go</a>`
	)
	for _, c := range []struct{ template, full, bare string }{
		{"", "<p><strong>&lt;A&gt; {tags}</strong></p><p>One.</p><p>Two.</p><p>" + link + "</p><p>" + tags + "</p>", "<p>" + other + "</p>"},
		{"<p><strong>{title}</strong></p> {text} <p>{link}</p> <p>{tags}</p>", "<p><strong>&lt;A&gt; {tags}</strong></p><p>One.</p><p>Two.</p><p>" + link + "</p><p>" + tags + "</p>",
			"<p>" + other + "</p>"},
		{`New on the blog: <a href="{link}">{title}</a>`, `<p>New on the blog: <a href="` + page + `">&lt;A&gt; {tags}</a></p>`, `<p>New on the blog: ` + other + `</p>`},
		{`<a href="{link}">{link} {tags}</a>`, `<p><a href="` + page + `">` + page + ` #openSource #go</a></p>`, `<p><a href="https://blog.test/b/">https://blog.test/b/ </a></p>`},
		{"<blockquote>{text}</blockquote><ul><li>About: {tags}</li></ul><h2>{link}</h2>",
			"<blockquote><p>One.</p><p>Two.</p></blockquote><ul><li>About: " + tags + "</li></ul><p><strong>" + link + "</strong></p>", "<p><strong>" + other + "</strong></p>"},
		{`<script>x</script><p onclick="x">{link}</p><p>Thank you for reading.</p>`, "<p>" + link + "</p><p>Thank you for reading.</p>", "<p>" + other + "</p><p>Thank you for reading.</p>"},
		{`<p><a href="javascript:x">{link}</a> <a href="/about/">me</a></p>`, "<p>" + link + ` <a href="https://blog.test/about/">me</a></p>`, "<p>" + other + ` <a href="https://blog.test/about/">me</a></p>`},
	} {
		b := wire.Blog{Base: "https://comments.test", Page: "https://blog.test/"}
		b.Template = wire.Template(c.template, func(text string) string { return sanitize.Note(text, b.Page) })
		for _, x := range []struct {
			post thread.Post
			want string
		}{{full, c.full}, {bare, c.bare}} {
			x.post.ID = "https://comments.test/posts/a/"
			note, err := wire.Parse(b.NoteDocument(x.post, thread.Open, wire.Direct{}))
			if err != nil {
				t.Fatal(err)
			}
			if note.Content != x.want {
				t.Errorf("%s\n got %s\nwant %s", c.template, note.Content, x.want)
			}
		}
	}
}
