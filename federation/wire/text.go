package wire

import (
	"cmp"
	"html"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// words is a text for people: the member itself, or where it is empty the first text of its map by language.
func words(n *node, name string) string {
	if s := n.get(name).str(); strings.TrimSpace(s) != "" {
		return s
	}
	for _, v := range n.get(name + "Map").values {
		if s := v.str(); strings.TrimSpace(s) != "" {
			return s
		}
	}
	return ""
}

// language is the language of content: the key of the map whose text it is, else the map's first key, else Lemmy's
// and PeerTube's language object, else the context's.
func (r reader) language(n *node, content string) string {
	var fromMap string
	for _, v := range n.get("contentMap").values {
		tag := languageTag(v.name)
		if tag != "" && content != "" && v.str() == content {
			return tag
		}
		fromMap = cmp.Or(fromMap, tag)
	}
	if fromMap != "" {
		return fromMap
	}
	lang := n.first("language", "inLanguage")
	if tag := languageTag(lang.str() + lang.get("identifier").str()); tag != "" {
		return tag
	}
	return r.lang
}

var bcp47 = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$`)

// languageTag is s if it is shaped like a language that is known; "und" is Pleroma's for unknown.
func languageTag(s string) string {
	if s == "und" || !bcp47.MatchString(s) {
		return ""
	}
	return s
}

// mediaType is the bare media type, HTML when none is said (AS2 vocabulary, mediaType).
func mediaType(s string) string {
	s, _, _ = strings.Cut(s, ";")
	if s = strings.ToLower(strings.TrimSpace(s)); s == "" {
		return "text/html"
	}
	return s
}

// TextKind is how a text is to be read.
type TextKind string

// The kinds of text.
const (
	HTML     TextKind = "html"
	Markdown TextKind = "markdown"
	Plain    TextKind = "plain"
)

var (
	tagLike    = regexp.MustCompile(`<[A-Za-z/!?]`)
	entityLike = regexp.MustCompile(`&(#[0-9]+|#[xX][0-9A-Fa-f]+|[A-Za-z][A-Za-z0-9]*);`)
)

// Text is the content and how to read it. What claims to be HTML but has no tag is plain text with line breaks that
// matter, as Pleroma's clients send it; entities in it are resolved. Never put the result into a page as it is.
func (o *Object) Text() (TextKind, string) {
	if o.saysSummary() {
		return textOf("text/html", o.Summary)
	}
	return textOf(o.MediaType, o.Content)
}

// saysSummary tells whether the summary is all the text there is: an abstract without its article, or a warning before
// nothing.
func (o *Object) saysSummary() bool {
	t := o.Type()
	short := t == "Note" || t == "Question"
	return o.Summary != "" && o.Profile == nil && strings.TrimSpace(o.Content) == "" && !(short && len(o.Attachments)+len(o.Options) > 0)
}

func textOf(mediaType, text string) (TextKind, string) {
	switch mediaType {
	case "text/html", "application/xhtml+xml", "":
		if tagLike.MatchString(text) {
			return HTML, text
		}
		if entityLike.MatchString(text) {
			return Plain, html.UnescapeString(text)
		}
	case "text/markdown":
		return Markdown, text
	}
	return Plain, text
}

// dateLayouts are the dates that were seen, the usual one first. Each may have a fraction after its seconds.
var dateLayouts = []string{
	time.RFC3339,
	"2006-01-02T15:04:05Z0700",
	"2006-01-02T15:04:05Z07",
	"2006-01-02T15:04:05", // without a zone: UTC
	"2006-01-02T15:04Z07:00",
	"2006-01-02T15:04Z0700",
	"2006-01-02T15:04",
	"2006-01-02",
	"Mon, 2 Jan 2006 15:04:05 MST",
	"Mon, 2 Jan 2006 15:04:05 -0700",
}

// moment reads a date in UTC; what is no date, or no year from 1 to 9999, is the zero time.
func moment(n *node) time.Time {
	var t time.Time
	switch n.kind {
	case '"':
		t = parseDate(strings.TrimSpace(n.text))
	case '{':
		return moment(n.get("@value"))
	case '0':
		seconds, err := strconv.ParseInt(n.text, 10, 64)
		switch {
		case err != nil || seconds <= 0 || seconds >= 1<<48:
		case seconds > 1<<36: // milliseconds, as JavaScript counts
			t = time.UnixMilli(seconds)
		default:
			t = time.Unix(seconds, 0)
		}
	}
	if t = t.UTC(); t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

func parseDate(s string) time.Time {
	if len(s) > 64 {
		return time.Time{}
	}
	s = strings.ToUpper(s)                          // RFC 3339 5.6 lets "t" and "z" be small
	if len(s) > 10 && s[10] == ' ' && s[4] == '-' { // SQL's "2006-01-02 15:04:05 +0000"
		s = s[:10] + "T" + strings.ReplaceAll(s[11:], " ", "")
	}
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return time.Time{}
}
