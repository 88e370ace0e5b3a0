package sign

import (
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/dunglas/httpsfv"
)

// The keys of RFC 9421 B.1 and of draft-cavage-12 C.
const (
	testKeyRSA = `-----BEGIN RSA PUBLIC KEY-----
MIIBCgKCAQEAhAKYdtoeoy8zcAcR874L8cnZxKzAGwd7v36APp7Pv6Q2jdsPBRrw
WEBnez6d0UDKDwGbc6nxfEXAy5mbhgajzrw3MOEt8uA5txSKobBpKDeBLOsdJKFq
MGmXCQvEG7YemcxDTRPxAleIAgYYRjTSd/QBwVW9OwNFhekro3RtlinV0a75jfZg
kne/YiktSvLG34lw2zqXBDTC5NHROUqGTlML4PlNZS5Ri2U4aCNx2rUPRcKIlE0P
uKxI4T+HIaFpv8+rdV6eUgOrB2xeI1dSFFn/nnv5OoZJEIB+VmuKn3DCUcCZSFlQ
PSXSfBDiUGhwOw76WuSSsf1D4b/vLoJ10wIDAQAB
-----END RSA PUBLIC KEY-----`
	testKeyRSAPSS = `-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2
+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+
oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHq
gDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5W
Utzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4
aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI
2wIDAQAB
-----END PUBLIC KEY-----`
	testKeyEd25519 = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=
-----END PUBLIC KEY-----`
	testSharedSecret = `uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==`
	cavageTestKey    = `-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDCFENGw33yGihy92pDjZQhl0C3
6rPJj+CvfSC8+q28hxA161QFNUd13wuCTUcq0Qd2qsBe/2hFyc2DCJJg0h1L78+6
Z4UMR7EOcpfdUE9Hf3m/hs+FUR45uBJeDK1HSFHD8bHKD6kv8FPGfJTotc+2xjJw
oYi+1hqp1fIekaxsyQIDAQAB
-----END PUBLIC KEY-----`
)

// testRequest is the message of RFC 9421 B.2.
func testRequest(host string, lines ...string) request {
	return request{"POST", "/foo?param=Value&Pet=dog", append([]string{
		"Host: " + host,
		"Date: Tue, 20 Apr 2021 02:07:55 GMT",
		"Content-Type: application/json",
		"Content-Digest: sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
	}, lines...), `{"hello": "world"}`}
}

// TestVectorsRFC9421 builds the signature bases of the RFC's requests and holds them against its signatures, also for
// algorithms and covers that the door refuses. B.2.2 needs @query-param, which is not read; B.2.4 is a response.
func TestVectorsRFC9421(t *testing.T) {
	pss := func(base, sig []byte) bool {
		key, _ := ParsePublicKey(testKeyRSAPSS)
		sum := sha512.Sum512(base)
		return rsa.VerifyPSS(key.(*rsa.PublicKey), crypto.SHA512, sum[:], sig, nil) == nil
	}
	mac := func(base, sig []byte) bool {
		secret, _ := base64.StdEncoding.DecodeString(testSharedSecret)
		h := hmac.New(sha256.New, secret)
		h.Write(base)
		return hmac.Equal(h.Sum(nil), sig)
	}
	public := func(text string) func(base, sig []byte) bool {
		key, err := ParsePublicKey(text)
		if err != nil {
			t.Fatal(err)
		}
		return func(base, sig []byte) bool { return signedWith(key, base, sig) }
	}
	for _, c := range []struct {
		name, host       string
		input, signature string
		verify           func(base, sig []byte) bool
	}{
		{"B.2.1 rsa-pss-sha512, minimal", "example.com",
			`sig-b21=();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd"`,
			`sig-b21=:d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVrogUvA4HELjVKWmAvtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ98Xw9Q==:`, pss},
		{"B.2.3 rsa-pss-sha512, full", "example.com",
			`sig-b23=("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-rsa-pss"`,
			`sig-b23=:bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==:`, pss},
		{"B.2.5 hmac-sha256", "example.com",
			`sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"`,
			`sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:`, mac},
		{"B.2.6 ed25519", "example.com",
			`sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"`,
			`sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:`, public(testKeyEd25519)},
		{"4.3 rsa-v1_5-sha256, by a proxy", "origin.host.internal.example",
			`proxy_sig=("@method" "@authority" "@path" "content-digest" "content-type" "content-length" "forwarded");created=1618884480;keyid="test-key-rsa";alg="rsa-v1_5-sha256";expires=1618884540`,
			`proxy_sig=:S6ZzPXSdAMOPjN/6KXfXWNO/f7V6cHm7BXYUh3YD/fRad4BCaRZxP+JH+8XY1I6+8Cy+CM5g92iHgxtRPz+MjniOaYmdkDcnL9cCpXJleXsOckpURl49GwiyUpZ10KHgOEe11sx3G2gxI8S0jnxQB+Pu68U9vVcasqOWAEObtNKKZd8tSFu7LB5YAv0RAGhB8tmpv7sFnIm9y+7X5kXQfi8NMaZaA8i2ZHwpBdg7a6CMfwnnrtflzvZdXAsD3LH2TwevU+/PBPv0B6NMNk93wUs/vfJvye+YuI87HU38lZHowtznbLVdp770I6VHR6WfgS9ddzirrswsE1w5o0LV/g==:`, public(testKeyRSA)},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, _, err := parse(testRequest(c.host, "Forwarded: for=192.0.2.123;host=example.com;proto=https",
				"Signature-Input: "+c.input, "Signature: "+c.signature).bytes())
			if err != nil {
				t.Fatal(err)
			}
			label, input, err := signatureInput(r)
			if err != nil {
				t.Fatal(err)
			}
			claimed, err := claimOfInput(input)
			if err != nil {
				t.Fatal(err)
			}
			sig, err := labelledSignature(r, label)
			if err != nil {
				t.Fatal(err)
			}
			params, err := httpsfv.Marshal(input)
			if err != nil {
				t.Fatal(err)
			}
			base, err := message{r, "https", c.host, r.RequestURI}.signatureBase(claimed.covered, params)
			if err != nil || !c.verify([]byte(base), sig) {
				t.Errorf("%v, the base is\n%s", err, base)
			}
		})
	}
}

// TestVectorsCavage builds the signing strings of draft-cavage-12 C; its key is too short for the door.
func TestVectorsCavage(t *testing.T) {
	block, _ := pem.Decode([]byte(cavageTestKey))
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := parse(request{"POST", "/foo?param=value&pet=dog", []string{
		"Host: example.com",
		"Date: Sun, 05 Jan 2014 21:31:40 GMT",
		"Content-Type: application/json",
		"Digest: SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=",
	}, `{"hello": "world"}`}.bytes())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ headers, signature string }{
		"C.1 default": {"date", "SjWJWbWN7i0wzBvtPl8rbASWz5xQW6mcJmn+ibttBqtifLN7Sazz6m79cNfwwb8DMJ5cou1s7uEGKKCs+FLEEaDV5lp7q25WqS+lavg7T8hc0GppauB6hbgEKTwblDHYGEtbGmtdHgVCk9SuS13F0hZ8FD0k/5OxEPXe5WozsbM="},
		"C.2 basic":   {"(request-target) host date", "qdx+H7PHHDZgy4y/Ahn9Tny9V3GP6YgBPyUXMmoxWtLbHpUnXS2mg2+SbrQDMCJypxBLSPQR2aAjn7ndmw2iicw3HMbe8VfEdKFYRqzic+efkb3nndiv/x1xSHDJWeSWkx3ButlYSuBskLu6kd9Fswtemr3lgdDEmn04swr2Os0="},
		"C.3 all":     {"(request-target) host date content-type digest content-length", "vSdrb+dS3EceC9bcwHSo4MlyKS59iFIrhgYkz8+oVLEEzmYZZvRs8rgOp+63LEM3v+MFHB32NfpB2bEKBIvB1q52LaEUHFv120V01IL+TAD48XaERZFukWgHoBTLMhYS2Gb51gWxpeIq8knRmPnYePbF5MOkR0Zkly4zKH7s1dE="},
	} {
		text, err := (&claim{covered: strings.Fields(c.headers)}).cavageText(r, r.RequestURI)
		sig, _ := decodeSignature(c.signature)
		if err != nil || !signedWith(key, []byte(text), sig) {
			t.Errorf("%s: %v, the text is\n%s", name, err, text)
		}
	}
}
