package main

import (
	"cmp"
	"fmt"
	"os"
	"strings"
	"time"

	"afterword/desk"
	"afterword/feed"
	"afterword/sanitize"
	"afterword/storage"
	"afterword/thread"
)

// list is a flag that may be given several times.
type list []string

func (l *list) String() string     { return strings.Join(*l, ", ") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

func postAdd(c *call) error {
	var draft desk.Draft
	var content string
	var pictures list
	c.flags.StringVar(&draft.URL, "url", "", "the post's `address` on the blog (required)")
	c.flags.StringVar(&draft.Title, "title", "", "its `title` (required)")
	c.flags.StringVar(&draft.Summary, "summary", "", "a short `text` or HTML to stand in the Note")
	c.flags.StringVar(&content, "content-file", "", "a `file` with its whole HTML, to stand in the Note instead of the summary")
	c.flags.StringVar(&draft.Published, "published", "", "`when` it was published: RFC 3339, a date, or a duration from now such as -3d (default: now)")
	c.flags.StringVar(&draft.Lang, "lang", "", "its `language`, such as en or pt-BR")
	c.flags.Var((*list)(&draft.Tags), "tag", "a `tag`; may be given several times")
	c.flags.Var(&pictures, "picture", "an `address` of a picture, with what it shows after a space; up to four times")
	c.flags.StringVar(&draft.Warning, "warning", "", "a content warning: this `text` is shown first, the post on a click")
	c.flags.BoolVar(&draft.Unlisted, "unlisted", false, "for followers and whoever has the link: not in public timelines")
	c.flags.BoolVar(&draft.Closed, "closed", false, "close its thread")
	c.flags.BoolVar(&draft.Quiet, "quiet", false, "send nothing to anyone")
	c.jsonFlag()
	if err := c.parse(0); err != nil {
		return err
	}
	if draft.URL == "" || strings.TrimSpace(draft.Title) == "" {
		return &usageError{"a post needs -url and -title"}
	}
	for _, given := range pictures {
		address, alt, _ := strings.Cut(given, " ")
		draft.Pictures = append(draft.Pictures, thread.Picture{URL: address, Alt: alt})
	}
	if content != "" {
		text, err := os.ReadFile(content)
		if err != nil {
			return fmt.Errorf("-content-file: %w", err)
		}
		draft.Content = string(text)
	}
	return c.savePost(draft)
}

func (c *call) savePost(draft desk.Draft) error {
	d, err := c.openDesk()
	if err != nil {
		return err
	}
	p, saved, err := d.Save(c.ctx, draft)
	if err != nil {
		return err
	}
	if c.asJSON {
		return c.printJSON(d.View(p))
	}
	c.printf("%s\n", p.ID)
	fmt.Fprintf(c.stderr, "%s\n", saved)
	return nil
}

// openDesk opens the database for what the blogger does.
func (c *call) openDesk() (desk.Desk, error) {
	cfg, db, err := c.open()
	if err != nil {
		return desk.Desk{}, err
	}
	return desk.Desk{DB: db, Rules: rules(cfg), Blog: cfg.Blog.URL, Lang: cfg.Blog.Language, Now: c.now}, nil
}

func postList(c *call) error {
	c.jsonFlag()
	if err := c.parse(0); err != nil {
		return err
	}
	d, err := c.openDesk()
	if err != nil {
		return err
	}
	found, err := d.DB.Posts(c.ctx, 1_000_000, 0)
	if err != nil {
		return err
	}
	posts := make([]desk.Post, len(found))
	for i, p := range found {
		posts[i] = d.View(p)
	}
	if c.asJSON {
		return c.printJSON(posts)
	}
	for _, p := range posts {
		c.printf("%s  %-9s %4d comments  %s\n", p.Published.Format(time.DateOnly), p.State, p.Comments, p.URL)
	}
	return nil
}

// shownPost is a post with all that is known of it, also what is nobody's business but the blogger's.
type shownPost struct {
	desk.Post
	Summary        string       `json:"summary"`
	Content        string       `json:"content"`
	Lang           string       `json:"lang"`
	Tags           []string     `json:"tags"`
	Warning        string       `json:"warning"`
	Unlisted       bool         `json:"unlisted"`
	ClosedBy       string       `json:"closed_by"` // what closes or closed it, in words
	ClosedBranches []thread.IRI `json:"closed_branches"`
	Waiting        int          `json:"waiting"` // comments that wait for the blogger
	LikedBy        []string     `json:"liked_by"`
	BoostedBy      []string     `json:"boosted_by"`
}

func postShow(c *call) error {
	c.jsonFlag()
	if err := c.parse(1); err != nil {
		return err
	}
	d, err := c.openDesk()
	if err != nil {
		return err
	}
	p, err := d.Post(c.ctx, c.args[0])
	if err != nil {
		return err
	}
	reactions, err := d.DB.Reactions(c.ctx, p.ID)
	if err != nil {
		return err
	}
	comments, err := d.DB.Thread(c.ctx, p.ID)
	if err != nil {
		return err
	}
	out := shownPost{Post: d.View(p), Summary: p.Summary, Content: p.Content, Lang: p.Lang, Tags: append([]string{}, p.Tags...), Warning: p.Warning,
		Unlisted: p.Unlisted, ClosedBy: closedBy(d.Rules, p), ClosedBranches: []thread.IRI{}, LikedBy: []string{}, BoostedBy: []string{}}
	out.below(comments, reactions)
	if c.asJSON {
		return c.printJSON(out)
	}
	c.printPost(out)
	return nil
}

// below adds what there is below a post.
func (p *shownPost) below(comments []thread.Comment, reactions []storage.Reacted) {
	for _, c := range comments {
		if c.State == thread.Pending && !c.Deleted {
			p.Waiting++
		}
		if !c.ClosedAt.IsZero() {
			p.ClosedBranches = append(p.ClosedBranches, c.ID)
		}
	}
	for _, r := range reactions {
		who := map[storage.Reaction]*[]string{storage.Like: &p.LikedBy, storage.Boost: &p.BoostedBy}[r.Kind]
		*who = append(*who, cmp.Or(r.Handle, string(r.Actor)))
	}
}

// closedBy says what closes a thread at its time; empty when nothing does.
func closedBy(rules thread.Rules, p thread.Post) string {
	switch at := rules.ClosingTime(p); {
	case at.IsZero():
		return ""
	case at.Equal(p.ClosesAt):
		return "by hand"
	case at.Equal(p.BlogClosedAt):
		return "with all threads"
	case rules.CloseAfter > 0 && at.Equal(p.Published.Add(rules.CloseAfter)):
		return "by age"
	}
	return "by the number of comments"
}

func (c *call) printPost(p shownPost) {
	c.printf("%s\n%s\n%s\npublished %s, %s", p.Title, p.URL, p.ID, p.Published.Format(time.RFC3339), p.State)
	switch {
	case p.ClosedAt != nil:
		c.printf(" %s since %s", p.ClosedBy, p.ClosedAt.Format(time.RFC3339))
	case p.ClosesAt != nil:
		c.printf(", closes %s at %s", p.ClosedBy, p.ClosesAt.Format(time.RFC3339))
	}
	c.printf("\n%d comments, %d likes, %d boosts, %d late, %d waiting\n", p.Comments, p.Likes, p.Boosts, p.Late, p.Waiting)
	branches := make([]string, len(p.ClosedBranches))
	for i, id := range p.ClosedBranches {
		branches[i] = string(id)
	}
	for _, line := range [][2]string{{"language", p.Lang}, {"tags", strings.Join(p.Tags, ", ")}, {"warning", p.Warning},
		{"closed branches", strings.Join(branches, ", ")}, {"liked by", strings.Join(p.LikedBy, ", ")}, {"boosted by", strings.Join(p.BoostedBy, ", ")},
		{"text", sanitize.Text(cmp.Or(p.Content, p.Summary), 500)}} {
		if line[1] != "" {
			c.printf("%s: %s\n", line[0], line[1])
		}
	}
}

func postRemove(c *call) error {
	if err := c.parse(1); err != nil {
		return err
	}
	d, err := c.openDesk()
	if err != nil {
		return err
	}
	return d.RemovePost(c.ctx, c.args[0])
}

// postSync reads the feed at once: for the hook that runs when the blog was built.
func postSync(c *call) error {
	var how feed.Options
	c.flags.BoolVar(&how.Send, "send", false, "send new posts whatever their date, also when the feed is read for the first time")
	c.jsonFlag()
	if err := c.parse(0); err != nil {
		return err
	}
	cfg, db, err := c.open()
	if err != nil {
		return err
	}
	how.Fresh = true
	w := world{Transport: c.transport, Now: c.now, Log: c.logger(false)}
	did, err := newReader(cfg, db, newClient(cfg, w), w).Sync(c.ctx, how)
	if err != nil {
		return err
	}
	if c.asJSON {
		return c.printJSON(did)
	}
	c.printf("%d new, of which %d are sent; %d changed, %d unchanged, %d removed, %d wait for their date, %d skipped\n",
		did.Created, did.Sent, did.Updated, did.Unchanged, did.Removed, did.Waiting, did.Skipped)
	return nil
}
