package feed

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/net/html/charset"

	"afterword/fetch"
	"afterword/sanitize"
)

// Page is what the head of a page of the blog says. Addresses are absolute.
type Page struct {
	URL         string // where it was found
	Title       string
	Description string
	Lang        string
	Icon        string
	Canonical   string
	Feeds       []string // RSS, Atom and JSON feeds, in their order
	Activity    []string // its alternates in ActivityPub: the ids of its Note
	Me          []string // rel=me, wherever on the page
	Noindex     bool     // asks to be found by nobody
}

const (
	maxHTML  = 1 << 20 // bytes of a page that are read
	maxLinks = 200     // of a page that are looked at
)

// getPage reads a page of the blog. fresh asks again although it could not be had a moment ago.
func getPage(ctx context.Context, client *fetch.Client, address string, fresh bool) (Page, error) {
	doc, err := client.Get(ctx, fetch.Get{URL: address, Accept: "text/html, application/xhtml+xml;q=0.9, */*;q=0.1", MaxBytes: maxHTML, Fresh: fresh})
	if err != nil {
		return Page{}, err
	}
	if !strings.Contains(doc.MediaType, "html") {
		return Page{}, fmt.Errorf("%s is no page but %q", address, doc.MediaType)
	}
	return readPage(doc.Body, doc.Header.Get("Content-Type"), doc.URL)
}

// readPage reads the head of a page, and the links of the rest.
func readPage(body []byte, contentType, address string) (Page, error) {
	base, err := url.Parse(address)
	if err != nil {
		return Page{}, err
	}
	text, err := charset.NewReader(bytes.NewReader(body), contentType)
	if err != nil {
		return Page{}, err
	}
	p := pageReader{Page: Page{URL: address}, base: base}
	for z, links := html.NewTokenizer(text), 0; links < maxLinks; {
		switch z.Next() {
		case html.ErrorToken: // the end, or as far as it can be read
			return p.Page, nil
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			if t.DataAtom == atom.Link || t.DataAtom == atom.A {
				links++
			}
			if t.DataAtom == atom.Title && p.Title == "" && z.Next() == html.TextToken {
				p.Title = sanitize.Text(html.EscapeString(string(z.Text())), maxTitle)
			}
			p.tag(t)
		}
	}
	return p.Page, nil
}

type pageReader struct {
	Page
	base *url.URL
}

func (p *pageReader) tag(t html.Token) {
	attr := map[string]string{}
	for _, a := range t.Attr {
		attr[a.Key] = strings.TrimSpace(a.Val)
	}
	switch t.DataAtom {
	case atom.Html:
		p.Lang = language(attr["lang"])
	case atom.Base:
		if u, err := p.base.Parse(attr["href"]); err == nil && attr["href"] != "" {
			p.base = u
		}
	case atom.Meta:
		p.meta(attr)
	case atom.Link, atom.A:
		p.link(t.DataAtom, attr)
	}
}

func (p *pageReader) meta(attr map[string]string) {
	content := attr["content"]
	switch strings.ToLower(attr["name"] + attr["property"]) {
	case "description", "og:description":
		if p.Description == "" {
			p.Description = sanitize.Text(html.EscapeString(content), maxSummary)
		}
	case "og:title":
		if p.Title == "" {
			p.Title = sanitize.Text(html.EscapeString(content), maxTitle)
		}
	case "robots":
		p.Noindex = p.Noindex || strings.Contains(strings.ToLower(content), "noindex")
	}
}

// feedTypes are the media types of feeds.
var feedTypes = map[string]bool{"application/rss+xml": true, "application/atom+xml": true, "application/feed+json": true}

func (p *pageReader) link(tag atom.Atom, attr map[string]string) {
	to, err := p.base.Parse(attr["href"])
	if err != nil || attr["href"] == "" || to.Scheme != "https" && to.Scheme != "http" {
		return
	}
	address, kind := to.String(), strings.ToLower(attr["type"])
	for rel := range strings.FieldsSeq(strings.ToLower(attr["rel"])) {
		switch {
		case rel == "me":
			p.Me = append(p.Me, address)
		case tag == atom.A:
		case rel == "canonical":
			p.Canonical = address
		case (rel == "icon" || rel == "apple-touch-icon") && (p.Icon == "" || rel == "apple-touch-icon"):
			p.Icon = address
		case rel == "alternate" && feedTypes[kind]:
			p.Feeds = append(p.Feeds, address)
		case rel == "alternate" && (kind == "application/activity+json" || strings.HasPrefix(kind, "application/ld+json")):
			p.Activity = append(p.Activity, address)
		}
	}
}
