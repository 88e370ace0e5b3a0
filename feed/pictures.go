package feed

import (
	"mime"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/mmcdole/gofeed"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"afterword/sanitize"
	"afterword/thread"
)

const (
	maxPictures = 4    // that Mastodon shows (PROTOCOL 1c)
	maxAlt      = 1500 // characters that Mastodon keeps
	maxImages   = 100  // of a text that are looked at
)

// pictures are an item's: the one that it is illustrated with, its enclosures, then those of its text. What stands in the
// text says what it shows (alt), also for the others.
func pictures(it *gofeed.Item, at *url.URL) []thread.Picture {
	album := album{base: at, title: title(it.Title)}
	if it.Image != nil {
		album.add(it.Image.URL, "", it.Image.Title)
	}
	for _, media := range it.Extensions["media"]["content"] {
		if media.Attrs["medium"] == "image" || strings.HasPrefix(media.Attrs["type"], "image/") {
			alt := ""
			for _, described := range media.Children["description"] {
				alt = described.Value
			}
			album.add(media.Attrs["url"], media.Attrs["type"], alt)
		}
	}
	for _, enclosure := range it.Enclosures {
		if strings.HasPrefix(enclosure.Type, "image/") {
			album.add(enclosure.URL, enclosure.Type, "")
		}
	}
	if at, err := at.Parse(it.Link); err == nil {
		album.base = at
	}
	album.read(it.Content)
	album.read(it.Description)
	return album.pictures
}

type album struct {
	base     *url.URL
	title    string // what a picture is not: Ghost's feeds put it in the place of each description
	pictures []thread.Picture
}

func (a *album) add(address, kind, alt string) {
	u, err := a.base.Parse(strings.TrimSpace(address))
	if address == "" || err != nil {
		return
	}
	p := thread.Picture{URL: page(u), Type: pictureType(u, kind), Alt: sanitize.Text(html.EscapeString(alt), maxAlt)}
	if p.Alt == a.title {
		p.Alt = ""
	}
	if iri, err := thread.ParseIRI(p.URL); err != nil || p.Type == "" {
		return
	} else {
		p.URL = string(iri)
	}
	if i := slices.IndexFunc(a.pictures, func(known thread.Picture) bool { return known.URL == p.URL }); i >= 0 {
		if a.pictures[i].Alt == "" {
			a.pictures[i].Alt = p.Alt
		}
		return
	}
	if len(a.pictures) < maxPictures {
		a.pictures = append(a.pictures, p)
	}
}

// pictureType is the media type that is said or that the name's ending means; empty where peers would not show it. A name
// without an ending is most often a photograph, and peers look for themselves when they have fetched it.
func pictureType(u *url.URL, said string) string {
	kind, _, err := mime.ParseMediaType(said)
	if err != nil || kind == "" {
		switch kind = strings.ToLower(path.Ext(u.Path)); kind {
		case ".jpg", "":
			kind = "image/jpeg"
		default:
			kind = "image/" + kind[1:]
		}
	}
	switch kind {
	case "image/jpeg", "image/png", "image/gif", "image/webp", "image/avif":
		return kind
	}
	return ""
}

// read adds the pictures of a text, but for those that show nothing: smileys, and the dots that count readers.
func (a *album) read(text string) {
	z := html.NewTokenizer(strings.NewReader(text))
	for seen := 0; seen < maxImages; {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			if t.DataAtom != atom.Img {
				continue
			}
			seen++
			if attr := attributes(t); !tiny(attr["width"]) && !tiny(attr["height"]) && !smiley(attr["class"]) {
				a.add(attr["src"], "", attr["alt"])
			}
		}
	}
}

func smiley(class string) bool {
	return strings.Contains(class, "smiley") || strings.Contains(class, "emoji")
}

func tiny(size string) bool {
	n, err := strconv.Atoi(strings.TrimSuffix(size, "px"))
	return err == nil && n < 32
}

func attributes(t html.Token) map[string]string {
	attr := map[string]string{}
	for _, a := range t.Attr {
		attr[a.Key] = strings.TrimSpace(a.Val)
	}
	return attr
}
