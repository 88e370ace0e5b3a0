package feed

import (
	"bytes"
	"io"
	"mime"
	"regexp"
	"strings"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// declaration is the XML declaration with the encoding that it names.
var declaration = regexp.MustCompile(`^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["'][^>]{0,200}\?>`)

// legible is a feed in UTF-8, whatever it was written in and says of itself: a byte order mark wins, then the XML
// declaration, then the header (RFC 7303, 3.2, but for the order of the last two: blogs know better than the servers that
// hand out their files). Bytes that fit no encoding and the control characters that XML forbids do not make it unreadable.
func legible(body []byte, contentType string) []byte {
	body = inUTF8(body, contentType)
	out := make([]byte, 0, len(body))
	for _, b := range bytes.ToValidUTF8(body, []byte("\uFFFD")) {
		if b >= ' ' || b == '\t' || b == '\n' || b == '\r' {
			out = append(out, b)
		}
	}
	return out
}

func inUTF8(body []byte, contentType string) []byte {
	for _, mark := range []string{"\uFEFF", "\xFE\xFF", "\xFF\xFE"} {
		if bytes.HasPrefix(body, []byte(mark)) {
			text, _, _ := transform.Bytes(unicode.BOMOverride(transform.Nop), body)
			return undeclared(text)
		}
	}
	name := ""
	if m := declaration.FindSubmatch(body[:min(len(body), 1024)]); m != nil {
		name = string(m[1])
	} else if _, params, err := mime.ParseMediaType(contentType); err == nil {
		name = params["charset"]
	}
	if name == "" || strings.EqualFold(name, "utf-8") || strings.HasPrefix(strings.ToLower(name), "utf-16") {
		return undeclared(body) // who can read a declaration of UTF-16 without its mark, reads no UTF-16
	}
	r, err := charset.NewReaderLabel(name, bytes.NewReader(body))
	if err != nil {
		return undeclared(body)
	}
	text, _ := io.ReadAll(r)
	return undeclared(text)
}

// undeclared is a document whose XML declaration, no longer true, is gone.
func undeclared(text []byte) []byte {
	if at := declaration.FindIndex(text[:min(len(text), 1024)]); at != nil {
		return text[at[1]:]
	}
	return text
}
