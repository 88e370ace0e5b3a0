package storage

import (
	"context"
	"errors"
	"time"

	"afterword/thread"
)

// How much is kept of what strangers can make grow (SECURITY R15). What goes first is what is least likely to be missed:
// the oldest, of hosts that do not answer.
const (
	maxPerHost    = 1000    // deliveries to one host
	maxQueue      = 200_000 // deliveries in all
	maxHosts      = 50_000  // hosts of which habits are remembered
	maxWaiting    = 10_000  // comments that wait for the blogger, and as many late ones
	maxLedger     = 500_000 // messages, and as many ids of what was deleted before it came
	maxTexts      = 1 << 29 // bytes of messages; the verdicts of older ones stay
	queuePatience = 8 * 24 * time.Hour
)

// bound keeps the queue out in bounds after something was added to it.
func (t tx) bound(to Recipients) error {
	if to.Inbox != "" {
		return t.boundHost(thread.IRI(to.Inbox).Host())
	}
	return t.boundQueue(maxQueue)
}

// boundHost keeps the newest deliveries to a host.
func (t tx) boundHost(host string) error {
	return t.exec(`DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE host = $1 ORDER BY id DESC LIMIT -1 OFFSET $2)`, host, maxPerHost)
}

// boundHosts is boundHost for all hosts: a fan-out adds to many.
func (t tx) boundHosts() error {
	full, err := list(t.queryer, func(s scanner) (host string, err error) { return host, s.Scan(&host) },
		"SELECT host FROM deliveries GROUP BY host HAVING COUNT(*) > $1", maxPerHost)
	for _, host := range full {
		err = errors.Join(err, t.boundHost(host))
	}
	return err
}

// boundQueue drops what is too much in all, and some more, so that it need not be done each time: of the hosts that fail
// first.
func (t tx) boundQueue(most int) error {
	var n int
	if err := t.row("SELECT COUNT(*) FROM deliveries", nil, &n); err != nil || n <= most {
		return err
	}
	return t.exec(`DELETE FROM deliveries WHERE id IN (SELECT d.id FROM deliveries d LEFT JOIN hosts h ON h.host = d.host
		ORDER BY COALESCE(h.failures, 0) = 0, d.id LIMIT $1)`, n-most+most/50)
}

// boundWaiting keeps the newest of the comments that nobody but the blogger sees.
func (t tx) boundWaiting(state thread.State) error {
	ids, err := list(t.queryer, scanIRI, "SELECT id FROM comments WHERE state = '"+string(state)+ // named, so that it has an index
		"' ORDER BY received DESC LIMIT -1 OFFSET $1", maxWaiting)
	for _, id := range ids {
		if err == nil {
			err = errors.Join(t.deleteComment(id), t.exec("DELETE FROM comments WHERE id = $1", id))
		}
	}
	return err
}

// pruneQueue is what Prune does about the queue out and the hosts.
func (t tx) pruneQueue(now time.Time) error {
	return errors.Join(
		t.exec("DELETE FROM deliveries WHERE created < $1", ms(now.Add(-queuePatience))),
		t.boundHosts(),
		t.boundQueue(maxQueue),
		t.exec(`DELETE FROM hosts WHERE failures = 0 AND next = 0 AND (SELECT COUNT(*) FROM hosts) > $1
			AND NOT EXISTS (SELECT 1 FROM actors a WHERE a.host = hosts.host)`, maxHosts),
	)
}

// excess is up to where what is kept of messages is too much.
type excess struct {
	message, text int64 // ids of messages
	tombstone     int64 // a time
}

// ledgerExcess looks for it, as all of the ledger has to be read, before anything is written.
func (db *DB) ledgerExcess(ctx context.Context, messages, bytes int) (e excess, err error) {
	q := db.read(ctx)
	return e, errors.Join(
		q.row("SELECT COALESCE((SELECT id FROM received WHERE decision <> '' ORDER BY id DESC LIMIT 1 OFFSET $1), 0)", []any{messages}, &e.message),
		q.row(`SELECT COALESCE(MAX(id), 0) FROM (SELECT id, SUM(LENGTH(raw)) OVER (ORDER BY id DESC) AS newer FROM received WHERE decision <> '') q
			WHERE newer > $1`, []any{bytes}, &e.text),
		q.row("SELECT COALESCE((SELECT at FROM tombstones ORDER BY at DESC LIMIT 1 OFFSET $1), 0)", []any{messages}, &e.tombstone),
	)
}

// boundLedger keeps the newest of the messages that have a verdict, and the texts of the newest of these, where a month is
// too long for them all.
func (t tx) boundLedger(e excess) error {
	return errors.Join(
		t.exec("DELETE FROM received WHERE id <= $1 AND decision <> ''", e.message),
		t.exec("UPDATE received SET raw = X'' WHERE id <= $1 AND decision <> '' AND LENGTH(raw) > 0", e.text),
		t.exec("DELETE FROM tombstones WHERE at <= $1 AND id NOT IN (SELECT id FROM comments)", e.tombstone),
	)
}

// strangers lists accounts of which nothing is here any more: no comment, reaction or follow, and no message since a time.
func (db *DB) strangers(ctx context.Context, since int64) ([]thread.IRI, error) {
	return list(db.read(ctx), scanIRI, `SELECT id FROM actors a WHERE fetched < $1 AND refuses = 0
		AND NOT EXISTS (SELECT 1 FROM comments c WHERE c.author = a.id) AND NOT EXISTS (SELECT 1 FROM reactions r WHERE r.actor = a.id)
		AND NOT EXISTS (SELECT 1 FROM followers f WHERE f.actor = a.id)
		AND NOT EXISTS (SELECT 1 FROM received m WHERE m.sender = a.id AND m.sender <> '') LIMIT 10000`, since)
}

// forgetStrangers drops those accounts with their keys. Should one speak again, it is asked for as at first.
func (t tx) forgetStrangers(strangers []thread.IRI) error {
	for _, id := range strangers {
		err := errors.Join(t.forgetPicture(id), t.exec("DELETE FROM keys WHERE owner = $1", id), t.exec("DELETE FROM actors WHERE id = $1", id))
		if err != nil {
			return err
		}
	}
	return nil
}
