package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

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
	c.flags.StringVar(&reply, "reply", "", "only messages about the reply with this `address`: why is it not shown?")
	c.flags.IntVar(&limit, "limit", 100, "at most this `number`")
	c.jsonFlag()
	if err := c.parse(0); err != nil {
		return err
	}
	_, db, err := c.open()
	if err != nil {
		return err
	}
	found, err := db.Ledger(c.ctx, reply, limit)
	if err != nil {
		return err
	}
	out := make([]message, len(found))
	for i, m := range found {
		out[i] = messageJSON(m, false)
	}
	if c.asJSON {
		return c.printJSON(out)
	}
	if reply != "" && len(out) == 0 {
		c.printf("%s never came: no message about it is known. (Replies that are not public are counted and not kept.)\n", reply)
	}
	for _, m := range out {
		c.printf("%6d  %s  %-8s %-9s %s\n", m.ID, m.Received.Format(time.RFC3339), m.Type, m.Decision, m.Object)
		if m.Reason != "" {
			c.printf("        %s\n", m.Reason)
		}
	}
	return nil
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
