package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Check refuses impossible values, in one line that names the key, and brings the others into their normal form. It
// may be called again after changes.
func (c *Config) Check() error {
	for _, f := range c.fields() {
		if err := f.check(); err != nil {
			return c.at(f.key, err)
		}
	}
	for _, x := range []struct {
		key   string
		check func() error
	}{
		{"base_url", c.checkBaseURL},
		{"listen", c.checkListen},
		{"database", c.checkDatabase},
		{"trusted_proxies", c.checkProxies},
		{"debug", c.checkDebug},
		{"blog.url", c.checkBlogURL},
		{"blog.feed", func() error { return c.checkLink(&c.Blog.Feed) }},
		{"blog.handle", c.checkHandle},
		{"blog.account_domain", c.checkAccountDomain},
		{"blog.icon", func() error { return c.checkLink(&c.Blog.Icon) }},
		{"blog.header", func() error { return c.checkLink(&c.Blog.Header) }},
		{"blog.fields", c.checkFields},
		{"blog.language", c.checkLanguage},
		{"blog.note_template", c.checkTemplate},
		{"blog.pictures", c.checkPictures},
		{"blog.owner", c.checkOwner},
		{"federation.contact", c.checkContact},
	} {
		if err := x.check(); err != nil {
			return c.at(x.key, err)
		}
	}
	return nil
}

// check is what holds for every field of a type.
func (f field) check() error {
	switch v := f.value.Interface().(type) {
	case int:
		if v < 0 {
			return mistake(v, "is less than 0")
		}
	case Duration:
		if v < 0 {
			return errors.New("is less than 0")
		}
	case string:
		if len(f.choices) > 0 && !slices.Contains(f.choices, v) {
			return mistake(v, "is not one of "+strings.Join(f.choices, ", "))
		}
		isControl := func(r rune) bool {
			return unicode.IsControl(r) && (r != '\n' || f.key != "blog.summary" && f.key != "blog.note_template")
		}
		if !utf8.ValidString(v) || strings.ContainsFunc(v, isControl) {
			return mistake(v, "contains a control character")
		}
	}
	return nil
}

func (c *Config) checkBaseURL() error {
	if c.BaseURL == "" {
		return errors.New(`is missing: "afterword init" writes a configuration; or set it to where this server answers, such as "https://comments.example.com"`)
	}
	u, err := c.web(c.BaseURL)
	switch {
	case err != nil:
		return mistake(c.BaseURL, err.Error())
	case u.RawQuery != "" || u.ForceQuery:
		return mistake(c.BaseURL, "has a query: write it without")
	}
	prefix := strings.TrimRight(u.EscapedPath(), "/")
	if !plainPath.MatchString(prefix) || prefix != "" && path.Clean(prefix) != prefix {
		return mistake(c.BaseURL, "has a path of other than letters, digits and - . _ ~")
	}
	u.Path, u.RawPath = prefix, ""
	c.BaseURL = u.String()
	return nil
}

var plainPath = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)*$`)

func (c *Config) checkListen() error {
	if c.Listen == "auto" {
		return errors.New(`"auto" is not available yet: use "127.0.0.1:8080" behind a reverse proxy that speaks https`)
	}
	host, port, err := net.SplitHostPort(c.Listen)
	n, errPort := strconv.ParseUint(port, 10, 16)
	if err != nil || errPort != nil || strings.ContainsAny(host, " /") {
		return mistake(c.Listen, `is not host:port, such as "127.0.0.1:8080"`)
	}
	c.Listen = net.JoinHostPort(host, strconv.FormatUint(n, 10))
	return nil
}

// checkDebug keeps what only the machine's owner should see on the machine.
func (c *Config) checkDebug() error {
	if c.Debug == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(c.Debug)
	if _, errPort := strconv.ParseUint(port, 10, 16); err != nil || errPort != nil || !loopback(host) {
		return mistake(c.Debug, `is not host:port of this machine alone, such as "127.0.0.1:6060"`)
	}
	return nil
}

func (c *Config) checkDatabase() error {
	if c.Database == "" {
		return errors.New(`is missing: set it to a file name, such as "afterword.db"`)
	}
	if strings.Contains(c.Database, "://") {
		return mistake(c.Database, `is not available yet: use a file name, such as "afterword.db"`)
	}
	return nil
}

// checkProxies refuses networks in which strangers live: whoever is trusted can claim any address.
func (c *Config) checkProxies() error {
	for _, network := range c.TrustedProxies {
		if network.Addr().Is4() && network.Bits() < 8 || network.Addr().Is6() && network.Bits() < 7 {
			return mistake(network.String(), "would let anybody claim any address: name the reverse proxy's own")
		}
	}
	return nil
}

func (c *Config) checkBlogURL() error {
	if c.Blog.URL == "" {
		return errors.New(`is missing: set it to the blog's home page, such as "https://example.com/"`)
	}
	u, err := c.web(c.Blog.URL)
	switch {
	case err != nil:
		return mistake(c.Blog.URL, err.Error())
	case u.RawQuery != "" || u.ForceQuery:
		return mistake(c.Blog.URL, "has a query: write it without")
	case u.Path == "":
		u.Path = "/"
	}
	c.Blog.URL = u.String()
	return nil
}

// checkLink is for addresses that may have a query and may be missing.
func (c *Config) checkLink(link *string) error {
	if *link == "" {
		return nil
	}
	u, err := c.web(*link)
	if err != nil {
		return mistake(*link, err.Error())
	}
	*link = u.String()
	return nil
}

var handle = regexp.MustCompile(`^[a-z0-9_]{1,30}$`)

func (c *Config) checkHandle() error {
	if !handle.MatchString(c.Blog.Handle) {
		return mistake(c.Blog.Handle, "is not a handle: 1 to 30 of a-z, 0-9 and _, without @")
	}
	return nil
}

func (c *Config) checkAccountDomain() error {
	if c.Blog.AccountDomain == "" {
		c.Blog.AccountDomain = c.Host()
		return nil
	}
	domain, err := c.domain(c.Blog.AccountDomain)
	if err != nil {
		return mistake(c.Blog.AccountDomain, err.Error())
	}
	c.Blog.AccountDomain = domain
	return nil
}

func (c *Config) checkFields() error {
	for _, line := range c.Blog.Fields {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "" || strings.TrimSpace(value) == "" || len(line) > 1000 ||
			!utf8.ValidString(line) || strings.ContainsFunc(line, unicode.IsControl) {
			return mistake(line, `is not a name and a value, such as "Pronouns: she/her"`)
		}
	}
	return nil
}

var language = regexp.MustCompile(`^([A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*)?$`)

func (c *Config) checkLanguage() error {
	if !language.MatchString(c.Blog.Language) {
		return mistake(c.Blog.Language, `is not a language tag, such as "en" or "de-CH"`)
	}
	return nil
}

var (
	placeholder = regexp.MustCompile(`\{[A-Za-z_]+\}`)
	textAlone   = regexp.MustCompile(`(^|</?(p|div|blockquote)>|</(ul|ol|pre|h[1-6])>)\s*\{text\}\s*($|</?(p|div|blockquote)>|<(ul|ol|pre|h[1-6])>)`)
)

// checkTemplate refuses what a Note would not say, or not where it seems.
func (c *Config) checkTemplate() error {
	t := c.Blog.NoteTemplate
	if t == "" {
		return nil
	}
	for _, name := range placeholder.FindAllString(t, -1) {
		if !slices.Contains([]string{"{title}", "{text}", "{link}", "{tags}"}, name) {
			return mistake(name, "is no placeholder; there are {title}, {text}, {link}, {tags}")
		}
	}
	switch {
	case len(t) > 4000:
		return mistake(t, "is longer than 4000 bytes")
	case !strings.Contains(t, "{link}"):
		return mistake(t, "has no {link}: a Note leads to its post")
	case strings.Count(t, "{text}") > 1, strings.Contains(t, "{text}") && !textAlone.MatchString(t):
		return mistake("{text}", "is paragraphs itself: write it once, between others, as in <p>{title}</p> {text} <p>{link}</p>")
	}
	return nil
}

func (c *Config) checkPictures() error {
	if c.Blog.Pictures > 4 {
		return mistake(c.Blog.Pictures, "is more than 4, which is what Mastodon shows")
	}
	return nil
}

// checkOwner brings "me@Host" and "@me@host" into one form; a URL stays one.
func (c *Config) checkOwner() error {
	if c.Blog.Owner == "" || strings.Contains(c.Blog.Owner, "/") {
		return c.checkLink(&c.Blog.Owner)
	}
	name, host, _ := strings.Cut(strings.TrimPrefix(c.Blog.Owner, "@"), "@")
	domain, err := c.domain(host)
	if err != nil || !accountName.MatchString(name) {
		return mistake(c.Blog.Owner, `is neither an account, such as "@me@example.social", nor its URL`)
	}
	c.Blog.Owner = "@" + name + "@" + domain
	return nil
}

var accountName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// checkContact keeps the User-Agent one header of plain text.
func (c *Config) checkContact() error {
	if strings.ContainsFunc(c.Federation.Contact, func(r rune) bool { return r > unicode.MaxASCII || strings.ContainsRune(`()<>"\`, r) }) {
		return mistake(c.Federation.Contact, "is not a URL or mail address in ASCII")
	}
	return nil
}

// web reads an absolute http(s) URL without user name and fragment. Its host is in the normal form of domain.
func (c *Config) web(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New(`is not an absolute URL, such as "https://example.com/"`)
	case u.User != nil:
		return nil, errors.New("has a user name: write it without")
	case strings.Contains(text, "#"):
		return nil, errors.New("has a fragment: write it without")
	}
	if u.Host, err = c.domain(u.Host); err != nil {
		return nil, err
	}
	if u.Scheme == "http" && !c.Federation.AllowPrivate && !loopback(u.Hostname()) {
		return nil, errors.New("is not https, which the fediverse requires")
	}
	u.Host = strings.TrimSuffix(u.Host, map[string]string{"https": ":443", "http": ":80"}[u.Scheme])
	return u, nil
}

// domain brings host or host:port into the normal form: lower case, ASCII, without a dot at the end.
func (c *Config) domain(authority string) (string, error) {
	u, err := url.Parse("//" + authority)
	if err != nil || u.Host != authority || strings.ContainsAny(authority, "@/?#") {
		return "", errors.New("is not a host name")
	}
	host, err := c.hostName(u.Hostname())
	if err != nil {
		return "", err
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	switch {
	case u.Port() == "" && strings.Contains(host, ":"):
		return "[" + host + "]", nil
	case u.Port() == "":
		return host, nil
	case err != nil || port == 0:
		return "", fmt.Errorf("has port %s: ports are 1 to 65535", u.Port())
	}
	return net.JoinHostPort(host, strconv.FormatUint(port, 10)), nil
}

// hostName normalises a host without port or brackets. Accounts cannot live at an address or a name that only our
// network knows, so those are for tests.
func (c *Config) hostName(host string) (string, error) {
	if ip, err := netip.ParseAddr(host); err == nil && ip.Zone() == "" {
		if !c.Federation.AllowPrivate && !ip.IsLoopback() {
			return "", errors.New("is an IP address, at which no account can live: use a domain name")
		}
		return ip.String(), nil
	}
	name, err := idna.Lookup.ToASCII(strings.TrimSuffix(host, "."))
	emptyLabel := strings.Contains("."+name+".", "..")
	number := strings.Trim(name[strings.LastIndex(name, ".")+1:], "0123456789") == ""
	if err != nil || emptyLabel || number || len(name) > 253 {
		return "", errors.New("is not a host name")
	}
	if !strings.Contains(name, ".") && name != "localhost" && !c.Federation.AllowPrivate {
		return "", errors.New("is not a public host name")
	}
	return name, nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
