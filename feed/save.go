package feed

import (
	"cmp"
	"context"
	"html"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/html/atom"

	"afterword/sanitize"
	"afterword/storage"
	"afterword/thread"
)

const (
	fresh      = 7 * 24 * time.Hour // a post that is found when it is older is saved and not sent
	maxSent    = 20                 // new posts, and changed ones, of one reading that are sent: more is not news but a change of the feed
	maxStrange = 5                  // new posts in a feed in which nothing is known: more is another feed, or all pages have moved
	excerpt    = 500                // characters of a Note that is one
	maxTitle   = 500
	maxSummary = 5000
	maxAhead   = 366 * 24 * time.Hour // a date further ahead is none
)

// reading is one reading of the feed: what is to be saved, in the order of the feed, and what came of it.
type reading struct {
	*Reader
	Options
	first     bool // nobody is told
	did       Report
	news      []storage.Draft
	known     []storage.Draft
	guids     []string // of all items that are posts
	ambiguous map[string]bool
}

// save turns a feed into posts. What is new comes oldest first, so that followers get it in its order.
func (r *Reader) save(ctx context.Context, f document, s *State, o Options) (*reading, error) {
	in := &reading{Reader: r, Options: o, first: s.Since.IsZero(), ambiguous: ambiguousNames(f.items, r.Blog)}
	if err := in.sort(ctx, f); err != nil {
		return in, err
	}
	strange, err := in.isStrange(ctx)
	if strange { // after a crash too: this is a first time, which lasts until all is saved
		s.Since = time.Time{}
		err = r.keep(ctx, *s)
	}
	if err != nil {
		return in, err
	}
	for i := range in.news {
		in.news[i].Quiet = in.news[i].Quiet || strange || i >= maxSent // feeds begin with the newest
	}
	for _, d := range slices.Backward(in.news) {
		if err := in.post(ctx, d); err != nil {
			return in, err
		}
	}
	for _, d := range in.known {
		d.Quiet = d.Quiet || in.did.Updated >= maxSent
		if err := in.post(ctx, d); err != nil {
			return in, err
		}
	}
	return in, nil
}

// isStrange tells whether a feed has nothing to do with the one that was read before: the blog moved to another generator,
// which names all posts anew and may give them today's date.
func (in *reading) isStrange(ctx context.Context) (bool, error) {
	if in.first || in.Send || len(in.known) > 0 || len(in.news) <= maxStrange {
		return false, nil
	}
	posts, _, err := in.DB.CountPosts(ctx)
	if posts > 0 {
		in.Log.Warn("every post in the feed is new: they are saved and sent to nobody", "posts", len(in.news))
	}
	return posts > 0, err
}

// sort parts what is new from what is known, and leaves out what is neither.
func (in *reading) sort(ctx context.Context, f document) error {
	pages := map[string]bool{}
	for _, it := range f.items {
		page := in.pageOf(it)
		key := thread.CanonicalURL(page)
		if page == "" || pages[key] {
			in.did.Skipped++
			continue
		}
		pages[key] = true
		d := in.draft(it, page, f.lang)
		if in.ambiguous[it.guid] {
			d.GUID = page
		}
		in.guids = append(in.guids, d.GUID)
		if err := in.judge(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// judge decides what becomes of an item, by what is known of it and by its date. The date of a known post stays: a
// generator that stamps every build would otherwise change every post.
func (in *reading) judge(ctx context.Context, d storage.Draft) error {
	now := in.Now()
	if d.Published.After(now.Add(maxAhead)) {
		d.Published = time.Time{}
	}
	item, err := in.DB.FindItem(ctx, d)
	switch {
	case err != nil:
		return err
	case item.Removed:
		in.did.Skipped++
	case item.Known:
		d.Published, d.Quiet = time.Time{}, in.first
		in.known = append(in.known, d)
	case d.Published.After(now):
		in.did.Waiting++
	default:
		old := !d.Published.IsZero() && d.Published.Before(now.Add(-fresh))
		d.Quiet = (in.first || old) && !in.Send
		in.news = append(in.news, d)
	}
	return nil
}

func (in *reading) post(ctx context.Context, d storage.Draft) error {
	_, saved, err := in.DB.SavePost(ctx, d)
	if err != nil {
		return err
	}
	switch saved {
	case storage.Created:
		in.did.Created++
		if !d.Quiet {
			in.did.Sent++
		}
	case storage.Updated:
		in.did.Updated++
	case storage.Unchanged:
		in.did.Unchanged++
	}
	return nil
}

// ambiguousNames are the guids that name nothing: several items have them, or they are the home page.
func ambiguousNames(items []item, blog string) map[string]bool {
	seen, twice := map[string]bool{}, map[string]bool{}
	for _, it := range items {
		twice[it.guid] = seen[it.guid] || it.guid == "" || thread.CanonicalURL(it.guid) == thread.CanonicalURL(blog)
		seen[it.guid] = true
	}
	return twice
}

// pageOf is the item's page on the blog; empty when it has none. The home page is no post's.
func (r *Reader) pageOf(it item) string {
	for _, link := range it.links {
		iri, err := thread.ParseIRI(link)
		page := string(iri)
		if err == nil && thread.SameSite(page, r.Blog) && thread.CanonicalURL(page) != thread.CanonicalURL(r.Blog) {
			return page
		}
	}
	return ""
}

// draft is an item as it is saved.
func (r *Reader) draft(it item, page, lang string) storage.Draft {
	d := storage.Draft{URL: page, GUID: it.guid, Title: title(it.title), Lang: cmp.Or(it.lang, r.Lang, lang), Tags: it.tags, Published: it.published,
		Pictures: it.pictures[:min(len(it.pictures), r.Pictures)]}
	it.summary, it.content = withoutFooter(it.summary, page), withoutFooter(it.content, page)
	switch text := cmp.Or(it.content, it.summary); {
	case r.Note == Full && len(d.Pictures) < r.Pictures: // all of them are shown
		d.Content = sanitize.Note(markup(withoutImages(text)), page)
	case r.Note == Full:
		d.Content = sanitize.Note(markup(text), page)
	case r.Note == Title && d.Title != "":
	default:
		d.Summary = sanitize.Excerpt(markup(withoutImages(cmp.Or(it.summary, text))), page, excerpt)
	}
	return d
}

// inTitle are the elements that a title may have. Another "<" in one is meant: "Why Vec<T> is not a list".
var inTitle = regexp.MustCompile(`(?i)</?(a|abbr|b|bdi|br|cite|code|del|em|i|ins|kbd|mark|q|s|small|span|strong|sub|sup|u|wbr)\b[^<>]*>`)

// title is an item's title as plain text. Feeds do not say whether theirs is HTML, and most write entities twice.
func title(s string) string {
	if !inTitle.MatchString(s) {
		s = html.EscapeString(html.UnescapeString(s))
	}
	return sanitize.Text(s, maxTitle)
}

var images = regexp.MustCompile(`(?i)<(img|source)\b[^>]*>`)

// withoutImages is for a text whose pictures stand beside it, with what they show. Smileys are words.
func withoutImages(text string) string {
	return images.ReplaceAllStringFunc(text, func(tag string) string {
		if smiley(tag) {
			return tag
		}
		return ""
	})
}

// withoutFooter drops the paragraph with which WordPress ends what it gives to feeds, in any language: "The post … appeared
// first on …", of two links, the first to the post itself.
func withoutFooter(text, page string) string {
	trimmed := strings.TrimSpace(text)
	at := strings.LastIndex(trimmed, "<p>")
	if at < 0 {
		return text
	}
	last := trimmed[at:]
	if links := strings.Count(last, "<a "); links == 2 && strings.Contains(last, `href="`+html.EscapeString(page)+`"`) && strings.HasSuffix(last, "</a>.</p>") {
		return trimmed[:at]
	}
	return text
}

var tag = regexp.MustCompile(`</?([A-Za-z][A-Za-z0-9]*)[\s/>]`)

// markup is HTML, made of plain text where the feed has that: no tag in it is one of HTML's.
func markup(s string) string {
	for _, m := range tag.FindAllStringSubmatch(s, -1) {
		if atom.Lookup([]byte(strings.ToLower(m[1]))) != 0 {
			return s
		}
	}
	lines := strings.ReplaceAll(html.EscapeString(html.UnescapeString(strings.TrimSpace(s))), "\r\n", "\n")
	return "<p>" + strings.ReplaceAll(strings.ReplaceAll(lines, "\n\n", "</p><p>"), "\n", "<br>") + "</p>"
}
