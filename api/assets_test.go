package api

import (
	"crypto/sha256"
	"fmt"
	"os"
	"testing"
)

// TestWeight: READERS: what a page of the blog loads before it asks for the thread.
func TestWeight(t *testing.T) {
	if n := len(embedJS.now.zip.bytes); n > 4096 {
		t.Errorf("embed.js with its style is %d bytes compressed, 4096 are allowed", n)
	}
}

// TestGenerated: what is served was made from the sources beside it.
func TestGenerated(t *testing.T) {
	want := ""
	for _, name := range []string{"embed.js", "style.css", "page.css"} {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want += fmt.Sprintf("%x  %s\n", sha256.Sum256(source), name)
	}
	if got, err := os.ReadFile("min/SHA256SUMS"); err != nil || string(got) != want {
		t.Errorf("min is not made from the sources as they are (%v): go generate ./api", err)
	}
}
