package wire

import (
	"slices"
	"strings"
	"testing"

	"afterword/thread"
)

// An object without an author, or of which only the id came, is as public as its sender says.
func TestR054_WhatNamesNoAuthorIsItsSenders(t *testing.T) {
	for object, want := range map[string]thread.Audience{
		`{"id":"https://good.test/n/1","type":"Note"}`:                                          thread.Public,
		`"https://good.test/n/1"`:                                                               thread.Public,
		`{"id":"https://good.test/n/1","type":"Note","to":"https://good.test/u/bob"}`:           thread.Private,
		`{"id":"https://good.test/n/1","type":"Note","attributedTo":"https://good.test/u/bob"}`: thread.Private,
		`{"id":"https://good.test/n/1","type":"Note","actor":"https://good.test/u/bob"}`:        thread.Private,
	} {
		a := parse(t, `{"id":"https://good.test/c/1","type":"Create","actor":"https://good.test/u/alice","to":"as:Public","object":`+object+`}`)
		if got := a.Object.AudienceOf(a); got != want {
			t.Errorf("%s: %v, want %v", object, got, want)
		}
	}
}

// A former key stands beside the key, not in a list with it.
func TestR072_FormerKey(t *testing.T) {
	b := testBlog()
	b.KeyName, b.Former = "key-2", Former{"main-key", "z4MX"}
	keys := parse(t, string(b.ActorDocument())).Profile.Keys
	owner := b.Actor()
	want := []PublicKey{{string(owner) + "#key-2", owner, b.KeyPEM}, {string(owner) + "#main-key", owner, "z4MX"}}
	if !slices.Equal(keys, want) || b.KeyID() != want[0].ID || !strings.Contains(string(b.ActorDocument()), "multikey/v1") {
		t.Errorf("got %+v, want %+v", keys, want)
	}
	if b.Former = (Former{}); strings.Contains(string(b.ActorDocument()), "ultikey") {
		t.Error("there is no former key")
	}
}

func TestSpeaks(t *testing.T) {
	for object, want := range map[string]bool{
		`{"type":"Note"}`: true, `{"type":"Page"}`: true, `{"type":"Review","content":"Good."}`: true, `{"type":"Review"}`: false,
		`{"type":"ChatMessage","content":"psst"}`: false, `{"type":"Person","content":"x"}`: false, `{"type":"Like","content":"x"}`: false,
		`{"type":"Tombstone","content":"x"}`: false, `{"type":["Note","x:Y"]}`: true, `{"type":"EncryptedMessage","content":"x"}`: false,
	} {
		if got := parse(t, object).Speaks(); got != want {
			t.Errorf("%s: %v", object, got)
		}
	}
}
