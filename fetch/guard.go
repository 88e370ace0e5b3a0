package fetch

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
	"golang.org/x/net/idna"
)

const maxURL = 2048 // bytes

var errLongURL = fmt.Errorf("URL longer than %d bytes", maxURL)

// guardian decides which addresses may be connected to. It lists what is public (IPv4 without IANA's special
// registry, IPv6 only inside 2000::/3 without the registry's exceptions), so whatever nobody thought of is refused:
// mapped, compatible, NAT64, site-local.
var guardian = ssrf.New(ssrf.WithPorts(443))

// control is the last gate before connect(2): it sees the address DNS gave for this very connection, so an answer
// that changes between two look-ups gains nothing.
type control func(network, address string, conn syscall.RawConn) error

// newTransport is the way out: no proxy whatever the environment says, every wait bounded, idle connections few.
func newTransport(guard control, l limits) *http.Transport {
	dialer := &net.Dialer{Timeout: l.dial, Control: guard} // Timeout bounds DNS and connecting together
	return &http.Transport{
		Proxy:                  nil,
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second},
		TLSHandshakeTimeout:    l.tls,
		ResponseHeaderTimeout:  l.headers,
		MaxResponseHeaderBytes: 64 << 10,
		MaxIdleConns:           100,
		MaxIdleConnsPerHost:    inFlight,
		IdleConnTimeout:        time.Minute,
		DisableCompression:     true, // readBody decompresses, so that it can count both sides
	}
}

// Check tells whether a URL could be fetched or delivered to, as far as that shows without DNS: for use before an
// inbox or a key id is stored. The error is an *Error of kind Forbidden.
func (c *Client) Check(rawURL string) error {
	if _, err := c.target(rawURL); err != nil {
		return forbidden(rawURL, err)
	}
	return nil
}

// target parses and checks a URL and gives its host the one canonical form (lower case, ASCII, no trailing dot, no
// default port), under which limits are counted.
func (c *Client) target(rawURL string) (*url.URL, error) {
	u, err := parse(rawURL)
	if err != nil || c.allowPrivate {
		return u, err
	}
	return u, public(u)
}

func parse(rawURL string) (*url.URL, error) {
	if err := plain(rawURL); err != nil {
		return nil, err
	}
	u, err := url.Parse(rawURL)
	switch {
	case err != nil:
		return nil, errors.New("not a URL")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("scheme %q", u.Scheme)
	case u.User != nil:
		return nil, errors.New("user name in URL")
	case u.Fragment != "" || strings.Contains(rawURL, "#"):
		return nil, errors.New("fragment in URL")
	}
	host, err := canonicalHost(u.Hostname())
	if err != nil {
		return nil, err
	}
	u.Host = authority(u.Scheme, host, u.Port())
	if len(u.String()) > maxURL { // escaped, as it is sent
		return nil, errLongURL
	}
	return u, nil
}

// plain refuses what could end a header line or confuse a log, raw or escaped.
func plain(rawURL string) error {
	if len(rawURL) > maxURL {
		return errLongURL
	}
	if strings.ContainsFunc(rawURL, func(r rune) bool { return r <= ' ' || r >= 0x7f && r <= 0x9f || r == '\\' }) {
		return errors.New("control character, space or backslash in URL")
	}
	lower := strings.ToLower(rawURL)
	for _, escaped := range []string{"%00", "%0a", "%0d"} {
		if strings.Contains(lower, escaped) {
			return errors.New("escaped control character in URL")
		}
	}
	return nil
}

// canonicalHost returns a host name or an IP address (without brackets) in its only form.
func canonicalHost(host string) (string, error) {
	if strings.ContainsFunc(host, func(r rune) bool { return r >= 0x80 }) {
		ascii, err := idna.Lookup.ToASCII(host)
		if err != nil {
			return "", errors.New("host is not a domain name")
		}
		host = ascii
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if ip, err := netip.ParseAddr(host); err == nil && ip.Zone() == "" {
		return ip.String(), nil
	}
	emptyLabel := strings.Contains("."+host+".", "..")
	if emptyLabel || len(host) > 253 || strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
		return "", errors.New("host is not a domain name")
	}
	return host, nil
}

func authority(scheme, host, port string) string {
	if port == "" || scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		if strings.Contains(host, ":") {
			return "[" + host + "]"
		}
		return host
	}
	return net.JoinHostPort(host, port)
}

// origin is the server that a target names: those of the two schemes have nothing to do with each other.
func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }

// public refuses what cannot be a stranger's server. Names are judged again, by address, when they are dialled.
func public(u *url.URL) error {
	host := u.Hostname()
	switch {
	case u.Scheme != "https":
		return errors.New("not https")
	case u.Port() != "":
		return errors.New("port other than 443")
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return guardian.SafeAddr(ip)
	}
	labels := strings.Split(host, ".")
	last := labels[len(labels)-1]
	// "localhost" and the like are ours or our network's; resolvers read "0x7f.1" and "2130706433" as addresses.
	if len(labels) < 2 || last == "localhost" || last[0] >= '0' && last[0] <= '9' {
		return errors.New("not a public host name")
	}
	return nil
}

// prohibited tells whether the guard refused a connection.
func prohibited(err error) bool {
	return slices.ContainsFunc([]error{ssrf.ErrProhibitedIP, ssrf.ErrProhibitedPort, ssrf.ErrProhibitedNetwork, ssrf.ErrInvalidHostPort},
		func(refusal error) bool { return errors.Is(err, refusal) })
}
