package wire

import (
	"fmt"
	"slices"
	"strings"
)

const maxTypes = 16

// maxNesting is how many activities may stand in one another. Three are in use: Announce{Undo{Lock}}.
const maxNesting = 4

// The types that mean something to us, by what they are.
var (
	activityTypes = []string{"Create", "Update", "Delete", "Undo", "Follow", "Accept", "Reject", "TentativeAccept",
		"TentativeReject", "Like", "Dislike", "Announce", "Add", "Remove", "Block", "Flag", "Move", "EmojiReact", "Lock",
		"ReplyRequest", "QuoteRequest", "LikeRequest", "AnnounceRequest", "Join", "Leave", "Listen", "View", "Read",
		"Ignore", "Invite", "Offer", "Travel", "Arrive"}
	objectTypes = []string{"Note", "Article", "Page", "Question", "Answer", "Event", "Image", "Video", "Audio", "Document",
		"ChatMessage", "EncryptedMessage", "Place", "Profile", "Relationship", "Tombstone"}
	transientTypes  = []string{"Like", "Dislike", "EmojiReact", "Undo", "Delete", "Follow", "Block", "Update"}
	speakingTypes   = []string{"Note", "Article", "Page", "Question", "Event", "Image", "Video", "Audio", "Document"}
	actorTypes      = []string{"Person", "Group", "Organization", "Service", "Application"}
	collectionTypes = []string{"Collection", "OrderedCollection", "CollectionPage", "OrderedCollectionPage"}
	linkTypes       = []string{"Link", "Mention", "Hashtag", "Emoji", "PropertyValue"}
	keyTypes        = []string{"Key", "CryptographicKey", "Multikey"}
	knownTypes      = slices.Concat(activityTypes, objectTypes, actorTypes, collectionTypes, linkTypes, keyTypes)
)

// IsActor tells whether the object is an account. A document of another type may have an inbox and keys all the same.
func (o *Object) IsActor() bool { return isActor(o.Type()) }

// Speaks tells whether the object is of a kind that says something to everybody and so may be a comment. A type that
// nobody knows yet does when it has a text.
func (o *Object) Speaks() bool {
	t := o.Type()
	return slices.Contains(speakingTypes, t) || !slices.Contains(knownTypes, t) && o.Content != ""
}

func isActivity(t string) bool   { return slices.Contains(activityTypes, t) }
func isActor(t string) bool      { return slices.Contains(actorTypes, t) }
func isCollection(t string) bool { return slices.Contains(collectionTypes, t) }

// types are the names in type.
func types(n *node) []string {
	var names []string
	for _, v := range n.get("type").each() {
		if s := v.str(); s != "" {
			names = append(names, s)
		}
	}
	return names
}

// CheckShape tells whether a fetched document is sound enough to be used at all (SECURITY C15-C27, E27): it has one
// id and a type under these very names, its context leaves the meaning of those names alone, and its content is
// text. The error is a *SyntaxError.
func (o *Object) CheckShape() error {
	switch {
	case o.fault != "":
		return refuse("%s", o.fault)
	case o.ID == "" && !o.transient:
		return refuse("id is missing or not an http(s) URL")
	case len(o.Types) == 0:
		return refuse("type is missing or not text")
	case len(o.Types) > maxTypes:
		return refuse("more than %d types", maxTypes)
	}
	return nil
}

// Check tells whether the document has the shape of an activity that we can answer for. The error is a *SyntaxError
// (answer 400). Unknown types of activities pass.
func (o *Object) Check() error {
	if err := o.CheckShape(); err != nil {
		return err
	}
	if o.Actor == "" {
		return refuse("actor is missing or not exactly one id")
	}
	if o.Object == nil && isActivity(o.Type()) && o.Type() != "Arrive" && o.Type() != "Travel" {
		return refuse("object is missing or neither an object nor an id")
	}
	return o.checkInside()
}

// checkInside looks at what the activity embeds.
func (o *Object) checkInside() error {
	depth, outer := 1, o
	for inner := o.Object; inner != nil; outer, inner = inner, inner.Object {
		if inner.fault != "" {
			return refuse("object: %s", inner.fault)
		}
		if isActivity(inner.Type()) {
			depth++
		}
		if depth > maxNesting || outer.publishes() && inner.publishes() {
			return refuse("activities inside activities")
		}
	}
	return nil
}

// isTransient tells the activities that may do without an id (AP 3): nobody looks them up, and they speak of what has one.
// Epicyon's likes and deletions have none.
func isTransient(o *Object, n *node) bool {
	return slices.Contains(transientTypes, o.Type()) && !n.get("id").given()
}

// publishes tells the two activities that carry the text of their object.
func (o *Object) publishes() bool { return o.Type() == "Create" || o.Type() == "Update" }

// fault is what is wrong with an object's own members, empty when nothing is.
func fault(n *node) string {
	if n.get("@id").kind != 0 || n.get("@type").kind != 0 {
		return "@id or @type instead of id and type"
	}
	if f := idFault(n.get("id")); f != "" {
		return f
	}
	if c := n.get("content"); c.given() && c.kind != '"' {
		return "content is not text"
	}
	return contextFault(n.get("@context"))
}

// idFault finds ids made to be read as two things (SECURITY C19).
func idFault(n *node) string {
	s := strings.ToLower(n.str())
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }) ||
		strings.Contains(s, "%0d") || strings.Contains(s, "%0a") || strings.Contains(s, "%00") {
		return "an id with spaces or control characters"
	}
	return ""
}

// contextFault finds a JSON-LD context that changes what our members mean (SECURITY C21), or that gives id and type
// other names (C23). A peer that processes JSON-LD would then read another message than we do. Contexts of real
// servers define their extensions only; repeating a term's own meaning is harmless.
func contextFault(context *node) string {
	for i := range context.values {
		def := &context.values[i]
		if context.kind == '[' {
			if f := contextFault(def); f != "" {
				return f
			}
			continue
		}
		means := def.str()
		if def.kind == '{' {
			means = def.get("@id").str()
		}
		if redefines(def.name, means) {
			return fmt.Sprintf("the context redefines %.40q", def.name)
		}
		if f := contextFault(def.get("@context")); f != "" {
			return f
		}
	}
	return ""
}

func redefines(term, means string) bool {
	switch term {
	case "id", "type":
		return means != "@"+term
	case "as":
		return strings.TrimSuffix(means, "#") != strings.TrimSuffix(namespace, "#")
	case "actor", "object", "attributedTo", "inReplyTo", "to", "cc":
		return means != "as:"+term && means != namespace+term
	}
	return !strings.HasPrefix(term, "@") && (means == "@id" || means == "@type")
}

// contextLanguage is the default language that a context gives to the texts of its object.
func contextLanguage(context *node) string {
	var lang string
	for _, c := range context.each() {
		if v := c.get("@language"); v.kind == '"' {
			lang = languageTag(v.text)
		}
	}
	return lang
}
