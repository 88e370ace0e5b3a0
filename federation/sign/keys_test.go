package sign

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"
)

func TestParsePublicKey(t *testing.T) {
	good := PublicPEM(alicePrivate)
	for name, text := range map[string]string{
		"SPKI":              good,
		"PKCS #1":           toPEM("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&alicePrivate.PublicKey)),
		"CRLF":              strings.ReplaceAll(good, "\n", "\r\n"),
		"space around":      " \n\t" + good + "\r\n \n",
		"no last line end":  strings.TrimSpace(good),
		"one line of text":  strings.Replace(strings.ReplaceAll(good[27:], "\n", ""), "-----END", "\n-----END", 1),
		"RSA-4096":          toPEM("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&rsa.PublicKey{N: modulus(4096), E: 65537})),
		"RFC 9421 PKCS #1":  testKeyRSA,
		"RFC 9421 SPKI":     testKeyRSAPSS,
		"RFC 9421 Ed25519":  testKeyEd25519,
		"B56 Ed25519, SPKI": spki(t, carolPrivate.Public()),
	} {
		if name == "one line of text" {
			text = "-----BEGIN PUBLIC KEY-----\n" + text
		}
		key, err := ParsePublicKey(text)
		if err != nil || key == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParsePublicKey_Refused(t *testing.T) {
	good := PublicPEM(alicePrivate)
	private, _ := MarshalPrivateKey(alicePrivate)
	for name, text := range map[string]string{
		"empty":                       "",
		"no PEM":                      "hello",
		"B51 RSA-16384":               toPEM("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&rsa.PublicKey{N: modulus(16384), E: 65537})),
		"B51 RSA-4097":                spki(t, &rsa.PublicKey{N: modulus(4097), E: 65537}),
		"B52 RSA-1024":                cavageTestKey,
		"B52 e=3":                     spki(t, &rsa.PublicKey{N: alicePrivate.N, E: 3}),
		"B52 e=2^31-1":                spki(t, &rsa.PublicKey{N: alicePrivate.N, E: 1<<31 - 1}),
		"B53 private key":             private,
		"B53 PKCS #1 private key":     toPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(alicePrivate)),
		"B53 private as public":       strings.ReplaceAll(private, "PRIVATE", "PUBLIC"),
		"B53 certificate":             toPEM("CERTIFICATE", certificate(t)),
		"B53 5 MB":                    good + strings.Repeat(" ", 5<<20),
		"B53 5 MB of PEM":             toPEM("PUBLIC KEY", make([]byte, 4<<20)),
		"B53 nested PEM ×10 000":      strings.Repeat("-----BEGIN PUBLIC KEY-----\n", 10_000) + good,
		"B53 nested PEM, as it fits":  strings.Repeat("-----BEGIN PUBLIC KEY-----\n", 600),
		"B54 two keys":                good + good,
		"B54 text before":             "key: " + good,
		"B54 text behind":             good + "x",
		"B54 PEM headers":             strings.Replace(good, "KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\n\n", 1),
		"B54 cut off":                 good[:len(good)/2],
		"B54 broken base64":           strings.Replace(good, "A", "*", 1),
		"B54 bytes behind the key":    toPEM("PUBLIC KEY", append(der(t, good), 0)),
		"B55 EC P-224":                spki(t, ec(t, elliptic.P224())),
		"B55 EC P-256":                spki(t, ec(t, elliptic.P256())),
		"B55 DSA":                     "-----BEGIN PUBLIC KEY-----\n" + dsaKey + "\n-----END PUBLIC KEY-----\n",
		"B55 SPKI called PKCS #1":     toPEM("RSA PUBLIC KEY", der(t, good)),
		"B55 Ed25519 called RSA":      strings.ReplaceAll(testKeyEd25519, "PUBLIC", "RSA PUBLIC"),
		"B55 PKCS #1 called SPKI":     strings.ReplaceAll(testKeyRSA, "RSA PUBLIC", "PUBLIC"),
		"B55 OpenSSH":                 "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ",
		"B55 negative modulus, 0 exp": toPEM("RSA PUBLIC KEY", []byte{0x30, 6, 2, 1, 0xff, 2, 1, 0}),
	} {
		start := time.Now()
		key, err := ParsePublicKey(text)
		if kindOf(t, err) != Refused || key != nil {
			t.Errorf("%s: %v, %v", name, key, err)
		}
		if d := time.Since(start); d > time.Second {
			t.Errorf("%s took %v", name, d)
		}
	}
}

// dsaKey is a DSA key with small numbers: p=23, q=11, g=4, y=8.
const dsaKey = "MB0wEgYHKoZIzjgEATAHAgEXAgELAgEEAwQAAgEI"

func modulus(bits uint) *big.Int {
	n := new(big.Int).Lsh(big.NewInt(1), bits-1)
	return n.Add(n, big.NewInt(1))
}

func toPEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func der(t *testing.T, text string) []byte {
	t.Helper()
	block, _ := pem.Decode([]byte(text))
	return block.Bytes
}

func spki(t *testing.T, public any) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return toPEM("PUBLIC KEY", der)
}

func ec(t *testing.T, curve elliptic.Curve) any {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key.Public()
}

func certificate(t *testing.T) []byte {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, alicePrivate.Public(), alicePrivate)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// TestR036_Multikey uses a key of the did:key specification's test vectors, and a round trip.
func TestR036_Multikey(t *testing.T) {
	const fromSpec = "z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"
	key, err := ParsePublicKey(fromSpec)
	if got, ok := key.(ed25519.PublicKey); !ok || base64.RawURLEncoding.EncodeToString(got) != "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik" {
		t.Errorf("%x, %v", key, err)
	}
	public := carolPrivate.Public().(ed25519.PublicKey)
	if key, err = ParsePublicKey(multibase(0xed, 0x01, public)); err != nil || !public.Equal(key) {
		t.Errorf("%x, %v", key, err)
	}
	rsaKey, err := NewPrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	if key, err = ParsePublicKey(PublicMultibase(rsaKey)); err != nil || !rsaKey.PublicKey.Equal(key) {
		t.Errorf("%v, %v", key, err)
	}
	weak := &rsa.PublicKey{N: new(big.Int).Rsh(rsaKey.N, 1024), E: rsaKey.E}
	for _, s := range []string{
		multibase(0x85, 0x24, x509.MarshalPKCS1PublicKey(weak)), multibase(0x85, 0x24, []byte("nothing of the kind")),
		"", "z", fromSpec[1:], "u" + fromSpec[1:], fromSpec + "1", fromSpec[:47], fromSpec[:47] + "0", fromSpec[:47] + "é",
		"z" + strings.Repeat("z", 47), "z" + strings.Repeat("1", 47), strings.Repeat("z", 5<<20), multibase(0xec, 0x01, public),
	} {
		if key, err := ParsePublicKey(s); kindOf(t, err) != Refused || key != nil {
			t.Errorf("%.60s: %x, %v", s, key, err)
		}
	}
}

func multibase(a, b byte, key []byte) string {
	const digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	n, digit := new(big.Int).SetBytes(append([]byte{a, b}, key...)), new(big.Int)
	text := ""
	for n.Sign() > 0 {
		n.DivMod(n, big.NewInt(58), digit)
		text = digits[digit.Int64():digit.Int64()+1] + text
	}
	return "z" + text
}

func TestPrivateKey(t *testing.T) {
	key, err := NewPrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	text, err := MarshalPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParsePrivateKey(text)
	if err != nil || !again.Equal(key) {
		t.Error(err)
	}
	public, err := ParsePublicKey(PublicPEM(key))
	if err != nil || !key.PublicKey.Equal(public) {
		t.Error(err)
	}
}

func TestParsePrivateKey_Refused(t *testing.T) {
	ed, err := x509.MarshalPKCS8PrivateKey(carolPrivate)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"empty":   "",
		"public":  PublicPEM(alicePrivate),
		"Ed25519": toPEM("PRIVATE KEY", ed),
		"PKCS #1": toPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(alicePrivate)),
		"L5 1024": smallPrivate(t),
	} {
		if key, err := ParsePrivateKey(text); err == nil || key != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func smallPrivate(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	text, err := MarshalPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
