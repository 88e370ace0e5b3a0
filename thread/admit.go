package thread

import (
	"fmt"
	"time"
)

// Moderation is which strangers' comments wait for the blogger.
type Moderation string

// The moderation modes of the configuration.
const (
	ModerateNone  Moderation = "none"
	ModerateFirst Moderation = "first" // an author's first comment waits
	ModerateAll   Moderation = "all"
)

// Rules are the blogger's, from the configuration.
type Rules struct {
	Moderation         Moderation
	CloseAfter         time.Duration // age at which threads close; 0: never
	CloseAfterComments int           // number of comments at which threads close; 0: never
	ShowUnlisted       bool
}

// Openness is what readers and other servers are told about a thread.
type Openness string

// The states of a thread (CONTRACT: "state").
const (
	Open      Openness = "open"
	Closed    Openness = "closed"
	Moderated Openness = "moderated"
)

// ClosingTime is when the thread closes or closed; zero when it never will. The earliest of the blogger's own word for
// this thread or for all, the age rule and the number rule counts; a reopening by hand switches the two rules off.
func (r Rules) ClosingTime(p Post) time.Time {
	at := earliest(p.ClosesAt, p.BlogClosedAt)
	if p.Reopened {
		return at
	}
	if r.CloseAfter > 0 {
		at = earliest(at, p.Published.Add(r.CloseAfter))
	}
	if r.full(p) {
		at = earliest(at, p.LastEntered)
	}
	return at
}

// full tells whether a thread has had as many comments as it may.
func (r Rules) full(p Post) bool {
	return r.CloseAfterComments > 0 && p.Entered >= r.CloseAfterComments && !p.Reopened
}

// StateAt is the state of a post's thread at a moment.
func (r Rules) StateAt(p Post, now time.Time) Openness {
	if at := r.ClosingTime(p); !at.IsZero() && !now.Before(at) {
		return Closed
	}
	if r.Moderation == ModerateFirst || r.Moderation == ModerateAll {
		return Moderated
	}
	return Open
}

// Audience is who may read an object, by its addressing.
type Audience int

// The audiences. Nothing but Public and Unlisted is ever stored or shown.
const (
	Private  Audience = iota // followers, single people, or nobody at all
	Unlisted                 // "quiet public": as:Public in cc
	Public
)

// InFlight is how long after a closing a reply that was written before it is held for the blogger instead of being
// counted as late (PROTOCOL 0.5). Its date can be forged, so it never opens the door.
const InFlight = 10 * time.Minute

// Reply is what Admit needs to know about a reply that wants to stand under a post.
type Reply struct {
	Audience       Audience
	Published      time.Time // as its author says; zero when he does not
	Received       time.Time // by our clock
	BranchClosedAt time.Time // the earliest closing among its ancestors; zero: none is closed
	AuthorKnown    bool      // has a comment that the blogger or the rules let through before
	AuthorOwner    bool      // is the blogger
	AuthorBlocked  bool      // the account or its server is blocked
	HidesPublic    bool      // the account wants none of its posts on the open web (gts:hidesToPublicFromUnauthedWeb)
	HidesUnlisted  bool      // the same for its unlisted posts (gts:hidesCcPublicFromUnauthedWeb)
	Called         int       // accounts that it mentions without saying a word; 0: it says something
}

// maxCalled is how many accounts a stranger's wordless reply mentions before it looks like the waves of spam that are
// pictures with the names of everybody in the thread (SECURITY D59).
const maxCalled = 5

// Decision is what becomes of a message; with its reason it is the verdict that the ledger keeps.
type Decision string

// The decisions. Those about replies say where the reply went; the others belong to other kinds of messages.
const (
	Shown    Decision = "shown"
	Held     Decision = "held"    // waits for the blogger
	TooLate  Decision = "late"    // thread or branch closed
	NotShown Decision = "hidden"  // kept but not shown
	Waiting  Decision = "waiting" // for a parent that is being looked for
	Orphaned Decision = "orphan"  // leads to no post of ours
	Secret   Decision = "private" // not public: counted, never stored
	Blocked  Decision = "blocked" // by the blogger
	Refused  Decision = "refused" // not the sender's to say
	Ignored  Decision = "ignored" // nothing for us to do
	Done     Decision = "done"    // carried out
	Failed   Decision = "failed"  // our own fault; can be replayed
)

// Verdict is a decision and why, in words for the blogger.
type Verdict struct {
	Decision Decision
	Reason   string
}

// State is the state in which a comment is stored under this verdict; stored is false when it is not.
func (v Verdict) State() (s State, stored bool) {
	switch v.Decision {
	case Shown:
		return Visible, true
	case Held:
		return Pending, true
	case TooLate:
		return Late, true
	case NotShown:
		return Hidden, true
	}
	return "", false
}

// Admit is the single place that says what becomes of a reply: private, blocked, late, held or shown. It is asked
// for every reply by whatever way it came, and never before its author and origin are certain.
func Admit(rules Rules, p Post, r Reply) Verdict {
	switch {
	case r.AuthorBlocked:
		return Verdict{Blocked, "the blog blocks this account or its server"}
	case r.Audience == Private:
		return Verdict{Secret, "not addressed to the public"}
	case r.Audience == Unlisted && !rules.ShowUnlisted:
		return Verdict{NotShown, "unlisted, and comments.show_unlisted is off"}
	case r.HidesPublic:
		return Verdict{Secret, "its author does not want posts shown on the open web"}
	case r.Audience == Unlisted && r.HidesUnlisted:
		return Verdict{Secret, "its author does not want unlisted posts shown on the open web"}
	}
	if r.AuthorOwner { // also in a closed thread: it is the blogger's
		return Verdict{Shown, "by the blogger"}
	}
	// What came together with the last comment that a thread takes came before it closed; it is too much all the same.
	if at := earliest(rules.ClosingTime(p), r.BranchClosedAt); !at.IsZero() && (!r.Received.Before(at) || rules.full(p)) {
		return afterClosing(at, r)
	}
	return moderate(rules, r)
}

func afterClosing(at time.Time, r Reply) Verdict {
	if r.Published.Before(at) && !r.Published.IsZero() && r.Received.Before(at.Add(InFlight)) {
		return Verdict{Held, "on its way when comments were closed at " + stamp(at)}
	}
	return Verdict{TooLate, "comments were closed at " + stamp(at)}
}

func moderate(rules Rules, r Reply) Verdict {
	switch {
	case rules.Moderation == ModerateAll:
		return Verdict{Held, "every comment waits for the blogger (comments.moderation = all)"}
	case rules.Moderation == ModerateFirst && !r.AuthorKnown:
		return Verdict{Held, "the first comment of this account waits for the blogger (comments.moderation = first)"}
	}
	if r.Called > maxCalled && !r.AuthorKnown {
		return Verdict{Held, fmt.Sprintf("an account not seen here before mentions %d accounts and says nothing", r.Called)}
	}
	return Verdict{Shown, ""}
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// String is the decision and its reason in one line.
func (v Verdict) String() string {
	if v.Reason == "" {
		return string(v.Decision)
	}
	return fmt.Sprintf("%s: %s", v.Decision, v.Reason)
}
