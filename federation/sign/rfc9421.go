package sign

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/dunglas/httpsfv"
)

var rfc9421 = &scheme{
	name:       "rfc9421",
	digest:     "content-digest",                       // RFC 9530
	algorithms: []string{"rsa-v1_5-sha256", "ed25519"}, // RFC 9421 3.3
	rsa:        "rsa-v1_5-sha256",
}

// rfc9421Claim reads the headers Signature-Input and Signature of RFC 9421 4.
func rfc9421Claim(r *http.Request, o Options) (claim, error) {
	label, input, err := signatureInput(r)
	if err != nil {
		return claim{}, err
	}
	c, err := claimOfInput(input)
	if err != nil {
		return claim{}, err
	}
	if err := c.checkNames(); err != nil {
		return claim{}, err
	}
	if c.signature, err = labelledSignature(r, label); err != nil {
		return claim{}, err
	}
	if err := c.checkRFC9421Cover(r); err != nil {
		return claim{}, err
	}
	params, err := httpsfv.Marshal(input)
	if err != nil {
		return claim{}, malformed("the Signature-Input header cannot be written again")
	}
	text, err := message{r, o.Scheme, r.Host, r.RequestURI}.signatureBase(c.covered, params)
	c.texts = []string{text}
	return c, err
}

// signatureInput reads the Signature-Input header. It must describe one signature, and no parameter twice: RFC 9651
// lets the last of two win, so the parser does not tell, and we count separators. A backslash could only stand in a
// string that no peer sends.
func signatureInput(r *http.Request) (label string, input httpsfv.InnerList, err error) {
	line, err := header(r, "Signature-Input")
	if err != nil {
		return "", input, err
	}
	members, err := httpsfv.UnmarshalDictionary([]string{line})
	if err != nil || strings.Contains(line, `\`) {
		return "", input, malformed("the Signature-Input header is not a dictionary")
	}
	if len(members.Names()) != 1 || countOutsideStrings(line, ",") > 0 {
		return "", input, refused("there must be exactly one signature")
	}
	label = members.Names()[0]
	member, _ := members.Get(label)
	input, ok := member.(httpsfv.InnerList)
	if !ok {
		return "", input, malformed("the Signature-Input header has no list of components")
	}
	if countOutsideStrings(line, ";") != len(input.Params.Names()) {
		return "", input, refused("a parameter stands twice, or a component has parameters")
	}
	return label, input, nil
}

// countOutsideStrings counts a separator in a structured field without backslashes.
func countOutsideStrings(field, separator string) (n int) {
	for i, part := range strings.Split(field, `"`) {
		if i%2 == 0 {
			n += strings.Count(part, separator)
		}
	}
	return n
}

// claimOfInput takes components and parameters (RFC 9421 2.3) out of the list.
func claimOfInput(input httpsfv.InnerList) (claim, error) {
	c := claim{scheme: rfc9421}
	for _, item := range input.Items {
		name, ok := item.Value.(string)
		if !ok || name != strings.ToLower(name) { // RFC 9421 2.1
			return claim{}, malformed("a signed component has no proper name")
		}
		c.covered = append(c.covered, name)
	}
	var errs [4]error
	c.keyID, errs[0] = param[string](input, "keyid")
	c.algorithm, errs[1] = param[string](input, "alg")
	c.created, errs[2] = param[int64](input, "created")
	c.expires, errs[3] = param[int64](input, "expires")
	return c, cmp.Or(errs[:]...)
}

// param is a parameter of the list, zero if it is not there. One of another type, or that is given as zero, is refused.
func param[T string | int64](input httpsfv.InnerList, name string) (T, error) {
	var zero T
	given, ok := input.Params.Get(name)
	if !ok {
		return zero, nil
	}
	value, ok := given.(T)
	if !ok || value == zero {
		return zero, refused("parameter %s has no proper value", name)
	}
	return value, nil
}

// labelledSignature reads the Signature header, which must hold the signature with that label and nothing else.
func labelledSignature(r *http.Request, label string) ([]byte, error) {
	line, err := header(r, "Signature")
	if err != nil {
		return nil, err
	}
	text, ok := strings.CutPrefix(line, label+"=:") // RFC 9421 4.2, RFC 9651 3.3.5
	text, ended := strings.CutSuffix(text, ":")
	if !ok || !ended {
		return nil, refused("the Signature header is not the one signature of Signature-Input")
	}
	return decodeSignature(text)
}

// checkRFC9421Cover wants what Mastodon wants (PROTOCOL 1f); the target may also be covered in parts.
func (c *claim) checkRFC9421Cover(r *http.Request) error {
	hasQuery := strings.Contains(r.RequestURI, "?")
	parts := c.covers("@authority", "@path") && (c.covers("@query") || !hasQuery)
	if !c.covers("@method") || !c.covers("@target-uri") && !parts || c.created == 0 {
		return refused("@method, @target-uri and created must be signed")
	}
	return nil
}

// message is a request as RFC 9421 sees it, coming in or going out.
type message struct {
	request   *http.Request // its method and headers
	scheme    string        // "https"
	authority string        // "example.com"; of one that comes in the very bytes, so that no other spelling passes
	target    string        // "/inbox?x=1"
}

// signatureBase is the text to sign, RFC 9421 2.5. params are the components with their names and all parameters, as
// they stand in Signature-Input.
func (m message) signatureBase(names []string, params string) (string, error) {
	var b strings.Builder
	for _, name := range names {
		value, err := m.component(name)
		if err != nil {
			return "", err
		}
		b.WriteString(`"` + name + `": ` + value + "\n")
	}
	b.WriteString(`"@signature-params": ` + params)
	return b.String(), nil
}

// component is the value of a header (RFC 9421 2.1) or of a derived component (2.2).
func (m message) component(name string) (string, error) {
	path, query, _ := strings.Cut(m.target, "?")
	switch name {
	case "@method":
		return m.request.Method, nil
	case "@target-uri":
		return m.scheme + "://" + m.authority + m.target, nil
	case "@authority":
		return m.authority, nil
	case "@scheme":
		return m.scheme, nil
	case "@request-target":
		return m.target, nil
	case "@path":
		return path, nil
	case "@query":
		return "?" + query, nil
	}
	return field(m.request, name) // there is no header that begins with @
}
