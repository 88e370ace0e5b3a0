package desk

import (
	"cmp"
	"context"
	"mime"
	"net/url"
	"strings"
	"time"

	"afterword/config"
	"afterword/sanitize"
	"afterword/storage"
	"afterword/thread"
)

// Draft is a post as the blogger writes it down: what is missing, is nothing.
type Draft struct {
	URL       string           `json:"url"`
	Title     string           `json:"title"`
	Summary   string           `json:"summary"` // text or HTML
	Content   string           `json:"content"` // text or HTML, stands in the Note instead of the summary
	Published string           `json:"published"`
	Lang      string           `json:"lang"`
	Tags      []string         `json:"tags"`
	Pictures  []thread.Picture `json:"pictures"`
	Warning   string           `json:"warning"`
	Unlisted  bool             `json:"unlisted"`
	Closed    bool             `json:"closed"`
	Quiet     bool             `json:"quiet"` // tell nobody
}

const (
	maxTitle    = 500
	maxWarning  = 500
	maxAlt      = 1500
	maxTags     = 50
	maxPictures = 4 // that Mastodon shows
)

// Save creates or updates the post of a page.
func (d Desk) Save(ctx context.Context, draft Draft) (thread.Post, storage.Saved, error) {
	out, err := d.fill(draft)
	if err != nil {
		return thread.Post{}, "", err
	}
	return d.DB.SavePost(ctx, out)
}

// fill checks a draft and makes its texts fit to be sent.
func (d Desk) fill(in Draft) (out storage.Draft, err error) {
	switch {
	case in.URL == "" || strings.TrimSpace(in.Title) == "":
		return out, refuse("incomplete", "a post needs a url and a title")
	case !thread.SameSite(in.URL, d.Blog):
		return out, refuse("not_on_blog", "%s is not a page of the blog %s (blog.url in the configuration)", in.URL, d.Blog)
	case len(in.Tags) > maxTags || len(in.Pictures) > maxPictures:
		return out, refuse("too_many", "a post has at most %d tags and %d pictures", maxTags, maxPictures)
	}
	out = storage.Draft{URL: in.URL, Title: sanitize.Name(in.Title, maxTitle), Summary: HTML(in.Summary, in.URL), Lang: cmp.Or(in.Lang, d.Lang),
		Tags: in.Tags, Warning: sanitize.Name(in.Warning, maxWarning), Unlisted: in.Unlisted, Closed: in.Closed, Quiet: in.Quiet}
	if in.Content != "" {
		out.Content = HTML(in.Content, in.URL)
	}
	if out.Pictures, err = pictures(in.Pictures, in.URL); err != nil {
		return out, err
	}
	out.Published, err = Moment(in.Published, d.Now())
	return out, err
}

// pictures are a draft's with their addresses made absolute.
func pictures(in []thread.Picture, page string) (out []thread.Picture, err error) {
	base, err := url.Parse(page)
	if err != nil {
		return nil, err
	}
	for _, p := range in {
		u, err := base.Parse(p.URL)
		if err != nil || p.URL == "" || u.Scheme != "https" && u.Scheme != "http" {
			return nil, refuse("bad_picture", "%q is no address of a picture", p.URL)
		}
		if kind, _, err := mime.ParseMediaType(p.Type); p.Type != "" && (err != nil || !strings.HasPrefix(kind, "image/")) {
			return nil, refuse("bad_picture", "%q is no picture's media type, such as image/jpeg", p.Type)
		}
		out = append(out, thread.Picture{URL: u.String(), Type: p.Type, Alt: sanitize.Name(p.Alt, maxAlt)})
	}
	return out, nil
}

// HTML is the blogger's text or HTML as a Note shows it.
func HTML(s, base string) string {
	if !strings.Contains(s, "<") {
		return sanitize.Plain(s)
	}
	return sanitize.Note(s, base)
}

// Moment reads a time as bloggers write it: RFC 3339, a date, or a duration from now ("3d", "-90m"). Empty is zero.
func Moment(s string, now time.Time) (time.Time, error) {
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
	return time.Time{}, refuse("bad_time", "%q is no time: write 2026-12-24T18:00:00Z, 2026-12-24, 3d or 90m", s)
}
