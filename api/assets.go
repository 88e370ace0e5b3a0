package api

import (
	_ "embed"
	"net/http"
	"strconv"
	"strings"
)

//go:embed style.css
var styleSource string

//go:embed embed.js
var embedSource string

// The script carries the style within it, so that a page of the blog asks us for two things only: it and the thread.
var (
	styleCSS = newAsset("/style.css", "text/css; charset=utf-8", squeeze(styleSource))
	embedJS  = newAsset("/embed.js", "text/javascript; charset=utf-8",
		strings.Replace(squeeze(embedSource), `"style.css"`, strconv.Quote(squeeze(styleSource)), 1))
)

// squeeze leaves out comments, which stand on lines of their own, and indentation.
func squeeze(source string) string {
	var out strings.Builder
	for line := range strings.Lines(source) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "//") && !strings.HasPrefix(line, "/*") {
			out.WriteString(line + "\n")
		}
	}
	return out.String()
}

// asset is a file of ours. Asked for by its hash it is good for ever, else it is asked for again after a while.
type asset struct {
	name, version string
	now, ever     *body
}

func newAsset(name, mime, text string) asset {
	header := headers(nil)[asJSON]
	header.Set("Content-Type", mime)
	header.Set("Cache-Control", "public, max-age=600")
	now := newBody(header, []byte(text))
	header = header.Clone()
	header.Set("Cache-Control", "public, max-age=31536000, immutable")
	ever := &body{header: header, plain: now.plain, zip: now.zip}
	return asset{name, strings.Trim(now.plain.etag[0], `"`), now, ever}
}

// path is the asset's address below the base, with its hash.
func (a asset) path() string { return a.name + "?v=" + a.version }

func (a asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("v") == a.version {
		a.ever.serve(w, r)
		return
	}
	a.now.serve(w, r)
}
