// Package fedtest is a small fediverse: the strangers' servers that the blog's server meets, in miniature. Tests run
// them in memory (Network), `afterword demo` on loopback ports, where each has a page from which one can follow, reply,
// edit, delete, like and boost.
//
// It is real where the two sides touch. Requests are parsed as from the wire, every request is signed and every
// signature is checked with real RSA keys, and what is sent has the shape that Mastodon, GoToSocial, Misskey, Lemmy or NodeBB give it
// (PROTOCOL 1, 2a, 5). It reads the blog's documents with its own few lines, not with package wire, so that both sides
// cannot share a mistake.
//
// It is not a server to live on: all is in memory and ends with the process, nobody logs in, nothing is sent twice, and
// of what arrives it only understands what one sees on its page. It imports nothing of the blog's server but sign,
// sanitize and thread.
package fedtest

import (
	"cmp"
	"context"
	"crypto/rsa"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"afterword/federation/sign"
)

// Options of a Server.
type Options struct {
	Base      string                // "https://alpha.test" or "http://localhost:8081"
	Name      string                // on its page; empty: its host
	Software  string                // how it speaks: "mastodon", also when empty, "gotosocial", "misskey", "lemmy" or "nodebb"
	People    []string              // the accounts it begins with
	Blog      string                // the account, as handle or URL, that its page is about; may be empty
	Transport http.RoundTripper     // its way out; nil: http.DefaultTransport
	Now       func() time.Time      // nil: time.Now
	Wait      func(context.Context) // how long it is Slow; nil: five seconds
}

// Server is one stranger's server. Its methods may be called at any time from anywhere; it never holds its lock while
// it sends.
type Server struct {
	Options
	software software
	scheme   string
	host     string
	instance *Person // whose key signs GETs

	mu       sync.Mutex // guards what follows, and the people's fields that are not exported
	mood     Mood
	serial   int64
	people   []*Person
	notes    map[string]Note // by id: its people's, and what it knows of others'
	actors   map[string]actor
	keys     map[string]sign.Key
	cache    map[string]cached
	received []Delivery
	notice   string // for whoever looks at the page next
}

// NewServer makes a server in good mood.
func NewServer(o Options) (*Server, error) {
	speaks, ok := softwares[cmp.Or(o.Software, "mastodon")]
	if !ok {
		return nil, fmt.Errorf("fedtest does not speak like %q", o.Software)
	}
	u, err := url.Parse(o.Base)
	if err != nil || u.Host == "" || o.Base != u.Scheme+"://"+u.Host {
		return nil, fmt.Errorf("fedtest: base %q is more or less than a scheme and a host", o.Base)
	}
	o.Name = cmp.Or(o.Name, u.Host)
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Wait == nil {
		o.Wait = fiveSeconds
	}
	s := &Server{Options: o, software: speaks, scheme: u.Scheme, host: u.Host, mood: Well,
		notes: map[string]Note{}, actors: map[string]actor{}, keys: map[string]sign.Key{}, cache: map[string]cached{}}
	s.serial = o.Now().UnixMilli() << 16 // so that ids differ when a server is started anew
	s.instance = s.Person("instance.actor")
	for _, name := range o.People {
		s.Person(name)
	}
	return s, nil
}

// Person is the account of that name, made if there is none.
func (s *Server) Person(name string) *Person {
	if p := s.person(func(p *Person) bool { return p.Name == name }); p != nil {
		return p
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	kind := "person"
	if name == s.software.group {
		kind = "group"
	}
	p := &Person{Name: name, ID: s.address(kind, "{name}", name), server: s, deeds: map[string]deed{}, followers: map[string]string{}}
	s.people = append(s.people, p)
	return p
}

// person is the first account of which that is true, or nil.
func (s *Server) person(is func(*Person) bool) *Person {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.people {
		if is(p) {
			return p
		}
	}
	return nil
}

func (s *Server) owner(actor string) *Person {
	return s.person(func(p *Person) bool { return p.ID == actor })
}

// Note is what the server keeps under that id: a note of its own people, or one that it received or looked up.
func (s *Server) Note(id string) (n Note, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, known = s.notes[id]
	return n, known
}

func (s *Server) save(n Note) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes[n.ID] = n
}

// change changes the note as it is now.
func (s *Server) change(id string, how func(*Note)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n, ok := s.notes[id]; ok {
		how(&n)
		s.notes[id] = n
	}
}

// next is a number that was not used before, as the software writes it into ids.
func (s *Server) next() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial++
	return s.software.serial(s.serial)
}

// address fills in one of the software's patterns.
func (s *Server) address(pattern string, pairs ...string) string {
	return strings.NewReplacer(append(pairs, "{base}", s.Base)...).Replace(s.software.addresses[pattern])
}

// isLocal tells whether an id or address is on this server.
func (s *Server) isLocal(id string) bool { return strings.HasPrefix(id, s.Base+"/") }

// keyPairs are made when first used and kept for the process: making one takes a tenth of a second, and every test has
// an alice.
var keyPairs sync.Map // name to func() *rsa.PrivateKey

func keyPair(name string) *rsa.PrivateKey {
	pair, _ := keyPairs.LoadOrStore(name, sync.OnceValue(func() *rsa.PrivateKey {
		key, err := sign.NewPrivateKey()
		if err != nil {
			panic(err) // without randomness
		}
		return key
	}))
	return pair.(func() *rsa.PrivateKey)()
}
