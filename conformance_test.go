package afterword

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestR101_FederationDocument: FEDERATION.md lists exactly the requirements that tests are named after, and exactly the
// specifications that the code cites.
func TestR101_FederationDocument(t *testing.T) {
	text, err := os.ReadFile("FEDERATION.md")
	if err != nil {
		t.Fatal(err)
	}
	tests, code := sources(t)
	_, requirements, _ := strings.Cut(string(text), "\n## Requirements\n")

	listed, tested := map[string]bool{}, map[string]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| (\d+) \|`).FindAllStringSubmatch(requirements, -1) {
		listed[row[1]] = true
	}
	for _, name := range regexp.MustCompile(`func Test((?:_?R\d{3})+)`).FindAllStringSubmatch(tests, -1) {
		for _, number := range regexp.MustCompile(`\d{3}`).FindAllString(name[1], -1) {
			n, _ := strconv.Atoi(number)
			tested[strconv.Itoa(n)] = true
		}
	}
	compare(t, "requirement", listed, "FEDERATION.md", tested, "the tests' names")

	fep := regexp.MustCompile(`FEP-[0-9a-f]{4}`)
	code = regexp.MustCompile(`w3id\.org/fep/([0-9a-f]{4})`).ReplaceAllString(code, "FEP-$1")
	compare(t, "specification", set(fep.FindAllString(string(text), -1)), "FEDERATION.md", set(fep.FindAllString(code, -1)), "the code")

	_, rfcs, _ := strings.Cut(string(text), "Of the RFCs the code cites ")
	rfcs, _, _ = strings.Cut(rfcs, "\n\n")
	cited := regexp.MustCompile(`RFC (\d{4})`).ReplaceAllString(strings.Join(regexp.MustCompile(`RFC \d{4}`).FindAllString(code, -1), " "), "$1")
	compare(t, "RFC", set(regexp.MustCompile(`\d{4}`).FindAllString(rfcs, -1)), "FEDERATION.md", set(strings.Fields(cited)), "the code")
}

// sources are the texts of all tests, and of all other Go files.
func sources(t *testing.T) (tests, code string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.HasSuffix(path, "_test.go") {
			tests += string(text)
		} else {
			code += string(text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return tests, code
}

func set(names []string) map[string]bool {
	all := map[string]bool{}
	for _, name := range names {
		all[name] = true
	}
	return all
}

func compare(t *testing.T, what string, a map[string]bool, inA string, b map[string]bool, inB string) {
	t.Helper()
	if len(a) < 5 {
		t.Fatalf("%d %ss in %s", len(a), what, inA)
	}
	for name := range a {
		if !b[name] {
			t.Errorf("%s %s is in %s and not in %s", what, name, inA, inB)
		}
	}
	for name := range b {
		if !a[name] {
			t.Errorf("%s %s is in %s and not in %s", what, name, inB, inA)
		}
	}
}
