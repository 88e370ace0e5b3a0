package wire

import (
	"encoding/json"
	"strings"
	"testing"

	"afterword/thread"
)

// FuzzResource: what is asked of WebFinger is answered for our own account alone, however it is spelled.
func FuzzResource(f *testing.F) {
	for _, s := range []string{"acct:blog@blog.example", "acct%3Ablog%40blog.example", "@blog@blog.example:443", "https://blog.example/.ap/actor#main-key", "acct:blog@evil.example", "acct:blog@blog.example/../x",
		"acct:blog＠blog.example", "acct:blog@xn--blg-0ra.example", "https://blog.example@evil.example/", "https://BLOG.example/?utm_source=blog.example",
		"https://blog.example/?utm_source=" + strings.Repeat("%61", thread.MaxIRI/2)} {
		f.Add(s)
	}
	b := testBlog()
	f.Fuzz(func(t *testing.T, resource string) {
		if !b.ResourceIsUs(resource) {
			return
		}
		if !ValidResource(resource) {
			t.Errorf("%q is us", resource)
		}
		plain := strings.ToLower(resource)
		if strings.Contains(plain, "%") || !isASCII(plain) { // the name is there, in another spelling
			return
		}
		if elsewhere := strings.ReplaceAll(plain, "blog.example", "evil.test"); elsewhere == plain || b.ResourceIsUs(elsewhere) {
			t.Errorf("%q is us, on any server", resource)
		}
	})
}

// FuzzAccount: what a document says about an account and its keys stays within bounds, and every id in it is one.
func FuzzAccount(f *testing.F) {
	for _, s := range []string{`"publicKey":{"id":"https://a.test/u#k","owner":"https://a.test/u","publicKeyPem":"x"}`, `"publicKey":[7,null,{"id":7},"https://a.test/k"]`, `"publicKeyPem":"x","owner":"https://a.test/u"`,
		`"assertionMethod":[{"id":"https://a.test/u#ed","type":"Multikey","controller":"https://a.test/u","publicKeyMultibase":"z6Mk"}]`, `"inbox":"https://a.test/in","endpoints":{"sharedInbox":"https://a.test/s"}`,
		`"icon":[{"type":"Image","url":[{"href":"https://a.test/i"}]}]`, `"webfinger":"acct:a@b.test"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, members []byte) {
		body := append(append([]byte(`{"id":"https://a.test/u","type":"Person","preferredUsername":"u",`), members...), '}')
		o, err := Parse(body)
		if err != nil {
			return
		}
		if !json.Valid(body) || o.Profile == nil && o.IsActor() {
			t.Fatalf("%q is read as %+v", body, o)
		}
		if o.Profile == nil {
			return
		}
		p := o.Profile
		if len(p.Keys) > 64 || len(p.AlsoKnownAs) > 64 {
			t.Errorf("%d keys, %d aliases", len(p.Keys), len(p.AlsoKnownAs))
		}
		ids := append([]thread.IRI{p.Inbox, p.SharedInbox, p.Followers, p.MovedTo}, p.AlsoKnownAs...)
		for _, key := range p.Keys {
			ids = append(ids, thread.IRI(key.ID), key.Owner)
		}
		for _, id := range ids {
			if again, err := thread.ParseIRI(string(id)); id != "" && (err != nil || again != id) {
				t.Errorf("%q is taken for an id: %v", id, err)
			}
		}
	})
}

// FuzzJRD: whatever another server's WebFinger says, what is read of it is an account and an id.
func FuzzJRD(f *testing.F) {
	for _, s := range []string{`{"subject":"acct:a@B.test:443","links":[{"rel":"self","type":"application/activity+json","href":"https://B.test/u"}]}`, `{"subject":"@a@bücher.test."}`, `{"subject":"a@b..","links":{}}`,
		`{"links":[7,{"rel":"self","type":"application/ld+json; profile=x","href":"https://a.test/ u"}]}`, `[]`, ``} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, jrd []byte) {
		account, self := ReadJRD(jrd)
		if account != "" && accountIn("acct:"+account) != account {
			t.Errorf("%q is %q is %q", jrd, account, accountIn("acct:"+account))
		}
		if self != "" && iri(string(self)) != self {
			t.Errorf("%q is taken for an id", self)
		}
	})
}
