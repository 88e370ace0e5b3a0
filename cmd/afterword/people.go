package main

import (
	"errors"
	"fmt"
	"time"

	"afterword/storage"
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
