package fedtest

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// town is a network with a server for each kind of software, and one person on each.
type town struct {
	*Network
	alpha, beta, gamma *Server
	alice, bob, carol  *Person
}

func newTown(t *testing.T) town {
	n := NewNetwork()
	open := func(host, software string) *Server {
		s, err := NewServer(Options{Base: "https://" + host, Software: software, Transport: n, Now: func() time.Time { return noon },
			Wait: func(context.Context) {}})
		if err != nil {
			t.Fatal(err)
		}
		n.Serve(host, s.Handler())
		return s
	}
	w := town{Network: n, alpha: open("alpha.test", "mastodon"), beta: open("beta.test", "gotosocial"), gamma: open("gamma.test", "misskey")}
	w.alice, w.bob, w.carol = w.alpha.Person("alice"), w.beta.Person("bob"), w.gamma.Person("carol")
	return w
}

// ok unwraps what somebody sent, which must have gone well.
func ok(t *testing.T) func(Sent, error) Sent {
	return func(s Sent, err error) Sent {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

// last is the newest delivery to a server, which must be proven.
func last(t *testing.T, s *Server) Delivery {
	t.Helper()
	all := s.Received()
	if len(all) == 0 {
		t.Fatalf("%s received nothing", s.Name)
	}
	d := all[len(all)-1]
	if !d.Verified || d.Status != http.StatusAccepted {
		t.Fatalf("%s received %s from %q, verified %v, status %d", s.Name, d.Type, d.Sender, d.Verified, d.Status)
	}
	return d
}

func TestConversation(t *testing.T) {
	for _, writer := range []string{"alice", "bob", "carol"} {
		t.Run(writer, func(t *testing.T) {
			w := newTown(t)
			blog, people := w.alpha.Person("blog"), map[string]*Person{"alice": w.alpha.Person("other"), "bob": w.bob, "carol": w.carol}
			if writer == "alice" { // two servers of the same kind
				people["alice"] = w.delta(t).Person("alice")
			}
			converse(t, w, blog, people[writer])
		})
	}
}

func (w town) delta(t *testing.T) *Server {
	s, err := NewServer(Options{Base: "https://delta.test", Transport: w, Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	w.Serve("delta.test", s.Handler())
	return s
}

// converse: p follows the blog, reads its post, replies, is answered, edits, likes, boosts and deletes.
func converse(t *testing.T, w town, blog, p *Person) {
	ctx, ok, home := t.Context(), ok(t), p.server
	ok(p.Follow(ctx, "blog@alpha.test"))
	if got := p.Following(blog.ID); got != "following" {
		t.Fatalf("follow is %q", got)
	}
	post := ok(blog.Write(ctx, Draft{HTML: "hello"}))
	if n, known := home.Note(post.Note); !known || n.HTML != "<p>hello</p>" {
		t.Fatalf("the follower's server knows %+v", n)
	}

	reply := ok(p.Reply(ctx, post.Note, "<p>hi</p>"))
	if d := last(t, w.alpha); d.Type != "Create" || d.Sender != p.ID || !strings.HasSuffix(d.Inbox, "/inbox") {
		t.Fatalf("the blog received %+v", d)
	}
	n, known := w.alpha.Note(reply.Note)
	if !known || n.InReplyTo != post.Note || !strings.Contains(n.HTML, "mention") || !strings.HasSuffix(n.HTML, " hi</p>") || n.mentions[0].Name != blog.Handle() {
		t.Fatalf("the blog knows %+v", n)
	}
	answer := ok(blog.Reply(ctx, reply.Note, "well"))
	if d := last(t, home); d.Type != "Create" || d.Activity["object"].(map[string]any)["inReplyTo"] != reply.Note {
		t.Fatalf("answered with %s", d.Raw)
	}

	ok(p.Edit(ctx, reply.Note, "<p>ho</p>"))
	if n, _ := w.alpha.Note(reply.Note); !strings.HasSuffix(n.HTML, " ho</p>") || n.Updated.IsZero() {
		t.Errorf("after the edit: %+v", n)
	}
	for _, do := range []func(context.Context, string) (Sent, error){p.Like, p.Unlike, p.Boost, p.Unboost} {
		sent := ok(do(ctx, answer.Note))
		if d := last(t, w.alpha); d.Activity["id"] != sent.ID || d.Type != sent.Type {
			t.Errorf("sent %s %s, received %s", sent.Type, sent.ID, d.Raw)
		}
	}
	ok(p.React(ctx, answer.Note, "🦥"))
	if d := last(t, w.alpha); d.Activity["content"] != "🦥" {
		t.Errorf("reacted with %s", d.Raw)
	}
	ok(p.Delete(ctx, reply.Note))
	if _, known := w.alpha.Note(reply.Note); known {
		t.Error("a deleted reply is still known")
	}
	ok(p.Unfollow(ctx, blog.ID))
	if ok(blog.Write(ctx, Draft{HTML: "anyone?"})); len(blog.followers) > 0 || p.Following(blog.ID) != "" {
		t.Error("still a follower")
	}
}

// TestReach: who hears of a reply to a reply (PROTOCOL 2a, 2b).
func TestReach(t *testing.T) {
	w, ctx := newTown(t), t.Context()
	post := ok(t)(w.alice.Write(ctx, Draft{HTML: "post"})).Note
	reply := ok(t)(w.bob.Reply(ctx, post, "reply")).Note
	for _, c := range []struct {
		draft Draft
		by    *Person
		want  []string
	}{
		{Draft{}, w.carol, []string{"beta.test", "alpha.test"}},
		{Draft{WithoutMentions: true}, w.carol, []string{"beta.test"}},
		{Draft{Visibility: Direct}, w.carol, []string{"beta.test", "alpha.test"}},
		{Draft{Visibility: Followers}, w.carol, []string{"beta.test", "alpha.test"}},
		{Draft{WithoutMentions: true}, w.alice, []string{"beta.test"}},
		{Draft{WithoutMentions: true, InReplyTo: post}, w.bob, nil},
	} {
		c.draft.HTML = "nested"
		c.draft.InReplyTo = cmp.Or(c.draft.InReplyTo, reply)
		sent := ok(t)(c.by.Write(ctx, c.draft))
		var got []string
		for _, a := range sent.Answers {
			got = append(got, hostOf(a.Inbox))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%+v by %s went to %v, want %v", c.draft, c.by.Name, got, c.want)
		}
	}
}

func TestConversationIsHandedOn(t *testing.T) {
	w, ctx := newTown(t), t.Context()
	w.Serve("blog.test", serving(map[string]object{
		"/1":     {"id": "https://blog.test/1", "type": "Note", "attributedTo": "https://blog.test/actor", "published": "2026-01-01T00:00:00Z", "conversation": "https://blog.test/context"},
		"/actor": {"id": "https://blog.test/actor", "type": "Person", "inbox": "https://blog.test/inbox", "preferredUsername": "blog"},
	}))
	first := ok(t)(w.alice.Reply(ctx, "https://blog.test/1", "hi")).Note
	second := ok(t)(w.alpha.Person("dave").Reply(ctx, first, "ho")).Note
	d, status := w.alpha.document(second)
	if status != 200 || d["conversation"] != "https://blog.test/context" || d["context"] != d["conversation"] {
		t.Errorf("at depth 2: %v", d)
	}
}

// serving is a host with fixed documents, which takes whatever it is sent.
func serving(docs map[string]object) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, ok := docs[r.URL.RequestURI()]
		if r.Method == http.MethodPost {
			return
		} else if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", activityJSON)
		_, _ = w.Write(encode(d))
	})
}

// TestShapes holds the differences that bite (PROTOCOL 5, 9).
func TestShapes(t *testing.T) {
	w, ctx := newTown(t), t.Context()
	post := ok(t)(w.alpha.Person("blog").Write(ctx, Draft{HTML: "post"})).Note
	read := func(p *Person) object {
		ok(t)(p.Reply(ctx, post, "hi"))
		d := last(t, w.alpha)
		return object(d.Activity)
	}
	alice, bob, carol := read(w.delta(t).Person("alice")), read(w.bob), read(w.carol)

	for name, list := range map[string]bool{"alice": isList(alice["to"]), "carol": isList(carol["to"]), "bob": !isList(bob["to"])} {
		if !list {
			t.Errorf("%s: lists of one are not as they should be", name)
		}
	}
	if isList(bob.obj("object")["tag"]) || bob["published"] != nil || !strings.HasSuffix(bob.obj("object").str("published"), "+01:00") {
		t.Errorf("gotosocial: %v", bob)
	}
	if note := carol.obj("object"); note.str("_misskey_content") == "" || note["url"] != nil || note["replies"] != nil {
		t.Errorf("misskey: %v", note)
	}
	first := alice.obj("object").obj("replies").obj("first")
	if !strings.HasSuffix(first.str("next"), "?only_other_accounts=true&page=true") {
		t.Errorf("mastodon: replies begin with %v", first)
	}
}

func isList(v any) bool { _, ok := v.([]any); return ok }

func TestRepliesCollections(t *testing.T) {
	w, ctx := newTown(t), t.Context()
	for _, p := range []*Person{w.alice, w.bob} {
		post := ok(t)(p.Write(ctx, Draft{HTML: "post"})).Note
		want := []string{ok(t)(w.carol.Reply(ctx, post, "one")).Note, ok(t)(p.server.Person("dave").Reply(ctx, post, "two")).Note}
		ok(t)(w.carol.Write(ctx, Draft{InReplyTo: post, HTML: "secret", Visibility: Direct}))
		d, err := w.gamma.get(ctx, post)
		if err != nil {
			t.Fatal(err)
		}
		page := d.obj("replies").obj("first")
		if next := page.str("next"); next != "" {
			if page, err = w.gamma.get(ctx, next); err != nil {
				t.Fatal(err)
			}
		}
		got := append(page.ids("items"), page.ids("orderedItems")...)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("replies of %s: %v, want %v", p.Name, got, want)
		}
	}
}

func TestHostile(t *testing.T) {
	w, ctx := newTown(t), t.Context()
	tamper := func(r *http.Request) { r.Header.Set("Digest", "SHA-256=AAAA") }
	for name, c := range map[string]struct {
		e    Envelope
		want int
	}{
		"honest":         {Envelope{}, 202},
		"RFC 9421":       {Envelope{RFC9421: true}, 202},
		"unsigned":       {Envelope{Unsigned: true}, 401},
		"unsigned 9421":  {Envelope{Unsigned: true, RFC9421: true}, 401},
		"forged":         {Envelope{Forged: true}, 401},
		"stale":          {Envelope{Date: noon.Add(-48 * time.Hour)}, 401},
		"other body":     {Envelope{Change: tamper}, 401},
		"somebody else":  {Envelope{As: w.carol}, 202}, // taken, and left alone
		"key of nowhere": {Envelope{As: &Person{ID: "https://nowhere.test/users/x", server: w.gamma}}, 401},
	} {
		t.Run(name, func(t *testing.T) {
			note := object{"id": w.alice.ID + "/statuses/9", "type": "Note", "attributedTo": w.alice.ID, "content": name, "published": "2026-01-01T00:00:00Z"}
			a := w.alice.Send(ctx, w.bob.ID+"/inbox", w.alice.Activity("Create", note), c.e)
			if a.Err != nil || a.Status != c.want {
				t.Fatalf("%d %v, want %d", a.Status, a.Err, c.want)
			}
			received := w.beta.Received()
			d := received[len(received)-1]
			if honest := c.want == 202 && c.e.As == nil; d.Verified != honest {
				t.Errorf("verified: %v", d.Verified)
			}
			if n, _ := w.beta.Note(w.alice.ID + "/statuses/9"); n.HTML == name != d.Verified {
				t.Errorf("believed %+v", n)
			}
		})
	}
	if a := w.alice.Send(ctx, w.bob.ID+"/inbox", []byte("{"), Envelope{}); a.Status != 400 {
		t.Errorf("no JSON: %d", a.Status)
	}
}

// TestSecondKnock: Mastodon signs in the other way when the first one is refused (PROTOCOL 1f).
func TestSecondKnock(t *testing.T) {
	w := newTown(t)
	var knocks []string
	w.Serve("picky.test", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		knocks = append(knocks, r.Header.Get("Signature-Input")+r.Header.Get("Digest"))
		if len(knocks) == 1 {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	sent, err := w.alice.deliver(t.Context(), w.alice.Activity("Like", w.bob.ID), "", []string{"https://picky.test/inbox"})
	if err != nil || sent.Status() != 200 || len(knocks) != 2 || strings.Contains(knocks[0], "sig1") || !strings.Contains(knocks[1], "content-digest") {
		t.Errorf("%v %v %q", sent, err, knocks)
	}
}

func TestForeignObjectsAreNotBelieved(t *testing.T) {
	w, ctx := newTown(t), t.Context()
	theirs := ok(t)(w.carol.Write(ctx, Draft{HTML: "mine"})).Note
	if _, err := w.beta.Lookup(ctx, theirs); err != nil {
		t.Fatal(err)
	}
	n := object{"id": theirs, "type": "Note", "attributedTo": w.carol.ID, "content": "not mine", "published": "2026-01-01T00:00:00Z"}
	for kind, of := range map[string]any{"Update": n, "Delete": theirs} {
		if a := w.alice.Send(ctx, w.bob.ID+"/inbox", w.alice.Activity(kind, of), Envelope{}); a.Status != 202 {
			t.Fatal(a)
		}
		if n, _ := w.beta.Note(theirs); n.HTML != "<p>mine</p>" {
			t.Errorf("%s by a stranger: %+v", kind, n)
		}
	}
}

func TestChangedKey(t *testing.T) {
	w, ctx := newTown(t), t.Context()
	post := ok(t)(w.bob.Write(ctx, Draft{HTML: "post"})).Note
	ok(t)(w.alice.Like(ctx, post))
	w.alice.ChangeKey()
	ok(t)(w.alice.Unlike(ctx, post))
	last(t, w.beta)
}

func TestDeleteAccount(t *testing.T) {
	w, ctx := newTown(t), t.Context()
	post := ok(t)(w.bob.Write(ctx, Draft{HTML: "post"})).Note
	reply := ok(t)(w.alice.Reply(ctx, post, "hi")).Note
	if _, err := w.alpha.find(ctx, w.carol.ID); err != nil { // a server that never needed alice's key
		t.Fatal(err)
	}
	ok(t)(w.alice.DeleteAccount(ctx))
	for _, s := range []*Server{w.beta, w.gamma} {
		if d := s.Received(); d[len(d)-1].Type != "Delete" || d[len(d)-1].Status != 202 {
			t.Errorf("%s received %+v", s.Name, d)
		}
	}
	for id, want := range map[string]int{w.alice.ID: 410, reply: 404} {
		_, err := w.gamma.get(ctx, id)
		if bad := (*StatusError)(nil); !errors.As(err, &bad) || bad.Status != want {
			t.Errorf("%s: %v, want %d", id, err, want)
		}
	}
}

func TestClosedAndRejected(t *testing.T) {
	w, ctx := newTown(t), t.Context()
	us := object{"automaticApproval": []any{"https://blog.test/actor"}, "always": "https://blog.test/actor"}
	w.Serve("blog.test", serving(map[string]object{
		"/1": {"id": "https://blog.test/1", "type": "Note", "attributedTo": "https://blog.test/actor", "published": "2026-01-01T00:00:00Z",
			"interactionPolicy": object{"canReply": us}},
		"/actor": {"id": "https://blog.test/actor", "type": "Person", "inbox": "https://blog.test/inbox", "preferredUsername": "blog"},
	}))
	if _, err := w.bob.Reply(ctx, "https://blog.test/1", "hi"); !errors.Is(err, ErrClosed) || w.Requests("blog.test") != 1 {
		t.Errorf("gotosocial: %v", err)
	}
	ok(t)(w.bob.Write(ctx, Draft{InReplyTo: "https://blog.test/1", HTML: "hi", Force: true}))
	reply := ok(t)(w.carol.Reply(ctx, "https://blog.test/1", "hi"))
	w.alice.Send(ctx, w.carol.ID+"/inbox", w.alice.Activity("Reject", reply.Note), Envelope{})
	if n, _ := w.gamma.Note(reply.Note); n.RejectedBy != w.alice.ID {
		t.Errorf("a Reject left %+v", n)
	}
}

func TestSecureMode(t *testing.T) {
	w, ctx := newTown(t), t.Context()
	note := ok(t)(w.bob.Write(ctx, Draft{HTML: "hi"})).Note
	client := http.Client{Transport: w}
	for address, want := range map[string]int{note: 401, w.bob.ID: 401, w.bob.ID + "/main-key": 200} {
		r, _ := http.NewRequestWithContext(ctx, "GET", address, nil)
		r.Header.Set("Accept", activityJSON)
		resp, err := client.Do(r)
		if err != nil || resp.StatusCode != want {
			t.Errorf("%s unsigned: %v %v, want %d", address, resp, err, want)
		}
	}
	if _, err := w.alpha.Lookup(ctx, note); err != nil {
		t.Error(err)
	}
}

func TestMoods(t *testing.T) {
	w, ctx := newTown(t), t.Context()
	note := ok(t)(w.bob.Write(ctx, Draft{HTML: "hi"})).Note
	waited := 0
	w.beta.Wait = func(context.Context) { waited++ }
	for mood, want := range map[Mood]int{Unavailable: 503, Gone: 410, Slow: 200, Well: 200} {
		w.beta.SetMood(mood)
		_, err := w.alpha.get(ctx, note)
		got := 200
		if bad := (*StatusError)(nil); errors.As(err, &bad) {
			got = bad.Status
		} else if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s: %d, want %d", mood, got, want)
		}
	}
	if waited == 0 {
		t.Error("never slow")
	}
	w.beta.SetMood(Unavailable)
	sent, err := w.alice.Reply(ctx, note, "hi")
	if bad := (*StatusError)(nil); !errors.As(err, &bad) || sent.Note != "" {
		t.Errorf("replied to what cannot be had: %v, %v", sent, err)
	}
	if sent, err = w.alice.Like(ctx, ok(t)(w.carol.Write(ctx, Draft{HTML: "other"})).Note); err != nil || sent.Status() != 202 {
		t.Errorf("elsewhere: %v, %v", sent, err)
	}
}

func TestNetwork(t *testing.T) {
	n := NewNetwork()
	var seen *http.Request
	n.Serve("a.test", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { seen = r }))
	client := http.Client{Transport: n}
	resp, err := client.Post("https://a.test/x%2Fy?q=1#f", "text/plain", strings.NewReader("body"))
	if err != nil || resp.StatusCode != 200 || seen.RequestURI != "/x%2Fy?q=1" || seen.Host != "a.test" || seen.ContentLength != 4 {
		t.Errorf("%v %v %+v", resp, err, seen)
	}
	n.Serve("a.test", nil)
	if _, err := client.Get("https://a.test/"); err == nil || !strings.Contains(err.Error(), "no such host") {
		t.Errorf("a host that left: %v", err)
	}
	if n.Requests("a.test") != 2 || n.Log()[1] != "GET https://a.test/" {
		t.Errorf("log %q", n.Log())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, _ := http.NewRequestWithContext(ctx, "GET", "https://a.test/", nil)
	if _, err := client.Do(r); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

func TestSettle(t *testing.T) {
	left := 7
	err := Settle(t.Context(), func(context.Context) (bool, error) { left--; return left > 0, nil }, func(context.Context) (bool, error) { return false, nil })
	if err != nil || left != 0 {
		t.Errorf("%v, %d left", err, left)
	}
	if Settle(t.Context(), func(context.Context) (bool, error) { return true, nil }) == nil {
		t.Error("settled what never rests")
	}
}

func TestNewServerRefuses(t *testing.T) {
	for _, o := range []Options{{}, {Base: "https://a.test/"}, {Base: "a.test"}, {Base: "https://a.test", Software: "fidonet"}} {
		if _, err := NewServer(o); err == nil {
			t.Errorf("accepted %+v", o)
		}
	}
}
