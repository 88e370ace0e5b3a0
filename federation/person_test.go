package federation_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	"afterword/federation"
	"afterword/storage"
	"afterword/thread"
)

// profileChanged is the account telling that it is another now.
func (p *stranger) profileChanged(members object) {
	p.Helper()
	p.with(members)
	p.clock.advance(time.Second)
	d := changed(p.document(), members)
	a := changed(p.activity("Update", d), object{"id": p.id + "#updates/" + p.clock.now().Format(time.RFC3339Nano)})
	p.says(a)
}

func (s *stage) author(id string) storage.Actor {
	s.Helper()
	a, err := s.db.Actor(s.ctx, thread.IRI(id))
	if err != nil {
		s.Fatal(err)
	}
	return a
}

// A name on another domain than the account's is shown when that domain knows the account (SECURITY F17, FEP-2c59).
func TestNamesOnOtherDomains(t *testing.T) {
	s := open(t)
	jrd := func(self string) answer {
		return answer{kind: "application/jrd+json", body: object{"subject": "acct:eve@famous.test", "links": []any{object{"rel": "self", "type": asJSON, "href": self}}}}
	}
	eve, mallory := s.stranger("https://eve.test/eve"), s.stranger("https://mal.test/mal")
	eve.with(object{"webfinger": "eve@famous.test"})
	mallory.with(object{"webfinger": "eve@famous.test"})
	s.answer("https://famous.test/.well-known/webfinger?resource=acct%3Aeve%40famous.test", jrd(eve.id))
	eve.says(eve.create(eve.note("https://eve.test/n/1", note, "It is me.")))
	mallory.says(mallory.create(mallory.note("https://mal.test/n/1", note, "No, me.")))
	s.shows("@eve@famous.test: <p>It is me.</p>", "@pmal@mal.test: <p>No, me.</p>")

	eve.profileChanged(object{"webfinger": "eve@famous.test", "name": "Eve"}) // what was confirmed stays
	if a := s.author(eve.id); a.Handle != "@eve@famous.test" || a.Name != "Eve" {
		t.Errorf("%+v", a.Author)
	}
	eve.profileChanged(object{"webfinger": nil, "name": "Eve"})
	if a := s.author(eve.id); a.Handle != "@peve@eve.test" {
		t.Errorf("%+v", a.Author)
	}
}

// Many servers give their accounts names on another domain without a word in the account's document: WebFinger tells.
func TestNamesThatOnlyWebFingerTells(t *testing.T) {
	s := open(t)
	finger := func(host, account, subject, self string) {
		s.answer("https://"+host+"/.well-known/webfinger?resource="+url.QueryEscape("acct:"+account),
			answer{kind: "application/jrd+json", body: object{"subject": "acct:" + subject, "links": []any{object{"rel": "self", "type": asJSON, "href": self}}}})
	}
	eve, mallory, zoe := s.stranger("https://social.eve.test/eve"), s.stranger("https://mal.test/mal"), s.stranger("https://zoe.test/zoe")
	finger("social.eve.test", "peve@social.eve.test", "eve@bücher.test", eve.id)
	finger("xn--bcher-kva.test", "eve@xn--bcher-kva.test", "eve@xn--bcher-kva.test", eve.id)
	finger("mal.test", "pmal@mal.test", "eve@xn--bcher-kva.test", mallory.id) // which says that this is eve
	finger("zoe.test", "pzoe@zoe.test", "zoe@gone.test", zoe.id)
	s.answer("https://gone.test/.well-known/webfinger?resource=acct%3Azoe%40gone.test", answer{status: 503})
	for _, p := range []*stranger{eve, mallory, zoe} {
		n := p.note(p.id+"/1", note, "It is me.")
		s.serve(p.id+"/1", n)
		p.says(p.create(n))
		p.clock.advance(time.Second)
	}
	s.shows("@peve@social.eve.test: <p>It is me.</p>", "@pmal@mal.test: <p>It is me.</p>", "@pzoe@zoe.test: <p>It is me.</p>")
	s.advance(10 * time.Second)
	s.settle()
	s.shows("@eve@xn--bcher-kva.test: <p>It is me.</p>", "@pmal@mal.test: <p>It is me.</p>", "@pzoe@zoe.test: <p>It is me.</p>")

	finger("gone.test", "zoe@gone.test", "zoe@gone.test", zoe.id) // it is back
	eve.profileChanged(object{"name": "Eve"})                     // what was confirmed stays
	s.advance(7 * time.Hour)
	s.settle()
	s.shows("@eve@xn--bcher-kva.test: <p>It is me.</p>", "@pmal@mal.test: <p>It is me.</p>", "@zoe@gone.test: <p>It is me.</p>")

	finger("xn--bcher-kva.test", "eve@xn--bcher-kva.test", "eve@xn--bcher-kva.test", "https://else.test/eve")
	s.advance(8 * 24 * time.Hour)
	eve.profileChanged(object{"name": "Eve"}) // it is looked at again: her name is somebody else's now
	if a := s.author(eve.id); a.Handle != "@eve@social.eve.test" || a.Name != "Eve" {
		t.Errorf("%+v", a.Author)
	}
}

func TestWhoDoesNotWantToBeHere(t *testing.T) {
	for name, c := range map[string]struct {
		profile  object
		public   bool // the public comment stays
		unlisted bool // the unlisted one does
	}{
		"no wish":                      {object{"summary": "I write #noblogs and #nobot."}, true, true},
		"hidesToPublicFromUnauthedWeb": {object{"hidesToPublicFromUnauthedWeb": true}, false, false},
		"hidesCcPublicFromUnauthedWeb": {object{"hidesCcPublicFromUnauthedWeb": true}, true, false},
		"#noblog":                      {object{"summary": `<p>Hi! <a href="https://eve.test/tags/noblog" class="hashtag">#<span>NoBlog</span></a>.</p>`}, false, false},
		"suspended":                    {object{"suspended": true}, false, false},
	} {
		for _, first := range []bool{true, false} { // it was so before the comments, or is from now on
			s := open(t)
			eve := s.stranger("https://eve.test/eve")
			if first {
				eve.with(c.profile)
			}
			unlisted := changed(eve.note("https://eve.test/n/2", note, "Unlisted."), object{"to": []any{}, "cc": []any{public}})
			eve.says(eve.create(eve.note("https://eve.test/n/1", note, "Public.")))
			eve.says(eve.create(unlisted))
			if !first {
				eve.profileChanged(c.profile)
			}
			want := ""
			if c.public {
				want += "@peve@eve.test: <p>Public.</p>"
			}
			if c.unlisted {
				want += "\n@peve@eve.test: <p>Unlisted.</p>"
			}
			if got := s.thread(); got != want {
				t.Errorf("%s, first %v: readers see\n%s\n%s", name, first, got, s.ledger())
			}
			if first {
				continue
			}
			for _, change := range []func(context.Context, string) error{s.block, s.unblock} { // a block that ends changes nothing about it
				if err := change(s.ctx, eve.id); err != nil {
					t.Fatal(err)
				}
			}
			if got := s.thread(); got != want {
				t.Errorf("%s, after a block: readers see\n%s", name, got)
			}
			eve.profileChanged(object{}) // it may change its mind
			if got := s.thread(); got != "@peve@eve.test: <p>Public.</p>\n@peve@eve.test: <p>Unlisted.</p>" {
				t.Errorf("%s, taken back: readers see\n%s", name, got)
			}
		}
	}
}

// A profile that changes shows in all that its account wrote; one that moves leads to where it went, if that says so too.
func TestProfilesChangeAndMove(t *testing.T) {
	s := open(t)
	eve := s.stranger("https://eve.test/eve")
	eve.says(eve.create(eve.note("https://eve.test/n/1", note, "Hello.")))
	revision := s.post().Revision
	eve.profileChanged(object{"name": "Eve <b>", "type": "Service", "icon": object{"type": "Image", "url": "https://eve.test/eve.png"}})
	if a := s.comment("https://eve.test/n/1").Author; a.Name != "Eve <b>" || !a.Bot || a.Avatar != "https://eve.test/eve.png" || s.post().Revision == revision {
		t.Errorf("%+v", a)
	}
	revision = s.post().Revision
	eve.profileChanged(object{"name": "Eve <b>", "type": "Service", "icon": object{"type": "Image", "url": "https://eve.test/eve.png"}})
	if s.post().Revision != revision {
		t.Error("nothing changed, and the thread is made anew")
	}

	newer := s.stranger("https://new.test/eve")
	move := changed(eve.activity("Move", eve.id), object{"target": newer.id})
	eve.with(object{"movedTo": newer.id})
	eve.says(move)
	if a := s.author(eve.id); a.URL != eve.id {
		t.Errorf("led to %s, which does not know of it", a.URL)
	}
	newer.with(object{"alsoKnownAs": []any{eve.id}, "url": "https://new.test/@eve"})
	eve.says(changed(move, object{"id": "https://eve.test/moves/2"}))
	if a := s.author(eve.id); a.URL != "https://new.test/@eve" {
		t.Errorf("%+v\n%s", a.Author, s.ledger())
	}
}

// Unlisted is remembered, and a comment that is narrowed to fewer readers than its thread has goes.
func TestNarrowedAudience(t *testing.T) {
	for name, to := range map[string]object{
		"followers": {"to": []any{"https://eve.test/eve/followers"}, "cc": []any{}},
		"unlisted":  {"to": []any{"https://eve.test/eve/followers"}, "cc": []any{public}},
	} {
		for _, told := range []bool{true, false} {
			s := open(t)
			s.restart(hidesUnlisted)
			eve := s.stranger("https://eve.test/eve")
			o := eve.note("https://eve.test/n/1", note, "For all.")
			s.serve("https://eve.test/n/1", o)
			eve.says(eve.create(o))
			s.shows("@peve@eve.test: <p>For all.</p>")
			o = changed(changed(o, to), object{"updated": s.clock.now().Add(time.Minute).Format(time.RFC3339)})
			s.serve("https://eve.test/n/1", o)
			s.clock.advance(2 * time.Minute)
			if told {
				eve.says(eve.activity("Update", o))
			} else {
				s.passes(time.Hour)
			}
			if got := s.thread(); got != "" {
				t.Errorf("%s, told %v: readers see %s\n%s", name, told, got, s.ledger())
			}
		}
	}
}

func (s *stage) block(ctx context.Context, who string) error {
	_, _, err := s.db.Block(ctx, who)
	return err
}

func (s *stage) unblock(ctx context.Context, who string) error {
	_, err := s.db.Unblock(ctx, who)
	return err
}

func hidesUnlisted(c *federation.Config) { c.Rules.ShowUnlisted = false }
