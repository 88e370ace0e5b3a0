package feed

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/net/html/charset"

	"afterword/fetch"
	"afterword/sanitize"
	"afterword/thread"
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
	Tags        []string
	Pictures    []thread.Picture // at most one: what the page is illustrated with
	Published   time.Time        // zero: it does not say
}

const (
	maxHTML  = 2 << 20 // bytes of a page that are read
	maxLinks = 200     // of a page that are looked at
)

// ReadPage reads a page of the blog now, also when it could not be had a moment ago. An answer that is no page is an
// error; one that refuses is an *fetch.Error.
func ReadPage(ctx context.Context, client *fetch.Client, address string) (Page, error) {
	return getPage(ctx, client, fetch.Get{URL: address, Fresh: true})
}

func getPage(ctx context.Context, client *fetch.Client, ask fetch.Get) (Page, error) {
	ask.Accept, ask.MaxBytes = "text/html, application/xhtml+xml;q=0.9, */*;q=0.1", maxHTML
	doc, err := client.Get(ctx, ask)
	if err != nil {
		return Page{}, err
	}
	if !strings.Contains(doc.MediaType, "html") {
		return Page{}, fmt.Errorf("%s is no page but %q", ask.URL, doc.MediaType)
	}
	p, err := parsePage(doc.Body, doc.Header.Get("Content-Type"), doc.URL)
	p.header(doc.Header)
	return p.Page, err
}

// parsePage reads the head of a page, and the links of the rest.
func parsePage(body []byte, contentType, address string) (p pageReader, err error) {
	base, err := url.Parse(address)
	if err != nil {
		return p, err
	}
	text, err := charset.NewReader(bytes.NewReader(body), contentType)
	if err != nil {
		return p, err
	}
	p = pageReader{Page: Page{URL: address}, base: base}
	for z, links := html.NewTokenizer(text), 0; links < maxLinks; {
		switch z.Next() {
		case html.ErrorToken: // the end, or as far as it can be read
			return p, nil
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
	return p, nil
}

// header reads what the answer says beside the page, as pages without templates do.
func (p *pageReader) header(h http.Header) {
	for _, robots := range h.Values("X-Robots-Tag") {
		p.Noindex = p.Noindex || strings.Contains(strings.ToLower(robots), "noindex")
	}
	for attr := range linksIn(h) {
		p.link(atom.Link, attr)
	}
}

// linksIn are the links of an answer's header: their attributes, href among them.
func linksIn(h http.Header) iter.Seq[map[string]string] {
	return func(yield func(map[string]string) bool) {
		for _, m := range linkHeader.FindAllStringSubmatch(strings.Join(h.Values("Link"), ", "), maxLinks) {
			attr := map[string]string{"href": m[1]}
			for _, param := range linkParam.FindAllStringSubmatch(m[2], -1) {
				attr[strings.ToLower(param[1])] = param[2] + param[3]
			}
			if !yield(attr) {
				return
			}
		}
	}
}

// RFC 8288, 3: <target>; name=value; name="value", …
var (
	linkHeader = regexp.MustCompile(`<([^<>]*)>((?:\s*;\s*[a-zA-Z*-]+\s*=\s*(?:"[^"]*"|[^",;\s]*))*)`)
	linkParam  = regexp.MustCompile(`([a-zA-Z*-]+)\s*=\s*(?:"([^"]*)"|([^",;\s]*))`)
)

type pageReader struct {
	Page
	base  *url.URL
	based bool // says itself what its links are relative to
}

func (p *pageReader) tag(t html.Token) {
	attr := attributes(t)
	switch t.DataAtom {
	case atom.Html:
		p.Lang = language(attr["lang"])
	case atom.Base: // the first one counts (HTML 4.2.3)
		if u, err := p.base.Parse(attr["href"]); err == nil && attr["href"] != "" && len(attr["href"]) <= thread.MaxIRI && !p.based {
			p.base, p.based = u, true
		}
	case atom.Meta:
		p.meta(attr)
	case atom.Time:
		if at := moment(attr["datetime"]); p.isOwn(at) {
			p.publish(at)
		}
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
	case "og:title": // without the blog's name behind it
		p.Title = sanitize.Text(html.EscapeString(content), maxTitle)
	case "article:published_time":
		p.publish(moment(content))
	case "article:tag":
		if tag := sanitize.Name(content, 100); tag != "" && len(p.Tags) < maxTags {
			p.Tags = append(p.Tags, tag)
		}
	case "og:image":
		if len(p.Pictures) == 0 {
			shown := album{base: p.base}
			shown.add(content, "", "")
			p.Pictures = shown.pictures
		}
	case "og:image:alt":
		if len(p.Pictures) > 0 {
			p.Pictures[0].Alt = sanitize.Text(html.EscapeString(content), maxAlt)
		}
	case "robots":
		p.Noindex = p.Noindex || strings.Contains(strings.ToLower(content), "noindex")
	}
}

// publish takes the first date that the page says.
func (p *pageReader) publish(at time.Time) {
	if p.Published.IsZero() {
		p.Published = at
	}
}

// moment is a date as pages write it; zero: it can be none.
func moment(s string) time.Time {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly} {
		if at, err := time.Parse(layout, s); err == nil && plausible(at) {
			return at.UTC()
		}
	}
	return time.Time{}
}

// isOwn tells whether a date that stands somewhere on the page can be its own. An address often says of which month a page
// is, give or take a time zone; the dates of other posts are on it too.
func (p *pageReader) isOwn(at time.Time) bool {
	month, _ := dated(p.URL)
	return month.IsZero() || at.After(month.AddDate(0, 0, -1)) && at.Before(month.AddDate(0, 1, 1))
}

var datedPath = regexp.MustCompile(`/(\d{4})/(\d\d)/(?:(\d\d)/)?`)

// dated is the month that an address names, and the day or else the first of that month; zero: it names none.
func dated(address string) (month, day time.Time) {
	m := datedPath.FindStringSubmatch(address)
	if m == nil {
		return month, day
	}
	month = moment(m[1] + "-" + m[2] + "-01")
	return month, cmp.Or(moment(m[1]+"-"+m[2]+"-"+m[3]), month)
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
