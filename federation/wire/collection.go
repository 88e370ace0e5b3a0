package wire

import (
	"strconv"
	"strings"
	"time"

	"afterword/thread"

	"github.com/go-fed/activity/streams"
	"github.com/go-fed/activity/streams/vocab"
)

// FollowersDocument is their number. Without a first page peers show the number and know that the list is private
// (PROTOCOL 1a).
func (b Blog) FollowersDocument(total int) []byte {
	return encode(plainContext, count("OrderedCollection", b.Followers(), total))
}

// FollowingDocument is empty: the blog follows nobody.
func (b Blog) FollowingDocument() []byte {
	return encode(plainContext, count("OrderedCollection", b.Following(), 0))
}

// LikesDocument is the number of likes of a post.
func (b Blog) LikesDocument(post thread.IRI, total int) []byte {
	return encode(plainContext, count("Collection", b.Likes(post), total))
}

// SharesDocument is the number of boosts of a post.
func (b Blog) SharesDocument(post thread.IRI, total int) []byte {
	return encode(plainContext, count("Collection", b.Shares(post), total))
}

// FeaturedDocument has the newest posts, at most ten: the only history that a new follower on Mastodon sees.
func (b Blog) FeaturedDocument(posts []thread.IRI) []byte {
	d := count("OrderedCollection", b.Featured(), len(posts))
	d["orderedItems"] = posts
	return encode(plainContext, d)
}

// OutboxDocument is the outbox without its pages.
func (b Blog) OutboxDocument(total int) []byte {
	d := count("OrderedCollection", b.Outbox(), total)
	d["first"] = PageID(b.Outbox(), 1)
	return encode(plainContext, d)
}

// OutboxPage is a page of the outbox: posts, newest first, as the Creates that told them.
func (b Blog) OutboxPage(n int, posts []thread.Post, state func(thread.Post) thread.Openness, more bool) []byte {
	creates := make([]any, len(posts))
	for i, p := range posts {
		creates[i] = b.create(b.postNote(p, state(p), time.Time{}), p.Published)
	}
	return encode(noteContext, orderedPage(b.Outbox(), n, creates, more))
}

// RepliesDocument has the direct replies to a Note with their first page (PROTOCOL 1e).
func (b Blog) RepliesDocument(note thread.IRI, first Direct) []byte {
	return encode(plainContext, b.replies(note, first))
}

// RepliesPage is the nth page of the direct replies to a Note.
func (b Blog) RepliesPage(note thread.IRI, n int, replies Direct) []byte {
	return encode(plainContext, b.repliesPage(note, n, replies))
}

// replies is a collection with its first page inside: GoToSocial reads no other.
func (b Blog) replies(note thread.IRI, first Direct) doc {
	c := streams.NewActivityStreamsCollection()
	c.SetJSONLDId(identity(b.Replies(note)))
	d := members(c)
	d["first"] = b.repliesPage(note, 1, first)
	return d
}

func (b Blog) repliesPage(note thread.IRI, n int, replies Direct) doc {
	return page(streams.NewActivityStreamsCollectionPage(), b.Replies(note), n, "items", replies.IDs, replies.More)
}

// ContextDocument is the whole thread (FEP-f228): everything approved at any depth, as pages of ids.
func (b Blog) ContextDocument(post thread.IRI, total int) []byte {
	d := count("OrderedCollection", b.Context(post), total)
	d["attributedTo"], d["first"] = b.Actor(), PageID(b.Context(post), 1)
	return encode(plainContext, d)
}

// ContextPage is a page of the thread: the post first, then comments by their date.
func (b Blog) ContextPage(post thread.IRI, n int, ids []thread.IRI, more bool) []byte {
	d := orderedPage(b.Context(post), n, ids, more)
	d["attributedTo"] = b.Actor()
	return encode(plainContext, d)
}

// count is a collection that says only how many it has.
func count(kind string, id thread.IRI, total int) doc {
	if kind == "Collection" {
		c := streams.NewActivityStreamsCollection()
		c.SetJSONLDId(identity(id))
		c.SetActivityStreamsTotalItems(totalOf(total))
		return members(c)
	}
	c := streams.NewActivityStreamsOrderedCollection()
	c.SetJSONLDId(identity(id))
	c.SetActivityStreamsTotalItems(totalOf(total))
	return members(c)
}

func orderedPage(collection thread.IRI, n int, items any, more bool) doc {
	return page(streams.NewActivityStreamsOrderedCollectionPage(), collection, n, "orderedItems", items, more)
}

func page(p interface {
	vocab.Type
	SetJSONLDId(vocab.JSONLDIdProperty)
	SetActivityStreamsPartOf(vocab.ActivityStreamsPartOfProperty)
	SetActivityStreamsNext(vocab.ActivityStreamsNextProperty)
}, collection thread.IRI, n int, member string, items any, more bool) doc {
	p.SetJSONLDId(identity(PageID(collection, n)))
	p.SetActivityStreamsPartOf(naming(streams.NewActivityStreamsPartOfProperty(), collection))
	if more {
		p.SetActivityStreamsNext(naming(streams.NewActivityStreamsNextProperty(), PageID(collection, n+1)))
	}
	d := members(p)
	d[member] = items
	return d
}

// PageID is the id of the nth page of a collection, counted from 1.
func PageID(collection thread.IRI, n int) thread.IRI {
	sep := "?page="
	if strings.Contains(string(collection), "?") { // a blog whose queries tell its posts apart
		sep = "&page="
	}
	return collection + thread.IRI(sep+strconv.Itoa(n))
}

// CutPage is the inverse of PageID for a requested address: the collection and the number of the page, 0 where none
// was asked for.
func CutPage(requested string) (collection string, n int) {
	i := strings.LastIndex(requested, "page=")
	if i < 1 || requested[i-1] != '?' && requested[i-1] != '&' {
		return requested, 0
	}
	n, err := strconv.Atoi(requested[i+len("page="):])
	if err != nil || n < 1 {
		return requested, 0
	}
	return requested[:i-1], n
}
