package sign

import (
	"net/http"
	"strconv"
	"strings"
)

var cavage = &scheme{
	name:       "cavage",
	digest:     "digest",
	algorithms: []string{"rsa-sha256", "hs2019"},
	rsa:        "rsa-sha256",
	fromKey:    "hs2019", // draft-cavage-12 2.1.3; for an RSA key everybody means PKCS#1 v1.5 with SHA-256
}

// maxParameters bounds the parameters of a Signature header; the draft knows seven.
const maxParameters = 16

// cavageClaim reads the header Signature of draft-cavage-http-signatures-12.
func cavageClaim(r *http.Request) (claim, error) {
	line, err := header(r, "Signature")
	if err != nil {
		return claim{}, err
	}
	p, err := parameters(line)
	if err != nil {
		return claim{}, err
	}
	c := claim{
		scheme:    cavage,
		keyID:     p["keyid"],
		algorithm: p["algorithm"],
		covered:   strings.Split(strings.ToLower(p["headers"]), " "), // draft-cavage-12 2.1.6
	}
	if err := c.checkNames(); err != nil {
		return claim{}, err
	}
	if c.signature, err = decodeSignature(p["signature"]); err != nil {
		return claim{}, err
	}
	if c.created, err = unixTime(p, "created"); err != nil {
		return claim{}, err
	}
	if c.expires, err = unixTime(p, "expires"); err != nil {
		return claim{}, err
	}
	if !c.covers("(request-target)", "host") || !c.covers("date") && !c.covers("(created)") { // PROTOCOL 32
		return claim{}, refused("(request-target), host and date must be signed")
	}
	c.texts, err = c.cavageTexts(r)
	return c, err
}

// unixTime is a parameter in Unix seconds, 0 if it is not there. draft-cavage-12 2.1.4, 2.1.5; some peers quote it.
func unixTime(p map[string]string, name string) (int64, error) {
	value, ok := p[name]
	if !ok {
		return 0, nil
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n <= 0 || strconv.FormatInt(n, 10) != value {
		return 0, refused("%s is not a time", name)
	}
	return n, nil
}

// cavageTexts are the signing strings that count: of the target as it came and, if it has a query, of the target
// without it, as Misskey and old Mastodons sign (PROTOCOL 34).
func (c *claim) cavageTexts(r *http.Request) ([]string, error) {
	text, err := c.cavageText(r, r.RequestURI)
	if err != nil {
		return nil, err
	}
	path, _, hasQuery := strings.Cut(r.RequestURI, "?")
	if !hasQuery {
		return []string{text}, nil
	}
	short, err := c.cavageText(r, path)
	return []string{text, short}, err
}

// cavageText is the signing string of draft-cavage-12 2.3.
func (c *claim) cavageText(r *http.Request, target string) (string, error) {
	lines := make([]string, len(c.covered))
	for i, name := range c.covered {
		value, err := c.cavageValue(r, name, target)
		if err != nil {
			return "", err
		}
		lines[i] = name + ": " + value
	}
	return strings.Join(lines, "\n"), nil
}

func (c *claim) cavageValue(r *http.Request, name, target string) (string, error) {
	switch name {
	case "(request-target)":
		return strings.ToLower(r.Method) + " " + target, nil
	case "(created)":
		return c.cavageTime(name, c.created)
	case "(expires)":
		return c.cavageTime(name, c.expires)
	}
	return field(r, name)
}

// cavageTime is the value of (created) or (expires). The draft keeps these for hs2019; peers also leave the algorithm
// out.
func (c *claim) cavageTime(name string, unix int64) (string, error) {
	if unix == 0 || c.algorithm == cavage.rsa {
		return "", refused("%s is signed without being given, or with algorithm %s", name, cavage.rsa)
	}
	return strconv.FormatInt(unix, 10), nil
}

// parameters reads the list name="value", name=123, ... of a Signature header (draft-cavage-12 4.1, the auth-params
// of RFC 9110 11.2). Names come in lower case. A name that stands twice is refused whatever it is, or another reader
// could see another key than we do. Quoted pairs (\") are malformed: no value that we know can hold one.
func parameters(s string) (map[string]string, error) {
	p := make(map[string]string, 8)
	for rest := trimSpace(s); rest != ""; {
		name, value, after, ok := parameter(rest)
		if !ok {
			return nil, malformed("the Signature header is not a list of parameters")
		}
		name = strings.ToLower(name)
		if _, twice := p[name]; twice || len(p) == maxParameters {
			return nil, refused("parameter %.40q stands twice, or there are too many", name)
		}
		p[name] = value
		if rest, ok = nextParameter(after); !ok {
			return nil, malformed("the Signature header is not a list of parameters")
		}
	}
	return p, nil
}

// parameter cuts name=value off the front of s.
func parameter(s string) (name, value, rest string, ok bool) {
	name, rest, ok = strings.Cut(s, "=")
	name, rest = trimSpace(name), trimSpace(rest)
	if !ok || !isToken(name) {
		return "", "", "", false
	}
	if quoted, isQuoted := strings.CutPrefix(rest, `"`); isQuoted {
		value, rest, ok = strings.Cut(quoted, `"`)
		return name, value, rest, ok && !strings.Contains(value, `\`)
	}
	end := strings.IndexAny(rest, ", \t")
	if end < 0 {
		end = len(rest)
	}
	return name, rest[:end], rest[end:], isToken(rest[:end])
}

// nextParameter steps over the comma after a parameter. Nothing may follow a parameter but a comma and another one.
func nextParameter(s string) (rest string, ok bool) {
	if s = trimSpace(s); s == "" {
		return "", true
	}
	rest, ok = strings.CutPrefix(s, ",")
	rest = trimSpace(rest)
	return rest, ok && rest != ""
}

func trimSpace(s string) string { return strings.Trim(s, " \t") }

// isToken tells whether s is a token of RFC 9110 5.6.2.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		isAlphanumeric := '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !isAlphanumeric && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}
