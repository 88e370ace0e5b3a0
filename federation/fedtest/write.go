package fedtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrClosed is how GoToSocial answers its own people where a note lets nobody reply.
var ErrClosed = errors.New("you do not have permission to reply to this post")

// Draft is a note to be written.
type Draft struct {
	InReplyTo       string // empty: a post
	HTML            string // or one line of plain text
	Warning         string // plain text
	Visibility      Visibility
	Published       time.Time // zero: now
	WithoutMentions bool      // takes the mentions out, so that fewer servers learn of it (PROTOCOL 2b)
	Force           bool      // where nobody may reply, too
}

// Reply writes a public reply.
func (p *Person) Reply(ctx context.Context, inReplyTo, html string) (Sent, error) {
	return p.Write(ctx, Draft{InReplyTo: inReplyTo, HTML: html})
}

// Write writes a note. Like the real servers' pages it mentions the author of what it answers and all who are
// mentioned there, which is how a blog hears of replies to replies.
func (p *Person) Write(ctx context.Context, d Draft) (Sent, error) {
	s := p.server
	n := p.begin(d)
	if err := p.answer(ctx, &n, d); err != nil {
		return Sent{}, err
	}
	n.address(d.Visibility, p.followersID())
	if slices.Contains(n.to, p.followersID()) || slices.Contains(n.cc, p.followersID()) {
		n.inboxes = append(n.inboxes, p.followerInboxes()...)
	}
	n.inboxes = s.elsewhere(n.inboxes)
	n.HTML = s.compose(n.text, n.mentions)
	s.save(n)
	return p.tell(ctx, "Create", n.ID)
}

func (p *Person) begin(d Draft) Note {
	s := p.server
	serial := s.next()
	n := Note{Author: p.ID, text: d.HTML, warning: d.Warning, Published: d.Published,
		ID:  s.address("note", "{actor}", p.ID, "{n}", serial),
		URL: s.address("page", "{name}", p.Name, "{n}", serial)}
	if n.Published.IsZero() {
		n.Published = s.Now()
	}
	if s.software.keepsConversation {
		n.Conversation = "tag:" + s.host + "," + n.Published.UTC().Format(time.DateOnly) + ":objectId=" + serial + ":objectType=Conversation"
	}
	return n
}

// answer makes a note the answer to another, if it is to be one.
func (p *Person) answer(ctx context.Context, n *Note, d Draft) error {
	s := p.server
	if d.InReplyTo == "" {
		return nil
	}
	parent, err := s.Lookup(ctx, d.InReplyTo)
	if err != nil {
		return err
	}
	if parent.Closed && s.software.obeysPolicy && !d.Force {
		return ErrClosed
	}
	n.InReplyTo = parent.ID
	if s.software.keepsConversation {
		n.Conversation = cmp.Or(parent.Conversation, n.Conversation)
	}
	n.mention(ctx, p, parent, d)
	return nil
}

// mention names in a note the author of what it answers and all who are named there, and addresses it to their inboxes.
// Who cannot be found cannot be named.
func (n *Note) mention(ctx context.Context, p *Person, parent Note, d Draft) {
	people := []string{parent.Author}
	for _, m := range parent.mentions {
		if !slices.Contains(people, m.Actor) {
			people = append(people, m.Actor)
		}
	}
	for i, id := range people {
		a, err := p.server.actor(ctx, id)
		if err != nil || id == p.ID {
			continue
		}
		if !d.WithoutMentions {
			n.mentions = append(n.mentions, mention{id, a.Page, a.Handle})
		}
		if !d.WithoutMentions || i == 0 && p.server.software.tellsAuthor && d.Visibility != Direct {
			n.inboxes = append(n.inboxes, a.Shared)
		}
	}
}

// Edit changes the text of a note. It is always later than the last change, though a test's clock may stand still.
func (p *Person) Edit(ctx context.Context, note, html string) (Sent, error) {
	s := p.server
	return p.rework(ctx, "Update", note, func(n *Note) {
		n.text, n.HTML = html, s.compose(html, n.mentions)
		n.Updated = slices.MaxFunc([]time.Time{s.Now(), n.Published.Add(time.Second), n.Updated.Add(time.Second)}, time.Time.Compare)
	})
}

// Delete deletes a note.
func (p *Person) Delete(ctx context.Context, note string) (Sent, error) {
	return p.rework(ctx, "Delete", note, func(n *Note) { n.Deleted = true })
}

// rework changes an own note and tells of it.
func (p *Person) rework(ctx context.Context, kind, note string, how func(*Note)) (Sent, error) {
	if n, ok := p.server.Note(note); !ok || n.Author != p.ID || n.Deleted {
		return Sent{}, fmt.Errorf("%s has no note %s", p.Name, note)
	}
	p.server.change(note, how)
	return p.tell(ctx, kind, note)
}

// tell sends a note as it is now to whom it was sent at first.
func (p *Person) tell(ctx context.Context, kind, note string) (Sent, error) {
	s := p.server
	n, _ := s.Note(note)
	of := s.noteObject(n)
	if kind == "Delete" {
		of = tombstone(n.ID)
	}
	activity := p.Activity(kind, of)
	activity["to"], activity["cc"] = values(n.to), values(n.cc)
	activity["published"] = s.stamp(s.Now())
	sender, activity := p.through(p.shape(activity))
	sent, err := sender.deliver(ctx, activity, n.ID, n.inboxes)
	s.change(n.ID, func(n *Note) { n.Sent = sent })
	return sent, err
}

// through is who sends an activity, and as what: where there is a group, the group passes it on (FEP-1b12).
func (p *Person) through(activity object) (*Person, object) {
	if p.server.software.group == "" {
		return p, activity
	}
	group := p.server.Person(p.server.software.group)
	announce := group.Activity("Announce", activity)
	announce["to"], announce["cc"] = []any{public}, []any{group.followersID()}
	return group, announce
}
