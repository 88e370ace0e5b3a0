package fedtest

import (
	"context"
	"io"
	"net/http"
	"slices"
	"time"

	"afterword/federation/sign"
)

// Delivery is what somebody posted to an inbox of the server.
type Delivery struct {
	Inbox    string
	Raw      []byte
	Activity map[string]any // nil when Raw is no JSON object
	Type     string
	Sender   string // who signed it; empty when that is not proven
	Verified bool   // signed by its actor
	Status   int    // as it was answered
	At       time.Time
}

// Received are all deliveries in their order, those that were refused too.
func (s *Server) Received() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.received)
}

func (s *Server) postInbox(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	d := Delivery{Inbox: s.Base + r.URL.Path, Raw: body, At: s.Now()}
	s.judge(r, &d)
	if d.Verified {
		s.process(r.Context(), d.Activity, d.Sender)
	}
	s.mu.Lock()
	s.received = append(s.received, d) // only now: who sees it here sees what it did
	s.mu.Unlock()
	w.WriteHeader(d.Status)
}

// judge reads a delivery and checks who sent it. Like Mastodon it takes, and leaves alone, what others than its actor
// sent, and the deletion of an account whose key cannot be had any more.
func (s *Server) judge(r *http.Request, d *Delivery) {
	activity, err := parse(d.Raw)
	if err != nil {
		d.Status = http.StatusBadRequest
		return
	}
	d.Activity, d.Type = activity, activity.str("type")
	sender, err := s.verify(r, d.Raw)
	d.Sender = string(sender.Actor())
	d.Verified = err == nil && d.Sender == activity.id("actor")
	d.Status = http.StatusAccepted
	if err != nil && (d.Type != "Delete" || activity.id("object") != activity.id("actor")) {
		d.Status = http.StatusUnauthorized
	}
}

func (s *Server) verify(r *http.Request, body []byte) (sign.Sender, error) {
	return sign.Verify(r, body, sign.Options{Host: s.host, Scheme: s.scheme, Now: s.Now(), Keys: keyring{s}})
}

// process does what a verified activity of its sender says, where the server understands it.
func (s *Server) process(ctx context.Context, activity object, sender string) {
	switch activity.str("type") {
	case "Create", "Update":
		if note := activity.obj("object"); sameHost(note.str("id"), sender) && note.id("attributedTo") == sender {
			_, _ = s.learn(note) // what is no note is nothing to us
		}
	case "Delete":
		s.forget(activity.id("object"), sender)
	case "Follow":
		s.accept(ctx, activity, sender)
	case "Undo":
		if p := s.owner(activity.obj("object").id("object")); p != nil && activity.obj("object").str("type") == "Follow" {
			s.mu.Lock()
			delete(p.followers, sender)
			s.mu.Unlock()
		}
	case "Accept", "Reject":
		s.answered(activity, sender)
	}
}

func (s *Server) forget(id, sender string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.notes[id].Author == sender {
		delete(s.notes, id)
	}
}

// accept lets everybody follow.
func (s *Server) accept(ctx context.Context, follow object, sender string) {
	p := s.owner(follow.id("object"))
	follower, err := s.actor(ctx, sender)
	if p == nil || err != nil {
		return
	}
	s.mu.Lock()
	p.followers[sender] = follower.Shared
	s.mu.Unlock()
	_, _ = p.deliver(ctx, p.shape(p.Activity("Accept", follow)), "", []string{follower.Inbox}) // a follower who is away asks again
}

// answered takes the answer to a follow, if it is from who is followed, or the refusal of a reply.
func (s *Server) answered(answer object, sender string) {
	id, rejected := answer.id("object"), answer.str("type") == "Reject"
	state := "following"
	if rejected {
		state = "rejected"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.people {
		if d, asked := p.deeds["Follow "+sender]; asked && d.activity["id"] == id {
			d.state = state
			p.deeds["Follow "+sender] = d
		}
	}
	if n := s.notes[id]; rejected && s.isLocal(n.ID) {
		n.RejectedBy = sender
		s.notes[id] = n
	}
}
