package sanitize

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// maxLink is how long an address may be, in bytes.
const maxLink = 2048

// Link checks an address that will stand in an href and returns it in ASCII (an IDN as punycode, the rest
// percent-encoded), its scheme and host in lower case. It returns "" unless the address is absolute, http or https, at
// most 2,048 bytes, and free of user info, white space, backslashes and control characters. Link(Link(x)) == Link(x).
func Link(in string) string {
	in = strings.TrimSpace(in)
	scheme, rest, ok := strings.Cut(in, "://")
	scheme = strings.ToLower(scheme)
	if !ok || scheme != "http" && scheme != "https" || len(in) > maxLink || strings.ContainsFunc(in, unlinkable) {
		return ""
	}
	end := len(rest)
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		end = i
	}
	host := authority(rest[:end])
	out := scheme + "://" + host + percent(rest[end:])
	if _, err := url.Parse(out); err != nil || host == "" || len(out) > maxLink {
		return ""
	}
	return out
}

// unlinkable runes are read in different ways by different parsers, or are invisible.
func unlinkable(r rune) bool {
	return r == '\\' || r == unicode.ReplacementChar || unicode.IsSpace(r) || unfit(r)
}

// authority is host[:port] in ASCII, "" when it is none.
func authority(in string) string {
	host, port := in, ""
	if i := strings.LastIndexByte(in, ':'); i >= 0 && !strings.HasSuffix(in, "]") {
		host, port = in[:i], in[i:]
	}
	if host = asciiHost(host); host == "" || strings.Trim(port, ":0123456789") != "" {
		return ""
	}
	return host + port
}

// maxHost is how long a host name may be, in bytes.
const maxHost = 253

// asciiHost is a host name or IPv6 literal in lower-case ASCII, "" when it is none.
func asciiHost(host string) string {
	if len(host) > maxHost {
		return ""
	}
	if strings.ContainsFunc(host, func(r rune) bool { return r >= 0x80 }) {
		var err error
		if host, err = idna.Lookup.ToASCII(host); err != nil {
			return ""
		}
	}
	host = strings.ToLower(host)
	if len(host) > maxHost || strings.Trim(host, ".") == "" || strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-._") != "" && !isIP6(host) {
		return ""
	}
	return host
}

func isIP6(host string) bool {
	in, bracketed := strings.CutPrefix(host, "[")
	in, closed := strings.CutSuffix(in, "]")
	ip, err := netip.ParseAddr(in)
	return bracketed && closed && err == nil && ip.Is6() && ip.Zone() == ""
}

// percent encodes what is not allowed in a path, a query or a fragment. Sound escapes stay.
func percent(in string) string {
	var s strings.Builder
	for i := range len(in) {
		c := in[i]
		if c >= 0x80 || strings.IndexByte("\"<>^`{|}", c) >= 0 || c == '%' && !escape.MatchString(in[i:]) {
			fmt.Fprintf(&s, "%%%02X", c)
		} else {
			s.WriteByte(c)
		}
	}
	return s.String()
}

var escape = regexp.MustCompile(`^%[0-9A-Fa-f]{2}`)

// newLink is the link to an address, nil when that is unfit. Without a base, relative addresses are.
func newLink(href string, base *url.URL) *link {
	if base != nil && Link(href) == "" { // relative, or with what must be escaped
		if u, err := base.Parse(strings.TrimSpace(href)); err == nil {
			href = u.String()
		}
	}
	href = Link(href)
	u, err := url.Parse(href)
	if href == "" || err != nil {
		return nil
	}
	return &link{href: href, host: u.Hostname()}
}

// label tells where a link leads whose text says otherwise.
func (l *link) label() string { return " [" + l.host + "]" }

// maxWords is how much of a link's text is searched for host names. A longer text gets a label in any case.
const maxWords = 32

// deniedBy says whether a link's text names another host than the link leads to, unless it already has the label.
func (l *link) deniedBy(text string) bool {
	if strings.HasSuffix(text, l.label()) {
		return false
	}
	words := strings.Fields(text)
	for _, word := range words[:min(len(words), maxWords)] {
		if host := named(word); host != "" && strings.TrimPrefix(host, "www.") != strings.TrimPrefix(l.host, "www.") {
			return true
		}
	}
	return len(words) > maxWords
}

// named is the host a word claims to be at; the word itself if that host is a lie in any case; "" for what is no
// address: handles, e-mail addresses, and "node.js", for lack of a known suffix.
func named(word string) string {
	word = strings.TrimFunc(strings.Map(visible, word), decoration)
	_, host, explicit := strings.Cut(word, "://")
	if !explicit {
		host = word
	}
	if i := strings.IndexAny(host, "/?#:\\\u2044\u2215\uff0f"); i >= 0 {
		host = host[:i]
	}
	ascii := asciiHost(host)
	switch {
	case !explicit && (strings.Contains(host, "@") || !public(ascii) && !public(strings.ToLower(host))):
		return ""
	case ascii == "" || mixed(host):
		return word
	}
	return ascii
}

// visible drops what could hide in a host name; U+2024 looks like its dot.
func visible(r rune) rune {
	switch {
	case blank(r) || unicode.Is(unicode.Cf, r):
		return -1
	case r == 0x2024:
		return '.'
	}
	return r
}

// decoration surrounds addresses in prose.
func decoration(r rune) bool {
	return r != '@' && r != '#' && (unicode.IsPunct(r) || unicode.IsSymbol(r))
}

// public says whether a name ends as host names do.
func public(host string) bool {
	suffix, icann := publicsuffix.PublicSuffix(host)
	return (icann || strings.Contains(suffix, ".")) && suffix != host
}

// mixed finds look-alikes: ASCII letters beside letters of another script than Latin, as in "pаypal.com".
func mixed(host string) bool {
	var latin, other bool
	for _, r := range host {
		latin = latin || r < 0x80 && unicode.IsLetter(r)
		other = other || unicode.IsLetter(r) && !unicode.Is(unicode.Latin, r)
	}
	return latin && other
}
