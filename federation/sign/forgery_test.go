package sign

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"testing"
)

var (
	mutations = flag.Int("mutations", usualMutations(), "signed requests that TestP2 changes")
	seed      = flag.Uint64("seed", 1, "seed of TestP2's changes")
)

// usualMutations are few where somebody waits for them, and a hundred thousand in CI.
func usualMutations() int {
	if os.Getenv("AFTERWORD_TEST_ALL") == "1" {
		return 100_000
	}
	return 20_000
}

// TestP2_NoForgery is promise P2 of SECURITY section 2: no signed request is accepted after a change of one to three
// bytes in its method, target, host, date, digest, body or signature, or in the order of what is signed.
//
//	go test -run P2 -mutations 1000000 -seed 7
func TestP2_NoForgery(t *testing.T) {
	rng := rand.New(rand.NewPCG(*seed, 0))
	keys := everybody()
	originals := signedRequests()
	for _, q := range originals {
		if _, err := q.verify(t, keys); err != nil {
			t.Fatal(err)
		}
	}
	tried := map[string]int{}
	for tried["all"] < *mutations {
		q := originals[rng.IntN(len(originals))]
		forged, what := forge(rng, q)
		r, body, err := parse(forged.bytes())
		if err == nil && sameMeaning(t, q, r, body) {
			continue
		}
		tried["all"]++
		tried[what]++
		if err != nil {
			continue // net/http will not have it
		}
		s, err := Verify(r, body, Options{Host: "blog.test", Scheme: "https", Now: now, Keys: keys})
		if err == nil || s.Actor() != "" {
			t.Fatalf("accepted as %s, with another %s:\n%s", s.Actor(), what, forged.bytes())
		}
	}
	t.Log(tried)
}

func signedRequests() []request {
	fetch := byAlice().over("(request-target) host date accept")
	carolParams := fmt.Sprintf(`;created=%d;keyid="%s";alg="ed25519"`, now.Unix(), carolKey)
	return []request{
		byAlice().sign(post()),
		byAlice().with(carolPrivate).named(carolKey).as("hs2019").sign(post()),
		fetch.sign(get("/outbox?page=1")),
		rfcByAlice().sign(rfcPost().with("Date", "")), // a Date that is not signed may be any near one
		rfcSigner{rfcByAlice().components, carolParams, carolPrivate}.sign(rfcPost().with("Date", "")),
		rfcByAlice().over(`"@method" "@authority" "@path" "@query" "date" "content-digest"`).sign(retargeted(rfcPost(), "POST", "/inbox?a=b")),
	}
}

// forge changes one part of a signed request and tells which.
func forge(rng *rand.Rand, q request) (request, string) {
	q.lines = append([]string(nil), q.lines...)
	digest := "Digest"
	if q.value(digest) == "" {
		digest = "Content-Digest"
	}
	switch rng.IntN(8) {
	case 0:
		q.method = change(rng, q.method, false)
		return q, "method"
	case 1:
		q.target = change(rng, q.target, false)
		return q, "target"
	case 2:
		return q.changed("Host", func(v string) string { return change(rng, v, false) }), "host"
	case 3:
		return q.changed("Date", func(v string) string { return change(rng, v, false) }), "date"
	case 4:
		return q.changed(digest, func(v string) string { return change(rng, v, false) }), "digest"
	case 5:
		q.body = change(rng, q.body, false)
		return q, "body"
	case 6:
		return q.changed("Signature", func(v string) string { return changeSignature(rng, v) }), "signature"
	}
	return q.reordered(rng), "order"
}

// change changes one to three bytes: others in their place, one more or one less.
func change(rng *rand.Rand, s string, keepLength bool) string {
	b := []byte(s)
	for range 1 + rng.IntN(3) {
		i := rng.IntN(len(b) + 1)
		switch how := rng.IntN(3); {
		case how == 1 && !keepLength:
			b = bytes.Join([][]byte{b[:i], {anyByte(rng)}, b[i:]}, nil)
		case i == len(b):
		case how == 2 && !keepLength:
			b = bytes.Join([][]byte{b[:i], b[i+1:]}, nil)
		default:
			b[i] = anyByte(rng)
		}
	}
	return string(b)
}

// anyByte is mostly one that requests are made of.
func anyByte(rng *rand.Rand) byte {
	if rng.IntN(8) == 0 {
		return byte(rng.IntN(256))
	}
	return byte(' ' + rng.IntN(95))
}

// changeSignature changes the signature itself, in draft-cavage the last parameter.
func changeSignature(rng *rand.Rand, v string) string {
	i := strings.Index(v, `signature="`)
	if i < 0 {
		return change(rng, v, false)
	}
	i += len(`signature="`)
	return v[:i] + change(rng, v[i:len(v)-1], false) + `"`
}

func (q request) changed(name string, change func(string) string) request {
	for i, line := range q.lines {
		if hasName(line, name) {
			q.lines[i] = name + ": " + change(q.value(name))
		}
	}
	return q
}

// reordered swaps two names in the list of what is signed, or changes any bytes of Signature-Input. A byte more or less
// there could be white space or a leading zero, which means the same.
func (q request) reordered(rng *rand.Rand) request {
	if q.value("Signature-Input") != "" && rng.IntN(2) == 0 {
		return q.changed("Signature-Input", func(v string) string { return change(rng, v, true) })
	}
	swap := func(v string) string {
		from := strings.Index(v, `headers="`) + len(`headers="`)
		to := from + strings.Index(v[from:], `"`)
		if strings.HasPrefix(v, "sig1=(") {
			from, to = len("sig1=("), strings.Index(v, ")")
		}
		names := strings.Fields(v[from:to])
		i, j := rng.IntN(len(names)), rng.IntN(len(names))
		names[i], names[j] = names[j], names[i]
		return v[:from] + strings.Join(names, " ") + v[to:]
	}
	if q.value("Signature-Input") != "" {
		return q.changed("Signature-Input", swap)
	}
	return q.changed("Signature", swap)
}

// sameMeaning tells whether a changed request is, once read, the one that was signed: white space around a value is not
// part of it, and a query may be added to a target that was signed without one (PROTOCOL 34).
func sameMeaning(t *testing.T, q request, r *http.Request, body []byte) bool {
	t.Helper()
	original, originalBody, err := parse(q.bytes())
	if err != nil {
		t.Fatal(err)
	}
	target, _, _ := strings.Cut(r.RequestURI, "?")
	isCavage := len(r.Header["Signature-Input"]) == 0
	return r.Method == original.Method && r.Host == original.Host && bytes.Equal(body, originalBody) &&
		(r.RequestURI == original.RequestURI || isCavage && target == original.RequestURI) &&
		fmt.Sprint(r.Header) == fmt.Sprint(original.Header)
}
