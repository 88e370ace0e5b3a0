package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"afterword/config"
	"afterword/sanitize"
	"afterword/storage"
	"afterword/thread"
)

// list is a flag that may be given several times.
type list []string

func (l *list) String() string     { return strings.Join(*l, ", ") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

func postAdd(c *call) error {
	var d storage.Draft
	var summary, content, published string
	c.flags.StringVar(&d.URL, "url", "", "the post's `address` on the blog (required)")
	c.flags.StringVar(&d.Title, "title", "", "its `title` (required)")
	c.flags.StringVar(&summary, "summary", "", "a short `text` or HTML to stand in the Note")
	c.flags.StringVar(&content, "content-file", "", "a `file` with its whole HTML, to stand in the Note instead of the summary")
	c.flags.StringVar(&published, "published", "", "`when` it was published: RFC 3339, a date, or a duration from now such as -3d (default: now)")
	c.flags.StringVar(&d.Lang, "lang", "", "its `language`, such as en or pt-BR")
	c.flags.Var((*list)(&d.Tags), "tag", "a `tag`; may be given several times")
	c.flags.BoolVar(&d.Closed, "closed", false, "close its thread")
	c.flags.BoolVar(&d.Quiet, "quiet", false, "send nothing to anyone")
	c.jsonFlag()
	if err := c.parse(0); err != nil {
		return err
	}
	if d.URL == "" || strings.TrimSpace(d.Title) == "" {
		return &usageError{"a post needs -url and -title"}
	}
	cfg, db, err := c.open()
	if err != nil {
		return err
	}
	if d.Published, err = moment(published, c.now()); err != nil {
		return err
	}
	if err := fill(&d, cfg, summary, content); err != nil {
		return err
	}
	p, saved, err := db.SavePost(c.ctx, d)
	if err != nil {
		return err
	}
	if c.asJSON {
		return c.printJSON(postJSON(p, rules(cfg), c.now()))
	}
	c.printf("%s\n", p.ID)
	fmt.Fprintf(c.stderr, "%s\n", saved)
	return nil
}

// fill checks a draft and makes its texts fit to be sent.
func fill(d *storage.Draft, cfg *config.Config, summary, content string) error {
	if u, err := url.Parse(d.URL); err != nil || !sameSite(u.Hostname(), cfg) {
		return fmt.Errorf("%s is not a page of the blog %s (blog.url in the configuration)", d.URL, cfg.Blog.URL)
	}
	d.Title = sanitize.Name(d.Title, 500)
	d.Summary = blogHTML(summary, d.URL)
	if d.Lang == "" {
		d.Lang = cfg.Blog.Language
	}
	if content == "" {
		return nil
	}
	text, err := os.ReadFile(content)
	if err != nil {
		return fmt.Errorf("-content-file: %w", err)
	}
	d.Content = blogHTML(string(text), d.URL)
	return nil
}

func sameSite(host string, cfg *config.Config) bool {
	blog, err := url.Parse(cfg.Blog.URL)
	return err == nil && strings.TrimPrefix(strings.ToLower(host), "www.") == strings.TrimPrefix(strings.ToLower(blog.Hostname()), "www.")
}

// blogHTML is text or HTML as the Note shows it.
func blogHTML(s, base string) string {
	if !strings.Contains(s, "<") {
		return sanitize.Plain(s)
	}
	return sanitize.Note(s, base)
}

// moment reads a time as the commands take it: RFC 3339, a date, or a duration from now ("3d", "-90m"). Empty is zero.
func moment(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	past, back := strings.CutPrefix(s, "-")
	if d, err := config.ParseDuration(past); err == nil && back {
		return now.Add(-d), nil
	} else if err == nil {
		return now.Add(d), nil
	}
	return time.Time{}, fmt.Errorf("%q is no time: write 2026-12-24T18:00:00Z, 2026-12-24, 3d or 90m", s)
}

// post is a post as commands print it.
type post struct {
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

func postJSON(p thread.Post, rules thread.Rules, now time.Time) post {
	out := post{ID: p.ID, URL: p.URL, Title: p.Title, Published: p.Published, State: rules.StateAt(p, now),
		Comments: p.Comments, Likes: p.Likes, Boosts: p.Boosts, Late: p.Late}
	if at := rules.ClosingTime(p); at.IsZero() {
		return out
	} else if at.After(now) {
		out.ClosesAt = &at
	} else {
		out.ClosedAt = &at
	}
	return out
}

func postList(c *call) error {
	c.jsonFlag()
	if err := c.parse(0); err != nil {
		return err
	}
	cfg, db, err := c.open()
	if err != nil {
		return err
	}
	found, err := db.Posts(c.ctx, 1_000_000, 0)
	if err != nil {
		return err
	}
	posts := make([]post, len(found))
	for i, p := range found {
		posts[i] = postJSON(p, rules(cfg), c.now())
	}
	if c.asJSON {
		return c.printJSON(posts)
	}
	for _, p := range posts {
		c.printf("%s  %-9s %4d comments  %s\n", p.Published.Format(time.DateOnly), p.State, p.Comments, p.URL)
	}
	return nil
}

// openPost opens the database and finds the post that the only argument names.
func (c *call) openPost() (*config.Config, *storage.DB, thread.Post, error) {
	cfg, db, err := c.open()
	if err != nil {
		return nil, nil, thread.Post{}, err
	}
	p, err := db.FindPost(c.ctx, c.args[0])
	if errors.Is(err, storage.ErrNotFound) {
		err = fmt.Errorf(`there is no post %s; "afterword post list" shows all, "afterword post add" makes one`, c.args[0])
	}
	return cfg, db, p, err
}

// shownPost is a post with what is nobody's business but the blogger's.
type shownPost struct {
	post
	LikedBy   []string `json:"liked_by"`
	BoostedBy []string `json:"boosted_by"`
}

func postShow(c *call) error {
	c.jsonFlag()
	if err := c.parse(1); err != nil {
		return err
	}
	cfg, db, p, err := c.openPost()
	if err != nil {
		return err
	}
	out := shownPost{post: postJSON(p, rules(cfg), c.now()), LikedBy: []string{}, BoostedBy: []string{}}
	reactions, err := db.Reactions(c.ctx, p.ID)
	if err != nil {
		return err
	}
	for _, r := range reactions {
		who := map[storage.Reaction]*[]string{storage.Like: &out.LikedBy, storage.Boost: &out.BoostedBy}[r.Kind]
		*who = append(*who, cmp.Or(r.Handle, string(r.Actor)))
	}
	if c.asJSON {
		return c.printJSON(out)
	}
	c.printf("%s\n%s\n%s\npublished %s, %s", out.Title, out.URL, out.ID, out.Published.Format(time.RFC3339), out.State)
	switch {
	case out.ClosedAt != nil:
		c.printf(" since %s", out.ClosedAt.Format(time.RFC3339))
	case out.ClosesAt != nil:
		c.printf(", closes %s", out.ClosesAt.Format(time.RFC3339))
	}
	c.printf("\n%d comments, %d likes, %d boosts, %d late\n", out.Comments, out.Likes, out.Boosts, out.Late)
	for _, by := range []struct {
		how string
		who []string
	}{{"liked", out.LikedBy}, {"boosted", out.BoostedBy}} {
		if len(by.who) > 0 {
			c.printf("%s by %s\n", by.how, strings.Join(by.who, ", "))
		}
	}
	return nil
}

func postRemove(c *call) error {
	if err := c.parse(1); err != nil {
		return err
	}
	_, db, p, err := c.openPost()
	if err != nil {
		return err
	}
	return db.RemovePost(c.ctx, p.ID)
}
