package wire

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"afterword/thread"
)

// FuzzResource: what is asked of WebFinger is answered for our own account alone, however it is spelled.
func FuzzResource(f *testing.F) {
	for _, s := range []string{"acct:blog@blog.example", "acct%3Ablog%40blog.example", "@blog@blog.example:443", "https://blog.example/.ap/actor#main-key", "acct:blog@evil.example", "acct:blog@blog.example/../x",
		"acct:blog＠blog.example", "acct:blog@xn--blg-0ra.example", "https://blog.example@evil.example/"} {
		f.Add(s)
	}
	b := testBlog()
	f.Fuzz(func(t *testing.T, resource string) {
		if !b.ResourceIsUs(resource) {
			return
		}
		plain := strings.ToLower(resource)
		if !ValidResource(resource) || !strings.Contains(plain, "%") && !strings.Contains(plain, "blog.example") && utf8.ValidString(plain) && isASCII(plain) {
			t.Errorf("%q is us", resource)
		}
		if b.ResourceIsUs(strings.ReplaceAll(resource, "blog.example", "evil.test")) && strings.Contains(resource, "blog.example") {
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
