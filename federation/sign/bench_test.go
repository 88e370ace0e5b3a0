package sign

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// BenchmarkVerify checks deliveries of 1.6 kB, already parsed by net/http. Each round also does what cannot be saved,
// one bare RSA verification, so that both meet the same noise: ×bare is the ratio of the medians, own-ns the difference.
func BenchmarkVerify(b *testing.B) {
	body := strings.Repeat("x", 1600)
	withDigest := post().withBody(body).with("Digest", Digest([]byte(body)))
	withContentDigest := rfcPost().withBody(body).with("Content-Digest", contentDigest([]byte(body)))
	b.Run("cavage", func(b *testing.B) { benchmarkVerify(b, byAlice().sign(withDigest)) })
	b.Run("rfc9421", func(b *testing.B) { benchmarkVerify(b, rfcByAlice().sign(withContentDigest)) })
}

func benchmarkVerify(b *testing.B, q request) {
	r, body, err := parse(q.bytes())
	if err != nil {
		b.Fatal(err)
	}
	o := Options{Host: "blog.test", Scheme: "https", Now: now, Keys: constantKey{}}
	sum := sha256.Sum256([]byte("text"))
	sig, err := rsa.SignPKCS1v15(nil, alicePrivate, crypto.SHA256, sum[:])
	if err != nil {
		b.Fatal(err)
	}
	var bare, whole []time.Duration
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		bareErr := rsa.VerifyPKCS1v15(&alicePrivate.PublicKey, crypto.SHA256, sum[:], sig)
		middle := time.Now()
		_, err := Verify(r, body, o)
		bare, whole = append(bare, middle.Sub(start)), append(whole, time.Since(middle))
		if bareErr != nil || err != nil {
			b.Fatal(bareErr, err)
		}
	}
	slices.Sort(bare)
	slices.Sort(whole)
	x, y := float64(bare[len(bare)/2]), float64(whole[len(whole)/2])
	b.ReportMetric(x, "bare-ns")
	b.ReportMetric(y/x, "×bare")
	b.ReportMetric(y-x, "own-ns")
}

func BenchmarkKeyIDOf(b *testing.B) {
	r, _, err := parse(byAlice().sign(post()).bytes())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := KeyIDOf(r); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSign makes the two signatures of one delivery; "bare RSA" is what cannot be saved.
func BenchmarkSign(b *testing.B) {
	body := []byte(strings.Repeat("x", 1600))
	sum := sha256.Sum256(body)
	r, err := http.NewRequest("POST", "https://blog.test/inbox", nil)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/activity+json")
	for name, signIt := range map[string]func() error{
		"bare RSA": func() error {
			_, err := rsa.SignPKCS1v15(nil, alicePrivate, crypto.SHA256, sum[:])
			return err
		},
		"cavage":  func() error { return us.Sign(r, body, now) },
		"rfc9421": func() error { return us.SignRFC9421(r, body, now) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := signIt(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// constantKey knows alice only.
type constantKey struct{}

func (constantKey) Key(context.Context, string, bool) (Key, bool, error) {
	return Key{ID: aliceKey, Owner: alice, Public: &alicePrivate.PublicKey}, true, nil
}

// BenchmarkHostile refuses headers as long as are read, of the shapes that could cost most.
func BenchmarkHostile(b *testing.B) {
	fill := func(before, s, after string) string {
		return before + strings.Repeat(s, (maxHeader-len(before)-len(after))/len(s)) + after
	}
	for name, lines := range map[string][2]string{
		"names":      {"Signature", fill(`keyId="https://good.test/u",signature="AAAA",headers="`, "a ", `"`)},
		"parameters": {"Signature", fill("", `a="",`, "")},
		"quotes":     {"Signature", fill("", `"`, "")},
		"spaces":     {"Signature", fill("", " ", `a=b`)},
		"members":    {"Signature-Input", fill("", "a=(),", "a=()")},
		"components": {"Signature-Input", fill("a=(", `"a" `, `);keyid="https://good.test/u";created=1`)},
		"params":     {"Signature-Input", fill("a=()", ";a", "")},
		"bytes":      {"Signature-Input", fill("a=:", "A", ":")},
	} {
		b.Run(name, func(b *testing.B) {
			r, body, err := parse(post().and(lines[0] + ": " + lines[1]).bytes())
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(lines[1])))
			for b.Loop() {
				if _, err := Verify(r, body, Options{Host: "blog.test", Scheme: "https", Now: now, Keys: constantKey{}}); err == nil {
					b.Fatal("accepted")
				}
			}
		})
	}
}
