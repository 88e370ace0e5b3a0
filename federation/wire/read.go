package wire

import (
	"slices"
	"strconv"
	"strings"

	"afterword/thread"
)

// reader turns nodes into Objects. It carries what embedded objects inherit.
type reader struct {
	lang string // @language of the context
}

// object reads a value that is an object or the id of one; of a list the first that is either.
func (r reader) object(n *node) *Object {
	switch n.kind {
	case '{':
		return r.full(n)
	case '"':
		return &Object{ID: iri(n.text), LikesTotal: -1, fault: idFault(n)}
	case '[':
		for i := range n.values {
			if o := r.object(&n.values[i]); o != nil {
				return o
			}
		}
	}
	return nil
}

// full reads an object with all its members.
func (r reader) full(n *node) *Object {
	context := n.get("@context")
	if lang := contextLanguage(context); lang != "" {
		r.lang = lang
	}
	o := &Object{ID: n.id(), Types: types(n), Raw: n.raw, fault: fault(n), LikesTotal: -1, Signed: n.get("signature").given() || n.get("proof").given()}
	o.transient = isTransient(o, n)
	r.activity(o, n)
	r.address(o, n)
	r.say(o, n)
	r.relate(o, n)
	if isActor(o.Type()) || n.first("inbox", "publicKeyPem", "publicKeyMultibase").given() {
		o.Profile = r.profile(o, n)
	}
	if isCollection(o.Type()) {
		o.Collection = r.collection(n)
	}
	return o
}

func (r reader) activity(o *Object, n *node) {
	if actors := n.get("actor").each(); len(actors) == 1 {
		o.Actor = actors[0].id()
	}
	object := n.get("object")
	o.Object = r.object(object)
	for _, v := range object.each() { // Mastodon's Flag names the account and each of its posts
		if id := v.id(); id != "" {
			o.Objects = append(o.Objects, id)
		}
	}
	o.Target = r.object(n.get("target"))
	o.Instrument = r.object(n.get("instrument"))
}

// address reads to whom an object is sent. Only Public in to and cc tells everybody (PROTOCOL 5): as a blind copy,
// or as the audience beside closed lists, it does not.
func (r reader) address(o *Object, n *node) {
	read := func(into []thread.IRI, name string, public bool) []thread.IRI {
		list := n.get(name)
		o.addressed = o.addressed || list.given() && name != "audience"
		for _, v := range list.each() {
			s := v.str()
			if v.kind == '{' {
				s = v.get("id").str()
			}
			if id := addressee(s); id != "" && (public || id != Public) {
				into = append(into, id)
			}
		}
		return into
	}
	o.To = read(read(read(nil, "to", true), "audience", false), "bto", false)
	o.Cc = read(read(nil, "cc", true), "bcc", false)
}

// say reads what an object says to people.
func (r reader) say(o *Object, n *node) {
	o.Name = words(n, "name")
	o.Summary = strings.Trim(words(n, "summary"), " \t\r\n\u200b") // Misskey's empty warning is "\u200b"
	o.Content = words(n, "content")
	o.MediaType = mediaType(n.get("mediaType").str())
	o.Lang = r.language(n, o.Content)
	o.Sensitive = truthy(n.first("sensitive", "as:sensitive"))
	o.Published, o.Updated = moment(n.get("published")), moment(n.get("updated"))
	o.URL = pageURL(n.get("url"))
	for _, a := range n.get("attachment").each() {
		if att, ok := attachment(&a); ok {
			o.Attachments = append(o.Attachments, att)
		}
	}
	for _, name := range []string{"oneOf", "anyOf"} {
		for _, option := range n.get(name).each() {
			if s := words(&option, "name"); s != "" {
				o.Options = append(o.Options, s)
			}
		}
	}
}

// relate reads how an object stands to others.
func (r reader) relate(o *Object, n *node) {
	o.AttributedTo = authors(n.get("attributedTo"))
	o.InReplyTo = n.targets("inReplyTo")
	o.Contexts = n.targets("context", "conversation", "ostatus:conversation", "inConversation")
	o.Quote = n.first("quote", "quoteUrl", "quoteUri", "_misskey_quote", "as:quoteUrl").target()
	for _, tag := range n.get("tag").each() {
		switch href := tag.target(); {
		case slices.Contains(types(&tag), "Mention"):
			if href := iri(tag.get("href").str()); href != "" && !slices.Contains(o.Mentions, href) {
				o.Mentions = append(o.Mentions, href)
			}
		case o.Quote == "" && href != "" && isQuoteLink(&tag):
			o.Quote = href
		}
	}
	switch replies := n.get("replies"); replies.kind {
	case '"', '{':
		o.Replies = r.collection(replies)
	}
	if likes := n.get("likes"); likes.kind == '{' {
		o.LikesTotal = total(likes)
	}
}

// authors are the ids in attributedTo: persons before others, because PeerTube and Mobilizon name the account and
// its channel or group.
func authors(n *node) []thread.IRI {
	var persons, others []thread.IRI
	for _, v := range n.each() {
		switch id := v.target(); {
		case id == "":
		case slices.Contains(types(&v), "Person"):
			persons = append(persons, id)
		default:
			others = append(others, id)
		}
	}
	return append(persons, others...)
}

// isQuoteLink tells a link tag that quotes (FEP-e232): marked as Misskey does, or leading to an ActivityPub object.
func isQuoteLink(tag *node) bool {
	if !slices.Contains(types(tag), "Link") {
		return false
	}
	for _, rel := range tag.get("rel").each() {
		if strings.HasSuffix(rel.str(), "_misskey_quote") {
			return true
		}
	}
	kind := tag.get("mediaType").str()
	return strings.HasPrefix(kind, ActivityJSON) ||
		strings.HasPrefix(kind, "application/ld+json") && strings.Contains(kind, "activitystreams")
}

// collection reads a collection, a page of one, or the id of either; nil for anything else.
func (r reader) collection(n *node) *Collection {
	switch n.kind {
	case '"':
		return &Collection{ID: iri(n.text), TotalItems: -1}
	case '{':
		c := &Collection{ID: n.id(), TotalItems: total(n), Next: n.get("next").target(), PartOf: n.get("partOf").target()}
		c.First = r.collection(n.get("first"))
		for _, item := range n.first("orderedItems", "items").each() {
			if o := r.object(&item); o != nil && (o.ID != "" || o.Raw != nil) {
				c.Items = append(c.Items, o)
			}
		}
		return c
	}
	return nil
}

// total is totalItems, -1 where it is missing or impossible.
func total(n *node) int {
	if v := n.get("totalItems"); v.kind == '0' {
		if i, err := strconv.Atoi(v.text); err == nil && i >= 0 {
			return i
		}
	}
	return -1
}

// profile reads an actor, or the document of a single key.
func (r reader) profile(o *Object, n *node) *Profile {
	p := &Profile{
		Username:    n.get("preferredUsername").str(),
		WebFinger:   accountIn(n.get("webfinger").str()), // FEP-2c59
		Inbox:       n.get("inbox").id(),
		SharedInbox: n.get("endpoints").get("sharedInbox").id(),
		Followers:   n.get("followers").id(),
		Icon:        firstLink(n.get("icon")).href,
		MovedTo:     n.get("movedTo").id(),
		AlsoKnownAs: n.targets("alsoKnownAs"),
		Suspended:   truthy(n.first("suspended", "toot:suspended")),
		HidesPublic: truthy(n.first("hidesToPublicFromUnauthedWeb", "gts:hidesToPublicFromUnauthedWeb")),
		HidesCC:     truthy(n.first("hidesCcPublicFromUnauthedWeb", "gts:hidesCcPublicFromUnauthedWeb")),
		Bot:         o.Type() == "Service" || o.Type() == "Application",
	}
	if p.SharedInbox == "" {
		p.SharedInbox = n.get("sharedInbox").id()
	}
	if n.first("publicKeyPem", "publicKeyMultibase").given() {
		p.Keys = append(p.Keys, publicKey(n))
	}
	for _, name := range []string{"publicKey", "assertionMethod"} {
		for _, key := range n.get(name).each() {
			p.Keys = append(p.Keys, publicKey(&key))
		}
	}
	return p
}

func publicKey(n *node) PublicKey {
	return PublicKey{ID: string(n.id()), Owner: n.first("owner", "controller").id(),
		PEM: n.first("publicKeyPem", "publicKeyMultibase").str()}
}

// truthy is a flag, also as PHP and hand-written servers send it (SECURITY C37: "yes").
func truthy(n *node) bool {
	switch n.kind {
	case 't':
		return true
	case '0':
		return strings.Trim(n.text, "-0.") != ""
	case '"':
		s := strings.ToLower(strings.TrimSpace(n.text))
		return s != "" && s != "0" && s != "false" && s != "no"
	}
	return false
}
