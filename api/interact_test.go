package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"afterword/fetch"
	"afterword/storage"
	"afterword/thread"
)

// homeServer is a reader's own server, which says where its users can reply.
type homeServer struct {
	host  string
	links atomic.Value // string: the links of its WebFinger answer; "404"
	asked atomic.Int64
	about atomic.Value // string: the resource asked for last
}

func newHome(t testing.TB, links string) *homeServer {
	h := &homeServer{}
	h.links.Store(links)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/webfinger", func(w http.ResponseWriter, r *http.Request) {
		h.asked.Add(1)
		h.about.Store(r.FormValue("resource"))
		if h.links.Load() == "404" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/jrd+json")
		fmt.Fprintf(w, `{"subject": "acct:me@x", "links": [%s]}`, strings.ReplaceAll(h.links.Load().(string), "HOST", h.host))
	})
	mux.HandleFunc("GET /authorize_interaction", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, "<title>Home</title><h1>Home</h1>")
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	h.host = strings.TrimPrefix(server.URL, "http://")
	return h
}

func link(rel, key, value string) string {
	return fmt.Sprintf(`{"rel": %q, %q: %q}`, rel, key, value)
}

func (s *site) interact(account, uri string) (status int, said string) {
	s.Helper()
	answer, text := s.get("/api/v1/interact?" + url.Values{"account": {account}, "uri": {uri}}.Encode())
	var out struct{ URL, Error string }
	s.must(json.Unmarshal([]byte(text), &out))
	return answer.StatusCode, out.URL + out.Error
}

// TestR099_WhereToReply: requirement 99, in its order, with either key of FEP-3b86; following has its own intent.
func TestR099_WhereToReply(t *testing.T) {
	const object, follow, subscribe = "https://w3id.org/fep/3b86/Object", "https://w3id.org/fep/3b86/Follow", "http://ostatus.org/schema/1.0/subscribe"
	old := link(subscribe, "template", "http://HOST/authorize_interaction?uri={uri}")
	for name, c := range map[string]struct {
		links, reply, follow string
	}{
		"template of 3b86": {link(object, "template", "http://HOST/share?o={object}") + "," + link(follow, "template", "http://HOST/follow?o={object}") + "," + old,
			"share?o=", "follow?o="},
		"href of 3b86":   {old + "," + link(object, "href", "http://HOST/intent?o={object}&done={on-success}"), "intent?o=", "authorize_interaction?uri="},
		"subscribe":      {old, "authorize_interaction?uri=", "authorize_interaction?uri="},
		"Misskey":        {link(subscribe, "template", "http://HOST/authorize-follow?acct={uri}"), "authorize-follow?acct=", "authorize-follow?acct="},
		"nothing":        {link("self", "href", "http://HOST/u/me"), "authorize_interaction?uri=", "authorize_interaction?uri="},
		"no placeholder": {link(object, "href", "http://HOST/"), "authorize_interaction?uri=", "authorize_interaction?uri="},
		"no such user":   {"404", "authorize_interaction?uri=", "authorize_interaction?uri="},
	} {
		t.Run(name, func(t *testing.T) {
			s, h := newSite(t, nil), newHome(t, c.links)
			p := s.post("p", storage.Draft{})
			for uri, path := range map[string]string{string(p.ID): c.reply, s.url + "/actor": c.follow} {
				status, got := s.interact("@me@"+h.host, uri)
				got = strings.TrimSuffix(got, "&done=")
				if want := "http://" + h.host + "/" + path + url.QueryEscape(uri); status != 200 || got != want {
					t.Errorf("%d %s, want %s", status, got, want)
				}
			}
			if h.about.Load() != "acct:me@"+h.host {
				t.Error(h.about.Load())
			}
		})
	}
}

// TestStrangeAccounts: SECURITY I1, I3.
func TestStrangeAccounts(t *testing.T) {
	s, h := newSite(t, nil), newHome(t, "")
	p := s.post("p", storage.Draft{})
	for _, account := range []string{"", "@", "@@", " ", "a@b@c", "me@", "me@" + h.host + "/../x", "me@" + h.host + "?x", "me@evil.test#x", "me＠evil.test",
		"me@e vil.test", "me@evil.test\n", "m\re@evil.test", "javascript:alert(1)", "//evil.test", "http://evil.test", "me@[::1]", "me@evil.test:99999999",
		"me@evil%2etest", "<b>@evil.test", strings.Repeat("a", 10<<10), "me@" + strings.Repeat("a.", 300) + "test", ".", "me@..", "x:y@evil.test"} {
		if status, said := s.interact(account, string(p.ID)); status != 400 {
			t.Errorf("%q: %d %s", account, status, said)
		}
	}
	for _, account := range []string{"me@" + h.host, h.host, "ME@" + strings.ToUpper(h.host), "https://" + h.host + "/", "https://" + h.host + "/@me",
		"acct:me@" + h.host, "https://other.test/@me@" + h.host, "https://" + h.host + "/users/me"} {
		if status, said := s.interact(account, string(p.ID)); status != 200 || !strings.HasPrefix(said, "http://"+h.host+"/") {
			t.Errorf("%q: %d %s", account, status, said)
		}
	}
	_, text := s.get("/api/v1/interact?" + url.Values{"account": {"https://" + h.host + "/@me"}, "uri": {string(p.ID)}}.Encode())
	if want := `"server":"` + h.host + `"`; !strings.Contains(text, want) {
		t.Errorf("%s lacks %s", text, want)
	}
}

// TestHostileTemplates: SECURITY I5, I7: a server can send its own users to itself, and nobody anywhere else.
func TestHostileTemplates(t *testing.T) {
	s := newSite(t, nil)
	p := s.post("p", storage.Draft{})
	for _, template := range []string{"https://elsewhere.test/?u={uri}", "data:text/html,{uri}", "javascript:alert('{uri}')", "//elsewhere.test/{uri}", "{uri}",
		"http://HOST@elsewhere.test/{uri}", "http://HOST.elsewhere.test/{uri}", "http://HOST\\@elsewhere.test/{uri}", "/{uri}",
		"http://HOST/\r\nX: {uri}", "http://HOST/%0d%0aX:{uri}", "http://HOST/" + strings.Repeat("x", 5<<10) + "{uri}", "http://{uri}.test/"} {
		h := newHome(t, link("http://ostatus.org/schema/1.0/subscribe", "template", template))
		if status, said := s.interact("me@"+h.host, string(p.ID)); status != 400 || said != "bad_template" {
			t.Errorf("%q: %d %s", template, status, said)
		}
		s.advance(3600e9)
	}
	h := newHome(t, link("self", "href", "https://social.elsewhere.test/u/me")+","+
		link("http://ostatus.org/schema/1.0/subscribe", "template", "https://elsewhere.test/share?u={uri}"))
	if status, said := s.interact("me@"+h.host, string(p.ID)); status != 200 || !strings.HasPrefix(said, "https://elsewhere.test/share?u=http") {
		t.Error("an account may live at another server than its name says:", status, said)
	}
}

// TestInteractAsksSeldom: answers are kept, few servers are asked in a minute, and nobody before a reader wants it.
func TestInteractAsksSeldom(t *testing.T) {
	s, h := newSite(t, nil), newHome(t, link("http://ostatus.org/schema/1.0/subscribe", "template", "http://HOST/i?{uri}"))
	p := s.post("p", storage.Draft{})
	for range 3 {
		s.interact("me@"+h.host, string(p.ID))
	}
	if n := h.asked.Load(); n != 1 {
		t.Error("asked", n, "times for one account")
	}
	for i := range 20 {
		if status, _ := s.interact(fmt.Sprintf("me%d@%s", i, h.host), string(p.ID)); status != 200 {
			t.Error("a limit of ours stopped a reader:", status)
		}
	}
	if n := h.asked.Load(); n > maxHostLookups {
		t.Error("asked", n, "times in a minute")
	}
	before := h.asked.Load()
	s.advance(keepHome)
	for _, header := range []string{"Sec-Purpose", "Purpose"} {
		s.get("/api/v1/interact?account=me@"+h.host+"&uri="+string(p.ID), header, "prefetch")
	}
	s.get("/reply?account=me@" + h.host + "&uri=" + string(p.ID))
	s.interact("me@"+h.host, "https://remote.example/unknown")
	if h.asked.Load() != before {
		t.Error("asked for nothing")
	}
}

// TestR099_PrivateHosts: our server is no way into its own network.
func TestR099_PrivateHosts(t *testing.T) {
	s := newSite(t, func(c *Config) { c.Fetch = fetch.New(fetch.Options{}) })
	p := s.post("p", storage.Draft{})
	for _, host := range []string{"127.0.0.1", "localhost", "10.0.0.1", "192.168.1.1:8080", "0x7f000001", "2130706433", "127.1", "localhost."} {
		if status, said := s.interact("me@"+host, string(p.ID)); status/100 == 2 {
			t.Errorf("%s: %d %s", host, status, said)
		}
	}
}

// TestReplyPage: without script a form does it, and what it leads to is a link with its host, never a redirect.
func TestReplyPage(t *testing.T) {
	s, h := newSite(t, nil), newHome(t, "404")
	p := s.post("p", storage.Draft{Title: "A <post>"})
	a := s.person("alice", "Alice <b>")
	s.comment(p, thread.Comment{ID: id(1), Author: a})
	s.verdict(p, &thread.Comment{ID: id(2), Author: a}, thread.Held)
	s.comment(p, thread.Comment{ID: id(3), Author: a, Imported: true})
	for uri, want := range map[string]string{string(p.ID): "<h1>Reply from your Mastodon or fediverse account</h1>",
		string(id(1)): "<h1>Reply to <bdi>Alice &lt;b&gt;</bdi></h1>", s.url + "/actor": "<h1>Follow this blog</h1>"} {
		answer, text := s.get("/reply?uri=" + url.QueryEscape(uri))
		if answer.StatusCode != 200 || !strings.Contains(text, want) || !strings.Contains(text, `<input readonly dir="ltr" value="`+uri+`">`) {
			t.Error(uri, answer.StatusCode, text)
		}
		wellFormed(t, text)
	}
	for _, uri := range []thread.IRI{id(2), id(3), id(4), "https://evil.test/"} {
		if answer, _ := s.get("/reply?uri=" + string(uri)); answer.StatusCode != 404 {
			t.Error(uri, answer.StatusCode)
		}
	}
	answer, text := s.send(url.Values{"account": {"me@" + h.host}, "uri": {string(id(1))}, "lang": {"de"}})
	want := `href="http://` + h.host + "/authorize_interaction?uri=" + url.QueryEscape(string(id(1))) + `">Weiter bei <bdi>` + h.host + "</bdi>"
	if answer.StatusCode != 200 || answer.Header.Get("Location") != "" || !strings.Contains(text, want) {
		t.Error(answer.StatusCode, text)
	}
	_, text = s.send(url.Values{"account": {`"><script>`}, "uri": {string(id(1))}})
	if !strings.Contains(text, `<p role="alert">That account or server was not found.`) || strings.Contains(text, "<script") || !strings.Contains(text, "aw-copy") {
		t.Error(text)
	}
	s.must(s.DB.CloseThread(t.Context(), p.ID, s.now()))
	if _, text = s.get("/reply?uri=" + string(id(1))); strings.Contains(text, "<form") || !strings.Contains(text, "Comments are closed.") {
		t.Error(text)
	}
}

// send posts the form of a reply page, as a browser does that does not come from elsewhere.
func (s *site) send(form url.Values) (*http.Response, string) {
	s.Helper()
	r, err := http.NewRequest("POST", s.url+"/reply", strings.NewReader(form.Encode()))
	s.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return s.read(r)
}
