package wire

import (
	"slices"
	"strings"

	"afterword/thread"

	"golang.org/x/net/idna"
)

// Public is the collection of everybody (AP 5.6). Its aliases are read as this one; nothing else is.
const Public thread.IRI = namespace + "Public"

const namespace = "https://www.w3.org/ns/activitystreams#"

// iri is s as an id, or nothing where it cannot be one: relative, of another scheme (Mastodon's "tag:" conversations,
// "urn:", "did:"), too long or with spaces or line breaks. A host in Unicode becomes its punycode form, so that both
// spellings are one identity (SCENARIOS 60).
func iri(s string) thread.IRI {
	scheme, rest, _ := strings.Cut(s, "://")
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	if host := rest[:end]; strings.Contains(host, "%") {
		return ""
	} else if !isASCII(host) {
		s = scheme + "://" + punycode(host) + rest[end:]
	}
	id, err := thread.ParseIRI(s)
	if err != nil {
		return ""
	}
	return id
}

// punycode is a host, with or without port, in ASCII; nothing where it is no name.
func punycode(host string) string {
	name, port, hasPort := strings.Cut(host, ":")
	ascii, err := idna.Lookup.ToASCII(name)
	if err != nil {
		return ""
	}
	if hasPort {
		return ascii + ":" + port
	}
	return ascii
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// addressee is iri for to and cc, where everybody is spelled in exactly three ways (AP 5.6): another case, a
// trailing slash or http do not make a message public (SECURITY D23).
func addressee(s string) thread.IRI {
	if s == string(Public) || s == "as:Public" || s == "Public" {
		return Public
	}
	if id := iri(s); id != Public {
		return id
	}
	return ""
}

// id is the id of a value that is one or has one.
func (n *node) id() thread.IRI {
	if n.kind == '{' {
		return iri(n.get("id").str())
	}
	return iri(n.str())
}

// target is the id of a value that is one, has one, or is a Link to one.
func (n *node) target() thread.IRI {
	if id := n.id(); id != "" {
		return id
	}
	return iri(n.get("href").str())
}

// targets are the ids in these members, each once. The lists are short.
func (n *node) targets(names ...string) []thread.IRI {
	var ids []thread.IRI
	for _, name := range names {
		for _, v := range n.get(name).each() {
			if id := v.target(); id != "" && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}
