package main

import (
	"fmt"
	"html"
	"net/http"
	"strings"

	"afterword/config"
	"afterword/thread"
)

// demoBlog is the demo's static blog: what a site generator would have written, with the two lines that a template
// needs for Afterword: the alternate link in the head and the thread below the text.
func demoBlog(cfg *config.Config) http.Handler {
	pages := map[string]string{"/demo/": demoFront(cfg)}
	for _, p := range demoPosts() {
		pages["/demo/"+p.Path] = demoPage(cfg, p)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, known := pages[r.URL.Path]
		switch {
		case r.URL.Path == "/":
			http.Redirect(w, r, "/demo/", http.StatusSeeOther)
		case r.URL.Path == "/demo/style.css":
			w.Header().Set("Content-Type", "text/css")
			fmt.Fprint(w, demoStyle)
		case known:
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, page)
		default:
			http.NotFound(w, r)
		}
	})
}

const demoStyle = `:root { color-scheme: light dark; }
body { max-width: 42rem; margin: 2rem auto; padding: 0 1rem; font: 1.05rem/1.6 Georgia, serif; }
header, footer { font-size: .9rem; } h1 { line-height: 1.2; } time, .count { opacity: .75; font-size: .9rem; }
ul.posts { list-style: none; padding: 0; } ul.posts li { margin: 1.5rem 0; }
`

func demoHTML(cfg *config.Config, title, head, body string) string {
	return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>` + html.EscapeString(title) + `</title>
<link rel="stylesheet" href="/demo/style.css">
` + head + `</head>
<body>
` + body + `<footer><p>A demo of Afterword: reply from one of the strangers' servers whose addresses it printed. The blog is <b>@` + html.EscapeString(cfg.Account()) + `</b>.</p></footer>
<script type="module" async src="` + cfg.BaseURL + `/embed.js"></script>
</body>
</html>
`
}

func demoFront(cfg *config.Config) string {
	var b strings.Builder
	b.WriteString("<h1>" + html.EscapeString(cfg.Blog.Name) + "</h1>\n<ul class=\"posts\">\n")
	for _, p := range demoPosts() {
		page := cfg.Blog.URL + p.Path
		fmt.Fprintf(&b, "<li><a href=\"%s\">%s</a><br><time datetime=\"%s\">%s</time> · <a class=\"count\" data-comment-count href=\"%s\">Comments</a></li>\n",
			page, html.EscapeString(p.Title), p.Published.Format("2006-01-02"), p.Published.Format("2 January 2006"), page)
	}
	b.WriteString("</ul>\n")
	return demoHTML(cfg, cfg.Blog.Name, "", b.String())
}

func demoPage(cfg *config.Config, p demoPost) string {
	page := cfg.Blog.URL + p.Path
	id, err := thread.NoteID(cfg.BaseURL, page, 1)
	if err != nil {
		panic(err) // a test loads all pages
	}
	head := fmt.Sprintf("<link rel=\"canonical\" href=\"%s\">\n<link rel=\"alternate\" type=\"application/activity+json\" href=\"%s\">\n", page, id)
	body := fmt.Sprintf(`<header><a href="/demo/">%s</a></header>
<article>
<h1>%s</h1>
<p><time datetime="%s">%s</time></p>
%s
</article>
<afterword-thread refresh="1"><a href="%s/t?url=%s">Read or add comments</a></afterword-thread>
`, html.EscapeString(cfg.Blog.Name), html.EscapeString(p.Title), p.Published.Format("2006-01-02"), p.Published.Format("2 January 2006"), p.HTML, cfg.BaseURL, page)
	return demoHTML(cfg, p.Title, head, body)
}
