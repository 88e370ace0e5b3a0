package sign

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"afterword/thread"
)

// The tests are named after the requirements of PROTOCOL section 11 that they hold.

func TestR032_AlgorithmsAndOrderOfHeaders(t *testing.T) {
	names := []string{"(request-target)", "host", "date", "digest", "content-type"}
	for _, algorithm := range []string{"rsa-sha256", "hs2019", ""} {
		for range names {
			names = append(names[1:], names[0])
			s := byAlice().as(algorithm).over(strings.Join(names, " "))
			if _, err := s.sign(post()).verify(t, everybody()); err != nil {
				t.Errorf("%q over %q: %v", algorithm, names, err)
			}
		}
	}
}

func TestR032_SpaceAndQuotesInTheHeader(t *testing.T) {
	header := byAlice().header(post())
	for _, h := range []string{
		strings.ReplaceAll(header, `",`, `", `),
		strings.ReplaceAll(header, `",`, "\" \t,\t "),
		strings.ReplaceAll(header, `algorithm="rsa-sha256"`, `algorithm=rsa-sha256`),
		strings.Replace(header, `keyId="`, `keyId = "`, 1),
		strings.ReplaceAll(header, "keyId", "KeyId"),
		strings.ReplaceAll(header, "host date", "Host DATE"),
	} {
		if _, err := post().and("Signature: "+h).verify(t, everybody()); err != nil {
			t.Errorf("%s: %v", h, err)
		}
	}
}

func TestR033_Window(t *testing.T) {
	for _, c := range []struct {
		age  time.Duration
		want Kind
	}{
		{0, accepted}, {time.Hour, accepted}, {65 * time.Minute, accepted}, {65*time.Minute + time.Second, Refused},
		{-time.Hour, accepted}, {-time.Hour - time.Second, Refused}, {12 * time.Hour, Refused},
	} {
		at := now.Add(-c.age)
		if _, err := byAlice().sign(post().at(at)).verify(t, everybody()); kindOf(t, err) != c.want {
			t.Errorf("Date %v ago: %v", c.age, err)
		}
		created := byAlice().as("hs2019").over("(request-target) host (created) digest").times(fmt.Sprint(at.Unix()), "")
		if _, err := created.sign(post()).verify(t, everybody()); kindOf(t, err) != c.want {
			t.Errorf("created %v ago: %v", c.age, err)
		}
		params := fmt.Sprintf(`;created=%d;keyid="%s"`, at.Unix(), aliceKey)
		if _, err := rfcByAlice().withParams(params).sign(rfcPost()).verify(t, everybody()); kindOf(t, err) != c.want {
			t.Errorf("rfc9421 created %v ago: %v", c.age, err)
		}
	}
}

func TestR034_SignedWithoutTheQuery(t *testing.T) {
	misskey := byAlice().over("(request-target) date host accept")
	sent := func(signed, target string) request {
		return retargeted(misskey.sign(get(signed)), "GET", target)
	}
	for _, c := range []struct {
		q    request
		want Kind
	}{
		{sent("/outbox", "/outbox?page=1"), accepted},
		{sent("/outbox?page=1", "/outbox?page=1"), accepted},
		{sent("/outbox?page=1", "/outbox?page=2"), Refused},
		{sent("/outbox?page=1", "/outbox"), Refused},
		{sent("/outbox", "/inbox?page=1"), Refused},
		{retargeted(byAlice().sign(post()), "POST", "/inbox?x"), accepted},
	} {
		if _, err := c.q.verify(t, everybody()); kindOf(t, err) != c.want {
			t.Errorf("%s: %v", c.q.target, err)
		}
	}
}

func TestR035_FormsOfKeyID(t *testing.T) {
	for _, id := range []string{alice + "#main-key", alice + "/main-key", alice + "/keys/1", alice, alice + "?key=1", "https://good.test/#k"} {
		keys := everybody()
		keys.origin[id] = Key{ID: id, Owner: alice, Public: alicePrivate.Public()}
		s, err := byAlice().named(id).sign(post()).verify(t, keys)
		if err != nil || s.Actor() != alice || s.KeyID() != id {
			t.Errorf("%s: %q, %v", id, s.Actor(), err)
		}
	}
}

func TestR037_RotatedKey(t *testing.T) {
	old := Key{ID: aliceKey, Owner: alice, Public: malloryPrivate.Public()} // any other key
	again := aliceKey + " again"
	down := errors.New("connection refused")
	for _, c := range []struct {
		name   string
		cached *Key
		change func(*keyring)
		want   Kind
		failed error
		asked  []string
	}{
		{"B57 cached old, document new", &old, nil, accepted, nil, []string{aliceKey, again}},
		{"B58 forged, cached key is still right", keyOf(alice), func(k *keyring) { k.origin[aliceKey] = old }, accepted, nil, []string{aliceKey}},
		{"B58 document has the same key", &old, func(k *keyring) { k.origin[aliceKey] = old }, Refused, nil, []string{aliceKey, again}},
		{"B58 asked a short while ago", &old, func(k *keyring) { k.down = map[string]error{aliceKey: ErrNoRefresh} }, Refused, nil, []string{aliceKey, again}},
		{"B58 key is gone", &old, func(k *keyring) { delete(k.origin, aliceKey) }, Refused, nil, []string{aliceKey, again}},
		{"B59 key's server is down", &old, func(k *keyring) { k.down = map[string]error{aliceKey: down} }, 0, down, []string{aliceKey, again}},
		{"B59 not cached, server is down", nil, func(k *keyring) { k.down = map[string]error{aliceKey: down} }, 0, down, []string{aliceKey}},
		{"B59 not cached, no such key", nil, func(k *keyring) { delete(k.origin, aliceKey) }, Refused, nil, []string{aliceKey}},
		{"fetched just now, does not fit", nil, func(k *keyring) { k.origin[aliceKey] = old }, Refused, nil, []string{aliceKey}},
	} {
		t.Run(c.name, func(t *testing.T) {
			keys := everybody()
			if c.cached != nil {
				keys.cached = map[string]Key{aliceKey: *c.cached}
			}
			if c.change != nil {
				c.change(keys)
			}
			s, err := byAlice().sign(post()).verify(t, keys)
			if c.failed != nil {
				if !errors.Is(err, c.failed) {
					t.Errorf("got %v, want %v", err, c.failed)
				}
			} else if kindOf(t, err) != c.want {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if (err == nil) != (s.Actor() == alice) {
				t.Errorf("error %v and sender %q", err, s.Actor())
			}
			if !slices.Equal(keys.asked, c.asked) {
				t.Errorf("asked %q, want %q", keys.asked, c.asked)
			}
		})
	}
}

func keyOf(owner thread.IRI) *Key {
	return &Key{ID: string(owner) + "#main-key", Owner: owner, Public: alicePrivate.Public()}
}

func TestR040_RFC9421(t *testing.T) {
	s, err := rfcByAlice().sign(rfcPost()).verify(t, everybody())
	if err != nil || s.Actor() != alice {
		t.Errorf("%q, %v", s.Actor(), err)
	}
	s, err = rfcByAlice().over(`"@method" "@target-uri"`).sign(get("/outbox?page=1")).verify(t, everybody())
	if err != nil || s.Actor() != alice {
		t.Errorf("GET: %q, %v", s.Actor(), err)
	}
}

func TestR041_ErrorsAreShortAndPlain(t *testing.T) {
	long := strings.Repeat("x", 4000)
	for _, q := range []request{
		byAlice().as(long).sign(post()),
		byAlice().over("(request-target) host date digest " + long).sign(post()),
		byAlice().sign(post().with("Host", long)),
		byAlice().sign(retargeted(post(), long, "/inbox")),
		post().and("Signature: " + long + "=1," + long + "=1"),
		byAlice().as("a\x01\xffb").sign(post()),
	} {
		_, err := q.verify(t, everybody())
		if kindOf(t, err) == accepted || len(err.Error()) > 200 || strings.ContainsAny(err.Error(), "\x01\n") || !utf8.ValidString(err.Error()) {
			t.Errorf("%.300q", err)
		}
	}
}

// TestPeers has the shapes in which servers sign (PROTOCOL 1f and section 9), with our keys.
func TestPeers(t *testing.T) {
	type peer struct {
		name string
		q    request
	}
	rfc := func(components, params string) request {
		return rfcByAlice().over(components).withParams(fmt.Sprintf(params, aliceKey, now.Unix())).sign(rfcPost())
	}
	a := byAlice()
	for _, p := range []peer{
		{"Mastodon", a.over("host date digest content-type (request-target)").sign(post())},
		{"Mastodon, fetch", a.over("host date accept (request-target)").sign(get("/outbox?page=true"))},
		{"Mastodon 4.5, second try", rfc(`"@method" "@target-uri" "content-digest"`, `;keyid="%s";created=%d`)},
		{"GoToSocial", a.as("hs2019").named(alice + "/main-key").over("(request-target) host date digest").sign(post())},
		{"GoToSocial, fetch", a.as("hs2019").named(alice + "/main-key").over("(request-target) host date").sign(get("/outbox?page=true"))},
		{"Misskey", a.over("(request-target) date host digest").sign(post())},
		{"Misskey, fetch", retargeted(a.over("(request-target) date host accept").sign(get("/outbox")), "GET", "/outbox?page=true")},
		{"Pleroma", a.over("(request-target) content-length date digest host").sign(post())},
		{"Lemmy", a.as("hs2019").over("(request-target) content-type date digest host").sign(post())},
		{"PeerTube", a.over("(request-target) host date digest content-type").sign(post())},
		{"Pixelfed", a.over("(request-target) date host user-agent digest content-type").sign(post())},
		{"WordPress", a.over("(request-target) host date digest").sign(post())},
		{"Fedify", a.over("(request-target) content-type date digest host user-agent").sign(post())},
		{"Fedify, first knock", rfc(`"@method" "@target-uri" "@authority" "host" "date" "content-digest"`, `;alg="rsa-v1_5-sha256";keyid="%s";created=%d`)},
		{"hs2019 as the draft has it", a.as("hs2019").over("(request-target) (created) (expires) host digest").
			times(fmt.Sprint(now.Unix()), fmt.Sprint(now.Add(time.Minute).Unix())).sign(post())},
		{"Digest in lower case", a.sign(post().with("Digest", "sha-256"+Digest([]byte(post().body))[7:]))},
	} {
		t.Run(p.name, func(t *testing.T) {
			keys := everybody()
			keys.origin[alice+"/main-key"] = Key{ID: alice + "/main-key", Owner: alice, Public: alicePrivate.Public()}
			if s, err := p.q.verify(t, keys); err != nil || s.Actor() != alice {
				t.Errorf("%q, %v", s.Actor(), err)
			}
		})
	}
}
