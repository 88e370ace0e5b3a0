package wire

import (
	"html"
	"regexp"
	"strings"
)

// link is an address among the ones that a member gives: as a string, as a Link (href) or as a Document (url).
type link struct{ href, mediaType string }

// links are the http(s) addresses in a value, in their order; others (javascript:, data:, relative) are left out.
func links(n *node) []link {
	var found []link
	for _, v := range n.each() {
		if v.kind != '{' {
			if href := iri(v.str()); href != "" {
				found = append(found, link{string(href), ""})
			}
			continue
		}
		kind := v.get("mediaType").str()
		for _, inner := range links(v.first("href", "url")) {
			if inner.mediaType == "" {
				inner.mediaType = kind
			}
			found = append(found, inner)
		}
	}
	return found
}

// firstLink is the first address in a value.
func firstLink(n *node) link {
	if all := links(n); len(all) > 0 {
		return all[0]
	}
	return link{}
}

// pageURL is the address to show to people: a page before an address without a media type before a file.
func pageURL(n *node) string {
	best, bestRank := "", 0
	for _, l := range links(n) {
		rank := 1
		switch {
		case l.mediaType == "":
			rank = 2
		case mediaType(l.mediaType) == "text/html":
			rank = 3
		}
		if rank > bestRank {
			best, bestRank = l.href, rank
		}
	}
	return best
}

// attachment reads one; it is nothing without an address. GoToSocial puts the description into summary.
func attachment(n *node) (Attachment, bool) {
	if n.kind != '{' {
		l := firstLink(n)
		return Attachment{Type: "Link", URL: l.href}, l.href != ""
	}
	l := firstLink(n.first("url", "href"))
	a := Attachment{MediaType: n.get("mediaType").str(), URL: l.href, Alt: words(n, "name")}
	if a.MediaType == "" {
		a.MediaType = l.mediaType
	}
	if a.Alt == "" {
		a.Alt = words(n, "summary")
	}
	if kinds := types(n); len(kinds) > 0 {
		a.Type = kinds[0]
	}
	return a, a.URL != ""
}

// inlineMedia finds what shows something in HTML, or leads to it: its element and address.
var inlineMedia = regexp.MustCompile(`(?i)<(img|video|audio|iframe|a)\s(?:[^<>]*\s)?(?:src|href)=["']?([^"'<>\s]+)`)

var inlineTypes = map[string]string{"img": "Image", "video": "Video", "audio": "Audio", "iframe": "Link", "a": "Link"}

// Inline are the pictures, films, sounds and links within the content, at most four, for those who say nothing else: blogs
// attach none (micro.blog, WordPress).
func (o *Object) Inline() (found []Attachment) {
	for _, m := range inlineMedia.FindAllStringSubmatch(o.Content, 4) {
		if url := iri(html.UnescapeString(m[2])); url != "" {
			found = append(found, Attachment{Type: inlineTypes[strings.ToLower(m[1])], URL: string(url)})
		}
	}
	return found
}
