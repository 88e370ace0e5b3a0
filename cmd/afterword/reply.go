package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"afterword/config"
	"afterword/desk"
	"afterword/federation"
	"afterword/fetch"
	"afterword/sanitize"
	"afterword/storage"
	"afterword/thread"
)

// reply writes or changes an answer of the blog; "comment remove" takes one back.
func reply(c *call) error {
	var edit bool
	c.flags.BoolVar(&edit, "edit", false, "change the blog's own answer of this ID instead")
	c.jsonFlag()
	if err := c.parse(2); err != nil {
		return err
	}
	cfg, db, err := c.open()
	if err != nil {
		return err
	}
	if edit {
		return editAnswer(c, db)
	}
	answer, err := say(c.ctx, cfg, db, c.args[0], c.args[1])
	if err != nil {
		return err
	}
	if c.asJSON {
		return c.printComments(desk.ViewComments([]thread.Comment{answer}))
	}
	c.printf("%s\n", answer.ID)
	return nil
}

// say is the blog answering what ref names: a comment by id or address, or a post.
func say(ctx context.Context, cfg *config.Config, db *storage.DB, ref, text string) (thread.Comment, error) {
	html := sanitize.Markdown(text)
	if html == "" {
		return thread.Comment{}, &usageError{"the answer says nothing"}
	}
	fed, err := newFederation(ctx, cfg, db, newClient(cfg, world{}), nil, world{})
	if err != nil {
		return thread.Comment{}, err
	}
	me, err := fed.BlogActor(ctx)
	if err != nil {
		return thread.Comment{}, err
	}
	to := thread.IRI(ref)
	if comment, err := db.FindComment(ctx, ref); err == nil {
		to = comment.ID
	}
	answer, err := db.Answer(ctx, me, to, html)
	if errors.Is(err, storage.ErrNotFound) {
		err = fmt.Errorf(`there is no comment or post %s; "afterword comment list" and "afterword post list" show all`, ref)
	}
	return answer, err
}

func editAnswer(c *call, db *storage.DB) error {
	html := sanitize.Markdown(c.args[1])
	if html == "" {
		return &usageError{"the answer says nothing"}
	}
	err := db.EditAnswer(c.ctx, thread.IRI(c.args[0]), html)
	if errors.Is(err, storage.ErrNotFound) || errors.Is(err, storage.ErrNotOurs) {
		return fmt.Errorf("%s is no answer of the blog: their addresses end in /answers/ and a number", c.args[0])
	}
	return err
}

// newFederation is the federation as commands and server use it.
func newFederation(ctx context.Context, cfg *config.Config, db *storage.DB, client *fetch.Client,
	demand func(context.Context, thread.IRI) error, w world) (*federation.Federation, error) {
	return federation.New(ctx, federation.Config{
		DB: db, Fetch: client, Base: cfg.BaseURL, Handle: cfg.Blog.Handle, Domain: cfg.Blog.AccountDomain, Name: cfg.Blog.Name,
		Summary: desk.HTML(strings.TrimSpace(cfg.Blog.Summary), cfg.Blog.URL), Lang: cfg.Blog.Language, Page: cfg.Blog.URL, Icon: cfg.Blog.Icon,
		Header: cfg.Blog.Header, Fields: cfg.Blog.Fields,
		Version: version, Rules: rules(cfg), Template: cfg.Blog.NoteTemplate, ClosedNotice: cfg.Comments.ClosedNotice, Owner: cfg.Blog.Owner, Now: w.Now, Log: w.Log, Metrics: w.metrics,
		Limits: federation.Limits{ActorHour: cfg.Limits.ActorHour, HostHour: cfg.Limits.HostHour, NewActorsHour: cfg.Limits.NewActorsHour},
		Demand: demand, Forward: cfg.Federation.Forward,
		Source: source(cfg),
	})
}
