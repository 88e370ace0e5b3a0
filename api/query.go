package api

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"afterword/thread"
)

// query is what a reader asks for. It has one spelling, because it is also the key under which the answer is kept.
type query struct {
	view  view
	id    thread.IRI // of the Note; or else
	page  string     // the page's URL, of whose spellings all but one are gone
	lang  string     // of our own words: one that we know, or empty for the post's
	order thread.Order
	limit int      // top-level comments; 0: as many as bound allows
	after position // the top-level comment that the reader saw last; zero: from the beginning
}

// The bounds of one answer. It ends with the branch in which it passes its bound, and says how to go on.
const (
	maxLimit    = 1000
	maxComments = 10000 // in the JSON of a whole thread
	maxPaged    = 2000  // in HTML, and when the reader asks for a part
)

func (q query) bound() int {
	if q.view == asJSON && q.limit == 0 && q.after == (position{}) {
		return maxComments
	}
	return maxPaged
}

// parse reads the parameters that all forms of a thread share; unknown ones are ignored.
func (s *Server) parse(v view, form url.Values) (q query, err error) {
	q = query{view: v, lang: known(form.Get("lang")), order: thread.Oldest}
	if q.id, q.page, err = s.post(form); err != nil {
		return q, err
	}
	if sort := form.Get("sort"); sort != "" {
		if q.order = thread.Order(sort); q.order != thread.Oldest && q.order != thread.Newest {
			return q, problem{http.StatusBadRequest, "bad_sort"}
		}
	}
	if limit := form.Get("limit"); limit != "" {
		if q.limit, err = strconv.Atoi(limit); err != nil || q.limit < 1 || q.limit > maxLimit {
			return q, problem{http.StatusBadRequest, "bad_limit"}
		}
	}
	if cursor := form.Get("cursor"); cursor != "" {
		if q.after, err = parseCursor(cursor); err != nil {
			return q, problem{http.StatusBadRequest, "bad_cursor"}
		}
	}
	return q, nil
}

// post is which one a reader means. A Note's id will do for a URL: our pages tell people to copy it.
func (s *Server) post(form url.Values) (id thread.IRI, page string, err error) {
	asked := form.Get("url")
	switch given := form.Get("id"); {
	case given != "":
		return thread.IRI(given), "", nil
	case asked == "":
		return "", "", problem{http.StatusBadRequest, "missing_url"}
	case strings.HasPrefix(asked, s.Base+"/posts/"):
		return thread.IRI(asked), "", nil
	}
	if page = thread.CanonicalURL(asked); page == "" {
		return "", "", unknownPost
	}
	return "", "https://" + page, nil
}

// position is the place of a top-level comment among its siblings, in the order of thread.Arrange.
type position struct {
	published, received int64 // milliseconds
	id                  thread.IRI
}

func (b branch) position() position {
	return position{b[0].Published.UnixMilli(), b[0].Received.UnixMilli(), b[0].ID}
}

func (p position) compare(q position) int {
	return cmp.Or(cmp.Compare(p.published, q.published), cmp.Compare(p.received, q.received), cmp.Compare(p.id, q.id))
}

// cursor is a position that a reader hands back to us. It stays good when the comment it names goes.
func (p position) cursor() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %d %s", p.published, p.received, p.id))
}

func parseCursor(text string) (p position, err error) {
	if len(text) > 2*thread.MaxIRI {
		return p, errors.New("too long")
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return p, err
	}
	_, err = fmt.Sscanf(string(raw), "%d %d %s", &p.published, &p.received, &p.id)
	return p, err
}
