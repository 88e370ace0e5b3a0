package federation_test

import (
	"fmt"
	"strings"
	"testing"
)

// Requirement 52 and its neighbours: one thing said in the many ways in which JSON-LD and real servers say it. Each is
// the public reply "Here." of the same account, and has to stand under the post once.
func TestR052_OneThingManyShapes(t *testing.T) {
	const id, author = "https://one.test/notes/1", "https://one.test/alice"
	link := func(href string) object { return object{"type": "Link", "href": href, "mediaType": "text/html"} }
	for name, c := range map[string]struct{ activity, note object }{
		"as it should be":              {},
		"nothing but the needful":      {nil, object{"published": nil}},
		"dated as mail":                {nil, object{"published": "Sun, 01 Mar 2026 11:00:00 GMT"}},
		"dated +0000":                  {nil, object{"published": "2026-03-01T11:00:00.123456+0000"}},
		"dated without zone":           {nil, object{"published": "2026-03-01T11:00:00"}},
		"dated by SQL":                 {nil, object{"published": "2026-03-01 11:00:00"}},
		"dated in small letters":       {nil, object{"published": "2026-03-01t11:00:00z"}},
		"dated in seconds":             {nil, object{"published": 1772362800}},
		"dated in milliseconds":        {nil, object{"published": int64(1772362800000)}},
		"dated in a value":             {nil, object{"published": object{"@type": "xsd:dateTime", "@value": "2026-03-01T11:00:00Z"}}},
		"dated nonsense":               {nil, object{"published": "yesterday"}},
		"dated tomorrow":               {nil, object{"published": "2026-03-02T11:00:00Z"}},
		"dated null, changed null":     {object{"published": nil}, object{"published": nil, "updated": nil}},
		"changed when it was written":  {nil, object{"updated": "2026-03-01T11:00:00Z", "published": "2026-03-01T11:00:00Z"}},
		"actor embedded":               {object{"actor": object{"id": author, "type": "Person", "name": "Alice"}}, nil},
		"actor in a list":              {object{"actor": []any{author}}, nil},
		"type in a list":               {object{"type": []any{"Create"}}, object{"type": []any{"Note", "https://example.test/ns#Comment"}}},
		"type prefixed":                {object{"type": "as:Create"}, object{"type": "as:Note"}},
		"type in full":                 {object{"type": "https://www.w3.org/ns/activitystreams#Create"}, object{"type": "https://www.w3.org/ns/activitystreams#Note"}},
		"to and cc single":             {object{"to": public, "cc": author + "/followers"}, object{"to": public, "cc": author + "/followers"}},
		"cc null, tag null":            {object{"cc": nil}, object{"cc": nil, "tag": nil, "attachment": nil, "summary": nil, "name": nil, "url": nil, "replies": nil, "sensitive": nil}},
		"everything empty":             {nil, object{"cc": []any{}, "tag": []any{}, "attachment": []any{}, "summary": "", "name": "", "url": "", "sensitive": false}},
		"everything of the wrong kind": {nil, object{"cc": 5, "tag": "x", "attachment": true, "summary": []any{}, "name": object{}, "url": 7, "sensitive": "no", "replies": 3, "likes": "x", "source": []any{}, "conversation": object{}}},
		"tag single":                   {nil, object{"tag": object{"type": "Mention", "href": actor, "name": "@blog"}}},
		"tag without types":            {nil, object{"tag": []any{object{"name": "x"}, nil, "y"}}},
		"attributedTo embedded":        {nil, object{"attributedTo": object{"type": "Person", "id": author}}},
		"attributedTo in a list":       {nil, object{"attributedTo": []any{author}}},
		"attributedTo and its group":   {nil, object{"attributedTo": []any{object{"type": "Group", "id": "https://one.test/c/rain"}, object{"type": "Person", "id": author}}}},
		"attributedTo a link":          {nil, object{"attributedTo": object{"type": "Link", "href": author}}},
		"author said as actor":         {nil, object{"attributedTo": nil, "actor": author}},
		"author not said":              {nil, object{"attributedTo": nil}},
		"inReplyTo embedded":           {nil, object{"inReplyTo": object{"id": note, "type": "Note", "content": "<p>March</p>"}}},
		"inReplyTo a link":             {nil, object{"inReplyTo": link(note)}},
		"inReplyTo in a list":          {nil, object{"inReplyTo": []any{note}}},
		"inReplyTo two, ours second":   {nil, object{"inReplyTo": []any{"https://two.test/x", note}}},
		"inReplyTo the page":           {nil, object{"inReplyTo": page}},
		"inReplyTo http":               {nil, object{"inReplyTo": "http://blog.test/2026/march/"}},
		"inReplyTo without slash":      {nil, object{"inReplyTo": "https://blog.test/2026/march"}},
		"inReplyTo with fragment":      {nil, object{"inReplyTo": page + "#comments"}},
		"inReplyTo with tracking":      {nil, object{"inReplyTo": page + "?utm_source=feed&utm_medium=rss"}},
		"inReplyTo, host in capitals":  {nil, object{"inReplyTo": "https://BLOG.test/2026/march/"}},
		"inReplyTo with port":          {nil, object{"inReplyTo": "https://blog.test:443/2026/march/"}},
		"inReplyTo the note, port":     {nil, object{"inReplyTo": "https://blog.test:443/.ap/posts/2026/march/"}},
		"inReplyTo the note, capitals": {nil, object{"inReplyTo": "HTTPS://Blog.Test/.ap/posts/2026/march/"}},
		"inReplyTo the note, fragment": {nil, object{"inReplyTo": note + "#x"}},
		"content in a map":             {nil, object{"content": nil, "contentMap": object{"en": "<p>Here.</p>", "fr": "<p>Ici.</p>"}}},
		"content without the map":      {nil, object{"contentMap": nil}},
		"content and other map":        {nil, object{"contentMap": []any{}}},
		"content without markup":       {nil, object{"content": "Here."}},
		"content in Markdown":          {nil, object{"content": "Here.", "mediaType": "text/markdown"}},
		"content as plain text":        {nil, object{"content": "Here.", "mediaType": "text/plain; charset=utf-8"}},
		"content in XHTML":             {nil, object{"mediaType": "application/xhtml+xml"}},
		"only a summary":               {nil, object{"content": "", "summary": "Here."}},
		"an object in a list":          {object{"object": "list"}, nil},
		"no context":                   {object{"@context": nil}, nil},
		"context in the object, too":   {nil, object{"@context": []any{"https://www.w3.org/ns/activitystreams", object{"sensitive": "as:sensitive"}}}},
		"url a link":                   {nil, object{"url": link("https://one.test/@alice/1")}},
		"url of many":                  {nil, object{"url": []any{object{"type": "Link", "mediaType": "application/x-bittorrent", "href": "https://one.test/1.torrent"}, link("https://one.test/@alice/1"), "x"}}},
		"id with a query":              {object{"id": "https://one.test/?activity=1#create"}, object{"id": "https://one.test/?p=7&c=1#comment"}},
		"host in capitals":             {object{"id": "https://ONE.test/activities/9"}, object{"id": "https://One.Test/notes/1", "attributedTo": "HTTPS://ONE.TEST/alice"}},
		"the default port":             {object{"id": "https://one.test:443/activities/9"}, object{"id": "https://one.test:443/notes/1"}},
		"signed inside":                {object{"signature": object{"type": "RsaSignature2017", "creator": "https://evil.test/u#key", "signatureValue": "AAAA"}, "proof": object{"type": "DataIntegrityProof"}}, nil},
		"an Update comes first":        {object{"type": "Update", "id": "https://one.test/updates/1"}, object{"updated": "2026-03-01T11:30:00Z"}},
		"a type that nobody knows":     {nil, object{"type": "Utterance"}},
		"no type at all":               {nil, object{"type": nil}},
		"answers a poll by text":       {nil, object{"name": "Tabs"}},
		"context is a tag":             {nil, object{"conversation": "tag:one.test,2026:objectId=1:objectType=Conversation", "context": "tag:one.test,2026:1"}},
		"for group members":            {object{"audience": "https://one.test/c/rain"}, object{"audience": "https://one.test/c/rain"}},
		"in a container":               {object{"target": object{"type": "Collection", "id": base + "/context/2026/march/"}}, object{"context": base + "/context/2026/march/"}},
	} {
		s := open(t)
		alice := s.stranger(author)
		n := changed(alice.note(id, note, "<p>Here.</p>"), c.note)
		message := changed(alice.create(n), c.activity)
		if message["object"] == "list" {
			message["object"] = []any{n}
		}
		if status := alice.send(message); status != 202 {
			t.Errorf("%s: answered %d", name, status)
			continue
		}
		s.settle()
		if got := s.words(); got != "@palice@one.test: Here." {
			t.Errorf("%s: %q\n%s", name, got, s.ledger())
		}
	}
}

// Requirement 52: what has a title says it, and leads to what it is the title of.
func TestR052_Titled(t *testing.T) {
	s := open(t)
	p := s.stranger("https://one.test/p")
	for i, c := range []struct {
		members object
		want    string
	}{
		{object{"type": "Article", "name": "Rain"}, `<p><a href="https://one.test/@p/x" rel="nofollow ugc noopener noreferrer"><strong>Rain</strong></a></p><p>Here.</p>`},
		{object{"type": "Page", "name": "Rain", "content": nil}, `<p><a href="https://one.test/@p/x" rel="nofollow ugc noopener noreferrer"><strong>Rain</strong></a></p>`},
		{object{"type": "Video", "name": "Rain", "content": "", "summary": "<p>abstract</p>"}, `<p><a href="https://one.test/@p/x" rel="nofollow ugc noopener noreferrer"><strong>Rain</strong></a></p><p>abstract</p>`},
		{object{"type": "Event", "name": nil, "nameMap": object{"en": "Rain"}, "content": nil, "url": nil}, `<p><strong>Rain</strong></p>`},
		{object{"type": "Note", "name": "Rain"}, `<p>Here.</p>`},
		{object{"type": []any{"Article", "schema:BlogPosting"}, "name": "Rain <b>", "url": "javascript:x"}, `<p><strong>Rain &lt;b&gt;</strong></p><p>Here.</p>`},
		{object{"type": "Audio", "name": "Rain", "content": nil, "attachment": object{"type": "Audio", "mediaType": "audio/ogg", "url": "https://one.test/rain.ogg"}},
			`<p><a href="https://one.test/@p/x" rel="nofollow ugc noopener noreferrer"><strong>Rain</strong></a></p><p><a href="https://one.test/rain.ogg" rel="nofollow ugc noopener noreferrer">Sound</a></p>`},
	} {
		id := fmt.Sprint("https://one.test/notes/", i)
		n := changed(changed(p.note(id, note, "<p>Here.</p>"), object{"url": "https://one.test/@p/x"}), c.members)
		p.says(p.create(n))
		if got := s.comment(id).HTML; got != c.want {
			t.Errorf("%v: %s", c.members, got)
		}
	}
}

// What somebody passes on is a reason to ask for it, and nothing else (SCENARIOS 11; SECURITY R2).
func TestR038_R052_PassedOnInAnnounce(t *testing.T) {
	s := open(t)
	group, alice := s.stranger("https://two.test/c/rain").with(object{"type": "Group"}), s.stranger("https://one.test/alice")
	announce := func(n int, of any) {
		group.says(object{"id": fmt.Sprint("https://two.test/announces/", n), "type": "Announce", "actor": group.id, "object": of, "to": []any{public}, "cc": []any{group.id + "/followers"}})
	}
	original := alice.note("https://one.test/notes/1", note, "<p>As written.</p>")
	s.serve("https://one.test/notes/1", original)
	announce(1, alice.create(changed(original, object{"content": "<p>As changed.</p>"})))
	s.shows("@palice@one.test: <p>As written.</p>")

	second := alice.note("https://one.test/notes/2", "https://one.test/notes/1", "<p>Bare.</p>") // NodeBB boosts the note itself
	s.serve("https://one.test/notes/2", second)
	announce(2, second)
	s.shows("@palice@one.test: <p>As written.</p>", "  @palice@one.test: <p>Bare.</p>")

	edited := changed(original, object{"content": "<p>As edited.</p>", "updated": "2026-03-01T12:05:00Z"})
	announce(3, alice.activity("Update", edited)) // not so at its own server: nothing happens
	if !strings.Contains(s.thread(), "As written.") {
		t.Error(s.thread())
	}
	s.serve("https://one.test/notes/1", edited)
	announce(4, changed(alice.activity("Update", edited), object{"id": "https://one.test/updates/2"}))
	if !strings.Contains(s.thread(), "As edited.") {
		t.Error(s.thread(), s.ledger())
	}

	announce(5, alice.activity("Delete", "https://one.test/notes/2")) // it stands: nothing happens
	if !strings.Contains(s.thread(), "Bare.") {
		t.Error(s.thread())
	}
	s.answer("https://one.test/notes/2", answer{status: 410, body: object{"id": "https://one.test/notes/2", "type": "Tombstone"}})
	announce(6, changed(alice.activity("Delete", object{"id": "https://one.test/notes/2", "type": "Tombstone"}), object{"id": "https://one.test/deletes/2"}))
	if strings.Contains(s.thread(), "Bare.") {
		t.Error(s.thread(), s.ledger())
	}
	s.untouched(0, func() {
		for n, of := range []any{alice.activity("Like", note), alice.activity("Delete", "https://one.test/notes/unknown"), alice.activity("Undo", alice.activity("Like", note)),
			alice.activity("Lock", note), alice.create(alice.note("https://one.test/notes/9", "https://two.test/other", "<p>Other.</p>")), "https://one.test/notes/9",
			alice.activity("Delete", note), alice.activity("Update", note)} {
			if status := group.send(object{"id": fmt.Sprint("https://two.test/others/", n), "type": "Announce", "actor": group.id, "object": of, "to": []any{public}}); status != 202 {
				t.Errorf("%v: %d", of, status)
			}
		}
	})
}
