package federation

import (
	"cmp"
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"afterword/federation/sign"
	"afterword/federation/wire"
	"afterword/fetch"
	"afterword/sanitize"
	"afterword/storage"
	"afterword/thread"
)

// The settings that hold the blog's keys. The database has them, not the process: a command may change them under a
// running server.
const (
	keySetting    = "actor_key"        // the private key in PEM
	nameSetting   = "actor_key_name"   // fragment of its id; missing: the first key's
	formerSetting = "actor_key_former" // name, end in Unix milliseconds and PEM of the key before, a line each
)

// The settings that hold what else may change of the account while the server runs.
const (
	aliasSetting = "actor_aliases"  // ids of accounts that may move here, a line each
	movedSetting = "actor_moved_to" // the id of the account that the followers were sent to
	toldSetting  = "actor_told"     // a hash of the profile that the world was last told
)

// formerGood is how long a key that was replaced stays good, and signs what tells of the new one (PROTOCOL 72): whoever
// could not be reached for longer looks the new one up.
const formerGood = 24 * time.Hour

// identity is the blog as it signs and as it describes itself at a moment.
type identity struct {
	blog   wire.Blog
	signer signer
	former *signer // the key before, while it is good
}

// signer signs in every way that servers ask for.
type signer struct{ sign.Signer }

func (s signer) in(way string, r *http.Request, body []byte, now time.Time) error {
	switch way {
	case rfc9421:
		return s.SignRFC9421(r, body, now)
	case withoutURL:
		view := r.Clone(r.Context())
		view.URL.RawQuery = ""
		err := s.Sign(view, body, now)
		r.Header, r.Host = view.Header, view.Host
		return err
	}
	return s.Sign(r, body, now)
}

// keychain keeps the keys parsed for as long as the database has them so.
type keychain struct {
	mu      sync.Mutex // guards what follows
	version uint64     // of the database when texts were read; keys are what they say
	texts   map[string]string
	current *rsa.PrivateKey
	former  *rsa.PrivateKey
	name    string
	ends    time.Time // when the former key does
	me      identity  // with the former key
}

// identity reads the keys anew when the database has changed.
func (f *Federation) identity(ctx context.Context) (identity, error) { return f.identify(ctx, false) }

// identify looks into the database if it must be sure: another process may have given the account a new key a moment ago,
// and sign with it already.
func (f *Federation) identify(ctx context.Context, sure bool) (identity, error) {
	k := &f.chain
	k.mu.Lock()
	defer k.mu.Unlock()
	if version := f.DB.Version(); sure || k.texts == nil || version != k.version {
		texts, err := f.DB.Settings(ctx, keySetting, nameSetting, formerSetting, aliasSetting, movedSetting, storage.ProfileSetting)
		if err == nil {
			err = k.read(texts, f.blog)
		}
		if err != nil {
			return identity{}, fmt.Errorf("the blog's private key in the database: %w", err)
		}
		k.version = version
	}
	me := k.me
	if !f.Now().Before(k.ends) {
		me.former, me.blog.Former = nil, wire.Former{}
	}
	return me, nil
}

func (k *keychain) read(texts map[string]string, blog wire.Blog) (err error) {
	if k.texts != nil && maps.Equal(k.texts, texts) {
		return nil
	}
	if k.texts[keySetting] != texts[keySetting] {
		if k.current, err = sign.ParsePrivateKey(texts[keySetting]); err != nil {
			return err
		}
	}
	if former := texts[formerSetting]; k.texts[formerSetting] != former {
		var end, pem string
		k.name, pem, _ = strings.Cut(former, "\n")
		end, pem, _ = strings.Cut(pem, "\n")
		ms, _ := strconv.ParseInt(end, 10, 64)
		k.ends = time.UnixMilli(ms)
		if k.former, err = sign.ParsePrivateKey(pem); err != nil {
			return err
		}
	}
	k.texts = texts
	k.me = k.identity(blog)
	return nil
}

func (k *keychain) identity(blog wire.Blog) identity {
	blog.MovedTo = thread.IRI(k.texts[movedSetting])
	blog.Aliases = aliases(k.texts)
	found := storage.ReadProfile(k.texts)
	blog.Name, blog.Icon = cmp.Or(blog.Name, found.Name), cmp.Or(blog.Icon, found.Icon)
	blog.Summary = cmp.Or(blog.Summary, sanitize.Plain(found.Summary))
	blog.KeyName, blog.KeyPEM = k.texts[nameSetting], sign.PublicPEM(k.current)
	me := identity{blog: blog, signer: signer{sign.Signer{KeyID: blog.KeyID(), Private: k.current}}}
	if k.former != nil {
		me.blog.Former = wire.Former{Name: k.name, Multibase: sign.PublicMultibase(k.former)}
		blog.KeyName = k.name
		me.former = &signer{sign.Signer{KeyID: blog.KeyID(), Private: k.former}}
	}
	return me
}

func aliases(texts map[string]string) (ids []thread.IRI) {
	for line := range strings.FieldsSeq(texts[aliasSetting]) {
		ids = append(ids, thread.IRI(line))
	}
	return ids
}

// RotateKey gives the blog a new key. Those who follow or ever commented are told, signed with the key they know, which
// stays good for a day. A running server notices by itself.
func (f *Federation) RotateKey(ctx context.Context) error {
	old, err := f.DB.Settings(ctx, keySetting, nameSetting)
	if err != nil {
		return err
	}
	key, err := newKey()
	if err != nil {
		return err
	}
	now := f.Now()
	former := fmt.Sprint(old[nameSetting], "\n", now.Add(formerGood).UnixMilli(), "\n", old[keySetting])
	return f.DB.ChangeActor(ctx, f.Actor(), map[string]string{
		keySetting: key, nameSetting: "key-" + strconv.FormatInt(now.Unix(), 10), formerSetting: former}, "actor")
}

// Aliases are the accounts that may move here.
func (f *Federation) Aliases(ctx context.Context) ([]thread.IRI, error) {
	texts, err := f.DB.Settings(ctx, aliasSetting)
	return aliases(texts), err
}

// SetAliases replaces them. An account that is to move here must be one of them before it does.
func (f *Federation) SetAliases(ctx context.Context, ids []thread.IRI) error {
	var lines strings.Builder
	for _, id := range ids {
		lines.WriteString(string(id) + "\n")
	}
	return f.DB.ChangeActor(ctx, f.Actor(), map[string]string{aliasSetting: lines.String()}, "actor")
}

// ErrNoAlias is returned for an account that does not say that this one may move there.
var ErrNoAlias = errors.New("that account does not name this one as an alias of its own")

// MoveTo sends the followers to another account, which must name this one as its alias: their servers follow it then.
// An empty id takes back what the profile says of it; followers that went stay there.
func (f *Federation) MoveTo(ctx context.Context, id thread.IRI) error {
	changes := []string{"actor"}
	if id != "" {
		o, err := f.get(new(fetch.Budget).In(ctx), id)
		if err != nil {
			return err
		}
		if o.Profile == nil || !slices.Contains(o.Profile.AlsoKnownAs, f.Actor()) {
			return ErrNoAlias
		}
		changes = append(changes, "move")
	}
	return f.DB.ChangeActor(ctx, f.Actor(), map[string]string{movedSetting: string(id)}, changes...)
}

// publishActor tells of a new key, or that the blog is back after it was away for long: a server that gave up on us goes
// on when it hears from us (PROTOCOL 71).
func (f *Federation) publishActor(ctx context.Context, c storage.Change) error {
	me, err := f.identity(ctx)
	if err != nil {
		return err
	}
	out := &storage.Outgoing{Object: f.Actor(), Kind: c.Kind}
	if c.Kind == "move" {
		out.ID, out.Body = activity(me.blog.MoveActor(me.blog.MovedTo, c.At))
	} else {
		out.ID, out.Body = activity(me.blog.UpdateActor(c.At))
	}
	return f.DB.Publish(ctx, c, out, storage.Recipients{Followers: true, Commenters: true})
}

// What an absence of the server costs (PROTOCOL 1h, 71).
const (
	aliveEvery   = time.Minute
	longAbsence  = 7 * 24 * time.Hour // after which Mastodon and Misskey send no more until they hear from us
	aliveSetting = "alive"
)

// alive writes down that the server lives. If it was away, what may have been missed is looked for; if it was away for
// long, everybody is told that it is back.
func (f *Federation) alive(ctx context.Context) error {
	now := f.Now()
	last, err := f.lastAlive(ctx)
	if err != nil {
		return err
	}
	values := map[string]string{aliveSetting: strconv.FormatInt(now.UnixMilli(), 10)}
	if !last.IsZero() && now.Sub(last) > absence {
		if err := f.DB.BringActiveForward(ctx); err != nil {
			return err
		}
	}
	if !last.IsZero() && now.Sub(last) > longAbsence {
		f.Log.Info("back after a long absence: followers are told", "away", now.Sub(last).Round(time.Minute))
		return f.DB.ChangeActor(ctx, f.Actor(), values, "actor")
	}
	return errors.Join(f.DB.Remember(ctx, values), f.tellProfile(ctx))
}

// tellProfile has the world told when the profile is not what it was told before: the configuration changed, or the
// blog has another title.
func (f *Federation) tellProfile(ctx context.Context) error {
	me, err := f.identity(ctx)
	if err != nil {
		return err
	}
	profile := me.blog
	profile.KeyName, profile.KeyPEM, profile.Former = "", "", wire.Former{} // who changes these tells of it
	profile.Aliases, profile.MovedTo = nil, ""
	sum := sha256.Sum256(profile.ActorDocument())
	now := map[string]string{toldSetting: base64.RawURLEncoding.EncodeToString(sum[:])}
	before, err := f.DB.Settings(ctx, toldSetting)
	switch {
	case err != nil || before[toldSetting] == now[toldSetting]:
		return err
	case before[toldSetting] == "": // nobody was told anything yet
		return f.DB.Remember(ctx, now)
	}
	return f.DB.ChangeActor(ctx, f.Actor(), now, "actor")
}

// lastAlive is when the server was last known to live; zero when it never was.
func (f *Federation) lastAlive(ctx context.Context) (time.Time, error) {
	texts, err := f.DB.Settings(ctx, aliveSetting)
	ms, _ := strconv.ParseInt(texts[aliveSetting], 10, 64)
	if err != nil || ms == 0 {
		return time.Time{}, err
	}
	return time.UnixMilli(ms), nil
}
