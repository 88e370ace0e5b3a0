package wire

import (
	"strconv"
	"time"

	"afterword/thread"

	"github.com/go-fed/activity/streams"
	"github.com/go-fed/activity/streams/vocab"
	"github.com/go-json-experiment/json/jsontext"
)

// activityType is what the activities that we send have in common.
type activityType interface {
	vocab.Type
	SetJSONLDId(vocab.JSONLDIdProperty)
	SetActivityStreamsActor(vocab.ActivityStreamsActorProperty)
	SetActivityStreamsTo(vocab.ActivityStreamsToProperty)
	SetActivityStreamsPublished(vocab.ActivityStreamsPublishedProperty)
}

// tell is an activity for everybody about something of ours. Its id is made from the object's, so that sending it
// again after a crash sends the same activity.
func (b Blog) tell(a activityType, id thread.IRI, at time.Time, object any, cc any) doc {
	a.SetActivityStreamsPublished(publishedAt(at))
	d := b.activity(a, id, Public)
	d["cc"], d["object"] = cc, object
	return d
}

func (b Blog) create(note doc, at time.Time) doc {
	id := thread.IRI(note["id"].(string))
	d := b.tell(streams.NewActivityStreamsCreate(), id+"#create", at, note, note["cc"])
	d["to"] = note["to"]
	return d
}

func (b Blog) update(object doc, at time.Time, cc any) doc {
	id := thread.IRI(object["id"].(string)) + "#update-" + thread.IRI(strconv.FormatInt(at.UnixMilli(), 10))
	d := b.tell(streams.NewActivityStreamsUpdate(), id, at, object, cc)
	if to, ok := object["to"]; ok { // the actor has none
		d["to"] = to
	}
	return d
}

// CreateNote tells a new post.
func (b Blog) CreateNote(p thread.Post, state thread.Openness) []byte {
	return encode(noteContext, b.create(b.postNote(p, state, time.Time{}), p.Published))
}

// UpdateNote tells a changed post or a thread closed or opened at a moment; updated moves with it (PROTOCOL 1d, 0.5).
func (b Blog) UpdateNote(p thread.Post, state thread.Openness, at time.Time) []byte {
	note := b.postNote(p, state, at)
	return encode(noteContext, b.update(note, at, note["cc"]))
}

// CreateAnswer tells a comment of the blogger; see AnswerDocument.
func (b Blog) CreateAnswer(c thread.Comment, parent thread.Author, state thread.Openness) []byte {
	return encode(noteContext, b.create(b.answerNote(c, parent, state, time.Time{}), c.Published))
}

// UpdateAnswer tells that a comment of the blogger changed.
func (b Blog) UpdateAnswer(c thread.Comment, parent thread.Author, state thread.Openness, at time.Time) []byte {
	note := b.answerNote(c, parent, state, at)
	return encode(noteContext, b.update(note, at, note["cc"]))
}

// DeleteNote tells that a post, or a comment of the blogger, was removed.
func (b Blog) DeleteNote(id thread.IRI, at time.Time) []byte {
	gone := doc{"id": id, "type": "Tombstone"}
	return encode(plainContext, b.tell(streams.NewActivityStreamsDelete(), id+"#delete", at, gone, b.Followers()))
}

// UpdateActor tells that the actor changed: its key, name or picture.
func (b Blog) UpdateActor(at time.Time) []byte {
	return encode(b.actorContext(), b.update(b.actor(), at, b.Followers()))
}

// MoveActor sends the followers to another account, which must name this one as its alias.
func (b Blog) MoveActor(to thread.IRI, at time.Time) []byte {
	id := b.Actor() + "#move-" + thread.IRI(strconv.FormatInt(at.UnixMilli(), 10))
	d := b.tell(streams.NewActivityStreamsMove(), id, at, b.Actor(), b.Followers())
	d["target"] = to
	return encode(plainContext, d)
}

// maxEmbedded is the longest request that an answer repeats.
const maxEmbedded = 16 << 10

// AcceptFollow accepts a Follow. It embeds the Follow as it was sent (rawFollow), because Misskey would otherwise look
// it up, and by its present id, as a repeated Follow has a new one (PROTOCOL 1b). Seq makes the Accept's id.
func (b Blog) AcceptFollow(rawFollow []byte, id, follower thread.IRI, seq string) []byte {
	follow, ok := embedded(rawFollow)
	if !ok {
		follow = doc{"id": id, "type": "Follow", "actor": follower, "object": b.Actor()}
	}
	return encode(plainContext, b.response(streams.NewActivityStreamsAccept(), "accept", seq, follower, follow))
}

// RejectFollow ends a follow that was accepted, at the follower's server.
func (b Blog) RejectFollow(id, follower thread.IRI, seq string) []byte {
	follow := doc{"id": id, "type": "Follow", "actor": follower, "object": b.Actor()}
	return encode(plainContext, b.response(streams.NewActivityStreamsReject(), "reject", seq, follower, follow))
}

// RejectReply refuses a reply at its author's inbox. The object is the bare id: GoToSocial wants nothing else
// (PROTOCOL 4).
func (b Blog) RejectReply(reply, author, post thread.IRI, seq string) []byte {
	d := b.response(streams.NewActivityStreamsReject(), "reject", seq, author, reply)
	d["target"] = post
	return encode(plainContext, d)
}

// AcceptReply approves a reply to a moderated thread; authorization is the id of its Authorization.
func (b Blog) AcceptReply(reply, author, post, authorization thread.IRI, seq string) []byte {
	d := b.response(streams.NewActivityStreamsAccept(), "accept", seq, author, reply)
	d["target"], d["result"] = post, authorization
	return encode(plainContext, d)
}

// AcceptRequest grants a ReplyRequest, which is embedded as it was sent.
func (b Blog) AcceptRequest(rawRequest []byte, id, author, authorization thread.IRI, seq string) []byte {
	d := b.response(streams.NewActivityStreamsAccept(), "accept", seq, author, request(rawRequest, id))
	d["result"] = authorization
	return encode(approvalContext, d)
}

// RejectRequest refuses a ReplyRequest or QuoteRequest.
func (b Blog) RejectRequest(rawRequest []byte, id, author thread.IRI, seq string) []byte {
	return encode(approvalContext,
		b.response(streams.NewActivityStreamsReject(), "reject", seq, author, request(rawRequest, id)))
}

// Authorization is the proof of an approval, served under its id on our host.
func (b Blog) Authorization(id, reply, post thread.IRI) []byte {
	return encode(approvalContext, doc{"id": id, "type": "ReplyAuthorization", "attributedTo": b.Actor(),
		"interactingObject": reply, "interactionTarget": post})
}

// response is an activity for one account about something of its own.
func (b Blog) response(a activityType, kind, seq string, to thread.IRI, object any) doc {
	d := b.activity(a, b.Actor()+thread.IRI("#"+kind+"-"+seq), to)
	d["object"] = object
	return d
}

func (b Blog) activity(a activityType, id, to thread.IRI) doc {
	a.SetJSONLDId(identity(id))
	a.SetActivityStreamsActor(listing(streams.NewActivityStreamsActorProperty(), b.Actor()))
	a.SetActivityStreamsTo(listing(streams.NewActivityStreamsToProperty(), to))
	return members(a)
}

// embedded is an activity as it was sent. It fails for what is too long to be repeated or no JSON object.
func embedded(sent []byte) (any, bool) {
	v := jsontext.Value(sent)
	return raw(sent), len(sent) <= maxEmbedded && v.Kind() == '{' && v.IsValid()
}

func request(sent []byte, id thread.IRI) any {
	if v, ok := embedded(sent); ok {
		return v
	}
	return id
}
