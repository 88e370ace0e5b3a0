package fedtest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"afterword/federation/sign"
)

// Sent is what was sent and how it was answered.
type Sent struct {
	ID      string   // the activity's
	Type    string   // "Create"
	Note    string   // the id of the note that it is about, if it is about one of the sender's
	Answers []Answer // one for each inbox
}

// Answer is how an inbox answered; Err is set when it did not.
type Answer struct {
	Inbox  string
	Status int
	Err    error
}

// Status is the highest status among the answers: 202 when all was well. It is 0 when nobody was written to.
func (s Sent) Status() (status int) {
	for _, a := range s.Answers {
		status = max(status, a.Status)
	}
	return status
}

func (s Sent) err() error {
	for _, a := range s.Answers {
		switch {
		case a.Err != nil:
			return a.Err
		case a.Status/100 != 2:
			return &StatusError{a.Inbox, a.Status}
		}
	}
	return nil
}

// String is one line for the page: "Create: 202 from localhost:8080".
func (s Sent) String() string {
	var parts []string
	for _, a := range s.Answers {
		if a.Err != nil {
			parts = append(parts, a.Err.Error())
		} else {
			parts = append(parts, fmt.Sprintf("%d from %s", a.Status, hostOf(a.Inbox)))
		}
	}
	return s.Type + ": " + cmp.Or(strings.Join(parts, ", "), "sent to nobody")
}

// elsewhere are the distinct inboxes that are not on this server.
func (s *Server) elsewhere(inboxes []string) (others []string) {
	for _, inbox := range inboxes {
		if inbox != "" && !s.isLocal(inbox) && !slices.Contains(others, inbox) {
			others = append(others, inbox)
		}
	}
	return others
}

func (p *Person) followerInboxes() (inboxes []string) {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	for _, inbox := range p.followers {
		inboxes = append(inboxes, inbox)
	}
	slices.Sort(inboxes)
	return inboxes
}

// shape is an activity as this software writes it.
func (p *Person) shape(activity object) object {
	p.server.software.message(activity)
	return activity
}

// deliver sends an activity to all inboxes at once.
func (p *Person) deliver(ctx context.Context, activity object, note string, inboxes []string) (Sent, error) {
	body := encode(activity)
	sent := Sent{ID: activity.str("id"), Type: activity.str("type"), Note: note, Answers: make([]Answer, len(inboxes))}
	var all sync.WaitGroup
	for i, inbox := range inboxes {
		all.Go(func() { sent.Answers[i] = p.knock(ctx, inbox, body) })
	}
	all.Wait()
	return sent, sent.err()
}

func (p *Person) knock(ctx context.Context, inbox string, body []byte) Answer {
	a := p.post(ctx, inbox, body, Envelope{})
	if p.server.software.knocksTwice && (a.Status == http.StatusUnauthorized || a.Status == http.StatusBadRequest) {
		return p.post(ctx, inbox, body, Envelope{RFC9421: true})
	}
	return a
}

// Envelope says how a message is to be sent other than as it should be. The zero value is an honest one.
type Envelope struct {
	Unsigned    bool
	As          *Person             // signs as somebody else, with his key
	Forged      bool                // names the right key and signs with another
	RFC9421     bool                // signs after RFC 9421
	Date        time.Time           // zero: now
	ContentType string              // empty: application/activity+json
	Change      func(*http.Request) // changes what is signed already
}

func (e Envelope) signer(p *Person) sign.Signer {
	if e.As != nil {
		p = e.As
	}
	if e.Forged {
		return sign.Signer{KeyID: p.keyID(), Private: keyPair("a forger's")}
	}
	return sign.Signer{KeyID: p.keyID(), Private: p.key()}
}

// Send posts any message, bytes or a value that is made into JSON, to an inbox. For hostile tests.
func (p *Person) Send(ctx context.Context, inbox string, message any, e Envelope) Answer {
	body, ok := message.([]byte)
	if !ok {
		body = encode(message)
	}
	return p.post(ctx, inbox, body, e)
}

// post delivers a body to an inbox and returns its answer.
func (p *Person) post(ctx context.Context, inbox string, body []byte, e Envelope) Answer {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, inbox, bytes.NewReader(body))
	if err != nil {
		return Answer{Inbox: inbox, Err: err}
	}
	r.Header.Set("Content-Type", cmp.Or(e.ContentType, activityJSON))
	if err := p.sign(r, body, e); err != nil {
		return Answer{Inbox: inbox, Err: err}
	}
	client := http.Client{Transport: p.server.Transport, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		return Answer{Inbox: inbox, Err: err}
	}
	resp.Body.Close()
	return Answer{Inbox: inbox, Status: resp.StatusCode}
}

var algorithm = regexp.MustCompile(`\balgorithm="[^"]*"`)

// sign signs a request as its envelope says.
func (p *Person) sign(r *http.Request, body []byte, e Envelope) error {
	s := p.server
	r.Header.Set("User-Agent", strings.ReplaceAll(s.software.agent, "{base}", s.Base))
	date := e.Date
	if date.IsZero() {
		date = s.Now()
	}
	signer := e.signer(p)
	how := signer.Sign
	if e.RFC9421 {
		how = signer.SignRFC9421
	}
	if err := how(r, body, date); err != nil {
		return err
	}
	// Package sign calls it in one way only. The name is not signed.
	r.Header.Set("Signature", algorithm.ReplaceAllString(r.Header.Get("Signature"), `algorithm="`+s.software.algorithm+`"`))
	if e.Unsigned {
		r.Header.Del("Signature")
		r.Header.Del("Signature-Input")
	}
	if e.Change != nil {
		e.Change(r)
	}
	return nil
}
