// Package thread is the domain: a blog post, the replies that stand under it, and the rules that say which reply
// stands there. It is pure: standard library only, no I/O, no clock of its own. Everything else stores, fetches,
// sends or shows what is decided here.
//
// The two decisions are Rules.StateAt (is this thread open?) and Admit (what becomes of this reply?). Both are
// functions of stored facts and a moment, so that nothing depends on a timer that might not have fired.
package thread

import (
	"strings"
	"time"
)

// Post is a blog post and the thread under it.
type Post struct {
	ID        IRI    // id of its Note; given once, never changed, never used again after removal
	URL       string // its page on the blog
	Title     string // plain text
	Summary   string // safe HTML, may be empty
	Content   string // safe HTML, may be empty
	Lang      string // BCP 47, may be empty
	Tags      []string
	Pictures  []Picture
	Warning   string // content warning, plain text; empty: none
	Unlisted  bool   // for whoever has the link, and the followers: not to be put before everybody
	Published time.Time
	Updated   time.Time // last change that peers are told of; zero when there was none
	Removed   time.Time // zero while it exists

	ClosesAt time.Time // when it was or will be closed by hand; zero: not
	Reopened bool      // reopened by hand: closing by age or number no longer applies

	BlogClosedAt time.Time // since when all threads of the blog are closed; zero: they are not
	Entered      int       // strangers' comments that were ever let in; never falls
	LastEntered  time.Time // when the last of them was

	Comments, Likes, Boosts, Late int // Late: public replies that came after closing

	Revision int64 // moves with everything that readers can see
	Recast   int64 // moves with what readers see of an account that wrote here: its name, its picture
}

// Picture is one of a post's pictures, where it stands on the blog.
type Picture struct {
	URL  string `json:"url"`
	Type string `json:"type,omitempty"` // media type; empty: as its name says
	Alt  string `json:"alt,omitempty"`  // what it shows, plain text
}

// Author is who wrote a comment, as their own server describes them.
type Author struct {
	ID      IRI
	Name    string // plain text
	Handle  string // "@name@host"
	URL     string // profile page, http(s)
	Avatar  string // picture's address at the author's server; never sent to readers as it is
	Picture string // name of our own copy of it; empty: there is none
	Bot     bool
	Owner   bool // the blogger
	Deleted bool
}

// Is tells whether this is the account that the blogger means by its handle, its id or its profile page. Anybody may put
// another's page into their own profile, so that counts only when it lies at the server of the account.
func (a Author) Is(account string) bool {
	if account == "" {
		return false
	}
	return string(a.ID) == account || strings.EqualFold(a.Handle, account) || a.URL == account && SameOrigin(a.ID, IRI(account))
}

// State is where a comment stands.
type State string

// The states of a comment. Only Visible ones leave this server.
const (
	Visible State = "visible"
	Pending State = "pending" // waits for the blogger
	Late    State = "late"    // came after the thread was closed
	Hidden  State = "hidden"  // hidden by the blogger, or no longer public
	Orphan  State = "orphan"  // its way up to a post is not known
)

// States lists the states of a comment, for messages and checks.
var States = []State{Visible, Pending, Late, Hidden, Orphan}

// Comment is a reply somewhere below a post.
type Comment struct {
	ID        IRI
	URL       string // its page at the author's server, http(s)
	Post      IRI    // empty for an orphan
	Parent    IRI    // the comment it answers; empty when it answers the post
	Author    Author
	HTML      string // safe HTML
	Warning   string // content warning, plain text
	Lang      string
	Published time.Time // as its author says, never after Received
	Edited    time.Time // zero when never edited
	Received  time.Time // by our clock
	State     State
	Unlisted  bool      // public, but not to be put before everybody
	Deleted   bool      // by its author: kept without text for the sake of its replies
	ClosedAt  time.Time // since when its branch is closed; zero: it is not
	Imported  bool
	Attached  []Attached // pictures that its HTML links to

	Likes, Boosts int
}

// Attached is a picture within a comment: a link to its own server, until we have a copy.
type Attached struct {
	URL           string
	Picture       string // name of our own copy of it; empty: there is none
	Width, Height int    // of the copy, in pixels
}

// Answers is what a comment answers: another one, or the post itself.
func (c Comment) Answers() IRI {
	if c.Parent != "" {
		return c.Parent
	}
	return c.Post
}
