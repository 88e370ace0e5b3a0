package fedtest

import (
	_ "embed"
	"fmt"
	"html"
	"net/url"
	"strings"
)

// markup is HTML that is safe to send: what fill makes, and what went through package sanitize.
type markup string

// literal is HTML that stands in this source: no string from elsewhere becomes one without a conversion.
type literal string

// fill is Sprintf for HTML, and the one place where anything is escaped: a value that is not markup itself becomes text,
// or stands in double quotes as the value of an attribute.
//
// There is no html/template here, because the linker keeps every method of every type for it: 20 MB of the program.
func fill(form literal, values ...any) markup {
	for i, v := range values {
		if _, safe := v.(markup); !safe {
			values[i] = html.EscapeString(fmt.Sprint(v))
		}
	}
	return markup(fmt.Sprintf(string(form), values...))
}

func each[T any](list []T, write func(T) markup) markup {
	var all strings.Builder
	for _, v := range list {
		all.WriteString(string(write(v)))
	}
	return markup(all.String())
}

func when(is bool, m markup) markup {
	if is {
		return m
	}
	return ""
}

//go:embed page.css
var style markup

func (v view) html() markup {
	return fill(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>%s</title>
<style>
%s</style>

<main>
<h1>%s</h1>
<p class="faint">A stranger's server at %s that speaks like %s.</p>
%s
<div class="box">%s</div>
%s
<h2>Last deliveries received</h2>
<table>
%s</table>
</main>
`, v.Name, style, v.Name, v.Base, v.Software, when(v.Notice != "", fill(`<p class="notice" role="status">%s</p>`, v.Notice)), v.forms(),
		when(len(v.Posts) == 0, `<p class="faint">No posts are known here.</p>`)+each(v.Posts, post.html),
		when(len(v.Deliveries) == 0, "<tr><td>none</td></tr>\n")+each(v.Deliveries, Delivery.html))
}

// forms are what one can do that is not about a note.
func (v view) forms() markup {
	who := fill(`
<form action="/">
  <label>You are <select name="as">%s</select></label>
  <button>Change</button> <span class="faint">%s</span>
</form>`, options(v.People, v.As), v.Handle)
	follow := fill(`
  <input name="object" value="%s" aria-label="Account">
  %s %s`, v.Blog, toggle(v.Following != "", "follow"), when(v.Following != "", mark(v.Following)))
	lookup := fill(`
  <input name="object" type="url" aria-label="Address of a post" placeholder="address of a post">
  %s`, button("lookup", "Look up"))
	mood := fill(`
  <label>This server is <select name="mood">%s</select></label>
  %s`, options(moods, v.Mood), button("mood", "Change"))
	return who + form(v.As, follow) + form(v.As, lookup) + form(v.As, mood)
}

func (p post) html() markup {
	return fill(`
<section>
%s%s%s
</section>
`, p.Head.html(), when(p.Closed, `<p class="closed">Its author lets nobody reply.</p>`), each(p.Comments, entry.html))
}

func (e entry) html() markup {
	shown := markup(`<p class="faint">Deleted.</p>`)
	if !e.Stub {
		shown = fill(`<p class="by"><b>%s</b> <a href="%s">%s</a> %s</p>
%s`, e.Author, web(e.URL), e.When, tags(e.Marks), e.HTML) + form(e.As, e.deeds())
	}
	return fill(`
<article id="%s" style="margin-left: %srem">
%s
</article>`, e.Anchor, e.Indent, shown)
}

// deeds are what one can do about a note.
func (e entry) deeds() markup {
	reply := fill(`
  <input type="hidden" name="object" value="%s">
  <details><summary>Reply</summary>
    <textarea name="text" rows="3" aria-label="Reply"></textarea>
    <select name="visibility" aria-label="Visibility">%s</select>
    <label class="faint"><input type="checkbox" name="silent"> without mentions</label>
    %s
  </details>`, e.ID, options([]Visibility{Public, Unlisted, Followers, Direct}, Public), button("reply", "Send"))
	own := fill(`
  <details><summary>Edit</summary>
    <textarea name="edit" rows="3" aria-label="Text">%s</textarea>
    %s
  </details>
  %s`, e.Text, button("edit", "Save"), button("delete", "Delete"))
	return reply + when(e.Mine, own) + fill("\n  %s\n  %s", toggle(e.Liked, "like"), toggle(e.Boosted, "boost"))
}

func (d Delivery) html() markup {
	from := "not proven"
	if d.Verified {
		from = "signed by " + d.Sender
	}
	return fill("<tr><td>%s</td><td>%s</td><td>%s</td><td>%s</td></tr>\n", d.At.Format("15:04:05"), d.Type, from, d.Status)
}

// form is one whose buttons act in somebody's name.
func form(as string, inside markup) markup {
	return fill(`
<form method="post" action="/act">
  <input type="hidden" name="as" value="%s">%s
</form>`, as, inside)
}

func options[T comparable](all []T, chosen T) markup {
	return each(all, func(v T) markup {
		return fill("<option%s>%s</option>", when(v == chosen, " selected"), v)
	})
}

func button(do, label string) markup {
	return fill(`<button name="do" value="%s">%s</button>`, do, label)
}

// toggle does something or takes it back.
func toggle(done bool, do string) markup {
	if done {
		do = "un" + do
	}
	return button(do, displayName(do))
}

func mark(text string) markup { return fill("<em>%s</em> ", text) }

// tags are the marks of a note; what became of it at the blog is coloured.
func tags(marks []string) markup {
	return each(marks, func(text string) markup {
		switch {
		case strings.HasPrefix(text, "rejected"), strings.HasPrefix(text, "not shown"):
			return fill(`<em class="bad">%s</em> `, text)
		case strings.HasPrefix(text, "shown"):
			return fill(`<em class="good">%s</em> `, text)
		}
		return mark(text)
	})
}

// web is an address that a link may lead to: another server might call anything its address.
func web(address string) string {
	if u, err := url.Parse(address); err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return address
}
