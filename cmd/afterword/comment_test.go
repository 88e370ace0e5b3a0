package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"afterword/federation/fedtest"
)

// TestOrphansAreListed: a reply that leads to no post is not shown, and the blogger can read it all the same.
func TestOrphansAreListed(t *testing.T) {
	s, _, page, _, _ := opened(t, "")
	alice, anton := s.alpha.Person("alice"), s.alpha.Person("anton")
	lost := s.must(anton.Write(s.ctx, fedtest.Draft{HTML: "A post of my own.", WithoutMentions: true}))
	orphan := s.must(alice.Write(s.ctx, fedtest.Draft{InReplyTo: lost, HTML: "Look at <b>this</b>, blog.", WithoutMentions: true}))
	note := s.note(orphan)
	note["cc"] = []any{s.base + "/actor"}
	if a := alice.Send(s.ctx, s.base+"/inbox", alice.Activity("Create", note), fedtest.Envelope{}); a.Status != http.StatusAccepted {
		t.Fatalf("%+v", a)
	}
	s.expect(page, "open: 1 comments, 0 likes, 0 boosts, 0 late", "@alice First.")
	var found []map[string]any
	if err := json.Unmarshal([]byte(s.afterword("comment", "list", "-state", "orphan", "-json")), &found); err != nil || len(found) != 1 {
		t.Fatalf("%v %v", found, err)
	}
	if c := found[0]; c["id"] != orphan || c["parent"] != lost || c["author"] != alice.Handle() || !strings.Contains(c["text"].(string), "Look at this, blog.") {
		t.Errorf("%v", c)
	}
	if got := s.afterword("comment", "list", "-state", "orphan", "-post", page); got != "" {
		t.Error(got)
	}
	if got := s.afterword("comment", "list"); strings.Contains(got, orphan) {
		t.Error(got)
	}
	if said := s.fails("comment", "approve", orphan); !strings.Contains(said, "stands in no thread: orphan (") {
		t.Error(said)
	}
}

// TestTerminalsObeyNobody: what a stranger sent says the same when it is printed, and commands no terminal.
func TestTerminalsObeyNobody(t *testing.T) {
	const sent = "{\"content\":\"\u009b31mred \u202eder \x7f f\u00fcr \U0001f600\"}"
	var out bytes.Buffer
	if err := (&call{stdout: &out}).printJSON(json.RawMessage(sent)); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(out.String(), "\u009b\u202e\x7f") || !strings.Contains(out.String(), "f\u00fcr \U0001f600") {
		t.Errorf("%q", out.String())
	}
	var was, is any
	if err := errors.Join(json.Unmarshal([]byte(sent), &was), json.Unmarshal(out.Bytes(), &is)); err != nil || !reflect.DeepEqual(was, is) {
		t.Errorf("%v was %v, %v", is, was, err)
	}
}
