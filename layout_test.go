package afterword

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// layout is who may import whom among the project's packages, and which libraries belong to one package alone. It is
// the architecture as a table: docs/decisions/001-layout.md says why.
var layout = map[string][]string{
	"thread":              {},
	"sanitize":            {},
	"metrics":             {},
	"fetch":               {"metrics"},
	"config":              {},
	"storage":             {"thread"},
	"storage/storagetest": {"storage", "thread"},
	"federation/wire":     {"thread"},
	"federation/sign":     {"thread"},
	"federation":          {"thread", "sanitize", "fetch", "metrics", "storage", "federation/wire", "federation/sign"},
	"federation/fedtest":  {"thread", "sanitize", "federation/wire", "federation/sign"},
	"api":                 {"thread", "sanitize", "fetch", "desk", "metrics", "storage"},
	"feed":                {"thread", "sanitize", "fetch", "storage"},
	"desk":                {"thread", "sanitize", "config", "storage"},
	"cmd/afterword":       {"api", "config", "desk", "feed", "federation", "federation/fedtest", "fetch", "metrics", "sanitize", "storage", "thread"},
	"cmd/bench":           {"federation/sign", "metrics", "storage", "thread"},
}

// owners are the only packages that may import a library or a part of the standard library.
var owners = map[string][]string{
	"github.com/go-fed/activity": {"federation/wire"},
	"github.com/go-fed/httpsig":  {"federation/sign"},
	"modernc.org/sqlite":         {"storage"},
	"golang.org/x/image":         {"api"},
	"database/sql":               {"storage", "storage/storagetest"},
}

// file is one Go file of the project that is no test.
type file struct {
	dir, name string
	syntax    *ast.File
}

func files(t *testing.T) (out []file) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != "." {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err == nil {
			out = append(out, file{filepath.ToSlash(filepath.Dir(path)), filepath.Base(path), syntax})
		}
		return err
	})
	if err != nil || len(out) == 0 {
		t.Fatal(len(out), err)
	}
	return out
}

func TestImportsFollowTheLayout(t *testing.T) {
	for _, f := range files(t) {
		allowed, known := layout[f.dir]
		if !known && f.dir != "." {
			t.Errorf("%s is no part of the layout", f.dir)
		}
		for _, spec := range f.syntax.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			if ours, ok := strings.CutPrefix(path, "afterword/"); ok && !slices.Contains(allowed, ours) {
				t.Errorf("%s/%s must not import %s", f.dir, f.name, ours)
			}
			for library, dirs := range owners {
				if (path == library || strings.HasPrefix(path, library+"/")) && !slices.Contains(dirs, f.dir) {
					t.Errorf("%s/%s must not import %s, which belongs to %v", f.dir, f.name, path, dirs)
				}
			}
		}
	}
}

func TestDomainDoesNoInputOrOutput(t *testing.T) {
	for _, f := range files(t) {
		if f.dir != "thread" {
			continue
		}
		for _, spec := range f.syntax.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			if strings.Contains(path, ".") || slices.Contains([]string{"net/http", "net", "os", "io", "context", "database/sql"}, path) {
				t.Errorf("thread imports %s", path)
			}
		}
	}
}

// TestOnlyFetchGoesOut: every request to another server passes the guarded client. fedtest plays the other servers.
func TestOnlyFetchGoesOut(t *testing.T) {
	for _, f := range files(t) {
		if f.dir == "fetch" || f.dir == "federation/fedtest" || f.dir == "cmd/bench" { // the last two play other servers
			continue
		}
		for _, name := range selectors(f.syntax, "http") {
			if slices.Contains([]string{"Client", "Transport", "DefaultClient", "DefaultTransport", "Get", "Head", "Post", "PostForm"}, name) {
				t.Errorf("%s/%s uses http.%s: all requests go out through package fetch", f.dir, f.name, name)
			}
		}
	}
}

// TestOneDoor: what stores a message is called in one place, and that place takes the proof that only sign.Verify makes.
func TestOneDoor(t *testing.T) {
	var callers []string
	for _, f := range files(t) {
		for _, decl := range f.syntax.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || f.dir == "storage" {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Receive" {
					callers = append(callers, f.dir+"."+fn.Name.Name)
					if !slices.Contains(parameterTypes(fn), "sign.Sender") {
						t.Errorf("%s stores a message without a sign.Sender", fn.Name.Name)
					}
				}
				return true
			})
		}
	}
	if !slices.Equal(callers, []string{"federation.admit"}) {
		t.Errorf("messages are stored by %v", callers)
	}
}

func parameterTypes(fn *ast.FuncDecl) (types []string) {
	for _, p := range fn.Type.Params.List {
		if sel, ok := p.Type.(*ast.SelectorExpr); ok {
			types = append(types, sel.X.(*ast.Ident).Name+"."+sel.Sel.Name)
		}
	}
	return types
}

func selectors(syntax *ast.File, pkg string) (names []string) {
	ast.Inspect(syntax, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := sel.X.(*ast.Ident); ok && id.Name == pkg {
				names = append(names, sel.Sel.Name)
			}
		}
		return true
	})
	return names
}

// TestJourneysNameRealFunctions: docs/journeys.md is read by newcomers; every `package.function` in it exists.
func TestJourneysNameRealFunctions(t *testing.T) {
	text, err := os.ReadFile("docs/journeys.md")
	if err != nil {
		t.Fatal(err)
	}
	defined := map[string]bool{}
	for _, f := range files(t) {
		for _, decl := range f.syntax.Decls {
			for _, name := range declared(decl) {
				defined[filepath.Base(f.dir)+"."+name] = true
			}
		}
	}
	names := regexp.MustCompile("`(thread|sanitize|fetch|config|storage|wire|sign|federation|fedtest|feed|desk|api|afterword)\\.([A-Za-z0-9]+)`").FindAllStringSubmatch(string(text), -1)
	if len(names) < 25 {
		t.Errorf("only %d functions are named", len(names))
	}
	for _, name := range names {
		if !defined[name[1]+"."+name[2]] {
			t.Errorf("docs/journeys.md names %s.%s, which is not there", name[1], name[2])
		}
	}
}

// declared are the names of functions and types that a declaration brings.
func declared(decl ast.Decl) (names []string) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		names = append(names, d.Name.Name)
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			if typ, ok := spec.(*ast.TypeSpec); ok {
				names = append(names, typ.Name.Name)
			}
		}
	}
	return names
}

// TestNoTemplates: docs/decisions/005-size.md.
func TestNoTemplates(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "./cmd/afterword").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, pkg := range strings.Fields(string(out)) {
		if strings.HasSuffix(pkg, "/template") {
			t.Errorf("the program links %s", pkg)
		}
	}
}
