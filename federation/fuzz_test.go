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
		w := q.send(body, q.id+"#key")
		switch w.Code {
		case http.StatusAccepted:
		case http.StatusBadRequest:
			if !json.Valid(w.Body.Bytes()) {
				t.Errorf("400 with %q", w.Body)
			}
		default:
			if w.Code != http.StatusRequestEntityTooLarge || len(body) <= 1<<20 {
				t.Errorf("answered %d %s", w.Code, w.Body)
			}
		}
		s.settle()
		if n, err := s.db.Counted(s.ctx, storage.Panics); n > 0 || err != nil {
			faults, _ := s.db.Faults(s.ctx)
			t.Fatalf("%v %v", faults, err)
		}
		all, err := s.db.Thread(s.ctx, note)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			if sanitize.HTML(c.HTML) != c.HTML || !c.Deleted && string(c.Author.ID) != q.id || len(c.HTML) > 64<<10 || c.Published.After(s.clock.now()) {
				t.Errorf("readers see %+v", c)
			}
		}
	})
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
