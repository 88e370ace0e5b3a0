package wire

import (
	"bytes"
	"encoding/xml"
	"net/url"
	"strings"

	"afterword/thread"

	"github.com/go-json-experiment/json/jsontext"
)

// The media types of discovery documents.
const (
	JRDJSON = "application/jrd+json"
	XRDXML  = "application/xrd+xml"
)

// WebFinger is the answer to every question for the blog's account, however it was asked (RFC 7033).
func (b Blog) WebFinger() []byte {
	return appendObject(nil, doc{
		"subject": "acct:" + b.Account(),
		"aliases": []string{b.Page, string(b.Actor())},
		"links": []any{
			doc{"rel": "self", "type": ActivityJSON, "href": b.Actor()},
			doc{"rel": "http://webfinger.net/rel/profile-page", "type": "text/html", "href": b.Page},
		},
	})
}

// ValidResource tells whether a WebFinger resource can be one at all; what cannot is answered with 400.
func ValidResource(resource string) bool {
	return resource != "" && len(resource) <= thread.MaxIRI &&
		!strings.ContainsFunc(resource, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

// ResourceIsUs tells whether a WebFinger resource means the blog: its account on its own domain or on our host, with
// or without "acct:" and "@", its actor, its home page or our base; still percent-encoded or not (PROTOCOL
// requirements 1-4).
func (b Blog) ResourceIsUs(resource string) bool {
	sent := resource
	if decoded, err := url.PathUnescape(resource); err == nil {
		resource = decoded
	}
	if !ValidResource(sent) || !ValidResource(resource) {
		return false
	}
	if scheme, _, ok := strings.Cut(resource, "://"); ok {
		return scheme != "" && b.pageIsUs(resource)
	}
	if len(resource) > 5 && strings.EqualFold(resource[:5], "acct:") {
		resource = resource[5:]
	}
	user, domain, _ := strings.Cut(strings.TrimPrefix(resource, "@"), "@")
	host := iri("https://" + domain).Host()
	return strings.EqualFold(user, b.Handle) && !strings.ContainsAny(domain, "/?#") && host != "" &&
		(host == iri("https://"+b.domain()).Host() || host == iri("https://"+b.Actor().Host()).Host())
}

func (b Blog) pageIsUs(page string) bool {
	asked := thread.CanonicalURL(string(iri(page)))
	for _, ours := range []string{b.Page, b.Base, string(b.Actor())} {
		if asked != "" && asked == thread.CanonicalURL(ours) {
			return true
		}
	}
	return false
}

// ReadJRD is what a WebFinger answer of another server says (RFC 7033): the account ("name@domain") that it is about, and
// the actor that this is; empty when it says none.
func ReadJRD(jrd []byte) (account string, self thread.IRI) {
	s := scanner{dec: jsontext.NewDecoder(bytes.NewBuffer(jrd)), body: jrd}
	root, err := s.value(true, 0)
	if err != nil {
		return "", ""
	}
	account = accountIn(root.get("subject").str())
	for _, link := range root.get("links").each() {
		kind := link.get("type").str()
		if link.get("rel").str() == "self" && (kind == ActivityJSON || strings.HasPrefix(kind, "application/ld+json")) {
			return account, iri(link.get("href").str())
		}
	}
	return account, ""
}

// accountIn is an account as "name@domain", the domain as an id has it, in punycode; empty for what is none.
func accountIn(s string) string {
	name, domain, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(s, "acct:"), "@"), "@")
	host := iri("https://" + domain + "/").Host()
	if name == "" || host == "" || strings.ContainsAny(domain, "/?#") {
		return ""
	}
	return name + "@" + host
}

// HostMeta leads to WebFinger, for servers that look here first (RFC 6415).
func (b Blog) HostMeta() []byte {
	var template strings.Builder
	_ = xml.EscapeText(&template, []byte(b.Actor().Origin()+"/.well-known/webfinger?resource={uri}"))
	return []byte(xml.Header + `<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">` +
		`<Link rel="lrdd" type="` + JRDJSON + `" template="` + template.String() + `"/></XRD>` + "\n")
}
