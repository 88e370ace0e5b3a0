package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"afterword/api"
	"afterword/config"
	"afterword/federation"
	"afterword/storage"
	"afterword/thread"
)

// message is a row of the ledger as commands print it.
type message struct {
	ID       int64           `json:"id"`
	Received time.Time       `json:"received"`
	Way      storage.Way     `json:"way"`
	Type     string          `json:"type"`
	Sender   thread.IRI      `json:"sender"`
	Activity thread.IRI      `json:"activity"`
	Object   thread.IRI      `json:"object"`
	ReplyTo  thread.IRI      `json:"reply_to"`
	Decision thread.Decision `json:"decision"`
	Reason   string          `json:"reason"`
	Proof    string          `json:"proof,omitempty"`
	Attempts int             `json:"attempts,omitempty"`
	Raw      json.RawMessage `json:"raw,omitempty"`
}

func messageJSON(m storage.Message, whole bool) message {
	out := message{ID: m.ID, Received: m.Received, Way: m.Way, Type: m.Type, Sender: m.Sender, Activity: m.Activity,
		Object: m.Object, ReplyTo: m.ReplyTo, Decision: m.Decision, Reason: m.Reason}
	if out.Decision == "" {
		out.Decision = "undecided"
	}
	if whole {
		out.Proof, out.Attempts = m.Proof, m.Attempts
		if len(m.Raw) > 0 {
			out.Raw = m.Raw
		}
	}
	return out
}

func inboxList(c *call) error {
	var reply string
	var limit int
	c.flags.StringVar(&reply, "reply", "", "why is the reply with this `address` (its id or its page) not shown? What never came is fetched now")
	c.flags.IntVar(&limit, "limit", 100, "at most this `number`")
	c.jsonFlag()
	if err := c.parse(0); err != nil {
		return err
	}
	cfg, db, err := c.open()
	if err != nil {
		return err
	}
	if reply != "" {
		return c.explain(cfg, db, reply, limit)
	}
	found, err := db.Ledger(c.ctx, "", limit)
	if err != nil {
		return err
	}
	if c.asJSON {
		return c.printJSON(messagesJSON(found))
	}
	c.printMessages(found)
	return nil
}

func messagesJSON(found []storage.Message) []message {
	out := make([]message, len(found))
	for i, m := range found {
		out[i] = messageJSON(m, false)
	}
	return out
}

func (c *call) printMessages(found []storage.Message) {
	for _, m := range messagesJSON(found) {
		c.printf("%6d  %s  %-8s %-9s %s\n", m.ID, m.Received.Format(time.RFC3339), m.Type, m.Decision, m.Object)
		if m.Reason != "" {
			c.printf("        %s\n", m.Reason)
		}
	}
}

// fate is what became of a reply, as commands print it.
type fate struct {
	Reply     string          `json:"reply"` // as it was asked for
	ID        thread.IRI      `json:"id"`
	Decision  thread.Decision `json:"decision"`
	Reason    string          `json:"reason"`
	At        *time.Time      `json:"at"`
	Post      thread.IRI      `json:"post"`
	Permalink string          `json:"permalink"` // where it is shown
	Fetched   bool            `json:"fetched"`   // it had never come, and was asked for just now
	Messages  []message       `json:"messages"`  // all that the ledger has about it
}

// explain answers why a reply is not shown, or says where it is.
func (c *call) explain(cfg *config.Config, db *storage.DB, reply string, limit int) error {
	w := world{Transport: c.transport, Now: c.now, Log: slog.New(slog.DiscardHandler)}
	fed, err := newFederation(c.ctx, cfg, db, newClient(cfg, w), nil, w)
	if err != nil {
		return err
	}
	f, err := fed.Fate(c.ctx, reply)
	if errors.Is(err, federation.ErrNoAddress) {
		return &usageError{fmt.Sprintf("%q %s", reply, err)}
	} else if err != nil {
		return err
	}
	out := fate{Reply: reply, ID: f.ID, Decision: f.Decision, Reason: f.Reason, Post: f.Post, Fetched: f.Fetched}
	if !f.At.IsZero() {
		out.At = &f.At
	}
	if post, err := db.Post(c.ctx, f.Post); err == nil && f.Decision == thread.Shown {
		out.Permalink = api.Permalink(post, f.ID)
	}
	about := reply
	if f.ID != "" {
		about = string(f.ID)
	}
	found, err := db.Ledger(c.ctx, about, limit)
	if err != nil {
		return err
	}
	if out.Messages = messagesJSON(found); c.asJSON {
		return c.printJSON(out)
	}
	c.printf("%s\n", out.sentence())
	c.printMessages(found)
	return nil
}

// fates are the beginnings of the sentences that say what became of a reply.
var fates = map[thread.Decision]string{
	thread.Shown: "shown at PERMALINK", thread.Held: `held for you to decide ("afterword comment approve ID")`, thread.TooLate: "late, so not shown",
	thread.NotShown: "hidden", thread.Waiting: "waiting", thread.Orphaned: "an orphan: it leads to no post of this blog", thread.Secret: "private",
	thread.Blocked: "blocked", thread.Refused: "refused", thread.Ignored: "ignored", thread.Done: "carried out", thread.Failed: "not decided about, because of a failure",
	thread.Undecided: "here, and not decided about yet", thread.Erased: "deleted",
	thread.Unknown: "unknown: it never came, and cannot be had (replies that are not public are counted and not kept)",
}

// sentence says it to people.
func (f fate) sentence() string {
	said := strings.NewReplacer("PERMALINK", f.Permalink, "ID", string(f.ID)).Replace(fates[f.Decision])
	if f.Fetched && f.Decision != thread.Unknown {
		said = "it never came, so it was fetched now: " + said
	}
	if f.At != nil {
		said += ", since " + f.At.Format(time.RFC3339)
	}
	if f.Reason != "" {
		said += ": " + f.Reason
	}
	return said
}

// openMessage finds the message that the only argument numbers.
func (c *call) openMessage() (*storage.DB, storage.Message, error) {
	id, err := strconv.ParseInt(c.args[0], 10, 64)
	if err != nil {
		return nil, storage.Message{}, &usageError{fmt.Sprintf(`%q is no number; "afterword inbox list" shows the numbers`, c.args[0])}
	}
	_, db, err := c.open()
	if err != nil {
		return nil, storage.Message{}, err
	}
	m, err := db.Message(c.ctx, id)
	if errors.Is(err, storage.ErrNotFound) {
		err = fmt.Errorf(`there is no message %d; "afterword inbox list" shows the newest (they are kept 30 days)`, id)
	}
	return db, m, err
}

func inboxShow(c *call) error {
	c.jsonFlag()
	if err := c.parse(1); err != nil {
		return err
	}
	_, m, err := c.openMessage()
	if err != nil {
		return err
	}
	out := messageJSON(m, true)
	if c.asJSON {
		return c.printJSON(out)
	}
	c.printf("message %d, %s, %s at %s\n", m.ID, out.Type, out.Way, out.Received.Format(time.RFC3339))
	for _, line := range [][2]string{{"sender", string(m.Sender)}, {"verified", m.Proof}, {"activity", string(m.Activity)},
		{"object", string(m.Object)}, {"answers", string(m.ReplyTo)}, {"verdict", strings.TrimSuffix(string(out.Decision)+": "+m.Reason, ": ")}} {
		if line[1] != "" {
			c.printf("%-9s %s\n", line[0], line[1])
		}
	}
	if len(out.Raw) > 0 {
		c.printf("\n")
		return c.printJSON(out.Raw)
	}
	return nil
}

func inboxReplay(c *call) error {
	if err := c.parse(1); err != nil {
		return err
	}
	db, m, err := c.openMessage()
	if err != nil {
		return err
	}
	if err := db.Replay(c.ctx, m.ID); err != nil {
		return fmt.Errorf("message %d cannot be replayed: %w", m.ID, err)
	}
	c.printf("message %d will be decided about anew as soon as the server runs\n", m.ID)
	return nil
}

// inboxFaults lists the panics that the server survived. With -json it is what a bug report needs.
func inboxFaults(c *call) error {
	c.jsonFlag()
	if err := c.parse(0); err != nil {
		return err
	}
	_, db, err := c.open()
	if err != nil {
		return err
	}
	found, err := db.Faults(c.ctx)
	if err != nil {
		return err
	}
	type fault struct {
		At     time.Time `json:"at"`
		Place  string    `json:"place"`
		Error  string    `json:"error"`
		Stack  string    `json:"stack"`
		Sample string    `json:"sample,omitempty"`
	}
	out := make([]fault, len(found))
	for i, f := range found {
		out[i] = fault{f.At, f.Place, f.Error, f.Stack, strings.ToValidUTF8(string(f.Sample), "\uFFFD")}
	}
	if c.asJSON {
		return c.printJSON(out)
	}
	for _, f := range out {
		c.printf("%s  %-8s %s\n", f.At.Format(time.RFC3339), f.Place, f.Error)
	}
	return nil
}

// inboxExport writes a message in the form of the project's own test cases: one command turns a trouble with another
// server into a test.
func inboxExport(c *call) error {
	if err := c.parse(1); err != nil {
		return err
	}
	_, m, err := c.openMessage()
	if err != nil {
		return err
	}
	if len(m.Raw) == 0 || !utf8.Valid(m.Raw) {
		return fmt.Errorf("message %d cannot be exported: its text was erased", m.ID)
	}
	_, err = c.stdout.Write(append(m.Raw, '\n'))
	return err
}
