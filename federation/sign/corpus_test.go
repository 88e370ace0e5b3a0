package sign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"afterword/thread"
)

const accepted Kind = 0

// TestCorpusB is group B of the adversarial corpus (SECURITY section 3) as far as it is decided here. want 0 means
// accepted; asks is how often the key was asked for: 0 where the corpus says F=0 or ∅.
func TestCorpusB(t *testing.T) {
	a, q := byAlice(), post()
	digest512 := "SHA-512=" + strings.Repeat("A", 86) + "=="
	body := []byte(q.body)
	sum := Digest(body)
	unix := func(d time.Duration) string { return fmt.Sprint(now.Add(d).Unix()) }
	created := a.as("hs2019").over("(request-target) host (created) digest")
	bothTimes := a.as("hs2019").over("(request-target) host (created) (expires) date digest")
	withSignature := func(value string) request { return q.and(`Signature: keyId="` + aliceKey + `",` + value) }
	signed := a.sign(q)
	header := signed.value("Signature")

	for _, c := range []struct {
		name string
		q    request
		want Kind
		asks int
	}{
		{"B00 the honest request", signed, accepted, 1},
		{"B1 no Signature", q, Refused, 0},
		{"B2 empty Signature", q.and("Signature: "), Refused, 0},
		{"B2 garbage Signature", q.and("Signature: hello"), Malformed, 0},
		{"B2 open quote", q.and(`Signature: keyId="https://good.test/`), Malformed, 0},
		{"B2 text after a parameter", withSignature(`algorithm="hs2019" x,signature="AAAA"`), Malformed, 0},
		{"B2 quoted pair", withSignature(`x="\"",signature="AAAA"`), Malformed, 0},
		{"B2 comma at the end", q.and("Signature: " + header + ","), Malformed, 0},
		{"B3 body changed, Digest kept", signed.withBody(q.body + " "), Refused, 0},
		{"B4 body and Digest changed, signature kept", signed.withBody("{}").with("Digest", Digest([]byte("{}"))), Refused, 1},
		{"B5 no Digest", a.over("(request-target) host date").sign(q.with("Digest", "")), Refused, 0},
		{"B5 no Digest, but signed", signed.with("Digest", ""), Refused, 0},
		{"B6 Digest of another body", a.sign(q.with("Digest", Digest(nil))), Refused, 0},
		{"B7 digest not signed", a.over("(request-target) host date").sign(q), Refused, 0},
		{"B8 host not signed", a.over("(request-target) date digest").sign(q), Refused, 0},
		{"B9 (request-target) not signed", a.over("host date digest").sign(q), Refused, 0},
		{"B10 date not signed", a.over("(request-target) host digest").sign(q), Refused, 0},
		{"B10 only date signed", a.over("date").sign(q), Refused, 0},
		{"B10 no headers parameter", a.over("").sign(q), Refused, 0},
		{"B11 Date 20 years old", a.sign(q.at(now.AddDate(-20, 0, 0))), Refused, 0},
		{"B12 Date is no date", a.sign(q.with("Date", "yesterday")), Refused, 0},
		{"B12 no Date", a.sign(q.with("Date", "")), Refused, 0},
		{"B12 unsigned stale Date", created.times(unix(0), "").sign(q.at(now.AddDate(-1, 0, 0))), Refused, 0},
		{"B12 two unsigned Dates", created.times(unix(0), "").sign(q).and("Date: " + q.value("Date")), Refused, 0},
		{"B13 Date -66 min", a.sign(q.at(now.Add(-66 * time.Minute))), Refused, 0},
		{"B13 Date -60 min", a.sign(q.at(now.Add(-60 * time.Minute))), accepted, 1},
		{"B14 Date +61 min", a.sign(q.at(now.Add(61 * time.Minute))), Refused, 0},
		{"B14 Date +60 min", a.sign(q.at(now.Add(60 * time.Minute))), accepted, 1},
		{"B15 expires in the past", bothTimes.times(unix(-time.Hour), unix(-time.Minute)).sign(q), Refused, 0},
		{"B15 expires in the past, not signed", a.times("", unix(-time.Minute)).sign(q), Refused, 0},
		{"B15 expires is 0", a.times("", "0").sign(q), Refused, 0},
		{"B16 created in the future", created.times(unix(61*time.Minute), "").sign(q), Refused, 0},
		{"B16 created 66 min ago", created.times(unix(-66*time.Minute), "").sign(q), Refused, 0},
		{"B16 fresh Date, old created", bothTimes.times(unix(-2*time.Hour), unix(time.Hour)).sign(q), Refused, 0},
		{"B16 created and expires are good", bothTimes.times(unix(-time.Minute), unix(time.Minute)).sign(q), accepted, 1},
		{"B16 created is quoted", created.times(`"`+unix(0)+`"`, "").sign(q), accepted, 1},
		{"B17 expires before created", bothTimes.times(unix(10*time.Minute), unix(5*time.Minute)).sign(q), Refused, 0},
		{"B18 created is no number", created.times("soon", "").sign(q), Refused, 0},
		{"B18 created with sign", created.times("+"+unix(0), "").sign(q), Refused, 0},
		{"B18 (created) not given", created.sign(q), Refused, 0},
		{"B18 (created) with rsa-sha256", created.as("rsa-sha256").times(unix(0), "").sign(q), Refused, 0},
		{"B18 (created) without algorithm", created.as("").times(unix(0), "").sign(q), accepted, 1},
		{"B19 duplicate keyId, evil first", q.and(`Signature: keyId="` + malloryKey + `",` + header), Refused, 0},
		{"B19 duplicate keyId, victim first", q.and(`Signature: ` + header + `,keyId="` + malloryKey + `"`), Refused, 0},
		{"B19 duplicate keyId in other case", q.and(`Signature: ` + header + `,KEYID="` + malloryKey + `"`), Refused, 0},
		{"B19 duplicate signature", q.and("Signature: " + header + `,signature="AAAA"`), Refused, 0},
		{"B19 duplicate headers", q.and("Signature: " + header + `,headers="date"`), Refused, 0},
		{"B19 duplicate unknown parameter", q.and("Signature: " + header + `,x="1",x="1"`), Refused, 0},
		{"B19 unknown parameter", q.and("Signature: " + header + `,x="1",y=2`), accepted, 1},
		{"B19 keyId inside another value", q.and(`Signature: x="a,keyId=b",` + header), accepted, 1},
		{"B20 two Signature lines", signed.and("Signature: " + header), Refused, 0},
		{"B20 17 parameters", q.and("Signature: " + header + manyParameters(17)), Refused, 0},
		{"B21 header listed twice", a.over("(request-target) host date digest date").sign(q), Refused, 0},
		{"B21 header listed twice in other case", a.over("(request-target) host date digest Date").sign(q), Refused, 0},
		{"B22 two Date lines", signed.and("Date: " + now.Format(time.RFC1123)), Refused, 0},
		{"B22 two Digest lines", signed.and("Digest: " + sum), Refused, 0},
		{"B22 two lines of another signed header", signed.and("Content-Type: text/plain"), Refused, 0},
		{"B22 signed header missing", a.over("(request-target) host date digest x-none").sign(q), Refused, 0},
		{"B22 33 signed headers", manyHeaders(a, q, 33), Refused, 0},
		{"B22 32 signed headers", manyHeaders(a, q, 32), accepted, 1},
		{"B23 Signature and Authorization: Signature", signed.and("Authorization: Signature " + header), Refused, 0},
		{"B24 Authorization: Signature alone", q.and("Authorization: signature " + header), Refused, 0},
		{"B24 Authorization of another kind", signed.and("Authorization: Bearer x"), accepted, 1},
		{"B25 SHA-512 only", a.sign(q.with("Digest", digest512)), Refused, 0},
		{"B26 two SHA-256", a.sign(q.with("Digest", sum+","+Digest(nil))), Refused, 0},
		{"B26 two equal SHA-256", a.sign(q.with("Digest", sum+", sha-256"+sum[7:])), Refused, 0},
		{"B26 SHA-512 and SHA-256", a.sign(q.with("Digest", digest512+", "+sum)), accepted, 1},
		{"B27 hex", a.sign(q.with("Digest", "SHA-256="+hex.EncodeToString(make([]byte, 32)))), Refused, 0},
		{"B27 31 bytes", a.sign(q.with("Digest", sum[:len(sum)-4])), Refused, 0},
		{"B27 no padding", a.sign(q.with("Digest", strings.TrimSuffix(sum, "="))), Refused, 0},
		{"B27 empty", a.sign(q.with("Digest", "SHA-256=")), Refused, 0},
		{"B28 sha-256= in lower case", a.sign(q.with("Digest", "sha-256"+sum[7:])), accepted, 1},
		{"B29 empty body, right digest: 400 is the caller's", a.sign(q.withBody("").with("Digest", Digest(nil))), accepted, 1},
		{"B30 no algorithm", a.as("").sign(q), accepted, 1},
		{"B31 hs2019 with RSA", a.as("hs2019").sign(q), accepted, 1},
		{"B31 hs2019 with Ed25519", a.as("hs2019").with(carolPrivate).named(carolKey).sign(q), accepted, 1},
		{"B31 no algorithm with Ed25519", a.as("").with(carolPrivate).named(carolKey).sign(q), accepted, 1},
		{"B32 rsa-sha256 with an Ed25519 key", a.with(carolPrivate).named(carolKey).sign(q), Refused, 1},
		{"B32 none", a.as("none").sign(q), Refused, 0},
		{"B32 hmac-sha256", a.as("hmac-sha256").sign(q), Refused, 0},
		{"B32 rsa-sha1", a.as("rsa-sha1").sign(q), Refused, 0},
		{"B32 rsa-sha512", a.as("rsa-sha512").sign(q), Refused, 0},
		{"B32 name of the other scheme", a.as("rsa-v1_5-sha256").sign(q), Refused, 0},
		{"B33 signature of 0 bytes", withSignature(`headers="(request-target) host date digest",signature=""`), Refused, 0},
		{"B33 no signature", withSignature(`headers="(request-target) host date digest"`), Refused, 0},
		{"B33 signature of 1 MB", withSignature(`signature="` + strings.Repeat("A", 1<<20) + `"`), Refused, 0},
		{"B33 signature of 513 bytes", withSignature(`signature="` + strings.Repeat("A", 684+4) + `"`), Refused, 0},
		{"B33 signature of 3 bytes", withSignature(`headers="(request-target) host date digest",signature="AAAA"`), Refused, 1},
		{"B33 signature of 512 bytes", withSignature(`headers="(request-target) host date digest",signature="` + strings.Repeat("A", 683) + `="`), Refused, 1},
		{"B34 base64url", q.and("Signature: " + strings.NewReplacer("+", "-", "/", "_").Replace(header)), Refused, 0},
		{"B34 no padding", q.and("Signature: " + strings.Replace(header, "==", "", 1)), Refused, 0},
		{"B34 bits after the end", q.and("Signature: " + changeLastBits(header)), Refused, 0},
		{"B34 space inside", q.and("Signature: " + strings.Replace(header, `signature="`, `signature=" `, 1)), Refused, 0},
		{"B35 keyId of 2,049 bytes", a.named("https://good.test/" + strings.Repeat("x", 2049-18)).sign(q), Refused, 0},
		{"B35 keyId of 2,048 bytes", a.named("https://good.test/" + strings.Repeat("x", 2048-18)).sign(q), Refused, 1},
		{"B36 no keyId", q.and("Signature: " + strings.Replace(header, "keyId", "keyID2", 1)), Refused, 0},
		{"B36 empty keyId", a.named("").sign(q), Refused, 0},
		{"B36 keyId acct:", a.named("acct:alice@good.test").sign(q), Refused, 0},
		{"B36 keyId relative", a.named("/users/alice#main-key").sign(q), Refused, 0},
		{"B38 keyId with user name", a.named("https://blog.test@evil.test/key").sign(q), Refused, 0},
		{"B38 keyId with line break", a.named("https://good.test/%0d%0ax").sign(q), Refused, 0},
		{"B38 keyId file:", a.named("file:///etc/passwd").sign(q), Refused, 0},
		{"B40 unknown key", a.named("https://good.test/users/nobody#main-key").sign(q), Refused, 1},
		{"B42 mallory signs in alice's name", a.with(malloryPrivate).sign(q), Refused, 1},
		{"B44 alice's signature under mallory's key", q.and("Signature: " + strings.Replace(header, aliceKey, malloryKey, 1)), Refused, 1},
		{"B63 keyId with upper-case host", a.named("HTTPS://Good.Test/users/alice#main-key").sign(q), accepted, 1},
		{"B65 replay to another inbox of ours", retargeted(signed, "POST", "/users/blog/inbox"), Refused, 1},
		{"B66 replay of a request to another server", a.sign(q.with("Host", "other.test")).with("Host", "blog.test"), Refused, 1},
		{"B66 request to another server", a.sign(q.with("Host", "other.test")), Refused, 0},
		{"B66 Host with default port", a.sign(q.with("Host", "BLOG.test:443")), accepted, 1},
		{"B66 Host with another port", a.sign(q.with("Host", "blog.test:8443")), Refused, 0},
		{"B67 replay of a GET as POST", replayedGet(a), Refused, 0},
		{"B67 replay of a GET with digest as POST", retargeted(a.sign(retargeted(q, "GET", "/inbox")), "POST", "/inbox"), Refused, 1},
		{"B68 replay of a POST as GET", retargeted(signed, "GET", "/inbox"), Refused, 1},
		{"A19 absolute form", a.sign(retargeted(q, "POST", "http://blog.test/inbox")), Malformed, 0},
		{"A19 absolute form, other host in it", a.sign(retargeted(q, "POST", "http://evil.test/inbox")), Malformed, 0},
		{"A21 //evil.test/inbox", a.sign(retargeted(q, "POST", "//evil.test/inbox")), Malformed, 0},
		{"A23 post", a.sign(retargeted(q, "post", "/inbox")), Malformed, 0},
		{"A23 DELETE", a.sign(retargeted(q, "DELETE", "/inbox")), Malformed, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			keys := everybody()
			_, err := c.q.verify(t, keys)
			if got := kindOf(t, err); got != c.want {
				t.Errorf("got %v: %v, want %v", got, err, c.want)
			}
			if len(keys.asked) != c.asks {
				t.Errorf("asked for %q, want %d", keys.asked, c.asks)
			}
		})
	}
}

func manyParameters(n int) (s string) {
	for i := range n {
		s += fmt.Sprintf(`,x%d=1`, i)
	}
	return s
}

// manyHeaders signs n headers, six of them real ones.
func manyHeaders(s cavageSigner, q request, n int) request {
	s = s.over("(request-target) host date digest content-type user-agent")
	for i := range n - 6 {
		name := fmt.Sprintf("x-%d", i)
		s.headers += " " + name
		q = q.and(name + ": 1")
	}
	return s.sign(q)
}

func retargeted(q request, method, target string) request {
	q.method, q.target = method, target
	return q
}

func replayedGet(s cavageSigner) request {
	q := s.over("(request-target) host date accept").sign(get("/inbox"))
	return retargeted(q, "POST", "/inbox").withBody("{}").with("Digest", Digest([]byte("{}")))
}

// changeLastBits changes the signature's text but not its bytes: the last character before == has four unused bits.
func changeLastBits(header string) string {
	i := strings.LastIndex(header, `=="`)
	return header[:i-1] + string(header[i-1]+1) + header[i:]
}

func TestCorpusB41_B45_OwnerElsewhere(t *testing.T) {
	for _, owner := range []thread.IRI{"", "https://victim.test/users/victim", "https://good.test:8443/users/alice", "http://good.test/users/alice", "https://evil.good.test/users/alice"} {
		keys := everybody()
		keys.origin[aliceKey] = Key{ID: aliceKey, Owner: owner, Public: alicePrivate.Public()}
		_, err := byAlice().sign(post()).verify(t, keys)
		if kindOf(t, err) != Refused {
			t.Errorf("owner %q: %v", owner, err)
		}
	}
}

// TestCorpusB51_B55_WeakKeys holds even if a KeySource does not use ParsePublicKey.
func TestCorpusB51_B55_WeakKeys(t *testing.T) {
	modulus := func(bits uint) *big.Int {
		return new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), bits-1), big.NewInt(1))
	}
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	for name, public := range map[string]crypto.PublicKey{
		"B51 RSA-16384": &rsa.PublicKey{N: modulus(16384), E: 65537},
		"B51 RSA-4097":  &rsa.PublicKey{N: modulus(4097), E: 65537},
		"B52 RSA-1024":  &rsa.PublicKey{N: modulus(1024), E: 65537},
		"B52 RSA-2047":  &rsa.PublicKey{N: modulus(2047), E: 65537},
		"B52 e=1":       &rsa.PublicKey{N: alicePrivate.N, E: 1},
		"B52 e=3":       &rsa.PublicKey{N: alicePrivate.N, E: 3},
		"B52 no N":      &rsa.PublicKey{E: 65537},
		"B55 ECDSA":     p256.Public(),
		"B55 nil":       nil,
		"B55 typed nil": (*rsa.PublicKey)(nil),
		"B55 bytes":     []byte("secret"),
	} {
		t.Run(name, func(t *testing.T) {
			keys := everybody()
			keys.origin[aliceKey] = Key{ID: aliceKey, Owner: alice, Public: public}
			_, err := byAlice().sign(post()).verify(t, keys)
			if kindOf(t, err) != Refused {
				t.Error(err)
			}
		})
	}
}

func TestCorpusB_RFC9421(t *testing.T) {
	a, q := rfcByAlice(), rfcPost()
	signed := a.sign(q)
	input, signature := signed.value("Signature-Input"), signed.value("Signature")
	redone := func(input, signature string) request {
		return q.and("Signature-Input: " + input).and("Signature: " + signature)
	}
	params := func(format string, args ...any) rfcSigner { return a.withParams(fmt.Sprintf(format, args...)) }
	keyid := `;keyid="` + aliceKey + `"`
	soon, past := now.Add(time.Minute).Unix(), now.Add(-time.Minute).Unix()
	bad := contentDigest([]byte("x"))
	good := q.value("Content-Digest")

	for _, c := range []struct {
		name string
		q    request
		want Kind
		asks int
	}{
		{"the honest request", signed, accepted, 1},
		{"B1 Signature-Input alone", q.and("Signature-Input: " + input), Refused, 0},
		{"B2 not a dictionary", redone("sig1=(", signature), Malformed, 0},
		{"B2 empty", redone("", signature), Refused, 0},
		{"B2 not a list", redone(`sig1="@method"`, signature), Malformed, 0},
		{"B2 component is a token", redone(`sig1=(date)`, signature), Malformed, 0},
		{"B2 component in upper case", a.over(`"@method" "@target-uri" "content-digest" "Date"`).sign(q), Malformed, 0},
		{"B2 Signature of draft-cavage", redone(input, byAlice().header(post())), Refused, 0},
		{"B2 backslash", params(`;created=%d%s;nonce="\\"`, soon, keyid).sign(q), Malformed, 0},
		{"B3 body changed", signed.withBody("{}"), Refused, 0},
		{"B4 body and digest changed", signed.withBody("x").with("Content-Digest", bad), Refused, 1},
		{"B5 no Content-Digest", a.over(`"@method" "@target-uri"`).sign(q.with("Content-Digest", "")), Refused, 0},
		{"B6 digest of another body", a.sign(q.with("Content-Digest", bad)), Refused, 0},
		{"B7 content-digest not signed", a.over(`"@method" "@target-uri"`).sign(q), Refused, 0},
		{"B7 digest in the old header", a.over(`"@method" "@target-uri" "digest"`).sign(post()), Refused, 0},
		{"B9 @target-uri not signed", a.over(`"@method" "content-digest"`).sign(q), Refused, 0},
		{"B9 @method not signed", a.over(`"@target-uri" "content-digest"`).sign(q), Refused, 0},
		{"B9 @path without @authority", a.over(`"@method" "@path" "content-digest"`).sign(q), Refused, 0},
		{"B9 @path and @authority", a.over(`"@method" "@authority" "@path" "content-digest"`).sign(q), accepted, 1},
		{"B9 query not signed", a.over(`"@method" "@authority" "@path" "content-digest"`).sign(retargeted(q, "POST", "/inbox?a=b")), Refused, 0},
		{"B9 @query", a.over(`"@method" "@authority" "@path" "@query" "content-digest"`).sign(retargeted(q, "POST", "/inbox?a=b")), accepted, 1},
		{"B9 everything", a.over(`"@request-target" "@scheme" "host" "date" "@method" "@authority" "@path" "@query" "content-digest"`).sign(q), accepted, 1},
		{"B10 no created", params(`%s`, keyid).sign(q), Refused, 0},
		{"B11 created 20 years ago", params(`;created=%d%s`, now.AddDate(-20, 0, 0).Unix(), keyid).sign(q), Refused, 0},
		{"B12 unsigned stale Date", signed.at(now.AddDate(-1, 0, 0)), Refused, 0},
		{"B13 created -66 min", params(`;created=%d%s`, now.Add(-66*time.Minute).Unix(), keyid).sign(q), Refused, 0},
		{"B13 created -60 min", params(`;created=%d%s`, now.Add(-time.Hour).Unix(), keyid).sign(q), accepted, 1},
		{"B14 created +61 min", params(`;created=%d%s`, now.Add(61*time.Minute).Unix(), keyid).sign(q), Refused, 0},
		{"B15 expired", params(`;created=%d;expires=%d%s`, past-9, past, keyid).sign(q), Refused, 0},
		{"B15 expires is 0", params(`;created=%d;expires=0%s`, past, keyid).sign(q), Refused, 0},
		{"B15 expires soon", params(`;created=%d;expires=%d%s`, past, soon, keyid).sign(q), accepted, 1},
		{"B17 expires before created", params(`;created=%d;expires=%d%s`, soon+1, soon, keyid).sign(q), Refused, 0},
		{"B18 created is a string", params(`;created="%d"%s`, soon, keyid).sign(q), Refused, 0},
		{"B18 created is a decimal", params(`;created=%d.5%s`, soon, keyid).sign(q), Refused, 0},
		{"B18 created is a date", params(`;created=@%d%s`, soon, keyid).sign(q), Refused, 0},
		{"B18 created is a flag", params(`;created%s`, keyid).sign(q), Refused, 0},
		{"B19 two keyids, evil first", redone(strings.Replace(input, keyid, `;keyid="`+malloryKey+`"`+keyid, 1), signature), Refused, 0},
		{"B19 two keyids, victim first", redone(input+`;keyid="`+malloryKey+`"`, signature), Refused, 0},
		{"B19 separators inside a string", params(`;created=%d%s;nonce="a;b,c"`, soon, keyid).sign(q), accepted, 1},
		{"B20 two labels", redone(input+`, sig2=();created=1`, signature+", sig2=:AAAA:"), Refused, 0},
		{"B20 the same label twice", redone(input+", "+input, signature), Refused, 0},
		{"B20 two signatures", redone(input, signature+", sig2=:AAAA:"), Refused, 0},
		{"B20 another label", redone(input, "sig2"+strings.TrimPrefix(signature, "sig1")), Refused, 0},
		{"B20 parameter behind the signature", redone(input, signature+";x"), Refused, 0},
		{"B20 two Signature-Input lines", signed.and("Signature-Input: " + input), Refused, 0},
		{"B20 two Signature lines", signed.and("Signature: " + signature), Refused, 0},
		{"B21 component twice", a.over(`"@method" "@target-uri" "content-digest" "@method"`).sign(q), Refused, 0},
		{"B22 two lines of a signed header", a.over(`"@method" "@target-uri" "content-digest" "x-a"`).sign(q.and("X-A: 1").and("X-A: 2")), Refused, 0},
		{"B22 signed header missing", a.over(`"@method" "@target-uri" "content-digest" "x-a"`).sign(q), Refused, 0},
		{"B22 two Content-Digest lines", signed.and("Content-Digest: " + good), Refused, 0},
		{"B22 unknown derived component", a.over(`"@method" "@target-uri" "content-digest" "@status"`).sign(q), Refused, 0},
		{"B22 component with parameter", a.over(`"@method";req "@target-uri" "content-digest"`).sign(q), Refused, 0},
		{"B22 component with ;sf", a.over(`"@method" "@target-uri" "content-digest";sf`).sign(q), Refused, 0},
		{"B23 with Authorization: Signature", signed.and("Authorization: Signature x"), Refused, 0},
		{"B25 sha-512 only", a.sign(q.with("Content-Digest", "sha-512=:AAAA:")), Refused, 0},
		{"B26 sha-512 and sha-256", a.sign(q.with("Content-Digest", "sha-512=:AAAA:, "+good)), accepted, 1},
		{"B26 two sha-256", a.sign(q.with("Content-Digest", bad+", "+good)), Refused, 0},
		{"B27 without colons", a.sign(q.with("Content-Digest", strings.ReplaceAll(good, ":", ""))), Refused, 0},
		{"B30 no alg", params(`;created=%d%s`, soon, keyid).sign(q), accepted, 1},
		{"B32 rsa-pss-sha512", params(`;created=%d%s;alg="rsa-pss-sha512"`, soon, keyid).sign(q), Refused, 0},
		{"B32 alg of another key type", params(`;created=%d%s;alg="ed25519"`, soon, keyid).sign(q), Refused, 1},
		{"B32 alg is a token", params(`;created=%d%s;alg=ed25519`, soon, keyid).sign(q), Refused, 0},
		{"B33 signature of 0 bytes", redone(input, "sig1=::"), Refused, 0},
		{"B33 signature of 3 bytes", redone(input, "sig1=:AAAA:"), Refused, 1},
		{"B34 bits after the end", redone(input, strings.Replace(signature, string(signature[len(signature)-4])+"==:", string(signature[len(signature)-4]+1)+"==:", 1)), Refused, 0},
		{"B36 no keyid", params(`;created=%d`, soon).sign(q), Refused, 0},
		{"B36 keyid is empty", params(`;created=%d;keyid=""`, soon).sign(q), Refused, 0},
		{"B65 replay to another inbox", retargeted(signed, "POST", "/users/blog/inbox"), Refused, 1},
		{"B65 replay with a query", retargeted(signed, "POST", "/inbox?a=b"), Refused, 1},
		{"B66 made for another server", a.sign(q.with("Host", "other.test")).with("Host", "blog.test"), Refused, 1},
		{"B67 replay of a GET", retargeted(a.over(`"@method" "@target-uri"`).sign(get("/inbox")), "POST", "/inbox"), Refused, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			keys := everybody()
			_, err := c.q.verify(t, keys)
			if got := kindOf(t, err); got != c.want {
				t.Errorf("got %v: %v, want %v", got, err, c.want)
			}
			if len(keys.asked) != c.asks {
				t.Errorf("asked for %q, want %d", keys.asked, c.asks)
			}
		})
	}
}

// TestKeyIDOf is what limits and blocks see before anything costs: the same key that Verify would ask for.
func TestKeyIDOf(t *testing.T) {
	for name, q := range map[string]request{
		"cavage":      byAlice().sign(post()),
		"upper case":  byAlice().named("HTTPS://GOOD.test/users/alice#main-key").sign(post()),
		"rfc9421":     rfcByAlice().sign(rfcPost()),
		"not its own": byAlice().with(malloryPrivate).sign(post()),
	} {
		r, _, err := parse(q.bytes())
		if err != nil {
			t.Fatal(err)
		}
		if id, err := KeyIDOf(r); id != aliceKey || err != nil {
			t.Errorf("%s: %q, %v", name, id, err)
		}
	}
	r, _, _ := parse(post().bytes())
	if id, err := KeyIDOf(r); id != "" || kindOf(t, err) != Refused {
		t.Errorf("unsigned: %q, %v", id, err)
	}
}

func TestSender(t *testing.T) {
	if (Sender{}).Actor() != "" {
		t.Error("the zero Sender is somebody")
	}
	carolSigns := byAlice().with(carolPrivate).named(carolKey).as("hs2019")
	carolParams := fmt.Sprintf(`;created=%d;keyid="%s";alg="ed25519"`, now.Unix(), carolKey)
	for _, c := range []struct {
		q                       request
		actor, keyID, algorithm string
	}{
		{byAlice().sign(post()), alice, aliceKey, "cavage rsa-sha256"},
		{carolSigns.sign(post()), carol, carolKey, "cavage ed25519"},
		{rfcByAlice().sign(rfcPost()), alice, aliceKey, "rfc9421 rsa-v1_5-sha256"},
		{rfcSigner{rfcByAlice().components, carolParams, carolPrivate}.sign(rfcPost()), carol, carolKey, "rfc9421 ed25519"},
	} {
		s, err := c.q.verify(t, everybody())
		got := []string{string(s.Actor()), s.KeyID(), s.Algorithm()}
		if want := []string{c.actor, c.keyID, c.algorithm}; err != nil || !slices.Equal(got, want) {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
}
