package federation_test

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"afterword/federation"
	"afterword/storage"
)

// Group A of PROTOCOL section 11: how other servers find the blog.

const ldJSON = `application/ld+json; profile="https://www.w3.org/ns/activitystreams"`

func (s *stage) webFinger(resource string) *httptest.ResponseRecorder {
	return s.get("/.well-known/webfinger?resource="+resource, "application/jrd+json, application/json")
}

func TestR001_R005_WebFinger(t *testing.T) {
	s := open(t)
	w := s.webFinger("acct:blog@blog.test")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/jrd+json" || w.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	jrd := parse(t, w.Body)
	var self []string
	for _, link := range jrd["links"].([]any) {
		if l := link.(object); l["rel"] == "self" && l["type"] == asJSON {
			self = append(self, str(l, "href"))
		}
	}
	if jrd["subject"] != "acct:blog@blog.test" || len(self) != 1 || self[0] != s.document(actor)["id"] {
		t.Errorf("%v", jrd)
	}
}

func TestR002_R003_OneAccountManyNames(t *testing.T) {
	s := open(t)
	want := s.webFinger("acct:blog@blog.test").Body.String()
	for _, resource := range []string{"acct:blog@BLOG.test", "acct%3Ablog%40blog.test", "ACCT:Blog@blog.test", "@blog@blog.test", "blog@blog.test",
		url.QueryEscape(actor), url.QueryEscape("https://blog.test/"), url.QueryEscape("https://blog.test"), url.QueryEscape("HTTPS://BLOG.test/.ap/actor")} {
		if w := s.webFinger(resource); w.Code != http.StatusOK || w.Body.String() != want {
			t.Errorf("%s: %d %s", resource, w.Code, w.Body)
		}
	}
}

// 410 makes Mastodon delete the account, so nothing that anybody asks is ever answered with it.
func TestR004_UnknownAccounts(t *testing.T) {
	s := open(t)
	for query, want := range map[string]int{
		"":                               http.StatusBadRequest,
		"?resource=":                     http.StatusBadRequest,
		"?rel=self":                      http.StatusBadRequest,
		"?resource=acct:blog@a%00":       http.StatusBadRequest,
		"?resource=acct:blog@b.test%0a":  http.StatusBadRequest,
		"?resource=acct:other@blog.test": http.StatusNotFound,
		"?resource=acct:blog@evil.test":  http.StatusNotFound,
		"?resource=https://evil.test/":   http.StatusNotFound,
		"?resource=acct:@blog.test":      http.StatusNotFound,
		"?resource=acct:blog@":           http.StatusNotFound,
		"?resource=%25zz":                http.StatusNotFound,
	} {
		if w := s.get("/.well-known/webfinger"+query, "*/*"); w.Code != want {
			t.Errorf("%s: %d, want %d", query, w.Code, want)
		}
	}
}

func TestR006_HostMeta(t *testing.T) {
	w := open(t).get("/.well-known/host-meta", "application/xrd+xml")
	var xrd struct {
		Link []struct {
			Rel      string `xml:"rel,attr"`
			Template string `xml:"template,attr"`
		}
	}
	if err := xml.Unmarshal(w.Body.Bytes(), &xrd); err != nil || w.Header().Get("Content-Type") != "application/xrd+xml" {
		t.Fatalf("%v %v", err, w.Header())
	}
	if len(xrd.Link) != 1 || xrd.Link[0].Rel != "lrdd" || xrd.Link[0].Template != "https://blog.test/.well-known/webfinger?resource={uri}" {
		t.Errorf("%+v", xrd)
	}
}

func TestR005_R007_NodeInfo(t *testing.T) {
	s := open(t)
	w := s.get("/.well-known/nodeinfo", "application/json")
	if w.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%v", w.Header())
	}
	found := map[string]string{}
	for _, link := range parse(t, w.Body)["links"].([]any) {
		found[str(link.(object), "rel")] = str(link.(object), "href")
	}
	for _, version := range []string{"2.0", "2.1"} {
		w := s.get(strings.TrimPrefix(found["http://nodeinfo.diaspora.software/ns/schema/"+version], "https://blog.test"), "application/json")
		doc := parse(t, w.Body)
		software, _ := doc["software"].(object)
		services, _ := doc["services"].(object)
		usage, _ := doc["usage"].(object)
		if doc["version"] != version || fmt.Sprint(doc["protocols"]) != "[activitypub]" || doc["openRegistrations"] != false ||
			!regexp.MustCompile(`^[a-z0-9-]+$`).MatchString(str(software, "name")) || str(software, "version") == "" || doc["metadata"] == nil ||
			services["inbound"] == nil || services["outbound"] == nil || usage["users"] == nil || usage["localPosts"] != 1.0 || usage["localComments"] != 0.0 {
			t.Errorf("%s: %v", version, doc)
		}
	}
}

// The actor has to be had without any signature, and whatever is wrong with one: two servers that each ask for the
// other's key first would wait for ever.
func TestR008_ActorForEverybody(t *testing.T) {
	s := open(t)
	plain := s.get("/.ap/actor", asJSON)
	for name, signature := range map[string]string{
		"none":      "",
		"garbage":   "garbage",
		"a forgery": `keyId="https://alpha.test/users/alice#main-key",algorithm="rsa-sha256",headers="(request-target) host date",signature="AAAA"`,
		"dead host": `keyId="https://nowhere.test/u#main-key",headers="(request-target) host date",signature="AAAA"`,
	} {
		for _, accept := range []string{asJSON, ldJSON, "application/ld+json", asJSON + ", " + ldJSON, "application/json, application/activity+json;q=0.5"} {
			r := httptest.NewRequestWithContext(s.ctx, http.MethodGet, "/.ap/actor", nil)
			r.Host, r.Header = host, http.Header{"Accept": {accept}}
			if signature != "" {
				r.Header.Set("Signature", signature)
			}
			w := s.do(r)
			if w.Code != http.StatusOK || w.Header().Get("Content-Type") != asJSON || !strings.Contains(w.Header().Get("Vary"), "Accept") || w.Body.String() != plain.Body.String() {
				t.Errorf("%s, %s: %d %v", name, accept, w.Code, w.Header())
			}
		}
	}
	if s.outbound() != 0 {
		t.Errorf("%q", s.network.Log())
	}
}

func TestR009_ActorForPeople(t *testing.T) {
	w := open(t).get("/.ap/actor", "text/html,application/xhtml+xml,*/*;q=0.8")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "https://blog.test/" || strings.Contains(w.Header().Get("Content-Type"), "json") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

// TestFrontPageIsNoNote: a blog's web server that sends other servers from each page to its Note sends them from the front
// page to a Note that there is not; they mean the account.
func TestFrontPageIsNoNote(t *testing.T) {
	s := open(t)
	if w := s.get("/.ap/posts/", asJSON); w.Code != http.StatusSeeOther || w.Header().Get("Location") != actor {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := s.get("/.ap/posts/nothing/", asJSON); w.Code != http.StatusNotFound {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if _, _, err := s.db.SavePost(s.ctx, storage.Draft{URL: "https://blog.test/", Title: "All there is", Quiet: true}); err != nil {
		t.Fatal(err)
	}
	if d := s.document(base + "/posts/"); d["type"] != "Note" {
		t.Error(d)
	}
}

func TestR010_ActorDocument(t *testing.T) {
	s := open(t, func(c *federation.Config) { c.Summary, c.Icon = "<p>Rain.</p>", "https://blog.test/icon.png" })
	a := s.document(actor)
	for _, member := range []string{"@context", "id", "type", "preferredUsername", "name", "summary", "url", "inbox", "outbox", "followers", "following",
		"featured", "endpoints", "manuallyApprovesFollowers", "discoverable", "indexable", "published", "icon", "attributionDomains", "attachment", "publicKey"} {
		if a[member] == nil {
			t.Error("no", member)
		}
	}
	for _, member := range []string{"id", "inbox", "url", "followers", "featured"} {
		if u, err := url.Parse(str(a, member)); err != nil || u.Host != host {
			t.Errorf("%s is %v", member, a[member])
		}
	}
	key := a["publicKey"].(object)
	if key["owner"] != a["id"] || key["id"] != actor+"#main-key" || !strings.HasPrefix(str(key, "publicKeyPem"), "-----BEGIN PUBLIC KEY-----\n") {
		t.Errorf("%v", key)
	}
}

// While the database cannot be read, nothing is answered 404 or 410: peers would delete what they know of us.
func TestR011_OurOwnTroubleIs503(t *testing.T) {
	s := open(t)
	alice := s.stranger("https://one.test/users/alice")
	deletion := alice.activity("Follow", actor)
	handler, request := s.handler(), alice.request(deletion)
	if err := s.db.Close(); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, request)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("inbox: %d %v", w.Code, w.Header())
	}
	for _, path := range []string{"/.ap/actor", "/.ap/outbox", "/.ap/followers", "/.ap/featured", "/.ap/posts/2026/march/",
		"/.ap/replies/2026/march/", "/.ap/context/2026/march/", "/.ap/answers/1", "/.ap/nodeinfo/2.1"} {
		w := s.get(path, asJSON)
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
	}
	if w := s.webFinger("acct:blog@blog.test"); w.Code != http.StatusOK { // needs no database
		t.Errorf("webfinger: %d", w.Code)
	}
}

func TestR014_Collections(t *testing.T) {
	s := open(t)
	s.must(s.alpha.Person("alice").Follow(s.ctx, actor))
	for id, total := range map[string]float64{base + "/followers": 1, base + "/following": 0} {
		c := s.document(id)
		if c["totalItems"] != total || c["first"] != nil || c["items"] != nil || c["orderedItems"] != nil || c["type"] != "OrderedCollection" {
			t.Errorf("%v", c)
		}
	}
	outbox := s.document(base + "/outbox")
	first := s.document(str(outbox, "first"))
	creates := first["orderedItems"].([]any)
	if outbox["type"] != "OrderedCollection" || outbox["totalItems"] != 1.0 || first["type"] != "OrderedCollectionPage" || first["next"] != nil || len(creates) != 1 {
		t.Fatalf("%v %v", outbox, first)
	}
	if create := creates[0].(object); create["type"] != "Create" || create["actor"] != actor || create["object"].(object)["id"] != note {
		t.Errorf("%v", create)
	}
}

// A post is saved with a date of its own, one a day.
func (s *stage) aYearOfPosts(n int) (ids []string) {
	s.Helper()
	for i := range n {
		p, _, err := s.db.SavePost(s.ctx, storage.Draft{URL: fmt.Sprintf("https://blog.test/%d/", i), Title: fmt.Sprint("No. ", i),
			Published: noon.AddDate(-1, 0, i), Quiet: true})
		if err != nil {
			s.Fatal(err)
		}
		ids = append(ids, string(p.ID))
	}
	return ids
}

func TestR015_Featured(t *testing.T) {
	s := open(t)
	ids := s.aYearOfPosts(12)
	slices.Reverse(ids)
	for _, d := range []storage.Draft{{URL: "https://blog.test/about/", Demanded: true}, {URL: "https://blog.test/quiet/", Unlisted: true}} {
		if _, _, err := s.db.SavePost(s.ctx, d); err != nil { // the newest, and not what a newcomer is to see first
			t.Fatal(err)
		}
	}
	featured := s.document(base + "/featured")
	if want := fmt.Sprint(append([]string{note}, ids[:9]...)); featured["type"] != "OrderedCollection" || featured["first"] != nil || fmt.Sprint(featured["orderedItems"]) != want {
		t.Errorf("%v\nwant %s", featured, want)
	}
}
