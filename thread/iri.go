package thread

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxIRI is the longest id or address that is read, in bytes.
const MaxIRI = 2048

// IRI is the ActivityPub id of a post, a comment or an actor: an absolute http(s) URL. Scheme and host are lower
// case, everything else is kept byte for byte, so that two IRIs name the same thing exactly when they are equal.
// Build one from foreign text with ParseIRI only.
type IRI string

// ErrIRI is returned by ParseIRI for text that cannot be an id.
var ErrIRI = errors.New("not an absolute http(s) URL")

// ParseIRI checks that s can be an id and lower-cases its scheme and host. It refuses user names, spaces, controls (also
// those that turn the direction of what follows on a page or a terminal), what is not UTF-8, and anything longer than
// MaxIRI, also when only lower-casing makes it so ("Ⱥ").
func ParseIRI(s string) (IRI, error) {
	if len(s) == 0 || len(s) > MaxIRI || !utf8.ValidString(s) || hasControl(s) {
		return "", ErrIRI
	}
	scheme, rest, ok := strings.Cut(s, "://")
	scheme = strings.ToLower(scheme)
	if !ok || scheme != "https" && scheme != "http" {
		return "", ErrIRI
	}
	u, err := url.Parse(s)
	if err != nil || !isHost(u.Hostname()) || u.User != nil || u.Opaque != "" {
		return "", ErrIRI
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	id := IRI(scheme + "://" + strings.ToLower(rest[:end]) + rest[end:])
	if len(id) > MaxIRI {
		return "", ErrIRI
	}
	return id, nil
}

// isHost tells whether a host, as net/url has decoded it, can be one: escapes may hide white space, what is not UTF-8, or
// the zone of an address, which means something on one machine alone. Between dots there is something.
func isHost(name string) bool {
	emptyLabel := name == "" || name[0] == '.' || strings.Contains(name, "..")
	return !emptyLabel && utf8.ValidString(name) &&
		!strings.ContainsFunc(name, func(r rune) bool { return r == '%' || unicode.IsSpace(r) })
}

func hasControl(s string) bool {
	escaped := strings.ToLower(s)
	if strings.Contains(escaped, "%0d") || strings.Contains(escaped, "%0a") || strings.Contains(escaped, "%00") {
		return true
	}
	return strings.ContainsFunc(s, func(r rune) bool {
		return strings.ContainsRune(`\<>"`, r) || unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	})
}

// Origin is the canonical scheme, host and port ("https://example.com"): without a default port and without a
// trailing dot of the host. It is empty for an IRI that ParseIRI would refuse.
func (i IRI) Origin() string {
	u, err := url.Parse(string(i))
	if err != nil || u.Hostname() == "" {
		return ""
	}
	scheme := strings.ToLower(u.Scheme)
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if p := u.Port(); p != "" && !(scheme == "https" && p == "443") && !(scheme == "http" && p == "80") {
		host += ":" + p
	}
	return scheme + "://" + host
}

// Host is the host of the IRI with its port, if that is not the default one: the name under which limits, blocks
// and queues know a server.
func (i IRI) Host() string {
	_, host, _ := strings.Cut(i.Origin(), "://")
	return host
}

// SameOrigin tells whether one server speaks for both ids (SECURITY rule "one authority": scheme, host and port are
// compared, never a part of the name).
func SameOrigin(a, b IRI) bool {
	o := a.Origin()
	return o != "" && o == b.Origin()
}

// WithoutFragment is the document in which the IRI is described.
func (i IRI) WithoutFragment() IRI {
	doc, _, _ := strings.Cut(string(i), "#")
	return IRI(doc)
}

// Anchor is the name of the post or comment with this id within a page: it depends on nothing else. Names of different ids
// may be made to agree.
func (i IRI) Anchor() string {
	hash := sha256.Sum256([]byte(i))
	return "c-" + hex.EncodeToString(hash[:6])
}
