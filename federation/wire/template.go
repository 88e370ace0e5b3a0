package wire

import (
	"cmp"
	"html"
	"regexp"
	"strings"

	"afterword/thread"
)

// usual is what a post's Note says when the blogger has no template for it (requirement 20).
const usual = "<p><strong>{title}</strong></p><p>{text}</p><p>" + linkMark + "</p><p>{tags}</p>"

// linkMark stands for {link} in a template that is ready: braces are no address, and would not come through sanitize as one.
const linkMark = "https://link.invalid/"

// Template makes what Blog.Template wants of HTML with the placeholders {title}, {text}, {link} and {tags}. safe makes HTML
// safe, and puts paragraphs around what has none.
func Template(text string, safe func(string) string) string {
	return safe(strings.ReplaceAll(text, "{link}", linkMark))
}

var (
	inline      = `(?:[^<]|</?(?:a|em|strong|code|del|br)\b[^>]*>)*`
	leaf        = regexp.MustCompile(`<p>` + inline + `</p>|<pre>` + inline + `</pre>|<li>` + inline + `</li>`)
	hollow      = regexp.MustCompile(`<ul></ul>|<ol></ol>|<blockquote></blockquote>`)
	placeholder = regexp.MustCompile(`<a [^>]*>|</a>|\{(?:title|tags)\}|` + regexp.QuoteMeta(linkMark))
)

// postHTML is the text of a post's Note. A paragraph whose placeholders all have nothing to say is left out.
func (b Blog) postHTML(p thread.Post, state thread.Openness) string {
	out := leaf.ReplaceAllStringFunc(cmp.Or(b.Template, usual), func(part string) string {
		if strings.Contains(part, "{text}") { // which is paragraphs of its own
			return block(cmp.Or(p.Content, p.Summary))
		}
		return b.fill(part, p)
	})
	out = hollow.ReplaceAllString(out, "")
	if b.ClosedNotice && state == thread.Closed {
		out += "<p>Comments are closed.</p>"
	}
	return out
}

// fill puts a post's words into a paragraph of the template. Within a link they are no links themselves.
func (b Blog) fill(part string, p thread.Post) string {
	asked, said, inLink := false, false, false
	page := html.EscapeString(p.URL)
	out := placeholder.ReplaceAllStringFunc(part, func(what string) (words string) {
		switch what {
		case "{title}":
			if words = html.EscapeString(p.Title); words == "" && inLink {
				words = page
			}
		case "{tags}":
			words = b.tagLinks(p.Tags, inLink)
		case linkMark:
			if words = page; !inLink {
				words = `<a href="` + page + `">` + page + `</a>`
			}
		default: // of a link, which may lead to the page
			inLink = what != "</a>"
			words = strings.ReplaceAll(what, `"`+linkMark+`"`, `"`+page+`"`)
			said, asked = said || words != what, asked || words != what
			return words
		}
		asked, said = true, said || words != ""
		return words
	})
	if asked && !said {
		return ""
	}
	return out
}

// tagLinks are tags as hashtags, which peers lead to their own pages of them.
func (b Blog) tagLinks(tags []string, plain bool) string {
	var links []string
	for _, name := range hashtags(tags) {
		link := "#" + name
		if !plain {
			link = `<a href="` + html.EscapeString(b.tagPage(name)) + `" class="mention hashtag" rel="tag">` + link + `</a>`
		}
		links = append(links, link)
	}
	return strings.Join(links, " ")
}
