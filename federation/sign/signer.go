package sign

import (
	"cmp"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dunglas/httpsfv"
	"github.com/go-fed/httpsig"
)

// Signer signs requests as one actor of ours. It may be shared; a request belongs to one call.
//
// Both methods may be called again for the same request, and should be before every attempt: they replace what an
// earlier call has set. For another address, after a redirect, make a new request. They do not send the body.
type Signer struct {
	KeyID   string // "https://example.com/actor#main-key"
	Private *rsa.PrivateKey
}

// Sign signs a request after draft-cavage-12 with RSA and SHA-256, as every server understands it: a POST over
// (request-target) host date digest content-type, any other over (request-target) host date accept (PROTOCOL 29, 30),
// so Content-Type or Accept must be there. It sets r.Host, Date, Signature and, for a POST, Digest.
func (s Signer) Sign(r *http.Request, body []byte, now time.Time) error {
	if err := s.prepare(r, now); err != nil {
		return err
	}
	covered := []string{httpsig.RequestTarget, "host", "date", "accept"}
	if r.Method == http.MethodPost {
		r.Header.Set("Digest", Digest(body))
		covered = []string{httpsig.RequestTarget, "host", "date", "digest", "content-type"}
	}
	prefer := []httpsig.Algorithm{httpsig.RSA_SHA256}
	signer, _, err := httpsig.NewSigner(prefer, httpsig.DigestSha256, covered, httpsig.Signature, 0)
	if err != nil {
		return err
	}
	view := viewForHTTPSig(r)
	if err := signer.SignRequest(s.Private, s.KeyID, view, nil); err != nil {
		return err
	}
	// httpsig writes hs2019, which Socialhome takes for RSASSA-PSS. The name is not signed.
	r.Header.Set("Signature", strings.Replace(view.Header.Get("Signature"), `algorithm="hs2019"`, `algorithm="rsa-sha256"`, 1))
	return nil
}

// viewForHTTPSig is the request as httpsig must see it to sign what net/http sends: it looks for the host among the
// headers, and would sign the path without its escapes.
func viewForHTTPSig(r *http.Request) *http.Request {
	view := &http.Request{Method: r.Method, URL: &url.URL{Path: r.URL.RequestURI()}, Header: r.Header.Clone()}
	view.Header.Set("Host", r.Host)
	return view
}

// SignRFC9421 signs a request after RFC 9421 with RSA PKCS #1 v1.5 and SHA-256 over @method, @target-uri and, for a
// POST, content-digest, for peers that answer 400 or 401 to the other kind. It sets r.Host, Date,
// Signature-Input, Signature and, for a POST, Content-Digest.
func (s Signer) SignRFC9421(r *http.Request, body []byte, now time.Time) error {
	if err := s.prepare(r, now); err != nil {
		return err
	}
	covered := []string{"@method", "@target-uri"}
	if r.Method == http.MethodPost {
		r.Header.Set("Content-Digest", contentDigest(body))
		covered = append(covered, "content-digest")
	}
	params, err := s.params(covered, now)
	if err != nil {
		return err
	}
	base, err := message{r, r.URL.Scheme, r.Host, r.URL.RequestURI()}.signatureBase(covered, params)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(base))
	sig, err := rsa.SignPKCS1v15(rand.Reader, s.Private, crypto.SHA256, sum[:])
	if err != nil {
		return err
	}
	r.Header.Set("Signature-Input", "sig1="+params)
	r.Header.Set("Signature", "sig1=:"+base64.StdEncoding.EncodeToString(sig)+":")
	return nil
}

// params are the signature parameters of RFC 9421 2.3.
func (s Signer) params(covered []string, now time.Time) (string, error) {
	input := httpsfv.InnerList{Params: httpsfv.NewParams()}
	for _, name := range covered {
		input.Items = append(input.Items, httpsfv.NewItem(name))
	}
	input.Params.Add("created", now.Unix())
	input.Params.Add("keyid", s.KeyID)
	input.Params.Add("alg", rfc9421.rsa)
	return httpsfv.Marshal(input)
}

// prepare takes an earlier signature away, sets the date, and fixes the Host that net/http will send.
func (s Signer) prepare(r *http.Request, now time.Time) error {
	if s.Private == nil || s.KeyID == "" {
		return errors.New("signing without a key")
	}
	for _, name := range []string{"Signature", "Signature-Input", "Digest", "Content-Digest"} {
		r.Header.Del(name)
	}
	r.Header.Set("Date", now.UTC().Format(http.TimeFormat))
	r.Host = authority(r.URL.Scheme, cmp.Or(r.Host, r.URL.Host))
	return nil
}
