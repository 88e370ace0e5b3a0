// Package sign proves who sent an HTTP request, and signs what we send.
//
// # What is proven
//
// Verify returns a Sender only if the owner of a key signed this method, this target, this host, about this time, and
// exactly this body. Nothing is believed before that: the text a request says it signed must cover all of it, each
// signed header must stand in one line, the digest must be that of the bytes that came, and the algorithm follows
// from the key, not from the request. A proof says "this server says so"; whether its owner may say it about that
// object is the caller's question (SECURITY R1).
//
// # Two ways to sign
//
// Peers sign after draft-cavage-http-signatures-12 (header Signature) or RFC 9421 (headers Signature-Input and
// Signature). Each has one file that turns a request into a claim, the common form on which verify.go does the rest.
// Both verifiers are our own: go-fed/httpsig checks neither digest, date, cover nor repeated parameters
// (DEPENDENCIES.md), so it only makes the signatures we send.
//
// The package does no I/O and keeps no state: keys come through KeySource, the time through Options.
package sign

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"time"

	"afterword/thread"
)

// Sender is the proof that the owner of a key sent a request. Only Verify makes one; the zero value proves nothing and
// its Actor is empty.
type Sender struct {
	actor     thread.IRI
	keyID     string
	algorithm string
}

// Actor is the id of the actor who owns the key; it has the same origin as the key's id.
func (s Sender) Actor() thread.IRI { return s.actor }

// KeyID is the id of the key that was used, with scheme and host in lower case.
func (s Sender) KeyID() string { return s.keyID }

// Algorithm says how the request was signed, for the ledger: "cavage rsa-sha256", "cavage ed25519",
// "rfc9421 rsa-v1_5-sha256" or "rfc9421 ed25519".
func (s Sender) Algorithm() string { return s.algorithm }

// Key is a peer's public key as its owner's document gives it.
type Key struct {
	ID     string           // the id under which the document lists it
	Owner  thread.IRI       // the actor who, by his own document, has this key; never empty
	Public crypto.PublicKey // from ParsePublicKey
}

// KeySource finds the key that a keyId names.
type KeySource interface {
	// Key returns the key of keyID, an absolute http(s) URL with scheme and host in lower case and perhaps a fragment.
	// cached tells that the key was fetched for an earlier request, so that a failure may only mean it has been
	// replaced. With fresh, a new copy must come from the key's own server; a source that will not ask again so soon
	// answers ErrNoRefresh.
	//
	// Other errors reach the caller of Verify wrapped. A source that knows there is no such key, or may not fetch it,
	// returns an *Error of kind Refused; anything else should mean that the key's server could not be asked.
	Key(ctx context.Context, keyID string, fresh bool) (key Key, cached bool, err error)
}

// ErrNoRefresh is how a KeySource declines to fetch a key again.
var ErrNoRefresh = errors.New("the key was fetched a short while ago")

// Options is what Verify has to know of us. All fields must be set.
type Options struct {
	Host   string    // authority of our base_url, as peers sign it: "example.com", "localhost:8080"
	Scheme string    // "https", or "http" in tests and in the demo
	Now    time.Time // when the request came
	Keys   KeySource
}

// Kind tells what the sender did wrong, and so which status it gets.
type Kind int

const (
	// Malformed is a request that cannot be read as a signed one: 400.
	Malformed Kind = iota + 1
	// Refused is a request whose signature is missing, or proves too little, or proves nothing: 401.
	Refused
)

// Error is Verify's verdict on a bad request. Its text holds nothing secret and at most a name sent by the peer, so it
// may stand in the answer and in the log.
type Error struct {
	Kind   Kind
	Reason string
}

func (e *Error) Error() string { return "signature: " + e.Reason }

func malformed(format string, args ...any) error {
	return &Error{Malformed, fmt.Sprintf(format, args...)}
}

func refused(format string, args ...any) error {
	return &Error{Refused, fmt.Sprintf(format, args...)}
}
