package sign

import (
	"bufio"
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
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"afterword/thread"
)

// The people of SECURITY section 3: alice@good.test is honest, mallory@evil.test is not, we are blog.test.
const (
	alice      = "https://good.test/users/alice"
	aliceKey   = alice + "#main-key"
	carol      = "https://good.test/users/carol" // signs with Ed25519
	carolKey   = carol + "#ed25519-key"
	mallory    = "https://evil.test/users/mallory"
	malloryKey = mallory + "#main-key"
)

var (
	now            = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	alicePrivate   = readKey("testdata/alice.pem")
	malloryPrivate = readKey("testdata/mallory.pem")
	carolPrivate   = ed25519.NewKeyFromSeed(bytes.Repeat([]byte("carol's!"), 4))
)

func readKey(file string) *rsa.PrivateKey {
	text, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	key, err := ParsePrivateKey(string(text))
	if err != nil {
		panic(err)
	}
	return key
}

// keyring is a KeySource in memory. asked are the keyIds it was asked for, with " again" for a fresh copy.
type keyring struct {
	cached map[string]Key   // what an earlier request has left
	origin map[string]Key   // what the peers would answer now
	down   map[string]error // what asking fails with
	asked  []string
}

func (k *keyring) Key(_ context.Context, id string, fresh bool) (Key, bool, error) {
	if fresh {
		k.asked = append(k.asked, id+" again")
	} else {
		k.asked = append(k.asked, id)
		if key, ok := k.cached[id]; ok {
			return key, true, nil
		}
	}
	if err := k.down[id]; err != nil {
		return Key{}, false, err
	}
	key, ok := k.origin[id]
	if !ok {
		return Key{}, false, &Error{Refused, "no such key"}
	}
	return key, false, nil
}

func everybody() *keyring {
	k := &keyring{origin: map[string]Key{}}
	for id, public := range map[string]crypto.PublicKey{
		aliceKey: alicePrivate.Public(), malloryKey: malloryPrivate.Public(), carolKey: carolPrivate.Public(),
	} {
		owner, _, _ := strings.Cut(id, "#")
		k.origin[id] = Key{ID: id, Owner: thread.IRI(owner), Public: public}
	}
	return k
}

// request is a request as bytes on the wire, so that tests meet the parser of net/http.
type request struct {
	method, target string
	lines          []string // "Name: value"
	body           string
}

// post is a delivery to us, not yet signed.
func post() request {
	body := `{"type":"Create","actor":"https://good.test/users/alice"}`
	return request{"POST", "/inbox", []string{
		"Host: blog.test",
		"User-Agent: goodserver/1.0",
		"Date: " + now.Format(http.TimeFormat),
		"Content-Type: application/activity+json",
		"Digest: " + Digest([]byte(body)),
	}, body}
}

// get is a signed fetch of something of ours, not yet signed.
func get(target string) request {
	return request{"GET", target, []string{
		"Host: blog.test",
		"Date: " + now.Format(http.TimeFormat),
		"Accept: application/activity+json",
	}, ""}
}

// with replaces a header, or adds it; an empty value takes it away.
func (q request) with(name, value string) request {
	var lines []string
	for _, line := range q.lines {
		if !hasName(line, name) {
			lines = append(lines, line)
		}
	}
	if q.lines = lines; value != "" {
		q.lines = append(q.lines, name+": "+value)
	}
	return q
}

// and adds a line, whether the header is there or not.
func (q request) and(line string) request {
	q.lines = append(append([]string(nil), q.lines...), line)
	return q
}

func (q request) at(date time.Time) request { return q.with("Date", date.Format(http.TimeFormat)) }

func (q request) withBody(body string) request {
	q.body = body
	return q
}

func hasName(line, name string) bool {
	got, _, _ := strings.Cut(line, ":")
	return strings.EqualFold(got, name)
}

func (q request) value(name string) string {
	for _, line := range q.lines {
		if hasName(line, name) {
			_, value, _ := strings.Cut(line, ":")
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func (q request) bytes() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", q.method, q.target)
	for _, line := range q.lines {
		b.WriteString(line + "\r\n")
	}
	if q.body != "" || q.method == "POST" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(q.body))
	}
	b.WriteString("\r\n" + q.body)
	return b.Bytes()
}

// parse reads a request as a server does.
func parse(raw []byte) (*http.Request, []byte, error) {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(r.Body)
	return r, body, err
}

// verify lets the request through the door at now.
func (q request) verify(t testing.TB, keys KeySource) (Sender, error) {
	t.Helper()
	r, body, err := parse(q.bytes())
	if err != nil {
		t.Fatalf("net/http refuses it: %v", err)
	}
	return Verify(r, body, Options{Host: "blog.test", Scheme: "https", Now: now, Keys: keys})
}

// kindOf is the kind of a verdict, 0 if the request was accepted.
func kindOf(t testing.TB, err error) Kind {
	t.Helper()
	if err == nil {
		return 0
	}
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("not an *Error: %v", err)
	}
	return e.Kind
}

// cavageSigner signs as a peer would, after draft-cavage-12. It shares no code with the package.
type cavageSigner struct {
	keyID, algorithm, headers string
	created, expires          string
	key                       crypto.Signer
}

func byAlice() cavageSigner {
	return cavageSigner{keyID: aliceKey, algorithm: "rsa-sha256", headers: "(request-target) host date digest content-type", key: alicePrivate}
}

func (s cavageSigner) over(headers string) cavageSigner    { s.headers = headers; return s }
func (s cavageSigner) as(algorithm string) cavageSigner    { s.algorithm = algorithm; return s }
func (s cavageSigner) named(keyID string) cavageSigner     { s.keyID = keyID; return s }
func (s cavageSigner) with(key crypto.Signer) cavageSigner { s.key = key; return s }
func (s cavageSigner) times(created, expires string) cavageSigner {
	s.created, s.expires = created, expires
	return s
}

// sign is the request with its Signature header.
func (s cavageSigner) sign(q request) request { return q.and("Signature: " + s.header(q)) }

func (s cavageSigner) header(q request) string {
	var lines []string
	for _, name := range strings.Fields(s.headers) {
		lines = append(lines, strings.ToLower(name)+": "+s.value(q, name))
	}
	parts := []string{fmt.Sprintf("keyId=%q", s.keyID)}
	if s.algorithm != "" {
		parts = append(parts, fmt.Sprintf("algorithm=%q", s.algorithm))
	}
	if s.created != "" {
		parts = append(parts, "created="+s.created)
	}
	if s.expires != "" {
		parts = append(parts, "expires="+s.expires)
	}
	parts = append(parts, fmt.Sprintf("headers=%q", s.headers),
		fmt.Sprintf("signature=%q", signText(s.key, strings.Join(lines, "\n"))))
	return strings.Join(parts, ",")
}

func (s cavageSigner) value(q request, name string) string {
	switch name {
	case "(request-target)":
		return strings.ToLower(q.method) + " " + q.target
	case "(created)":
		return strings.Trim(s.created, `"`)
	case "(expires)":
		return strings.Trim(s.expires, `"`)
	case "content-length":
		return fmt.Sprint(len(q.body))
	}
	return q.value(name)
}

func signText(key crypto.Signer, text string) string {
	digest, how := []byte(text), crypto.Hash(0)
	if _, ok := key.(*rsa.PrivateKey); ok {
		sum := sha256.Sum256(digest)
		digest, how = sum[:], crypto.SHA256
	}
	sig, err := key.Sign(nil, digest, how)
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(sig)
}

// rfcSigner signs as a peer would, after RFC 9421. It shares no code with the package.
type rfcSigner struct {
	components string // `"@method" "@target-uri"`
	params     string // `;created=1;keyid="…"`
	key        crypto.Signer
}

func rfcByAlice() rfcSigner {
	return rfcSigner{
		components: `"@method" "@target-uri" "content-digest"`,
		params:     fmt.Sprintf(`;created=%d;keyid="%s";alg="rsa-v1_5-sha256"`, now.Unix(), aliceKey),
		key:        alicePrivate,
	}
}

func (s rfcSigner) over(components string) rfcSigner { s.components = components; return s }
func (s rfcSigner) withParams(params string) rfcSigner {
	s.params = params
	return s
}

// rfcPost is a delivery with the digest that RFC 9421 goes with.
func rfcPost() request {
	q := post().with("Digest", "")
	return q.with("Content-Digest", contentDigest([]byte(q.body)))
}

func (s rfcSigner) sign(q request) request {
	var base strings.Builder
	for _, component := range strings.Fields(s.components) {
		name := strings.Trim(component, `"`)
		base.WriteString(component + ": " + s.value(q, name) + "\n")
	}
	input := "(" + s.components + ")" + s.params
	base.WriteString(`"@signature-params": ` + input)
	return q.and("Signature-Input: sig1=" + input).and("Signature: sig1=:" + signText(s.key, base.String()) + ":")
}

func (s rfcSigner) value(q request, name string) string {
	path, query, _ := strings.Cut(q.target, "?")
	switch name {
	case "@method":
		return q.method
	case "@target-uri":
		return "https://" + q.value("Host") + q.target
	case "@authority":
		return q.value("Host")
	case "@scheme":
		return "https"
	case "@request-target":
		return q.target
	case "@path":
		return path
	case "@query":
		return "?" + query
	}
	return q.value(name)
}
