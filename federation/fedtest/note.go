package fedtest

import (
	"cmp"
	"html"
	"slices"
	"strings"
	"time"
)

// Note is a post or reply as a server keeps it.
type Note struct {
	ID, URL      string
	Author       string // an actor's id
	InReplyTo    string // empty: a post
	Conversation string
	Context      string // a collection of the whole thread; may be empty
	HTML         string // as its own server sends it: not safe to show
	Published    time.Time
	Updated      time.Time // zero: never
	Closed       bool      // its author lets nobody reply
	Deleted      bool
	RejectedBy   string // who answered our reply with a Reject
	Sent         Sent   // the last activity about it; our people's notes only

	text     string // as its author wrote it, without mentions
	warning  string
	to, cc   []string
	mentions []mention
	inboxes  []string
}

// mention is the tag of a person in a note.
type mention struct {
	Actor, Page string
	Name        string // "@blog@example.com"
}

// Visibility is who may read a note.
type Visibility string

// The visibilities, as Mastodon calls them.
const (
	Public    Visibility = "public"
	Unlisted  Visibility = "unlisted"
	Followers Visibility = "followers"
	Direct    Visibility = "direct"
)

// address says in to and cc who may read the note (PROTOCOL 5).
func (n *Note) address(v Visibility, followers string) {
	var mentioned []string
	for _, m := range n.mentions {
		mentioned = append(mentioned, m.Actor)
	}
	switch cmp.Or(v, Public) {
	case Public:
		n.to, n.cc = []string{public}, append([]string{followers}, mentioned...)
	case Unlisted:
		n.to, n.cc = []string{followers}, append([]string{public}, mentioned...)
	case Followers:
		n.to, n.cc = []string{followers}, mentioned
	default:
		n.to, n.cc = mentioned, nil
	}
}

// isPublic tells whether anybody may fetch the note.
func (n Note) isPublic() bool { return slices.Contains(n.to, public) || slices.Contains(n.cc, public) }

// compose puts the mentions before the text, as all three do.
func (s *Server) compose(text string, mentions []mention) string {
	if !strings.HasPrefix(text, "<") {
		text = "<p>" + text + "</p>"
	}
	var names strings.Builder
	for _, m := range mentions {
		names.WriteString(s.software.mention(m) + " ")
	}
	if rest, ok := strings.CutPrefix(text, "<p>"); ok {
		return "<p>" + names.String() + rest
	}
	if len(mentions) == 0 {
		return text
	}
	return "<p>" + names.String() + "</p>" + text
}

// noteObject is one of our people's notes as it is sent and served.
func (s *Server) noteObject(n Note) object {
	d := object{"id": n.ID, "type": "Note", "attributedTo": n.Author, "url": n.URL, "content": n.HTML,
		"published": s.stamp(n.Published), "to": values(n.to), "cc": values(n.cc),
		"summary": nil, "inReplyTo": nil, "sensitive": n.warning != "", "attachment": []any{}}
	tags := []any{}
	for _, m := range n.mentions {
		tags = append(tags, object{"type": "Mention", "href": m.Actor, "name": m.Name})
	}
	d["tag"] = tags
	if n.warning != "" {
		d["summary"] = html.EscapeString(n.warning)
	}
	if n.InReplyTo != "" {
		d["inReplyTo"] = n.InReplyTo
	}
	if !n.Updated.IsZero() {
		d["updated"] = s.stamp(n.Updated)
	}
	s.software.note(s, n, d)
	return d
}

// tombstone stands where a deleted note stood.
func tombstone(id string) object { return object{"id": id, "type": "Tombstone"} }

func values(texts []string) []any {
	list := make([]any, len(texts))
	for i, s := range texts {
		list[i] = s
	}
	return list
}

// repliesTo are the known public replies to a note, oldest first.
func (s *Server) repliesTo(id string) []Note {
	return s.notesThat(func(n Note) bool { return n.InReplyTo == id && !n.Deleted && n.isPublic() })
}

// notesThat are the notes of which that is true, oldest first.
func (s *Server) notesThat(is func(Note) bool) []Note {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []Note
	for _, n := range s.notes {
		if is(n) {
			found = append(found, n)
		}
	}
	slices.SortFunc(found, func(a, b Note) int { return cmp.Or(a.Published.Compare(b.Published), cmp.Compare(a.ID, b.ID)) })
	return found
}

// noteOf reads another server's document of a note.
func noteOf(d object) Note {
	n := Note{ID: d.str("id"), URL: cmp.Or(d.id("url"), d.str("id")), Author: d.id("attributedTo"), InReplyTo: d.id("inReplyTo"),
		Conversation: d.id("conversation"), Context: d.id("context"), HTML: d.str("content"), Published: d.time("published"),
		Updated: d.time("updated"), Closed: isClosed(d), to: d.ids("to"), cc: d.ids("cc")}
	for _, tag := range d.list("tag") {
		if tag := asObject(tag); tag.str("type") == "Mention" {
			n.mentions = append(n.mentions, mention{Actor: tag.str("href"), Name: tag.str("name")})
		}
	}
	return n
}

// isClosed: GoToSocial's policy names who may reply; without one, everybody may (PROTOCOL 4).
func isClosed(d object) bool {
	policy := d.obj("interactionPolicy").obj("canReply")
	may := slices.Concat(policy.ids("always"), policy.ids("automaticApproval"), policy.ids("approvalRequired"), policy.ids("manualApproval"))
	return len(may) > 0 && !slices.Contains(may, public)
}
