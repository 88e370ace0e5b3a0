package federation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"afterword/federation/sign"
	"afterword/federation/wire"
	"afterword/fetch"
	"afterword/storage"
	"afterword/thread"
)

const (
	maxBody    = 1 << 20              // bytes of a message (PROTOCOL 0.11)
	proofLimit = 8 * time.Second      // for fetching a key while the sender waits; Mastodon waits ten
	claimCost  = 6 * fetch.PerRequest // of confirming what an account says of itself: it, its name's domain, where it moved
)

// answer is what the door says to a sender.
type answer struct {
	status int
	reason string
	retry  time.Duration // with 429 and 503
}

var (
	accepted   = answer{status: http.StatusAccepted}
	ourTrouble = busy("this server has a problem of its own; please come again")
)

func busy(reason string) answer {
	return answer{http.StatusServiceUnavailable, reason, time.Minute}
}

// postInbox is the door: the only way in for what strangers send. The checks go from cheap to dear (PROTOCOL 0.8):
// caps, strict JSON, is it about us?, blocks, signature, limits; then the message is committed and only then
// answered 202.
func (f *Federation) postInbox(w http.ResponseWriter, r *http.Request) {
	a := f.receive(w, r)
	f.counts.answers.Inc(strconv.Itoa(a.status))
	if a.retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(a.retry/time.Second)+1))
	}
	if a.status == http.StatusAccepted {
		w.WriteHeader(a.status)
		return
	}
	if a.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodPost)
	}
	f.Log.Debug("refused at the inbox", "status", a.status, "reason", a.reason)
	writeError(w, a.status, a.reason)
}

func (f *Federation) receive(w http.ResponseWriter, r *http.Request) answer {
	if a := checkRequest(r); a.status != 0 {
		return a
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return unread(err)
	}
	return f.judge(r, body)
}

// unread answers a message of which the body could not be read.
func unread(err error) answer {
	tooLarge := new(http.MaxBytesError)
	switch {
	case errors.As(err, &tooLarge):
		return answer{status: http.StatusRequestEntityTooLarge, reason: "the message is larger than 1 MiB"}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return answer{status: http.StatusRequestTimeout, reason: "the body did not arrive in time"}
	}
	return answer{status: http.StatusBadRequest, reason: "the body did not arrive whole"}
}

// judge decides about a message. Should we panic at it, then that is our own trouble and not for the sender to see.
func (f *Federation) judge(r *http.Request, body []byte) (a answer) {
	defer func() {
		if p := recover(); p != nil {
			f.Log.Error("inbox", "error", f.DB.Fault(r.Context(), "inbox", p, body))
			a = ourTrouble
		}
	}()
	activity, err := wire.Parse(body)
	if err == nil {
		err = activity.Check()
	}
	if err != nil {
		return answer{status: http.StatusBadRequest, reason: err.Error()}
	}
	a, err = f.consider(r, body, activity)
	if err != nil {
		f.Log.Error("inbox", "error", err)
		return ourTrouble
	}
	return a
}

// checkRequest refuses by the head of the request alone.
func checkRequest(r *http.Request) answer {
	switch {
	case r.Method != http.MethodPost:
		return answer{status: http.StatusMethodNotAllowed, reason: "an inbox takes POST only"}
	case r.ContentLength > maxBody:
		return answer{status: http.StatusRequestEntityTooLarge, reason: "the message is larger than 1 MiB"}
	case compressed(r.Header.Values("Content-Encoding")):
		return answer{status: http.StatusUnsupportedMediaType, reason: "compressed messages are not read"}
	case !readable(r.Header.Get("Content-Type")):
		return answer{status: http.StatusUnsupportedMediaType, reason: "Content-Type must be application/activity+json"}
	}
	return answer{}
}

func compressed(encodings []string) bool {
	return slices.ContainsFunc(encodings, func(name string) bool { return name != "" && !strings.EqualFold(name, "identity") })
}

// readable tells whether a message of this Content-Type is read. On a signed message the type proves nothing (SECURITY
// A4-A6), unlike on a document that we fetch: Takahē sends plain application/json, others a profile without quotes.
func readable(contentType string) bool {
	media, _, _ := mime.ParseMediaType(contentType)
	return media == "application/json" || fetch.ActivityJSON(contentType) ||
		media == "application/ld+json" && strings.Contains(contentType, "https://www.w3.org/ns/activitystreams")
}

// consider decides about a well-formed message. An error is our own trouble.
func (f *Federation) consider(r *http.Request, body []byte, a *wire.Object) (answer, error) {
	ctx := r.Context()
	relevant, err := f.concerns(ctx, a)
	if err != nil || !relevant {
		return accepted, err
	}
	if blocked, err := f.blocked(ctx, r, a); err != nil || blocked {
		return accepted, err
	}
	keys := f.keys.forRequest(r)
	sender, err := f.verify(r, body, keys)
	if err != nil {
		return f.unproven(ctx, a, keys, err)
	}
	keys.vouch()
	if wait, ok := f.limit.allow(sender.Actor(), keys.fetched == nil, len(body)); !ok {
		return answer{http.StatusTooManyRequests, "too many messages in this hour", wait}, nil
	}
	return f.admit(ctx, sender, a, body, keys)
}

// blocked tells whether the blog wants nothing from the actor, or from whose key it is.
func (f *Federation) blocked(ctx context.Context, r *http.Request, a *wire.Object) (bool, error) {
	if blocked, err := f.DB.Blocked(ctx, a.Actor); err != nil || blocked {
		return blocked, err
	}
	keyID, err := sign.KeyIDOf(r)
	if err != nil {
		return false, nil // the signature's own check says why
	}
	key, err := thread.ParseIRI(keyID)
	if err != nil || thread.SameOrigin(key, a.Actor) {
		return false, nil
	}
	return f.DB.Blocked(ctx, key)
}

func (f *Federation) knownActor(ctx context.Context, id thread.IRI) (bool, error) {
	_, err := f.DB.Actor(ctx, id)
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func (f *Federation) verify(r *http.Request, body []byte, keys sign.KeySource) (sign.Sender, error) {
	ctx, cancel := context.WithTimeout(r.Context(), proofLimit)
	defer cancel()
	scheme, _, _ := strings.Cut(f.Base, "://")
	return sign.Verify(r.WithContext(ctx), body, sign.Options{Host: f.Actor().Host(), Scheme: scheme, Now: f.Now(), Keys: keys})
}

// unproven answers a message whose sender could not be verified.
func (f *Federation) unproven(ctx context.Context, a *wire.Object, keys *requestKeys, err error) (answer, error) {
	var bad *sign.Error
	var e *fetch.Error
	switch {
	case errors.As(err, &bad) && bad.Kind == sign.Malformed:
		return answer{status: http.StatusBadRequest, reason: bad.Reason}, nil
	case errors.As(err, &bad):
		return answer{status: http.StatusUnauthorized, reason: bad.Reason}, nil
	case !errors.As(err, &e):
		return answer{}, err
	case e.Temporary():
		return busy("the server of the key does not answer"), nil
	case e.Gone() && a.Type() == "Delete" && a.Object.ID == a.Actor && thread.SameOrigin(thread.IRI(e.URL), a.Actor):
		// A deleted account's key is gone with it. Its own server says so: that is proof enough (PROTOCOL 58).
		return accepted, f.DB.Pull(ctx, a.Actor, keys.budget.Spent)
	}
	return answer{status: http.StatusUnauthorized, reason: "the key of the signature cannot be had: " + e.Error()}, nil
}

// admit commits a message whose sender is certain. It is the only caller of storage.Receive. What is not public is
// counted and not kept; when it takes something back that was public, all but its ids is left out.
func (f *Federation) admit(ctx context.Context, from sign.Sender, a *wire.Object, body []byte, keys *requestKeys) (answer, error) {
	m := storage.Message{Way: storage.Push, Sender: from.Actor(), Proof: from.Algorithm() + " " + from.KeyID(),
		Type: a.Type(), Activity: a.ID, Raw: body, Took: keys.budget.Spent}
	if keys.fetched != nil && keys.fetched.Claim != "" { // looking that up is taken off what is left to the message
		m.Took, m.Apart = m.Took+claimCost, fetch.MostTime-claimCost
	}
	if a.Object != nil {
		m.Object = a.Object.ID
		if len(a.Object.InReplyTo) > 0 {
			m.ReplyTo = a.Object.InReplyTo[0]
		}
	}
	if brings(a) && a.Object.ID != a.Actor && len(a.Object.Raw) > 0 && a.Object.AudienceOf(a) == thread.Private {
		known, err := f.DB.Known(ctx, a.Object.ID)
		if err != nil || !known {
			return accepted, errors.Join(err, f.DB.Count(ctx, string(thread.Secret)))
		}
		m.Raw = redacted(a)
	}
	if asks := a.Type() == "ReplyRequest" && a.Instrument != nil; asks {
		m.ReplyTo = a.Instrument.ID
	}
	if passesOn(a) {
		m.Raw = bare(a)
	}
	repeated, err := f.DB.Receive(ctx, m, keys.fetched)
	if err != nil {
		return answer{}, err
	}
	f.Log.Info("received", "type", m.Type, "from", m.Sender, "object", m.Object, "repeated", repeated)
	return accepted, f.DB.HostSpoke(ctx, from.Actor().Host())
}

// redacted is a private Update without anything that it says.
func redacted(a *wire.Object) []byte {
	text, _ := json.Marshal(map[string]any{"id": a.ID, "type": a.Type(), "actor": a.Actor, // strings always marshal
		"object": map[string]any{"id": a.Object.ID, "type": a.Object.Type(), "attributedTo": a.Actor, "to": []string{}}})
	return text
}

// passesOn tells whether a message holds a text that is not its object: what others wrote, which is asked for at its own
// server, or a reply for which permission is asked, if not everybody may read it. Such a text is not kept.
func passesOn(a *wire.Object) bool {
	switch a.Type() {
	case "Announce":
		return len(a.Object.Raw) > 0
	case "Undo":
		return a.Object.Object != nil && len(a.Object.Object.Raw) > 0
	case "ReplyRequest":
		return a.Instrument != nil && len(a.Instrument.Raw) > 0 && a.Instrument.Audience() == thread.Private
	case "QuoteRequest":
		return true
	}
	return false
}

// bare is an activity of which everything within has only its id.
func bare(a *wire.Object) []byte {
	d := map[string]any{"id": a.ID, "type": a.Type(), "actor": a.Actor}
	if a.Instrument != nil {
		d["instrument"] = a.Instrument.ID
	}
	if o := a.Object; o != nil {
		d["object"] = o.ID
		if o.Object != nil { // what was wrapped in turn
			d["object"] = map[string]any{"id": o.ID, "type": o.Type(), "actor": o.Actor, "object": o.Object.ID}
		}
	}
	text, _ := json.Marshal(d) // strings always marshal
	return text
}

func writeError(w http.ResponseWriter, status int, reason string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	text, _ := json.Marshal(map[string]string{"error": reason}) // strings always marshal
	fmt.Fprintln(w, string(text))
}
