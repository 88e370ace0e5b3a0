package api

import (
	"bytes"
	"crypto/sha512"
	_ "embed"
	"encoding/base64"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// What readers load is made smaller beforehand, so that building needs nothing but Go. min/SHA256SUMS says from what.
//
//go:generate go run github.com/evanw/esbuild/cmd/esbuild@v0.28.2 --minify --format=esm --outdir=min embed.js style.css page.css
//go:generate sh -c "sha256sum embed.js style.css page.css >min/SHA256SUMS"

//go:embed min/style.css
var styleSource string

//go:embed min/page.css
var pageSource string

//go:embed min/embed.js
var embedSource string

// The script carries the style within it, so that a page of the blog asks us for two things only: it and the thread.
var (
	styleCSS = newAsset("/style.css", "text/css; charset=utf-8", styleSource+pageSource)
	embedJS  = newAsset("/embed.js", "text/javascript; charset=utf-8",
		strings.Replace(embedSource, `"style.css"`, strconv.Quote(strings.TrimSpace(styleSource)), 1))
)

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
	now.zip = represent(smallest(text), strings.Trim(now.zip.etag[0], `"`))
	header = header.Clone()
	header.Set("Cache-Control", "public, max-age=31536000, immutable")
	ever := &body{header: header, plain: now.plain, zip: now.zip}
	return asset{name, strings.Trim(now.plain.etag[0], `"`), now, ever}
}

// smallest takes its time: it is done once.
func smallest(text string) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is valid
	io.WriteString(w, text)                               //nolint:errcheck // a Buffer takes everything
	w.Close()                                             //nolint:errcheck
	return b.Bytes()
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

// ScriptIntegrity is the hash of embed.js by which a page may pin it (Subresource Integrity).
func ScriptIntegrity() string {
	hash := sha512.Sum384(embedJS.now.plain.bytes)
	return "sha384-" + base64.StdEncoding.EncodeToString(hash[:])
}
