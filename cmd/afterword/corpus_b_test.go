package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"afterword/federation/sign"
)

// hi is alice's comment, signed as how says, after edits to the request and before others.
type hi struct {
	how    func(*signing)
	before func(wire) wire
	after  func(wire) wire
}

func (h hi) send(s *site) []byte { return h.from(s.alice, s.alice.create("hello")) }

func (h hi) from(a *account, message any) []byte {
	q := a.posted(message)
	if h.before != nil {
		q = h.before(q)
	}
	if h.how == nil {
		h.how = func(*signing) {}
	}
	if q = a.signed(q, h.how); h.after != nil {
		q = h.after(q)
	}
	return q.bytes()
}

func covers(headers string) func(*signing)   { return func(how *signing) { how.headers = headers } }
func algorithm(name string) func(*signing)   { return func(how *signing) { how.algorithm = name } }
func keyID(id string) func(*signing)         { return func(how *signing) { how.keyID = id } }
func extra(parameters string) func(*signing) { return func(how *signing) { how.extra = parameters } }

// dated is sent so much later or earlier than its Date says.
func dated(ahead time.Duration) func(*site) []byte {
	return func(s *site) []byte { return hi{before: header("Date", s.date(ahead))}.send(s) }
}

// timed has created and expires, as seconds from now; zero: not there. signs are the headers that it signs.
func timed(created, expires int, signs string) func(*site) []byte {
	return func(s *site) []byte {
		return hi{how: func(how *signing) {
			how.algorithm, how.headers, how.extra = "hs2019", signs, ""
			for name, seconds := range map[string]int{"created": created, "expires": expires} {
				if seconds != 0 {
					at := fmt.Sprint(s.clock.now().Unix() + int64(seconds))
					how.extra += name + "=" + at + ","
					how.values["("+name+")"] = at
				}
			}
		}}.send(s)
	}
}

// signature changes the Signature header's text.
func signature(old, new string) func(wire) wire {
	return func(q wire) wire {
		return q.set("Signature", strings.Replace(q.get("Signature"), old, new, 1))
	}
}

func changing(name string, change func(string) string) func(wire) wire {
	return func(q wire) wire { return q.set(name, change(q.get(name))) }
}

func TestCorpusB(t *testing.T) {
	whole := "(request-target) host date digest"
	sends := func(h hi) func(*site) []byte { return h.send }
	play(t,
		try("B1 no Signature", sends(hi{after: header("Signature", "")}), 401, nothing, 0),
		try("B2 two Signature headers", sends(hi{after: further(`Signature: keyId="https://good.test/users/alice#main-key",headers="date",signature="AA=="`)}), 401, nothing, 0),
		try("B2 two signatures in one", sends(hi{after: changing("Signature", func(v string) string { return v + "," + v })}), 401, nothing, 0),
		try("B3 body changed, Digest kept", sends(hi{after: func(q wire) wire { q.body = []byte(strings.Replace(string(q.body), "hello", "HELLO", 1)); return q }}), 401, nothing, 0),
		try("B4 body and Digest changed", func(s *site) []byte {
			other := s.posted(s.alice.create("HELLO"))
			return hi{after: func(q wire) wire {
				q.body = other.body
				return q.set("Digest", other.get("Digest")).set("Content-Length", other.get("Content-Length"))
			}}.send(s)
		}, 401, nothing, 1),
		try("B5 no Digest", sends(hi{how: covers("(request-target) host date"), after: header("Digest", "")}), 401, nothing, 0),
		try("B6 two Digests, the right one first", sends(hi{after: further("Digest: SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")}), 401, nothing, 0),
		try("B6 two Digests in one line", sends(hi{before: changing("Digest", func(v string) string { return v + ",SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" })}), 401, nothing, 0),
		try("B7 the digest is not signed", sends(hi{how: covers("(request-target) host date")}), 401, nothing, 0),
		try("B8 the host is not signed", sends(hi{how: covers("(request-target) date digest")}), 401, nothing, 0),
		try("B9 the target is not signed", sends(hi{how: covers("host date digest")}), 401, nothing, 0),
		try("B10 no date is signed", sends(hi{how: covers("(request-target) host digest")}), 401, nothing, 0),
		try("B10 headers not given: date alone", sends(hi{how: covers("date"), after: signature(`headers="date",`, "")}), 401, nothing, 0),
		try("B10 headers empty", sends(hi{how: covers("date"), after: signature(`headers="date"`, `headers=""`)}), 401, nothing, 0),
		try("B11 Date 20 years old", dated(-20*365*24*time.Hour), 401, nothing, 0),
		try("B12 Date a day ahead", dated(24*time.Hour), 401, nothing, 0),
		try("B12 Date that is none", sends(hi{before: header("Date", "now")}), 401, nothing, 0),
		try("B12 two Dates", sends(hi{after: further("Date: Sun, 01 Mar 2026 12:00:00 GMT")}), 401, nothing, 0),
		try("B13 Date -66 min", dated(-66*time.Minute), 401, nothing, 0),
		try("B13 Date -60 min", dated(-60*time.Minute), 202, entered, 1).shows("alice: hello"),
		try("B14 Date +59 min", dated(59*time.Minute), 202, entered, 1).shows("alice: hello"),
		try("B14 Date +66 min", dated(66*time.Minute), 401, nothing, 0),
		try("B15 expires in the past", timed(-10, -5, "(request-target) (created) host digest"), 401, nothing, 0),
		try("B15 expires in the future", timed(-10, 300, "(request-target) (created) (expires) host digest"), 202, entered, 1).shows("alice: hello"),
		try("B16 created, no date signed", timed(-1, 0, "(request-target) (created) host digest"), 202, entered, 1).shows("alice: hello"),
		try("B16 created in two hours", timed(7200, 0, "(request-target) (created) host digest"), 401, nothing, 0),
		try("B16 created two hours ago", timed(-7200, 0, "(request-target) (created) host digest"), 401, nothing, 0),
		try("B16 created signed and not given", sends(hi{how: covers("(request-target) (created) host digest")}), 401, nothing, 0),
		try("B16 created that is no number", sends(hi{how: extra(`created="soon",`)}), 401, nothing, 0),
		try("B16 created of 10 to the 30th", sends(hi{how: extra("created=1000000000000000000000000000000,")}), 401, nothing, 0),
		try("B17 expires before created", timed(-10, -20, "(request-target) (created) host digest"), 401, nothing, 0),
		try("B18 not a list of parameters", sends(hi{after: header("Signature", "hello")}), 400, nothing, 0),
		try("B18 a quote too few", sends(hi{after: changing("Signature", func(v string) string { return v[:len(v)-1] })}), 400, nothing, 0),
		try("B18 an escaped quote", sends(hi{after: signature(`keyId="`, `x="\"",keyId="`)}), 400, nothing, 0),
		try("B18 empty", sends(hi{after: func(q wire) wire { return q.set("Signature", "").add("Signature: ") }}), 401, nothing, 0),
		try("B19 keyId twice, evil first", sends(hi{after: signature(`keyId="`, `keyId="https://evil.test/users/mallory#main-key",keyId="`)}), 401, nothing, 0),
		try("B19 keyId twice, evil last", sends(hi{after: signature(`headers="`, `keyId="https://evil.test/users/mallory#main-key",headers="`)}), 401, nothing, 0),
		try("B19 keyid in another case", sends(hi{after: signature(`headers="`, `KEYID="https://evil.test/users/mallory#main-key",headers="`)}), 401, nothing, 0),
		try("B20 headers twice", sends(hi{after: signature(`headers="`, `headers="date",headers="`)}), 401, nothing, 0),
		try("B20 signature twice", sends(hi{after: signature(`headers="`, `signature="AA==",headers="`)}), 401, nothing, 0),
		try("B20 seventeen parameters", sends(hi{after: signature(`headers="`, manyParameters(14)+`headers="`)}), 401, nothing, 0),
		try("B20 a parameter nobody knows", sends(hi{after: signature(`headers="`, `opaque="x",headers="`)}), 202, entered, 1).shows("alice: hello"),
		try("B21 a header listed twice", sends(hi{how: covers(whole + " date")}), 401, nothing, 0),
		try("B22 a signed header that is not there", sends(hi{how: covers(whole + " x-missing")}), 401, nothing, 0),
		try("B22 a signed header that stands twice", sends(hi{how: covers(whole + " x-two"), before: and(further("X-Two: a"), further("X-Two: b"))}), 401, nothing, 0),
		try("B22 forty signed headers", sends(hi{how: covers(whole + manyHeaders(40))}), 401, nothing, 0),
		try("B23 Signature and Authorization", sends(hi{after: func(q wire) wire { return q.add("Authorization: Signature " + q.get("Signature")) }}), 401, nothing, 0),
		try("B23 Authorization alone", sends(hi{after: func(q wire) wire {
			return q.add("Authorization: Signature "+q.get("Signature")).set("Signature", "")
		}}), 401, nothing, 0),
		try("B23 another Authorization is none of ours", sends(hi{after: further("Authorization: Bearer x")}), 202, entered, 1).shows("alice: hello"),
		try("B24 headers in capitals", sends(hi{after: signature(`headers="(request-target) host date`, `headers="(request-target) Host Date`)}), 202, entered, 1).shows("alice: hello"),
		try("B24 headers in another order", sends(hi{how: covers("digest content-type date host (request-target)")}), 202, entered, 1).shows("alice: hello"),
		try("B24 the order changed afterwards", sends(hi{after: signature("host date", "date host")}), 401, nothing, 1),
		try("B25 Digest of SHA-512 alone", sends(hi{before: digested(func(b []byte) string {
			sum := sha512.Sum512(b)
			return "SHA-512=" + base64.StdEncoding.EncodeToString(sum[:])
		})}), 401, nothing, 0),
		try("B26 Digest of SHA-256 and of others", sends(hi{before: changing("Digest", func(v string) string { return "SHA-512=AAAA," + v })}), 202, entered, 1).shows("alice: hello"),
		try("B26 Digest of sha-256 in small letters", sends(hi{before: changing("Digest", func(v string) string { return strings.Replace(v, "SHA", "sha", 1) })}), 202, entered, 1).shows("alice: hello"),
		try("B27 Digest in hexadecimal", sends(hi{before: digested(func(b []byte) string { sum := sha256.Sum256(b); return "SHA-256=" + hex.EncodeToString(sum[:]) })}), 401, nothing, 0),
		try("B27 Digest without padding", sends(hi{before: changing("Digest", func(v string) string { return strings.TrimRight(v, "=") })}), 401, nothing, 0),
		try("B28 Digest of MD5", sends(hi{before: header("Digest", "MD5=rL0Y20zC+Fzt72VPzMSk2A==")}), 401, nothing, 0),
		try("B29 an empty body with the right digest", func(s *site) []byte { return hi{}.from(s.alice, []byte{}) }, 400, nothing, 0),
		try("B30 algorithm not given", sends(hi{how: algorithm("")}), 202, entered, 1).shows("alice: hello"),
		try("B31 algorithm hs2019 with RSA", sends(hi{how: algorithm("hs2019")}), 202, entered, 1).shows("alice: hello"),
		try("B32 algorithm rsa-sha512", sends(hi{how: algorithm("rsa-sha512")}), 401, nothing, 0),
		try("B32 algorithm hmac-sha256", sends(hi{how: algorithm("hmac-sha256")}), 401, nothing, 0),
		try("B32 algorithm none", sends(hi{how: algorithm("none")}), 401, nothing, 0),
		try("B32 algorithm ed25519 with RSA", sends(hi{how: algorithm("ed25519")}), 401, nothing, 0),
		try("B33 a signature of no bytes", sends(hi{after: changing("Signature", func(v string) string { return v[:strings.Index(v, `signature="`)] + `signature=""` })}), 401, nothing, 0),
		try("B33 a signature of 10 KB", sends(hi{after: changing("Signature", func(v string) string {
			return v[:strings.Index(v, `signature="`)] + `signature="` + strings.Repeat("A", 10_000) + `"`
		})}), 401, nothing, 0),
		try("B33 a signature of 1 MB", sends(hi{after: changing("Signature", func(v string) string {
			return v[:strings.Index(v, `signature="`)] + `signature="` + strings.Repeat("A", 1_000_000) + `"`
		})}), 431, nothing, 0),
		try("B34 a signature that is no base64", sends(hi{after: changing("Signature", func(v string) string { return v[:len(v)-5] + `!==="` })}), 401, nothing, 0),
		try("B34 a signature with white space", sends(hi{after: signature(`signature="`, `signature=" `)}), 401, nothing, 0),
		try("B34 a signature cut short", sends(hi{after: changing("Signature", func(v string) string { return v[:len(v)-5] + `"` })}), 401, nothing, 1),
		try("B35 keyId of more than 2048 bytes", sends(hi{how: keyID("https://good.test/" + strings.Repeat("x", 2048))}), 401, nothing, 0),
		try("B36 keyId that is no URL", sends(hi{how: keyID("alice")}), 401, nothing, 0),
		try("B36 keyId acct:", sends(hi{how: keyID("acct:alice@good.test")}), 401, nothing, 0),
		try("B36 no keyId", sends(hi{after: signature(`keyId=`, `keyIdea=`)}), 401, nothing, 0),
		try("B36 keyId with a user", sends(hi{how: keyID("https://blog.test@good.test/users/alice#main-key")}), 401, nothing, 0),
		try("B36 keyId with a line break", sends(hi{how: keyID("https://good.test/%0d%0aHost:x")}), 401, nothing, 0),
		try("B38 keyId file:", sends(hi{how: keyID("file:///etc/passwd")}), 401, nothing, 0),
		try("B38 keyId ftp:", sends(hi{how: keyID("ftp://good.test/key")}), 401, nothing, 0),
		try("B38 keyId data:", sends(hi{how: keyID("data:application/activity+json,x")}), 401, nothing, 0),
		try("B38 keyId at another port", sends(hi{how: keyID("https://good.test:8443/users/alice#main-key")}), 401, nothing, 0),
		try("B39 keyId http:", sends(hi{how: keyID("http://good.test/users/alice#main-key")}), 401, nothing, 0),
		try("B40 keyId of the blog itself", sends(hi{how: keyID(blogActor + "#main-key")}), 401, nothing, 0),
		try("B40 keyId of the blog in capitals", sends(hi{how: keyID("https://BLOG.test:443/actor#main-key")}), 401, nothing, 0),
		try("B40 keyId of the blog with a dot", sends(hi{how: keyID("https://blog.test./actor#main-key")}), 401, nothing, 0),
		try("B66 the target of a GET", sends(hi{how: func(how *signing) { how.method = "get" }}), 401, nothing, 1),
		try("B65 signed for another path", sends(hi{how: func(how *signing) { how.target = "/users/blog/inbox" }}), 401, nothing, 1),
		try("B65 signed for another host", sends(hi{how: func(how *signing) { how.host = "other.test" }}), 401, nothing, 1),
		try("B67 a signature of a GET", sends(hi{how: func(how *signing) {
			how.headers, how.method, how.target = "(request-target) host date", "get", "/actor"
		}}), 401, nothing, 0),
		try("B68 the same message again", hi{}.send, 202, nothing, 0).given(says(hi{}.send)).shows("alice: hello"),
		try("B68 the same message an hour and a half later", func(s *site) []byte {
			message := hi{}.send(s)
			s.clock.advance(90 * time.Minute)
			return message
		}, 401, "settings", 0), // which have when the server was last seen alive
		try("B70 blocked, with a signature that is none", func(s *site) []byte { return hi{after: signature(`signature="`, `signature="AA`)}.send(s) }, 202, nothing, 0).given(blocked("good.test")),
		try("B69 keyed by a host below a blocked one", func(s *site) []byte {
			return hi{how: keyID("https://a.b.evil.test/users/m#main-key")}.send(s)
		}, 202, nothing, 0).given(blocked("evil.test")),
		try("B69 from a host below a blocked one", func(s *site) []byte {
			m := s.account("https://a.b.evil.test/users/m", 3)
			return m.send(m.create("hello"))
		}, 202, nothing, 0).given(blocked("evil.test")),
		try("B69 from a host that only ends like a blocked one", func(s *site) []byte {
			m := s.account("https://notevil.test/users/m", 3)
			return m.send(m.create("hello"))
		}, 202, entered, 1).given(blocked("evil.test")).shows("m: hello"),
	)
	for _, host := range []string{"127.0.0.1", "127.1", "2130706433", "0x7f.1", "0", "localhost", "a.localhost", "[::1]", "[::ffff:10.0.0.1]", "10.0.0.1", "192.168.1.1",
		"172.16.0.1", "169.254.169.254", "100.64.0.1", "[fe80::1]", "[fc00::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::127.0.0.1]", "0.0.0.0", "224.0.0.1", "255.255.255.255",
		"198.18.0.1", "intranet", "good.test:22", "good.test:8080"} {
		try("B37 keyId at "+strings.ReplaceAll(host, ".", "·"), sends(hi{how: keyID("https://" + host + "/key#main-key")}), 401, nothing, 0).run(t)
	}
}

func manyParameters(n int) (s string) {
	for i := range n {
		s += fmt.Sprintf(`p%d="x",`, i)
	}
	return s
}

func manyHeaders(n int) (s string) {
	for i := range n {
		s += fmt.Sprintf(" x-%d", i)
	}
	return s
}

func digested(digest func([]byte) string) func(wire) wire {
	return func(q wire) wire { return q.set("Digest", digest(q.body)) }
}

func blocked(target string) func(*site) {
	return func(s *site) {
		if _, _, err := s.db.Block(s.ctx, target); err != nil {
			s.Fatal(err)
		}
	}
}

// TestCorpusB41_Keys: what the documents of keys and of their owners may say.
func TestCorpusB41_Keys(t *testing.T) {
	mallorys := func(s *site) []byte { return s.mallory.send(s.mallory.create("hello")) }
	// keyed is mallory's message when its key's document has these members beside a key's own.
	keyed := func(members func(*site) object) func(*site) []byte {
		return func(s *site) []byte {
			s.document("https://evil.test/key", but(object{"id": "https://evil.test/key", "type": "Key", "owner": s.mallory.id,
				"publicKeyPem": s.mallory.publicKey()["publicKeyPem"]}, members(s)))
			s.mallory.keyID = "https://evil.test/key"
			return mallorys(s)
		}
	}
	// profiled is mallory's message when its account's document has other members.
	profiled := func(members func(*site) object) func(*site) []byte {
		return func(s *site) []byte { s.mallory.with(members(s)); return mallorys(s) }
	}
	fixed := func(members object) func(*site) object { return func(*site) object { return members } }
	play(t,
		try("B41 the key's owner is on another server", keyed(func(s *site) object { return object{"owner": s.victim.id} }), 401, nothing, 1),
		try("B41 the account calls itself otherwise", profiled(func(s *site) object { return object{"id": s.victim.id} }), 401, nothing, 2),
		try("B41 the key is listed as somebody else's", profiled(func(s *site) object {
			return object{"publicKey": but(s.mallory.publicKey(), object{"owner": s.victim.id})}
		}), 401, nothing, 1),
		try("B41 a file on a victim's server that calls itself the victim's account", func(s *site) []byte {
			forger := &account{s, s.victim.id, "https://victim.test/uploads/1.json#main-key", keyNumber(3)}
			s.document("https://victim.test/uploads/1.json", forger.profile())
			return forger.send(forger.create("hello"))
		}, 401, nothing, 2),
		try("B42 publicKey in a list of one", profiled(func(s *site) object { return object{"publicKey": []any{s.mallory.publicKey()}} }), 202, entered, 1).shows("mallory: hello"),
		try("B43 publicKey in a list, the second", profiled(func(s *site) object {
			return object{"publicKey": []any{but(s.victim.publicKey(), object{"id": s.mallory.id + "#old", "owner": s.mallory.id}), s.mallory.publicKey()}}
		}), 202, entered, 1).shows("mallory: hello"),
		try("B43 publicKey after sixteen others", profiled(func(s *site) object {
			var keys []any
			for n := range 16 {
				keys = append(keys, object{"id": fmt.Sprint(s.mallory.id, "#", n), "owner": s.mallory.id, "publicKeyPem": "x"})
			}
			return object{"publicKey": append(keys, s.mallory.publicKey())}
		}), 401, nothing, 1),
		try("B44 a document of the key alone, listed by its owner", func(s *site) []byte {
			message := keyed(fixed(nil))(s)
			s.mallory.with(nil)
			return message
		}, 202, entered, 2).shows("mallory: hello"),
		try("B45 a document of the key alone, not listed by its owner", func(s *site) []byte {
			s.mallory.with(nil)
			listed := s.mallory.publicKey()
			message := keyed(fixed(nil))(s)
			s.mallory.with(object{"publicKey": listed})
			return message
		}, 401, nothing, 2),
		try("B46 the account lists no key", profiled(fixed(object{"publicKey": nil})), 401, nothing, 1),
		try("B46 the account's key is another", profiled(func(s *site) object {
			return object{"publicKey": but(s.victim.publicKey(), object{"id": s.mallory.keyID, "owner": s.mallory.id})}
		}), 401, nothing, 1),
		try("B47 the actor is another account of the server", func(s *site) []byte { return s.bob.send(s.alice.create("hello")) }, 202, ledger, 1),
		try("B48 the actor is an account elsewhere", func(s *site) []byte { return s.mallory.send(s.victim.create("hello")) }, 202, hinted, 3),
		try("B49 two actors", func(s *site) []byte {
			return s.mallory.send(but(s.mallory.create("hello"), object{"actor": []any{s.mallory.id, s.victim.id}}))
		}, 400, nothing, 0),
		try("B49 an actor without id", func(s *site) []byte {
			return s.mallory.send(but(s.mallory.create("hello"), object{"actor": object{"type": "Person"}}))
		}, 400, nothing, 0),
		try("B49 an actor that is an object", func(s *site) []byte {
			return s.mallory.send(but(s.mallory.create("hello"), object{"actor": object{"type": "Person", "id": s.mallory.id}}))
		}, 202, entered, 1).shows("mallory: hello"),
		try("B50 no actor", func(s *site) []byte { return s.mallory.send(but(s.mallory.create("hello"), object{"actor": nil})) }, 400, nothing, 0),
		try("B53 a PEM of 5 MB", profiled(pemOf(func(*site) string { return strings.Repeat("A", 5<<20) })), 401, nothing, 1),
		try("B53 a PEM of 20 KB", profiled(pemOf(func(*site) string { return strings.Repeat("A", 20<<10) })), 401, nothing, 1),
		try("B53 a private key", profiled(pemOf(func(*site) string {
			text, _ := sign.MarshalPrivateKey(keyNumber(3))
			return text
		})), 401, nothing, 1),
		try("B53 a certificate", profiled(pemOf(func(s *site) string { return renamed(s, "CERTIFICATE") })), 401, nothing, 1),
		try("B53 two PEM blocks", profiled(pemOf(func(s *site) string { return renamed(s, "PUBLIC KEY") + renamed(s, "PUBLIC KEY") })), 401, nothing, 1),
		try("B53 text before the PEM", profiled(pemOf(func(s *site) string { return "hello\n" + renamed(s, "PUBLIC KEY") })), 401, nothing, 1),
		try("B53 a PEM within a PEM", profiled(pemOf(func(s *site) string { return nested(100) })), 401, nothing, 1),
		try("B54 a PEM with CRLF", profiled(pemOf(func(s *site) string { return strings.ReplaceAll(renamed(s, "PUBLIC KEY"), "\n", "\r\n") })), 202, entered, 1).shows("mallory: hello"),
		try("B54 a PEM that is a number", profiled(func(s *site) object {
			return object{"publicKey": but(s.mallory.publicKey(), object{"publicKeyPem": 7})}
		}), 401, nothing, 1),
		try("B55 an EC key of P-224", profiled(pemOf(func(s *site) string { return ecKey(elliptic.P224()) })), 401, nothing, 1),
		try("B55 an EC key of P-256", profiled(pemOf(func(s *site) string { return ecKey(elliptic.P256()) })), 401, nothing, 1),
		try("B55 a DSA key", profiled(pemOf(func(*site) string { return dsaKey() })), 401, nothing, 1),
		try("B51 RSA of 16384 bits", profiled(pemOf(func(*site) string { return rsaPEM(16384, 65537) })), 401, nothing, 1),
		try("B52 RSA of 1024 bits", profiled(pemOf(func(*site) string { return rsaPEM(1024, 65537) })), 401, nothing, 1),
		try("B52 RSA with e = 1", profiled(pemOf(func(*site) string { return rsaPEM(2048, 1) })), 401, nothing, 1),
		try("B52 RSA with e = 3", profiled(pemOf(func(*site) string { return rsaPEM(2048, 3) })), 401, nothing, 1),
		try("B56 an Ed25519 key", func(s *site) []byte {
			s.mallory.key = edKey
			s.mallory.with(nil)
			return hi{how: algorithm("hs2019")}.from(s.mallory, s.mallory.create("hello"))
		}, 202, entered, 1).shows("mallory: hello"),
		try("B57 a rotated key", rotated, 202, "checks comments keys posts received", 1).given(says(mallorys)).shows("mallory: again; mallory: hello"),
		try("B58 a bad signature over a key that is known", func(s *site) []byte {
			return hi{after: signature(`signature="`, `signature="AAAA`)}.from(s.mallory, s.mallory.create("again"))
		}, 401, nothing, 1).given(says(mallorys)).shows("mallory: hello"),
		try("B71 the account has become a Note", profiled(fixed(object{"type": "Note"})), 401, nothing, 2),
		try("B71 the account has become a Tombstone", profiled(fixed(object{"type": "Tombstone"})), 401, nothing, 2),
		try("B71 the account is a Service", profiled(fixed(object{"type": "Service"})), 202, entered, 1).shows("mallory: hello"),
		try("B72 the account has no inbox", profiled(fixed(object{"inbox": nil})), 202, entered, 2).shows("mallory: hello"),
		try("B73 a victim's LD signature", func(s *site) []byte {
			return s.mallory.send(but(s.victim.create("hello"), object{"signature": object{"type": "RsaSignature2017", "creator": s.victim.keyID, "signatureValue": "AAAA"}}))
		}, 202, hinted, 3),
		try("B74 an LD signature beside one's own", func(s *site) []byte {
			return s.mallory.send(but(s.mallory.create("hello"), object{"signature": object{"type": "RsaSignature2017", "creator": s.victim.keyID, "signatureValue": "AAAA"}}))
		}, 202, entered, 1).shows("mallory: hello"),
		try("B63 the key's host in capitals", func(s *site) []byte {
			return hi{how: keyID("HTTPS://EVIL.test/users/mallory#main-key")}.from(s.mallory, s.mallory.create("hello"))
		}, 202, entered, 1).shows("mallory: hello"),
		try("B64 everything with the host in capitals", func(s *site) []byte {
			message := strings.ReplaceAll(string(jsonOf(s.mallory.create("hello"))), "https://evil.test", "https://Evil.Test")
			return hi{how: keyID("https://Evil.Test/users/mallory#main-key")}.from(s.mallory, message)
		}, 202, entered, 1).shows("mallory: hello").expect(func(s *site) {
			if all, err := s.db.Thread(s.ctx, marchNote); err != nil || len(all) != 1 || string(all[0].Author.ID) != s.mallory.id {
				s.Errorf("%+v %v", all, err)
			}
		}),
	)
}

// pemOf is an account with this text for a key.
func pemOf(text func(*site) string) func(*site) object {
	return func(s *site) object {
		return object{"publicKey": but(s.mallory.publicKey(), object{"publicKeyPem": text(s)})}
	}
}

// renamed is mallory's key in a PEM block of another name.
func renamed(s *site, name string) string {
	return strings.ReplaceAll(s.mallory.publicKey()["publicKeyPem"].(string), "PUBLIC KEY", name)
}

func nested(depth int) string {
	text := "AAAA"
	for range depth {
		text = "-----BEGIN PUBLIC KEY-----\n" + text + "\n-----END PUBLIC KEY-----\n"
	}
	return text
}

var edKey = ed25519.NewKeyFromSeed([]byte("a seed that anybody may know, 32"))

func ecKey(curve elliptic.Curve) string {
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		panic(err)
	}
	return spki(asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}, []byte{0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x21}, key.X.Bytes())
}

func dsaKey() string {
	params, _ := asn1.Marshal(struct{ P, Q, G *big.Int }{big.NewInt(7879), big.NewInt(101), big.NewInt(170)})
	y, _ := asn1.Marshal(big.NewInt(4567))
	return spki(asn1.ObjectIdentifier{1, 2, 840, 10040, 4, 1}, params, y)
}

// rsaPEM is a public key of this size; nobody has the private one.
func rsaPEM(bits, e int) string {
	n := new(big.Int).Lsh(big.NewInt(3), uint(bits-2))
	key, _ := asn1.Marshal(struct {
		N *big.Int
		E int
	}{n.Add(n, big.NewInt(1)), e})
	return spki(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}, []byte{5, 0}, key)
}

func spki(algorithm asn1.ObjectIdentifier, parameters, key []byte) string {
	type identifier struct {
		Algorithm  asn1.ObjectIdentifier
		Parameters asn1.RawValue
	}
	der, err := asn1.Marshal(struct {
		A identifier
		K asn1.BitString
	}{identifier{algorithm, asn1.RawValue{FullBytes: parameters}}, asn1.BitString{Bytes: key, BitLength: 8 * len(key)}})
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func rotated(s *site) []byte {
	s.mallory.key = keyNumber(5)
	s.mallory.with(nil)
	return s.mallory.send(s.mallory.create("again"))
}

// TestCorpusB59_KeyHosts: what the server of a key may do.
func TestCorpusB59_KeyHosts(t *testing.T) {
	answering := func(h http.HandlerFunc) func(*site) []byte {
		return func(s *site) []byte { s.serve(s.mallory.id, h); return s.mallory.send(s.mallory.create("hello")) }
	}
	gone := sending(http.StatusGone, "X-None", "", nil)
	redirect := func(to string) http.HandlerFunc { return sending(http.StatusFound, "Location", to, nil) }
	known := says(func(s *site) []byte { return s.mallory.send(s.mallory.create("hello")) })
	play(t,
		try("B59 404", answering(http.NotFound), 401, nothing, 1),
		try("B59 410", answering(gone), 401, nothing, 1),
		try("B59 410 for an account that deletes itself", func(s *site) []byte {
			s.serve(s.mallory.id, gone)
			s.mallory.keyID += "-new" // none that is known
			return s.mallory.send(s.mallory.does("Delete", s.mallory.id))
		}, 202, "actors checks comments keys origins posts received", 3).given(known),
		try("B59 410 of another server, for an account that deletes itself", func(s *site) []byte {
			s.serve("https://elsewhere.test/key", gone)
			s.mallory.keyID = "https://elsewhere.test/key"
			return s.mallory.send(s.mallory.does("Delete", s.mallory.id))
		}, 401, nothing, 1).given(known).shows("mallory: hello"),
		try("B59 401", answering(sending(http.StatusUnauthorized, "X-None", "", nil)), 401, nothing, 3),
		try("B59 500", answering(sending(http.StatusInternalServerError, "X-None", "", nil)), 503, nothing, 1),
		try("B59 503", answering(sending(http.StatusServiceUnavailable, "Retry-After", "60", nil)), 503, nothing, 1),
		try("B59 429", answering(sending(http.StatusTooManyRequests, "Retry-After", "60", nil)), 503, nothing, 1),
		try("B59 unknown to DNS", func(s *site) []byte {
			s.network.Serve("evil.test", nil)
			return s.mallory.send(s.mallory.create("hello"))
		}, 503, nothing, 1),
		try("B60 204", answering(sending(http.StatusNoContent, "X-None", "", nil)), 401, nothing, 1),
		try("B60 text/html", answering(sending(http.StatusOK, "Content-Type", "text/html", "<p>hello")), 401, nothing, 1),
		try("B60 application/json, an uploaded file", func(s *site) []byte {
			return answering(sending(http.StatusOK, "Content-Type", "application/json", s.mallory.profile()))(s)
		}, 401, nothing, 1),
		try("B60 no JSON", answering(sending(http.StatusOK, "Content-Type", activities, "{")), 401, nothing, 1),
		try("B60 a list", answering(sending(http.StatusOK, "Content-Type", activities, "[]")), 401, nothing, 1),
		try("B60 300 KiB", answering(sending(http.StatusOK, "Content-Type", activities, strings.Repeat(" ", 300<<10))), 401, nothing, 1),
		try("B61 a redirect to http", answering(redirect("http://evil.test/elsewhere")), 401, nothing, 1),
		try("B61 a redirect to a loopback address", answering(redirect("https://127.0.0.1/key")), 401, nothing, 1),
		try("B61 a redirect without scheme to a loopback address", answering(redirect("//127.0.0.1/key")), 401, nothing, 1),
		try("B61 a redirect to a private name", answering(redirect("https://localhost/key")), 401, nothing, 1),
		try("B61 a redirect to file:", answering(redirect("file:///etc/passwd")), 401, nothing, 1),
		try("B61 a redirect with a line break", answering(redirect("https://evil.test/%0d%0aX:y")), 401, nothing, 1),
		try("B61 a redirect to itself", func(s *site) []byte { return answering(redirect(s.mallory.id))(s) }, 401, nothing, 3),
		try("B61 ten redirects", func(s *site) []byte {
			for n := range 10 {
				s.serve(fmt.Sprintf("https://evil.test/%d", n), redirect(fmt.Sprintf("https://evil.test/%d", n+1)))
			}
			return answering(redirect("https://evil.test/0"))(s)
		}, 401, nothing, 3),
		try("B61 a redirect to another's document", func(s *site) []byte { return answering(redirect(s.victim.id))(s) }, 401, nothing, 2),
		try("B62 a redirect on the same server", func(s *site) []byte {
			s.document("https://evil.test/moved", s.mallory.profile())
			return answering(redirect("/moved"))(s)
		}, 202, entered, 2).shows("mallory: hello"),
	)
}

// rfc9421 signs a request after RFC 9421.
func (a *account) rfc9421(q wire, components, parameters string) wire {
	q = q.set("Content-Digest", "sha-256=:"+strings.TrimPrefix(q.get("Digest"), "SHA-256=")+":").set("Digest", "")
	parts := strings.Fields(q.line)
	var text []string
	for name := range strings.FieldsSeq(components) {
		value := q.get(strings.Trim(name, `"`))
		switch name {
		case `"@method"`:
			value = parts[0]
		case `"@path"`:
			value = parts[1]
		case `"@authority"`:
			value = q.get("Host")
		case `"@target-uri"`:
			value = "https://" + q.get("Host") + parts[1]
		}
		text = append(text, name+": "+value)
	}
	input := "(" + components + ")" + parameters
	text = append(text, `"@signature-params": `+input)
	return q.set("Signature-Input", "sig1="+input).set("Signature", "sig1=:"+a.signature(a.key, strings.Join(text, "\n"))+":")
}

func TestCorpusB_RFC9421(t *testing.T) {
	const all = `"@method" "@target-uri" "content-digest"`
	now := fmt.Sprintf(`;created=%d;keyid="https://good.test/users/alice#main-key"`, noon.Unix())
	sends := func(components, parameters string, edits ...func(wire) wire) func(*site) []byte {
		return func(s *site) []byte {
			return and(edits...)(s.alice.rfc9421(s.posted(s.alice.create("hello")), components, parameters)).bytes()
		}
	}
	play(t,
		try("B75 all of it", sends(all, now), 202, entered, 1).shows("alice: hello"),
		try("B75 path and authority", sends(`"@method" "@path" "@authority" "content-digest"`, now+`;alg="rsa-v1_5-sha256"`), 202, entered, 1).shows("alice: hello"),
		try("B76 the method is not signed", sends(`"@target-uri" "content-digest"`, now), 401, nothing, 0),
		try("B76 the target is not signed", sends(`"@method" "content-digest"`, now), 401, nothing, 0),
		try("B76 the authority is not signed", sends(`"@method" "@path" "content-digest"`, now), 401, nothing, 0),
		try("B76 the digest is not signed", sends(`"@method" "@target-uri"`, now), 401, nothing, 0),
		try("B77 not created", sends(all, `;keyid="https://good.test/users/alice#main-key"`), 401, nothing, 0),
		try("B77 created too early", sends(all, fmt.Sprintf(`;created=%d;keyid="https://good.test/users/alice#main-key"`, noon.Unix()-4000)), 401, nothing, 0),
		try("B77 expired", sends(all, now+fmt.Sprintf(`;expires=%d`, noon.Unix()-1)), 401, nothing, 0),
		try("B78 keyid twice", sends(all, now+`;keyid="https://evil.test/users/mallory#main-key"`), 401, nothing, 0),
		try("B78 two signatures", sends(all, now, changing("Signature-Input", func(v string) string { return v + `, sig2=()` })), 401, nothing, 0),
		try("B78 two Signature-Inputs", sends(all, now, further(`Signature-Input: sig2=()`)), 401, nothing, 0),
		try("B78 another label", sends(all, now, changing("Signature", func(v string) string { return strings.Replace(v, "sig1", "sig2", 1) })), 401, nothing, 0),
		try("B78 a component twice", sends(all+` "@method"`, now), 401, nothing, 0),
		try("B79 the body changed", sends(all, now, func(q wire) wire { q.body = []byte(strings.Replace(string(q.body), "hello", "HELLO", 1)); return q }), 401, nothing, 0),
		try("B79 no Signature", sends(all, now, header("Signature", "")), 401, nothing, 0),
		try("B79 not a dictionary", sends(all, now, header("Signature-Input", "((")), 400, nothing, 0),
		try("B79 another algorithm", sends(all, now+`;alg="hmac-sha256"`), 401, nothing, 0),
		try("B79 rsa-pss", sends(all, now+`;alg="rsa-pss-sha512"`), 401, nothing, 0),
		try("B79 signed for another host", sends(all, now, header("Host", "other.test")), 401, nothing, 0),
		try("B79 a parameter changed", sends(all, now, changing("Signature-Input", func(v string) string { return strings.Replace(v, "created=1", "created=2", 1) })), 401, nothing, 0),
	)
}

// TestP10_ForgedKeyIDs: ten thousand forged signatures that name keys of one server cause it at most twenty requests, and
// keys of ever other servers leave little behind.
func TestP10_ForgedKeyIDs(t *testing.T) {
	s := newSite(t)
	var at atomic.Int64
	s.network.Serve("victim.test", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at.Add(1)
		sending(http.StatusOK, "Content-Type", activities, s.victim.profile())(w, r)
	}))
	before := s.rows()
	forged := hi{how: keyID("https://victim.test/users/N#main-key")}.from(s.mallory, s.mallory.create("hello"))
	for n := range 10_000 {
		r := s.direct(bytes.Replace(forged, []byte("users/N#"), fmt.Appendf(nil, "users/%d#", n), 1))
		if r != http.StatusUnauthorized && r != http.StatusServiceUnavailable && r != http.StatusTooManyRequests {
			t.Fatalf("answered %d", r)
		}
		s.clock.advance(time.Millisecond)
	}
	if n := at.Load(); n == 0 || n > 20 {
		t.Errorf("%d requests to the victim", n)
	}
	if got := s.changedSince(before); got != "" {
		t.Errorf("changes %s", got)
	}
}
