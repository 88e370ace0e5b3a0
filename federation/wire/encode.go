package wire

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"afterword/thread"

	"github.com/go-json-experiment/json/jsontext"
)

// doc is a JSON object on its way out.
type doc = map[string]any

// raw is JSON that is written as it is.
type raw []byte

// The contexts of what we send. They define exactly the extensions in use (PROTOCOL 10).
const (
	plainContext = `"https://www.w3.org/ns/activitystreams"`

	noteContext = `["https://www.w3.org/ns/activitystreams",{` +
		`"sensitive":"as:sensitive","Hashtag":"as:Hashtag",` +
		`"ostatus":"http://ostatus.org#","conversation":"ostatus:conversation",` +
		`"gts":"https://gotosocial.org/ns#",` +
		`"interactionPolicy":{"@id":"gts:interactionPolicy","@type":"@id"},` +
		`"canReply":{"@id":"gts:canReply","@type":"@id"},` +
		`"canQuote":{"@id":"gts:canQuote","@type":"@id"},` +
		`"automaticApproval":{"@id":"gts:automaticApproval","@type":"@id"},` +
		`"manualApproval":{"@id":"gts:manualApproval","@type":"@id"},` +
		`"always":{"@id":"gts:always","@type":"@id"},` +
		`"approvalRequired":{"@id":"gts:approvalRequired","@type":"@id"},` +
		`"pt":"https://joinpeertube.org/ns#","commentsEnabled":"pt:commentsEnabled"}]`

	actorContext     = `["https://www.w3.org/ns/activitystreams","https://w3id.org/security/v1",`
	multikeyContext  = `"https://www.w3.org/ns/did/v1","https://w3id.org/security/multikey/v1",` // FEP-521a
	webfingerContext = `"https://purl.archive.org/socialweb/webfinger",`                         // FEP-2c59
	actorTerms       = `{"toot":"http://joinmastodon.org/ns#","discoverable":"toot:discoverable","indexable":"toot:indexable",` +
		`"featured":{"@id":"toot:featured","@type":"@id"},` +
		`"attributionDomains":{"@id":"toot:attributionDomains","@container":"@set"},` +
		`"manuallyApprovesFollowers":"as:manuallyApprovesFollowers",` +
		`"schema":"http://schema.org#","PropertyValue":"schema:PropertyValue","value":"schema:value",` +
		`"movedTo":{"@id":"as:movedTo","@type":"@id"},"alsoKnownAs":{"@id":"as:alsoKnownAs","@type":"@id"}}]`

	approvalContext = `["https://www.w3.org/ns/activitystreams",{"gts":"https://gotosocial.org/ns#",` +
		`"ReplyAuthorization":"gts:ReplyAuthorization","ReplyRequest":"gts:ReplyRequest",` +
		`"interactingObject":{"@id":"gts:interactingObject","@type":"@id"},` +
		`"interactionTarget":{"@id":"gts:interactionTarget","@type":"@id"}}]`
)

// lists are the members that peers want as arrays even of one element; go-fed's Serialize folds those.
var lists = map[string]bool{
	"to": true, "cc": true, "tag": true, "attachment": true, "items": true, "orderedItems": true,
	"alsoKnownAs": true, "automaticApproval": true, "manualApproval": true, "always": true, "approvalRequired": true,
}

// encode is the one place where a document becomes bytes: its context, id and type first, the other members by name,
// so that equal documents are equal bytes. "<", ">" and "&" stay themselves.
func encode(context string, d doc) []byte {
	out := append(make([]byte, 0, 4096), `{"@context":`...)
	out = append(append(out, context...), ',')
	return append(out, appendObject(nil, d)[1:]...)
}

// appendObject writes a JSON object without context.
func appendObject(out []byte, d doc) []byte {
	out = append(out, '{')
	for i, name := range memberOrder(d) {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(quoted(out, name), ':')
		if v := d[name]; lists[name] && !isList(v) {
			out = appendValue(out, []any{v})
		} else {
			out = appendValue(out, v)
		}
	}
	return append(out, '}')
}

func memberOrder(d doc) []string {
	rank := func(name string) string {
		switch name {
		case "id":
			return "\x00"
		case "type":
			return "\x01"
		}
		return name
	}
	return slices.SortedFunc(maps.Keys(d), func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
}

func isList(v any) bool {
	switch v.(type) {
	case []any, []string, []thread.IRI:
		return true
	}
	return false
}

// appendValue writes one value; it knows the types that this package and Serialize put into documents.
func appendValue(out []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return quoted(out, v)
	case thread.IRI:
		return quoted(out, string(v))
	case bool:
		return strconv.AppendBool(out, v)
	case int:
		return strconv.AppendInt(out, int64(v), 10)
	case doc:
		return appendObject(out, v)
	case raw:
		return append(out, v...)
	case []any:
		return appendList(out, v)
	case []string:
		return appendList(out, v)
	case []thread.IRI:
		return appendList(out, v)
	}
	panic(fmt.Sprintf("wire: a %T in a document", v))
}

func appendList[T any](out []byte, list []T) []byte {
	out = append(out, '[')
	for i, v := range list {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendValue(out, v)
	}
	return append(out, ']')
}

// quoted writes a string; invalid UTF-8, which only our own blog could bring in, becomes U+FFFD.
func quoted(out []byte, s string) []byte {
	out, _ = jsontext.AppendQuote(out, s)
	return out
}
