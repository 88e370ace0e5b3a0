package main

import (
	"fmt"
	"strings"
	"testing"
)

// TestCorpusC: the JSON and the shape of messages, all signed well. What cannot be read as one thing only is 400, before
// any signature is looked at; what varies from server to server is read.
func TestCorpusC(t *testing.T) {
	// text is alice's message of these very bytes.
	text := func(body string) func(*site) []byte { return func(s *site) []byte { return s.alice.send(body) } }
	// edited is alice's comment with a piece of its text replaced.
	edited := func(old, new string) func(*site) []byte {
		return func(s *site) []byte {
			was := string(jsonOf(s.alice.create("hello")))
			if !strings.Contains(was, old) {
				s.Fatalf("there is no %s in %s", old, was)
			}
			return s.alice.send(strings.Replace(was, old, new, 1))
		}
	}
	// activity and note are alice's comment with other members.
	activity := func(members object) func(*site) []byte {
		return func(s *site) []byte { return s.alice.send(but(s.alice.create("hello"), members)) }
	}
	note := func(members object) func(*site) []byte {
		return func(s *site) []byte { return s.alice.send(s.alice.does("Create", but(s.alice.note("hello"), members))) }
	}
	refused := func(name string, send func(*site) []byte) { try(name, send, 400, nothing, 0).run(t) }
	shown := func(name string, send func(*site) []byte) {
		try(name, send, 202, entered, 1).shows("alice: hello").run(t)
	}
	irrelevant := func(name string, send func(*site) []byte) { try(name, send, 202, nothing, 0).run(t) }
	secret := func(name string, send func(*site) []byte) { try(name, send, 202, private, 1).run(t) }

	refused("C1 nothing", text(""))
	refused("C1 white space", text(" \r\n"))
	refused("C2 something after it", edited(`{`, `{} {`))
	refused("C2 a letter after it", func(s *site) []byte { return s.alice.send(string(jsonOf(s.alice.create("hello"))) + "x") })
	shown("C2 white space around it", func(s *site) []byte { return s.alice.send("\n\t " + string(jsonOf(s.alice.create("hello"))) + "\r\n ") })
	refused("C3 cut short", func(s *site) []byte { b := jsonOf(s.alice.create("hello")); return s.alice.send(b[:len(b)-1]) })
	refused("C4 invalid UTF-8", edited("hello", "hell\xff"))
	refused("C4 overlong UTF-8", edited("hello", "hell\xc0\xaf"))
	refused("C4 UTF-16", func(s *site) []byte {
		return s.alice.send(strings.Join(strings.Split(string(jsonOf(s.alice.create("hello"))), ""), "\x00"))
	})
	refused("C5 a byte order mark", func(s *site) []byte { return s.alice.send("\ufeff" + string(jsonOf(s.alice.create("hello")))) })
	for _, b := range []string{"null", "true", "7", `"hello"`, "[]", "[{}]", "{}", "{", "}", "NaN", `{"a":1,}`, `{'a':1}`, `{"a":01}`, `{"a":.5}`, `{"a":1e}`, `{a:1}`, "// hello\n{}",
		`{"a":"\x"}`, "{\"a\":\"\n\"}", `{"a":tru}`, `{"a" "b"}`, `{"a":"b" "c":"d"}`, `["a"`, `{"a":[1,]}`, `{"a":Infinity}`, "\x00", "<html>"} {
		refused(fmt.Sprintf("C6 %q", strings.ReplaceAll(b, "/", "|")), text(b))
	}
	refused("C7 a lone surrogate", edited("hello", `hell\ud800`))
	refused("C7 surrogates in the wrong order", edited("hello", `hell\udc00\ud800`))
	refused("C8 a name twice", edited(`"type"`, `"type":"Delete","type"`))
	refused("C8 id twice in the object", edited(`"attributedTo"`, `"id":"https://blog.test/x","attributedTo"`))
	refused("C8 a name twice, once escaped", edited(`"type"`, `"\u0074ype":"Delete","type"`))
	shown("C9 Id and ID beside id", edited(`"type"`, `"ID":"https://blog.test/x","Id":"https://blog.test/y","type"`))
	refused("C9 ID instead of id", activity(object{"id": nil, "ID": "https://good.test/x"}))
	refused("C9 Type instead of type", activity(object{"type": nil, "Type": "Create"}))
	shown("C10 a number of a thousand digits", activity(object{"x": 0, "number": strings.Repeat("9", 1000)}))
	shown("C10 1e999999", edited(`"type"`, `"x":1e999999,"type"`))
	refused("C11 33 deep", edited(`"actor"`, `"x":`+strings.Repeat("[", 32)+strings.Repeat("]", 32)+`,"actor"`))
	shown("C11 32 deep", edited(`"actor"`, `"x":`+strings.Repeat("[", 31)+strings.Repeat("]", 31)+`,"actor"`))
	refused("C11 10001 deep", edited(`"type"`, `"x":`+strings.Repeat("[", 10001)+strings.Repeat("]", 10001)+`,"type"`))
	refused("C11 10001 deep in objects", edited(`"type"`, `"x":`+strings.Repeat(`{"a":`, 10001)+"1"+strings.Repeat("}", 10001)+`,"type"`))
	refused("C12 a text of more than 128 KiB", activity(object{"x": strings.Repeat("x", 128<<10+1)}))
	refused("C12 a name of more than 128 KiB", activity(object{strings.Repeat("x", 128<<10+1): 1}))
	refused("C13 10001 tokens", activity(object{"x": make([]int, 10_001)}))
	shown("C13 9000 tokens", activity(object{"x": make([]int, 9_000)}))
	refused("C14 201 members", activity(many(201)))
	shown("C14 190 members", activity(many(190)))
	refused("C15 no type", activity(object{"type": nil}))
	refused("C15 type null", edited(`"type":"Create"`, `"type":null`))
	refused("C15 type a number", activity(object{"type": 7}))
	refused("C15 type a list of 100", activity(object{"type": strings.Split(strings.Repeat("Create ", 100), " ")}))
	refused("C15 type an empty list", activity(object{"type": []any{}}))
	irrelevant("C15 a type nobody knows", activity(object{"type": "Sneeze"}))
	irrelevant("C15 type create", activity(object{"type": "create"}))
	shown("C15 type a list of one", activity(object{"type": []any{"Create"}}))
	shown("C15 type with a type nobody knows", activity(object{"type": []any{"Sneeze", "Create"}}))
	refused("C16 no object", activity(object{"object": nil}))
	refused("C16 object a number", activity(object{"object": 7}))
	refused("C16 object an empty list", activity(object{"object": []any{}}))
	irrelevant("C16 object an empty text", activity(object{"object": ""}))
	refused("C17 no id", activity(object{"id": nil}))
	refused("C17 id null", activity(object{"id": object{}}))
	irrelevant("C17 an object without id", note(object{"id": nil}))
	for _, id := range []string{"alice", "/users/alice/1", "//good.test/1", "urn:x", "javascript:alert(1)", "data:,x", "acct:a@good.test", "tag:good.test,2026:x", "https://", "https:///x", "http:good.test",
		"https://a:b@good.test/1", "https://good.test/" + strings.Repeat("x", 2048), "https://good%2etest/1", "ftp://good.test/1", ""} {
		refused("C18 id "+strings.ReplaceAll(id[:min(40, len(id))], "/", "|"), activity(object{"id": id}))
	}
	for _, id := range []string{"https://good.test/\x00", "https://good.test/\r\nX: y", "https://good.test/a b", "https://good.test/%0d%0aX", "https://good.test/%00", " https://good.test/1", "https://good.test/1\n",
		"https://good.test/\u007f", `https://good.test/\x`} {
		refused(fmt.Sprintf("C19 id %q", strings.ReplaceAll(id, "/", "|")), activity(object{"id": id}))
	}
	shown("C20 no @context", activity(object{"@context": nil}))
	shown("C20 a @context elsewhere is not fetched", activity(object{"@context": []any{"https://www.w3.org/ns/activitystreams", "https://evil.test/context"}}))
	shown("C20 a @context with terms of its own", activity(object{"@context": []any{"https://www.w3.org/ns/activitystreams", object{"toot": "http://joinmastodon.org/ns#", "sensitive": "as:sensitive"}}}))
	for _, term := range []string{"actor", "attributedTo", "object", "to", "cc", "inReplyTo", "id", "type", "as"} {
		refused("C21 a @context that redefines "+term, activity(object{"@context": []any{"https://www.w3.org/ns/activitystreams", object{term: "https://evil.test/ns#x"}}}))
	}
	refused("C21 within a term's own context", activity(object{"@context": object{"x": object{"@id": "as:x", "@context": object{"actor": "as:attributedTo"}}}}))
	refused("C21 in the object", note(object{"@context": object{"attributedTo": "as:actor"}}))
	refused("C22 another name for id", activity(object{"@context": object{"myid": "@id"}}))
	refused("C22 another name for type", activity(object{"@context": object{"kind": object{"@id": "@type"}}}))
	refused("C23 @id instead of id", activity(object{"id": nil, "@id": "https://good.test/1"}))
	refused("C23 @type beside type", activity(object{"@type": "Delete"}))
	refused("C23 @id in the object", note(object{"@id": "https://good.test/1"}))
	refused("C24 @graph", text(`{"@context":"https://www.w3.org/ns/activitystreams","@graph":[]}`))
	refused("C25 five Creates in one another", func(s *site) []byte {
		of := s.alice.create("hello")
		for n := range 4 {
			of = but(s.alice.does("Create", of), object{"id": fmt.Sprint("https://good.test/", n)})
		}
		return s.alice.send(of)
	})
	refused("C25 a Create in an Update", func(s *site) []byte { return s.alice.send(s.alice.does("Update", s.alice.create("hello"))) })
	shown("C26 a list of one object", func(s *site) []byte {
		return s.alice.send(but(s.alice.create("hello"), object{"object": []any{s.alice.note("hello")}}))
	})
	for _, content := range []any{7, []any{"hello"}, object{"en": "hello"}, true} {
		refused(fmt.Sprintf("C27 content %v", content), note(object{"content": content}))
	}
	shown("C28 content null and a contentMap", edited(`"content":"\u003cp\u003ehello\u003c/p\u003e"`, `"content":null,"contentMap":{"en":"<p>hello</p>"}`))
	shown("C28 a contentMap alone", note(object{"content": nil, "contentMap": object{"en": "<p>hello</p>"}}))
	for _, date := range []any{"yesterday", "9999-12-31T23:59:59Z", "-0001-01-01T00:00:00Z", "0000-00-00T00:00:00Z", "2026-02-30T00:00:00Z", nil, object{}, "", "1969-01-01T00:00:00Z", "1970-01-01T00:00:00Z",
		strings.Repeat("9", 1000)} {
		try(fmt.Sprintf("C29 published %.30v", date), note(object{"published": date}), 202, entered, 1).shows("alice: hello").expect(func(s *site) {
			if all, err := s.db.Thread(s.ctx, marchNote); err != nil || len(all) != 1 || !all[0].Published.Equal(noon) {
				s.Errorf("%+v %v", all, err)
			}
		}).run(t)
	}
	first := says(note(object{"updated": "2026-03-01T11:50:00Z"}))
	update := func(updated string) func(*site) []byte {
		return func(s *site) []byte {
			return s.alice.send(but(s.alice.does("Update", but(s.alice.note("hello"), object{"content": "changed", "updated": updated})), object{"id": "https://good.test/u"}))
		}
	}
	edit := says(update("2026-03-01T11:55:00Z"))
	try("C31 updated earlier than what is stored", func(s *site) []byte {
		return s.alice.send(but(s.alice.does("Update", but(s.alice.note("hello"), object{"content": "changed back", "updated": "2026-03-01T11:51:00Z"})), object{"id": "https://good.test/u2"}))
	}, 202, again, 0).given(when(says(note(object{"published": "2026-03-01T11:40:00Z"})), edit)).shows("alice: changed").run(t)
	try("C30 updated in the year 9999", func(s *site) []byte {
		return s.alice.send(but(s.alice.does("Update", but(s.alice.note("hello"), object{"content": "once more", "updated": "9999-01-01T00:00:00Z"})), object{"id": "https://good.test/u3"}))
	}, 202, "comments posts received", 0).given(first).shows("alice: once more").expect(func(s *site) {
		if all, _ := s.db.Thread(s.ctx, marchNote); all[0].Edited.After(noon) {
			s.Errorf("edited %v", all[0].Edited)
		}
	}).run(t)
	for name, answers := range map[string]any{"a list": []any{marchNote}, "an object": object{"id": marchNote}, "a list with others": []any{"https://blog.test/posts/elsewhere/", marchNote},
		"a Link": object{"type": "Link", "href": marchNote}} {
		shown("C32 inReplyTo "+name, note(object{"inReplyTo": answers}))
	}
	irrelevant("C32 inReplyTo a number", note(object{"inReplyTo": 7}))
	irrelevant("C32 inReplyTo null", note(object{"inReplyTo": nil}))
	shown("C33 10000 tags", note(object{"tag": times(10_000, object{"type": "Mention", "href": "https://victim.test/users/x"})}))
	shown("C33 tag a single one", note(object{"tag": object{"type": "Mention", "href": blogActor}}))
	shown("C33 tags of no sense", note(object{"tag": []any{7, nil, "x", object{}, []any{}, object{"type": "Mention", "href": 7}}}))
	shown("C34 20000 emoji", note(object{"tag": times(20_000, object{"type": "Emoji"})}))
	secret("C35 Public after 50000 others in to", note(object{"to": append(times(50_000, "x:y"), everybody), "cc": nil}))
	shown("C35 Public as the hundredth in to", note(object{"to": append(times(99, "https://good.test/x"), everybody)}))
	shown("C36 to a single one", note(object{"to": everybody}))
	shown("C36 to an object", note(object{"to": []any{object{"id": everybody}}}))
	secret("C36 to a number", note(object{"to": 7}))
	shown(`C37 sensitive "yes"`, note(object{"sensitive": "yes"}))
	for _, v := range []any{7, object{}, []any{7}, nil, true} {
		shown(fmt.Sprintf("C38 odd members %v", v), note(object{"summary": v, "url": v, "attachment": v, "name": v, "conversation": v, "replies": v, "likes": v, "source": v, "mediaType": v}))
	}
	for _, odd := range []string{"%s%n%d", "{{.}}", "${x}", "<%= x %>", "$(id)", "'; DROP TABLE comments; --", "\\u0000", "%00", "[[x]]"} {
		try("C39 "+strings.ReplaceAll(odd, "/", "|"), note(object{"content": strings.ReplaceAll(odd, "<", "&lt;")}), 202, entered, 1).shows("alice: " + odd).run(t)
	}
	irrelevant("C40 a vote", note(object{"content": nil, "name": "yes"}))
	irrelevant("C40 an object that is a list of lists", activity(object{"object": []any{[]any{[]any{marchNote}}}}))
}

func many(n int) object {
	o := object{}
	for i := range n - 6 { // an activity has six and more
		o[fmt.Sprint("x", i)] = i
	}
	return o
}

func times(n int, v any) []any {
	all := make([]any, n)
	for i := range all {
		all[i] = v
	}
	return all
}
