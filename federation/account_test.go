package federation_test

import (
	"crypto/rsa"
	"errors"
	"strings"
	"testing"
	"time"

	"afterword/federation"
	"afterword/federation/sign"
	"afterword/storage"
	"afterword/thread"
)

// about is the object of what a server was told, of one type.
func about(t *testing.T, d map[string]any) object {
	t.Helper()
	o, _ := d["object"].(object)
	return o
}

func TestR072_KeyRotation(t *testing.T) {
	s := open(t)
	s.must(s.alpha.Person("alice").Follow(s.ctx, actor))
	was := s.document(actor)["publicKey"].(object)
	s.advance(time.Hour)
	if err := s.fed.RotateKey(s.ctx); err != nil {
		t.Fatal(err)
	}
	s.settle()
	told := s.told(s.alpha, "Update") // it was verified, with the key that alpha knew
	if len(told) != 1 || about(t, told[0].Activity)["id"] != actor {
		t.Fatal(told)
	}
	now, one := s.document(actor)["publicKey"].(object) // many servers cannot read an actor with a list of keys
	if !one || now["id"] == was["id"] || now["publicKeyPem"] == was["publicKeyPem"] {
		t.Errorf("%v\nwas %v", s.document(actor)["publicKey"], was)
	}
	former := s.document(actor)["assertionMethod"].([]any)[0].(object)
	key, err := sign.ParsePublicKey(former["publicKeyMultibase"].(string))
	want, err2 := sign.ParsePublicKey(was["publicKeyPem"].(string))
	if errors.Join(err, err2) != nil || !want.(*rsa.PublicKey).Equal(key) || former["id"] != was["id"] || former["controller"] != actor {
		t.Errorf("%v is not %v: %v", former, was, errors.Join(err, err2))
	}
	if _, _, err := s.db.SavePost(s.ctx, storage.Draft{URL: "https://blog.test/2026/april/", Title: "April"}); err != nil {
		t.Fatal(err)
	}
	s.settle()
	if got := s.told(s.alpha, "Create"); len(got) != 1 { // verified with the new key, which alpha looked up
		t.Error(got)
	}
	s.advance(24 * time.Hour)
	if left := s.document(actor)["assertionMethod"]; left != nil {
		t.Error("the former key is good for ever")
	}
}

// A server that follows and never had to look up the former key finds the new one alone.
func TestR072_WhoNeverKnewTheOldKeyIsTold(t *testing.T) {
	s := open(t)
	s.must(s.alpha.Person("alice").Follow(s.ctx, actor))
	s.alpha.ForgetKeys()
	if err := s.fed.RotateKey(s.ctx); err != nil {
		t.Fatal(err)
	}
	s.settle()
	if got := s.told(s.alpha, "Update"); len(got) != 1 {
		t.Error(got)
	}
}

func TestMovingAway(t *testing.T) {
	s := open(t)
	s.must(s.alpha.Person("alice").Follow(s.ctx, actor))
	there := s.stranger("https://new.test/users/blog")
	if err := s.fed.MoveTo(s.ctx, "https://new.test/users/blog"); !errors.Is(err, federation.ErrNoAlias) {
		t.Fatal(err)
	}
	s.settle()
	if s.document(actor)["movedTo"] != nil || len(s.told(s.alpha, "Move")) != 0 {
		t.Error("moved to an account that does not want it")
	}
	there.with(object{"alsoKnownAs": []any{actor}})
	s.advance(time.Minute)
	if err := s.fed.MoveTo(s.ctx, "https://new.test/users/blog"); err != nil {
		t.Fatal(err)
	}
	s.settle()
	moved := s.told(s.alpha, "Move")
	if len(moved) != 1 || moved[0].Activity["object"] != actor || moved[0].Activity["target"] != "https://new.test/users/blog" {
		t.Fatal(moved)
	}
	if s.document(actor)["movedTo"] != "https://new.test/users/blog" || len(s.told(s.alpha, "Update")) != 1 {
		t.Error(s.document(actor)["movedTo"], len(s.told(s.alpha, "Update")))
	}
	if err := s.fed.MoveTo(s.ctx, ""); err != nil {
		t.Fatal(err)
	}
	if s.document(actor)["movedTo"] != nil {
		t.Error("still moved")
	}
}

func TestMovingIn(t *testing.T) {
	s := open(t)
	alice := s.alpha.Person("alice")
	var id thread.IRI
	for _, account := range []string{"https://alpha.test/@alice", "https://elsewhere.test/@alice@alpha.test", "acct:alice@ALPHA.test", alice.ID, alice.Handle()} {
		var err error
		if id, err = s.fed.Find(s.ctx, account); err != nil || string(id) != alice.ID {
			t.Errorf("%q is %s, %v", account, id, err)
		}
	}
	for _, account := range []string{"", "@", "alice", "@alice@", "@@alpha.test", "@alice@alpha.test/x", "@a@b@c", "@nobody@alpha.test", "@alice@nowhere.test",
		"https://alpha.test/nothing", "javascript:alert(1)", "@alice@alpha.test?x"} {
		if id, err := s.fed.Find(s.ctx, account); err == nil {
			t.Errorf("%q is %s", account, id)
		}
	}
	if err := s.fed.SetAliases(s.ctx, append(must(s.fed.Aliases(s.ctx)), id)); err != nil {
		t.Fatal(err)
	}
	if got := s.document(actor)["alsoKnownAs"].([]any); len(got) != 1 || got[0] != string(id) {
		t.Error(got)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestProfileChangesAreTold: by a new configuration or a new title of the blog, once each; and by nothing else.
func TestProfileChangesAreTold(t *testing.T) {
	nameless := func(c *federation.Config) { c.Name = "" }
	s := open(t, nameless)
	s.must(s.alpha.Person("alice").Follow(s.ctx, actor))
	updates := func(want int, name any) {
		t.Helper()
		s.advance(2 * time.Minute)
		s.settle()
		told := s.told(s.alpha, "Update")
		if len(told) != want || want > 0 && about(t, told[want-1].Activity)["name"] != name {
			t.Fatalf("%d updates, want %d with the name %v", len(told), want, name)
		}
	}
	updates(0, nil)
	s.restart(nameless)
	updates(0, nil)
	if err := s.db.SaveProfile(s.ctx, storage.Profile{Name: "Found", Summary: "What <b>it</b> says.", Icon: "https://blog.test/icon.png"}); err != nil {
		t.Fatal(err)
	}
	updates(1, "Found")
	if doc := s.document(actor); !strings.Contains(doc["summary"].(string), "What &lt;b&gt;") || doc["icon"].(object)["url"] != "https://blog.test/icon.png" {
		t.Error(doc)
	}
	s.restart(func(c *federation.Config) {
		c.Name, c.Header, c.Fields = "Named", "https://blog.test/wide.png", []string{"Code: https://example.org/me/", "Mood: <wet>"}
	})
	updates(2, "Named")
	fields := s.document(actor)["attachment"].([]any)
	if len(fields) != 3 || fields[1].(object)["value"] != `<a href="https://example.org/me/" rel="me">example.org/me</a>` || fields[2].(object)["value"] != "&lt;wet&gt;" {
		t.Error(fields)
	}
	updates(2, "Named")
}

func (s *stage) advance(d time.Duration) { s.clock.advance(d) }
