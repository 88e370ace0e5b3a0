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
	view    view
	id      thread.IRI // of the Note; or else
	page    string     // the page's URL, of whose spellings all but one are gone
	lang    string     // of our own words: one that we know, or empty for the post's
	order   thread.Order
	limit   int    // top-level comments; 0: as many as bound allows
	shallow int    // levels of indentation less than maxIndent
	after   cursor // where the reader was; zero: at the beginning
}

// The bounds of one answer, which says how to go on.
const (
	maxLimit    = 1000
	maxComments = 10000 // in the JSON of a whole thread
	maxPaged    = 2000  // in HTML, and when the reader asks for a part
)

func (q query) indent() int { return maxIndent - q.shallow }

func (q query) bound() int {
	if q.view == asJSON && q.limit == 0 && q.after == (cursor{}) {
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
	if q.limit, err = limit(form); err != nil {
		return q, err
	}
	if depth := form.Get("depth"); depth != "" {
		levels, err := strconv.Atoi(depth)
		if err != nil || levels < 0 {
			return q, problem{http.StatusBadRequest, "bad_depth"}
		}
		q.shallow = maxIndent - min(levels, maxIndent)
	}
	if cursor := form.Get("cursor"); cursor != "" {
		if q.after, err = parseCursor(cursor); err != nil {
			return q, problem{http.StatusBadRequest, "bad_cursor"}
		}
	}
	return q, nil
}

// limit is 0 when none was asked for.
func limit(form url.Values) (n int, err error) {
	text := form.Get("limit")
	if text == "" {
		return 0, nil
	}
	if n, err = strconv.Atoi(text); err != nil || n < 1 || n > maxLimit {
		return 0, problem{http.StatusBadRequest, "bad_limit"}
	}
	return n, nil
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

// position is the place of a comment among its siblings, in the order of thread.Arrange, as far as its dates tell.
type position struct {
	published, received int64  // milliseconds
	name                string // its anchor: ids can be long
}

func positionOf(c thread.Placed) position {
	return position{c.Published.UnixMilli(), c.Received.UnixMilli(), c.ID.Anchor()}
}

func (p position) compare(c thread.Placed) int {
	return cmp.Or(cmp.Compare(p.published, c.Published.UnixMilli()), cmp.Compare(p.received, c.Received.UnixMilli()))
}

func (p position) is(c thread.Placed) bool { return p.compare(c) == 0 && p.name == c.ID.Anchor() }

// cursor is what a reader hands back to us to go on where a part ended. It stays good when the comments that it names
// go, or others come.
type cursor struct {
	top    position // the last branch of which something was shown
	last   position // when that was cut: the last comment that was shown
	parent string   // anchor of the one above that, or ""
}

// cursorAfter goes on behind a branch.
func cursorAfter(top thread.Placed) string {
	p := positionOf(top)
	return encode(fmt.Sprintf("%d %d %s", p.published, p.received, p.name))
}

// cursorInside goes on within a branch.
func cursorInside(top, last thread.Placed) string {
	p, l := positionOf(top), positionOf(last)
	return encode(fmt.Sprintf("%d %d %s %d %d %s %s", p.published, p.received, p.name, l.published, l.received, l.name, last.Parent.Anchor()))
}

func encode(cursor string) string { return base64.RawURLEncoding.EncodeToString([]byte(cursor)) }

// maxCursor is more than the longest cursor of ours.
const maxCursor = 256

func parseCursor(text string) (c cursor, err error) {
	if len(text) > maxCursor {
		return c, errors.New("too long")
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return c, err
	}
	p, l := &c.top, &c.last
	n, err := fmt.Sscanf(string(raw), "%d %d %s %d %d %s %s", &p.published, &p.received, &p.name, &l.published, &l.received, &l.name, &c.parent)
	if n == 3 || n == 7 {
		return c, nil
	}
	return c, errors.Join(errors.New("cut off"), err)
}
