// Package wire turns ActivityPub JSON into our messages and our posts into ActivityPub JSON. It is the only importer
// of go-fed/activity, which gives the vocabulary of everything we send. What strangers send is read by Parse: strict
// about JSON (duplicate keys, invalid UTF-8, depth, size), lenient about everything that real servers vary.
package wire

import (
	"slices"
	"strings"
	"time"

	"afterword/thread"
)

// ActivityJSON is the media type of everything we send.
const ActivityJSON = "application/activity+json"

// AcceptJSON is what we ask for when we fetch.
const AcceptJSON = `application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams"`

// Object is an activity, object, actor or collection as a stranger sent it: every one-or-many and id-or-object
// folded into one shape. A member that was missing, null or of an impossible type is its zero value. Nothing in it
// is safe to show or certain to be true.
type Object struct {
	ID    thread.IRI
	Types []string // as sent; Type is the one that we know

	// Members of activities. An Object, Target or Instrument that came as a bare id has only its ID set.
	Actor      thread.IRI
	Object     *Object
	Objects    []thread.IRI // all ids in object: a Flag has several. At most 64 are read
	Target     *Object
	Instrument *Object

	// Members of objects.
	AttributedTo []thread.IRI
	InReplyTo    []thread.IRI
	Contexts     []thread.IRI // context and conversation
	To, Cc       []thread.IRI // audience and bto count as to, but for Public; at most 1,024 of each are read
	Name         string
	Summary      string    // see Warning
	Content      string    // HTML, Markdown or plain text by MediaType; see Text
	MediaType    string    // of Content; "text/html" when not said
	Lang         string    // of Content, as shaped by BCP 47; may be empty
	URL          string    // best page for people: text/html before others; may be empty
	Published    time.Time // zero when missing or impossible
	Updated      time.Time
	Sensitive    bool
	Mentions     []thread.IRI
	Attachments  []Attachment
	Options      []string   // of a poll
	Quote        thread.IRI // the post that it quotes
	Replies      *Collection
	LikesTotal   int // -1: not said

	// Members of actors.
	Profile *Profile

	// Members of collections.
	Collection *Collection

	// Signed tells that it bears a signature of its own (LD signature, FEP-8b32). That is no reason to believe it.
	Signed bool

	// Raw is the object as it was sent, byte for byte. Nil for bare ids.
	Raw []byte

	addressed bool   // has any of to, cc, bto, bcc; Discourse sends objects with nothing but an audience
	transient bool   // an activity that needs no id, and has none
	fault     string // what Check refuses it for
}

// Type is the first of Types that means something to us, else the first.
func (o *Object) Type() string {
	for _, t := range o.Types {
		short := strings.TrimPrefix(strings.TrimPrefix(t, "as:"), namespace)
		if slices.Contains(knownTypes, short) {
			return short
		}
	}
	if len(o.Types) > 0 {
		return o.Types[0]
	}
	return ""
}

// Author is who wrote the object by its own word; Pleroma says it as actor, too.
func (o *Object) Author() thread.IRI {
	if len(o.AttributedTo) > 0 {
		return o.AttributedTo[0]
	}
	return o.Actor
}

// IsVote tells a vote in a poll, which is no comment (PROTOCOL 5): a Note with a name instead of content.
func (o *Object) IsVote() bool {
	return o.Type() == "Note" && o.Name != "" && o.Content == "" && len(o.InReplyTo) > 0 && len(o.Attachments) == 0
}

// Title is the name of an object that has one beside its text; a Note has none.
func (o *Object) Title() string {
	if o.Type() == "Note" {
		return ""
	}
	return o.Name
}

// Warning is the content warning. On anything longer than a Note, summary is an abstract (PROTOCOL 1c).
func (o *Object) Warning() string {
	if t := o.Type(); !o.saysSummary() && (t == "Note" || t == "Question" || o.Sensitive) {
		return o.Summary
	}
	return ""
}

// Addresses tells whether the object is sent to id or mentions it.
func (o *Object) Addresses(id thread.IRI) bool {
	return slices.Contains(o.To, id) || slices.Contains(o.Cc, id) || slices.Contains(o.Mentions, id)
}

// Audience is who may read the object by its own addressing; without any it is private.
func (o *Object) Audience() thread.Audience {
	switch {
	case slices.Contains(o.To, Public):
		return thread.Public
	case slices.Contains(o.Cc, Public):
		return thread.Unlisted
	}
	return thread.Private
}

// AudienceOf is who may read the object that came in this activity; nil when it came alone. A Create or Update by
// the object's author speaks for an object that has no addressing at all, and where both have one the narrower
// decides (SECURITY D21, SCENARIOS 20): a server that says two things may mean either. An object that names no author, or
// of which only the id came, is its sender's. Any other activity, such as an Announce, says nothing about who may read
// its object.
func (o *Object) AudienceOf(activity *Object) thread.Audience {
	own, author := o.Audience(), o.Author()
	if activity == nil || !activity.publishes() || !activity.addressed || author != "" && author != activity.Actor {
		return own
	}
	if !o.addressed {
		return activity.Audience()
	}
	return min(own, activity.Audience())
}

// Attachment is a picture, film, sound, file or link beside an object's text.
type Attachment struct {
	Type, MediaType, URL, Alt string
}

// Profile is what an actor's document says beyond Object.
type Profile struct {
	Username    string // preferredUsername
	WebFinger   string // FEP-2c59 "user@domain", the domain in punycode; may be empty
	Inbox       thread.IRI
	SharedInbox thread.IRI
	Followers   thread.IRI
	Icon        string
	Keys        []PublicKey // at most 16
	MovedTo     thread.IRI
	AlsoKnownAs []thread.IRI
	Suspended   bool
	HidesPublic bool // gts:hidesToPublicFromUnauthedWeb
	HidesCC     bool // gts:hidesCcPublicFromUnauthedWeb
	Bot         bool // type Service or Application
}

// PublicKey is a key as an actor's or key's document gives it. A key given by reference has only its ID set.
type PublicKey struct {
	ID    string // empty when missing or impossible
	Owner thread.IRI
	PEM   string // or the multibase text of a Multikey (FEP-521a)
}

// Collection is a Collection, OrderedCollection or a page of one.
type Collection struct {
	ID         thread.IRI
	TotalItems int         // -1: not said
	First      *Collection // inlined; or only its ID
	Next       thread.IRI
	PartOf     thread.IRI
	Items      []*Object // at most 500 are read
}
