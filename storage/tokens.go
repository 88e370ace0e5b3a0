package storage

import (
	"context"
	"errors"
	"time"
)

// ErrTaken is returned for a name that something else has.
var ErrTaken = errors.New("the name is taken")

// Token lets a program use the blogger's API.
type Token struct {
	Name    string    `json:"name"`
	Hash    string    `json:"-"` // SHA-256 of its secret, hexadecimal
	Created time.Time `json:"created"`
	Used    time.Time `json:"used,omitzero"`
}

// AddToken adds a token; ErrTaken when there is one of that name.
func (db *DB) AddToken(ctx context.Context, name, hash string) error {
	now := db.now()
	return db.write(ctx, func(t tx) error {
		n, err := t.affected("INSERT INTO tokens (name, hash, created) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING", name, hash, ms(now))
		if err == nil && n == 0 {
			err = ErrTaken
		}
		return err
	})
}

// Tokens lists the tokens, oldest first.
func (db *DB) Tokens(ctx context.Context) ([]Token, error) {
	return list(db.read(ctx), func(s scanner) (t Token, err error) {
		var created, used int64
		err = s.Scan(&t.Name, &t.Hash, &created, &used)
		t.Created, t.Used = at(created), at(used)
		return t, err
	}, "SELECT name, hash, created, used FROM tokens ORDER BY created, name")
}

// TokenUsed notes that a token was used now.
func (db *DB) TokenUsed(ctx context.Context, name string) error {
	now := db.now()
	return db.write(ctx, func(t tx) error { return t.exec("UPDATE tokens SET used = $1 WHERE name = $2", ms(now), name) })
}

// RevokeToken removes a token; ErrNotFound when there is none of that name.
func (db *DB) RevokeToken(ctx context.Context, name string) error {
	return db.write(ctx, func(t tx) error { return t.mustExec("DELETE FROM tokens WHERE name = $1", name) })
}
