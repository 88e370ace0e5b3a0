package thread

import (
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

func TestStateIsAFunctionOfFactsAndTheClock(t *testing.T) {
	aged := Rules{CloseAfter: 10 * day}
	full := Rules{CloseAfterComments: 3}
	for name, c := range map[string]struct {
		rules Rules
		post  Post
		now   time.Time
		want  Openness
	}{
		"nothing said":                      {Rules{}, Post{Published: noon}, noon.Add(1000 * day), Open},
		"moderated":                         {Rules{Moderation: ModerateFirst}, Post{Published: noon}, noon, Moderated},
		"closed now":                        {Rules{}, Post{ClosesAt: noon}, noon, Closed},
		"closed counts more than moderated": {Rules{Moderation: ModerateAll}, Post{ClosesAt: noon}, noon, Closed},
		"a second before its time":          {Rules{}, Post{ClosesAt: noon}, noon.Add(-time.Second), Open},
		"a second before its age":           {aged, Post{Published: noon}, noon.Add(10*day - time.Second), Open},
		"at its age":                        {aged, Post{Published: noon}, noon.Add(10 * day), Closed},
		"reopened wins over age":            {aged, Post{Published: noon, Reopened: true}, noon.Add(11 * day), Open},
		"closed again after reopening":      {aged, Post{Published: noon, ClosesAt: noon.Add(12 * day)}, noon.Add(13 * day), Closed},
		"age before the blogger's time":     {aged, Post{Published: noon, ClosesAt: noon.Add(20 * day)}, noon.Add(11 * day), Closed},
		"one comment is missing":            {full, Post{Entered: 2, LastEntered: noon}, noon.Add(day), Open},
		"as many comments as wanted":        {full, Post{Entered: 3, LastEntered: noon}, noon, Closed},
		"reopened wins over number":         {full, Post{Entered: 9, LastEntered: noon, Reopened: true}, noon, Open},
		"all threads closed":                {Rules{}, Post{BlogClosedAt: noon}, noon, Closed},
		"reopened, but all threads closed":  {Rules{}, Post{BlogClosedAt: noon, Reopened: true}, noon, Closed},
		"all threads will close":            {Rules{}, Post{BlogClosedAt: noon}, noon.Add(-time.Second), Open},
	} {
		if got := c.rules.StateAt(c.post, c.now); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestAdmit(t *testing.T) {
	closed := Post{ClosesAt: noon}
	all := Rules{ShowUnlisted: true}
	first := Rules{ShowUnlisted: true, Moderation: ModerateFirst}
	full := Rules{ShowUnlisted: true, CloseAfterComments: 3}
	after := noon.Add(time.Minute)
	for name, c := range map[string]struct {
		rules Rules
		post  Post
		reply Reply
		want  Decision
	}{
		"public":                                   {all, Post{}, Reply{Audience: Public, Received: noon}, Shown},
		"unlisted":                                 {all, Post{}, Reply{Audience: Unlisted, Received: noon}, Shown},
		"unlisted, not wanted":                     {Rules{}, Post{}, Reply{Audience: Unlisted, Received: noon}, NotShown},
		"private":                                  {all, Post{}, Reply{Received: noon}, Secret},
		"private in a closed thread":               {all, closed, Reply{Received: after}, Secret},
		"blocked":                                  {all, closed, Reply{Audience: Public, AuthorBlocked: true, Received: after}, Blocked},
		"hides all its posts":                      {all, Post{}, Reply{Audience: Public, HidesPublic: true}, Secret},
		"hides its unlisted posts, unlisted":       {all, Post{}, Reply{Audience: Unlisted, HidesUnlisted: true}, Secret},
		"hides its unlisted posts, public":         {all, Post{}, Reply{Audience: Public, HidesUnlisted: true}, Shown},
		"received a second before closing":         {all, closed, Reply{Audience: Public, Received: noon.Add(-time.Second)}, Shown},
		"received at the closing":                  {all, closed, Reply{Audience: Public, Received: noon}, TooLate},
		"written before, received within grace":    {all, closed, Reply{Audience: Public, Published: noon.Add(-time.Hour), Received: noon.Add(InFlight - time.Second)}, Held},
		"written before, received after the grace": {all, closed, Reply{Audience: Public, Published: noon.Add(-time.Hour), Received: noon.Add(InFlight)}, TooLate},
		"without a date, within the grace":         {all, closed, Reply{Audience: Public, Received: after}, TooLate},
		"by the blogger in a closed thread":        {all, closed, Reply{Audience: Public, Received: after, AuthorOwner: true}, Shown},
		"by the blogger, not public":               {all, closed, Reply{Received: after, AuthorOwner: true}, Secret},
		"received before the last one entered":     {full, Post{Entered: 3, LastEntered: noon}, Reply{Audience: Public, Received: noon.Add(-time.Second)}, TooLate},
		"the same, and its date says so":           {full, Post{Entered: 3, LastEntered: noon}, Reply{Audience: Public, Published: noon.Add(-time.Hour), Received: noon.Add(-time.Second)}, Held},
		"too many, but reopened":                   {full, Post{Entered: 3, LastEntered: noon, Reopened: true}, Reply{Audience: Public, Received: after}, Shown},
		"branch closed":                            {all, Post{}, Reply{Audience: Public, Received: after, BranchClosedAt: noon}, TooLate},
		"branch closed later than the thread":      {all, closed, Reply{Audience: Public, Received: after, BranchClosedAt: after.Add(day)}, TooLate},
		"a stranger's first":                       {first, Post{}, Reply{Audience: Public}, Held},
		"a stranger's second":                      {first, Post{}, Reply{Audience: Public, AuthorKnown: true}, Shown},
		"the blogger's first":                      {first, Post{}, Reply{Audience: Public, AuthorOwner: true}, Shown},
		"everything waits":                         {Rules{Moderation: ModerateAll}, Post{}, Reply{Audience: Public, AuthorKnown: true}, Held},
	} {
		v := Admit(c.rules, c.post, c.reply)
		if v.Decision != c.want {
			t.Errorf("%s: %s, want %s", name, v, c.want)
		}
		if _, stored := v.State(); stored == (v.Decision == Secret || v.Decision == Blocked) {
			t.Errorf("%s: stored is %v", name, stored)
		}
	}
}

func TestIsTheBlogger(t *testing.T) {
	me := Author{ID: "https://a.example/users/me", Handle: "@me@a.example", URL: "https://a.example/@me"}
	impostor := Author{ID: "https://b.example/users/x", Handle: "@x@b.example", URL: me.URL}
	for _, account := range []string{string(me.ID), "@Me@a.example", me.URL} {
		if !me.Is(account) || impostor.Is(account) {
			t.Errorf("%s: %v, %v", account, me.Is(account), impostor.Is(account))
		}
	}
	if (Author{}).Is("") {
		t.Error("nobody is the blogger where none is named")
	}
}
