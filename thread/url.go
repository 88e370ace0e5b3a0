package thread

import (
	"net/url"
	"strconv"
	"strings"
)

// CanonicalURL is the one spelling under which a page of the blog is looked up: without scheme, "www.", default
// port, fragment, tracking parameters, index file and trailing slash. Pages whose spellings agree are one page. It
// is empty for what is not an http(s) URL of at most MaxIRI bytes, however it is spelled.
func CanonicalURL(raw string) string {
	if len(raw) > MaxIRI {
		return ""
	}
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || !isHost(u.Hostname()) || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	host := strings.TrimPrefix(IRI(u.Scheme+"://"+u.Host).Host(), "www.")
	path := u.EscapedPath()
	for _, index := range []string{"index.html", "index.htm", "index.php"} {
		if strings.HasSuffix(path, "/"+index) {
			path = strings.TrimSuffix(path, index)
		}
	}
	key := host + strings.TrimRight(path, "/")
	if q := tellingQuery(u.RawQuery); q != "" {
		key += "?" + q
	}
	if len("https://"+key) > MaxIRI { // escaping makes it longer
		return ""
	}
	return key
}

// tellingQuery keeps those parameters of a query that tell pages apart, in their order.
func tellingQuery(raw string) string {
	var kept []string
	for _, pair := range strings.Split(raw, "&") {
		pair = strings.TrimSpace(pair)
		if name, _, _ := strings.Cut(pair, "="); name != "" && !isTracking(strings.ToLower(name)) {
			kept = append(kept, pair)
		}
	}
	return strings.Join(kept, "&")
}

func isTracking(name string) bool {
	switch name {
	case "fbclid", "gclid", "dclid", "msclkid", "mc_cid", "mc_eid", "igshid", "ref_src", "yclid", "_ga":
		return true
	}
	return strings.HasPrefix(name, "utm_")
}

// SameSite tells whether two pages are on one host, with or without "www.".
func SameSite(a, b string) bool {
	site := func(page string) string { return strings.TrimPrefix(IRI(page).Host(), "www.") }
	return site(a) != "" && site(a) == site(b)
}

// PathOf is the part of a page's URL that names its Note: path and telling query, as "/2009/07/06/slug/" or
// "/?p=1". CONTRACT calls it PATH.
func PathOf(page string) (string, error) {
	iri, err := ParseIRI(page)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(string(iri))
	if err != nil {
		return "", ErrIRI
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	if q := tellingQuery(u.RawQuery); q != "" {
		path += "?" + q
	}
	return path, nil
}

// NoteID is the id of the Note of a page (CONTRACT, "Federation URLs"): base + "/posts" + PATH, and from the second
// time on, when the page's post was removed and is made again, with "~2", "~3" ….
func NoteID(base, page string, times int) (IRI, error) {
	path, err := PathOf(page)
	if err != nil {
		return "", err
	}
	id := base + "/posts" + path
	if times > 1 {
		id += "~" + strconv.Itoa(times)
	}
	return ParseIRI(id)
}
