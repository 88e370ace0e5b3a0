package federation_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"afterword/sanitize"
	"afterword/storage"
	"afterword/thread"
)

// quick is an account whose signatures cost little, for fuzzing.
type quick struct {
	*stage
	id  string
	key ed25519.PrivateKey
}

func (s *stage) quick(id string) *quick {
	q := &quick{s, id, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))}
	s.serve(id, q.document(nil))
	return q
}

// document is the account's, with some members changed.
func (q *quick) document(members object) object {
	der, err := x509.MarshalPKIXPublicKey(q.key.Public())
	if err != nil {
		q.Fatal(err)
	}
	return changed(object{"id": q.id, "type": "Person", "preferredUsername": "quick", "inbox": "https://" + thread.IRI(q.id).Host() + "/inbox",
		"publicKey": object{"id": q.id + "#key", "owner": q.id, "publicKeyPem": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))}}, members)
}

// send delivers these very bytes, signed with a key of this id.
func (q *quick) send(body []byte, keyID string) *httptest.ResponseRecorder {
	sum := sha256.Sum256(body)
	r := httptest.NewRequestWithContext(q.ctx, http.MethodPost, inbox, bytes.NewReader(body))
	r.Host, r.RequestURI = host, "/.ap/inbox"
	r.URL.Scheme, r.URL.Host = "", ""
	r.Header.Set("Content-Type", asJSON)
	r.Header.Set("Date", q.clock.now().UTC().Format(http.TimeFormat))
	r.Header.Set("Digest", "SHA-256="+base64.StdEncoding.EncodeToString(sum[:]))
	text := fmt.Sprintf("(request-target): post /.ap/inbox\nhost: %s\ndate: %s\ndigest: %s", host, r.Header.Get("Date"), r.Header.Get("Digest"))
	r.Header.Set("Signature", fmt.Sprintf(`keyId="%s",algorithm="hs2019",headers="(request-target) host date digest",signature="%s"`, keyID,
		base64.StdEncoding.EncodeToString(ed25519.Sign(q.key, []byte(text)))))
	return q.do(r)
}

// FuzzInbox: whatever an account says with a good signature, the door answers 202, 400 or, beyond 1 MiB, 413, nothing
// panics, every message comes to a verdict, and what readers see is safe and written by the sender.
func FuzzInbox(f *testing.F) {
	s := open(f)
	q := s.quick("https://good.test/users/alice")
	files, err := filepath.Glob("wire/testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && strings.Contains(file, "mastodon") {
			f.Add([]byte(strings.ReplaceAll(string(text), "blog.example", host)))
		}
	}
	reply := changed((&stranger{stage: s, id: q.id}).note("https://good.test/notes/1", note, "<p>hello</p>"), object{"tag": object{"type": "Mention", "href": actor}})
	for _, kind := range []string{"Create", "Update", "Delete", "Announce", "Like", "Undo", "Flag", "Move", "ReplyRequest"} {
		f.Add(encode((&stranger{stage: s, id: q.id}).activity(kind, reply)))
	}
	f.Add(encode((&stranger{stage: s, id: q.id}).activity("Follow", actor)))
	f.Fuzz(func(t *testing.T, body []byte) {
		s.TB = t
		q.deliver(body)
		q.checkReaders()
	})
}

// deliver sends a message, waits until all is done about it, and checks that nothing went wrong.
func (q *quick) deliver(body []byte) {
	w := q.send(body, q.id+"#key")
	switch {
	case w.Code == http.StatusBadRequest && !json.Valid(w.Body.Bytes()):
		q.Errorf("400 with %q", w.Body)
	case w.Code == http.StatusRequestEntityTooLarge && len(body) > 1<<20, w.Code == http.StatusAccepted, w.Code == http.StatusBadRequest:
	default:
		q.Errorf("answered %d %s", w.Code, w.Body)
	}
	q.settle()
	if n, err := q.db.Counted(q.ctx, storage.Panics); n > 0 || err != nil {
		faults, _ := q.db.Faults(q.ctx)
		q.Fatalf("%v %v", faults, err)
	}
}

// checkReaders checks what readers see while nobody but this account writes.
func (q *quick) checkReaders() {
	all, err := q.db.Thread(q.ctx, note)
	if err != nil {
		q.Fatal(err)
	}
	for _, c := range all {
		if sanitize.HTML(c.HTML) != c.HTML || !c.Deleted && string(c.Author.ID) != q.id || len(c.HTML) > 64<<10 || c.Published.After(q.clock.now()) {
			q.Errorf("readers see %+v", c)
		}
	}
}

// FuzzMessages is FuzzInbox with JSON that is sound and says something: each byte chooses what stands where.
func FuzzMessages(f *testing.F) {
	s := open(f)
	q := s.quick("https://good.test/users/alice")
	for kind := range kinds {
		f.Add([]byte{byte(kind)}, []byte{byte(kind), 1, 2, 3, 4, 5, 6, 7, 8, 9})
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		s.TB = t
		for _, choices := range [][]byte{first, second} {
			c := chooser{q, choices}
			q.deliver(encode(c.activity()))
		}
		q.checkReaders()
	})
}

// chooser makes messages of bytes. Without any more of them, what it makes is sound.
type chooser struct {
	*quick
	bytes []byte
}

var (
	kinds   = strings.Fields("Create Update Delete Announce Like Undo Follow Flag Move Add ReplyRequest QuoteRequest Accept")
	members = strings.Fields(`id type actor object target instrument attributedTo inReplyTo context conversation to cc audience name summary content
		contentMap mediaType url published updated sensitive tag attachment oneOf quote replies likes totalItems items publicKey owner inbox icon
		movedTo alsoKnownAs preferredUsername @context signature`)
	values = []any{nil, "", 0, -1, 1e300, true, []any{}, object{}, actor, note, page, base, public, "as:Public", "https://good.test/users/alice", "https://good.test/notes/1",
		"https://good.test/notes/2#x", "HTTPS://GOOD.test:443/notes/1", "https://victim.test/users/victim", "https://victim.test/notes/1", "tag:good.test,2026:1",
		"Note", "Article", "Question", "Person", "Tombstone", "Mention", "Link", "Collection", "2026-03-01T12:00:00Z", "9999-12-31T23:59:59-23:59", "text/markdown",
		"text/plain", "image/png", "<p>x", "*a* <b>", "&amp;", "\u200b", "\x00", "<a href=https://e.example>x.com</a>", strings.Repeat("<p><b>&", 9000), strings.Repeat("'", 40_000)}
)

// next chooses one of n.
func (c *chooser) next(n int) int {
	if len(c.bytes) == 0 {
		return 0
	}
	b := c.bytes[0]
	c.bytes = c.bytes[1:]
	return int(b) % n
}

func (c *chooser) activity() object {
	p := &stranger{stage: c.stage, id: c.id}
	kind := kinds[c.next(len(kinds))]
	parent := note
	if n := c.next(8); n > 0 {
		parent = fmt.Sprintf("https://good.test/notes/%d", n)
	}
	reply := p.note(fmt.Sprintf("https://good.test/notes/%d", c.next(8)), parent, "<p>hello</p>")
	reply["tag"] = object{"type": "Mention", "href": actor}
	return c.vary(p.activity(kind, c.vary(reply, 0)), 0)
}

// vary gives some members other values.
func (c *chooser) vary(o object, depth int) object {
	for range c.next(5) {
		o[members[c.next(len(members))]] = c.value(depth)
	}
	return o
}

func (c *chooser) value(depth int) any {
	switch n := c.next(8); {
	case n == 0 && depth < 3:
		return c.vary(object{}, depth+1)
	case n == 1 && depth < 3:
		return []any{c.value(depth + 1), c.value(depth + 1)}
	}
	return values[c.next(len(values))]
}

// FuzzKeyDocument: whatever stands where a signature's key should be, nobody is taken for somebody else: what is let in is
// by an account of the key's own server, which lists this key by its own document.
func FuzzKeyDocument(f *testing.F) {
	s := open(f)
	q := s.quick("https://good.test/users/alice")
	victim := "https://victim.test/users/victim"
	for _, members := range []object{nil, {"id": victim}, {"type": "Note"}, {"publicKey": []any{q.document(nil)["publicKey"]}}, {"publicKey": "https://good.test/users/alice#key"}, {"inbox": nil}, {"id": base + "/actor"}} {
		f.Add(encode(q.document(members)))
	}
	n := 0
	f.Fuzz(func(t *testing.T, doc []byte) {
		s.TB = t
		n++
		keyID := fmt.Sprintf("https://h%d.good.test/key", n) // or its server would be spared further questions
		s.answer(keyID, answer{body: doc})
		for _, who := range []string{victim, q.id} {
			message := (&stranger{stage: s, id: who}).create((&stranger{stage: s, id: who}).note(who+"/1", note, "forged"))
			w := q.send(encode(message), keyID)
			if w.Code == http.StatusInternalServerError {
				t.Errorf("answered %d", w.Code)
			}
		}
		s.settle()
		if words := s.words(); words != "" {
			t.Errorf("%s: %q", doc, words)
		}
	})
}
