package wire

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"afterword/thread"

	"github.com/go-fed/activity/streams"
)

func testBlog() Blog {
	return Blog{
		Base: "https://blog.example/.ap", Handle: "blog", Domain: "blog.example", Name: "Words & after",
		Summary: "<p>A blog about <em>things</em>.</p>", Lang: "en", Page: "https://blog.example/",
		Icon: "https://blog.example/icon.png?v=2", KeyPEM: "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n",
		Published: time.Date(2009, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

func ownHost() Blog {
	b := testBlog()
	b.Base, b.Domain = "https://comments.blog.example", ""
	return b
}

func testPost(b Blog) thread.Post {
	p := thread.Post{
		URL: "https://blog.example/2009/05/post/", Title: `Q&A: <b> and "quotes"`,
		Summary: "<p>First paragraph.</p><p>Second.</p>", Tags: []string{"open source", "Go", "go", "2009", "Grüße!"},
		Published: time.Date(2009, 5, 1, 12, 0, 0, 0, time.FixedZone("CEST", 7200)), Likes: 3, Boosts: 1,
	}
	p.ID, _ = thread.NoteID(b.Base, p.URL, 1)
	return p
}

func testAnswer(b Blog) (thread.Comment, thread.Author) {
	p := testPost(b)
	return thread.Comment{
			ID: b.at("/answers/7"), Post: p.ID, Parent: "https://m.example/users/a/statuses/1", HTML: "<p>Thank you.</p>",
			Lang: "de", Published: time.Date(2024, 5, 7, 9, 30, 0, 0, time.UTC),
		}, thread.Author{
			ID: "https://m.example/users/a", Handle: "@a@m.example", URL: "https://m.example/@a",
		}
}

var testMoment = time.Date(2024, 5, 7, 10, 0, 0, 0, time.UTC)

// documents are all that we send, by the name of their golden file.
func documents() map[string][]byte {
	b, own := testBlog(), ownHost()
	split := own
	split.Domain = "blog.example"
	post, ownPost := testPost(b), testPost(own)
	edited := post
	edited.Updated = testMoment.Add(-time.Hour)
	shown := post
	shown.Pictures = []thread.Picture{{URL: "https://blog.example/frog.jpg", Alt: `A frog & "friends"`}, {URL: "https://blog.example/i?2", Type: "image/webp"},
		{URL: "https://blog.example/3.png"}, {URL: "https://blog.example/4.png"}, {URL: "https://blog.example/5.png"}}
	shown.Warning, shown.Unlisted, shown.Lang = "Frogs <3", true, "pt-BR"
	answer, parent := testAnswer(b)
	replies := Direct{IDs: []thread.IRI{"https://m.example/users/b/statuses/2", "https://wp.example?c=148"}, More: true}
	follow := []byte(`{"@context":"https://www.w3.org/ns/activitystreams","id":"https://m.example/f/1","type":"Follow","actor":"https://m.example/users/a","object":"https://blog.example/.ap/actor"}`)
	request := []byte(`{"id":"https://gts.example/r/1","type":"ReplyRequest","actor":"https://gts.example/users/b","object":"` + string(post.ID) + `","instrument":"https://gts.example/n/1"}`)
	open := func(thread.Post) thread.Openness { return thread.Open }
	approval := b.at("/approvals/9")
	return map[string][]byte{
		"actor":           b.ActorDocument(),
		"actor-own-host":  own.ActorDocument(),
		"actor-split":     split.ActorDocument(),
		"note-open":       b.NoteDocument(post, thread.Open, replies),
		"note-closed":     b.NoteDocument(edited, thread.Closed, Direct{}),
		"note-moderated":  b.NoteDocument(post, thread.Moderated, Direct{}),
		"note-pictures":   b.NoteDocument(shown, thread.Open, Direct{}),
		"note-own-host":   own.NoteDocument(ownPost, thread.Open, Direct{}),
		"answer":          b.AnswerDocument(answer, parent, thread.Open, Direct{}),
		"answer-create":   b.CreateAnswer(answer, parent, thread.Closed),
		"answer-update":   b.UpdateAnswer(answer, thread.Author{}, thread.Open, testMoment),
		"create":          b.CreateNote(post, thread.Open),
		"update":          b.UpdateNote(post, thread.Closed, testMoment),
		"delete":          b.DeleteNote(post.ID, testMoment),
		"update-actor":    b.UpdateActor(testMoment),
		"tombstone":       b.Tombstone(post.ID, testMoment),
		"accept-follow":   b.AcceptFollow(follow, "https://m.example/f/1", "https://m.example/users/a", "12"),
		"reject-reply":    b.RejectReply("https://gts.example/n/1", "https://gts.example/users/b", post.ID, "13"),
		"accept-reply":    b.AcceptReply("https://gts.example/n/1", "https://gts.example/users/b", post.ID, approval, "14"),
		"accept-request":  b.AcceptRequest(request, "https://gts.example/r/1", "https://gts.example/users/b", approval, "15"),
		"reject-request":  b.RejectRequest(request, "https://gts.example/r/1", "https://gts.example/users/b", "16"),
		"authorization":   b.Authorization(approval, "https://gts.example/n/1", post.ID),
		"followers":       b.FollowersDocument(42),
		"following":       b.FollowingDocument(),
		"likes":           b.LikesDocument(post.ID, 3),
		"shares":          b.SharesDocument(post.ID, 1),
		"featured":        b.FeaturedDocument([]thread.IRI{post.ID}),
		"outbox":          b.OutboxDocument(2),
		"outbox-page":     b.OutboxPage(2, []thread.Post{edited}, open, false),
		"replies":         b.RepliesDocument(post.ID, replies),
		"replies-page":    b.RepliesPage(post.ID, 2, Direct{IDs: replies.IDs[:1]}),
		"replies-empty":   b.RepliesDocument(post.ID, Direct{}),
		"context":         b.ContextDocument(post.ID, 3),
		"context-page":    b.ContextPage(post.ID, 1, append([]thread.IRI{post.ID}, replies.IDs...), false),
		"webfinger":       b.WebFinger(),
		"webfinger-split": split.WebFinger(),
		"nodeinfo-links":  b.NodeInfoLinks(),
		"nodeinfo":        b.NodeInfo("2.1", 12, 34, "0.1.0"),
	}
}

// Requirement 27: extension members and arrays stay as they are, byte for byte.
func TestR027_Golden(t *testing.T) {
	for name, got := range documents() {
		t.Run(name, func(t *testing.T) {
			compareFile(t, filepath.Join("testdata/golden", name+".json"), append(got, '\n'))
			readBack(t, got)
		})
	}
	again := documents()
	for name, got := range documents() {
		if string(got) != string(again[name]) {
			t.Error(name, "differs from one time to the next")
		}
	}
}

// readBack reads a document of ours as a stranger does.
func readBack(t *testing.T, sent []byte) doc {
	t.Helper()
	var d doc
	if err := json.Unmarshal(sent, &d); err != nil {
		t.Fatalf("%v in %s", err, sent)
	}
	if _, err := Parse(sent); err != nil {
		t.Fatalf("%v in %s", err, sent)
	}
	return d
}

// What we send is also understood by go-fed's own reader, by which a good part of the Go fediverse reads.
func TestGoFedReadsIt(t *testing.T) {
	for name, sent := range documents() {
		d := readBack(t, sent)
		if _, typed := d["type"]; !typed || name == "authorization" || strings.HasSuffix(name, "-request") {
			continue // not in its vocabulary
		}
		v, err := streams.ToType(context.Background(), d)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		back, err := streams.Serialize(v)
		if err != nil || back["id"] != d["id"] || !reflect.DeepEqual(back["type"], d["type"]) {
			t.Errorf("%s: %v came back as %v %v", name, d["id"], back["id"], err)
		}
	}
}

// And by our own: what Parse makes of it is what went in.
func TestWeReadIt(t *testing.T) {
	b := testBlog()
	p := testPost(b)
	for name, sent := range documents() {
		o := parse(t, string(sent))
		if o.ID == "" { // discovery
			continue
		}
		check := o.CheckShape
		if isActivity(o.Type()) {
			check = o.Check
		}
		if err := check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	o := parse(t, string(b.CreateNote(p, thread.Open)))
	n := o.Object
	if n.ID != p.ID || n.Author() != b.Actor() || n.AudienceOf(o) != thread.Public || n.URL != p.URL || n.Lang != "en" ||
		!n.Published.Equal(p.Published) || n.LikesTotal != 3 || n.Name != "" || n.Summary != "" ||
		fmt.Sprint(n.Contexts) != fmt.Sprintf("[%s]", b.Context(p.ID)) {
		t.Error(render(o))
	}
}

func TestR010_Actor(t *testing.T) {
	for _, b := range []Blog{testBlog(), ownHost()} {
		o := parse(t, string(b.ActorDocument()))
		hosts := map[string]bool{}
		for _, id := range []thread.IRI{o.ID, o.Profile.Inbox, o.Profile.SharedInbox, o.Profile.Followers, thread.IRI(o.URL)} {
			hosts[id.Host()] = true
		}
		key := o.Profile.Keys[0]
		if len(hosts) != 1 || key.Owner != o.ID || key.ID != b.KeyID() || key.PEM != b.KeyPEM {
			t.Error(hosts, key)
		}
	}
	split := ownHost()
	split.Domain = "blog.example"
	if o := parse(t, string(split.ActorDocument())); o.Profile.WebFinger != "blog@blog.example" {
		t.Error("FEP-2c59:", o.Profile.WebFinger)
	}
	if d := readBack(t, testBlog().ActorDocument()); d["webfinger"] != nil {
		t.Error("webfinger where the account's domain is the host")
	}
}

func TestR016_NoteHasNoNameNoSummary(t *testing.T) {
	d := readBack(t, testBlog().NoteDocument(testPost(testBlog()), thread.Open, Direct{}))
	for _, name := range []string{"id", "type", "attributedTo", "content", "published", "url", "to", "cc", "context", "conversation", "replies"} {
		if d[name] == nil {
			t.Error("no", name)
		}
	}
	if d["name"] != nil || d["summary"] != nil || d["updated"] != nil {
		t.Error("has name, summary or updated")
	}
	if d["context"] != d["conversation"] {
		t.Error("R017: context is not conversation")
	}
}

func TestR018_UpdatedIsNeverBeforePublished(t *testing.T) {
	b := testBlog()
	p := testPost(b)
	for updated, want := range map[time.Time]any{
		{}:                              nil,
		p.Published:                     "2009-05-01T10:00:00Z",
		p.Published.Add(-time.Second):   nil,
		p.Published.Add(90 * time.Hour): "2009-05-05T04:00:00Z",
	} {
		p.Updated = updated
		if d := readBack(t, b.NoteDocument(p, thread.Open, Direct{})); d["updated"] != want || d["published"] != "2009-05-01T10:00:00Z" {
			t.Error(updated, d["updated"], d["published"])
		}
	}
}

func TestR019_URL(t *testing.T) {
	for _, tc := range []struct{ base, page, want string }{
		{"https://blog.example/.ap", "https://blog.example/a/", "https://blog.example/a/"},
		{"https://blog.example/.ap", "https://BLOG.example/a/", "https://BLOG.example/a/"},
		{"https://blog.example/.ap", "https://www.blog.example/a/", "https://blog.example/.ap/posts/a/"},
		{"https://comments.blog.example", "https://blog.example/a/", "https://comments.blog.example/posts/a/"},
		{"http://localhost:8080", "http://localhost:8080/demo/a", "http://localhost:8080/demo/a"},
		{"http://localhost:8080", "http://localhost:8081/demo/a", "http://localhost:8080/posts/demo/a"},
	} {
		b := Blog{Base: tc.base}
		id, err := thread.NoteID(b.Base, tc.page, 1)
		if got := b.NoteURL(thread.Post{ID: id, URL: tc.page}); err != nil || got != tc.want {
			t.Errorf("%v: %s %v", tc, got, err)
		}
	}
}

// Requirement 22, CONTRACT "Federation URLs".
func TestR022_IDs(t *testing.T) {
	b := Blog{Base: "https://comments.example.com"}
	for _, tc := range []struct {
		page, want string
		times      int
	}{
		{"https://example.com/2009/07/06/slug/", "/posts/2009/07/06/slug/", 1},
		{"https://example.com/2009/07/06/slug/", "/posts/2009/07/06/slug/~2", 2},
		{"https://example.com/?p=7&utm_source=x", "/posts/?p=7", 1},
		{"https://example.com/?p=7", "/posts/?p=7~3", 3},
		{"https://example.com", "/posts/", 0},
		{"https://example.com/caf%C3%A9", "/posts/caf%C3%A9", 1},
	} {
		if id, err := thread.NoteID(b.Base, tc.page, tc.times); string(id) != b.Base+tc.want || err != nil {
			t.Errorf("%v: %s %v", tc, id, err)
		}
	}
	if _, err := thread.NoteID(b.Base, "mailto:x@example.com", 1); err == nil {
		t.Error("a mail address has no Note")
	}
	id, _ := thread.NoteID(b.Base, "https://example.com/a/?p=1", 2)
	got := []thread.IRI{b.Replies(id), b.Context(id), b.Likes(id), b.Shares(id), b.Replies(b.at("/answers/7"))}
	want := []thread.IRI{b.at("/replies/a/?p=1~2"), b.at("/context/a/?p=1~2"), b.at("/likes/a/?p=1~2"), b.at("/shares/a/?p=1~2"), b.at("/answers/7/replies")}
	if !reflect.DeepEqual(got, want) {
		t.Error(got)
	}
}

func TestR023_Pages(t *testing.T) {
	for _, id := range []thread.IRI{"https://b.example/replies/a/", "https://b.example/replies/?p=1", "https://b.example/replies/x?page=2"} {
		for _, n := range []int{1, 2, 30} {
			if c, got := CutPage(string(PageID(id, n))); c != string(id) || got != n {
				t.Error(id, n, c, got)
			}
		}
	}
	for requested, want := range map[string]int{"/replies/a": 0, "/replies/a?page=0": 0, "/replies/a?page=-1": 0, "/replies/a?page=x": 0,
		"/replies/a?page=1e18": 0, "/replies/a?page=99999999999999999999": 0, "/replies/homepage=2": 0, "/replies/a?page=": 0, "page=2": 0, "": 0} {
		if c, n := CutPage(requested); c != requested || n != want {
			t.Error(requested, c, n)
		}
	}
}

// Requirement 24, PROTOCOL 1e: all direct replies inside the first page, as GoToSocial and Mastodon read them.
func TestR024_RepliesAreInlined(t *testing.T) {
	var direct Direct
	for i := range 7 {
		direct.IDs = append(direct.IDs, thread.IRI(fmt.Sprintf("https://m.example/%d", i)))
	}
	b := testBlog()
	p := testPost(b)
	o := parse(t, string(b.NoteDocument(p, thread.Open, direct)))
	first := o.Replies.First
	if o.Replies.ID != b.Replies(p.ID) || len(first.Items) != 7 || first.Next != "" || first.PartOf != o.Replies.ID ||
		first.ID != PageID(o.Replies.ID, 1) {
		t.Errorf("%+v %+v", o.Replies, first)
	}
}

func TestR026_LargestDocumentIsUnder1MB(t *testing.T) {
	b := testBlog()
	p := testPost(b)
	p.Content = "<p>" + strings.Repeat(`"<br>`, 64<<10/5) + "</p>"
	direct := Direct{More: true}
	for i := range 200 {
		direct.IDs = append(direct.IDs, thread.IRI(fmt.Sprintf("https://m.example/%0*d", 1000, i)))
	}
	if n := len(b.NoteDocument(p, thread.Open, direct)); n > 1_000_000 {
		t.Error(n)
	}
}

// Requirement 28.
func TestR028_Answers(t *testing.T) {
	b := testBlog()
	c, parent := testAnswer(b)
	o := parse(t, string(b.AnswerDocument(c, parent, thread.Open, Direct{})))
	if !o.Addresses(parent.ID) || fmt.Sprint(o.Mentions) != "[https://m.example/users/a]" || fmt.Sprint(o.Cc) != "[https://blog.example/.ap/followers https://m.example/users/a]" ||
		fmt.Sprint(o.InReplyTo) != fmt.Sprintf("[%s]", c.Parent) || fmt.Sprint(o.Contexts) != fmt.Sprintf("[%s]", b.Context(c.Post)) || o.Lang != "de" {
		t.Error(render(o))
	}
	c.Parent = ""
	o = parse(t, string(b.AnswerDocument(c, thread.Author{}, thread.Open, Direct{})))
	if fmt.Sprint(o.InReplyTo) != fmt.Sprintf("[%s]", c.Post) || len(o.Mentions) != 0 || o.Content != "<p>Thank you.</p>" {
		t.Error(render(o))
	}
}

// Requirements 81, 82, 88, 90.
func TestR081_Policy(t *testing.T) {
	b := testBlog()
	p := testPost(b)
	const everybody, us = `["https://www.w3.org/ns/activitystreams#Public"]`, `["https://blog.example/.ap/actor"]`
	for state, want := range map[thread.Openness]string{
		thread.Open:      `"canReply":{"always":` + everybody + `,"automaticApproval":` + everybody + `}`,
		thread.Closed:    `"canReply":{"always":` + us + `,"automaticApproval":` + us + `}`,
		thread.Moderated: `"canReply":{"always":` + us + `,"approvalRequired":` + everybody + `,"automaticApproval":` + us + `,"manualApproval":` + everybody + `}`,
		"unheard-of":     `"canReply":{"always":` + us + `,"automaticApproval":` + us + `}`,
	} {
		sent := string(b.NoteDocument(p, state, Direct{}))
		enabled := fmt.Sprintf(`"commentsEnabled":%v,`, state != thread.Closed)
		for _, part := range []string{want, enabled, `"canQuote":{"automaticApproval":` + us + `}`} {
			if !strings.Contains(sent, part) {
				t.Errorf("%s: no %s in %s", state, part, sent)
			}
		}
		if strings.Contains(sent, "canLike") || strings.Contains(sent, "canAnnounce") {
			t.Error("promises what is not enforced")
		}
	}
	before, after := readBack(t, b.NoteDocument(p, thread.Open, Direct{})), readBack(t, b.UpdateNote(p, thread.Closed, testMoment))
	closed := after["object"].(doc)
	if closed["content"] != before["content"] || closed["updated"] != "2024-05-07T10:00:00Z" || closed["published"] != before["published"] {
		t.Error("R081:", closed)
	}
}

func TestR046_Accept(t *testing.T) {
	b := testBlog()
	sent := `{"id":"https://m.example/f/1", "type":"Follow","actor":{"id":"https://m.example/u"},"object":"https://blog.example/.ap/actor","x":1.50}`
	if got := string(b.AcceptFollow([]byte(sent), "https://m.example/f/1", "https://m.example/u", "1")); !strings.Contains(got, `"object":`+sent) {
		t.Error(got)
	}
	for _, bad := range []string{"", "null", `"x"`, `{"a":`, `{"a":1,"a":2}`, `{"x":"` + strings.Repeat("x", maxEmbedded) + `"}`} {
		o := parse(t, string(b.AcceptFollow([]byte(bad), "https://m.example/f/1", "https://m.example/u", "1")))
		if f := o.Object; f.Type() != "Follow" || f.ID != "https://m.example/f/1" || f.Actor != "https://m.example/u" || f.Object.ID != b.Actor() {
			t.Errorf("%.20s: %s", bad, render(o))
		}
	}
}

// Requirement 100 on the way out.
func TestR100_IDsGoOutAsTheyCame(t *testing.T) {
	b := testBlog()
	c, parent := testAnswer(b)
	for _, id := range []thread.IRI{"https://site.test?c=148", "https://site.test/A%7eb|c{}^", "https://site.test/ü?x=a+b&y=%20#f:1", "https://[::1]:8443/x"} {
		c.Parent, parent.ID = id, id
		d := readBack(t, b.AnswerDocument(c, parent, thread.Open, Direct{IDs: []thread.IRI{id}}))
		if d["inReplyTo"] != string(id) || d["cc"].([]any)[1] != string(id) {
			t.Error(id, d["inReplyTo"], d["cc"])
		}
	}
}

func TestHashtags(t *testing.T) {
	got := hashtags([]string{"open source", "Go", "go", "2009", "", "C++", "snake_case", "Grüße!", "<b>", "日本語", "a b c", "web2.0"})
	want := []string{"openSource", "Go", "C", "snake_case", "Grüße", "b", "日本語", "aBC", "web20"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
}

func TestR020_PostHTMLIsEscaped(t *testing.T) {
	b := testBlog()
	b.Page = `https://blog.example/?a="><script>`
	p := testPost(b)
	p.URL, p.Title, p.Summary = `https://blog.example/a"><script>`, "<script>", "inline <em>text</em>"
	got := b.postHTML(p, thread.Open)
	if strings.Contains(got, "<script") || !strings.Contains(got, "<p>inline <em>text</em></p>") || strings.Count(got, "<a ") != 4 {
		t.Error(got)
	}
	if got := mentioning(thread.Author{ID: `https://m.example/"><i>`, Handle: "@<i>@m.example"}, "<ul></ul>"); strings.Contains(got, "<i>") {
		t.Error(got)
	}
}

// SECURITY R4.
func TestIsOurs(t *testing.T) {
	b := Blog{Base: "https://blog.test/.ap"}
	for _, id := range []thread.IRI{"https://blog.test/x", "https://BLOG.test/x", "https://blog.test./x", "https://blog.test:443/x",
		"https://blog.test:8443/x", "http://blog.test/x", "http://blog.test:80/", "https://blog.test"} {
		if !b.IsOurs(id) {
			t.Error("not ours:", id)
		}
	}
	for _, id := range []thread.IRI{"https://evil.test/https://blog.test/", "https://blog.test.evil.test/", "https://xblog.test/", "https://sub.blog.test/", "", "blog.test"} {
		if b.IsOurs(id) {
			t.Error("ours:", id)
		}
	}
	if demo := (Blog{Base: "http://localhost:8080"}); !demo.IsOurs("http://localhost:8080/x") || demo.IsOurs("http://localhost:8081/x") || demo.IsOurs("http://localhost/x") {
		t.Error("where Base has a port, it tells servers apart")
	}
	if idn := (Blog{Base: "https://bücher.test"}); !idn.IsOurs("https://xn--bcher-kva.test/x") || !idn.IsOurs("https://BÜCHER.test/x") {
		t.Error("SCENARIOS 60")
	}
	if v6 := (Blog{Base: "https://[::1]"}); !v6.IsOurs("https://[::1]:8443/x") || v6.IsOurs("https://[::2]/x") {
		t.Error("IPv6")
	}
}

// Requirements 1-4, SECURITY F1-F7.
func TestR002_ResourceIsUs(t *testing.T) {
	b := ownHost()
	b.Domain = "blog.example"
	for _, resource := range []string{
		"acct:blog@blog.example", "acct:blog@BLOG.Example", "ACCT:blog@blog.example", "acct%3Ablog%40blog.example", "acct:blog%40blog.example",
		"blog@blog.example", "@blog@blog.example", "acct:@blog@blog.example", "acct:Blog@blog.example", "acct:blog@blog.example.",
		"acct:blog@comments.blog.example", "https://comments.blog.example/actor", "https://comments.blog.example/actor#main-key",
		"https://COMMENTS.blog.example/actor", "https://comments.blog.example/", "https://comments.blog.example", "https://blog.example/",
		"https://blog.example", "http://blog.example/", "https://www.blog.example/", "https%3A%2F%2Fblog.example%2F",
	} {
		if !b.ResourceIsUs(resource) || !ValidResource(resource) {
			t.Error("not us:", resource)
		}
	}
	for _, resource := range []string{"", "acct:", "acct:blog", "acct:@", "acct:blog@", "blog", "@blog", "acct:evil@blog.example", "acct:blog@evil.test",
		"acct:blog@blog.example@evil.test", "acct:blog@blog.example/x", "acct:blog@evil.test/@blog.example", "acct:blog@blog.example:8443",
		"acct:blog@blog.example%00", "acct:blog@blog.example\n", "acct:blog@blog.example#x", "https://blog.example/other", "https://evil.test/actor", "mailto:blog@blog.example",
		"https://blog.example@evil.test/", "://", "https://", "acct:" + strings.Repeat("x", 5000) + "@blog.example", "%", "acct:blog@blog.example%"} {
		if b.ResourceIsUs(resource) {
			t.Error("us:", resource)
		}
	}
	demo := Blog{Base: "http://localhost:8080", Handle: "blog", Page: "http://localhost:8080/demo/"}
	if demo.Account() != "blog@localhost:8080" || !demo.ResourceIsUs("acct:blog@localhost:8080") || demo.ResourceIsUs("acct:blog@localhost") {
		t.Error("where base_url has a port, so has the account's domain:", demo.Account())
	}
	for _, bad := range []string{"", "a b", "acct:x@y\x00", "acct:x@y\n", strings.Repeat("x", 3000)} {
		if ValidResource(bad) {
			t.Errorf("valid: %q", bad)
		}
	}
}

func TestR006_HostMeta(t *testing.T) {
	var x struct {
		Link struct {
			Rel      string `xml:"rel,attr"`
			Template string `xml:"template,attr"`
		}
	}
	if err := xml.Unmarshal(testBlog().HostMeta(), &x); err != nil || x.Link.Rel != "lrdd" ||
		x.Link.Template != "https://blog.example/.well-known/webfinger?resource={uri}" {
		t.Errorf("%+v %v", x, err)
	}
}

func TestR001_WebFinger(t *testing.T) {
	d := readBack(t, testBlog().WebFinger())
	self := 0
	for _, l := range d["links"].([]any) {
		if l := l.(doc); l["rel"] == "self" && l["type"] == ActivityJSON && l["href"] == "https://blog.example/.ap/actor" {
			self++
		}
	}
	if self != 1 || d["subject"] != "acct:blog@blog.example" {
		t.Error(d)
	}
}

func BenchmarkEncodeNote(b *testing.B) {
	blog := testBlog()
	p := testPost(blog)
	direct := Direct{IDs: make([]thread.IRI, 20)}
	for i := range direct.IDs {
		direct.IDs[i] = thread.IRI(fmt.Sprintf("https://m.example/users/a/statuses/%d", i))
	}
	b.ReportAllocs()
	for b.Loop() {
		blog.NoteDocument(p, thread.Open, direct)
	}
}

func BenchmarkEncodeCreate(b *testing.B) {
	blog := testBlog()
	p := testPost(blog)
	b.ReportAllocs()
	for b.Loop() {
		blog.CreateNote(p, thread.Open)
	}
}
