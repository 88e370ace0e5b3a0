package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

const (
	defaultFile    = "afterword.toml"
	variablePrefix = "AFTERWORD_"
	writeOne       = `write one with "afterword init -blog URL -base-url URL", or name another with -config`
)

// Load reads the configuration from a file and from environment variables ("KEY=value", as os.Environ gives them),
// which win. Without path it is ./afterword.toml if that exists, else the environment alone. Every error is one line
// that names the file, line and key, or the variable, and what to do.
func Load(path string, env []string) (*Config, error) {
	if path == "" {
		if _, err := os.Stat(defaultFile); errors.Is(err, fs.ErrNotExist) {
			return load("", "", env)
		}
		path = defaultFile
	}
	text, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return load(path, text, env)
}

func readFile(path string) (string, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return "", errors.New("is a directory: name the file in it with -config")
	}
	text, err := os.ReadFile(path)
	var cause *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", errors.New("no such file: " + writeOne)
	case errors.Is(err, fs.ErrPermission):
		return "", errors.New("permission denied: let the user that runs afterword read it")
	case errors.As(err, &cause):
		return "", fmt.Errorf("%w: %s", cause.Err, writeOne)
	case strings.TrimSpace(string(text)) == "":
		return "", errors.New("is empty: " + writeOne)
	}
	return string(text), nil
}

// load is Load without files: name is for messages and empty when there is none.
func load(name, text string, env []string) (*Config, error) {
	c := Default()
	c.file, c.origins = name, map[string]string{}
	if err := c.readTOML(text); err != nil {
		return nil, err
	}
	if err := c.readEnv(env); err != nil {
		return nil, err
	}
	if err := c.Check(); err != nil {
		return nil, err
	}
	return c, nil
}

// FromEnv is the default configuration with what environment variables set, for a command that makes a file of it. It is not
// checked yet.
func FromEnv(env []string) (*Config, error) {
	c := Default()
	c.origins = map[string]string{}
	return c, c.readEnv(env)
}

// readTOML sets what the file sets, in the order of its lines.
func (c *Config) readTOML(text string) error {
	fields := map[string]field{}
	for _, f := range c.fields() {
		fields[f.key] = f
	}
	values, err := c.parse(text)
	if err != nil {
		return err
	}
	for _, v := range values {
		c.origins[v.key] = fmt.Sprintf("%s:%d: %s", c.file, v.line, inLine(v.key))
		f, known := fields[v.key]
		if !known {
			return c.at(v.key, c.unknown(v.key))
		}
		if err := f.set(v.value); err != nil {
			return c.at(v.key, err)
		}
	}
	return nil
}

// assignment is one line of the file.
type assignment struct {
	key   string // "blog.url"
	line  int
	value any // as toml gives it
}

// parse lists the assignments of a TOML text by line.
func (c *Config) parse(text string) ([]assignment, error) {
	var top map[string]toml.Primitive
	md, err := toml.Decode(text, &top)
	if err != nil {
		return nil, c.syntax(err)
	}
	var out []assignment
	for name, p := range top {
		whole := locate(md, name, p)
		if _, isTable := whole.value.(map[string]any); !isTable || !c.isSection(name) {
			out = append(out, whole)
			continue
		}
		for key, p := range children(md, p) {
			out = append(out, locate(md, name+"."+key, p))
		}
	}
	slices.SortFunc(out, func(a, b assignment) int { return cmp.Or(a.line-b.line, strings.Compare(a.key, b.key)) })
	return out, nil
}

// children are the keys of a table; none if p is something else.
func children(md toml.MetaData, p toml.Primitive) map[string]toml.Primitive {
	var table map[string]toml.Primitive
	if err := md.PrimitiveDecode(p, &table); err != nil {
		return nil
	}
	return table
}

// syntax turns an error of the TOML library into one of ours.
func (c *Config) syntax(err error) error {
	var at toml.ParseError
	if !errors.As(err, &at) {
		return fmt.Errorf("%s: %w", c.file, err)
	}
	return fmt.Errorf("%s:%d: %s", c.file, at.Position.Line, strings.Join(strings.Fields(at.Message), " "))
}

// probe takes the value of one key. The library tells lines in errors only, so it always returns one.
type probe struct{ value any }

func (p *probe) UnmarshalTOML(v any) error {
	p.value = v
	return errors.New("not an error")
}

// locate reads one key with its line. A table that no line opens ("a.b = 1") stands where its first key does.
func locate(md toml.MetaData, key string, p toml.Primitive) assignment {
	var got probe
	var at toml.ParseError
	errors.As(md.PrimitiveDecode(p, &got), &at)
	line := at.Position.Line
	if line == 0 {
		for name, child := range children(md, p) {
			if first := locate(md, name, child).line; line == 0 || first < line {
				line = first
			}
		}
	}
	return assignment{key, line, got.value}
}

func (c *Config) isSection(name string) bool {
	return slices.ContainsFunc(c.sections()[1:], func(s section) bool { return s.name == name })
}

// unknown is the error for a key that is no field, with those that are.
func (c *Config) unknown(key string) error {
	if c.isSection(key) {
		return fmt.Errorf("is a section: write [%s] on a line of its own", key)
	}
	name, _, dotted := strings.Cut(key, ".")
	var siblings []string
	for _, s := range c.sections() {
		for _, f := range s.fields {
			if dotted && s.name == name || !dotted && s.name == "" {
				siblings = append(siblings, f.name())
			}
		}
	}
	if siblings == nil {
		return errors.New("unknown section")
	}
	return errors.New("unknown key; there are " + strings.Join(siblings, ", "))
}

// foreign are variables that begin like ours: of tests, and those that Kubernetes sets for a service "afterword".
var foreign = []string{variablePrefix + "TEST_", variablePrefix + "SERVICE_", variablePrefix + "PORT"}

// readEnv sets what the environment sets.
func (c *Config) readEnv(env []string) error {
	fields := map[string]field{}
	for _, f := range c.fields() {
		fields[f.variable()] = f
	}
	for _, pair := range env {
		name, text, _ := strings.Cut(pair, "=")
		isForeign := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
		if !strings.HasPrefix(name, variablePrefix) || slices.ContainsFunc(foreign, isForeign) {
			continue
		}
		f, known := fields[name]
		if !known {
			return fmt.Errorf("%s: no such setting: unset it, or see \"afterword config\" for those there are", inLine(name))
		}
		c.origins[f.key] = name
		if err := f.set(f.fromText(text)); err != nil {
			return c.at(f.key, err)
		}
	}
	return nil
}

// at says where a key was set, so that the error can be found and mended.
func (c *Config) at(key string, err error) error {
	if origin := c.origins[key]; origin != "" {
		return fmt.Errorf("%s: %w", origin, err)
	}
	if c.file != "" {
		return fmt.Errorf("%s: %s: %w", c.file, key, err)
	}
	return fmt.Errorf("%s: %w", key, err)
}

// inLine is text as it can stand in a message of one line: quoted where it has what does not print.
func inLine(text string) string {
	if quoted := strconv.Quote(text); quoted != `"`+text+`"` {
		return quoted
	}
	return text
}
