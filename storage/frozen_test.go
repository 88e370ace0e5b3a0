package storage

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"testing"
)

// frozen are the schema files that databases out there were made with.
var frozen = map[string]string{
	"schema/001_first.sql": "265e7191eab68561206ee7b6c071e165b98f95bedd285e3a8b6cb693475777fb",
}

// TestSchemaIsFrozen: a file that was released never changes again, or databases of that time would not open. What is new
// goes into a further file.
func TestSchemaIsFrozen(t *testing.T) {
	files, err := fs.Glob(schema, "schema/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := schema.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if sum := fmt.Sprintf("%x", sha256.Sum256(text)); sum != frozen[file] {
			t.Errorf("%s has the sum %s: if it was released, undo the change and add a further file; if it is new, note its sum here", file, sum)
		}
	}
	if len(files) != len(frozen) {
		t.Errorf("%d files, %d are noted", len(files), len(frozen))
	}
}
