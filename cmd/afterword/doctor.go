package main

import (
	"context"
	"errors"
	"fmt"

	"afterword/config"
	"afterword/fetch"
	"afterword/storage"
)

// finding is what one check found.
type finding struct {
	Check string `json:"check"`
	State string `json:"state"` // ok, advice (works, could be better), failed
	Found string `json:"found"`
	Fix   string `json:"fix,omitempty"` // what to do, in lines
}

func ok(check, format string, args ...any) finding {
	return finding{Check: check, State: "ok", Found: fmt.Sprintf(format, args...)}
}

func failed(check, fix, format string, args ...any) finding {
	return finding{Check: check, State: "failed", Found: fmt.Sprintf(format, args...), Fix: fix}
}

func advice(check, fix, format string, args ...any) finding {
	return finding{Check: check, State: "advice", Found: fmt.Sprintf(format, args...), Fix: fix}
}

// examination is one run of the doctor. It asks the server as others do: from outside, through the reverse proxy.
type examination struct {
	ctx    context.Context
	cfg    *config.Config
	db     *storage.DB
	client *fetch.Client
	w      world
	away   bool // the server cannot be reached: what depends on it is not asked
}

func doctor(c *call) error {
	c.jsonFlag()
	if err := c.parse(0); err != nil {
		return err
	}
	cfg, db, err := c.open()
	if err != nil {
		return err
	}
	w := world{Transport: c.transport, Now: c.now}
	e := &examination{ctx: c.ctx, cfg: cfg, db: db, client: newClient(cfg, w), w: w}
	var findings []finding
	problems := 0
	for _, check := range []func() finding{e.database, e.names, e.server, e.clock, e.proxy, e.inbox, e.account, e.accountOnServer, e.actor,
		e.feed, e.link, e.moved, e.home, e.verifiedLink, e.queue} {
		f := check()
		if f.State == "" { // nothing to say
			continue
		}
		findings = append(findings, f)
		if f.State == "failed" {
			problems++
		}
		if !c.asJSON {
			c.printFinding(f)
		}
	}
	if c.asJSON {
		err = c.printJSON(findings)
	}
	if problems > 0 {
		err = errors.Join(err, fmt.Errorf("%d of %d checks failed: see above what to do", problems, len(findings)))
	}
	return err
}

func (c *call) printFinding(f finding) {
	c.printf("%-7s %-12s %s\n", f.State, f.Check, f.Found)
	if f.Fix != "" {
		c.printf("%s", indent(indent(f.Fix)))
	}
}

func (e *examination) database() finding {
	if err := e.db.Check(e.ctx); err != nil {
		return failed("database", "Stop the server and go on with a backup (afterword backup makes them).", "%s: %v", e.cfg.Database, err)
	}
	posts, comments, err := e.db.CountPosts(e.ctx)
	if err != nil {
		return failed("database", "", "%v", err)
	}
	return ok("database", "%s is sound: %d posts, %d comments", e.cfg.Database, posts, comments)
}

// queue tells of hosts that do not take what is sent to them.
func (e *examination) queue() finding {
	hosts, err := e.db.Queue(e.ctx)
	if err != nil {
		return failed("queue", "", "%v", err)
	}
	waiting, failing := 0, 0
	for _, h := range hosts {
		waiting += h.Waiting
		if h.Failures > 0 {
			failing++
		}
	}
	if failing > 3 && failing == len(hosts) {
		return failed("queue", `"afterword queue" shows the errors. When every host refuses, this machine's clock or its way to the internet is wrong.`,
			"nothing can be delivered to any of %d hosts", failing)
	}
	return ok("queue", "%d deliveries wait, %d of their %d hosts do not answer", waiting, failing, len(hosts))
}
