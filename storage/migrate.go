package storage

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
)

// The files are frozen: a schema that was released changes only by a further file.
//
//go:embed schema/*.sql
var schema embed.FS

// migrate brings the schema up to date, each file in one transaction. user_version counts the files that were run.
func migrate(conn *sql.Conn) error {
	files, err := fs.Glob(schema, "schema/*.sql")
	if err != nil {
		return err
	}
	for {
		done, err := nextMigration(conn, files)
		if err != nil || done {
			return err
		}
	}
}

func nextMigration(conn *sql.Conn, files []string) (done bool, err error) {
	ctx := context.Background()
	var version int
	if err := conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil || version == len(files) {
		return true, err
	}
	if version > len(files) {
		return false, fmt.Errorf("it was written by a newer version of afterword (schema %d, this one knows %d): use that version", version, len(files))
	}
	text, err := schema.ReadFile(files[version])
	if err != nil {
		return false, err
	}
	// The guard makes two processes that start at once run each file once.
	_, err = conn.ExecContext(ctx, "BEGIN IMMEDIATE")
	if err != nil {
		return false, err
	}
	var now int
	if err := conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&now); err == nil && now != version {
		_, err = conn.ExecContext(ctx, "ROLLBACK")
		return false, err
	}
	if _, err = conn.ExecContext(ctx, fmt.Sprintf("%s; PRAGMA user_version = %d; COMMIT", text, version+1)); err != nil {
		conn.ExecContext(ctx, "ROLLBACK") //nolint:errcheck // the first error tells more
		return false, fmt.Errorf("%s: %w", files[version], err)
	}
	return false, nil
}
