package main

import (
	"fmt"
	"time"

	"afterword/storage"
)

func tokenAdd(c *call) error {
	if err := c.parse(1); err != nil {
		return err
	}
	d, err := c.openDesk()
	if err != nil {
		return err
	}
	secret, err := d.AddToken(c.ctx, c.args[0])
	if err != nil {
		return err
	}
	c.printf("%s\n", secret)
	fmt.Fprintln(c.stderr, "This is shown once: keep it where only the program that uses it can read it.")
	return nil
}

func tokenList(c *call) error {
	c.jsonFlag()
	if err := c.parse(0); err != nil {
		return err
	}
	d, err := c.openDesk()
	if err != nil {
		return err
	}
	tokens, err := d.DB.Tokens(c.ctx)
	if err != nil {
		return err
	}
	if c.asJSON {
		return c.printJSON(append([]storage.Token{}, tokens...))
	}
	for _, t := range tokens {
		used := "never used"
		if !t.Used.IsZero() {
			used = "used " + t.Used.Format(time.RFC3339)
		}
		c.printf("%s  made %s, %s\n", t.Name, t.Created.Format(time.DateOnly), used)
	}
	return nil
}

func tokenRevoke(c *call) error {
	if err := c.parse(1); err != nil {
		return err
	}
	d, err := c.openDesk()
	if err != nil {
		return err
	}
	return d.RevokeToken(c.ctx, c.args[0])
}
