package fedtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"afterword/federation/sign"
	"afterword/thread"
)

const (
	patience = 10 * time.Second // Mastodon's, with one answer
	maxBody  = 1 << 20
	accept   = activityJSON + `, application/ld+json; profile="https://www.w3.org/ns/activitystreams", text/html;q=0.1`
)

// StatusError is an answer that is no success.
type StatusError struct {
	URL    string
	Status int
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s answered %d %s", e.URL, e.Status, http.StatusText(e.Status))
}

// cached is a document and what it takes to ask whether it is still the same.
type cached struct {
	etag string
	doc  object
}

// get fetches a document by a signed GET. From a page it goes on to the document that the page names as its alternate,
// as searches do. Mastodon wants that to have the very id by which the page names it (PROTOCOL 1a).
func (s *Server) get(ctx context.Context, address string) (object, error) {
	doc, alternate, err := s.getOnce(ctx, address)
	if err != nil || doc != nil {
		return doc, err
	}
	if doc, _, err = s.getOnce(ctx, alternate); err == nil && doc == nil {
		err = errors.New("a page's alternate is a page")
	}
	if err == nil && s.software.name == "mastodon" && doc.str("id") != alternate {
		return nil, fmt.Errorf("a page's alternate is %s and calls itself %s", alternate, doc.str("id"))
	}
	return doc, err
}

func (s *Server) getOnce(ctx context.Context, address string) (doc object, alternate string, err error) {
	known := s.cached(address)
	resp, err := s.fetch(ctx, address, accept, known.etag)
	if err != nil {
		return nil, "", err
	}
	if resp.StatusCode == http.StatusNotModified {
		resp.Body.Close()
		return known.doc, "", nil
	}
	body, err := read(resp)
	if err != nil {
		return nil, "", err
	}
	kind := resp.Header.Get("Content-Type")
	if strings.HasPrefix(kind, "text/html") {
		alternate, err = alternateIn(body)
		return nil, alternate, err
	}
	if !strings.HasPrefix(kind, activityJSON) && !strings.HasPrefix(kind, "application/ld+json") {
		return nil, "", fmt.Errorf("%s is %s, not ActivityPub", address, kind)
	}
	if doc, err = parse(body); err == nil {
		s.keep(address, cached{resp.Header.Get("ETag"), doc})
	}
	return doc, "", err
}

// fetch sends a GET that is signed anew for each redirect. The answer is 200, or 304 if a tag was given.
func (s *Server) fetch(ctx context.Context, address, accept, etag string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", accept)
	if etag != "" {
		r.Header.Set("If-None-Match", etag)
	}
	signIt := func(r *http.Request) error { return s.instance.sign(r, nil, Envelope{}) }
	if err := signIt(r); err != nil {
		return nil, err
	}
	client := http.Client{Transport: s.Transport, Timeout: patience, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if len(via) > 3 {
			return errors.New("more than three redirects")
		}
		return signIt(r)
	}}
	resp, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	if ok := resp.StatusCode == http.StatusOK || etag != "" && resp.StatusCode == http.StatusNotModified; !ok {
		resp.Body.Close()
		return nil, &StatusError{address, resp.StatusCode}
	}
	return resp, nil
}

func read(resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	return io.ReadAll(io.LimitReader(resp.Body, maxBody))
}

func (s *Server) cached(address string) cached {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cache[address]
}

func (s *Server) keep(address string, c cached) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.etag != "" {
		s.cache[address] = c
	}
}

var (
	linkTag  = regexp.MustCompile(`(?i)<link\s[^>]*rel="?alternate\b[^>]*>`)
	linkHref = regexp.MustCompile(`(?i)\shref="?([^">\s]+)`)
)

func alternateIn(page []byte) (string, error) {
	for _, tag := range linkTag.FindAllString(string(page), -1) {
		if href := linkHref.FindStringSubmatch(tag); href != nil && strings.Contains(tag, activityJSON) {
			return html.UnescapeString(href[1]), nil
		}
	}
	return "", errors.New("a page without an ActivityPub alternate")
}

// actor is an account as its server describes it.
type actor struct {
	ID, Page, Inbox, Shared, Outbox string
	Handle                          string // "@blog@example.com"
}

// actor finds an account by its id, and remembers it.
func (s *Server) actor(ctx context.Context, id string) (actor, error) {
	s.mu.Lock()
	a, known := s.actors[id]
	s.mu.Unlock()
	if known {
		return a, nil
	}
	if p := s.owner(id); p != nil {
		return actor{ID: id, Page: s.address("profile", "{name}", p.Name), Inbox: id + "/inbox", Shared: s.Base + "/inbox", Handle: p.Handle()}, nil
	}
	d, err := s.get(ctx, id)
	if err != nil {
		return a, err
	}
	a = actor{ID: d.str("id"), Page: cmp.Or(d.id("url"), id), Inbox: d.id("inbox"), Outbox: d.id("outbox"), Handle: handleIn(d)}
	a.Shared = cmp.Or(d.obj("endpoints").id("sharedInbox"), a.Inbox)
	if !sameHost(a.ID, id) || a.Inbox == "" {
		return a, fmt.Errorf("%s is no account", id)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.actors[id] = a
	return a, nil
}

func handleIn(d object) string {
	return "@" + cmp.Or(d.str("webfinger"), d.str("preferredUsername")+"@"+hostOf(d.str("id"))) // FEP-2c59
}

// find finds an account by its id or by its handle, which WebFinger resolves.
func (s *Server) find(ctx context.Context, who string) (actor, error) {
	if strings.Contains(who, "://") {
		return s.actor(ctx, who)
	}
	who = strings.TrimPrefix(who, "@")
	_, host, _ := strings.Cut(who, "@")
	resp, err := s.fetch(ctx, s.scheme+"://"+host+"/.well-known/webfinger?resource=acct:"+who, "application/jrd+json", "")
	if err != nil {
		return actor{}, err
	}
	body, err := read(resp)
	if err != nil {
		return actor{}, err
	}
	jrd, err := parse(body)
	if err != nil {
		return actor{}, err
	}
	for _, link := range jrd.list("links") {
		if link := asObject(link); link.str("rel") == "self" && link.str("type") == activityJSON {
			return s.actor(ctx, link.str("href"))
		}
	}
	return actor{}, fmt.Errorf("WebFinger of %s names no actor", who)
}

// Lookup fetches a note by its id, or by the address of a page that names it, and what it answers as far up as the
// server does not know it.
func (s *Server) Lookup(ctx context.Context, address string) (Note, error) {
	found, err := s.resolve(ctx, address)
	for n, depth := found, 0; err == nil && n.InReplyTo != "" && depth < 20; depth++ {
		above, known := s.Note(n.InReplyTo)
		if !known {
			if above, err = s.resolve(ctx, n.InReplyTo); err != nil {
				return found, nil // its branch has no root, which is all that this means
			}
		}
		n = above
	}
	return found, err
}

// resolve fetches one note. What is called otherwise than where it was found is asked for by its own name.
func (s *Server) resolve(ctx context.Context, address string) (Note, error) {
	for range 2 {
		if n, known := s.Note(address); known && s.isLocal(address) {
			return n, nil
		}
		d, err := s.get(ctx, address)
		if err != nil {
			return Note{}, err
		}
		id := d.str("id")
		if id == address {
			return s.learn(d)
		}
		address = id
	}
	return Note{}, fmt.Errorf("%s has another id where it lives", address)
}

// learn keeps what a note's own server says of it.
func (s *Server) learn(d object) (Note, error) {
	n := noteOf(d)
	if s.isLocal(n.ID) || !sameHost(n.ID, n.Author) || n.Published.IsZero() {
		return n, fmt.Errorf("%q is no note of another server", n.ID)
	}
	s.save(n)
	return n, nil
}

// keyring fetches the keys of those who sign. It implements sign.KeySource.
type keyring struct{ s *Server }

func (k keyring) Key(ctx context.Context, id string, fresh bool) (sign.Key, bool, error) {
	k.s.mu.Lock()
	key, known := k.s.keys[id]
	k.s.mu.Unlock()
	if known && !fresh {
		return key, true, nil
	}
	d, err := k.s.get(ctx, id)
	if err != nil {
		return sign.Key{}, false, err
	}
	if key, err = keyIn(d, id); err != nil {
		return sign.Key{}, false, err
	}
	k.s.mu.Lock()
	defer k.s.mu.Unlock()
	k.s.keys[id] = key
	return key, false, nil
}

// ForgetKeys makes the server forget the keys of all others, as one does that was set up anew.
func (s *Server) ForgetKeys() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.keys)
}

// keyIn takes a key out of its owner's document.
func keyIn(d object, id string) (sign.Key, error) {
	for _, v := range d.list("publicKey") {
		if key := asObject(v); key.str("id") == id && key.str("owner") == d.str("id") {
			public, err := sign.ParsePublicKey(key.str("publicKeyPem"))
			return sign.Key{ID: id, Owner: thread.IRI(d.str("id")), Public: public}, err
		}
	}
	return sign.Key{}, &sign.Error{Kind: sign.Refused, Reason: "its owner does not list this key"}
}
