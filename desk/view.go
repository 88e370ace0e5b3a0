package desk

import (
	"time"

	"afterword/sanitize"
	"afterword/thread"
)

// Post is a post as the blogger sees it.
type Post struct {
	ID        thread.IRI      `json:"id"`
	URL       string          `json:"url"`
	Title     string          `json:"title"`
	Published time.Time       `json:"published"`
	State     thread.Openness `json:"state"`
	ClosesAt  *time.Time      `json:"closes_at"`
	ClosedAt  *time.Time      `json:"closed_at"`
	Comments  int             `json:"comments"`
	Likes     int             `json:"likes"`
	Boosts    int             `json:"boosts"`
	Late      int             `json:"late"`
}

// View is a post as it stands now.
func (d Desk) View(p thread.Post) Post {
	now := d.Now()
	out := Post{ID: p.ID, URL: p.URL, Title: p.Title, Published: p.Published, State: d.Rules.StateAt(p, now),
		Comments: p.Comments, Likes: p.Likes, Boosts: p.Boosts, Late: p.Late}
	if at := d.Rules.ClosingTime(p); at.IsZero() {
		return out
	} else if at.After(now) {
		out.ClosesAt = &at
	} else {
		out.ClosedAt = &at
	}
	return out
}

// Comment is a comment as the blogger sees it, shown or not.
type Comment struct {
	ID        thread.IRI   `json:"id"`
	URL       string       `json:"url"`
	Post      thread.IRI   `json:"post"`
	Parent    thread.IRI   `json:"parent"`
	Author    string       `json:"author"`
	Name      string       `json:"name"`
	Text      string       `json:"text"`
	Published time.Time    `json:"published"`
	Received  time.Time    `json:"received"`
	State     thread.State `json:"state"`
}

const maxCommentText = 10_000

// ViewComments are comments as they stand now.
func ViewComments(found []thread.Comment) []Comment {
	out := make([]Comment, len(found))
	for i, f := range found {
		out[i] = Comment{f.ID, f.URL, f.Post, f.Parent, f.Author.Handle, f.Author.Name, sanitize.Text(f.HTML, maxCommentText), f.Published, f.Received, f.State}
	}
	return out
}
