package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"afterword/storage"
)

func queueShow(c *call) error {
	var limit int
	c.flags.IntVar(&limit, "limit", 50, "how many hosts to list, those with the most first; 0: all of them")
	c.jsonFlag()
	if err := c.parse(0); err != nil {
		return err
	}
	_, db, err := c.open()
	if err != nil {
		return err
	}
	if !c.asJSON {
		return printQueue(c.ctx, db, c.stdout, limit)
	}
	hosts, err := db.Queue(c.ctx)
	if err != nil {
		return err
	}
	if hosts == nil {
		hosts = []storage.HostQueue{}
	}
	return c.printJSON(hosts)
}

// printQueue writes how far what goes to many has come, and what waits for which host.
func printQueue(ctx context.Context, db *storage.DB, w io.Writer, limit int) error {
	fanOuts, err := db.FanOuts(ctx)
	if err != nil {
		return err
	}
	for _, f := range fanOuts {
		fmt.Fprintf(w, "%s of %s, since %s: %d of %d inboxes done\n", f.Kind, f.Object, f.At.Format(time.RFC3339), f.Recipients-f.Waiting, f.Recipients)
	}
	hosts, err := db.Queue(ctx)
	for i, h := range hosts {
		if limit > 0 && i == limit {
			fmt.Fprintf(w, "and %d more hosts (-limit 0 lists all)\n", len(hosts)-limit)
			break
		}
		fmt.Fprintf(w, "%5d waiting for %s, next try %s\n", h.Waiting, h.Host, h.Next.Format(time.RFC3339))
		if h.Error != "" {
			fmt.Fprintf(w, "      failed %d times: %s\n", h.Failures, h.Error)
		}
	}
	return err
}

func queueRetry(c *call) error {
	if err := c.parse(1); err != nil {
		return err
	}
	_, db, err := c.open()
	if err != nil {
		return err
	}
	n, err := db.RetryHost(c.ctx, c.args[0])
	if err == nil && n == 0 {
		err = fmt.Errorf(`nothing waits for %s; "afterword queue" shows all hosts`, c.args[0])
	}
	return err
}

func backup(c *call) error {
	if err := c.parse(1); err != nil {
		return err
	}
	if _, err := os.Stat(c.args[0]); err == nil {
		return fmt.Errorf("%s is there already: name a new file", c.args[0])
	}
	_, db, err := c.open()
	if err != nil {
		return err
	}
	return db.Backup(c.ctx, c.args[0])
}
