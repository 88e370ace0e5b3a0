package sign

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// FuzzVerify: whatever comes, nothing panics, and nothing is accepted that was not signed. A fuzzer has no keys, so
// what is accepted must be one of the seeds in all that they sign.
func FuzzVerify(f *testing.F) {
	signed := map[string]bool{}
	undated := byAlice().as("hs2019").over("(request-target) (created) (expires) host digest").times("1772366400", "1772366401").sign(post())
	for _, q := range append(signedRequests(), undated) {
		signed[q.essence(f)] = true
		f.Add(q.bytes())
		f.Add(q.with("Date", " Sun, 01 Mar 2026 12:00:01 GMT ").bytes())
	}
	f.Add(post().bytes())
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, body, err := parse(raw)
		if err != nil {
			return
		}
		id, idErr := KeyIDOf(r)
		s, err := Verify(r, body, Options{Host: "blog.test", Scheme: "https", Now: now, Keys: everybody()})
		switch {
		case err != nil && s != (Sender{}):
			t.Errorf("error %v with sender %v", err, s)
		case err == nil && !signed[essence(r, body)]:
			t.Errorf("accepted as %s: %q", s.Actor(), raw)
		case err == nil && (idErr != nil || id != s.KeyID()):
			t.Errorf("KeyIDOf says %q, %v of what %s signed", id, idErr, s.KeyID())
		}
	})
}

// FuzzHeaders is FuzzVerify with a sound request around the headers, so that more inputs come further.
func FuzzHeaders(f *testing.F) {
	signed := map[string]bool{}
	for _, q := range signedRequests() {
		digest := q.value("Digest") + q.value("Content-Digest")
		f.Add(q.value("Signature-Input"), q.value("Signature"), q.value("Date"), digest)
		f.Add(q.value("Signature-Input"), q.value("Signature"), q.value("Date")+" ", digest)
		signed[q.essence(f)] = true
	}
	f.Fuzz(func(t *testing.T, input, signature, date, digest string) {
		r, body, err := parse(post().bytes())
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{
			"Signature-Input": input, "Signature": signature, "Date": date, "Digest": digest, "Content-Digest": digest,
		} {
			r.Header.Del(name)
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		s, err := Verify(r, body, Options{Host: "blog.test", Scheme: "https", Now: now, Keys: everybody()})
		if err == nil && !signed[essence(r, body)] || err != nil && s != (Sender{}) {
			t.Errorf("%v, accepted as %q: %q %q %q %q", err, s.Actor(), input, signature, date, digest)
		}
	})
}

// essence is everything that a signature here must stand for. A Date that is not signed may be any near one.
func essence(r *http.Request, body []byte) string {
	target, date := r.RequestURI, ""
	if len(r.Header["Signature-Input"]) == 0 && r.Method == http.MethodPost {
		target, _, _ = strings.Cut(target, "?") // PROTOCOL 34
	}
	if c, err := claimOf(r, Options{}); err == nil && c.covers("date") {
		date = strings.TrimSpace(r.Header.Get("Date"))
	}
	return fmt.Sprintf("%s %s %s %q %q", r.Method, target, authority("https", r.Host), date, body)
}

func (q request) essence(f *testing.F) string {
	r, body, err := parse(q.bytes())
	if err != nil {
		f.Fatal(err)
	}
	return essence(r, body)
}

// FuzzParameters: what is read can be written, and reads the same again.
func FuzzParameters(f *testing.F) {
	f.Add(`keyId="https://good.test/users/alice#main-key",algorithm="hs2019",created=1,headers="date",signature="AA=="`)
	f.Add(`a="b, c=d" , e=f`)
	f.Add(`a="\"",b=`)
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parameters(s)
		if err != nil {
			return
		}
		var parts []string
		for name, value := range p {
			if name != strings.ToLower(name) || !isToken(name) || strings.ContainsAny(value, `"\`) {
				t.Errorf("read %q=%q out of %q", name, value, s)
			}
			parts = append(parts, name+`="`+value+`"`)
		}
		again, err := parameters(strings.Join(parts, ","))
		if err != nil || fmt.Sprint(again) != fmt.Sprint(p) {
			t.Errorf("%q is read as %q, and that as %q, %v", s, p, again, err)
		}
	})
}

// FuzzParsePublicKey: a key that is read is one that we verify with, and stays the same key.
func FuzzParsePublicKey(f *testing.F) {
	f.Add(PublicPEM(alicePrivate))
	f.Add(testKeyRSA)
	f.Add(testKeyEd25519)
	f.Add(cavageTestKey)
	f.Fuzz(func(t *testing.T, text string) {
		key, err := ParsePublicKey(text)
		if err != nil {
			if key != nil {
				t.Errorf("a key with error %v", err)
			}
			return
		}
		if err := checkPublic(key); err != nil {
			t.Error(err)
		}
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParsePublicKey(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
		if err != nil || fmt.Sprint(again) != fmt.Sprint(key) {
			t.Errorf("%q: %v", text, err)
		}
	})
}
