package wire

import (
	"cmp"
	"html"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"afterword/thread"

	"github.com/go-fed/activity/streams"
	"github.com/go-fed/activity/streams/vocab"
)

// Direct is the first page of an object's direct replies, those that are approved and public. Mastodon reads no
// further once it has five (PROTOCOL 1e), so as many as sensible stand there.
type Direct struct {
	IDs  []thread.IRI // newest first, at most 200
	More bool         // there is a second page
}

// NoteDocument is a post as it is served under its id (PROTOCOL 10; requirements 16-24).
func (b Blog) NoteDocument(p thread.Post, state thread.Openness, replies Direct) []byte {
	d := b.postNote(p, state, time.Time{})
	d["replies"] = b.replies(p.ID, replies)
	return encode(noteContext, d)
}

// AnswerDocument is one of the blogger's own comments as it is served under its id. Parent is the author of what it
// answers, and nobody when that is the post itself.
func (b Blog) AnswerDocument(c thread.Comment, parent thread.Author, state thread.Openness, replies Direct) []byte {
	d := b.answerNote(c, parent, state, time.Time{})
	d["replies"] = b.replies(c.ID, replies)
	return encode(noteContext, d)
}

// Tombstone stands in place of a removed Note; it is served with status 404, because Mastodon does nothing about a
// 410 (PROTOCOL 0.7, 1d).
func (b Blog) Tombstone(id thread.IRI, at time.Time) []byte {
	return encode(plainContext, tombstone(id, at))
}

func tombstone(id thread.IRI, at time.Time) doc {
	t := streams.NewActivityStreamsTombstone()
	t.SetJSONLDId(identity(id))
	d := members(t)
	d["formerType"] = "Note"
	if !at.IsZero() {
		d["deleted"] = stamp(at)
	}
	return d
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// postNote is a post as a Note that changed at a moment, which may be zero.
func (b Blog) postNote(p thread.Post, state thread.Openness, changed time.Time) doc {
	n := b.note(p.ID, b.NoteURL(p), p.Published, latest(p.Updated, changed))
	n.SetActivityStreamsCc(listing(streams.NewActivityStreamsCcProperty(), b.Followers()))
	if p.Unlisted { // the same audience, but Public is only told (PROTOCOL 1c)
		n.SetActivityStreamsTo(listing(streams.NewActivityStreamsToProperty(), b.Followers()))
		n.SetActivityStreamsCc(listing(streams.NewActivityStreamsCcProperty(), Public))
	}
	n.SetActivityStreamsContent(saying(streams.NewActivityStreamsContentProperty(), b.postHTML(p, state)))
	n.SetActivityStreamsContext(listing(streams.NewActivityStreamsContextProperty(), b.Context(p.ID)))
	tags := []any{}
	for _, name := range hashtags(p.Tags) {
		tags = append(tags, doc{"type": "Hashtag", "href": b.tagPage(name), "name": "#" + name})
	}
	d := b.extend(members(n), state, p.Lang)
	d["tag"] = tags
	if len(p.Pictures) > 0 {
		d["attachment"] = attachments(p.Pictures)
	}
	if p.Warning != "" {
		d["summary"], d["sensitive"] = p.Warning, true
	}
	d["likes"] = count("Collection", b.Likes(p.ID), p.Likes)
	d["shares"] = count("Collection", b.Shares(p.ID), p.Boosts)
	return d
}

// maxPictures is how many Mastodon shows (PROTOCOL 1c).
const maxPictures = 4

// attachments are pictures as all peers show them. Mastodon reads what they show from name, others from summary too.
func attachments(pictures []thread.Picture) []any {
	var out []any
	for _, p := range pictures[:min(len(pictures), maxPictures)] {
		d := picture(p.URL)
		if p.Type != "" {
			d["mediaType"] = p.Type
		}
		if p.Alt != "" {
			d["name"] = p.Alt
		}
		out = append(out, d)
	}
	return out
}

// answerNote is a comment of the blogger. It names the author of what it answers in tag and cc, because GoToSocial
// drops what does not mention its user (requirement 28), and stands in the post's conversation.
func (b Blog) answerNote(c thread.Comment, parent thread.Author, state thread.Openness, changed time.Time) doc {
	n := b.note(c.ID, b.onOurHost(c.URL, c.ID), c.Published, latest(c.Edited, changed))
	n.SetActivityStreamsContext(listing(streams.NewActivityStreamsContextProperty(), b.Context(c.Post)))
	n.SetActivityStreamsInReplyTo(listing(streams.NewActivityStreamsInReplyToProperty(), cmp.Or(c.Parent, c.Post)))
	text, cc, tags := c.HTML, []thread.IRI{b.Followers()}, []any{}
	if parent.ID != "" && !b.IsOurs(parent.ID) {
		text, cc = mentioning(parent, text), append(cc, parent.ID)
		tags = append(tags, doc{"type": "Mention", "href": parent.ID, "name": parent.Handle})
	}
	n.SetActivityStreamsCc(listing(streams.NewActivityStreamsCcProperty(), cc...))
	n.SetActivityStreamsContent(saying(streams.NewActivityStreamsContentProperty(), text))
	d := b.extend(members(n), state, c.Lang)
	d["tag"] = tags
	return d
}

// note begins a public Note of the blog. It never has a name, and a summary only where the blogger set a content warning,
// as which peers show both (PROTOCOL 0.3). It says updated only where that is not before published: GoToSocial refuses it otherwise.
func (b Blog) note(id thread.IRI, page string, published, updated time.Time) vocab.ActivityStreamsNote {
	n := streams.NewActivityStreamsNote()
	n.SetJSONLDId(identity(id))
	n.SetActivityStreamsAttributedTo(listing(streams.NewActivityStreamsAttributedToProperty(), b.Actor()))
	n.SetActivityStreamsUrl(listing(streams.NewActivityStreamsUrlProperty(), thread.IRI(page)))
	n.SetActivityStreamsTo(listing(streams.NewActivityStreamsToProperty(), Public))
	n.SetActivityStreamsPublished(publishedAt(published))
	if !updated.IsZero() && !updated.Before(published) {
		n.SetActivityStreamsUpdated(updatedAt(updated))
	}
	return n
}

// extend adds what the vocabulary does not have. Mastodon hands conversation on with every reply at any depth, so it
// is our collection of the thread, as context is (PROTOCOL 2d, FEP-f228).
func (b Blog) extend(d doc, state thread.Openness, lang string) doc {
	d["conversation"] = d["context"]
	d["replies"] = b.Replies(thread.IRI(d["id"].(string)))
	d["commentsEnabled"] = state != thread.Closed // Pixelfed, Friendica
	d["interactionPolicy"] = b.policy(state)
	if lang = cmp.Or(lang, b.Lang); lang != "" {
		d["contentMap"] = doc{lang: d["content"]}
	}
	return d
}

// policy is who may reply (PROTOCOL 4), in GoToSocial's present and former spelling. Nobody is the blog itself: an
// empty list would mean everybody. Liking and boosting are not restricted and so not mentioned; quotes are not
// answered for, so not allowed (requirement 90, FEP-044f).
func (b Blog) policy(state thread.Openness) doc {
	us, everybody := []thread.IRI{b.Actor()}, []thread.IRI{Public}
	reply := doc{"automaticApproval": us, "always": us}
	switch state {
	case thread.Open:
		reply = doc{"automaticApproval": everybody, "always": everybody}
	case thread.Moderated:
		reply["manualApproval"], reply["approvalRequired"] = everybody, everybody
	}
	return doc{"canReply": reply, "canQuote": doc{"automaticApproval": us}}
}

// block is safe HTML as a block of its own.
func block(safe string) string {
	safe = strings.TrimSpace(safe)
	for _, start := range []string{"<p", "<ul", "<ol", "<blockquote", "<pre"} {
		if strings.HasPrefix(safe, start) {
			return safe
		}
	}
	if safe == "" {
		return ""
	}
	return "<p>" + safe + "</p>"
}

// mentioning puts the name of the answered person before the text, as Mastodon writes it.
func mentioning(who thread.Author, safe string) string {
	page := cmp.Or(string(iri(who.URL)), string(who.ID))
	name, _, _ := strings.Cut(strings.TrimPrefix(who.Handle, "@"), "@")
	mention := `<span class="h-card"><a href="` + html.EscapeString(page) + `" class="u-url mention">@<span>` +
		html.EscapeString(name) + `</span></a></span> `
	if rest, ok := strings.CutPrefix(strings.TrimSpace(safe), "<p>"); ok {
		return "<p>" + mention + rest
	}
	return "<p>" + mention + "</p>" + block(safe)
}

// hashtags are tags as hashtags without "#", each once: letters, digits and underscores, not digits alone. Words are
// joined: "open source" is "openSource".
func hashtags(tags []string) []string {
	var names []string
	for _, tag := range tags {
		words := strings.FieldsFunc(tag, func(r rune) bool {
			return r != '_' && !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r)
		})
		for i := 1; i < len(words); i++ {
			first := []rune(words[i])
			first[0] = unicode.ToUpper(first[0])
			words[i] = string(first)
		}
		name := strings.Join(words, "")
		known := slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
		if strings.ContainsFunc(name, unicode.IsLetter) && !known {
			names = append(names, name)
		}
	}
	return names
}

// tagPage is where a hashtag leads: peers use their own page of the tag, and the blog's pages of tags are unknown.
func (b Blog) tagPage(name string) string { return b.Page + "#" + url.PathEscape(name) }

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
