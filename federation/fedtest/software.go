package fedtest

import (
	"fmt"
	"hash/crc32"
	"html"
	"strconv"
	"strings"
	"time"

	"afterword/sanitize"
)

// software is what differs between the servers that are played here.
type software struct {
	name      string
	agent     string            // User-Agent
	algorithm string            // as its signatures call RSA with SHA-256
	context   []any             // of its documents
	addresses map[string]string // patterns of the ids of things, and of activities by their type
	serial    func(n int64) string
	date      string // layout
	zone      *time.Location

	deleted int // status of a deleted note: versions differ, so here is one of each

	tellsAuthor       bool // sends a reply to the author it answers, mentioned or not (PROTOCOL 2a)
	keepsConversation bool // hands on the conversation of what it answers (PROTOCOL 2d)
	obeysPolicy       bool // does not let its people reply where nobody may
	secureMode        bool // answers only signed GETs
	knocksTwice       bool // signs after RFC 9421 when the other way is refused
	keepsTopics       bool // lists the whole thread, as far as it knows it, in a context of its own (FEP-7888)

	group string // the account that passes everything on in an Announce; its name differs from everybody's

	mention func(m mention) string
	note    func(s *Server, n Note, d object)           // gives a Note its shape
	message func(d object)                              // gives an activity its shape
	replies func(s *Server, n Note, others bool) object // nil: it has no such collections
}

// softwares are read in the sources that PROTOCOL names; ids are as theirs, but for their numbers.
var softwares = map[string]software{
	"mastodon": {
		name:      "mastodon",
		agent:     "Mastodon/4.5.0 (http.rb/5.3.1; +{base}/)",
		algorithm: "rsa-sha256",
		context: []any{"https://www.w3.org/ns/activitystreams", object{"ostatus": "http://ostatus.org#", "atomUri": "ostatus:atomUri",
			"inReplyToAtomUri": "ostatus:inReplyToAtomUri", "conversation": "ostatus:conversation", "sensitive": "as:sensitive"}},
		addresses: map[string]string{
			"person": "{base}/users/{name}", "key": "{actor}#main-key", "profile": "{base}/@{name}",
			"note": "{actor}/statuses/{n}", "page": "{base}/@{name}/{n}", "remote": "{base}/authorize_interaction?uri={uri}",
			"Create": "{object}/activity", "Update": "{object}#updates/{n}", "Delete": "{object}#delete",
			"Follow": "{actor}#follows/{n}", "Accept": "{actor}#accepts/follows/{n}", "Undo": "{object}/undo",
			"Like": "{actor}#likes/{n}", "Announce": "{actor}/statuses/{n}/activity", "EmojiReact": "{actor}#emoji_reactions/{n}",
		},
		serial: func(n int64) string { return strconv.FormatInt(n, 10) },
		date:   "2006-01-02T15:04:05Z", zone: time.UTC, deleted: 404,
		tellsAuthor: true, keepsConversation: true, knocksTwice: true,
		mention: func(m mention) string {
			name, _, _ := strings.Cut(m.Name[1:], "@")
			return `<span class="h-card" translate="no"><a href="` + html.EscapeString(m.Page) + `" class="u-url mention">@<span>` + html.EscapeString(name) + `</span></a></span>`
		},
		note: mastodonNote, message: func(object) {}, replies: mastodonReplies,
	},
	"gotosocial": {
		name:      "gotosocial",
		agent:     "gotosocial/0.20.0 (+{base})",
		algorithm: "hs2019",
		context:   []any{"https://gotosocial.org/ns", "https://www.w3.org/ns/activitystreams", object{"sensitive": "as:sensitive"}},
		addresses: map[string]string{
			"person": "{base}/users/{name}", "key": "{actor}/main-key", "profile": "{base}/@{name}",
			"note": "{actor}/statuses/{n}", "page": "{base}/@{name}/statuses/{n}",
			"Create": "{object}/activity#Create", "Update": "{object}/activity#Update/{n}", "Delete": "{object}#Delete",
			"Follow": "{actor}/follow/{n}", "Accept": "{actor}#accepts/{n}", "Undo": "{object}#undo/{n}",
			"Like": "{actor}/liked/{n}", "Announce": "{actor}/statuses/{n}", "EmojiReact": "{actor}/reacted/{n}",
		},
		serial: func(n int64) string { return fmt.Sprintf("01%024s", strings.ToUpper(strconv.FormatInt(n, 32))) }, // a ULID
		date:   time.RFC3339, zone: time.FixedZone("", 3600), deleted: 410,
		obeysPolicy: true, secureMode: true,
		mention: func(m mention) string {
			name, _, _ := strings.Cut(m.Name[1:], "@")
			return `<span class="h-card"><a href="` + html.EscapeString(m.Page) + `" class="u-url mention" rel="nofollow noreferrer noopener" target="_blank">@<span>` + html.EscapeString(name) + `</span></a></span>`
		},
		note: goToSocialNote, message: goToSocialMessage, replies: goToSocialReplies,
	},
	"misskey": {
		name:      "misskey",
		agent:     "Misskey/2025.4.0 ({base})",
		algorithm: "rsa-sha256",
		context: []any{"https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1", object{"misskey": "https://misskey-hub.net/ns#",
			"_misskey_content": "misskey:_misskey_content", "_misskey_reaction": "misskey:_misskey_reaction", "sensitive": "as:sensitive"}},
		addresses: map[string]string{
			"person": "{base}/users/9{name}", "key": "{actor}#main-key", "profile": "{base}/@{name}",
			"note": "{base}/notes/{n}", "page": "{base}/notes/{n}", "remote": "{base}/authorize-follow?acct={uri}",
			"Create": "{object}/activity", "Update": "{object}#updates/{n}", "Delete": "{base}/{n}",
			"Follow": "{base}/follows/{n}", "Accept": "{base}/{n}", "Undo": "{object}/undo",
			"Like": "{base}/likes/{n}", "Announce": "{base}/notes/{n}/activity", "EmojiReact": "{base}/likes/{n}",
		},
		serial: func(n int64) string { return strconv.FormatInt(n, 36) },
		date:   "2006-01-02T15:04:05.000Z", zone: time.UTC, deleted: 410,
		tellsAuthor: true,
		mention: func(m mention) string {
			return `<a href="` + html.EscapeString(m.Page) + `" class="u-url mention">` + html.EscapeString(m.Name) + `</a>`
		},
		note: misskeyNote, message: misskeyMessage,
	},
	"lemmy": {
		name:      "lemmy",
		agent:     "Lemmy/1.0.0; +{base}",
		algorithm: "hs2019",
		context:   []any{"https://join-lemmy.org/context.json", "https://www.w3.org/ns/activitystreams"},
		addresses: map[string]string{
			"person": "{base}/u/{name}", "group": "{base}/c/{name}", "key": "{actor}#main-key", "profile": "{base}/u/{name}",
			"note": "{base}/comment/{n}", "page": "{base}/comment/{n}",
			"Create": "{base}/activities/create/{n}", "Update": "{base}/activities/update/{n}", "Delete": "{base}/activities/delete/{n}",
			"Follow": "{base}/activities/follow/{n}", "Accept": "{base}/activities/accept/{n}", "Undo": "{base}/activities/undo/{n}",
			"Like": "{base}/activities/like/{n}", "Announce": "{base}/activities/announce/{n}", "EmojiReact": "{base}/activities/like/{n}",
		},
		serial: func(n int64) string { return strconv.FormatInt(n, 10) },
		date:   "2006-01-02T15:04:05.000000Z", zone: time.UTC, deleted: 410,
		tellsAuthor: true, group: "community",
		mention: func(m mention) string {
			return `<a href="` + html.EscapeString(m.Page) + `" rel="nofollow">` + html.EscapeString(m.Name) + `</a>`
		},
		note: lemmyNote, message: func(object) {},
	},
	"nodebb": {
		name:      "nodebb",
		agent:     "NodeBB/4.6.0 (compatible; +{base})",
		algorithm: "hs2019",
		context:   []any{"https://www.w3.org/ns/activitystreams"},
		addresses: map[string]string{
			"person": "{base}/uid/{name}", "group": "{base}/category/{name}", "key": "{actor}#key", "profile": "{base}/user/{name}",
			"note": "{base}/post/{n}", "page": "{base}/post/{n}", "topic": "{base}/topic/{n}",
			"Create": "{object}#activity/create/{n}", "Update": "{object}#activity/update/{n}", "Delete": "{object}#activity/delete/{n}",
			"Follow": "{actor}#activity/follow/{n}", "Accept": "{actor}#activity/accept/{n}", "Undo": "{actor}#activity/undo/{n}",
			"Like": "{actor}#activity/like/{n}", "Announce": "{actor}#activity/announce/{n}", "EmojiReact": "{actor}#activity/like/{n}",
		},
		serial: func(n int64) string { return strconv.FormatInt(n, 10) },
		date:   "2006-01-02T15:04:05.000Z", zone: time.UTC, deleted: 404,
		tellsAuthor: true, keepsTopics: true, group: "category",
		mention: func(m mention) string {
			return `<a class="plugin-mentions-user plugin-mentions-a" href="` + html.EscapeString(m.Page) + `" aria-label="Profile: ` + html.EscapeString(m.Name[1:]) + `">` + html.EscapeString(m.Name) + `</a>`
		},
		note: nodeBBNote, message: func(object) {},
	},
}

func (s *Server) stamp(t time.Time) string { return t.In(s.software.zone).Format(s.software.date) }

func mastodonNote(s *Server, n Note, d object) {
	d["atomUri"], d["inReplyToAtomUri"] = n.ID, d["inReplyTo"]
	d["contentMap"] = object{"en": n.HTML}
	d["conversation"] = n.Conversation
	if n.InReplyTo != "" && hostOf(n.Conversation) != "" {
		d["context"] = n.Conversation
	}
	d["replies"] = mastodonReplies(s, n, false)
}

// mastodonReplies: the first page has only what the author answered to himself; others are on the page after it, those
// of this server embedded (PROTOCOL 1e).
func mastodonReplies(s *Server, n Note, others bool) object {
	id := n.ID + "/replies"
	next := id + "?only_other_accounts=true&page=true"
	items := []any{}
	for _, reply := range s.repliesTo(n.ID) {
		switch own := reply.Author == n.Author; {
		case own == others:
		case s.isLocal(reply.ID) && others:
			items = append(items, s.noteObject(reply))
		default:
			items = append(items, reply.ID)
		}
	}
	if others {
		return object{"id": next, "type": "CollectionPage", "partOf": id, "items": items}
	}
	first := object{"type": "CollectionPage", "partOf": id, "next": next, "items": items}
	return object{"id": id, "type": "Collection", "first": first}
}

func goToSocialNote(s *Server, n Note, d object) {
	d["contentMap"] = object{"en": n.HTML}
	always := object{"always": public, "automaticApproval": public}
	d["interactionPolicy"] = object{"canReply": always, "canLike": always, "canAnnounce": always}
	d["replies"] = goToSocialReplies(s, n, false)
	single(d)
}

func goToSocialReplies(s *Server, n Note, _ bool) object {
	id := n.ID + "/replies"
	items := []any{}
	for _, reply := range s.repliesTo(n.ID) {
		items = append(items, reply.ID)
	}
	first := object{"id": id + "?limit=20&only_other_accounts=false", "type": "OrderedCollectionPage", "partOf": id,
		"totalItems": len(items), "orderedItems": items}
	single(first)
	return object{"id": id, "type": "OrderedCollection", "totalItems": len(items), "first": first}
}

func goToSocialMessage(d object) {
	switch d.str("type") {
	case "Create", "Update":
		delete(d, "published")
	case "Delete":
		d["object"] = d.id("object")
	}
	single(d)
}

// single writes lists of one as go-fed does: without the list.
func single(d object) {
	for _, name := range []string{"to", "cc", "tag", "orderedItems"} {
		if list, ok := d[name].([]any); ok && len(list) == 1 {
			d[name] = list[0]
		}
	}
}

func misskeyNote(_ *Server, n Note, d object) {
	text := sanitize.Text(n.HTML, 3000)
	d["_misskey_content"] = text
	d["source"] = object{"content": text, "mediaType": "text/x.misskeymarkdown"}
	delete(d, "url")
}

// lemmyNote: Markdown beside its HTML, a language that is an object, and the community as the audience.
func lemmyNote(s *Server, n Note, d object) {
	group := s.Person(s.software.group).ID
	d["source"] = object{"content": sanitize.Text(n.HTML, 10_000), "mediaType": "text/markdown"}
	d["content"], d["mediaType"] = n.HTML+"\n", "text/html"
	d["language"] = object{"identifier": "en", "name": "English"}
	d["audience"], d["distinguished"] = group, false
	d["cc"] = append([]any{group}, values(n.cc)...)
	delete(d, "url")
}

func nodeBBNote(s *Server, n Note, d object) {
	group := s.Person(s.software.group).ID
	d["audience"], d["context"] = s.topic(n), s.topic(n)
	d["cc"] = append([]any{group}, values(n.cc)...)
	d["source"] = object{"content": sanitize.Text(n.HTML, 10_000), "mediaType": "text/markdown"}
}

// topic is where the server lists the thread of a note.
func (s *Server) topic(n Note) string {
	for n.InReplyTo != "" {
		above, known := s.Note(n.InReplyTo)
		if !known {
			above.ID = n.InReplyTo
		}
		n = above
	}
	return s.address("topic", "{n}", strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(n.ID))), 10))
}

// topicCollection is a thread as FEP-7888 has it: every note of it that the server knows; nil when it knows none.
func (s *Server) topicCollection(id string) object {
	items := []any{}
	for _, n := range s.notesThat(func(n Note) bool { return !n.Deleted && n.isPublic() }) {
		if s.topic(n) == id {
			items = append(items, n.ID)
		}
	}
	if len(items) == 0 {
		return nil
	}
	return object{"id": id, "type": "OrderedCollection", "totalItems": len(items), "orderedItems": items}
}

// misskeyMessage: everything that Misskey's people like they react to with an emoji.
func misskeyMessage(d object) {
	if t := d.str("type"); t != "Like" && t != "EmojiReact" {
		return
	}
	d["type"] = "Like"
	if d["content"] == nil {
		d["content"] = "❤"
	}
	d["_misskey_reaction"] = d["content"]
}
