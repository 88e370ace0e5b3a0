package fedtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"time"
)

const (
	activityJSON = "application/activity+json"
	public       = "https://www.w3.org/ns/activitystreams#Public"
)

// object is an ActivityPub document. None is changed once others can see it.
type object map[string]any

func parse(body []byte) (object, error) {
	var o object
	if err := json.Unmarshal(body, &o); err != nil {
		return nil, err
	}
	if o == nil {
		return nil, errors.New("null is no document")
	}
	return o, nil
}

// encode writes any value that is made of maps, lists, texts and numbers.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // a value of another kind
	}
	return bytes.TrimSpace(b.Bytes())
}

// str is a member that is text, else "".
func (o object) str(name string) string {
	s, _ := o[name].(string)
	return s
}

// list is a member with one or many values.
func (o object) list(name string) []any {
	switch v := o[name].(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

// obj is a member that is an object, the first if there are many, else nil.
func (o object) obj(name string) object {
	for _, v := range o.list(name) {
		return asObject(v)
	}
	return nil
}

// ids are the ids of a member's values, given bare or with what they name.
func (o object) ids(name string) (ids []string) {
	for _, v := range o.list(name) {
		if id := idOf(v); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// id is the first of ids, or "".
func (o object) id(name string) string {
	for _, id := range o.ids(name) {
		return id
	}
	return ""
}

func (o object) time(name string) time.Time {
	t, _ := time.Parse(time.RFC3339, o.str(name))
	return t
}

func asObject(v any) object {
	switch v := v.(type) {
	case object:
		return v
	case map[string]any:
		return v
	}
	return nil
}

func idOf(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return asObject(v).str("id")
}

// sameHost tells whether one server speaks for both ids.
func sameHost(a, b string) bool { return hostOf(a) != "" && hostOf(a) == hostOf(b) }

func hostOf(id string) string {
	u, err := url.Parse(id)
	if err != nil {
		return ""
	}
	return u.Host
}
