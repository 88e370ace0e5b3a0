package main

import (
	"errors"
	"html"
	"net/url"

	"afterword/api"
	"afterword/storage"
	"afterword/thread"
)

// snippet prints the lines by which a page of the blog gets its comments (docs/embedding.md), ready to paste.
func snippet(c *call) error {
	var pinned bool
	c.flags.BoolVar(&pinned, "sri", false, "pin the script as this version serves it: after an update readers get the link only, until the line is printed anew")
	if err := c.parse(1); err != nil {
		return err
	}
	cfg, db, err := c.open()
	if err != nil {
		return err
	}
	page := c.args[0]
	id, err := thread.NoteID(cfg.BaseURL, page, 1)
	if err != nil {
		return &usageError{"the address of a page, please: https://…"}
	}
	known, err := db.FindPost(c.ctx, page)
	if err == nil {
		id, page = known.ID, known.URL
	} else if !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	integrity := ""
	if pinned {
		integrity = ` integrity="` + api.ScriptIntegrity() + `" crossorigin`
	}
	c.printf(`<!-- in the head -->
<link rel="canonical" href="%s">
<link rel="alternate" type="application/activity+json" href="%s">

<!-- where the comments belong -->
<afterword-thread><a href="%s/t?url=%s">Read or add comments</a></afterword-thread>
<script type="module" async src="%[3]s/embed.js"%[5]s></script>
`, html.EscapeString(page), html.EscapeString(string(id)), cfg.BaseURL, url.QueryEscape(page), integrity)
	return nil
}
