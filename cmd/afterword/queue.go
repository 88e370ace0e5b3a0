package main

import (
	"fmt"
	"os"
	"time"

	"afterword/storage"
)

func queueShow(c *call) error {
	c.jsonFlag()
	if err := c.parse(0); err != nil {
		return err
	}
	_, db, err := c.open()
	if err != nil {
		return err
	}
	hosts, err := db.Queue(c.ctx)
	if err != nil {
		return err
	}
	if c.asJSON {
		if hosts == nil {
			hosts = []storage.HostQueue{}
		}
		return c.printJSON(hosts)
	}
	for _, h := range hosts {
		c.printf("%5d waiting for %s, next try %s\n", h.Waiting, h.Host, h.Next.Format(time.RFC3339))
		if h.Error != "" {
			c.printf("      failed %d times: %s\n", h.Failures, h.Error)
		}
	}
	return nil
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
