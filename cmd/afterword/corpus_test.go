package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"afterword/config"
	"afterword/federation/fedtest"
	"afterword/federation/sign"
	"afterword/storage"
	"afterword/storage/storagetest"
	"afterword/thread"
)

// The adversarial corpus (SECURITY section 3): each trial is a request to the built server over a real socket, and says
// which status it gets, which tables it changes once everything has settled, and how many requests to others it may
// cause at most. What is not said to change is compared row by row. PROTOCOL 0.6 decides about the statuses.
//
// Groups A to D, F and G are here, a file each; strangers live on a network in memory. Of group E what needs sockets is
// in package fetch.

// trial is one case of the corpus. Its name begins with its number in SECURITY.
type trial struct {
	name    string
	send    func(*site) []byte // what goes over the wire
	status  int
	changes string // the tables that change
	fetches int    // requests to others, at most

	before func(*site) // what happened earlier
	words  string      // what readers see of the thread afterwards
	check  func(*site) // what else must hold
}

// What a message changes. A stranger that was proven is remembered in any case: actors, keys.
const (
	nothing  = ""
	ledger   = "actors keys received"
	hinted   = "actors keys origins received" // and somebody else's server was asked
	private  = "counts"
	entered  = "actors checks comments keys origins posts received"
	pictured = "actors attachments checks comments keys origins posts received"
	again    = "received" // by somebody who is known
)

func try(name string, send func(*site) []byte, status int, changes string, fetches int) trial {
	return trial{name: name, send: send, status: status, changes: changes, fetches: fetches}
}

func (x trial) given(before func(*site)) trial { x.before = before; return x }
func (x trial) shows(words string) trial       { x.words = words; return x }
func (x trial) expect(check func(*site)) trial { x.check = check; return x }
func (x trial) run(t *testing.T)               { t.Run(x.name, func(t *testing.T) { t.Parallel(); x.play(t) }) }
func play(t *testing.T, corpus ...trial) {
	for _, x := range corpus {
		x.run(t)
	}
}
func when(steps ...func(*site)) func(*site) {
	return func(s *site) {
		for _, step := range steps {
			step(s)
		}
	}
}
func says(send func(*site) []byte) func(s *site) { return func(s *site) { s.accepts(send(s)) } }

func (x trial) play(t *testing.T) {
	s := newSite(t)
	if x.before != nil {
		x.before(s)
	}
	message := x.send(s)
	rows, asked := s.rows(), len(s.network.Log())
	status := s.request(message)
	s.settle()
	if status != x.status {
		t.Errorf("answered %d, want %d", status, x.status)
	}
	if changes := s.changedSince(rows); changes != x.changes {
		t.Errorf("changes %q, want %q\n%s", changes, x.changes, s.ledger())
	}
	if log := s.network.Log()[asked:]; len(log) > x.fetches {
		t.Errorf("%d requests to others, at most %d allowed: %q", len(log), x.fetches, log)
	}
	if words := s.words(); words != x.words {
		t.Errorf("readers see %q, want %q\n%s", words, x.words, s.ledger())
	}
	if x.check != nil {
		x.check(s)
	}
}

// The blog of the corpus.
const (
	blogHost   = "blog.test"
	blogBase   = "https://" + blogHost
	blogActor  = blogBase + "/actor"
	marchPage  = blogBase + "/2026/march/"
	marchNote  = blogBase + "/posts/2026/march/"
	everybody  = "https://www.w3.org/ns/activitystreams#Public"
	activities = "application/activity+json"
)

type object = map[string]any

// site is the built server behind a socket of its own, in a fediverse in memory, with one post and a clock that stands.
type site struct {
	*testing.T
	ctx     context.Context
	clock   *clock
	network *fedtest.Network
	path    string
	db      *storage.DB
	server  *server
	addr    string

	alice, bob, mallory, victim *account

	mu   sync.Mutex // guards what follows
	docs map[string]http.HandlerFunc
	seen map[string]bool
}

// template is a database with one post, made once: each trial begins with a copy.
var template = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "corpus")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path, ctx := filepath.Join(dir, "blog.db"), context.Background()
	db, err := storage.Open(path, storage.Options{Base: blogBase, Now: func() time.Time { return noon }})
	if err != nil {
		return nil, err
	}
	_, err = db.Setting(ctx, "actor_key", func() (string, error) { return sign.MarshalPrivateKey(keyNumber(0)) })
	if err == nil {
		_, _, err = db.SavePost(ctx, storage.Draft{URL: marchPage, Title: "March", Summary: "<p>It rains.</p>", Lang: "en", Quiet: true})
	}
	if err == nil {
		err = db.Backup(ctx, path+".copy") // one file, with nothing beside it
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(path + ".copy")
})

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// newSite starts a server; change changes its configuration.
func newSite(t *testing.T, change ...func(*config.Config, *server)) *site {
	t.Helper()
	s := &site{T: t, ctx: t.Context(), clock: &clock{noon}, network: fedtest.NewNetwork(), path: filepath.Join(temporaryFolder(t), "blog.db"),
		docs: map[string]http.HandlerFunc{}, seen: map[string]bool{}}
	text, err := template()
	if err == nil {
		err = os.WriteFile(s.path, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	cfg.BaseURL, cfg.Blog.URL, cfg.Blog.Name, cfg.Database = blogBase, blogBase+"/", "The Blog", s.path
	if err := cfg.Check(); err != nil {
		t.Fatal(err)
	}
	if s.db, err = storage.Open(s.path, storage.Options{Base: blogBase, Now: s.clock.now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.db.Close() })
	if s.server, err = newServer(s.ctx, cfg, s.db, world{Log: slog.New(slog.DiscardHandler), Transport: s.network, Now: s.clock.now}); err != nil {
		t.Fatal(err)
	}
	for _, c := range change {
		c(cfg, s.server)
	}
	s.listen()
	s.alice, s.bob = s.account("https://good.test/users/alice", 1), s.account("https://good.test/users/bob", 2)
	s.mallory, s.victim = s.account("https://evil.test/users/mallory", 3), s.account("https://victim.test/users/victim", 4)
	s.settle()
	return s
}

// temporaryFolder is t.TempDir, whose name has the trial's in it: too much for a database's address.
func temporaryFolder(t *testing.T) string {
	dir, err := os.MkdirTemp("", "corpus")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (s *site) listen() {
	s.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.Fatal(err)
	}
	conns := limitConns(l, nil)
	web := s.server.web(conns, s.server.handler)
	go web.Serve(conns) //nolint:errcheck // it ends with the test
	s.Cleanup(func() { web.Close() })
	s.addr = l.Addr().String()
}

// settle lets everything happen that can happen now.
func (s *site) settle() {
	s.Helper()
	var steps []func(context.Context) (bool, error)
	for _, w := range s.server.fed.Workers() {
		steps = append(steps, w.Step)
	}
	if err := fedtest.Settle(s.ctx, steps...); err != nil {
		s.Fatal(err)
	}
}

// exchange sends bytes and reads one answer. What cannot be read as one has status 0: the connection was closed.
func (s *site) exchange(message []byte) *http.Response {
	s.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second)) //nolint:errcheck // a test that hangs fails
	go c.Write(message)                             //nolint:errcheck // the server may close before it has read all
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return &http.Response{}
	}
	return resp
}

func (s *site) request(message []byte) int { s.Helper(); return s.exchange(message).StatusCode }

// accepts sends what is answered 202, and lets everything happen.
func (s *site) accepts(message []byte) {
	s.Helper()
	if status := s.request(message); status != http.StatusAccepted {
		s.Fatalf("answered %d: %.500s", status, message)
	}
	s.settle()
}

// words is what readers see of the thread: author and words of each comment.
func (s *site) words() string {
	s.Helper()
	all, err := s.db.Thread(s.ctx, marchNote)
	if err != nil {
		s.Fatal(err)
	}
	var lines []string
	for _, c := range thread.Arrange(all).List() {
		line := strings.Repeat(">", c.Depth)
		if c.Stub {
			line += "(deleted)"
		} else {
			name, _, _ := strings.Cut(strings.TrimPrefix(c.Author.Handle, "@"), "@")
			line += name + ": " + storagetest.Words(c.HTML)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "; ")
}

// ledger is for what tests say when they fail.
func (s *site) ledger() string { s.Helper(); return storagetest.Ledger(s, s.db) }

// verdict is the newest verdict on messages about an object.
func (s *site) verdict(about string) thread.Decision {
	s.Helper()
	return storagetest.Verdict(s, s.db, about)
}

// rows is what each table holds.
func (s *site) rows() map[string]string { s.Helper(); return storagetest.Rows(s, s.path) }

// changedSince is the tables that hold something else now.
func (s *site) changedSince(before map[string]string) string {
	s.Helper()
	return storagetest.Changed(before, s.rows())
}

// keys are key pairs for all trials: making one takes a tenth of a second.
var corpusKeys [6]struct {
	once sync.Once
	key  *rsa.PrivateKey
}

func keyNumber(n int) *rsa.PrivateKey {
	k := &corpusKeys[n]
	k.once.Do(func() {
		var err error
		if k.key, err = sign.NewPrivateKey(); err != nil {
			panic(err) // without randomness
		}
	})
	return k.key
}

// serve answers for one address of the web. Others of its host are 404.
func (s *site) serve(address string, h http.HandlerFunc) {
	s.Helper()
	u, err := url.Parse(address)
	if err != nil {
		s.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.docs[address] = h
	if s.seen[u.Host] {
		return
	}
	s.seen[u.Host] = true
	s.network.Serve(u.Host, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		h := s.docs["https://"+u.Host+r.RequestURI]
		s.mu.Unlock()
		if h == nil {
			http.NotFound(w, r)
			return
		}
		h(w, r)
	}))
}

// document serves an ActivityPub document.
func (s *site) document(address string, doc any) {
	s.Helper()
	s.serve(address, sending(http.StatusOK, "Content-Type", activities, doc))
}

// sending is an answer with one header.
func sending(status int, name, value string, body any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(name, value)
		w.WriteHeader(status)
		w.Write(jsonOf(body)) //nolint:errcheck // into memory
	}
}

func jsonOf(v any) []byte {
	switch v := v.(type) {
	case nil:
		return nil
	case []byte:
		return v
	case string:
		return []byte(v)
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// account is somebody with a key.
type account struct {
	*site
	id, keyID string
	key       crypto.Signer
}

// account serves an account's document at its id.
func (s *site) account(id string, key int) *account {
	s.Helper()
	a := &account{s, id, id + "#main-key", keyNumber(key)}
	s.document(id, a.profile())
	return a
}

func (a *account) profile() object {
	u, _ := url.Parse(a.id)
	return object{"@context": []any{"https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"}, "id": a.id, "type": "Person",
		"preferredUsername": a.id[strings.LastIndex(a.id, "/")+1:], "inbox": "https://" + u.Host + "/inbox", "publicKey": a.publicKey()}
}

func (a *account) publicKey() object {
	der, err := x509.MarshalPKIXPublicKey(a.key.Public())
	if err != nil {
		a.Fatal(err)
	}
	return object{"id": a.keyID, "owner": a.id, "publicKeyPem": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))}
}

// with serves the account's document with some members changed.
func (a *account) with(members object) {
	a.document(a.id, but(a.profile(), members))
}

// but is an object with some members changed; nil takes one away.
func but(o object, members object) object {
	out := maps.Clone(o)
	for name, value := range members {
		if out[name] = value; value == nil {
			delete(out, name)
		}
	}
	return out
}

// note is a public reply to the post.
func (a *account) note(text string) object {
	id := a.id + "/notes/" + base64.RawURLEncoding.EncodeToString([]byte(text))[:min(16, base64.RawURLEncoding.EncodedLen(len(text)))]
	return object{"id": id, "type": "Note", "attributedTo": a.id, "to": []any{everybody}, "inReplyTo": marchNote, "content": "<p>" + text + "</p>",
		"published": a.clock.now().Format(time.RFC3339)}
}

// does is an activity, addressed as its object is.
func (a *account) does(kind string, of any) object {
	did := object{"@context": "https://www.w3.org/ns/activitystreams", "type": kind, "actor": a.id, "object": of}
	about := fmt.Sprint(of)
	if o, ok := of.(object); ok {
		about = fmt.Sprint(o["id"])
		for _, name := range []string{"to", "cc"} {
			if o[name] != nil {
				did[name] = o[name]
			}
		}
	}
	did["id"] = a.id + "/did/" + kind + "?of=" + url.QueryEscape(about)
	return did
}

func (a *account) create(text string) object { return a.does("Create", a.note(text)) }

// wire is a request as its bytes.
type wire struct {
	line  string // the request line
	lines []string
	body  []byte
}

func (q wire) bytes() []byte {
	var b bytes.Buffer
	b.WriteString(q.line + "\r\n" + strings.Join(q.lines, "\r\n") + "\r\n\r\n")
	b.Write(q.body)
	return b.Bytes()
}

// set puts a header line in place of those of its name; an empty value removes them.
func (q wire) set(name, value string) wire {
	q.lines = slices.DeleteFunc(slices.Clone(q.lines), func(line string) bool {
		was, _, _ := strings.Cut(line, ":")
		return strings.EqualFold(was, name)
	})
	if value != "" {
		q.lines = append(q.lines, name+": "+value)
	}
	return q
}

// add puts in a further line.
func (q wire) add(line string) wire {
	q.lines = append(slices.Clone(q.lines), line)
	return q
}

func (q wire) get(name string) string {
	for _, line := range q.lines {
		if was, value, _ := strings.Cut(line, ":"); strings.EqualFold(was, name) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// signing is how a request is signed after draft-cavage.
type signing struct {
	keyID, algorithm, headers string
	extra                     string // parameters between headers and signature
	method, target, host      string // as signed
	key                       crypto.Signer
	values                    map[string]string // pseudo-headers
}

// posted is a delivery that is not signed yet.
func (s *site) posted(body any) wire {
	b := jsonOf(body)
	sum := sha256.Sum256(b)
	return wire{"POST /inbox HTTP/1.1", []string{"Host: " + blogHost, "User-Agent: test", "Date: " + s.date(0), "Content-Type: " + activities,
		fmt.Sprintf("Content-Length: %d", len(b)), "Digest: SHA-256=" + base64.StdEncoding.EncodeToString(sum[:])}, b}
}

func (s *site) date(later time.Duration) string {
	return s.clock.now().Add(later).UTC().Format(http.TimeFormat)
}

// signed signs a request; change changes how.
func (a *account) signed(q wire, change ...func(*signing)) wire {
	a.Helper()
	parts := strings.Fields(q.line)
	how := signing{keyID: a.keyID, algorithm: "rsa-sha256", headers: "(request-target) host date digest content-type", method: strings.ToLower(parts[0]),
		target: parts[1], host: q.get("Host"), key: a.key, values: map[string]string{}}
	for _, c := range change {
		c(&how)
	}
	var text []string
	for name := range strings.FieldsSeq(how.headers) {
		value := q.get(name)
		switch name {
		case "(request-target)":
			value = how.method + " " + how.target
		case "host":
			value = how.host
		case "(created)", "(expires)":
			value = how.values[name]
		}
		text = append(text, name+": "+value)
	}
	algorithm := ""
	if how.algorithm != "" {
		algorithm = `algorithm="` + how.algorithm + `",`
	}
	return q.set("Signature", fmt.Sprintf(`keyId="%s",%sheaders="%s",%ssignature="%s"`, how.keyID, algorithm, how.headers, how.extra,
		a.signature(how.key, strings.Join(text, "\n"))))
}

func (a *account) signature(key crypto.Signer, text string) string {
	a.Helper()
	digest, hash := []byte(text), crypto.Hash(0)
	if _, isEd := key.(ed25519.PrivateKey); !isEd {
		sum := sha256.Sum256(digest)
		digest, hash = sum[:], crypto.SHA256
	}
	sig, err := key.Sign(rand.Reader, digest, hash)
	if err != nil {
		a.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(sig)
}

// send is a delivery that is signed as usual.
func (a *account) send(message any) []byte { a.Helper(); return a.signed(a.posted(message)).bytes() }

// direct hands a request to the server without a socket, for what is sent thousands of times.
func (s *site) direct(message []byte) int {
	s.Helper()
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(message)))
	if err != nil {
		s.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.server.handler.ServeHTTP(w, r.WithContext(s.ctx))
	return w.Code
}
