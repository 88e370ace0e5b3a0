// Package storage is the database: one SQLite file, and the only SQL of the program. One exported method is one
// transaction; rows become values of package thread here and nowhere else.
//
// What is stored: posts with their threads (posts, comments, reactions), other people's accounts (actors, keys,
// followers, blocks), and three queues: received (messages in, which is also the ledger of verdicts), changes (what
// the world should know) and deliveries (messages out, one row for each inbox). Whoever changes something that the
// world should know writes a changes row in the same transaction.
//
// On a crash nothing that was committed is lost: the file is in WAL mode with synchronous=FULL, and a method returns
// only after its commit. Queue rows are removed, or get their verdict, in the transaction that carries out what they
// ask for, so a step that was cut short is done again from its beginning.
//
// All writes of a process go through one goroutine, which puts those that wait into one commit: durability costs one
// fsync for many requests, not for each. Reads have their own connections and never wait for writers. Several
// processes may use the file at once (the server and its commands).
package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// ErrNotFound is returned for a post, comment or message that is not there.
var ErrNotFound = errors.New("not found")

// Options are what Open needs to know beside the file.
type Options struct {
	Base string           // base_url of the configuration without trailing slash: ids of posts begin with it
	Now  func() time.Time // nil: time.Now
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	path    string
	base    string
	now     func() time.Time
	readers *sql.DB
	writer  *writer
	reads   statements

	mu      sync.Mutex
	version uint64        // grows with every commit, ours or another process's
	changed chan struct{} // closed and replaced when version grows

	opened visits

	stop    context.CancelFunc
	stopped sync.WaitGroup
}

// Open opens the database file, creating it (readable by its owner only) and bringing its schema up to date as
// needed. A file written by a newer version of the program is refused and left as it is.
func Open(path string, o Options) (*DB, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if err := create(path); err != nil {
		return nil, err
	}
	w, err := openWriter(path)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	readers, err := sql.Open("sqlite", dsn(path, "_pragma=query_only(1)"))
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	readers.SetMaxOpenConns(4)
	readers.SetMaxIdleConns(4)
	ctx, stop := context.WithCancel(context.Background())
	db := &DB{path: path, base: o.Base, now: o.Now, readers: readers, writer: w, changed: make(chan struct{}), stop: stop}
	db.reads.prepare = readers.PrepareContext
	db.stopped.Go(func() { w.run(ctx, db.bump) })
	db.stopped.Go(func() { db.watch(ctx) })
	return db, nil
}

func create(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("cannot open the database: %w (is its folder %s there and writable?)", err, filepath.Dir(path))
	}
	return f.Close()
}

func dsn(path, more string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_pragma=busy_timeout(10000)&_pragma=foreign_keys(1)&_pragma=synchronous(full)&" + more
}

// Close waits for the writes under way and closes the file.
func (db *DB) Close() error {
	db.stop()
	db.stopped.Wait()
	return errors.Join(db.readers.Close(), db.writer.close())
}

// Version is a number that grows with every commit. Caches compare it to know that nothing has changed.
func (db *DB) Version() uint64 {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.version
}

// Changed is closed at the next commit, by this process or another.
func (db *DB) Changed() <-chan struct{} {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.changed
}

func (db *DB) bump() {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.version++
	close(db.changed)
	db.changed = make(chan struct{})
}

// watch notices the commits of other processes, the commands for example, once a second.
func (db *DB) watch(ctx context.Context) {
	conn, err := db.readers.Conn(ctx)
	if err != nil {
		return
	}
	defer conn.Close()
	var last int64
	for tick := time.NewTicker(time.Second); ; {
		var v int64
		if conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&v) == nil && v != last {
			last = v
			db.bump()
		}
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
	}
}

// read runs a query on the readers' side.
func (db *DB) read(ctx context.Context) queryer { return queryer{ctx, &db.reads} }

// write runs fn in a transaction of its own; when fn fails, nothing of it stays. It returns after the commit.
func (db *DB) write(ctx context.Context, fn func(tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return db.writer.do(fn)
}

func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Backup writes a consistent copy of the database to a new file, readable by its owner only, while others work.
func (db *DB) Backup(ctx context.Context, path string) error {
	if err := create(path); err != nil {
		return err
	}
	source, err := sql.Open("sqlite", dsn(db.path, "")) // the readers' connections may not write, not even elsewhere
	if err != nil {
		return err
	}
	defer source.Close()
	if _, err := source.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
		return errors.Join(fmt.Errorf("backup: %w", err), os.Remove(path))
	}
	return nil
}

// Check tells whether the file is sound.
func (db *DB) Check(ctx context.Context) error {
	found, err := list(db.read(ctx), scanString, "PRAGMA quick_check(1)")
	if err == nil && (len(found) != 1 || found[0] != "ok") {
		err = fmt.Errorf("the database is damaged: %.200s", strings.Join(found, "; "))
	}
	return err
}
