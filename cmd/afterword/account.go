package main

import (
	"errors"
	"fmt"
	"slices"

	"afterword/federation"
	"afterword/storage"
	"afterword/thread"
)

// openAccount opens the database with the federation that speaks for the blog's account.
func (c *call) openAccount() (*storage.DB, *federation.Federation, error) {
	cfg, db, err := c.open()
	if err != nil {
		return nil, nil, err
	}
	w := world{Transport: c.transport, Now: c.now}
	fed, err := newFederation(c.ctx, cfg, db, newClient(cfg, w), nil, w)
	return db, fed, err
}

func keyRotate(c *call) error {
	if err := c.parse(0); err != nil {
		return err
	}
	_, fed, err := c.openAccount()
	if err != nil {
		return err
	}
	if err := fed.RotateKey(c.ctx); err != nil {
		return err
	}
	c.printf("the account has a new key; everybody is told, signed with the old one\n")
	return nil
}

func aliasAdd(c *call) error { return c.changeAliases(addAlias) }

func aliasRemove(c *call) error { return c.changeAliases(removeAlias) }

func addAlias(ids []thread.IRI, id thread.IRI) ([]thread.IRI, error) {
	if slices.Contains(ids, id) {
		return nil, fmt.Errorf("%s is an alias already", id)
	}
	return append(ids, id), nil
}

func removeAlias(ids []thread.IRI, id thread.IRI) ([]thread.IRI, error) {
	i := slices.Index(ids, id)
	if i < 0 {
		return nil, fmt.Errorf(`%s is no alias; "afterword alias list" shows them`, id)
	}
	return slices.Delete(ids, i, i+1), nil
}

func (c *call) changeAliases(change func([]thread.IRI, thread.IRI) ([]thread.IRI, error)) error {
	if err := c.parse(1); err != nil {
		return err
	}
	_, fed, err := c.openAccount()
	if err != nil {
		return err
	}
	ids, err := fed.Aliases(c.ctx)
	if err != nil {
		return err
	}
	id := thread.IRI(c.args[0]) // an alias whose server is gone can still be removed
	if !slices.Contains(ids, id) {
		if id, err = c.account(fed); err != nil {
			return err
		}
	}
	if ids, err = change(ids, id); err != nil {
		return err
	}
	return fed.SetAliases(c.ctx, ids)
}

// account is the id of the account that the only argument names.
func (c *call) account(fed *federation.Federation) (thread.IRI, error) {
	id, err := fed.Find(c.ctx, c.args[0])
	if err != nil {
		return "", fmt.Errorf("%s: %w", c.args[0], err)
	}
	return id, nil
}

func aliasList(c *call) error {
	c.jsonFlag()
	if err := c.parse(0); err != nil {
		return err
	}
	_, fed, err := c.openAccount()
	if err != nil {
		return err
	}
	ids, err := fed.Aliases(c.ctx)
	if err != nil {
		return err
	}
	if c.asJSON {
		return c.printJSON(append([]thread.IRI{}, ids...))
	}
	for _, id := range ids {
		c.printf("%s\n", id)
	}
	return nil
}

// move sends the followers to another account, or says again that they are to stay.
func move(c *call) error {
	if err := c.parse(1); err != nil {
		return err
	}
	_, fed, err := c.openAccount()
	if err != nil {
		return err
	}
	var to thread.IRI
	if c.args[0] != "nowhere" {
		if to, err = c.account(fed); err != nil {
			return err
		}
	}
	switch err := fed.MoveTo(c.ctx, to); {
	case errors.Is(err, federation.ErrNoAlias):
		return fmt.Errorf("%s does not say that this account may move there: add %s as an alias in its settings first", to, fed.Actor())
	case err != nil:
		return err
	case to == "":
		c.printf("the account says no longer that it has moved; followers that went stay there\n")
	default:
		c.printf("followers are being sent to %s: their servers follow it then\n", to)
	}
	return nil
}
