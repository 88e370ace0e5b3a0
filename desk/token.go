package desk

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"afterword/sanitize"
	"afterword/storage"
)

// tokenMark lets scanners for secrets that were published by mistake know ours.
const tokenMark = "afterword_"

// AddToken makes a token for the API and returns its secret, which is kept nowhere but with its owner.
func (d Desk) AddToken(ctx context.Context, name string) (secret string, err error) {
	if name != sanitize.Name(name, 100) || name == "" {
		return "", refuse("bad_name", "%q is no name for a token: say in a few words who uses it", name)
	}
	random := make([]byte, 32)
	rand.Read(random) //nolint:errcheck // it never fails
	secret = tokenMark + base64.RawURLEncoding.EncodeToString(random)
	err = d.DB.AddToken(ctx, name, hash(secret))
	if errors.Is(err, storage.ErrTaken) {
		err = refuse("name_taken", `there is a token %q: "afterword token revoke" ends it`, name)
	}
	return secret, err
}

// RevokeToken ends a token.
func (d Desk) RevokeToken(ctx context.Context, name string) error {
	err := d.DB.RevokeToken(ctx, name)
	if errors.Is(err, storage.ErrNotFound) {
		err = refuse("unknown_token", `there is no token %q; "afterword token list" shows all`, name)
	}
	return err
}

// usedEvery is how exactly it is noted when a token was last used.
const usedEvery = time.Hour

// Authorized tells whether this is the secret of a token. All are compared, in constant time.
func (d Desk) Authorized(ctx context.Context, secret string) (bool, error) {
	if !strings.HasPrefix(secret, tokenMark) {
		return false, nil
	}
	tokens, err := d.DB.Tokens(ctx)
	if err != nil {
		return false, err
	}
	sum, found := hash(secret), -1
	for i, t := range tokens {
		if subtle.ConstantTimeCompare([]byte(t.Hash), []byte(sum)) == 1 {
			found = i
		}
	}
	if found < 0 {
		return false, nil
	}
	if t := tokens[found]; d.Now().Sub(t.Used) >= usedEvery {
		return true, d.DB.TokenUsed(ctx, t.Name)
	}
	return true, nil
}

func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
