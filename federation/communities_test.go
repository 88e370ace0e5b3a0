package federation_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"afterword/federation/fedtest"
	"afterword/thread"
)

// Lemmy's community passes on what its people write, change and delete; what it says is asked for where it is from
// (SCENARIOS 11, 30).
func TestCommunitiesPassOn(t *testing.T) {
	for _, software := range []string{"lemmy", "nodebb"} {
		t.Run(software, func(t *testing.T) {
			s := open(t)
			delta := s.server("delta.test", software)
			dora, dirk := delta.Person("dora"), delta.Person("dirk")
			first := s.must(s.alpha.Person("alice").Reply(s.ctx, note, "One."))
			two := s.must(dora.Reply(s.ctx, first, "Two, from a **forum**."))
			s.clock.advance(time.Second)
			three := s.must(dirk.Reply(s.ctx, two, "Three."))
			if got, want := strip(s.thread()), "@alice@alpha.test: One.\n  @dora@delta.test: Two, from a **forum**.\n    @dirk@delta.test: Three."; got != want {
				t.Fatalf("readers see\n%s\n%s", got, s.ledger())
			}
			if c := s.comment(two); software == "lemmy" && c.Lang != "en" {
				t.Errorf("%+v", c)
			}
			s.clock.advance(time.Minute)
			s.must(dora.Edit(s.ctx, two, "Two, corrected."))
			s.must(dirk.Delete(s.ctx, three))
			if got, want := strip(s.thread()), "@alice@alpha.test: One.\n  @dora@delta.test: Two, corrected. (edited)"; got != want {
				t.Errorf("readers see\n%s\n%s", got, s.ledger())
			}

			// A community that announces what is not so, or is not its to delete, changes nothing.
			group := s.stranger("https://other.test/c/group")
			forged := object{"id": two, "type": "Note", "attributedTo": dora.ID, "inReplyTo": first, "to": []any{public}, "content": "Forged."}
			for i, wrapped := range []object{
				{"id": "https://delta.test/x/1", "type": "Update", "actor": dora.ID, "object": forged},
				{"id": "https://other.test/x/2", "type": "Delete", "actor": group.id, "object": first},
			} {
				group.says(changed(group.activity("Announce", wrapped), object{"id": "https://other.test/a/" + string(rune('0'+i)), "to": []any{public}}))
			}
			if got, want := strip(s.thread()), "@alice@alpha.test: One.\n  @dora@delta.test: Two, corrected. (edited)"; got != want {
				t.Errorf("readers see\n%s\n%s", got, s.ledger())
			}
		})
	}
}

// NodeBB lists a whole topic in the context of each of its posts; it is read once for all of them, and again only when it
// changed.
func TestContextCollections(t *testing.T) {
	s := open(t)
	delta := s.server("delta.test", "nodebb")
	dora, dirk := delta.Person("dora"), delta.Person("dirk")
	two := s.must(dora.Reply(s.ctx, note, "One of a topic."))
	three := s.quietly(dirk, two, "Two of it.")
	s.quietly(dora, three, "Three of it.")
	var answered []int
	inside := s.network.Handler("delta.test")
	s.network.Serve("delta.test", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/topic/") {
			w = &statusNoted{w, &answered}
		}
		inside.ServeHTTP(w, r)
	}))
	s.passes(15 * time.Minute)
	if got, want := strip(s.thread()), "@dora@delta.test: One of a topic.\n  @dirk@delta.test: Two of it.\n    @dora@delta.test: Three of it."; got != want {
		t.Errorf("readers see\n%s\n%s", got, s.ledger())
	}
	if len(answered) != 1 {
		t.Errorf("the topic was answered %d in one run", answered)
	}
}

type statusNoted struct {
	http.ResponseWriter
	all *[]int
}

func (w *statusNoted) WriteHeader(status int) {
	*w.all = append(*w.all, status)
	w.ResponseWriter.WriteHeader(status)
}

// What the fediverse puts into a reply beside its text (PROTOCOL 5).
func TestWhatAReplyIs(t *testing.T) {
	for name, c := range map[string]struct {
		members object
		html    string // "" when it is dropped
		warning string
		lang    string
	}{
		"content warning":      {object{"summary": "Spoiler <b>here</b>", "sensitive": true}, "<p>Text.</p>", "Spoiler here", ""},
		"Misskey's no warning": {object{"summary": "\u200b"}, "<p>Text.</p>", "", ""},
		"language":             {object{"contentMap": object{"pt-BR": "<p>Oi.</p>"}, "content": nil}, "<p>Oi.</p>", "", "pt-BR"},
		"picture": {object{"content": "", "attachment": []any{object{"type": "Document", "mediaType": "image/png", "url": "https://eve.test/a.png", "name": "A cat <3"}}},
			`<p><a href="https://eve.test/a.png" rel="nofollow ugc noopener noreferrer">A cat &lt;3</a></p>`, "", ""},
		"poll":             {object{"type": "Question", "oneOf": []any{object{"name": "Yes"}, object{"name": "No"}}}, "<p>Text.</p><ul><li>Yes</li><li>No</li></ul>", "", ""},
		"vote":             {object{"name": "Yes", "content": nil}, "", "", ""},
		"empty":            {object{"content": "<p> </p><img src=x>"}, "", "", ""},
		"markdown":         {object{"mediaType": "text/markdown", "content": "**Bold** <script>"}, "<p><strong>Bold</strong> &lt;script&gt;</p>", "", ""},
		"plain":            {object{"mediaType": "text/plain", "content": "One\nTwo <b>"}, "<p>One<br/>Two &lt;b&gt;</p>", "", ""},
		"custom emoji":     {object{"content": "<p>Hi :cat:</p>", "tag": []any{object{"type": "Emoji", "name": ":cat:", "icon": object{"url": "https://eve.test/c.png"}}}}, "<p>Hi :cat:</p>", "", ""},
		"article":          {object{"type": "Article", "name": "Long"}, "<p><strong>Long</strong></p><p>Text.</p>", "", ""},
		"Mastodon's quote": {object{"content": `<p class="quote-inline">RE: <a href="https://q.test/1">https://q.test/1</a></p><p>Text.</p>`, "quote": "https://q.test/1"}, withQuote, "", ""},
		"Misskey's quote":  {object{"content": `<p>Text.<span class="quote-inline"><br><br>RE: <a href="https://q.test/1">https://q.test/1</a></span></p>`, "_misskey_quote": "https://q.test/1", "quoteUrl": "https://q.test/1"}, withQuote, "", ""},
		"FEP-e232":         {object{"tag": []any{object{"type": "Link", "mediaType": `application/ld+json; profile="https://www.w3.org/ns/activitystreams"`, "href": "https://q.test/1", "name": "RE"}}}, withQuote, "", ""},
		"a quote that is linked": {object{"content": `<p>Text, see <a href="https://q.test/1">this</a>.</p>`, "quoteUrl": "https://q.test/1"},
			`<p>Text, see <a href="https://q.test/1" rel="nofollow ugc noopener noreferrer">this</a>.</p>`, "", ""},
		"a quote of nothing": {object{"quoteUrl": "javascript:alert(1)"}, "<p>Text.</p>", "", ""},
	} {
		s := open(t)
		eve := s.stranger("https://eve.test/eve")
		eve.says(eve.create(changed(eve.note("https://eve.test/n/1", note, "<p>Text.</p>"), c.members)))
		got, err := s.db.Comment(s.ctx, thread.IRI("https://eve.test/n/1"))
		if (err == nil) != (c.html != "") || got.HTML != c.html || got.Warning != c.warning || got.Lang != c.lang {
			t.Errorf("%s: %q %q %q %v\n%s", name, got.HTML, got.Warning, got.Lang, err, s.ledger())
		}
	}
}

const withQuote = `<p>Text.</p><p>RE: <a href="https://q.test/1" rel="nofollow ugc noopener noreferrer">https://q.test/1</a></p>`

// answers is the blog answering a comment.
func (s *stage) answers(to, html string) (thread.Comment, error) {
	s.Helper()
	me, err := s.fed.BlogActor(s.ctx)
	if err != nil {
		s.Fatal(err)
	}
	return s.db.Answer(s.ctx, me, thread.IRI(to), html)
}

// Whom the blog answers hears of it, also where nobody else sees what was answered.
func TestAnswersReachWhomTheyAnswer(t *testing.T) {
	s := open(t)
	if err := s.db.CloseThread(s.ctx, note, s.clock.now()); err != nil {
		t.Fatal(err)
	}
	s.clock.advance(time.Hour)
	late := s.must(s.alpha.Person("alice").Write(s.ctx, fedtest.Draft{InReplyTo: note, HTML: "Too late?", Force: true}))
	if _, err := s.answers(late, "<p>Yes, sorry.</p>"); err != nil {
		t.Fatal(err)
	}
	s.settle()
	if got := s.told(s.alpha, "Create"); len(got) != 1 || !strings.HasSuffix(got[0].Inbox, "/inbox") {
		t.Errorf("%v", got)
	}
}
