package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// The limits of SECURITY 1.3 on JSON from strangers.
const (
	maxDepth  = 32
	maxTokens = 10_000
	maxKeys   = 200
	maxString = 128 << 10 // bytes, unescaped
)

// listLimits are how many elements of a list are read. The rest must be sound JSON, but is neither kept nor counted
// against maxTokens: 10,000 mentions do not cost a comment its place.
var listLimits = map[string]int{
	"to": 1024, "cc": 1024, "bto": 1024, "bcc": 1024, "audience": 1024,
	"items": 500, "orderedItems": 500,
	"tag": 64, "attachment": 64, "oneOf": 64, "anyOf": 64, "alsoKnownAs": 64, "object": 64, "url": 64,
	"inReplyTo": 64, "attributedTo": 64, "context": 64, "conversation": 64, "ostatus:conversation": 64, "inConversation": 64,
	"publicKey": 16, "assertionMethod": 16, "type": 17, // one more than CheckShape allows, so that it notices
}

// SyntaxError says why a document is not read at all (SECURITY 1.2: answer 400). The reason is short and fit for the
// answer to its sender.
type SyntaxError struct{ Reason string }

func (e *SyntaxError) Error() string { return e.Reason }

func refuse(format string, args ...any) error { return &SyntaxError{fmt.Sprintf(format, args...)} }

// Parse reads one ActivityPub document. It is strict about JSON: duplicate names, invalid UTF-8, lone surrogates, a
// byte order mark, trailing data and anything beyond the limits above are a *SyntaxError, the only kind of error.
// Everything else that real servers vary is folded into one shape, and what makes no sense is left out; whether
// enough is left is for Check or CheckShape to say. The Object and its Raw slices keep body alive: it must not change.
func Parse(body []byte) (*Object, error) {
	s := scanner{dec: jsontext.NewDecoder(bytes.NewBuffer(body)), body: body}
	root, err := s.value(true, 0)
	if err != nil {
		return nil, err
	}
	if root.kind != '{' {
		return nil, refuse("not a JSON object")
	}
	if _, err := s.dec.ReadToken(); err != io.EOF {
		return nil, refuse("data after the JSON object")
	}
	return reader{}.full(&root), nil
}

// node is a JSON value.
type node struct {
	kind   jsontext.Kind // zero for a member that is not there
	name   string        // of a member
	text   string        // of a string, unescaped; of a number, as sent
	values []node        // an object's members or a list's elements, in their order
	raw    []byte        // of an object: its bytes in the body
}

var absent node

// get is the member of that name, exactly in that case (SECURITY C9), or an absent node.
func (n *node) get(name string) *node {
	if n.kind == '{' {
		for i := range n.values {
			if n.values[i].name == name {
				return &n.values[i]
			}
		}
	}
	return &absent
}

// first is the first of these members that is there and not null.
func (n *node) first(names ...string) *node {
	for _, name := range names {
		if v := n.get(name); v.given() {
			return v
		}
	}
	return &absent
}

func (n *node) given() bool { return n.kind != 0 && n.kind != 'n' }

// each is a list's elements, or the one value that came instead of a list.
func (n *node) each() []node {
	switch {
	case n.kind == '[':
		return n.values
	case n.given():
		return []node{*n}
	}
	return nil
}

// str is the text of a string, or nothing.
func (n *node) str() string {
	if n.kind == '"' {
		return n.text
	}
	return ""
}

// scanner builds the tree of nodes, counting.
type scanner struct {
	dec     *jsontext.Decoder
	body    []byte
	tokens  int
	pending []node // of the objects and lists that are not read to their end
}

// value reads one value. Where it is not to be kept it is only checked. A list is read up to limit elements, or whole
// when limit is 0.
func (s *scanner) value(keep bool, limit int) (node, error) {
	tok, err := s.token(keep)
	if err != nil {
		return node{}, err
	}
	n, start, first := node{kind: tok.Kind()}, s.dec.InputOffset()-1, len(s.pending)
	switch n.kind {
	case '"', '0':
		n.text, err = text(tok)
		return n, err
	case '{':
		err = s.members(keep)
		n.raw = s.body[start:s.dec.InputOffset():s.dec.InputOffset()]
	case '[':
		err = s.elements(keep, limit)
	}
	n.values = slices.Clone(s.pending[first:])
	s.pending = s.pending[:first]
	return n, err
}

func (s *scanner) members(keep bool) error {
	for count := 0; s.dec.PeekKind() != '}'; count++ {
		if count == maxKeys {
			return refuse("more than %d members in an object", maxKeys)
		}
		tok, err := s.token(keep)
		if err != nil {
			return err
		}
		name, err := text(tok)
		if err != nil {
			return err
		}
		v, err := s.value(keep, listLimits[name])
		if err != nil {
			return err
		}
		if v.name = name; keep {
			s.pending = append(s.pending, v)
		}
	}
	_, err := s.token(keep)
	return err
}

func (s *scanner) elements(keep bool, limit int) error {
	for count := 0; s.dec.PeekKind() != ']'; count++ {
		keepThis := keep && (limit == 0 || count < limit)
		v, err := s.value(keepThis, 0)
		if err != nil {
			return err
		}
		if keepThis {
			s.pending = append(s.pending, v)
		}
	}
	_, err := s.token(keep)
	return err
}

// token reads the next token, which is valid until the one after it.
func (s *scanner) token(count bool) (jsontext.Token, error) {
	tok, err := s.dec.ReadToken()
	if err != nil {
		return tok, notStrict(err)
	}
	if s.dec.StackDepth() > maxDepth {
		return tok, refuse("nested deeper than %d", maxDepth)
	}
	if count {
		s.tokens++
	}
	if s.tokens > maxTokens {
		return tok, refuse("more than %d tokens", maxTokens)
	}
	return tok, nil
}

func text(tok jsontext.Token) (string, error) {
	s := tok.String()
	if len(s) > maxString {
		return "", refuse("a string longer than %d KiB", maxString>>10)
	}
	return s, nil
}

// notStrict is a decoder's error in few words: its own quote names of any length.
func notStrict(err error) error {
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return refuse("a member name occurs twice")
	case errors.As(err, &syntax) && syntax.Err != nil:
		return refuse("not strict JSON at byte %d: %.100v", syntax.ByteOffset, syntax.Err)
	}
	return refuse("not a complete JSON document")
}
