package federation

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"afterword/federation/wire"
	"afterword/fetch"
	"afterword/sanitize"
	"afterword/storage"
	"afterword/thread"
)

// reply decides about an object whose author and origin are certain, pushed or pulled: a new comment, an edit, or
// nothing for us.
func (f *Federation) reply(ctx context.Context, m storage.Message, o *wire.Object, audience thread.Audience, author storage.Actor) error {
	if gone, err := f.DB.Tombstoned(ctx, o.ID, author.ID); err != nil || gone {
		return errors.Join(err, f.DB.Strand(ctx, m, refused("it was deleted before")))
	}
	known, err := f.DB.Comment(ctx, o.ID)
	switch {
	case err == nil:
		return f.edit(ctx, m, known, o, audience, author)
	case !errors.Is(err, storage.ErrNotFound):
		return err
	case o.IsVote():
		return f.DB.Strand(ctx, m, ignored("a vote in a poll"))
	case audience == thread.Private:
		return f.DB.Strand(ctx, m, thread.Verdict{Decision: thread.Secret, Reason: "not addressed to the public"})
	}
	err = f.comment(ctx, m, o, audience, author)
	if errors.Is(err, storage.ErrNotFound) {
		return f.ancestor(ctx, m, o)
	}
	return err
}

// ancestor looks for the way up to one of our posts: the reply waits, and the comment above it is fetched and enters
// by the same door.
func (f *Federation) ancestor(ctx context.Context, m storage.Message, o *wire.Object) error {
	var parent thread.IRI
	for _, id := range parents(m, o) {
		if !f.blog.IsOurs(id) {
			parent = id
			break
		}
	}
	orphan := thread.Verdict{Decision: thread.Orphaned, Reason: "it answers nothing of this blog"}
	switch {
	case parent == "":
		return f.DB.Strand(ctx, m, orphan)
	case m.Depth >= maxAncestors:
		m.WaitsFor, orphan.Reason = parent, "too far below anything of this blog"
		return f.DB.Strand(ctx, m, orphan)
	}
	circle, err := f.circle(ctx, o.ID, parent)
	if err != nil {
		return err
	}
	if circle {
		m.WaitsFor, orphan.Reason = parent, "it answers itself in a circle"
		return f.DB.Strand(ctx, m, orphan)
	}
	return f.DB.Await(ctx, m, parent, thread.Verdict{Decision: thread.Waiting, Reason: "for " + string(parent) + ", which it answers"})
}

// circle tells whether parent waits, at some remove, for the object that is about to wait for it.
func (f *Federation) circle(ctx context.Context, object, parent thread.IRI) (bool, error) {
	for range maxAncestors {
		if parent == object {
			return true, nil
		}
		next, err := f.DB.WaitsFor(ctx, parent)
		if err != nil || next == "" {
			return false, err
		}
		parent = next
	}
	return false, nil
}

// comment asks the rules and stores what they let in.
func (f *Federation) comment(ctx context.Context, m storage.Message, o *wire.Object, audience thread.Audience, author storage.Actor) error {
	c := f.textOf(o)
	if c.HTML == "" {
		return f.DB.Strand(ctx, m, ignored("it says nothing"))
	}
	answers := parents(m, o)
	author, err := f.writer(ctx, m, answers, author)
	if m.Way != storage.Push {
		m.Took = fetch.SpentIn(ctx)
	}
	if errors.Is(err, storage.ErrNotFound) {
		return err
	} else if err != nil {
		return f.notPulled(ctx, m, err)
	}
	author.Owner = author.Is(f.Owner)
	c.Author, c.Received, c.Published = author.Author, m.Received, written(o.Published, m.Received)
	c.Edited = changed(o.Updated, c.Published, m.Received)
	c.Unlisted = audience == thread.Unlisted
	admit, err := f.admission(ctx, m, o, audience, author)
	if err != nil {
		return err
	}
	return f.DB.AddComment(ctx, m, c, answers, admit)
}

// parents is what an object answers: first by the id that this was found to have (storage.Moved), then by its own word.
func parents(m storage.Message, o *wire.Object) []thread.IRI {
	if m.ReplyTo == "" || slices.Contains(o.InReplyTo, m.ReplyTo) {
		return o.InReplyTo
	}
	return append([]thread.IRI{m.ReplyTo}, o.InReplyTo...)
}

// admission gathers what the rules need to know about a reply, but for the place where it would stand.
func (f *Federation) admission(ctx context.Context, m storage.Message, o *wire.Object, audience thread.Audience, author storage.Actor) (func(storage.Place) thread.Verdict, error) {
	blocked, err := f.DB.Blocked(ctx, author.ID)
	if err != nil {
		return nil, err
	}
	known, err := f.DB.KnownAuthor(ctx, author.ID)
	if err != nil {
		return nil, err
	}
	return func(p storage.Place) thread.Verdict {
		return thread.Admit(f.Rules, p.Post, thread.Reply{Audience: audience, Published: o.Published, Received: later(m.Received, p.ParentReceived),
			BranchClosedAt: p.BranchClosedAt, AuthorKnown: known, AuthorOwner: author.Is(f.Owner), AuthorBlocked: blocked,
			HidesPublic: author.HidesPublic, HidesUnlisted: author.HidesUnlisted, Called: called(o)})
	}, nil
}

// called is how many accounts an object mentions without a word beside their names; 0 when it says something.
func called(o *wire.Object) int {
	_, text := o.Text()
	for word := range strings.FieldsSeq(sanitize.Text(text, 5000)) {
		if !strings.HasPrefix(word, "@") {
			return 0
		}
	}
	return len(o.Mentions)
}

// written is the date of a comment: as its author says, but never later than it came, nor before there was a web, which is
// what clocks say that stand still.
func written(said, received time.Time) time.Time {
	if said.IsZero() || said.After(received) || said.Year() < 1991 {
		return received
	}
	return said
}

// changed is when a comment was edited before we heard of it; zero: never. PeerTube's are changed in the instant in which
// they are written.
func changed(said, written, received time.Time) time.Time {
	if said.Sub(written) < time.Second || !received.After(written) {
		return time.Time{}
	}
	if said.After(received) {
		return received
	}
	return said
}

// edit changes a known comment to what its author says now. It is never judged anew: what was let in stays in, also
// after closing.
func (f *Federation) edit(ctx context.Context, m storage.Message, known thread.Comment, o *wire.Object, audience thread.Audience, author storage.Actor) error {
	v := thread.Verdict{Decision: thread.Done, Reason: "edited by its author"}
	switch c := f.textOf(o); {
	case known.Author.ID != author.ID:
		return f.DB.Settle(ctx, m, refused("only its author changes a comment"))
	case known.Deleted:
		return f.DB.Settle(ctx, m, refused("it was deleted before"))
	case audience == thread.Private, audience == thread.Unlisted && !known.Unlisted && !f.showsUnlisted(ctx, author.ID):
		v.Reason = "no longer for everybody"
		return f.DB.WithdrawComment(ctx, m, known.ID, v)
	case same(known, c, audience):
		return f.DB.Settle(ctx, m, ignored("known, and nothing in it changed"))
	case !newer(m, known, o):
		return f.DB.Settle(ctx, m, ignored("older than what is known"))
	case c.HTML == "":
		return f.DB.Settle(ctx, m, ignored("the edit says nothing"))
	default:
		c.ID, c.Edited, c.Unlisted = known.ID, o.Updated, audience == thread.Unlisted
		if c.Edited.IsZero() || c.Edited.After(m.Received) {
			c.Edited = m.Received
		}
		if sameText(known, c) {
			c.Edited = known.Edited
		}
		return f.DB.EditComment(ctx, m, c, v)
	}
}

// same tells whether an object says what is known of it, to no fewer.
func same(known, now thread.Comment, audience thread.Audience) bool {
	return sameText(known, now) && (known.Unlisted || audience == thread.Public)
}

func sameText(a, b thread.Comment) bool { return a.HTML == b.HTML && a.Warning == b.Warning }

// showsUnlisted tells whether unlisted comments of an account are shown.
func (f *Federation) showsUnlisted(ctx context.Context, author thread.IRI) bool {
	a, err := f.DB.Actor(ctx, author)
	return f.Rules.ShowUnlisted && err == nil && !a.HidesUnlisted
}

// newer tells whether an object is later than what is known of it. A Create without a date of change is the first version,
// however often it comes; where an author gives no date, ours says nothing about his clock. A first Update may be of the
// second in which the comment was written.
func newer(m storage.Message, known thread.Comment, o *wire.Object) bool {
	switch {
	case o.Updated.IsZero():
		return m.Type != "Create"
	case known.Edited.IsZero() && known.Published.Equal(known.Received) && o.Published.IsZero():
		return true
	case known.Edited.IsZero() && m.Type == "Update":
		return !o.Updated.Before(known.Published)
	}
	return o.Updated.After(later(known.Edited, known.Published))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// textOf is what readers will see of an object: safe HTML. It is the only place where strangers' text is made fit to
// be stored.
func (f *Federation) textOf(o *wire.Object) thread.Comment {
	kind, text := o.Text()
	var b strings.Builder
	if title := sanitize.Name(o.Title(), 300); title != "" {
		b.WriteString("<p><strong>" + linked(escape(title), o.URL) + "</strong></p>")
	}
	switch kind {
	case wire.Markdown:
		b.WriteString(sanitize.Markdown(text))
	case wire.Plain:
		b.WriteString(sanitize.Plain(text))
	default:
		b.WriteString(sanitize.HTML(text))
	}
	if !slices.Contains(o.InReplyTo, o.Quote) {
		b.WriteString(quote(o.Quote, b.String()))
	}
	attached := o.Attachments
	if b.Len() == 0 && len(attached) == 0 {
		attached = o.Inline()
	}
	b.WriteString(options(o.Options))
	for _, a := range attached {
		b.WriteString(attachment(a))
	}
	c := thread.Comment{ID: o.ID, URL: sanitize.Link(o.URL), Lang: o.Lang, Warning: sanitize.Text(o.Warning(), 500)}
	if c.Warning == "" && !o.Sensitive { // nobody sees by accident what its author folded away
		c.Attached = pictures(attached)
	}
	if c.URL == "" {
		c.URL = string(o.ID)
	}
	c.HTML = sanitize.HTML(b.String()) // once more as a whole: its bounds and its shape hold for all of it
	return c
}

// quote is the link to what a reply quotes, unless the text has it already. What stood there for those who cannot show
// quotes ("RE: …") is gone by then.
func quote(id thread.IRI, text string) string {
	link := escape(sanitize.Link(string(id)))
	if link == "" || strings.Contains(text, `href="`+link+`"`) {
		return ""
	}
	return `<p>RE: <a href="` + link + `">` + link + `</a></p>`
}

func options(names []string) string {
	var b strings.Builder
	for _, name := range names[:min(len(names), 20)] {
		b.WriteString("<li>" + escape(sanitize.Name(name, 200)) + "</li>")
	}
	if b.Len() == 0 {
		return ""
	}
	return "<ul>" + b.String() + "</ul>"
}

// linked is safe text as a link to an address that can be one.
func linked(text, url string) string {
	if url = sanitize.Link(url); url == "" {
		return text
	}
	return `<a href="` + escape(url) + `">` + text + `</a>`
}

// attachment is a link with the picture's description: nothing of other servers is shown by itself.
func attachment(a wire.Attachment) string {
	if sanitize.Link(a.URL) == "" {
		return ""
	}
	text := sanitize.Name(a.Alt, 500)
	if text == "" {
		text = map[string]string{"image": "Picture", "video": "Video", "audio": "Sound", "link": sanitize.Link(a.URL)}[mediaKind(a)]
	}
	if text == "" {
		text = "Attachment"
	}
	return "<p>" + linked(escape(text), a.URL) + "</p>"
}

// pictures are those among attachments. They may be shown, but for what their addresses hold.
func pictures(attached []wire.Attachment) (found []thread.Attached) {
	for _, a := range attached {
		if url := sanitize.Link(a.URL); url != "" && mediaKind(a) == "image" {
			found = append(found, thread.Attached{URL: url})
		}
	}
	return found
}

func mediaKind(a wire.Attachment) string {
	kind, _, _ := strings.Cut(a.MediaType, "/")
	switch {
	case kind != "" && kind != "application" && kind != "text":
		return kind
	default:
		return strings.ToLower(a.Type)
	}
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(s)
}
