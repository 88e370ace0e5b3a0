package sign

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strings"
)

// Digest is the value of the Digest header (RFC 3230) for a body: "SHA-256=" and 44 characters of base64.
func Digest(body []byte) string { return "SHA-256=" + sha256Base64(body) }

// contentDigest is the value of the Content-Digest header (RFC 9530 2) for a body.
func contentDigest(body []byte) string { return "sha-256=:" + sha256Base64(body) + ":" }

func sha256Base64(body []byte) string {
	sum := sha256.Sum256(body)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// matchDigest compares the body with the header "digest" or "content-digest". Texts are compared, not bytes, so that
// there is one way only to write a digest.
func matchDigest(r *http.Request, name string, body []byte) error {
	line, err := field(r, name)
	if err != nil {
		return err
	}
	value, ok := sha256Entry(line)
	if !ok {
		return refused("the %s header has not exactly one SHA-256", name)
	}
	want := sha256Base64(body)
	if name == rfc9421.digest {
		want = ":" + want + ":"
	}
	if subtle.ConstantTimeCompare([]byte(value), []byte(want)) != 1 {
		return refused("the %s header is not that of the body", name)
	}
	return nil
}

// sha256Entry is the value of the only SHA-256 in a list of digests such as "unixsum=30637,SHA-256=…". Names of
// algorithms are case-insensitive (RFC 3230 4.1.1).
func sha256Entry(list string) (value string, ok bool) {
	found := 0
	for entry := range strings.SplitSeq(list, ",") {
		name, v, _ := strings.Cut(trimSpace(entry), "=")
		if strings.EqualFold(name, "sha-256") {
			value = v
			found++
		}
	}
	return value, found == 1
}
