package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/publicsuffix"

	"afterword/fetch"
	"afterword/thread"
)

// Where an account's own server lets its user reply to something or follow somebody (PROTOCOL 7). The server is asked
// by WebFinger, through the guarded client and seldom; what it says is kept for a while in memory. Nothing here ever
// redirects: the address is an answer to a script of ours, or a link whose host the reader sees.

var (
	badAccount  = problem{http.StatusBadRequest, "bad_account"}
	badTemplate = problem{http.StatusBadRequest, "bad_template"}
	refusedHost = problem{http.StatusBadRequest, "refused_host"}
	noAnswer    = problem{http.StatusBadGateway, "no_answer"}
)

// What a server's WebFinger answer offers, best first.
var (
	toReply  = []string{"https://w3id.org/fep/3b86/Object", "http://ostatus.org/schema/1.0/subscribe"}
	toFollow = []string{"https://w3id.org/fep/3b86/Follow", "http://ostatus.org/schema/1.0/subscribe"}
)

// home is what is known of an account's server.
type home struct {
	scheme    string
	templates map[string]string // by rel
	hosts     []string          // that speak for the account: its own, and that of its actor
	until     time.Time
}

func (h *home) size() int { return 8 << 10 }

// keepHome is how long a server's answer is believed.
const keepHome = 10 * time.Minute

// interactURL is the page of the account's server on which its user can reply to, or follow, what has this id.
func (s *Server) interactURL(ctx context.Context, a fetch.Account, id string, rels []string) (string, error) {
	h, err := s.home(ctx, a)
	if err != nil {
		return "", err
	}
	for _, rel := range rels {
		template := h.templates[rel]
		if len(template) > thread.MaxIRI {
			return "", badTemplate
		}
		if strings.Contains(template, "{uri}") || strings.Contains(template, "{object}") {
			return s.expand(template, id, h.hosts)
		}
	}
	return h.scheme + "://" + a.Host + "/authorize_interaction?uri=" + url.QueryEscape(id), nil
}

var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

// expand fills in a template. It must lead to a host that speaks for the account, or anybody's account could send
// readers anywhere with our word for it (SECURITY I5).
func (s *Server) expand(template, id string, hosts []string) (string, error) {
	address := placeholder.ReplaceAllStringFunc(template, func(name string) string {
		if name == "{uri}" || name == "{object}" {
			return url.QueryEscape(id)
		}
		return ""
	})
	u, err := url.Parse(address)
	if err != nil || s.Fetch.Check(address) != nil {
		return "", badTemplate
	}
	for _, host := range hosts {
		if sameSite(u.Host, host) {
			return address, nil
		}
	}
	return "", badTemplate
}

// sameSite tells whether one owner stands behind two hosts: the part of the name that is registered is the same.
func sameSite(a, b string) bool {
	if strings.EqualFold(a, b) {
		return true
	}
	one, err := publicsuffix.EffectiveTLDPlusOne(bareHost(a))
	other, otherErr := publicsuffix.EffectiveTLDPlusOne(bareHost(b))
	return err == nil && otherErr == nil && one == other && net.ParseIP(bareHost(a)) == nil
}

func bareHost(host string) string {
	name, _, _ := strings.Cut(strings.ToLower(host), ":")
	return name
}

// home asks an account's server, unless it did so not long ago or too many were asked. A server that does not say how
// it is done is one that most likely does it as Mastodon does.
func (s *Server) home(ctx context.Context, a fetch.Account) (*home, error) {
	if h, _ := s.cache.get(a).(*home); h != nil && s.Now().Before(h.until) {
		return h, nil
	}
	if s.Fetch.Check("https://"+a.Host+"/") != nil {
		return nil, refusedHost
	}
	unknown := &home{scheme: "https"}
	if !s.lookups.allow(a.Host, s.Now()) {
		return unknown, nil
	}
	h, err := s.ask(ctx, a)
	var e *fetch.Error
	if !errors.As(err, &e) {
		s.cache.put(a, h)
		return h, nil
	}
	switch e.Kind {
	case fetch.Forbidden:
		return nil, refusedHost
	case fetch.Unreachable:
		return nil, noAnswer
	}
	unknown.scheme = schemeOf(e.URL)
	return unknown, nil
}

func schemeOf(address string) string {
	scheme, _, _ := strings.Cut(address, "://")
	return scheme
}

// ask reads an account's WebFinger answer (RFC 7033).
func (s *Server) ask(ctx context.Context, a fetch.Account) (*home, error) {
	doc, err := s.Fetch.WebFinger(ctx, a, fetch.Get{Stranger: true})
	if err != nil {
		return nil, err
	}
	h := &home{scheme: schemeOf(doc.URL), templates: map[string]string{}, hosts: []string{a.Host}, until: s.Now().Add(keepHome)}
	var jrd struct {
		Links []struct{ Rel, Href, Template string }
	}
	if json.Unmarshal(doc.Body, &jrd) != nil {
		return h, nil
	}
	s.Fetch.Vouch(h.scheme + "://" + a.Host)
	for _, link := range jrd.Links[:min(len(jrd.Links), 64)] {
		switch link.Rel {
		case toReply[0], toReply[1], toFollow[0]:
			if link.Template == "" { // FEP-3b86 says href, Mastodon template
				link.Template = link.Href
			}
			h.templates[link.Rel] = link.Template[:min(len(link.Template), thread.MaxIRI+1)]
		case "self":
			h.hosts = append(h.hosts, thread.IRI(link.Href).Host())
		}
	}
	return h, nil
}

// lookups is how many servers are asked in a minute: over that, readers get the address that most servers understand.
type lookups struct {
	mu     sync.Mutex // guards what follows
	minute time.Time
	hosts  map[string]int
	all    int
}

const (
	maxLookups     = 60
	maxHostLookups = 5 // half of what package fetch lets strangers ask of one server
)

func (l *lookups) allow(host string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m := now.Truncate(time.Minute); !m.Equal(l.minute) {
		l.minute, l.hosts, l.all = m, map[string]int{}, 0
	}
	if l.all >= maxLookups || l.hosts[host] >= maxHostLookups {
		return false
	}
	l.all++
	l.hosts[host]++
	return true
}

// interact answers our script. A page that a browser loads before anybody asked for it makes us ask nobody.
func (s *Server) interact(w http.ResponseWriter, r *http.Request) {
	var found interaction
	err := error(problem{http.StatusForbidden, "prefetch"})
	if !strings.Contains(r.Header.Get("Sec-Purpose"), "prefetch") && r.Header.Get("Purpose") != "prefetch" {
		found, err = s.interaction(r.Context(), r.URL.Query())
	}
	if err != nil {
		s.fail(w, r, asJSON, err)
		return
	}
	var b bytes.Buffer
	writeJSON(&b, found)
	s.once(w, asJSON, b.Bytes())
}

// interaction is where somebody can reply, and the server of the account that was typed, for a browser to remember.
type interaction struct {
	URL    string `json:"url"`
	Server string `json:"server"`
}

// interaction is where the account of a form can reply to, or follow, what the form is about.
func (s *Server) interaction(ctx context.Context, form url.Values) (interaction, error) {
	a, err := fetch.ParseAccount(form.Get("account"))
	if err != nil {
		return interaction{}, badAccount
	}
	about, err := s.subject(ctx, form.Get("uri"))
	if err != nil {
		return interaction{}, err
	}
	rels := toReply
	if about.follow {
		rels = toFollow
	}
	address, err := s.interactURL(ctx, a, about.id, rels)
	return interaction{address, a.Host}, err
}
