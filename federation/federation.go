// Package federation is the blog's voice and ear on the fediverse. It answers other servers (serve), takes in what
// they send (door, process, pull), and tells them what changed (publish, deliver).
//
// What is stored, is stored by package storage: a message that passed the door waits in the table received until
// process or pull gives it a verdict; a change made by anyone waits in changes until publish turns it into deliveries,
// one row for each inbox; deliver removes a row when its inbox has answered.
//
// On a crash nothing is lost: 202 is answered after the commit of the message, a verdict is written in the transaction
// that carries it out, a change leaves its table in the transaction that writes its deliveries, and a delivery stays
// until it was answered. A step that was cut short is done again; peers know our activities by their ids, so what they
// get twice they ignore.
package federation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"time"

	"afterword/federation/sign"
	"afterword/federation/wire"
	"afterword/fetch"
	"afterword/metrics"
	"afterword/sanitize"
	"afterword/storage"
	"afterword/thread"
)

// Config is what the federation has to know. Fields are required unless they say otherwise.
type Config struct {
	DB    *storage.DB
	Fetch *fetch.Client

	Base    string // base_url without trailing slash
	Handle  string // "blog"
	Domain  string // the account's domain, with its port if it has one
	Name    string // may be empty: the account's address serves
	Summary string // safe HTML, may be empty
	Lang    string // may be empty
	Page    string // the blog's URL
	Icon    string // may be empty, as may Header
	Header  string
	Fields  []string // of the profile: "Pronouns: she/her"
	Version string   // of the program, for NodeInfo

	Rules        thread.Rules
	Template     string // of a Note's text: HTML with {title}, {text}, {link} and {tags}; empty: all four in this order
	ClosedNotice bool   // a closed thread's Note says so in its text
	Forward      bool   // replies that bear a signature of their own are handed on to the followers
	Owner        string // the blogger's own account, "@me@host" or its URL; may be empty
	Limits       Limits

	// Demand makes the post of a Note that is asked for and not known, if the blog has it; storage.ErrNotFound: it has not.
	// nil: none is made.
	Demand func(ctx context.Context, note thread.IRI) error
	// Source tells from which network a request comes; the zero prefix: that is not known. May be nil.
	Source func(*http.Request) netip.Prefix

	Now     func() time.Time // nil: time.Now
	Log     *slog.Logger     // nil: slog.Default()
	Metrics *metrics.Set     // may be nil
}

// counts are what the federation counts.
type counts struct{ answers, deliveries *metrics.Counter }

func newCounts(m *metrics.Set) counts {
	return counts{
		answers:    m.Counter("afterword_inbox_answers_total", "Messages at the door, by how they were answered.", "status"),
		deliveries: m.Counter("afterword_deliveries_total", "Attempts to deliver, by what came of them.", "outcome"),
	}
}

// Federation is the running federation. Its parts share nothing but the database and this struct, which does not
// change after New but for what locks of their own guard.
type Federation struct {
	Config
	blog     wire.Blog
	chain    keychain
	keys     *keyring
	limit    *limiter
	queue    *deliveryQueue
	receipts *receipts
	counts   counts
	signing  chan struct{} // places among those that sign, the dearest thing that the process does
	sources  *sources
	workers  []Worker
}

// New prepares the federation, making the blog's key pair when the database has none.
func New(ctx context.Context, c Config) (*Federation, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if _, err := c.DB.Setting(ctx, keySetting, newKey); err != nil {
		return nil, fmt.Errorf("the blog's private key: %w", err)
	}
	since, err := c.DB.Setting(ctx, "actor_since", func() (string, error) { return c.Now().UTC().Format(time.RFC3339), nil })
	if err != nil {
		return nil, err
	}
	published, err := time.Parse(time.RFC3339, since)
	if err != nil {
		return nil, fmt.Errorf("actor_since in the database: %w", err)
	}
	f := &Federation{Config: c, limit: newLimiter(c.Limits, c.Now), sources: &sources{now: c.Now}}
	f.blog = wire.Blog{Base: c.Base, Handle: c.Handle, Domain: c.Domain, Name: c.Name, Summary: c.Summary, Lang: c.Lang,
		Page: c.Page, Icon: c.Icon, Header: c.Header, Published: published, ClosedNotice: c.ClosedNotice}
	f.blog.Template = wire.Template(c.Template, func(text string) string { return sanitize.Note(text, c.Page) })
	for _, line := range c.Fields {
		name, value, _ := strings.Cut(line, ":")
		f.blog.Fields = append(f.blog.Fields, wire.Field{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)})
	}
	f.keys = &keyring{f: f, refreshed: map[thread.IRI]time.Time{}}
	f.counts = newCounts(c.Metrics)
	f.queue = &deliveryQueue{f: f, sending: map[string]*visits{}}
	f.receipts = &receipts{db: c.DB}
	f.signing = make(chan struct{}, 2*runtime.GOMAXPROCS(0)) // so that none of them waits for its next task
	f.workers = []Worker{f.processWorker(), f.pullWorker(), f.publishWorker(), f.deliverWorker(), f.clockWorker(), f.backfillWorker(), f.nameWorker()}
	for i := range f.workers {
		f.workers[i].panicked = c.DB.Fault
	}
	_, err = f.identity(ctx)
	return f, err
}

func newKey() (string, error) {
	key, err := sign.NewPrivateKey()
	if err != nil {
		return "", err
	}
	return sign.MarshalPrivateKey(key)
}

// Actor is the id of the blog's account.
func (f *Federation) Actor() thread.IRI { return f.blog.Actor() }

// spent tells whether there is no answer because nothing more may be asked for.
func spent(err error) bool {
	var e *fetch.Error
	return errors.As(err, &e) && e.Kind == fetch.Spent
}

// temporary tells whether an error of another server or of our own may pass.
func temporary(err error) bool {
	var e *fetch.Error
	return errors.As(err, &e) && e.Temporary()
}
