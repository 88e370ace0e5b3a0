package wire

import (
	"cmp"
	"html"
	"strings"
	"time"

	"afterword/thread"

	"github.com/go-fed/activity/streams"
)

// Blog is what the documents say of the blog.
type Blog struct {
	Base      string // where this server answers, without a slash at its end: "https://example.com/.ap"
	Handle    string // "blog"
	Domain    string // of the account, with its port if it has one; empty: the host of Base
	Name      string // plain text
	Summary   string // safe HTML
	Lang      string // BCP 47, of posts that do not say theirs; may be empty
	Page      string // the blog's URL
	Icon      string // address of a picture; may be empty
	Header    string // the same, for the wide picture above the profile
	Fields    []Field
	Aliases   []thread.IRI // accounts that may move here (alsoKnownAs)
	MovedTo   thread.IRI   // the account that the blog's followers were sent to; empty: none
	KeyName   string       // fragment of the key's id; empty: "main-key"
	KeyPEM    string       // the public key, SPKI in PEM
	Former    Former       // the key before it, while that is still good
	Published time.Time

	Template     string // of a Note's text, made by Template; empty: title, text, link and tags
	ClosedNotice bool   // the Note's text says that comments are closed
}

// Field is a line of the profile.
type Field struct {
	Name  string // plain text
	Value string // plain text, or an address, which becomes a link
}

// Former is a public key that the blog had before.
type Former struct {
	Name      string // fragment of its id
	Multibase string // empty: there is none
}

func (b Blog) at(path string) thread.IRI { return thread.IRI(b.Base + path) }

// The ids of the blog's actor and of what belongs to it (CONTRACT, "Federation URLs").

func (b Blog) Actor() thread.IRI     { return b.at("/actor") }
func (b Blog) Inbox() thread.IRI     { return b.at("/inbox") }
func (b Blog) Outbox() thread.IRI    { return b.at("/outbox") }
func (b Blog) Followers() thread.IRI { return b.at("/followers") }
func (b Blog) Following() thread.IRI { return b.at("/following") }
func (b Blog) Featured() thread.IRI  { return b.at("/featured") }

// KeyID is the id of the blog's key, a fragment of the actor: the form that every peer understands (PROTOCOL 1f).
func (b Blog) KeyID() string { return b.keyID(b.KeyName) }

func (b Blog) keyID(name string) string { return string(b.Actor()) + "#" + cmp.Or(name, "main-key") }

// Account is the blog's account without a leading "@": "blog@example.com".
func (b Blog) Account() string { return b.Handle + "@" + b.domain() }

func (b Blog) domain() string {
	if b.Domain != "" {
		return b.Domain
	}
	return b.Actor().Host()
}

// The collections of a post, or of one of the blog's answers ("…/answers/7" has "…/answers/7/replies").

func (b Blog) Replies(note thread.IRI) thread.IRI { return b.part("/replies", note) }
func (b Blog) Context(note thread.IRI) thread.IRI { return b.part("/context", note) }
func (b Blog) Likes(note thread.IRI) thread.IRI   { return b.part("/likes", note) }
func (b Blog) Shares(note thread.IRI) thread.IRI  { return b.part("/shares", note) }

func (b Blog) part(name string, note thread.IRI) thread.IRI {
	if path, ok := strings.CutPrefix(string(note), b.Base+"/posts/"); ok {
		return b.at(name + "/" + path)
	}
	return note + thread.IRI(name)
}

// NoteURL is the page that peers are told for a post: its page on the blog where that is on our host, else our page
// of the thread under the Note's id, because Misskey refuses a Note whose url is on another host (PROTOCOL 0.1).
func (b Blog) NoteURL(p thread.Post) string { return b.onOurHost(p.URL, p.ID) }

func (b Blog) onOurHost(page string, id thread.IRI) string {
	if page != "" && iri(page).Host() == id.Host() {
		return page
	}
	return string(id)
}

// IsOurs tells ids that only we may speak for (SECURITY R4): on our host in any spelling and by any scheme, and on
// any port unless Base names one.
func (b Blog) IsOurs(id thread.IRI) bool {
	ours, theirs := iri(b.Base).Host(), iri(string(id)).Host()
	if name, port := cutPort(ours); port == "" {
		theirs, _ = cutPort(theirs)
		ours = name
	}
	return ours != "" && ours == theirs
}

// cutPort splits "host:port" as Host gives it; an IPv6 host keeps its brackets.
func cutPort(host string) (name, port string) {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		return host[:i], host[i+1:]
	}
	return host, ""
}

// ActorDocument is the blog as an actor (PROTOCOL 10).
func (b Blog) ActorDocument() []byte { return encode(b.actorContext(), b.actor()) }

func (b Blog) actorContext() string {
	context := actorContext
	if b.Former.Multibase != "" {
		context += multikeyContext
	}
	if b.splitDomain() {
		context += webfingerContext
	}
	return context + actorTerms
}

func (b Blog) splitDomain() bool {
	return iri("https://"+b.domain()).Host() != iri("https://"+b.Actor().Host()).Host()
}

func (b Blog) actor() doc {
	a := streams.NewActivityStreamsPerson()
	a.SetJSONLDId(identity(b.Actor()))
	a.SetActivityStreamsName(saying(streams.NewActivityStreamsNameProperty(), b.Name))
	a.SetActivityStreamsSummary(saying(streams.NewActivityStreamsSummaryProperty(), b.Summary))
	// Mastodon drops a url on another host than the id.
	a.SetActivityStreamsUrl(listing(streams.NewActivityStreamsUrlProperty(), thread.IRI(b.onOurHost(b.Page, b.Actor()))))
	a.SetActivityStreamsInbox(naming(streams.NewActivityStreamsInboxProperty(), b.Inbox()))
	a.SetActivityStreamsOutbox(naming(streams.NewActivityStreamsOutboxProperty(), b.Outbox()))
	a.SetActivityStreamsFollowers(naming(streams.NewActivityStreamsFollowersProperty(), b.Followers()))
	a.SetActivityStreamsFollowing(naming(streams.NewActivityStreamsFollowingProperty(), b.Following()))
	a.SetTootFeatured(naming(streams.NewTootFeaturedProperty(), b.Featured()))
	if !b.Published.IsZero() {
		a.SetActivityStreamsPublished(publishedAt(b.Published))
	}
	d := members(a)
	b.extendActor(d)
	return d
}

// extendActor adds the members that the vocabulary does not have.
func (b Blog) extendActor(d doc) {
	d["preferredUsername"] = b.Handle
	d["discoverable"] = true
	d["endpoints"] = doc{"sharedInbox": b.Inbox()}
	d["indexable"] = true
	d["manuallyApprovesFollowers"] = false
	b.extendKeys(d)
	if b.splitDomain() {
		d["webfinger"] = b.Account()
	}
	if b.Icon != "" {
		d["icon"] = picture(b.Icon)
	}
	if b.Header != "" {
		d["image"] = picture(b.Header)
	}
	if len(b.Aliases) > 0 {
		d["alsoKnownAs"] = b.Aliases
	}
	if b.MovedTo != "" {
		d["movedTo"] = b.MovedTo
	}
	var fields []any
	if host := iri(b.Page).Host(); host != "" { // Mastodon: link previews name the author; a verified link
		d["attributionDomains"] = []string{host}
		fields = append(fields, Field{"Blog", b.Page}.document())
	}
	for _, f := range b.Fields {
		fields = append(fields, f.document())
	}
	if len(fields) > 0 {
		d["attachment"] = fields
	}
}

func (f Field) document() doc {
	value := html.EscapeString(f.Value)
	if host := iri(f.Value).Host(); host != "" {
		text := strings.TrimSuffix(value[strings.Index(value, "://")+len("://"):], "/")
		value = `<a href="` + value + `" rel="me">` + text + `</a>`
	}
	return doc{"type": "PropertyValue", "name": f.Name, "value": value}
}

// extendKeys adds the public keys. publicKey is one object, never a list: to many servers an actor with a list of keys is no
// actor at all. A former key stands where only those look who can read several (FEP-521a).
func (b Blog) extendKeys(d doc) {
	d["publicKey"] = doc{"id": b.KeyID(), "owner": b.Actor(), "publicKeyPem": b.KeyPEM}
	if b.Former.Multibase != "" {
		d["assertionMethod"] = []any{doc{"id": b.keyID(b.Former.Name), "type": "Multikey", "controller": b.Actor(), "publicKeyMultibase": b.Former.Multibase}}
	}
}

// picture is an image; its media type is what its name says.
func picture(address string) doc {
	d := doc{"type": "Image", "url": address}
	name, _, _ := strings.Cut(address, "?")
	for suffix, kind := range map[string]string{".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp",
		".gif": "gif", ".svg": "svg+xml", ".ico": "x-icon", ".avif": "avif"} {
		if strings.HasSuffix(strings.ToLower(name), suffix) {
			d["mediaType"] = "image/" + kind
		}
	}
	return d
}
