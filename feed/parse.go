package feed

import (
	"bytes"
	"cmp"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/mmcdole/gofeed"

	"afterword/sanitize"
	"afterword/thread"
)

// document is a feed as the rest of the package knows it. gofeed stops here.
type document struct {
	lang      string
	hub, self string // WebSub: who tells of news of it, and what it is called there; may be empty
	items     []item
}

// item is one post of a feed, as it came but for its addresses, which are absolute.
type item struct {
	guid      string
	links     []string // where its page may be, the likeliest first
	title     string   // HTML or text
	summary   string   // HTML or text
	content   string   // HTML or text
	lang      string
	tags      []string
	pictures  []thread.Picture
	published time.Time // zero: not said, or nonsense
}

const (
	maxItems = 2000 // of a feed that are read
	maxDepth = 100  // of its XML
	maxHead  = 3    // how deep the links of the feed itself stand; those of its items stand deeper, or are of another rel
	maxTags  = 20
	maxGUID  = 2048
	maxText  = 512 << 10 // bytes of an item's text
)

// parse reads RSS, Atom or JSON Feed, whatever it calls itself. base is where it was found.
func parse(body []byte, header http.Header, base string) (d document, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("is no feed that can be read: %v", r)
		}
	}()
	body = legible(body, header.Get("Content-Type"))
	links := headerLinks(header)
	if err := skim(body, links); err != nil {
		return d, err
	}
	parser := gofeed.NewParser()
	parser.RSSTranslator = &gofeed.DefaultRSSTranslator{DisableContentImageScan: true} // html.Parse can be made slow; pictures.go is not
	f, err := parser.Parse(bytes.NewReader(body))
	if err != nil {
		return d, fmt.Errorf("is no feed that can be read: %.200q", err.Error())
	}
	at, err := url.Parse(base)
	if err != nil {
		return d, err
	}
	d = document{lang: language(f.Language), hub: links["hub"], self: links["self"]}
	for _, it := range f.Items[:min(len(f.Items), maxItems)] {
		if it != nil {
			d.items = append(d.items, newItem(it, at))
		}
	}
	return d, nil
}

func newItem(it *gofeed.Item, at *url.URL) item {
	out := item{guid: strings.ToValidUTF8(it.GUID, ""), title: strings.ToValidUTF8(it.Title, ""), summary: short(it.Description), content: short(it.Content), published: date(it)}
	for _, link := range append([]string{it.Link}, it.Links...) {
		if u, err := at.Parse(strings.TrimSpace(link)); err == nil && link != "" {
			out.links = append(out.links, page(u))
		}
	}
	if u, err := url.Parse(strings.TrimSpace(it.GUID)); err == nil && u.IsAbs() { // RSS: a permalink, unless it says it is none
		out.links = append(out.links, page(u))
	}
	if len(out.guid) > maxGUID {
		out.guid = ""
	}
	for _, tag := range it.Categories[:min(len(it.Categories), maxTags)] {
		if name := sanitize.Name(tag, 100); name != "" && name != "Uncategorized" { // WordPress says so of what has no category
			out.tags = append(out.tags, name)
		}
	}
	if dc := it.DublinCoreExt; dc != nil && len(dc.Language) > 0 {
		out.lang = language(dc.Language[0])
	}
	out.pictures = pictures(it, at)
	return out
}

// page is an address without the place on its page.
func page(u *url.URL) string {
	u.Fragment, u.RawFragment = "", ""
	return u.String()
}

func short(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxText)], "") }

// date is when an item was published, if that can be true: generators write 1970 and 9999 for "unknown".
func date(it *gofeed.Item) time.Time {
	at := it.PublishedParsed
	if at == nil {
		at = it.UpdatedParsed
	}
	if at == nil || !plausible(*at) {
		return time.Time{}
	}
	return at.UTC()
}

func plausible(at time.Time) bool { return at.Year() >= 1990 && at.Year() <= 2200 }

var languageTag = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$`)

func language(s string) string {
	if s = strings.ReplaceAll(strings.TrimSpace(s), "_", "-"); languageTag.MatchString(s) {
		return s
	}
	return ""
}

var (
	errDeep = errors.New("is no feed: its elements are nested too deeply")
	errBase = errors.New("is no feed: an xml:base is too long")
)

// headerLinks are the hub and self of a feed's answer, by rel (WebSub 4).
func headerLinks(h http.Header) map[string]string {
	found := map[string]string{}
	for attr := range linksIn(h) {
		found[attr["rel"]] = cmp.Or(found[attr["rel"]], attr["href"])
	}
	return found
}

// skim refuses XML that costs gofeed more than it is worth: it keeps a stack, and an address for each xml:base. Entities are
// no trouble: encoding/xml expands none that a document defines. It also finds the links of the feed itself by their rel,
// which gofeed does not tell.
func skim(body []byte, links map[string]string) error {
	var j struct {
		Self string `json:"feed_url"`
		Hubs []struct {
			URL string `json:"url"`
		} `json:"hubs"`
	}
	if json.Unmarshal(body, &j) == nil && len(j.Hubs) > 0 {
		links["hub"], links["self"] = cmp.Or(links["hub"], j.Hubs[0].URL), cmp.Or(links["self"], j.Self)
	}

	d := xml.NewDecoder(bytes.NewReader(body))
	d.Strict = false
	for depth := 0; ; {
		token, err := d.Token()
		if err != nil {
			return nil // the end, JSON, or what gofeed will complain about
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return errDeep
			}
			attr := map[string]string{}
			for _, a := range t.Attr {
				if attr[a.Name.Local] = a.Value; a.Name.Local == "base" && len(a.Value) > thread.MaxIRI {
					return errBase
				}
			}
			if rel := attr["rel"]; t.Name.Local == "link" && depth <= maxHead {
				links[rel] = cmp.Or(links[rel], attr["href"])
			}
		case xml.EndElement:
			depth--
		}
	}
}
