package storage

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"afterword/thread"
)

// stuff puts n deliveries into the queue, spread over hosts; those of every tenth host wait since it fails.
func stuff(t testing.TB, db *DB, n, hosts int) {
	t.Helper()
	now := ms(db.now())
	err := db.write(context.Background(), func(t tx) error {
		const numbers = "WITH RECURSIVE numbers (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM numbers WHERE i < $1 - 1) "
		err := t.exec("INSERT INTO activities (id, object, kind, body, at) "+numbers+"SELECT 'https://a.test/' || i, 'https://o.test/' || i, 'create', X'7B7D', $2 FROM numbers", n/hosts, now)
		if err == nil {
			err = t.exec(`INSERT INTO deliveries (activity, object, inbox, host, due, created) `+numbers+`SELECT 'https://a.test/' || (i / $2), 'https://o.test/' || (i / $2),
				'https://h' || (i % $2) || '.test/in', 'h' || (i % $2) || '.test', $3, $3 FROM numbers`, n, hosts, now)
		}
		if err == nil {
			err = t.exec(`INSERT INTO hosts (host, failures, next) `+numbers+`SELECT 'h' || i || '.test', i % 10 = 0, $2 FROM numbers`, hosts, now)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestQueueNeedsNoScan: with a full queue, looking for work and writing down what came of it touch a few rows.
func TestQueueNeedsNoScan(t *testing.T) {
	db, c := open(t)
	stuff(t, db, 20_000, 1000)
	for _, query := range []string{
		"SELECT host FROM hosts WHERE next > 0 AND next <= 1 ORDER BY next, host LIMIT 10",
		"SELECT host FROM hosts WHERE next > 0 AND next <= 1 AND failures = 0 ORDER BY next, host LIMIT 10",
		"SELECT d.id FROM deliveries d JOIN hosts h ON h.host = d.host WHERE d.host = 'x' AND d.due <= 1 AND " + first + " ORDER BY d.due, d.id LIMIT 2",
		regexp.MustCompile(`\$\d+`).ReplaceAllString(nextOfHosts, "'x'"),
		"UPDATE hosts SET next = " + nextDue + " WHERE host = 'x'",
		"UPDATE deliveries SET due = 1 WHERE host = 'x' AND due > 1",
	} {
		plan, err := list(db.read(t.Context()), func(s scanner) (line string, err error) {
			var id, parent, unused int
			return line, s.Scan(&id, &parent, &unused, &line)
		}, "EXPLAIN QUERY PLAN "+query)
		must(t, err)
		if text := strings.Join(plan, "\n"); strings.Contains(text, "SCAN") && !strings.Contains(text, "SCAN hosts USING COVERING INDEX hosts_next") || strings.Contains(text, "TEMP") {
			t.Errorf("%s\n%s", query, text)
		}
	}
	hosts, err := db.ReadyHosts(t.Context(), AnyHost, 5000)
	must(t, err)
	if len(hosts) != 1000 {
		t.Fatal(len(hosts), "hosts are ready")
	}
	due, err := db.DueDeliveries(t.Context(), hosts[1], 100)
	must(t, err)
	if len(due) != 20 {
		t.Fatal(len(due), "are due")
	}
	rest := c.t.Add(time.Hour)
	must(t, db.Retry(t.Context(), due[0], rest, rest, "connection refused"))
	if hosts, _ = db.ReadyHosts(t.Context(), AnyHost, 5000); len(hosts) != 999 {
		t.Errorf("a host that failed is ready: %d", len(hosts))
	}
}

// TestQueueIsBounded: what is too much is dropped, of hosts that fail before others, the oldest first (SECURITY R15, N19).
func TestQueueIsBounded(t *testing.T) {
	db, _ := open(t)
	stuff(t, db, 2000, 100)
	must(t, db.write(t.Context(), func(t tx) error { return t.boundQueue(1900) }))
	for where, want := range map[string]int{"1 = 1": 1900 - 38, "h.failures = 0": 1800, "h.failures > 0 AND d.id < 1380": 0} {
		var n int
		must(t, db.read(t.Context()).row("SELECT COUNT(*) FROM deliveries d JOIN hosts h ON h.host = d.host WHERE "+where, nil, &n))
		if n != want {
			t.Errorf("%d wait where %s, want %d", n, where, want)
		}
	}
	must(t, db.write(t.Context(), func(t tx) error {
		for i := range maxPerHost + 10 {
			id := thread.IRI(fmt.Sprint("https://b.test/", i))
			if err := t.address(Outgoing{ID: id, Object: id, Kind: "accept"}, Recipients{Inbox: "https://one.test/in"}, db.now()); err != nil {
				return err
			}
		}
		return nil
	}))
	q, err := db.Queue(t.Context())
	must(t, err)
	if q[0].Host != "one.test" || q[0].Waiting != maxPerHost {
		t.Errorf("%+v", q[0])
	}
	must(t, db.Prune(t.Context()))
}

// TestLedgerIsBounded: of what has a verdict the oldest goes when it is too much, its text first; what has none stays.
func TestLedgerIsBounded(t *testing.T) {
	db, c := open(t)
	for i := range 20 {
		c.advance(time.Second)
		object := thread.IRI(fmt.Sprint("https://a.test/", i))
		m := Message{Way: Push, Sender: "https://a.test/a", Type: "Create", Activity: object, Object: object, Raw: make([]byte, 100)}
		_, err := db.Receive(t.Context(), m, nil)
		must(t, err)
		if m.ID = int64(i + 1); i >= 4 {
			must(t, db.Settle(t.Context(), m, thread.Verdict{Decision: thread.Ignored}))
		}
		must(t, db.write(t.Context(), func(t tx) error { return t.bury(object, "https://a.test/a", db.now()) }))
	}
	e, err := db.ledgerExcess(t.Context(), 10, 650)
	must(t, err)
	must(t, db.write(t.Context(), func(t tx) error { return t.boundLedger(e) }))
	all, err := db.Ledger(t.Context(), "", 100)
	must(t, err)
	texts, undecided := 0, 0
	for _, m := range all {
		if texts += len(m.Raw); m.Decision == "" {
			undecided++
		}
	}
	if len(all) != 14 || undecided != 4 || texts != 4*100+600 || len(all[0].Raw) == 0 {
		t.Errorf("%d messages, %d of them undecided, %d bytes", len(all), undecided, texts)
	}
	for i, want := range map[int]bool{9: false, 10: true, 19: true} {
		if got, err := db.Tombstoned(t.Context(), thread.IRI(fmt.Sprint("https://a.test/", i)), "https://a.test/a"); err != nil || got != want {
			t.Errorf("%d is remembered as deleted: %v, %v", i, got, err)
		}
	}
}

// BenchmarkFullQueue is what a delivery, and what telling one inbox something, costs the database with 200,000 waiting.
func BenchmarkFullQueue(b *testing.B) {
	db, err := Open(b.TempDir()+"/test.db", Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	stuff(b, db, maxQueue-1000, 10_000)
	ctx := b.Context()
	b.Run("ready", func(b *testing.B) {
		for b.Loop() {
			if _, err := db.ReadyHosts(ctx, AnyHost, 256); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("due", func(b *testing.B) {
		for b.Loop() {
			if due, err := db.DueDeliveries(ctx, "h77.test", 1); err != nil || len(due) != 1 {
				b.Fatal(err)
			}
		}
	})
	n := 0
	b.Run("publish", func(b *testing.B) {
		for b.Loop() {
			n++
			out := &Outgoing{ID: thread.IRI(fmt.Sprint("https://b.test/", n)), Object: "https://b.test/o", Kind: "accept", Body: []byte("{}")}
			if err := db.Publish(ctx, Change{}, out, Recipients{Inbox: fmt.Sprint("https://new", n%1000, ".test/in")}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("count", func(b *testing.B) {
		for b.Loop() {
			if err := db.write(ctx, func(t tx) error { return t.boundQueue(maxQueue) }); err != nil {
				b.Fatal(err)
			}
		}
	})
}
