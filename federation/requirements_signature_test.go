package federation_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"afterword/federation/sign"
)

// Group C of PROTOCOL section 11: signatures, keys and fetching, in and out.

// peer is a server that writes down what it is asked, and answers as it is told.
type peer struct {
	host   string
	asked  []*http.Request
	bodies [][]byte
	answer func(r *http.Request) int // 0: with what is served there
}

func (s *stage) peer(host string, p *peer) *peer {
	p.host = host
	s.hosts[host] = true
	s.network.Serve(host, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		p.asked, p.bodies = append(p.asked, r), append(p.bodies, body)
		if p.answer != nil {
			if status := p.answer(r); status != 0 {
				w.WriteHeader(status)
				return
			}
		}
		s.respond(w, "https://"+host+r.RequestURI)
	}))
	return p
}

// ourKeys is how a peer finds the blog's key: in its actor, asked for without a signature.
type ourKeys struct{ *stage }

func (k ourKeys) Key(_ context.Context, id string, _ bool) (sign.Key, bool, error) {
	listed := k.document(actor)["publicKey"].(object)
	public, err := sign.ParsePublicKey(str(listed, "publicKeyPem"))
	if listed["id"] != id {
		err = errors.New("the actor does not list " + id)
	}
	return sign.Key{ID: id, Owner: actor, Public: public}, false, err
}

func (s *stage) verifies(r *http.Request, body []byte) error {
	_, err := sign.Verify(r, body, sign.Options{Host: r.Host, Scheme: "https", Now: s.clock.now(), Keys: ourKeys{s}})
	return err
}

func TestR029_SignedDeliveries(t *testing.T) {
	s := open(t)
	p := s.peer("one.test", &peer{answer: func(r *http.Request) int {
		if r.Method == http.MethodPost {
			return http.StatusServiceUnavailable
		}
		return 0
	}})
	alice := s.stranger("https://one.test/users/alice")
	alice.says(alice.activity("Follow", actor))
	s.clock.advance(time.Hour)
	s.settle()
	var signatures []string
	for i, r := range p.asked {
		if r.Method != http.MethodPost {
			continue
		}
		if r.Header.Get("Content-Type") != asJSON || !strings.Contains(r.UserAgent(), "+https://blog.test") || r.Header.Get("Date") == "" || r.Host != "one.test" ||
			!strings.HasPrefix(r.Header.Get("Digest"), "SHA-256=") {
			t.Errorf("%s %v", r.Host, r.Header)
		}
		for _, want := range []string{`keyId="` + actor + `#main-key"`, `headers="(request-target) host date digest content-type"`} {
			if !strings.Contains(r.Header.Get("Signature"), want) {
				t.Errorf("no %s in %s", want, r.Header.Get("Signature"))
			}
		}
		signatures = append(signatures, r.Header.Get("Signature"))
		if len(signatures) == 2 {
			if err := s.verifies(r, p.bodies[i]); err != nil {
				t.Error(err)
			}
		}
	}
	if len(signatures) != 2 || signatures[0] == signatures[1] {
		t.Errorf("not signed anew for each of %d attempts", len(signatures))
	}
}

func TestR030_SignedFetches(t *testing.T) {
	s := open(t)
	p := s.peer("one.test", &peer{})
	alice := s.stranger("https://one.test/users/alice")
	alice.says(alice.create(alice.note("https://one.test/notes/1", note, "<p>Here.</p>")))
	if len(p.asked) == 0 {
		t.Fatal("nobody asked")
	}
	for _, r := range p.asked {
		if want := `application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams"`; r.Header.Get("Accept") != want {
			t.Errorf("Accept: %s", r.Header.Get("Accept"))
		}
		if !strings.Contains(r.Header.Get("Signature"), `headers="(request-target) host date accept"`) || s.verifies(r, nil) != nil {
			t.Errorf("%v: %v", r.Header, s.verifies(r, nil))
		}
		if r.Header.Get("Cookie")+r.Header.Get("Authorization")+r.Header.Get("Referer") != "" {
			t.Errorf("%v", r.Header)
		}
	}
}

// A host that answers 401 or 400 is asked once more in the other way, and from then on in that way at once.
func TestR031_TheOtherWay(t *testing.T) {
	for _, refusal := range []int{http.StatusUnauthorized, http.StatusBadRequest} {
		s := open(t)
		p := s.peer("one.test", &peer{answer: func(r *http.Request) int {
			if r.Header.Get("Signature-Input") == "" && r.Header.Get("Signature") != "" {
				return refusal
			}
			return 0
		}})
		alice := s.stranger("https://one.test/users/alice")
		s.answer("https://one.test/in/users/alice", answer{status: http.StatusAccepted})
		s.answer("https://one.test/in", answer{status: http.StatusAccepted})
		alice.says(alice.activity("Follow", actor))
		var ways []string
		for i, r := range p.asked {
			way := r.Method + " cavage"
			if r.Header.Get("Signature-Input") != "" {
				way = r.Method + " rfc9421"
				if err := s.verifies(r, p.bodies[i]); err != nil {
					t.Errorf("%d: %v", refusal, err)
				}
			}
			ways = append(ways, way)
		}
		if got := strings.Join(ways, ", "); got != "GET cavage, GET rfc9421, POST rfc9421" {
			t.Errorf("%d: %s", refusal, got)
		}
	}
}

// signature is a text signed as RSASSA-PKCS1-v1_5 with SHA-256, in base64.
func (p *stranger) signature(text string) string {
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, p.key, crypto.SHA256, sum[:])
	if err != nil {
		p.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(signature)
}

// resign signs a request anew as draft-cavage says, over these headers and by this name of the algorithm.
func (p *stranger) resign(r *http.Request, keyID, algorithm string, headers ...string) {
	var lines []string
	for _, name := range headers {
		value := r.Header.Get(name)
		switch name {
		case "(request-target)":
			value = "post " + r.RequestURI
		case "host":
			value = r.Host
		}
		lines = append(lines, name+": "+value)
	}
	header := fmt.Sprintf(`keyId="%s",`, keyID)
	if algorithm != "" {
		header += fmt.Sprintf(`algorithm="%s",`, algorithm)
	}
	header += fmt.Sprintf(`headers="%s",signature="%s"`, strings.Join(headers, " "), p.signature(strings.Join(lines, "\n")))
	r.Header.Set("Signature", header)
}

func TestR032_WhatASignatureCovers(t *testing.T) {
	for name, c := range map[string]struct {
		algorithm string
		headers   string
		want      int
	}{
		"Mastodon":          {"rsa-sha256", "host date digest content-type (request-target)", 202},
		"GoToSocial":        {"hs2019", "(request-target) host date digest", 202},
		"no algorithm":      {"", "(request-target) host date digest", 202},
		"Pleroma":           {"rsa-sha256", "(request-target) content-length date digest host", 202},
		"without target":    {"rsa-sha256", "host date digest", 401},
		"without host":      {"rsa-sha256", "(request-target) date digest", 401},
		"without date":      {"rsa-sha256", "(request-target) host digest", 401},
		"without digest":    {"rsa-sha256", "(request-target) host date", 401},
		"unknown algorithm": {"rsa-sha1", "(request-target) host date digest", 401},
	} {
		s := open(t)
		alice := s.stranger("https://one.test/users/alice")
		got := alice.send(alice.create(alice.note("https://one.test/notes/1", note, "<p>Here.</p>")), func(r *http.Request) {
			r.Header.Set("Content-Length", fmt.Sprint(r.ContentLength))
			alice.resign(r, alice.keyID, c.algorithm, strings.Fields(c.headers)...)
		})
		s.settle()
		if got != c.want || (s.words() != "") != (c.want == 202) {
			t.Errorf("%s: %d %q", name, got, s.words())
		}
	}
}

func TestR032_TheDigestIsOfTheBody(t *testing.T) {
	s := open(t)
	alice := s.stranger("https://one.test/users/alice")
	message := alice.create(alice.note("https://one.test/notes/1", note, "<p>Here.</p>"))
	s.untouched(1, func() {
		status := alice.send(message, func(r *http.Request) {
			r.Body = io.NopCloser(bytes.NewReader(encode(changed(message, object{"object": alice.note("https://one.test/notes/1", note, "<p>Else.</p>")}))))
		})
		if status != http.StatusUnauthorized {
			t.Error(status)
		}
	})
	if status := alice.send(message, func(r *http.Request) {
		r.Header.Set("Digest", strings.Replace(r.Header.Get("Digest"), "SHA-256", "sha-256", 1))
		alice.resign(r, alice.keyID, "rsa-sha256", "(request-target)", "host", "date", "digest")
	}); status != http.StatusAccepted {
		t.Errorf("sha-256 in lower case: %d", status)
	}
}

func TestR033_ClocksDiffer(t *testing.T) {
	for skew, want := range map[time.Duration]int{-66 * time.Minute: 401, -60 * time.Minute: 202, 0: 202, 59 * time.Minute: 202, 61 * time.Minute: 401, -20 * 365 * 24 * time.Hour: 401} {
		s := open(t)
		alice := s.stranger("https://one.test/users/alice")
		status := alice.send(alice.create(alice.note("https://one.test/notes/1", note, "<p>Here.</p>")), func(r *http.Request) {
			r.Header.Set("Date", s.clock.now().Add(skew).UTC().Format(http.TimeFormat))
			alice.resign(r, alice.keyID, "rsa-sha256", "(request-target)", "host", "date", "digest")
		})
		if status != want {
			t.Errorf("%s: %d, want %d", skew, status, want)
		}
	}
}

// Misskey signs the path without its query.
func TestR034_TheQueryIsNotSigned(t *testing.T) {
	s := open(t)
	alice := s.stranger("https://one.test/users/alice")
	status := alice.send(alice.create(alice.note("https://one.test/notes/1", note, "<p>Here.</p>")), func(r *http.Request) {
		alice.resign(r, alice.keyID, "rsa-sha256", "(request-target)", "host", "date", "digest")
		r.RequestURI += "?from=misskey"
	})
	if status != http.StatusAccepted {
		t.Error(status)
	}
}

// The key of a signature is named in one of many ways; in all of them the account's own document lists it.
func TestR035_R036_FormsOfKeys(t *testing.T) {
	const id, keyDoc = "https://one.test/users/alice", "https://one.test/keys/1"
	for name, c := range map[string]struct {
		keyID string
		set   func(p *stranger)
	}{
		"fragment": {id + "#main-key", func(p *stranger) { p.with(nil) }},
		"path to a stub without an inbox (GoToSocial)": {id + "/main-key", func(p *stranger) {
			p.with(nil)
			p.serve(id+"/main-key", object{"id": id, "type": "Person", "preferredUsername": "alice", "publicKey": p.publicKey()})
		}},
		"document of the key alone": {keyDoc, func(p *stranger) {
			p.with(nil)
			p.serve(keyDoc, changed(p.publicKey(), object{"type": "Key"}))
		}},
		"listed by its address": {keyDoc, func(p *stranger) {
			p.with(object{"publicKey": keyDoc})
			p.serve(keyDoc, changed(p.publicKey(), object{"type": "CryptographicKey"}))
		}},
		"listed by its address, among others": {keyDoc, func(p *stranger) {
			p.with(object{"publicKey": []any{"https://one.test/keys/0", keyDoc}})
			p.serve(keyDoc, p.publicKey())
		}},
		"the account's own id (PeerTube)": {id, func(p *stranger) { p.with(object{"publicKey": changed(p.publicKey(), object{"id": id + "#main-key"})}) }},
		"slash before the fragment (BookWyrm)": {id + "/#main-key", func(p *stranger) {
			p.with(nil)
			p.serve(id+"/", p.document())
		}},
		"second of a list": {id + "#main-key", func(p *stranger) {
			p.with(object{"publicKey": []any{object{"id": id + "#old", "owner": id, "publicKeyPem": "x"}, p.publicKey()}})
		}},
		"without an owner":  {id + "#main-key", func(p *stranger) { p.with(object{"publicKey": changed(p.publicKey(), object{"owner": nil})}) }},
		"lines end in CRLF": {id + "#main-key", func(p *stranger) { p.with(object{"publicKey": crlf(p.publicKey())}) }},
		"odd things beside": {id + "#main-key", func(p *stranger) {
			p.with(object{"assertionMethod": []any{5, "https://one.test/x", object{"type": "Multikey"}}})
		}},
		"nothing but itself": {id + "#main-key", func(p *stranger) { p.with(object{"assertionMethod": nil, "name": nil, "preferredUsername": nil}) }},
	} {
		s := open(t)
		p := s.stranger(id)
		p.keyID = c.keyID
		c.set(p)
		for i := range 2 { // fetched, then known
			status := p.send(p.create(p.note(fmt.Sprint("https://one.test/notes/", i), note, "<p>Here.</p>")))
			if status != http.StatusAccepted {
				t.Errorf("%s, message %d: %d", name, i, status)
			}
		}
		s.settle()
		if got := s.words(); strings.Count(got, "Here.") != 2 {
			t.Errorf("%s: %q\n%s", name, got, s.ledger())
		}
		if n := s.outbound(); n > 3 {
			t.Errorf("%s: %q", name, s.network.Log())
		}
	}
}

func crlf(key object) object {
	return changed(key, object{"publicKeyPem": strings.ReplaceAll(str(key, "publicKeyPem"), "\n", "\r\n")})
}

// What does not fit together proves nothing.
func TestR035_KeysOfOthers(t *testing.T) {
	const id = "https://one.test/users/alice"
	for name, c := range map[string]struct {
		keyID string
		set   func(p *stranger)
	}{
		"not listed": {id + "#other", func(*stranger) {}},
		"owner is somebody else": {id + "#main-key", func(p *stranger) {
			p.with(object{"publicKey": changed(p.publicKey(), object{"owner": "https://one.test/users/bob"})})
		}},
		"owner is on another server":   {"https://two.test/keys/1", func(p *stranger) { p.serve("https://two.test/keys/1", p.publicKey()) }},
		"its owner does not list it":   {"https://one.test/keys/1", func(p *stranger) { p.serve("https://one.test/keys/1", p.publicKey()); p.with(object{"publicKey": nil}) }},
		"listed by address, not there": {"https://one.test/keys/1", func(p *stranger) { p.with(object{"publicKey": "https://one.test/keys/1"}) }},
		"the document has another id":  {id + "#main-key", func(p *stranger) { p.with(object{"id": "https://one.test/users/bob"}) }},
		"an open redirect leads to it": {"https://one.test/away?to=two.test", func(p *stranger) {
			p.answer(p.keyID, answer{status: http.StatusFound, header: http.Header{"Location": {"https://two.test/forged"}}})
			p.serve("https://two.test/forged", p.document())
		}},
		"the document is of no account": {id + "#main-key", func(p *stranger) { p.serve(id, p.note(id, note, "x")) }},
	} {
		s := open(t)
		p := s.stranger(id)
		p.keyID = c.keyID
		c.set(p)
		s.untouched(3, func() {
			if status := p.send(p.create(p.note("https://one.test/notes/1", note, "<p>Here.</p>"))); status != http.StatusUnauthorized {
				t.Errorf("%s: %d", name, status)
			}
		})
	}
}

// Ed25519, listed as a Multikey (FEP-521a) and used as RFC 9421 says.
func TestR036_R040_Multikey(t *testing.T) {
	s := open(t)
	p := s.stranger("https://one.test/users/alice")
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	p.keyID = p.id + "#ed25519-key"
	p.with(object{"publicKey": changed(p.publicKey(), object{"id": p.id + "#main-key"}),
		"assertionMethod": []any{object{"id": p.keyID, "type": "Multikey", "controller": p.id, "publicKeyMultibase": multibase(public)}}})
	status := p.send(p.create(p.note("https://one.test/notes/1", note, "<p>Here.</p>")), func(r *http.Request) {
		p.signRFC9421(r, "ed25519", func(base []byte) []byte { return ed25519.Sign(private, base) })
	})
	if s.settle(); status != http.StatusAccepted || s.words() != "@pusers_alice@one.test: Here." {
		t.Errorf("%d %q", status, s.words())
	}
}

func multibase(public ed25519.PublicKey) string {
	const digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	n, text := new(big.Int).SetBytes(append([]byte{0xed, 0x01}, public...)), ""
	for digit := new(big.Int); n.Sign() > 0; {
		n.DivMod(n, big.NewInt(58), digit)
		text = digits[digit.Int64():digit.Int64()+1] + text
	}
	return "z" + text
}

// signRFC9421 signs over what Fedify signs, with what each peer varies.
func (p *stranger) signRFC9421(r *http.Request, algorithm string, sum func(base []byte) []byte) {
	r.Header.Set("Content-Digest", "sha-256=:"+strings.TrimPrefix(r.Header.Get("Digest"), "SHA-256=")+":")
	params := fmt.Sprintf(`("@method" "@target-uri" "@authority" "host" "date" "content-digest");created=%d;keyid="%s";alg="%s"`, p.clock.now().Unix(), p.keyID, algorithm)
	text := fmt.Sprintf("\"@method\": POST\n\"@target-uri\": https://%s%s\n\"@authority\": %s\n\"host\": %s\n\"date\": %s\n\"content-digest\": %s\n\"@signature-params\": %s",
		host, r.RequestURI, host, host, r.Header.Get("Date"), r.Header.Get("Content-Digest"), params)
	r.Header.Set("Signature-Input", "sig1="+params)
	r.Header.Set("Signature", "sig1=:"+base64.StdEncoding.EncodeToString(sum([]byte(text)))+":")
}

func TestR040_RFC9421(t *testing.T) {
	s := open(t)
	p := s.stranger("https://one.test/users/alice")
	message := p.create(p.note("https://one.test/notes/1", note, "<p>Here.</p>"))
	s.untouched(1, func() {
		if status := p.send(message, func(r *http.Request) {
			p.signRFC9421(r, "rsa-v1_5-sha256", func([]byte) []byte { return make([]byte, 256) })
		}); status != http.StatusUnauthorized {
			t.Error(status)
		}
	})
	status := p.send(message, func(r *http.Request) {
		p.signRFC9421(r, "rsa-v1_5-sha256", func(base []byte) []byte {
			signature, _ := base64.StdEncoding.DecodeString(p.signature(string(base)))
			return signature
		})
	})
	if s.settle(); status != http.StatusAccepted || s.words() == "" {
		t.Errorf("%d %q", status, s.words())
	}
}

// A new key works with the first message signed by it; what fails does not make us ask again and again.
func TestR037_RotatedKeys(t *testing.T) {
	s := open(t)
	p := s.stranger("https://one.test/users/alice")
	p.says(p.create(p.note("https://one.test/notes/1", note, "<p>Old key.</p>")))
	p.key = keyOf(6)
	p.with(nil)
	s.clock.advance(time.Hour)
	p.says(p.create(p.note("https://one.test/notes/2", note, "<p>New key.</p>")))
	if got := s.words(); !strings.Contains(got, "New key.") {
		t.Error(got)
	}
	asked := s.outbound()
	p.key = keyOf(5)
	for range 5 {
		if status := p.send(p.create(p.note("https://one.test/notes/3", note, "<p>Forged.</p>"))); status != http.StatusUnauthorized {
			t.Error(status)
		}
	}
	if n := s.outbound() - asked; n > 1 {
		t.Errorf("asked %d times for the key", n)
	}
}

// Whoever else signed, the object's own server has the last word.
func TestR038_PassedOn(t *testing.T) {
	for name, sender := range map[string]func(*stage) *stranger{
		"a relay": func(s *stage) *stranger { return s.stranger("https://relay.test/actor") },
		"the server's own account": func(s *stage) *stranger {
			return s.stranger("https://one.test/actor").with(object{"type": "Application"})
		},
	} {
		s := open(t)
		alice, carrier := s.stranger("https://one.test/users/alice"), sender(s)
		n := alice.note("https://one.test/notes/1", note, "<p>As written.</p>")
		s.serve("https://one.test/notes/1", n)
		carrier.says(alice.create(changed(n, object{"content": "<p>As changed on the way.</p>"})))
		if got := s.words(); got != "@pusers_alice@one.test: As written." {
			t.Errorf("%s: %q\n%s", name, got, s.ledger())
		}
		forged := alice.note("https://one.test/notes/2", note, "<p>Never written.</p>")
		carrier.says(alice.create(forged))
		carrier.says(alice.activity("Delete", "https://one.test/notes/1"))
		if got := s.words(); got != "@pusers_alice@one.test: As written." {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// A neighbour on the same server is no relay.
func TestR038_Neighbours(t *testing.T) {
	s := open(t)
	alice, mallory := s.stranger("https://one.test/users/alice"), s.stranger("https://one.test/users/mallory")
	s.serve("https://one.test/notes/1", alice.note("https://one.test/notes/1", note, "<p>Draft.</p>"))
	mallory.says(alice.create(alice.note("https://one.test/notes/1", note, "<p>Forged.</p>")))
	if s.thread() != "" || s.outboundTo("https://one.test/notes/1") != 0 || s.verdict("https://one.test/notes/1") != "refused" {
		t.Errorf("%q\n%s", s.thread(), s.ledger())
	}
}

func TestR039_OneOrigin(t *testing.T) {
	const id = "https://one.test/users/alice"
	for name, c := range map[string]struct{ activity, note object }{
		"activity elsewhere":          {object{"id": "https://two.test/activities/1"}, nil},
		"object elsewhere":            {nil, object{"id": "https://two.test/notes/1"}},
		"object on our host":          {nil, object{"id": base + "/answers/1"}},
		"object on another port":      {nil, object{"id": "https://one.test:8443/notes/1"}},
		"object by plain http":        {nil, object{"id": "http://one.test/notes/1"}},
		"written elsewhere":           {nil, object{"attributedTo": "https://two.test/users/bob"}},
		"written by a neighbour":      {nil, object{"attributedTo": "https://one.test/users/bob"}},
		"written by two, other first": {nil, object{"attributedTo": []any{"https://one.test/users/bob", id}}},
		"written by us":               {nil, object{"attributedTo": actor}},
	} {
		for _, kind := range []string{"Create", "Update", "Delete"} {
			s := open(t)
			alice := s.stranger(id)
			n := changed(alice.note("https://one.test/notes/1", note, "<p>Here.</p>"), c.note)
			message := changed(alice.activity(kind, n), c.activity)
			if status := alice.send(message); status != http.StatusAccepted {
				t.Errorf("%s, %s: %d", name, kind, status)
			}
			if s.settle(); s.thread() != "" {
				t.Errorf("%s, %s: %q", name, kind, s.thread())
			}
		}
	}
}

// micro.blog's accounts with a domain of their own have the ids of their activities on micro.blog, some of Threads' are on
// another of its hosts. What brings or takes nothing of theirs is theirs under any id.
func TestR039_ActivitiesWithIDsElsewhere(t *testing.T) {
	s := open(t)
	alice := s.follower("https://one.test/alice", http.StatusAccepted)
	elsewhere := func(a object) object {
		return changed(a, object{"id": "https://two.test/activities/" + str(a, "type")})
	}
	state := func() string {
		return fmt.Sprint(s.document(note)["likes"].(object)["totalItems"], " ", len(s.followers()))
	}
	like, follow := elsewhere(alice.activity("Like", note)), elsewhere(alice.activity("Follow", actor))
	for _, c := range []struct {
		message object
		want    string
	}{
		{like, "1 1"},
		{elsewhere(alice.activity("Undo", like["id"])), "0 1"},
		{changed(elsewhere(alice.activity("Undo", alice.activity("Follow", actor))), object{"id": "https://two.test/undo/2"}), "0 0"},
		{follow, "0 1"},
	} {
		if alice.says(c.message); state() != c.want {
			t.Errorf("%v: %s, want %s\n%s", c.message, state(), c.want, s.ledger())
		}
	}
}

func TestR041_UnsignedAndMalformed(t *testing.T) {
	s := open(t)
	alice := s.stranger("https://one.test/users/alice")
	message := alice.create(alice.note("https://one.test/notes/1", note, "<p>Here.</p>"))
	for header, want := range map[string]int{
		"": 401, `keyId="https://one.test/users/alice#main-key"`: 401, "garbage": 400, `keyId=`: 400, `keyId="a`: 400, `keyId="a"b"c"`: 400,
		`keyId="https://one.test/users/alice#main-key",headers="(request-target) host date digest",signature="!!!"`: 401,
	} {
		s.untouched(0, func() {
			r := alice.request(message)
			if r.Header.Set("Signature", header); header == "" {
				r.Header.Del("Signature")
			}
			w := s.do(r)
			if w.Code != want || w.Body.Len() > 300 || parse(t, w.Body)["error"] == nil {
				t.Errorf("%q: %d %s", header, w.Code, w.Body)
			}
		})
	}
}

// A server that redirects wherever it is told does not lend its name to what stands there.
func TestR043_OpenRedirects(t *testing.T) {
	s := open(t)
	alice := s.stranger("https://one.test/users/alice")
	s.answer("https://one.test/notes/1", answer{status: http.StatusFound, header: http.Header{"Location": {"https://two.test/forged"}}})
	s.serve("https://two.test/forged", alice.note("https://one.test/notes/1", note, "<p>Forged.</p>"))
	mallory := s.stranger("https://two.test/mallory")
	mallory.says(alice.create(alice.note("https://one.test/notes/1", note, "<p>Forged.</p>")))
	alice.says(changed(alice.activity("Create", "https://one.test/notes/1"), object{"cc": []any{actor}}))
	s.shows()

	s.answer("https://one.test/notes/1", answer{status: http.StatusFound, header: http.Header{"Location": {"https://one.test/real/1"}}})
	s.serve("https://one.test/real/1", alice.note("https://one.test/notes/1", note, "<p>Real.</p>"))
	s.clock.advance(2 * time.Minute)
	alice.says(changed(alice.activity("Create", "https://one.test/notes/1"), object{"id": "https://one.test/activities/again", "cc": []any{actor}}))
	s.shows("@pusers_alice@one.test: <p>Real.</p>")
}

// Whatever a fetch leads to, what stands there under another id is not used.
func TestR043_TheIDIsWhereItIs(t *testing.T) {
	for name, c := range map[string]struct {
		at   string // where the comment is said to be
		doc  object // what differs in the document there
		want bool
	}{
		"there":                     {"https://one.test/notes/1", nil, true},
		"by another address":        {"https://one.test/@alice/1", nil, true},
		"of another server":         {"https://two.test/notes/1", nil, false},
		"moves on when asked for":   {"https://one.test/@alice/2", object{"id": "https://one.test/notes/2"}, false},
		"without an id":             {"https://one.test/@alice/3", object{"id": nil}, false},
		"with our id":               {"https://one.test/@alice/4", object{"id": note}, false},
		"written by another server": {"https://one.test/@alice/5", object{"id": "https://one.test/@alice/5", "attributedTo": "https://two.test/users/bob"}, false},
	} {
		s := open(t)
		alice := s.stranger("https://one.test/users/alice")
		real := alice.note("https://one.test/notes/1", note, "<p>Here.</p>")
		s.serve("https://one.test/notes/1", real)
		s.serve("https://one.test/notes/2", changed(real, object{"id": "https://one.test/notes/3"}))
		s.serve(c.at, changed(real, c.doc))
		alice.says(changed(alice.activity("Create", c.at), object{"to": []any{public}, "cc": []any{actor}}))
		if (s.thread() != "") != c.want {
			t.Errorf("%s: %q\n%s", name, s.thread(), s.ledger())
		}
	}
}

func TestR044_TheHeadOfTheRequest(t *testing.T) {
	s := open(t)
	alice := s.stranger("https://one.test/users/alice")
	message := alice.create(alice.note("https://one.test/notes/1", note, "<p>Here.</p>"))
	for name, c := range map[string]struct {
		change func(r *http.Request)
		want   int
	}{
		"GET":        {func(r *http.Request) { r.Method = http.MethodGet }, 405},
		"PUT":        {func(r *http.Request) { r.Method = http.MethodPut }, 405},
		"text":       {func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, 415},
		"form":       {func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }, 415},
		"no type":    {func(r *http.Request) { r.Header.Del("Content-Type") }, 415},
		"no profile": {func(r *http.Request) { r.Header.Set("Content-Type", "application/ld+json") }, 415},
		"other profile": {func(r *http.Request) {
			r.Header.Set("Content-Type", `application/ld+json; profile="https://evil.test/ns"`)
		}, 415},
		"compressed": {func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }, 415},
		"said large": {func(r *http.Request) { r.ContentLength = 1<<20 + 1 }, 413},
		"large": {func(r *http.Request) {
			r.ContentLength, r.Body = -1, io.NopCloser(strings.NewReader(strings.Repeat(" ", 1<<20+1)))
		}, 413},
	} {
		s.untouched(0, func() {
			if got := alice.send(message, c.change); got != c.want {
				t.Errorf("%s: %d, want %d", name, got, c.want)
			}
		})
	}
	for i, kind := range []string{asJSON, asJSON + "; charset=utf-8", "APPLICATION/Activity+JSON", ldJSON, ldJSON + "; charset=utf-8", "application/json",
		"application/json; charset=utf-8", "application/ld+json; profile=https://www.w3.org/ns/activitystreams",
		`application/ld+json; charset=utf-8; profile="https://www.w3.org/ns/activitystreams http://www.w3.org/ns/json-ld#compacted"`} {
		id := fmt.Sprint("https://one.test/types/", i)
		status := alice.send(alice.create(alice.note(id, note, "<p>Here.</p>")), func(r *http.Request) {
			r.Header.Set("Content-Type", kind)
			alice.resign(r, alice.keyID, "rsa-sha256", "(request-target)", "host", "date", "digest", "content-type")
		})
		if s.settle(); status != http.StatusAccepted || s.verdict(id) != "shown" {
			t.Errorf("%s: %d %s", kind, status, s.verdict(id))
		}
	}
}
