package fedtest

import (
	"cmp"
	"context"
	"crypto/rsa"
	"fmt"
	"slices"
	"strings"

	"afterword/federation/sign"
)

// Person is an account on a stranger's server. What its methods do goes out signed before they return: their error is
// about what could not be done, or about the first inbox that did not take it.
type Person struct {
	ID, Name string
	server   *Server

	keys      int               // how many it has had before this one
	deeds     map[string]deed   // what can be undone, by verb and object
	followers map[string]string // their inboxes by their ids
	deleted   bool
}

// deed is an activity that can be undone.
type deed struct {
	activity object
	inboxes  []string
	state    string // "requested" until it is answered, as only a follow is
}

// Handle is "@alice@alpha.test".
func (p *Person) Handle() string { return "@" + p.Name + "@" + p.server.host }

func (p *Person) followersID() string { return p.ID + "/followers" }

func (p *Person) keyID() string { return p.server.address("key", "{actor}", p.ID) }

func (p *Person) key() *rsa.PrivateKey {
	p.server.mu.Lock()
	name := fmt.Sprint(p.ID, " ", p.keys)
	p.server.mu.Unlock()
	return keyPair(name)
}

// ChangeKey gives the account a new key under the same id.
func (p *Person) ChangeKey() {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	p.keys++
}

// Activity begins an activity of this person about an object or an id, with an id such as this software gives. It is
// what the methods below send, and what hostile tests change before they Send it.
func (p *Person) Activity(kind string, of any) map[string]any {
	s := p.server
	n := s.next()
	id := cmp.Or(s.address(kind, "{actor}", p.ID, "{object}", idOf(of), "{n}", n), p.ID+"#"+n)
	return object{"@context": s.software.context, "id": id, "type": kind, "actor": p.ID, "object": of}
}

// Follow asks to follow an account, given by handle or id.
func (p *Person) Follow(ctx context.Context, who string) (Sent, error) {
	a, err := p.server.find(ctx, who)
	if err != nil {
		return Sent{}, err
	}
	return p.do(ctx, "Follow", p.Activity("Follow", a.ID), a.Inbox)
}

// Unfollow takes that back.
func (p *Person) Unfollow(ctx context.Context, who string) (Sent, error) {
	a, err := p.server.find(ctx, who)
	if err != nil {
		return Sent{}, err
	}
	return p.undo(ctx, "Follow", a.ID)
}

// Following is "" when the account is not followed, else "requested", "following" or "rejected".
func (p *Person) Following(actor string) string {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	return p.deeds["Follow "+actor].state
}

// Like likes a note.
func (p *Person) Like(ctx context.Context, note string) (Sent, error) {
	return p.react(ctx, "Like", p.Activity("Like", note))
}

// Unlike takes that back.
func (p *Person) Unlike(ctx context.Context, note string) (Sent, error) {
	return p.undo(ctx, "Like", note)
}

// React answers a note with an emoji.
func (p *Person) React(ctx context.Context, note, emoji string) (Sent, error) {
	a := p.Activity("EmojiReact", note)
	a["content"] = emoji
	return p.react(ctx, "React", a)
}

// Unreact takes that back.
func (p *Person) Unreact(ctx context.Context, note string) (Sent, error) {
	return p.undo(ctx, "React", note)
}

// Boost shows a note to one's followers.
func (p *Person) Boost(ctx context.Context, note string) (Sent, error) {
	a := p.Activity("Announce", note)
	a["published"] = p.server.stamp(p.server.Now())
	a["to"], a["cc"] = []any{public}, []any{p.followersID()}
	return p.react(ctx, "Boost", a, p.followerInboxes()...)
}

// Unboost takes that back.
func (p *Person) Unboost(ctx context.Context, note string) (Sent, error) {
	return p.undo(ctx, "Boost", note)
}

// react sends what somebody does to a note to its author, and to others.
func (p *Person) react(ctx context.Context, verb string, activity object, others ...string) (Sent, error) {
	n, err := p.server.resolve(ctx, activity.str("object"))
	if err != nil {
		return Sent{}, err
	}
	author, err := p.server.actor(ctx, n.Author)
	if err != nil {
		return Sent{}, err
	}
	return p.do(ctx, verb, activity, append(others, author.Inbox)...)
}

// do sends an activity and remembers it.
func (p *Person) do(ctx context.Context, verb string, activity object, inboxes ...string) (Sent, error) {
	inboxes = p.server.elsewhere(inboxes)
	p.server.mu.Lock()
	p.deeds[verb+" "+activity.id("object")] = deed{p.shape(activity), inboxes, "requested"}
	p.server.mu.Unlock()
	return p.deliver(ctx, activity, "", inboxes)
}

func (p *Person) did(verb, what string) bool {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	_, did := p.deeds[verb+" "+what]
	return did
}

func (p *Person) undo(ctx context.Context, verb, what string) (Sent, error) {
	p.server.mu.Lock()
	d, did := p.deeds[verb+" "+what]
	delete(p.deeds, verb+" "+what)
	p.server.mu.Unlock()
	if !did {
		return Sent{}, fmt.Errorf("%s did not %s %s", p.Name, strings.ToLower(verb), what)
	}
	undone := object{}
	for name, value := range d.activity {
		if name != "@context" {
			undone[name] = value
		}
	}
	return p.deliver(ctx, p.shape(p.Activity("Undo", undone)), "", d.inboxes)
}

// DeleteAccount ends the account and tells every server that was ever met. The account's document is 410 from then on.
func (p *Person) DeleteAccount(ctx context.Context) (Sent, error) {
	s := p.server
	activity := p.Activity("Delete", p.ID)
	activity["to"] = []any{public}
	var inboxes []string
	s.mu.Lock()
	p.deleted = true
	for _, a := range s.actors {
		inboxes = append(inboxes, a.Shared)
	}
	s.mu.Unlock()
	slices.Sort(inboxes)
	for _, n := range s.notesThat(func(n Note) bool { return n.Author == p.ID }) {
		s.change(n.ID, func(n *Note) { n.Deleted = true })
	}
	return p.deliver(ctx, p.shape(activity), "", s.elsewhere(inboxes))
}

// document is the account as it is served.
func (p *Person) document() object {
	s := p.server
	kind := "Person"
	switch {
	case p == s.instance:
		kind = "Application"
	case p.Name == s.software.group:
		kind = "Group"
	}
	d := p.stub()
	d["type"], d["name"], d["summary"] = kind, displayName(p.Name), ""
	d["url"] = s.address("profile", "{name}", p.Name)
	d["inbox"], d["outbox"] = p.ID+"/inbox", p.ID+"/outbox"
	d["followers"], d["following"] = p.followersID(), p.ID+"/following"
	d["endpoints"] = object{"sharedInbox": s.Base + "/inbox"}
	d["manuallyApprovesFollowers"] = false
	return d
}

// stub is what GoToSocial shows of an account with its key (PROTOCOL 1f).
func (p *Person) stub() object {
	return object{"id": p.ID, "type": "Person", "preferredUsername": p.Name,
		"publicKey": object{"id": p.keyID(), "owner": p.ID, "publicKeyPem": sign.PublicPEM(p.key())}}
}

func displayName(name string) string { return strings.ToUpper(name[:1]) + name[1:] }
