package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"afterword/storage"
	"afterword/thread"
)

func followerList(c *call) error {
	c.jsonFlag()
	if err := c.parse(0); err != nil {
		return err
	}
	_, db, err := c.open()
	if err != nil {
		return err
	}
	followers, err := db.Followers(c.ctx)
	if err != nil {
		return err
	}
	if c.asJSON {
		if followers == nil {
			followers = []storage.Follower{}
		}
		return c.printJSON(followers)
	}
	for _, f := range followers {
		c.printf("%s  %s  %s\n", f.Since.Format(time.DateOnly), f.Handle, f.Actor)
	}
	return nil
}

func followerRemove(c *call) error {
	if err := c.parse(1); err != nil {
		return err
	}
	_, db, err := c.open()
	if err != nil {
		return err
	}
	id, err := db.FindActor(c.ctx, c.args[0])
	if err == nil {
		err = db.DropFollower(c.ctx, id)
	}
	if errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf(`%s does not follow the blog; "afterword follower list" shows who does`, c.args[0])
	}
	return err
}

// blockTarget is a host, or the id of an account that is named by its id or handle.
func (c *call) blockTarget(db *storage.DB) (string, error) {
	ref := c.args[0]
	if !strings.Contains(ref, "@") && !strings.Contains(ref, "/") {
		host := thread.IRI("https://" + ref).Host()
		if host == "" {
			return "", fmt.Errorf("%q is neither a host nor an account such as @name@host", ref)
		}
		return host, nil
	}
	id, err := db.FindActor(c.ctx, ref)
	if errors.Is(err, storage.ErrNotFound) {
		if parsed, parseErr := thread.ParseIRI(ref); parseErr == nil {
			return string(parsed), nil
		}
		return "", fmt.Errorf("%s has never been heard of here: name the account by its address (https://…), or block its host", ref)
	}
	return string(id), err
}

func blockAdd(c *call) error    { return c.changeBlock((*storage.DB).Block) }
func blockRemove(c *call) error { return c.changeBlock((*storage.DB).Unblock) }

func (c *call) changeBlock(change func(*storage.DB, context.Context, string) error) error {
	if err := c.parse(1); err != nil {
		return err
	}
	_, db, err := c.open()
	if err != nil {
		return err
	}
	target, err := c.blockTarget(db)
	if err != nil {
		return err
	}
	if err = change(db, c.ctx, target); errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf(`%s is not blocked; "afterword block list" shows what is`, c.args[0])
	}
	return err
}

func blockList(c *call) error {
	c.jsonFlag()
	if err := c.parse(0); err != nil {
		return err
	}
	_, db, err := c.open()
	if err != nil {
		return err
	}
	targets, err := db.Blocks(c.ctx)
	if err != nil {
		return err
	}
	if c.asJSON {
		return c.printJSON(append([]string{}, targets...))
	}
	for _, t := range targets {
		c.printf("%s\n", t)
	}
	return nil
}
