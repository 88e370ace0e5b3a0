package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"afterword/config"
	"afterword/thread"
)

// by sends an activity of one of the site's people.
func by(who func(*site) *account, message func(*account) object) func(*site) []byte {
	return func(s *site) []byte { a := who(s); return a.send(message(a)) }
}

func alice(s *site) *account   { return s.alice }
func bob(s *site) *account     { return s.bob }
func mallory(s *site) *account { return s.mallory }

// creates is a comment with other members.
func creates(text string, members object) func(*account) object {
	return func(a *account) object { return a.does("Create", but(a.note(text), members)) }
}

// updates is an Update of a comment, the nth of it.
func updates(text string, n int, members object) func(*account) object {
	return func(a *account) object {
		edit := but(a.note(text), object{"updated": a.clock.now().Format(time.RFC3339)})
		return but(a.does("Update", but(edit, members)), object{"id": fmt.Sprint(a.id, "/updates/", n)})
	}
}

// tells is an activity about something by its id.
func tells(kind string, of func(*site) string) func(*account) object {
	return func(a *account) object { return a.does(kind, of(a.site)) }
}

func noteOf(who func(*site) *account, text string) func(*site) string {
	return func(s *site) string { return who(s).note(text)["id"].(string) }
}

func is(id string) func(*site) string { return func(*site) string { return id } }

// speak lets people say things that are in order.
func hellos(who ...func(*site) *account) func(*site) {
	return func(s *site) {
		for _, w := range who {
			s.accepts(by(w, creates("hello", nil))(s))
		}
	}
}

func TestCorpusD(t *testing.T) {
	hello := hellos(alice)
	play(t,
		try("D1 written by a victim", by(mallory, creates("hello", object{"attributedTo": "https://victim.test/users/victim"})), 202, ledger, 1),
		try("D1 written by several, a victim first", by(mallory, creates("hello", object{"attributedTo": []any{"https://victim.test/users/victim", "https://evil.test/users/mallory"}})), 202, ledger, 1),
		try("D1 written by several, the sender first", by(mallory, creates("hello", object{"attributedTo": []any{"https://evil.test/users/mallory", "https://victim.test/users/victim"}})), 202, entered, 1).shows("mallory: hello"),
		try("D1 written by nobody", by(mallory, creates("hello", object{"attributedTo": nil})), 202, entered, 1).shows("mallory: hello"),
		try("D2 the object is on a victim's server", by(mallory, creates("hello", object{"id": "https://victim.test/notes/1"})), 202, hinted, 2),
		try("D2 the object is on a server that ends alike", by(mallory, creates("hello", object{"id": "https://notevil.test/notes/1"})), 202, hinted, 2),
		try("D2 the object is at another port", by(mallory, creates("hello", object{"id": "https://evil.test:8443/notes/1"})), 202, hinted, 2),
		try("D2 the object is on a name below", by(mallory, creates("hello", object{"id": "https://sub.evil.test/notes/1"})), 202, hinted, 2),
		try("D2 the activity is on a victim's server", func(s *site) []byte {
			return s.mallory.send(but(s.mallory.create("hello"), object{"id": "https://victim.test/activities/1"}))
		}, 202, ledger, 1),
		try("D3 the object is ours", by(mallory, creates("hello", object{"id": blogBase + "/answers/1"})), 202, ledger, 1),
		try("D3 the object is ours, in capitals", by(mallory, creates("hello", object{"id": "https://BLOG.test:443/answers/1"})), 202, ledger, 1),
		try("D3 the object is ours, with a dot", by(mallory, creates("hello", object{"id": "https://blog.test./answers/1"})), 202, ledger, 1),
		try("D3 the object is our post", by(mallory, updates("hello", 1, object{"id": marchNote})), 202, ledger, 1),
		try("D4 the actor is the blog", func(s *site) []byte {
			return s.mallory.send(but(s.mallory.create("hello"), object{"actor": blogActor}))
		}, 202, nothing, 0),
		try("D4 written by the blog", by(mallory, creates("hello", object{"attributedTo": blogActor})), 202, ledger, 1),
		try("D5 what is stored, in another activity", func(s *site) []byte {
			return s.alice.send(but(s.alice.create("hello"), object{"id": "https://good.test/another"}))
		}, 202, again, 0).given(hello).shows("alice: hello"),
		try("D5 what is stored, with another text and no later date", func(s *site) []byte {
			return s.alice.send(but(creates("hello", object{"content": "changed"})(s.alice), object{"id": "https://good.test/another"}))
		}, 202, again, 0).given(hello).shows("alice: hello"),
		try("D6 somebody else's id, by an account of the same server", by(bob, creates("hello", object{"id": "https://good.test/users/alice/notes/aGVsbG8"})), 202, ledger, 1).given(hello).shows("alice: hello"),
		try("D7 an answer to a post that is not there", by(alice, creates("hello", object{"inReplyTo": blogBase + "/posts/elsewhere/"})), 202, nothing, 0),
		try("D7 an answer to the blog's page, not its Note", by(alice, creates("hello", object{"inReplyTo": marchPage})), 202, entered, 1).shows("alice: hello"),
		try("D7 an answer to the blog's actor", by(alice, creates("hello", object{"inReplyTo": blogActor})), 202, nothing, 0),
		try("D8 an answer to nothing", by(alice, creates("hello", object{"inReplyTo": nil})), 202, nothing, 0),
		try("D8 an answer to nothing that mentions the blog", by(alice, creates("hello", object{"inReplyTo": nil, "tag": object{"type": "Mention", "href": blogActor}})), 202, nothing, 0),
		try("D8 an answer to somebody elsewhere", by(alice, creates("hello", object{"inReplyTo": "https://victim.test/notes/1"})), 202, nothing, 0),
		try("D9 an answer to a comment", by(bob, creates("yes", object{"inReplyTo": "https://good.test/users/alice/notes/aGVsbG8"})), 202, "actors checks comments keys posts received", 1).
			given(hello).shows("alice: hello; >bob: yes"),
		try("D10 an answer to a deleted comment", by(bob, creates("yes", object{"inReplyTo": "https://good.test/users/alice/notes/aGVsbG8"})), 202, "checks comments posts received", 1).
			given(when(hello, says(by(bob, creates("first", object{"inReplyTo": "https://good.test/users/alice/notes/aGVsbG8"}))), says(by(alice, tells("Delete", noteOf(alice, "hello")))))).
			shows("(deleted); >bob: first; >bob: yes"),
		try("D17 to followers", by(alice, creates("hello", object{"to": []any{"https://good.test/users/alice/followers"}})), 202, private, 1),
		try("D17 to the blog alone", by(alice, creates("hello", object{"to": []any{blogActor}})), 202, private, 1),
		try("D18 to nobody", by(alice, creates("hello", object{"to": []any{}})), 202, private, 1),
		try("D18 without any addressing", func(s *site) []byte {
			return s.alice.send(but(creates("hello", object{"to": nil})(s.alice), object{"to": nil}))
		}, 202, private, 1),
		try("D18 Public in bto", by(alice, creates("hello", object{"to": []any{}, "bto": everybody})), 202, private, 1),
		try("D18 Public in audience, with a closed to", by(alice, creates("hello", object{"to": []any{blogActor}, "audience": everybody})), 202, private, 1),
		try("D19 Public in cc", by(alice, creates("hello", object{"to": []any{blogActor}, "cc": []any{everybody}})), 202, entered, 1).shows("alice: hello"),
		try("D20 as:Public", by(alice, creates("hello", object{"to": "as:Public"})), 202, entered, 1).shows("alice: hello"),
		try("D20 Public", by(alice, creates("hello", object{"to": "Public"})), 202, entered, 1).shows("alice: hello"),
		try("D21 Public in the object alone", func(s *site) []byte {
			return s.alice.send(but(s.alice.create("hello"), object{"to": []any{blogActor}}))
		}, 202, private, 1),
		try("D21 Public in the activity alone", func(s *site) []byte {
			return s.alice.send(but(creates("hello", object{"to": []any{blogActor}})(s.alice), object{"to": everybody}))
		}, 202, private, 1),
	)
	for _, almost := range []string{"https://www.w3.org/ns/activitystreams#public", everybody + "/", "http://www.w3.org/ns/activitystreams#Public", "https://www.w3.org/ns/activitystreams/#Public",
		"public", "as:public", "AS:Public", " Public", "https://evil.test/ns#Public", "https://www.w3.org/ns/activitystreams"} {
		try("D23 "+strings.ReplaceAll(almost, "/", "|"), by(alice, creates("hello", object{"to": almost})), 202, private, 1).run(t)
	}
	erased := func(s *site) { s.mustBeGone("hello") }
	play(t,
		try("D25 no longer public", by(alice, updates("hello", 1, object{"to": []any{"https://good.test/users/alice/followers"}})), 202, "checks comments posts received", 0).given(hello).expect(erased),
		try("D25 no longer public, without any text", by(alice, updates("hello", 1, object{"to": []any{}, "content": ""})), 202, "checks comments posts received", 0).given(hello).expect(erased),
		try("D26 by another account of the server", by(bob, updates("hello", 1, object{"id": "https://good.test/users/alice/notes/aGVsbG8", "attributedTo": "https://good.test/users/alice"})), 202, ledger, 1).
			given(hello).shows("alice: hello"),
		try("D26 by another account that calls it its own", by(bob, updates("hello", 1, object{"id": "https://good.test/users/alice/notes/aGVsbG8", "content": "bob's now"})), 202, ledger, 1).
			given(hello).shows("alice: hello"),
		try("D26 by an account elsewhere", by(mallory, updates("hello", 1, object{"id": "https://good.test/users/alice/notes/aGVsbG8", "content": "mallory's now"})), 202, hinted, 2).
			given(when(hello, lives)).shows("alice: hello"),
		try("D27 of what is not known", by(alice, updates("hello", 1, nil)), 202, entered, 1).shows("alice: hello"),
		try("D27 of what is not known, by a blocked account", by(alice, updates("hello", 1, nil)), 202, nothing, 0).given(blocked("https://good.test/users/alice")),
		try("D28 to another place in the thread", by(alice, updates("hello", 1, object{"inReplyTo": blogBase + "/posts/elsewhere/"})), 202, again, 0).given(hello).shows("alice: hello"),
		try("D30 of what was deleted", by(alice, updates("hello", 1, object{"content": "back"})), 202, again, 0).given(when(hello, says(by(alice, tells("Delete", noteOf(alice, "hello")))))),
		try("D31 by another account of the server", by(bob, tells("Delete", noteOf(alice, "hello"))), 202, ledger, 1).given(hello).shows("alice: hello"),
		try("D31 by an account elsewhere", by(mallory, tells("Delete", noteOf(alice, "hello"))), 202, hinted, 2).given(when(hello, lives)).shows("alice: hello"),
		try("D32 by an account elsewhere, and its server says that it is gone", by(mallory, tells("Delete", noteOf(alice, "hello"))), 202, "actors checks comments keys origins posts received tombstones", 2).given(hello),
		try("D33 an activity on the victim's server", func(s *site) []byte {
			return s.mallory.send(but(s.mallory.does("Delete", s.alice.note("hello")["id"]), object{"id": "https://good.test/users/alice/did/1"}))
		}, 202, hinted, 2).given(when(hello, lives)).shows("alice: hello"),
		try("D33 an actor on the victim's server", func(s *site) []byte {
			return s.mallory.send(s.alice.does("Delete", s.alice.note("hello")["id"]))
		}, 202, hinted, 2).given(when(hello, lives)).shows("alice: hello"),
		try("D34 of our post", by(mallory, tells("Delete", is(marchNote))), 202, nothing, 0),
		try("D34 of our account", by(mallory, tells("Delete", is(blogActor))), 202, nothing, 0),
		try("D34 of another account", by(mallory, tells("Delete", func(s *site) string { return s.alice.id })), 202, ledger, 1).given(hello).shows("alice: hello"),
		try("D35 of oneself, with the key that is known", by(alice, tells("Delete", func(s *site) string { return s.alice.id })), 202, "actors checks comments keys posts received", 0).given(hello).expect(erased),
		try("D36 of oneself, never seen", by(alice, tells("Delete", func(s *site) string { return s.alice.id })), 202, nothing, 0),
		try("D36 an Update of oneself, never seen", func(s *site) []byte { return s.alice.send(s.alice.does("Update", s.alice.profile())) }, 202, nothing, 0),
		try("D36 of an account never seen, unsigned", func(s *site) []byte {
			return s.posted(s.alice.does("Delete", s.alice.id)).bytes()
		}, 202, nothing, 0),
		try("D37 before the Create", by(alice, creates("hello", nil)), 202, again, 0).given(says(by(alice, tells("Delete", noteOf(alice, "hello"))))),
		try("D38 by a Tombstone", by(alice, func(a *account) object {
			return a.does("Delete", object{"id": a.note("hello")["id"], "type": "Tombstone"})
		}), 202, "checks comments posts received tombstones", 0).given(hello).expect(erased),
		try("D38 once more", by(alice, func(a *account) object {
			return but(a.does("Delete", a.note("hello")["id"]), object{"id": "https://good.test/again"})
		}), 202, again, 0).given(when(hello, says(by(alice, tells("Delete", noteOf(alice, "hello")))))),
		try("D39 with answers", by(alice, tells("Delete", noteOf(alice, "hello"))), 202, "checks comments posts received tombstones", 0).
			given(when(hello, says(by(bob, creates("yes", object{"inReplyTo": "https://good.test/users/alice/notes/aGVsbG8"}))))).shows("(deleted); >bob: yes"),
		try("D40 a Like", by(alice, tells("Like", is(marchNote))), 202, "actors keys posts reactions received", 1),
		try("D40 a Like of what is not here", by(alice, tells("Like", is(blogBase+"/posts/elsewhere/"))), 202, nothing, 0),
		try("D42 a Like twice", func(s *site) []byte {
			return s.alice.send(but(s.alice.does("Like", marchNote), object{"id": "https://good.test/likes/2"}))
		}, 202, "reactions received", 0).given(says(by(alice, tells("Like", is(marchNote))))).expect(likes(1)),
		try("D43 an Undo of another's Like", func(s *site) []byte { return s.mallory.send(s.mallory.does("Undo", s.alice.does("Like", marchNote))) }, 202, ledger, 1).
			given(says(by(alice, tells("Like", is(marchNote))))).expect(likes(1)),
		try("D43 an Undo of another's Like, by its id", func(s *site) []byte {
			return s.mallory.send(s.mallory.does("Undo", s.alice.does("Like", marchNote)["id"]))
		}, 202, nothing, 0).given(says(by(alice, tells("Like", is(marchNote))))).expect(likes(1)),
		try("D44 an Undo of one's own", func(s *site) []byte { return s.alice.send(s.alice.does("Undo", s.alice.does("Like", marchNote))) }, 202, "posts reactions received", 0).
			given(says(by(alice, tells("Like", is(marchNote))))).expect(likes(0)),
		try("D44 an Undo of nothing", func(s *site) []byte { return s.alice.send(s.alice.does("Undo", s.alice.does("Like", marchNote))) }, 202, ledger, 1),
		try("D45 a boost of a blocked account's reply", by(alice, func(a *account) object { return a.does("Announce", a.mallory.create("hello")) }), 202, ledger, 1).
			given(when(blocked("evil.test"), servedNote(mallory))),
		try("D46 a boost of a reply that is fetched", by(alice, func(a *account) object { return a.does("Announce", a.mallory.create("hello")) }), 202, "actors checks comments keys origins posts received", 3).
			given(servedNote(mallory)).shows("mallory: hello"),
		try("D46 a boost of a reply with another text inside", by(alice, func(a *account) object {
			return a.does("Announce", a.mallory.does("Create", but(a.mallory.note("hello"), object{"content": "forged"})))
		}), 202, "actors checks comments keys origins posts received", 3).given(servedNote(mallory)).shows("mallory: hello"),
		try("D46 a boost of a private reply", by(alice, func(a *account) object { return a.does("Announce", a.mallory.create("hello")) }), 202, "actors counts keys origins received", 2).
			given(func(s *site) {
				s.document(s.mallory.note("hello")["id"].(string), but(s.mallory.note("hello"), object{"to": []any{}}))
			}),
		try("D47 boosts in one another, a hundred", by(alice, nestedBoosts(100)), 400, nothing, 0),
		try("D47 boosts in one another, ten", by(alice, nestedBoosts(10)), 400, nothing, 0),
		try("D48 a boost of our post", by(alice, tells("Announce", is(marchNote))), 202, "actors keys posts reactions received", 1),
		try("D48 a boost of a page elsewhere", by(alice, tells("Announce", is("https://victim.test/notes/1"))), 202, nothing, 0),
		try("D49 a Follow of another account", by(alice, tells("Follow", is("https://blog.test/users/somebody"))), 202, nothing, 0),
		try("D49 a Follow of our post", by(alice, tells("Follow", is(marchNote))), 202, nothing, 0),
		try("D50 a Follow in another's name", by(mallory, func(a *account) object { return a.alice.does("Follow", blogActor) }), 202, ledger, 1).expect(followers(0)),
		try("D52 a Follow by an account without inbox", by(alice, tells("Follow", is(blogActor))), 202, ledger, 2).given(func(s *site) { s.alice.with(object{"inbox": nil}) }).expect(followers(0)),
		try("D52 a Follow by an account with its inbox elsewhere", by(alice, tells("Follow", is(blogActor))), 202, ledger, 2).
			given(func(s *site) { s.alice.with(object{"inbox": "https://victim.test/inbox"}) }).expect(followers(0)),
		try("D53 a Block", by(alice, tells("Block", is(blogActor))), 202, ledger, 1),
		try("D53 a Flag", by(alice, tells("Flag", is(blogActor))), 202, ledger, 1),
		try("D53 a Move of an account never seen", by(alice, func(a *account) object { return but(a.does("Move", a.id), object{"target": a.bob.id}) }), 202, nothing, 0),
		try("D53 an Add", by(alice, func(a *account) object { return but(a.does("Add", marchNote), object{"target": a.id + "/featured"}) }), 202, nothing, 0),
		try("D53 a Remove", by(alice, func(a *account) object { return but(a.does("Remove", marchNote), object{"target": a.id + "/featured"}) }), 202, nothing, 0),
		try("D53 a vote", by(alice, creates("yes", object{"name": "yes", "content": nil})), 202, nothing, 0),
		try("D55 an Accept of a Follow that we never sent", by(alice, func(a *account) object {
			return a.does("Accept", object{"type": "Follow", "actor": blogActor, "object": a.id, "id": blogActor + "#follow"})
		}), 202, nothing, 0),
		try("D55 a Reject of a Follow that we never sent", by(alice, tells("Reject", is(blogActor+"#follow"))), 202, nothing, 0),
		try("D56 an Offer, an Invite, a Join, a View", by(alice, tells("View", is(marchNote))), 202, nothing, 0),
		try("D58 a reply to a closed thread", by(alice, creates("hello", nil)), 202, "activities actors checks comments hosts keys origins posts received", 3).given(closed),
		try("D58 an edit in a closed thread", by(alice, updates("hello", 1, object{"content": "changed"})), 202, "comments posts received", 0).given(when(hello, closed)).shows("alice: changed"),
		try("D58 a Delete in a closed thread", by(alice, tells("Delete", noteOf(alice, "hello"))), 202, "checks comments posts received tombstones", 0).given(when(hello, closed)),
		try("D59 a picture and thirty mentions", by(mallory, creates("spam", object{"content": "", "tag": mentions(30), "attachment": object{"type": "Image", "url": "https://evil.test/i.png", "mediaType": "image/png"}})), 202, pictured, 1).
			expect(pending),
		try("D59 a picture and thirty mentions in its text", by(mallory, creates("spam", object{"content": strings.Repeat(`<a href="https://victim.test/@v" class="u-url mention">@<span>v</span></a> `, 30), "tag": mentions(30),
			"attachment": object{"type": "Image", "url": "https://evil.test/i.png", "mediaType": "image/png"}})), 202, pictured, 1).expect(pending),
		try("D59 a picture from a friend", by(alice, creates("x", object{"content": "", "tag": mentions(3), "attachment": object{"type": "Image", "url": "https://good.test/i.png", "mediaType": "image/png"}})), 202, pictured, 1).shows("alice: Picture"),
		try("D60 words and thirty mentions", by(mallory, creates("no spam", object{"tag": mentions(30)})), 202, entered, 1).shows("mallory: no spam"),
		try("D63 the blog's name", func(s *site) []byte {
			s.mallory.with(object{"name": "The Blog", "preferredUsername": "blog"})
			return s.mallory.send(s.mallory.create("hello"))
		}, 202, entered, 1).shows("blog: hello").expect(func(s *site) {
			if c := s.first(); c.Author.Owner || c.Author.Handle != "@blog@evil.test" {
				s.Errorf("%+v", c.Author)
			}
		}),
		try("D63 a name that reads as one of another domain", func(s *site) []byte {
			s.mallory.with(object{"preferredUsername": "alice@good.test"})
			return s.mallory.send(s.mallory.create("hello"))
		}, 202, entered, 1).shows("alice: hello").expect(func(s *site) {
			if c := s.first(); c.Author.Handle != "@alice@evil.test" {
				s.Errorf("%+v", c.Author)
			}
		}),
		try("D64 a name with marks of direction", func(s *site) []byte {
			s.mallory.with(object{"name": "\u202eecila\u2066 <b>x</b>\u0000\r\nA\u0301\u0301\u0301\u0301"})
			return s.mallory.send(s.mallory.create("hello"))
		}, 202, entered, 1).shows("mallory: hello").expect(func(s *site) {
			if name := s.first().Author.Name; strings.ContainsAny(name, "\u202e\u2066\x00\r\n") || strings.Count(name, "\u0301") > 2 {
				s.Errorf("%q", name)
			}
		}),
		try("D67 the same Create in two inboxes", by(alice, creates("hello", nil)), 202, nothing, 0).given(hello).shows("alice: hello"),
		try("D68 another of one's own objects of the same text", func(s *site) []byte {
			return s.alice.send(s.alice.does("Create", but(s.alice.note("hello"), object{"id": "https://good.test/users/alice/notes/2"})))
		}, 202, "checks comments posts received", 0).given(hello).shows("alice: hello; alice: hello"),
	)
	for _, icon := range []any{"javascript:alert(1)", "data:image/svg+xml,x", "http://good.test/i.png", "https://127.0.0.1/i.png", "https://good.test/i.svg", object{"type": "Image", "url": "javascript:alert(1)"}, 7, []any{}, object{},
		object{"type": "Image", "mediaType": "image/svg+xml", "url": "https://good.test/i"}, "https://good.test/" + strings.Repeat("x", 5000)} {
		try(fmt.Sprintf("D65 icon %.30v", strings.ReplaceAll(fmt.Sprint(icon), "/", "|")), func(s *site) []byte {
			s.alice.with(object{"icon": icon})
			return s.alice.send(s.alice.create("hello"))
		}, 202, entered, 1).shows("alice: hello").expect(func(s *site) {
			if avatar := s.first().Author.Avatar; strings.HasPrefix(avatar, "javascript") || strings.HasPrefix(avatar, "data") || len(avatar) > 2048 {
				s.Errorf("%q", avatar)
			}
			if page := s.page("/api/v1/thread?url=" + marchPage); !strings.Contains(page, `"avatar":null`) {
				s.Errorf("%s", page)
			}
		}).run(t)
	}
}

func mentions(n int) (all []any) {
	for i := range n {
		all = append(all, object{"type": "Mention", "href": fmt.Sprint("https://victim.test/users/", i), "name": fmt.Sprintf("@%d@victim.test", i)})
	}
	return all
}

func nestedBoosts(n int) func(*account) object {
	return func(a *account) object {
		of := a.does("Announce", marchNote)
		for i := range n {
			of = but(a.does("Announce", of), object{"id": fmt.Sprint(a.id, "/", i)})
		}
		return of
	}
}

// lives serves alice's comment, so that her server can be asked.
func lives(s *site) { s.document(s.alice.note("hello")["id"].(string), s.alice.note("hello")) }

func servedNote(who func(*site) *account) func(*site) {
	return func(s *site) { a := who(s); s.document(a.note("hello")["id"].(string), a.note("hello")) }
}

func closed(s *site) {
	s.Helper()
	s.clock.advance(time.Minute)
	if err := s.db.CloseThread(s.ctx, marchNote, s.clock.now()); err != nil {
		s.Fatal(err)
	}
	s.settle()
}

func likes(n int) func(*site) {
	return func(s *site) {
		if p, err := s.db.Post(s.ctx, marchNote); err != nil || p.Likes != n {
			s.Errorf("%d likes, %v", p.Likes, err)
		}
	}
}

func followers(n int) func(*site) {
	return func(s *site) {
		if got, err := s.db.CountFollowers(s.ctx); err != nil || got != n {
			s.Errorf("%d followers, %v", got, err)
		}
	}
}

// pending is that exactly one comment waits for the blogger.
func pending(s *site) {
	if all, err := s.db.Comments(s.ctx, "", thread.Pending, 10); err != nil || len(all) != 1 {
		s.Errorf("%+v %v", all, err)
	}
}

// first is the first comment as readers see it.
func (s *site) first() thread.Comment {
	s.Helper()
	all, err := s.db.Thread(s.ctx, marchNote)
	if err != nil || len(all) == 0 {
		s.Fatal(all, err)
	}
	return all[0]
}

// page is what a reader gets.
func (s *site) page(target string) string {
	s.Helper()
	resp := s.exchange([]byte("GET " + target + " HTTP/1.1\r\nHost: blog.test\r\nConnection: close\r\n\r\n"))
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		s.Fatal(resp.StatusCode, err)
	}
	return b.String()
}

// mustBeGone fails if a text is in the database or in what readers see.
func (s *site) mustBeGone(text string) {
	s.Helper()
	file, err := os.ReadFile(s.path)
	if err != nil {
		s.Fatal(err)
	}
	log, _ := os.ReadFile(s.path + "-wal")
	if bytes.Contains(file, []byte("<p>"+text)) || bytes.Contains(log, []byte("<p>"+text)) {
		s.Errorf("%q is still in the database's files", text)
	}
	if page := s.page("/api/v1/thread?url=" + marchPage); strings.Contains(page, text) {
		s.Errorf("readers still see %s", page)
	}
}

// TestCorpusD11_Chains: what answers what, without an end: a circle, an endless chain, a way that leads nowhere.
func TestCorpusD11_Chains(t *testing.T) {
	s := newSite(t)
	asked := 0
	s.network.Serve("troll.test", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		var n int
		fmt.Sscanf(r.URL.Path, "/chain/%d", &n) //nolint:errcheck // or it is the circle
		above := fmt.Sprintf("https://troll.test/chain/%d", n+1)
		if strings.HasPrefix(r.URL.Path, "/circle/") {
			above = map[string]string{"/circle/a": "https://troll.test/circle/b", "/circle/b": "https://troll.test/circle/a"}[r.URL.Path]
		}
		sending(200, "Content-Type", activities, object{"id": "https://troll.test" + r.URL.Path, "type": "Note", "attributedTo": "https://troll.test/users/" + fmt.Sprint(n),
			"to": everybody, "inReplyTo": above, "content": strings.Repeat("x", 50_000), "tag": mentions(64)})(w, r)
	}))
	for _, x := range []struct {
		of   string
		most int
	}{{"https://troll.test/circle/a", 3}, {"https://troll.test/chain/1", 20}} {
		asked = 0
		s.clock.advance(time.Hour)
		s.accepts(by(alice, creates("see "+x.of[19:], object{"inReplyTo": x.of, "cc": []any{blogActor}}))(s))
		if asked == 0 || asked > x.most {
			t.Errorf("%s: %d requests, at most %d allowed", x.of, asked, x.most)
		}
	}
	if words := s.words(); words != "" {
		t.Error(words)
	}
	var kept int
	for _, a := range []string{"https://troll.test/users/1", "https://victim.test/users/1"} {
		if _, err := s.db.Actor(s.ctx, thread.IRI(a)); err == nil {
			kept++
		}
	}
	if kept > 0 {
		t.Errorf("%d accounts of the trolls were stored", kept)
	}
}

// TestCorpusD29_UpdateFlood: of a thousand edits ten an hour are carried out, and the last one wins in the end.
func TestCorpusD29_UpdateFlood(t *testing.T) {
	s := newSite(t, func(c *config.Config, _ *server) { c.Limits.ActorHour = 0 })
	s.accepts(by(alice, creates("hello", nil))(s))
	seen := map[string]bool{}
	edit := func(n int) {
		s.clock.advance(time.Second)
		if status := s.direct(by(alice, updates("hello", n, object{"content": fmt.Sprint("edit ", n)}))(s)); status != 202 && status != 429 {
			t.Fatal(status)
		}
		s.settle()
		seen[s.words()] = true
	}
	for n := range 100 {
		edit(n)
	}
	if len(seen) > 11 {
		t.Errorf("%d edits were shown", len(seen))
	}
	for range 3 {
		s.clock.advance(time.Hour)
		s.document(s.alice.note("hello")["id"].(string), but(s.alice.note("hello"), object{"content": "edit 99", "updated": noon.Add(100 * time.Second).Format(time.RFC3339)}))
		s.settle()
	}
	if words := s.words(); words != "alice: edit 99" {
		t.Errorf("%s\n%s", words, s.ledger())
	}
	if due, err := s.db.DueMessages(s.ctx, "push", 10); err != nil || len(due) > 0 {
		t.Errorf("%d messages wait still, %v", len(due), err)
	}
}

// TestCorpusD41_LikeFlood: likes from ever new accounts of one server are counted up to the limit and answered 429 beyond.
func TestCorpusD41_LikeFlood(t *testing.T) {
	s := newSite(t)
	s.network.Serve("evil.test", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := &account{s, "https://evil.test" + r.URL.Path, "https://evil.test" + r.URL.Path + "#main-key", keyNumber(3)}
		sending(200, "Content-Type", activities, a.profile())(w, r)
	}))
	answers := map[int]int{}
	for n := range 700 {
		id := fmt.Sprint("https://evil.test/users/", n)
		a := &account{s, id, id + "#main-key", keyNumber(3)}
		answers[s.direct(a.send(a.does("Like", marchNote)))]++
		s.clock.advance(time.Second)
	}
	s.settle()
	p, err := s.db.Post(s.ctx, marchNote)
	if err != nil || p.Likes != 600 || answers[202] != 600 || answers[429] != 100 {
		t.Errorf("%d likes, %v, answers %v", p.Likes, err, answers)
	}
}

// TestCorpusD51_FollowTwice: one row and one Accept, whatever is sent twice; a new Follow of the same account has an
// Accept of its own.
func TestCorpusD51_FollowTwice(t *testing.T) {
	s := newSite(t)
	var accepts int
	s.serve("https://good.test/inbox", func(w http.ResponseWriter, _ *http.Request) { accepts++; w.WriteHeader(202) })
	follow := by(alice, tells("Follow", is(blogActor)))
	s.accepts(follow(s))
	s.accepts(follow(s))
	if followers(1)(s); accepts != 1 {
		t.Errorf("%d Accepts", accepts)
	}
	s.accepts(by(alice, func(a *account) object { return but(a.does("Follow", blogActor), object{"id": a.id + "/follows/2"}) })(s))
	if followers(1)(s); accepts != 2 {
		t.Errorf("%d Accepts", accepts)
	}
}

// TestCorpusD57_ClosedBetween: what was taken before the thread closed is judged by when it came.
func TestCorpusD57_ClosedBetween(t *testing.T) {
	s := newSite(t)
	if status := s.request(by(alice, creates("hello", nil))(s)); status != 202 {
		t.Fatal(status)
	}
	s.clock.advance(time.Second)
	if err := s.db.CloseThread(s.ctx, marchNote, s.clock.now()); err != nil {
		t.Fatal(err)
	}
	s.settle()
	if words := s.words(); words != "alice: hello" {
		t.Errorf("%q\n%s", words, s.ledger())
	}
}

// TestCorpusD58_HeldBack: who sends a reply before the closing and keeps back what it answers cannot say anything new
// afterwards, by whatever road the rest comes.
func TestCorpusD58_HeldBack(t *testing.T) {
	const above, middle = "https://evil.test/above", "https://evil.test/middle"
	busy := sending(http.StatusServiceUnavailable, "Retry-After", "60", nil)
	said := func(s *site, id, parent, text string) object {
		return but(s.mallory.note(text), object{"id": id, "inReplyTo": parent, "cc": []any{blogActor}})
	}
	push := func(s *site, o object) { s.accepts(s.mallory.send(s.mallory.does("Create", o))) }
	later := func(s *site, d time.Duration) { s.clock.advance(d); s.settle() }
	for name, after := range map[string]func(*site){
		"the one above is fetched": func(s *site) {
			s.document(middle, said(s, middle, marchNote, "new"))
			later(s, 5*time.Hour)
		},
		"the one above is sent": func(s *site) { push(s, said(s, middle, marchNote, "new")) },
		"the one above was fetched before and says something else now": func(s *site) {
			later(s, 24*time.Hour) // until nobody looks for it any more
			s.document(middle, said(s, middle, above, "new"))
			push(s, said(s, above, marchNote, "newer"))
		},
		"all above is sent": func(s *site) {
			push(s, said(s, middle, above, "new"))
			push(s, said(s, above, marchNote, "newer"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.serve(above, busy)
			s.serve(middle, busy)
			if strings.Contains(name, "before") {
				s.document(middle, said(s, middle, above, "old"))
			}
			push(s, said(s, "https://evil.test/below", middle, "old"))
			later(s, time.Minute)
			closed(s)
			later(s, time.Hour)
			after(s)
			if words := s.words(); words != "" {
				t.Errorf("readers see %q\n%s", words, s.ledger())
			}
			if all, err := s.db.Comments(s.ctx, marchNote, thread.Late, 10); err != nil || len(all) < 2 {
				t.Errorf("%d are late, %v\n%s", len(all), err, s.ledger())
			}
		})
	}
}
