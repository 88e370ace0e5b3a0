package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"afterword/config"
	"afterword/feed"
	"afterword/fetch"
	"afterword/thread"
)

// names looks the hosts up.
func (e *examination) names() finding {
	if e.w.Transport != nil { // a network in memory has no names
		return finding{}
	}
	var found []string
	for _, host := range []string{hostOf(e.cfg.BaseURL), hostOf(e.cfg.Blog.URL), hostOf("https://" + e.cfg.Blog.AccountDomain)} {
		if slices.ContainsFunc(found, func(line string) bool { return strings.HasPrefix(line, host+" ") }) {
			continue
		}
		ips, err := net.DefaultResolver.LookupNetIP(e.ctx, "ip", host)
		if err != nil {
			return failed("names", "Point "+host+" at this server, or at the blog's hosting, in your DNS.", "%s has no address: %v", host, err)
		}
		found = append(found, host+" is at "+listed(ips))
		if private := slices.IndexFunc(ips, func(ip netip.Addr) bool { return ip.IsPrivate() || ip.IsLoopback() }); private >= 0 && !e.cfg.Federation.AllowPrivate {
			return advice("names", "Look it up from elsewhere. If that is this machine's own view (/etc/hosts), the checks below cannot pass from here: run\ndoctor on another machine with a copy of the configuration.",
				"%s is at the private address %s, seen from here", host, ips[private].Unmap())
		}
	}
	return ok("names", "%s", strings.Join(found, ", "))
}

func listed(ips []netip.Addr) string {
	var texts []string
	for _, ip := range ips[:min(len(ips), 3)] {
		texts = append(texts, ip.Unmap().String())
	}
	return strings.Join(texts, " and ")
}

// get asks as anybody.
func (e *examination) get(url, accept string) (*fetch.Document, error) {
	return e.client.Get(e.ctx, fetch.Get{URL: url, Accept: accept, Fresh: true})
}

func (e *examination) server() finding {
	asked := e.cfg.BaseURL + "/healthz"
	doc, err := e.get(asked, "*/*")
	e.away = err != nil || strings.TrimSpace(string(doc.Body)) != "ok"
	switch {
	case err != nil:
		return failed("server", e.reach(err, hostOf(e.cfg.BaseURL)), "%v", err)
	case e.away:
		return failed("server", "Hand it over to Afterword, which listens on "+e.cfg.Listen+":\n"+proxyLines(e.cfg), "something else answers at %s", e.cfg.BaseURL)
	case doc.URL != asked:
		return failed("server", "Other servers follow no redirect with what they send. Let the web server answer there itself, or, while nobody follows yet,\n"+
			"write the address that it redirects to into the configuration (base_url).", "%s redirects to %s", asked, doc.URL)
	}
	return ok("server", "%s answers", e.cfg.BaseURL)
}

// reach is what to do when a host that should hand requests over to us gives no answer of ours.
func (e *examination) reach(err error, host string) string {
	var refused *fetch.Error
	errors.As(err, &refused)
	switch text := err.Error(); {
	case strings.Contains(text, "x509") || strings.Contains(text, "tls:"):
		return "Give " + host + " a certificate that everybody trusts, with the whole chain. Caddy does so by itself; for nginx and Apache: certbot."
	case refused != nil && (refused.Status == http.StatusBadGateway || refused.Status == http.StatusGatewayTimeout):
		return "The web server is there, and Afterword behind it is not. Is it running (afterword serve)? It listens on " + e.cfg.Listen + "."
	case challenged(refused):
		return "A login, a firewall or a CDN's check for browsers answers in place of Afterword. Other servers are no browsers: let " + e.cfg.Prefix() + "/* and\n" +
			wellKnown + " of " + host + " through without one (Cloudflare: a WAF rule that skips everything for them, and no Bot Fight Mode)."
	}
	return "Is it running (afterword serve)? Does the web server hand requests over? Does a firewall keep ports 80 and 443 shut?\n" + proxyLines(e.cfg)
}

// challenged tells whether a page for people was the answer, where ours says in words what is wrong.
func challenged(e *fetch.Error) bool {
	return e != nil && e.Err == nil && slices.Contains([]int{http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusServiceUnavailable}, e.Status)
}

// maxSkew is how wrong the clock may be: other servers refuse signatures that are an hour off.
const maxSkew = time.Minute

// clock compares this machine's clock with that of whoever serves the blog.
func (e *examination) clock() finding {
	doc, err := e.get(e.cfg.Blog.URL, "text/html")
	if err != nil {
		return finding{}
	}
	theirs, err := http.ParseTime(doc.Header.Get("Date"))
	if err != nil {
		return finding{}
	}
	age, _ := strconv.ParseUint(doc.Header.Get("Age"), 10, 31) // seconds that a cache on the way has had it
	if off := e.w.Now().Sub(theirs.Add(time.Duration(age) * time.Second)).Round(time.Second); off.Abs() > maxSkew {
		return failed("clock", "timedatectl set-ntp true", "this machine's clock is %s off (compared with %s)", off, hostOf(e.cfg.Blog.URL))
	}
	return ok("clock", "agrees with %s", hostOf(e.cfg.Blog.URL))
}

// proxy finds out what a reverse proxy does to requests. Other servers sign target, host, date and digest: all must
// arrive as they were sent.
func (e *examination) proxy() finding {
	if e.away {
		return finding{}
	}
	const query = "?x=%2F&y=a%20b"
	sent := map[string]string{"Signature": `keyId="https://example.com/actor#main-key",signature="doctor"`, "Digest": "SHA-256=doctor", "Date": e.w.Now().UTC().Format(http.TimeFormat),
		"Content-Digest": "sha-256=:ZG9jdG9y:", "Signature-Input": `sig=("@method")`}
	secret, err := allowEcho(e.ctx, e.db, e.w.Now())
	if err != nil {
		return failed("proxy", "", "%v", err)
	}
	doc, err := e.client.Get(e.ctx, fetch.Get{URL: e.cfg.BaseURL + echoPath + query, Accept: "application/json", Fresh: true, Sign: func(r *http.Request) error {
		for name, value := range sent {
			r.Header.Set(name, value)
		}
		r.Header.Set(echoHeader, secret)
		return nil
	}})
	var got echo
	if err == nil {
		err = json.Unmarshal(doc.Body, &got)
	}
	if err != nil {
		return failed("proxy", "The path must reach Afterword, on the database that this configuration names:\n"+proxyLines(e.cfg), "a request does not arrive: %v", err)
	}
	return e.arrived(got, sent, e.cfg.Prefix()+echoPath+query)
}

// arrived compares what arrived with what was sent.
func (e *examination) arrived(got echo, sent map[string]string, target string) finding {
	var changed []string
	if got.Host != e.cfg.Host() {
		changed = append(changed, fmt.Sprintf("Host is %q", got.Host))
	}
	if got.Target != target {
		changed = append(changed, fmt.Sprintf("the path is %q instead of %q", got.Target, target))
	}
	for name, value := range sent {
		if got.Header[name] != value {
			changed = append(changed, fmt.Sprintf("%s is %q", name, got.Header[name]))
		}
	}
	slices.Sort(changed)
	if len(changed) > 0 {
		return failed("proxy", "Other servers sign these: without them their messages are refused. Hand requests over unchanged:\n"+proxyLines(e.cfg),
			"the reverse proxy changes requests: %s", strings.Join(changed, ", "))
	}
	if host, _, err := net.SplitHostPort(got.Remote); err == nil && got.Forwarded && !e.trusts(host) {
		return advice("proxy", fmt.Sprintf("trusted_proxies = [%q]   # in the configuration, at the top", host),
			"requests arrive unchanged, from a reverse proxy at %s that is not trusted: all visitors look like one", host)
	}
	return ok("proxy", "requests arrive unchanged")
}

func (e *examination) trusts(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && slices.ContainsFunc(e.cfg.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(ip.Unmap()) })
}

// inbox sends what no server sends: that we refuse it in our own words shows that messages get through.
func (e *examination) inbox() finding {
	if e.away {
		return finding{}
	}
	err := e.client.Post(e.ctx, fetch.Post{URL: e.cfg.BaseURL + "/inbox", MediaType: "application/activity+json", Body: []byte("{}")})
	if err != nil && strings.Contains(err.Error(), `{\"error\":`) {
		return ok("inbox", "messages get through")
	}
	fix := "Other servers POST what their people say. Nothing may refuse, redirect or answer that on the way:\n" + proxyLines(e.cfg)
	if refused, is := errors.AsType[*fetch.Error](err); is && challenged(refused) {
		fix = e.reach(err, hostOf(e.cfg.BaseURL))
	}
	return failed("inbox", fix, "something else answers at %s/inbox: %v", e.cfg.BaseURL, err)
}

// account asks the account's own domain, as every server does first.
func (e *examination) account() finding {
	if e.away {
		return finding{}
	}
	return e.webFinger("account", e.cfg.Blog.AccountDomain)
}

func (e *examination) accountOnServer() finding {
	if e.away || e.cfg.Blog.AccountDomain == e.cfg.Host() {
		return finding{}
	}
	return e.webFinger("webfinger", e.cfg.Host())
}

func (e *examination) webFinger(check, domain string) finding {
	fix := "Hand /.well-known/webfinger on " + domain + " over to Afterword:\n" + proxyLines(e.cfg)
	if domain != e.cfg.Host() {
		fix = "The blog's host has to lead this question on to Afterword.\n" + leadLines(e.cfg)
	}
	scheme, _, _ := strings.Cut(e.cfg.BaseURL, "://")
	account := e.cfg.Blog.Handle + "@" + e.cfg.Blog.AccountDomain
	doc, err := e.get(scheme+"://"+domain+"/.well-known/webfinger?resource=acct:"+account, "application/jrd+json, application/json")
	if refused, is := errors.AsType[*fetch.Error](err); is && (challenged(refused) || refused.Kind == fetch.Unreachable) {
		fix = e.reach(err, hostOf(scheme+"://"+domain))
	}
	if err != nil {
		return failed(check, fix, "@%s is not found: %v", account, err)
	}
	var jrd struct{ Subject string }
	if err := json.Unmarshal(doc.Body, &jrd); err != nil || jrd.Subject != "acct:"+account {
		return failed(check, fix, "something else answers at %s: subject %.100q", domain, jrd.Subject)
	}
	return ok(check, "@%s is found at %s", account, domain)
}

// actor reads the account's document as servers do.
func (e *examination) actor() finding {
	if e.away {
		return finding{}
	}
	for _, accept := range []string{"application/activity+json", `application/ld+json; profile="https://www.w3.org/ns/activitystreams"`} {
		doc, err := e.get(e.cfg.BaseURL+"/actor", accept)
		if err != nil {
			return failed("actor", "Nothing may stand between other servers and "+e.cfg.BaseURL+"/actor: no login, no challenge, no cache that ignores Accept.", "%v", err)
		}
		var actor struct{ ID string }
		if err := json.Unmarshal(doc.Body, &actor); err != nil || actor.ID != e.cfg.BaseURL+"/actor" || !fetch.ActivityJSON(doc.Header.Get("Content-Type")) {
			return failed("actor", "A cache or proxy answers with another document: it must heed Accept (Vary), or leave "+e.cfg.BaseURL+"/ alone.",
				"asked for %s, the answer is %q with the id %.100q", accept, doc.Header.Get("Content-Type"), actor.ID)
		}
	}
	return ok("actor", "%s/actor is what it should be", e.cfg.BaseURL)
}

func (e *examination) feed() finding {
	reader := newReader(e.cfg, e.db, e.client, e.w)
	address, items, err := reader.Look(e.ctx)
	if err != nil {
		return failed("feed", `Name it in the configuration (blog.feed), or in the front page's head:
<link rel="alternate" type="application/rss+xml" href="/feed.xml">
Without one, posts come in by "afterword post add" or the API only.`, "%v", err)
	}
	state, err := reader.State(e.ctx)
	if err != nil {
		return failed("feed", "", "%v", err)
	}
	if state.Problem != "" {
		return advice("feed", `It is read again at `+state.Next.Local().Format(time.DateTime)+`, or now: afterword post sync`,
			"%s has %d items now; when it was read last: %s", address, items, state.Problem)
	}
	return ok("feed", "%s has %d items", address, items)
}

// link looks at the newest post's page as somebody does who pastes its address into a search.
func (e *examination) link() finding {
	posts, err := e.db.Posts(e.ctx, 1, 0)
	if err != nil {
		return failed("link", "", "%v", err)
	} else if len(posts) == 0 {
		return finding{}
	}
	p := posts[0]
	page, err := feed.ReadPage(e.ctx, e.client, p.URL)
	var refused *fetch.Error
	switch {
	case errors.As(err, &refused) && (refused.Gone() || refused.NotFound()):
		return advice("link", "If the page is gone for good: afterword post remove "+p.URL, "the newest post's page is not there: %v", err)
	case err != nil:
		return advice("link", "", "the newest post's page cannot be read: %v", err)
	case !slices.Contains(page.Activity, string(p.ID)) && e.sends(p.URL, p.ID):
		return ok("link", "%s sends other servers to its Note", p.URL)
	case !slices.Contains(page.Activity, string(p.ID)):
		return failed("link", "People who paste a post's address into their search will not find it. Into the head of each post's page:\n"+alternate(p.ID)+
			"\nor, where you cannot change that, have the blog's web server send other servers on:\nCaddy:\n"+indent(caddySends(e.cfg))+"nginx:\n"+indent(nginxSends(e.cfg)),
			"%s does not link to its Note", p.URL)
	case page.Noindex:
		return advice("link", "If that is not meant, take \"noindex\" out of the page's head and its X-Robots-Tag: such a page gets no thread when somebody asks for it,\nonly when a feed lists it.",
			"%s links to its Note, and asks to be found by nobody (noindex)", p.URL)
	}
	return ok("link", "%s links to its Note", p.URL)
}

// sends tells whether the web server at an address answers other servers with a document of ours.
func (e *examination) sends(address string, id thread.IRI) bool {
	doc, err := e.get(address, "application/activity+json")
	if err != nil {
		return false
	}
	var found struct{ ID thread.IRI }
	return json.Unmarshal(doc.Body, &found) == nil && found.ID == id
}

func alternate(id thread.IRI) string {
	return fmt.Sprintf(`<link rel="alternate" type="application/activity+json" href="%s">`, id)
}

// moved looks at the pages that moved last: templates name the Note that each would have, and these have another.
func (e *examination) moved() finding {
	posts, err := e.db.MovedPosts(e.ctx, 3)
	if err != nil {
		return failed("moved", "", "%v", err)
	}
	for _, p := range posts {
		if page, err := feed.ReadPage(e.ctx, e.client, p.URL); err == nil && !slices.Contains(page.Activity, string(p.ID)) {
			return advice("moved", "Mastodon's search wants the link to be the Note's id exactly. On this page let the template write:\n"+alternate(p.ID),
				"%s was elsewhere before, and does not link to the Note that it has from there", p.URL)
		}
	}
	return finding{}
}

// home: who pastes the blog's address into a search finds its account when the front page names it.
func (e *examination) home() finding {
	page, err := feed.ReadPage(e.ctx, e.client, e.cfg.Blog.URL)
	actor := thread.IRI(e.cfg.BaseURL + "/actor")
	switch {
	case err != nil:
		return failed("home", "", "the front page cannot be read: %v", err)
	case !slices.Contains(page.Activity, string(actor)) && e.sends(e.cfg.Blog.URL, actor):
		return ok("home", "the blog's address sends other servers to its account")
	case !slices.Contains(page.Activity, string(actor)):
		return advice("home", "Into the front page's head, so that people find the account by the blog's address:\n"+alternate(actor),
			"the front page does not name the blog's account")
	}
	return ok("home", "the blog's address leads to its account")
}

// verifiedLink: Mastodon marks the blog's address on the profile as verified when the blog links back to where the profile
// says that the account is: its own address, or the blog's where both are on one host.
func (e *examination) verifiedLink() finding {
	page, err := feed.ReadPage(e.ctx, e.client, e.cfg.Blog.URL)
	if err != nil {
		return finding{}
	}
	profile := profilePage(e.cfg)
	if slices.ContainsFunc(page.Me, func(me string) bool { return strings.EqualFold(me, profile) }) {
		return ok("rel=me", "the blog links to its account")
	}
	return advice("rel=me", fmt.Sprintf("Into the front page, so that Mastodon shows its address as verified:\n<link rel=\"me\" href=\"%s\">", profile),
		"the blog does not link to its account")
}

// profilePage is what the account's document says as its url.
func profilePage(cfg *config.Config) string {
	if cfg.SameHost() {
		return cfg.Blog.URL
	}
	return cfg.BaseURL + "/actor"
}
