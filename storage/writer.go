package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// maxBatch is how many writes share one commit at the most: enough to make the fsync cheap, few enough that nobody
// waits for long.
const maxBatch = 128

// writer owns the only writing connection.
type writer struct {
	db    *sql.DB
	conn  *sql.Conn
	jobs  chan job
	done  chan struct{} // closed when run has returned
	cache statements

	verdicts tally
	erased   bool // a text was erased, but the write-ahead log still has it
}

type job struct {
	fn     func(tx) error
	result chan error
}

// tx is a transaction as the methods of DB see it.
type tx struct {
	queryer
	verdicts *tally
	erased   *bool // set by what erases a text for good
}

func openWriter(path string) (*writer, error) {
	db, err := sql.Open("sqlite", dsn(path, "_pragma=journal_mode(wal)&_pragma=secure_delete(1)"))
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(context.Background())
	if err == nil {
		err = migrate(conn)
	}
	if err == nil { // what a job may have to take back is a few pages; a migration may need a file for what it sorts
		_, err = conn.ExecContext(context.Background(), "PRAGMA temp_store(memory); PRAGMA busy_timeout(0)") // see begin
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	w := &writer{db: db, conn: conn, jobs: make(chan job, maxBatch), done: make(chan struct{})}
	w.cache.prepare = conn.PrepareContext
	w.forgetLog() // of a process that ended before it could
	return w, nil
}

func (w *writer) close() error { return errors.Join(w.conn.Close(), w.db.Close()) }

var errClosed = errors.New("the database is closed")

func (w *writer) do(fn func(tx) error) error {
	j := job{fn, make(chan error, 1)}
	select {
	case w.jobs <- j:
	case <-w.done:
		return errClosed
	}
	select {
	case err := <-j.result:
		return err
	case <-w.done: // the job may have been the last one
		select {
		case err := <-j.result:
			return err
		default:
			return errClosed
		}
	}
}

// run commits batches until ctx ends. committed is called after each commit and before anyone hears of it.
func (w *writer) run(ctx context.Context, committed func()) {
	defer close(w.done)
	retry := time.NewTicker(time.Second)
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case j := <-w.jobs:
			w.batch(j, committed)
		case <-retry.C:
			if w.erased {
				w.erased = !w.forgetLog()
			}
		}
	}
}

// forgetLog moves what the write-ahead log holds into the file and empties the log: what was erased is then in neither
// (SECURITY P17; in the file secure_delete overwrites it). It tells whether no reader was in the way.
func (w *writer) forgetLog() bool {
	ctx := context.Background()
	var busy, pages, moved int
	w.conn.ExecContext(ctx, "PRAGMA busy_timeout(20)") //nolint:errcheck // writes wait for this: then rather later than long
	err := w.conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved)
	w.conn.ExecContext(ctx, "PRAGMA busy_timeout(0)") //nolint:errcheck // see begin
	return err == nil && busy == 0
}

// batch runs first and all that wait behind it in one transaction. A job that fails is rolled back alone.
func (w *writer) batch(first job, committed func()) {
	ctx := context.Background()
	jobs, results := []job{first}, []error{}
	err := w.begin(ctx)
	for i := 0; err == nil && i < len(jobs); i++ {
		var result error
		if result, err = w.alone(ctx, jobs[i].fn); err == nil {
			results = append(results, result)
		}
		if len(jobs) < maxBatch {
			jobs = append(jobs, w.waiting()...)
		}
	}
	if err == nil {
		_, err = w.conn.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		w.conn.ExecContext(ctx, "ROLLBACK") //nolint:errcheck // there may be nothing to roll back
	} else {
		committed()
	}
	if w.erased {
		w.erased = !w.forgetLog()
	}
	for i, j := range jobs {
		if err != nil {
			j.result <- fmt.Errorf("database: %w", err)
		} else {
			j.result <- results[i]
		}
	}
}

// How long a process waits for others to end their transactions, and how long it sleeps between two tries.
const (
	lockPatience = 10 * time.Second
	lockPause    = time.Millisecond
)

// begin waits for the transactions of other processes. SQLite would sleep longer and longer meanwhile, and hardly ever wake
// between two commits of a server that is busy: just when a thread is to be closed.
func (w *writer) begin(ctx context.Context) error {
	for began := time.Now(); ; time.Sleep(lockPause) {
		_, err := w.conn.ExecContext(ctx, "BEGIN IMMEDIATE")
		var e *sqlite.Error
		switch {
		case !errors.As(err, &e) || e.Code()&0xff != sqlite3.SQLITE_BUSY:
			return err
		case time.Since(began) > lockPatience:
			return fmt.Errorf("another process has been writing for %s: end it, or try again (%w)", lockPatience, err)
		}
	}
}

func (w *writer) waiting() []job {
	select {
	case j := <-w.jobs:
		return []job{j}
	default:
		return nil
	}
}

// alone runs one job in a savepoint. err is a failure of the whole batch.
func (w *writer) alone(ctx context.Context, fn func(tx) error) (result, err error) {
	q := queryer{ctx, &w.cache}
	if err := q.exec("SAVEPOINT job"); err != nil {
		return nil, err
	}
	if result = guarded(fn, tx{q, &w.verdicts, &w.erased}); result != nil {
		if err := q.exec("ROLLBACK TO job"); err != nil {
			return nil, err
		}
	}
	return result, q.exec("RELEASE job")
}

// guarded turns a panic into an error: one bad job must not end the writer.
func guarded(fn func(tx) error, t tx) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("storage: panic: %v", r)
		}
	}()
	return fn(t)
}

// statements keeps prepared statements by their text.
type statements struct {
	prepare func(context.Context, string) (*sql.Stmt, error)
	byText  sync.Map // string -> *sql.Stmt
}

func (s *statements) get(ctx context.Context, text string) (*sql.Stmt, error) {
	if stmt, ok := s.byText.Load(text); ok {
		return stmt.(*sql.Stmt), nil
	}
	stmt, err := s.prepare(context.WithoutCancel(ctx), text)
	if err != nil {
		return nil, err
	}
	if other, raced := s.byText.LoadOrStore(text, stmt); raced {
		stmt.Close()
		return other.(*sql.Stmt), nil
	}
	return stmt, nil
}

// queryer runs statements, on a reader or inside a transaction.
type queryer struct {
	ctx   context.Context
	stmts *statements
}

func (q queryer) exec(text string, args ...any) error {
	_, err := q.affected(text, args...)
	return err
}

// affected is exec that tells how many rows were written.
func (q queryer) affected(text string, args ...any) (int64, error) {
	stmt, err := q.stmts.get(q.ctx, text)
	if err != nil {
		return 0, err
	}
	res, err := stmt.ExecContext(q.ctx, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// row scans the only row of a query; ErrNotFound when there is none.
func (q queryer) row(text string, args []any, dest ...any) error {
	stmt, err := q.stmts.get(q.ctx, text)
	if err != nil {
		return err
	}
	err = stmt.QueryRowContext(q.ctx, args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// has tells whether a query gives a row.
func (q queryer) has(text string, args ...any) (bool, error) {
	var one int
	err := q.row(text, args, &one)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// scanner is a row that can be read: *sql.Row and *sql.Rows.
type scanner interface{ Scan(...any) error }

// list collects the rows of a query.
func list[T any](q queryer, scan func(scanner) (T, error), text string, args ...any) ([]T, error) {
	return listInto(nil, q, scan, text, args...)
}

// listInto is list behind what is in out.
func listInto[T any](out []T, q queryer, scan func(scanner) (T, error), text string, args ...any) ([]T, error) {
	stmt, err := q.stmts.get(q.ctx, text)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.QueryContext(q.ctx, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// one reads the only row of a query with scan; ErrNotFound when there is none.
func one[T any](q queryer, scan func(scanner) (T, error), text string, args ...any) (T, error) {
	var none T
	stmt, err := q.stmts.get(q.ctx, text)
	if err != nil {
		return none, err
	}
	v, err := scan(stmt.QueryRowContext(q.ctx, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return none, ErrNotFound
	}
	return v, err
}
