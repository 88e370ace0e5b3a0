package sign

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"slices"
	"strings"
)

// Keys that are good enough: RSA of 2048 to 4096 bits with the usual exponent, and Ed25519. Verifying with a longer key
// costs more than it proves (SECURITY B51).
const (
	minBits  = 2048
	maxBits  = 4096
	exponent = 65537
)

// maxPEM is the longest text that is read as a key, in bytes. A public key of 4096 bits has 800.
const maxPEM = 16 << 10

// ParsePublicKey reads the publicKeyPem of an actor: one block "PUBLIC KEY" (SPKI) or "RSA PUBLIC KEY" (PKCS #1) with
// an RSA key of 2048 to 4096 bits and e = 65537, or an Ed25519 key. Line ends may be CRLF. It also reads the
// publicKeyMultibase of a Multikey (FEP-521a) with such a key. Anything else is an *Error of kind Refused. The result is
// an *rsa.PublicKey or an ed25519.PublicKey.
func ParsePublicKey(text string) (crypto.PublicKey, error) {
	if strings.HasPrefix(text, "z") {
		return parseMultibase(text)
	}
	block, err := onlyBlock(text)
	if err != nil {
		return nil, err
	}
	key, err := parsePublicBlock(block)
	if err != nil {
		return nil, refused("the public key cannot be read")
	}
	if err := checkPublic(key); err != nil {
		return nil, err
	}
	return key, nil
}

func parsePublicBlock(block *pem.Block) (crypto.PublicKey, error) {
	switch block.Type {
	case "PUBLIC KEY": // RFC 5280 4.1
		return x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY": // RFC 8017 A.1.1
		return x509.ParsePKCS1PublicKey(block.Bytes)
	}
	return nil, errors.New("not a public key")
}

// onlyBlock is the one PEM block of a text that holds nothing else.
func onlyBlock(text string) (*pem.Block, error) {
	const begin = "-----BEGIN "
	if len(text) > maxPEM {
		return nil, refused("the key is longer than %d bytes", maxPEM)
	}
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, begin) || strings.Count(text, begin) != 1 {
		return nil, refused("the key is not exactly one PEM block")
	}
	block, rest := pem.Decode([]byte(text))
	if block == nil || len(rest) > 0 || len(block.Headers) > 0 {
		return nil, refused("the key is not exactly one PEM block")
	}
	return block, nil
}

// checkPublic refuses keys that we do not verify with. It never fails for a key from ParsePublicKey.
func checkPublic(key crypto.PublicKey) error {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if k != nil && k.N != nil && k.N.BitLen() >= minBits && k.N.BitLen() <= maxBits && k.E == exponent {
			return nil
		}
	case ed25519.PublicKey:
		if len(k) == ed25519.PublicKeySize {
			return nil
		}
	}
	return refused("the public key is neither RSA of %d to %d bits with e = %d nor Ed25519", minBits, maxBits, exponent)
}

// algorithmOf is the name of the only algorithm that is used with a key (RFC 9421 3.2: from the key, not from the
// message).
func (s *scheme) algorithmOf(key crypto.PublicKey) string {
	if _, ok := key.(ed25519.PublicKey); ok {
		return "ed25519"
	}
	return s.rsa
}

// signedWith tells whether sig signs text. The key has passed checkPublic.
func signedWith(key crypto.PublicKey, text, sig []byte) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		sum := sha256.Sum256(text)
		return len(sig) == k.Size() && rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], sig) == nil // RFC 8017 8.2.2
	case ed25519.PublicKey:
		return ed25519.Verify(k, text, sig)
	}
	return false
}

// The prefixes of keys in a Multikey (the multicodec table): ed25519-pub, and rsa-pub before PKCS #1.
const (
	multiEd25519 = "\xed\x01"
	multiRSA     = "\x85\x24"
)

// maxMultibase is longer than an RSA key of 4096 bits in base58.
const maxMultibase = 800

const base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// parseMultibase reads base58btc, "z6Mk…" for an Ed25519 key, "z4MX…" for RSA.
func parseMultibase(s string) (crypto.PublicKey, error) {
	number := new(big.Int)
	if len(s) > maxMultibase {
		return nil, refused("the multibase key is longer than %d bytes", maxMultibase)
	}
	for _, c := range []byte(s[1:]) {
		digit := strings.IndexByte(base58, c)
		if digit < 0 {
			return nil, refused("the multibase key is not base58")
		}
		number.Add(number.Mul(number, big.NewInt(58)), big.NewInt(int64(digit)))
	}
	text := string(number.Bytes())
	if key, ok := strings.CutPrefix(text, multiEd25519); ok && len(key) == ed25519.PublicKeySize {
		return ed25519.PublicKey(key), nil
	}
	if der, ok := strings.CutPrefix(text, multiRSA); ok {
		if key, err := x509.ParsePKCS1PublicKey([]byte(der)); err == nil && checkPublic(key) == nil {
			return key, nil
		}
	}
	return nil, refused("the multibase key is neither Ed25519 nor RSA of %d to %d bits", minBits, maxBits)
}

// PublicMultibase is the public key as the publicKeyMultibase of a Multikey (FEP-521a), which ParsePublicKey reads.
func PublicMultibase(key *rsa.PrivateKey) string {
	number := new(big.Int).SetBytes(append([]byte(multiRSA), x509.MarshalPKCS1PublicKey(&key.PublicKey)...))
	var digits []byte // the last one first
	for digit := new(big.Int); number.Sign() > 0; {
		number.DivMod(number, big.NewInt(58), digit)
		digits = append(digits, base58[digit.Int64()])
	}
	slices.Reverse(digits)
	return "z" + string(digits)
}

// NewPrivateKey makes a key for an actor of ours: RSA with 2048 bits, which every peer can verify.
func NewPrivateKey() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, minBits) }

// MarshalPrivateKey is the key as PKCS #8 in PEM, for ParsePrivateKey.
func MarshalPrivateKey(key *rsa.PrivateKey) (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}

// ParsePrivateKey reads an RSA key as MarshalPrivateKey writes it. A key that peers would refuse is an error.
func ParsePrivateKey(text string) (*rsa.PrivateKey, error) {
	block, err := onlyBlock(text)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("not an RSA private key")
	}
	if err := checkPublic(&key.PublicKey); err != nil {
		return nil, err
	}
	return key, nil
}

// PublicPEM is the public half of a key as SPKI in PEM, for our actor's publicKeyPem.
func PublicPEM(key *rsa.PrivateKey) string {
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		panic(err) // only for types that are no keys
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}
