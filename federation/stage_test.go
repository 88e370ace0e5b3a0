package federation_test

import (
	"bytes"
	"context"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"afterword/federation"
	"afterword/federation/fedtest"
	"afterword/federation/sign"
	"afterword/fetch"
	"afterword/storage"
	"afterword/storage/storagetest"
	"afterword/thread"
)

// The tests are named after the requirements of PROTOCOL section 11 that they hold, so that "go test ./federation/... -run
// R0" is the conformance run. Corpus tests are named after the groups of SECURITY section 3.

const (
	host   = "blog.test"
	base   = "https://blog.test/.ap"
	actor  = base + "/actor"
	inbox  = base + "/inbox"
	page   = "https://blog.test/2026/march/"
	note   = base + "/posts/2026/march/"
	public = "https://www.w3.org/ns/activitystreams#Public"
	asJSON = "application/activity+json"
)

// stage is a blog's federation in a fediverse in memory: real requests, signatures and database, a clock that moves only
// when a test says so, and nothing that waits.
type stage struct {
	testing.TB
	ctx     context.Context
	clock   *clock
	network *fedtest.Network
	path    string // of the database
	db      *storage.DB
	fed     *federation.Federation
	log     *bytes.Buffer

	alpha, beta, gamma *fedtest.Server // speak like Mastodon, GoToSocial, Misskey

	mu     sync.Mutex // guards what follows
	served map[string]answer
	hosts  map[string]bool
}

// object is a JSON object.
type object = map[string]any

type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// open sets the stage with one quiet post.
func open(t testing.TB, changes ...func(*federation.Config)) *stage {
	t.Helper()
	s := &stage{TB: t, ctx: t.Context(), clock: &clock{t: noon}, network: fedtest.NewNetwork(), log: new(bytes.Buffer),
		path: filepath.Join(t.TempDir(), "blog.db"), served: map[string]answer{}, hosts: map[string]bool{}}
	s.start(changes...)
	if _, _, err := s.db.SavePost(s.ctx, storage.Draft{URL: page, Title: "March", Summary: "<p>It rains.</p>", Lang: "en", Quiet: true}); err != nil {
		t.Fatal(err)
	}
	s.alpha, s.beta, s.gamma = s.server("alpha.test", "mastodon"), s.server("beta.test", "gotosocial"), s.server("gamma.test", "misskey")
	return s
}

// start starts the blog's server, also anew after stop.
func (s *stage) start(changes ...func(*federation.Config)) {
	s.Helper()
	c := federation.Config{Base: base, Handle: "blog", Domain: host, Name: "The Blog", Lang: "en", Page: "https://blog.test/", Version: "1.0",
		Rules: thread.Rules{ShowUnlisted: true}, Now: s.clock.now, Log: slog.New(slog.NewTextHandler(s.log, nil))}
	db, err := storage.Open(s.path, storage.Options{Base: base, Now: s.clock.now})
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { db.Close() })
	if _, err := db.Setting(s.ctx, "actor_key", blogKey); err != nil {
		s.Fatal(err)
	}
	c.DB, s.db = db, db
	c.Fetch = fetch.New(fetch.Options{UserAgent: "Afterword/1.0 (+https://blog.test)", Transport: s.network, Now: s.clock.now})
	for _, change := range changes {
		change(&c)
	}
	if s.fed, err = federation.New(s.ctx, c); err != nil {
		s.Fatal(err)
	}
	handler := s.handler()
	s.network.Serve(host, handler)
}

// handler is what a reverse proxy on the blog's host hands to the server.
func (s *stage) handler() http.Handler {
	fed := s.fed.Handler()
	mux := http.NewServeMux()
	mux.Handle("/.well-known/", fed)
	mux.Handle("/.ap/", http.StripPrefix("/.ap", fed))
	return mux
}

func (s *stage) restart(changes ...func(*federation.Config)) {
	s.Helper()
	if err := s.db.Close(); err != nil {
		s.Fatal(err)
	}
	s.start(changes...)
}

var blogKey = sync.OnceValues(func() (string, error) { return sign.MarshalPrivateKey(keyOf(0)) })

// keys are a few key pairs for all strangers: making one takes a tenth of a second.
var keys [7]struct {
	once sync.Once
	key  *rsa.PrivateKey
}

func keyOf(n int) *rsa.PrivateKey {
	k := &keys[n]
	k.once.Do(func() {
		var err error
		if k.key, err = sign.NewPrivateKey(); err != nil {
			panic(err) // without randomness
		}
	})
	return k.key
}

func (s *stage) server(authority, software string) *fedtest.Server {
	s.Helper()
	server, err := fedtest.NewServer(fedtest.Options{Base: "https://" + authority, Software: software, Transport: s.network, Now: s.clock.now})
	if err != nil {
		s.Fatal(err)
	}
	s.network.Serve(authority, server.Handler())
	return server
}

// settle lets everything happen that can happen now.
func (s *stage) settle() {
	s.Helper()
	var steps []func(context.Context) (bool, error)
	for _, w := range s.fed.Workers() {
		steps = append(steps, w.Step)
	}
	if err := fedtest.Settle(s.ctx, steps...); err != nil {
		s.Fatal(err)
	}
}

// must fails the test when a deed was not answered 202, and returns the note it was about.
func (s *stage) must(sent fedtest.Sent, err error) string {
	s.Helper()
	if err != nil || sent.Status() != http.StatusAccepted {
		s.Fatalf("%v %v", sent, err)
	}
	s.settle()
	return sent.Note
}

// answer is what some page of the web answers.
type answer struct {
	status int // 0: 200
	kind   string
	body   any // bytes, or what is made into JSON
	header http.Header
}

// serve puts a document on the web, at an address of a host that is not a fedtest server.
func (s *stage) serve(address string, body any) { s.answer(address, answer{body: body}) }

func (s *stage) answer(address string, a answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := url.Parse(address)
	if err != nil {
		s.Fatal(err)
	}
	if u.Path == "" { // is asked for as "/"
		address += "/"
	}
	s.served[address] = a
	if !s.hosts[u.Host] {
		s.hosts[u.Host] = true
		s.network.Serve(u.Host, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.respond(w, "https://"+u.Host+r.RequestURI) }))
	}
}

func (s *stage) respond(w http.ResponseWriter, address string) {
	s.mu.Lock()
	a, ok := s.served[address]
	s.mu.Unlock()
	if !ok {
		http.Error(w, "nothing here", http.StatusNotFound)
		return
	}
	maps.Copy(w.Header(), a.header)
	kind := a.kind
	if kind == "" {
		kind = asJSON
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(max(a.status, 200))
	w.Write(encode(a.body)) //nolint:errcheck // into memory
}

func encode(v any) []byte {
	if b, ok := v.([]byte); ok {
		return b
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// stranger is an account of no software in particular: what it says goes out byte for byte, signed.
type stranger struct {
	*stage
	id, keyID string
	key       *rsa.PrivateKey
}

// stranger is the account with that id, whose document is served there.
func (s *stage) stranger(id string) *stranger {
	sum := fnv.New32a()
	sum.Write([]byte(id)) //nolint:errcheck // never fails
	p := &stranger{stage: s, id: id, keyID: id + "#main-key", key: keyOf(1 + int(sum.Sum32()%6))}
	s.serve(withoutFragment(id), p.document())
	return p
}

func withoutFragment(id string) string {
	id, _, _ = strings.Cut(id, "#")
	return id
}

func (p *stranger) document() object {
	u, _ := url.Parse(p.id)
	return object{"id": p.id, "type": "Person", "preferredUsername": "p" + strings.Trim(strings.Map(letters, u.Path+u.RawQuery), "_"),
		"inbox": u.Scheme + "://" + u.Host + "/in" + u.Path, "endpoints": object{"sharedInbox": u.Scheme + "://" + u.Host + "/in"},
		"publicKey": p.publicKey()}
}

func letters(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
		return r
	}
	return '_'
}

func (p *stranger) publicKey() object {
	return object{"id": p.keyID, "owner": p.id, "publicKeyPem": sign.PublicPEM(p.key)}
}

// with serves the account's document with some members changed; nil takes one away.
func (p *stranger) with(members object) *stranger {
	d := p.document()
	for name, value := range members {
		if d[name] = value; value == nil {
			delete(d, name)
		}
	}
	p.serve(withoutFragment(p.id), d)
	return p
}

// request is a signed delivery.
func (p *stranger) request(message any) *http.Request {
	p.Helper()
	body := encode(message)
	r := httptest.NewRequestWithContext(p.ctx, http.MethodPost, inbox, bytes.NewReader(body))
	r.Header.Set("Content-Type", asJSON)
	r.Host, r.URL.Scheme, r.URL.Host = host, "https", host
	if err := (sign.Signer{KeyID: p.keyID, Private: p.key}).Sign(r, body, p.clock.now()); err != nil {
		p.Fatal(err)
	}
	r.URL.Scheme, r.URL.Host, r.RequestURI = "", "", "/.ap/inbox"
	return r
}

// send delivers a message; change changes the request once it is signed. It returns the status.
func (p *stranger) send(message any, change ...func(*http.Request)) int {
	p.Helper()
	r := p.request(message)
	for _, c := range change {
		c(r)
	}
	return p.do(r).Code
}

// says sends a message that is answered 202, and lets everything happen.
func (p *stranger) says(message any) {
	p.Helper()
	if status := p.send(message); status != http.StatusAccepted {
		p.Fatalf("answered %d: %.300s", status, encode(message))
	}
	p.settle()
}

func (s *stage) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.handler().ServeHTTP(w, r)
	return w
}

// note is a public reply of a stranger.
func (p *stranger) note(id, inReplyTo, content string) object {
	return object{"id": id, "type": "Note", "attributedTo": p.id, "to": []any{public}, "inReplyTo": inReplyTo,
		"content": content, "published": p.clock.now().Format(time.RFC3339)}
}

func (p *stranger) create(of object) object { return p.activity("Create", of) }

// activity is an activity about an object or an id, addressed as the object is.
func (p *stranger) activity(kind string, of any) object {
	a := object{"@context": "https://www.w3.org/ns/activitystreams", "type": kind, "actor": p.id, "object": of}
	id := fmt.Sprint(of)
	if o, ok := of.(object); ok {
		id = fmt.Sprint(o["id"])
		for _, name := range []string{"to", "cc"} {
			if o[name] != nil {
				a[name] = o[name]
			}
		}
	}
	u, _ := url.Parse(p.id)
	a["id"] = u.Scheme + "://" + u.Host + "/activities/" + kind + "?of=" + url.QueryEscape(id)
	return a
}

// changed is an object with some members changed; nil takes one away.
func changed(o object, members object) object {
	out := maps.Clone(o)
	for name, value := range members {
		if out[name] = value; value == nil {
			delete(out, name)
		}
	}
	return out
}

// thread is what readers see of the post: a line a comment, indented by depth, its author's handle and its text.
func (s *stage) thread() string { return s.threadOf(note) }

func (s *stage) threadOf(id string) string {
	s.Helper()
	all, err := s.db.Thread(s.ctx, thread.IRI(id))
	if err != nil {
		s.Fatal(err)
	}
	var lines []string
	for _, c := range thread.Arrange(all).List() {
		line := strings.Repeat("  ", c.Depth) + c.Author.Handle + ": " + c.HTML
		if c.Stub {
			line = strings.Repeat("  ", c.Depth) + "(deleted)"
		}
		if !c.Edited.IsZero() {
			line += " (edited)"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// shows fails the test unless readers see these lines.
func (s *stage) shows(want ...string) {
	s.Helper()
	if got := s.thread(); got != strings.Join(want, "\n") {
		s.Fatalf("readers see\n%s\nwant\n%s\nledger:\n%s", got, strings.Join(want, "\n"), s.ledger())
	}
}

// words are the comments without markup and authors.
func (s *stage) words() string { return storagetest.Words(s.thread()) }

// comment is the stored comment with this id.
func (s *stage) comment(id string) thread.Comment {
	s.Helper()
	c, err := s.db.Comment(s.ctx, thread.IRI(id))
	if err != nil {
		s.Fatalf("%s: %v\n%s", id, err, s.ledger())
	}
	return c
}

// ledger is for what tests say when they fail.
func (s *stage) ledger() string { s.Helper(); return storagetest.Ledger(s, s.db) }

// verdict is the newest verdict on messages about an object.
func (s *stage) verdict(about string) thread.Decision {
	s.Helper()
	return storagetest.Verdict(s, s.db, about)
}

// outbound is how many requests we made so far.
func (s *stage) outbound() (n int) {
	for _, line := range s.network.Log() {
		if !strings.Contains(line, "//"+host+"/") {
			n++
		}
	}
	return n
}

// outboundTo is how many requests for this very document we made so far.
func (s *stage) outboundTo(address string) (n int) {
	for _, line := range s.network.Log() {
		if line == "GET "+address {
			n++
		}
	}
	return n
}

// untouched fails the test unless do leaves every table as it was (SECURITY: "∅"), and asks others at most fetches times.
func (s *stage) untouched(fetches int, do func()) {
	s.Helper()
	s.settle() // what is done once at the start is done
	before, asked := storagetest.Rows(s, s.path), s.outbound()
	do()
	s.settle()
	if tables := storagetest.Changed(before, storagetest.Rows(s, s.path)); tables != "" {
		s.Errorf("changed: %s\n%s", tables, s.ledger())
	}
	if n := s.outbound() - asked; n > fetches {
		s.Errorf("%d requests, at most %d allowed: %q", n, fetches, s.network.Log()[len(s.network.Log())-n:])
	}
}

// get asks the blog's server as somebody without a signature.
func (s *stage) get(path, accept string) *httptest.ResponseRecorder {
	s.Helper()
	r := httptest.NewRequestWithContext(s.ctx, http.MethodGet, path, nil)
	r.Host, r.Header = host, http.Header{"Accept": {accept}}
	return s.do(r)
}

// document is one of our documents, which must be there and be ActivityPub.
func (s *stage) document(id string) object {
	s.Helper()
	w := s.get(strings.TrimPrefix(id, "https://"+host), asJSON)
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != asJSON {
		s.Fatalf("%s: %d %s %s", id, w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	return parse(s, w.Body)
}

func parse(s testing.TB, body io.Reader) (o object) {
	s.Helper()
	if err := json.NewDecoder(body).Decode(&o); err != nil {
		s.Fatal(err)
	}
	return o
}

// told is what a server got from the blog, verified, of one type.
func (s *stage) told(server *fedtest.Server, kind string) (out []fedtest.Delivery) {
	for _, d := range server.Received() {
		if d.Type == kind && d.Verified && d.Sender == actor {
			out = append(out, d)
		}
	}
	return out
}
