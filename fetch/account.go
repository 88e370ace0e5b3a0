package fetch

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Account is an account of the fediverse as people name it, or only its server.
type Account struct {
	User string // empty: only the server is known
	Host string // lower case, ASCII, with its port unless that is the default
}

// ErrNoAccount is returned for what names neither an account nor a server.
var ErrNoAccount = errors.New("is neither an account such as @me@example.social nor its address")

// userName is what names of accounts are made of in practice; "acct:" could have a little more.
var userName = regexp.MustCompile(`^[A-Za-z0-9_.~+-]{1,64}$`)

// ParseAccount reads what people type or paste: "@me@host", "me@host", "acct:me@host", the address of a profile
// ("https://host/@me", which at another server than the account's own is "https://host/@me@home"), or a server, as "host"
// or by the address of any page of it. An address may lack its "https://".
func ParseAccount(text string) (Account, error) {
	text = strings.TrimFunc(text, func(r rune) bool { return r == ' ' || r == '\u00a0' || unicode.Is(unicode.Cf, r) })
	address, ok := cutFold(text, "https://")
	if host, _, path := strings.Cut(text, "/"); ok || path && !strings.Contains(host, "@") { // as browsers show addresses
		return accountAt(address)
	}
	text, _ = cutFold(text, "acct:")
	text = strings.TrimPrefix(text, "@")
	user, host, both := strings.Cut(text, "@")
	if !both {
		return newAccount("", text)
	}
	if !userName.MatchString(user) {
		return Account{}, ErrNoAccount
	}
	return newAccount(user, host)
}

// cutFold cuts a prefix whose case does not matter.
func cutFold(text, prefix string) (rest string, found bool) {
	if len(text) < len(prefix) || !strings.EqualFold(text[:len(prefix)], prefix) {
		return text, false
	}
	return text[len(prefix):], true
}

// accountAt is whose profile stands at an address, which is given without its scheme; else just the server.
func accountAt(address string) (Account, error) {
	if plain(address) != nil {
		return Account{}, ErrNoAccount
	}
	address, _, _ = strings.Cut(address, "?")
	host, path, _ := strings.Cut(address, "/")
	server, err := newAccount("", host)
	profile, ok := strings.CutPrefix(strings.TrimSuffix(path, "/"), "@")
	if user, home, elsewhere := strings.Cut(profile, "@"); err == nil && ok && userName.MatchString(user) {
		if elsewhere {
			return newAccount(user, home)
		}
		server.User = user
	}
	return server, err
}

// newAccount checks a host and brings it into its one form. Accounts have no IPv6 literal in their names.
func newAccount(user, host string) (Account, error) {
	_, port, hasPort := strings.Cut(host, ":")
	if n, err := strconv.ParseUint(port, 10, 16); hasPort && (err != nil || strconv.FormatUint(n, 10) != port) || strings.ContainsAny(host, "/?#%[]") || !utf8.ValidString(host) {
		return Account{}, ErrNoAccount
	}
	u, err := parse("https://" + host + "/")
	if err != nil {
		return Account{}, ErrNoAccount
	}
	return Account{user, u.Host}, nil
}

// maxJRD is how much is read of a WebFinger answer, in bytes (SECURITY R7).
const maxJRD = 64 << 10

// WebFinger asks its server about an account (RFC 7033); of g, Fresh and Stranger count. Tests and the demo, where plain
// http is allowed, try that first.
func (c *Client) WebFinger(ctx context.Context, a Account, g Get) (*Document, error) {
	if !c.allowPrivate {
		return c.Get(ctx, a.asked("https", g))
	}
	doc, err := c.Get(ctx, a.asked("http", g))
	if e, failed := err.(*Error); failed && (e.Kind == Unreachable || e.Status == http.StatusBadRequest) { // as one that speaks TLS may answer
		if secure, err := c.Get(ctx, a.asked("https", g)); err == nil || err.(*Error).Kind != Unreachable {
			return secure, err
		}
	}
	return doc, err
}

func (a Account) asked(scheme string, g Get) Get {
	resource := scheme + "://" + a.Host
	if a.User != "" {
		resource = "acct:" + a.User + "@" + a.Host
	}
	return Get{URL: scheme + "://" + a.Host + "/.well-known/webfinger?resource=" + url.QueryEscape(resource),
		Accept: "application/jrd+json, application/json", MaxBytes: maxJRD, Fresh: g.Fresh, Stranger: g.Stranger}
}
