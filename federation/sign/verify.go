package sign

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"afterword/thread"
)

// Limits on what is read of a claim.
const (
	maxHeader  = 8 << 10 // bytes of a Signature or Signature-Input header
	maxCovered = 32      // signed headers and other components
)

// A signature is good from an hour before its date, as clocks differ, until 65 minutes after it, as queues are slow
// (PROTOCOL 33; the SWICG profile says "one hour plus a few minutes").
const (
	maxAge   = 65 * time.Minute
	maxAhead = time.Hour
)

// claim is what a request says about its own signature. It is well formed and covers the target, the host and a date;
// whether it is true is not known yet.
type claim struct {
	scheme    *scheme
	keyID     string   // an absolute http(s) URL, scheme and host in lower case
	algorithm string   // as the sender calls it, one of the scheme's names or ""
	covered   []string // names of what is signed, in order, in lower case, none twice
	created   int64    // Unix seconds, 0 if not said
	expires   int64    // Unix seconds, 0 if not said
	signature []byte
	texts     []string // the texts of which one must be signed
}

// scheme is one of the two ways to sign.
type scheme struct {
	name       string
	digest     string   // the header with the digest of the body
	algorithms []string // the names a sender may use
	rsa        string   // RSASSA-PKCS1-v1_5 with SHA-256, as this scheme calls it
	fromKey    string   // the name that means "whatever the key is for"
}

// Verify checks that one request was signed by the owner of the key it names. body is the whole raw body, nil for a
// GET; r.Body is not read. Only GET, HEAD and POST can be verified.
//
// An *Error is the sender's fault (its Kind tells the status); any other error is one of o.Keys, wrapped: the key could
// not be had, and the sender should try again later. The key is asked for only if everything else is right, and a
// second time only if a cached one fails.
func Verify(r *http.Request, body []byte, o Options) (Sender, error) {
	if err := checkTarget(r, o); err != nil {
		return Sender{}, err
	}
	c, err := claimOf(r, o)
	if err != nil {
		return Sender{}, err
	}
	if err := c.checkTime(r, o.Now); err != nil {
		return Sender{}, err
	}
	if err := c.checkDigest(r, body); err != nil {
		return Sender{}, err
	}
	return c.checkSignature(r.Context(), o.Keys)
}

// KeyIDOf is the keyId that a request claims to be signed with, for limits and blocks before anything costs. Nothing
// is proven. It is the same text that Verify would ask the KeySource for, and the error the same that Verify returns
// for a claim that cannot be read.
func KeyIDOf(r *http.Request) (string, error) {
	c, err := claimOf(r, Options{})
	return c.keyID, err
}

// checkTarget sees to it that the request was meant for us: what a signature covers is the Host header and the target,
// and a proxy or an absolute target could make others of them than those we act on (SECURITY A19, A21).
func checkTarget(r *http.Request, o Options) error {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
	default:
		return malformed("method %.16q cannot be verified", r.Method)
	}
	if !strings.HasPrefix(r.RequestURI, "/") || strings.HasPrefix(r.RequestURI, "//") { // RFC 9112 3.2.1
		return malformed("the request target is not in origin form")
	}
	if authority(o.Scheme, r.Host) != authority(o.Scheme, o.Host) {
		return refused("signed for host %.80q, not for us", r.Host)
	}
	return nil
}

// authority is a Host header in lower case and without the scheme's default port (RFC 9421 2.2.3).
func authority(scheme, host string) string {
	host = strings.ToLower(host)
	_, port, err := net.SplitHostPort(host)
	if err == nil && (scheme == "https" && port == "443" || scheme == "http" && port == "80") {
		return strings.TrimSuffix(host, ":"+port)
	}
	return host
}

// claimOf reads the signature headers of a request.
func claimOf(r *http.Request, o Options) (claim, error) {
	for _, line := range r.Header["Authorization"] { // draft-cavage-12 3.1, which no fediverse server uses
		if word, _, _ := strings.Cut(line, " "); strings.EqualFold(word, "Signature") {
			return claim{}, refused("a signature in Authorization is not accepted")
		}
	}
	if len(r.Header["Signature-Input"]) > 0 {
		return rfc9421Claim(r, o)
	}
	return cavageClaim(r)
}

// header is the only line of a header that holds (a part of) the signature.
func header(r *http.Request, name string) (string, error) {
	lines := r.Header[name]
	switch {
	case len(lines) == 0:
		return "", refused("there is no %s header", name)
	case len(lines) > 1:
		return "", refused("there are several %s headers", name)
	case len(lines[0]) > maxHeader:
		return "", refused("the %s header is too long", name)
	}
	return lines[0], nil
}

// field is the value of a signed header. It must stand in exactly one line: what is joined from several can be split
// in several ways. net/http keeps the Host header in the request itself, and refuses two.
func field(r *http.Request, name string) (string, error) {
	if name == "host" {
		return r.Host, nil
	}
	lines := r.Header[http.CanonicalHeaderKey(name)]
	if len(lines) != 1 {
		return "", refused("header %.40q is signed but stands %d times", name, len(lines))
	}
	return strings.Trim(lines[0], " \t"), nil
}

// checkNames judges everything in a claim that is the same in both schemes; it completes the claim's keyID.
func (c *claim) checkNames() error {
	id, err := thread.ParseIRI(c.keyID)
	if err != nil {
		return refused("the keyId is not a URL of at most %d bytes", thread.MaxIRI)
	}
	c.keyID = string(id)
	if c.algorithm != "" && !slices.Contains(c.scheme.algorithms, c.algorithm) {
		return refused("algorithm %.40q is not supported", c.algorithm)
	}
	if len(c.covered) > maxCovered {
		return refused("more than %d headers are signed", maxCovered)
	}
	for i, name := range c.covered {
		if slices.Contains(c.covered[:i], name) {
			return refused("header %.40q is signed twice", name)
		}
	}
	return nil
}

func (c *claim) covers(names ...string) bool {
	for _, name := range names {
		if !slices.Contains(c.covered, name) {
			return false
		}
	}
	return true
}

// checkTime compares everything that dates the request with now. A Date header must be right even if it is not signed.
func (c *claim) checkTime(r *http.Request, now time.Time) error {
	if c.created != 0 && !inWindow(c.created, now) {
		return refused("created is too far from now")
	}
	if c.expires != 0 && (c.expires < c.created || c.expires < now.Unix()) {
		return refused("the signature has expired")
	}
	if len(r.Header["Date"]) == 0 {
		return nil
	}
	line, err := field(r, "date")
	if err != nil {
		return err
	}
	date, err := http.ParseTime(line)
	if err != nil {
		return refused("the Date header is not a date")
	}
	if !inWindow(date.Unix(), now) {
		return refused("the Date header is too far from now")
	}
	return nil
}

func inWindow(unix int64, now time.Time) bool {
	return unix >= now.Add(-maxAge).Unix() && unix <= now.Add(maxAhead).Unix()
}

// checkDigest ties the body to the signature.
func (c *claim) checkDigest(r *http.Request, body []byte) error {
	if c.covers(c.scheme.digest) {
		return matchDigest(r, c.scheme.digest, body)
	}
	if r.Method == http.MethodPost || len(body) > 0 {
		return refused("the %s header is not signed", c.scheme.digest)
	}
	return nil
}

// checkSignature asks for the key and decides. A peer may have replaced a key that we keep: then, and only then, a
// fresh copy gets a second chance (PROTOCOL 37).
func (c *claim) checkSignature(ctx context.Context, keys KeySource) (Sender, error) {
	key, cached, err := keys.Key(ctx, c.keyID, false)
	if err != nil {
		return Sender{}, fmt.Errorf("key %.200s: %w", c.keyID, err)
	}
	sender, failure := c.signedBy(key)
	if failure == nil || !cached {
		return sender, failure
	}
	key, _, err = keys.Key(ctx, c.keyID, true)
	if errors.Is(err, ErrNoRefresh) {
		return Sender{}, failure
	}
	if err != nil {
		return Sender{}, fmt.Errorf("new copy of key %.200s: %w", c.keyID, err)
	}
	return c.signedBy(key)
}

// signedBy is the decision: was the claim's text signed with this key?
func (c *claim) signedBy(key Key) (Sender, error) {
	if !thread.SameOrigin(thread.IRI(c.keyID), key.Owner) { // SECURITY R1
		return Sender{}, refused("the key's owner lives on another server")
	}
	if err := checkPublic(key.Public); err != nil {
		return Sender{}, err
	}
	algorithm := c.scheme.algorithmOf(key.Public)
	if c.algorithm != "" && c.algorithm != c.scheme.fromKey && c.algorithm != algorithm {
		return Sender{}, refused("the key is not for algorithm %s", c.algorithm)
	}
	for _, text := range c.texts {
		if signedWith(key.Public, []byte(text), c.signature) {
			return Sender{key.Owner, c.keyID, c.scheme.name + " " + algorithm}, nil
		}
	}
	return Sender{}, refused("the signature is not from this key and for this request")
}

// decodeSignature reads the one base64 text of a signature: RFC 4648 section 4 with padding, nothing else in it.
func decodeSignature(s string) ([]byte, error) {
	if s == "" || len(s) > base64.StdEncoding.EncodedLen(maxBits/8) {
		return nil, refused("no signature has %d characters", len(s))
	}
	sig, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(s) != base64.StdEncoding.EncodedLen(len(sig)) { // the decoder overlooks line breaks
		return nil, refused("the signature is not base64")
	}
	return sig, nil
}
