package main

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"afterword/config"
	"afterword/thread"
)

// demoBlog is the demo's static site: what a generator would have written, with a feed and with the two lines that a
// template needs for Afterword: the alternate link in the head and the thread below the text. One can write a post there.
type demoBlog struct {
	cfg       *config.Config
	published func(context.Context) error // the hook that runs when the site was built

	mu    sync.Mutex
	posts []demoPost // newest first
}

func (b *demoBlog) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /demo/{path...}", b.page)
	mux.HandleFunc("GET /demo/{$}", b.front)
	mux.HandleFunc("GET /demo/feed.xml", b.feed)
	mux.HandleFunc("GET /demo/style.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css")
		fmt.Fprint(w, demoStyle)
	})
	mux.Handle("POST /demo/write", http.NewCrossOriginProtection().Handler(http.HandlerFunc(b.write)))
	mux.Handle("/", http.RedirectHandler("/demo/", http.StatusSeeOther))
	return mux
}

func (b *demoBlog) all() []demoPost {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.posts)
}

func (b *demoBlog) page(w http.ResponseWriter, r *http.Request) {
	for _, p := range b.all() {
		if p.Path == r.PathValue("path") {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, demoPage(b.cfg, p))
			return
		}
	}
	http.NotFound(w, r)
}

// feed is what a generator writes beside the pages. A post that the demo's file dates later than today is of today.
func (b *demoBlog) feed(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/rss+xml")
	fmt.Fprintf(w, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<rss version=\"2.0\"><channel><title>%s</title><link>%s</link><language>en</language>\n",
		html.EscapeString(b.cfg.Blog.Name), b.cfg.Blog.URL)
	for _, p := range b.all() {
		page, published := b.cfg.Blog.URL+p.Path, p.Published
		if now := time.Now(); published.After(now) {
			published = now
		}
		fmt.Fprintf(w, "<item><title>%s</title><link>%s</link><guid>%s</guid><pubDate>%s</pubDate><description>%s</description>", html.EscapeString(p.Title),
			page, page, published.Format(time.RFC1123Z), html.EscapeString(html.EscapeString(p.Summary)))
		for _, tag := range p.Tags {
			fmt.Fprintf(w, "<category>%s</category>", html.EscapeString(tag))
		}
		fmt.Fprint(w, "</item>\n")
	}
	fmt.Fprint(w, "</channel></rss>\n")
}

// write publishes a post: the page and the feed change, and the hook has the feed read, as "afterword post sync" would.
func (b *demoBlog) write(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	title, text := strings.TrimSpace(r.FormValue("title")), strings.TrimSpace(r.FormValue("text"))
	if title == "" || text == "" {
		http.Error(w, "a post needs a title and a text", http.StatusBadRequest)
		return
	}
	now := time.Now()
	p := demoPost{Path: now.Format("2006/01/02-150405.000") + "/", Title: title, Summary: text, HTML: "<p>" + html.EscapeString(text) + "</p>", Published: now}
	b.mu.Lock()
	b.posts = append([]demoPost{p}, b.posts...)
	b.mu.Unlock()
	if err := b.published(r.Context()); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	http.Redirect(w, r, "/demo/"+p.Path, http.StatusSeeOther)
}

const demoStyle = `:root { color-scheme: light dark; background: Canvas; color: CanvasText; }
body { max-width: 42rem; margin: 2rem auto; padding: 0 1rem; font: 1.05rem/1.6 Georgia, serif; }
header, footer { font-size: .9rem; } h1 { line-height: 1.2; } time, .count { opacity: .75; font-size: .9rem; }
input, textarea, button { font: inherit; } input, textarea { width: 100%; box-sizing: border-box; }
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

func (b *demoBlog) front(w http.ResponseWriter, _ *http.Request) {
	var body strings.Builder
	body.WriteString("<main>\n<h1>" + html.EscapeString(b.cfg.Blog.Name) + "</h1>\n<ul class=\"posts\">\n")
	for _, p := range b.all() {
		page := b.cfg.Blog.URL + p.Path
		fmt.Fprintf(&body, "<li><a href=\"%s\">%s</a><br><time datetime=\"%s\">%s</time> · <a class=\"count\" data-comment-count href=\"%s\">Comments</a></li>\n",
			page, html.EscapeString(p.Title), p.Published.Format("2006-01-02"), p.Published.Format("2 January 2006"), page)
	}
	body.WriteString(`</ul>
<form method="post" action="/demo/write">
<h2>Write a post</h2>
<p><label>Title<br><input name="title" required maxlength="200"></label></p>
<p><label>Text<br><textarea name="text" required maxlength="4000" rows="3"></textarea></label></p>
<p><button>Publish</button></p>
<p><small>As your site generator would, this writes a page and an entry of the feed. Afterword reads the feed, and the blog's followers get the post.</small></p>
</form>
</main>
`)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, demoHTML(b.cfg, b.cfg.Blog.Name, `<link rel="alternate" type="application/rss+xml" href="/demo/feed.xml">`+"\n", body.String()))
}

func demoPage(cfg *config.Config, p demoPost) string {
	page := cfg.Blog.URL + p.Path
	id, err := thread.NoteID(cfg.BaseURL, page, 1)
	if err != nil {
		panic(err) // a test loads all pages
	}
	head := fmt.Sprintf("<link rel=\"canonical\" href=\"%s\">\n<link rel=\"alternate\" type=\"application/activity+json\" href=\"%s\">\n", page, id)
	body := fmt.Sprintf(`<header><a href="/demo/">%s</a></header>
<main>
<article>
<h1>%s</h1>
<p><time datetime="%s">%s</time></p>
%s
</article>
<afterword-thread refresh="1" news="show"><a href="%s/t?url=%s">Read or add comments</a></afterword-thread>
</main>
`, html.EscapeString(cfg.Blog.Name), html.EscapeString(p.Title), p.Published.Format("2006-01-02"), p.Published.Format("2 January 2006"), p.HTML, cfg.BaseURL, page)
	return demoHTML(cfg, p.Title, head, body)
}
