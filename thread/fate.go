package thread

import "time"

// Fate is what became of a reply, for the blogger who asks why it is not shown.
type Fate struct {
	ID       IRI // of the reply; empty when its address leads to none
	Post     IRI // under which it stands, or would; empty when that is not known
	Decision Decision
	Reason   string
	At       time.Time // when that was decided; zero when it was not
	Fetched  bool      // it had never come, and was asked for just now
}

// Decisions that only a Fate has.
const (
	Undecided Decision = "undecided" // it is here and waits for its turn
	Erased    Decision = "deleted"   // it was here
	Unknown   Decision = "unknown"   // it never came and cannot be had
)

// fates are the decisions that the states of comments come from.
var fates = map[State]Decision{Visible: Shown, Pending: Held, Late: TooLate, Hidden: NotShown, Orphan: Orphaned}

// FateOf is the fate of a comment that is stored, as far as the comment itself tells.
func FateOf(c Comment) Fate {
	f := Fate{ID: c.ID, Post: c.Post, Decision: fates[c.State], At: c.Received}
	if c.Deleted {
		f.Decision = Erased
	}
	return f
}
