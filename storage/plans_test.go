package storage

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// big are the tables that grow with what strangers send. No statement may read one of them whole, but for those that are
// run seldom or by hand.
var big = regexp.MustCompile(`SCAN (received|comments|attachments|actors|keys|deliveries|activities|hosts|checks|reactions|tombstones|posts)\b`)

// seldom says which those are: by a part of their text.
var seldom = []string{
	"SELECT COUNT(*) FROM deliveries", "GROUP BY host HAVING COUNT(*)", "WHERE created < $1", "FROM activities WHERE at < $1", "WHERE at < $1 AND id NOT IN", // hourly
	"SELECT COUNT(*) FROM hosts", "FROM received WHERE decision <> '' ORDER BY id DESC", "OVER (ORDER BY id DESC)", "tombstones ORDER BY at DESC", "tombstones WHERE at <= $1", "FROM actors a WHERE fetched < $1",
	"SELECT COUNT(*) FROM posts", "told IN ('open', 'moderated')", "FROM posts ORDER BY", // of the blogger's own making
	"SELECT DISTINCT author FROM comments",                                    // when the blogger blocks
	"key = 'pull ' || $1",                                                     // the ledger as a command lists it
	"OR handle = $2",                                                          // an account as a command names it
	"state = 'late' ORDER BY received", "state = 'pending' ORDER BY received", // indexes of what waits for the blogger
}

// plans looks at how the statements of a test are carried out, once for each text.
func plans(t testing.TB, db *DB) {
	t.Helper()
	for _, s := range []*statements{&db.reads, &db.writer.cache} {
		s.byText.Range(func(text, _ any) bool {
			if _, seen := planned.LoadOrStore(text, true); !seen {
				plan(t, db, text.(string))
			}
			return true
		})
	}
}

var planned sync.Map

func plan(t testing.TB, db *DB, text string) {
	t.Helper()
	for _, word := range seldom {
		if strings.Contains(text, word) {
			return
		}
	}
	if verb, _, _ := strings.Cut(text, " "); !slices.Contains([]string{"SELECT", "INSERT", "UPDATE", "DELETE"}, verb) {
		return
	}
	arguments := 0
	for _, number := range regexp.MustCompile(`\$(\d+)`).FindAllStringSubmatch(text, -1) {
		n, err := strconv.Atoi(number[1])
		must(t, err)
		arguments = max(arguments, n)
	}
	rows, err := db.readers.QueryContext(context.Background(), "EXPLAIN QUERY PLAN "+text, make([]any, arguments)...)
	if err != nil {
		t.Errorf("%s: %v", text, err)
		return
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var step string
		must(t, rows.Scan(&id, &parent, &unused, &step))
		if big.MatchString(step) {
			t.Errorf("%s\nin %s", step, text)
		}
	}
}
