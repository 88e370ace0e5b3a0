// Package storagetest looks at a database for tests: what a message changed, table by table and whatever columns there
// are, what the ledger says of it, and what readers read.
package storagetest

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"html"
	"maps"
	"slices"
	"strings"
	"testing"

	"afterword/storage"
	"afterword/thread"
)

// Rows is what each table of the database in a file holds: the number of its rows and a hash of them all. The database
// may be in use.
func Rows(t testing.TB, path string) map[string]string {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tables := map[string]string{}
	for _, table := range column(t, db, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'") {
		quoted := column(t, db, "SELECT 'quote(' || name || ')' FROM pragma_table_info('"+table+"')")
		rows := column(t, db, "SELECT "+strings.Join(quoted, " || '|' || ")+" FROM "+table)
		slices.Sort(rows)
		tables[table] = fmt.Sprintf("%d rows, %x", len(rows), sha256.Sum256([]byte(strings.Join(rows, "\n"))))
	}
	return tables
}

// Changed is the names of the tables that differ, in order, with spaces between.
func Changed(before, after map[string]string) string {
	var names []string
	for _, table := range slices.Sorted(maps.Keys(after)) {
		if before[table] != after[table] {
			names = append(names, table)
		}
	}
	return strings.Join(names, " ")
}

// Ledger is the newest hundred messages with their verdicts, a line each, for what tests say when they fail.
func Ledger(t testing.TB, db *storage.DB) string {
	t.Helper()
	var b strings.Builder
	for _, m := range ledger(t, db, "", 100) {
		fmt.Fprintf(&b, "%s %s of %s by %s: %s (%s)\n", m.Way, m.Type, m.Object, m.Sender, m.Decision, m.Reason)
	}
	return b.String()
}

// Verdict is the newest verdict on messages about an object.
func Verdict(t testing.TB, db *storage.DB, about string) thread.Decision {
	t.Helper()
	if found := ledger(t, db, about, 1); len(found) > 0 {
		return found[0].Decision
	}
	return "no message"
}

func ledger(t testing.TB, db *storage.DB, about string, limit int) []storage.Message {
	t.Helper()
	found, err := db.Ledger(t.Context(), about, limit)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func column(t testing.TB, db *sql.DB, query string) (out []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// Words are what a comment says, without its markup.
func Words(markup string) string {
	var out strings.Builder
	depth := 0
	for _, r := range markup {
		switch {
		case r == '<':
			depth++
		case r == '>':
			depth--
		case depth == 0:
			out.WriteRune(r)
		}
	}
	return html.UnescapeString(strings.Join(strings.Fields(out.String()), " "))
}
