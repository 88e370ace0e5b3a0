package config

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/netip"
	"reflect"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// section is a table of the file; the first one has no name.
type section struct {
	name, doc string
	fields    []field
}

// field is one setting: its value can be set and belongs to the Config it was listed from.
type field struct {
	key     string // "blog.url"
	doc     string
	choices []string // none: anything
	value   reflect.Value
}

// sections lists the settings in the order of the struct, which is that of the file.
func (c *Config) sections() []section {
	v := reflect.ValueOf(c).Elem()
	top, rest := section{}, []section(nil)
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		switch {
		case tag.Get("key") == "":
		case v.Field(i).Kind() == reflect.Struct:
			rest = append(rest, section{tag.Get("key"), tag.Get("doc"), sectionFields(tag.Get("key"), v.Field(i))})
		default:
			top.fields = append(top.fields, newField("", tag, v.Field(i)))
		}
	}
	return append([]section{top}, rest...)
}

func sectionFields(name string, v reflect.Value) []field {
	var out []field
	for i := range v.NumField() {
		out = append(out, newField(name+".", v.Type().Field(i).Tag, v.Field(i)))
	}
	return out
}

func newField(prefix string, tag reflect.StructTag, v reflect.Value) field {
	return field{prefix + tag.Get("key"), tag.Get("doc"), strings.Fields(tag.Get("one")), v}
}

// fields are all settings.
func (c *Config) fields() []field {
	var out []field
	for _, s := range c.sections() {
		out = append(out, s.fields...)
	}
	return out
}

// name is the key within its section.
func (f field) name() string { return f.key[strings.LastIndex(f.key, ".")+1:] }

// variable is the environment variable that overrides the field.
func (f field) variable() string {
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(f.key, ".", "_"))
}

// set stores a value as TOML gives it: string, int64, bool, []any; everything else is a mistake that the error names.
func (f field) set(value any) (err error) {
	switch at := f.value.Addr().Interface().(type) {
	case *string:
		*at, err = as[string](value, "is not text: put it in quotes")
	case *bool:
		*at, err = as[bool](value, "is not true or false")
	case *int:
		var n int64
		if n, err = as[int64](value, "is not a whole number"); n > math.MaxInt32 { // where int has 32 bits it would become another
			err = mistake(value, fmt.Sprint("is more than ", math.MaxInt32))
		}
		*at = int(max(n, math.MinInt32))
	case *Duration:
		*at, err = readDuration(value)
	case *[]netip.Prefix:
		*at, err = readList(value, `is not a list such as ["127.0.0.1", "10.0.0.0/8"]`, readNetwork)
	case *[]string:
		*at, err = readList(value, `is not a list such as ["Pronouns: she/her"]`, func(text string) (string, error) { return text, nil })
	}
	return err
}

func as[T any](value any, otherwise string) (T, error) {
	v, ok := value.(T)
	if !ok {
		return v, mistake(value, otherwise)
	}
	return v, nil
}

// mistake says what is wrong with a value.
func mistake(value any, what string) error {
	if s, isText := value.(string); isText {
		return fmt.Errorf("%.100q %s", s, what)
	}
	return fmt.Errorf("%.100s %s", inLine(fmt.Sprint(value)), what)
}

func readDuration(value any) (Duration, error) {
	if n, isNumber := value.(int64); isNumber && n == 0 {
		return 0, nil
	}
	text, err := as[string](value, `needs a unit and quotes, such as "90d"`)
	if err != nil {
		return 0, err
	}
	d, err := ParseDuration(text)
	if err != nil {
		return 0, mistake(text, err.Error())
	}
	return Duration(d), nil
}

// readList reads a list of texts, each by read.
func readList[T any](value any, otherwise string, read func(string) (T, error)) ([]T, error) {
	list, err := as[[]any](value, otherwise)
	if err != nil {
		return nil, err
	}
	var out []T
	for _, item := range list {
		text, err := as[string](item, "is not text: put it in quotes")
		if err != nil {
			return nil, err
		}
		v, err := read(text)
		if err != nil {
			return nil, mistake(text, err.Error())
		}
		out = append(out, v)
	}
	return out, nil
}

// readNetwork reads an address or a CIDR network, in the normal form: masked, IPv4 as such.
func readNetwork(text string) (netip.Prefix, error) {
	network, err := netip.ParsePrefix(text)
	if ip, errIP := netip.ParseAddr(text); errIP == nil && ip.Zone() == "" {
		ip = ip.Unmap()
		network, err = netip.PrefixFrom(ip, ip.BitLen()), nil
	}
	if err != nil || network.Addr().Is4In6() {
		return network, errors.New("is not an IP address or a network such as 10.0.0.0/8")
	}
	return network.Masked(), nil
}

// fromText makes of an environment variable what TOML would have given. What does not fit stays text, so that set
// complains about it.
func (f field) fromText(text string) any {
	switch f.value.Interface().(type) {
	case bool:
		if b, err := strconv.ParseBool(text); err == nil {
			return b
		}
	case int:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
	case []netip.Prefix:
		return items(text, func(r rune) bool { return r == ',' || r == ' ' })
	case []string:
		return items(text, func(r rune) bool { return r == '\n' })
	}
	return text
}

func items(text string, between func(rune) bool) []any {
	list := []any{}
	for _, item := range strings.FieldsFunc(text, between) {
		list = append(list, item)
	}
	return list
}

// Print writes the configuration as a TOML file with its comments, which Load reads back to the same. Command
// "config" shows it; "init" makes the first file of it.
func (c *Config) Print(w io.Writer) error {
	var out strings.Builder
	for _, s := range c.sections() {
		if s.name != "" {
			fmt.Fprintf(&out, "\n%s\n", commented("["+s.name+"]", s.doc))
		}
		for _, f := range s.fields {
			fmt.Fprintln(&out, commented(f.name()+" = "+f.literal(), f.doc))
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// commented puts comments into one column where they fit.
func commented(line, doc string) string {
	if doc == "" {
		return line
	}
	return fmt.Sprintf("%-40s  # %s", line, doc)
}

// literal is the value in TOML.
func (f field) literal() string {
	if f.value.Kind() == reflect.Slice && f.value.Len() == 0 {
		return "[]"
	}
	line, err := toml.Marshal(map[string]any{"x": f.value.Interface()})
	if err != nil {
		panic(err) // a field type that fields.go does not know
	}
	return strings.TrimPrefix(strings.TrimSpace(string(line)), "x = ")
}
