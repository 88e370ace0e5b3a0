package wire

import (
	"net/url"
	"strings"
	"time"

	"afterword/thread"

	"github.com/go-fed/activity/streams"
	"github.com/go-fed/activity/streams/vocab"
)

// What we send is built from go-fed's vocabulary. Its properties all have the same few methods, so these helpers fill
// a new property and hand it on to the setter of whatever has it.

// members is a go-fed value as the members of a document, for encode.
func members(t vocab.Type) doc {
	d, err := streams.Serialize(t)
	if err != nil {
		panic("wire: " + err.Error()) // only a property without a value fails
	}
	delete(d, "@context")
	return d
}

// address is an id as go-fed wants it. As an opaque URL it is written byte for byte as it is, whatever escapes it
// has (PROTOCOL requirement 100).
func address(id thread.IRI) *url.URL {
	scheme, rest, _ := strings.Cut(string(id), ":")
	return &url.URL{Scheme: scheme, Opaque: rest}
}

func identity(id thread.IRI) vocab.JSONLDIdProperty {
	p := streams.NewJSONLDIdProperty()
	p.Set(address(id))
	return p
}

// listing fills a property that may have several values with ids.
func listing[P interface{ AppendIRI(*url.URL) }](p P, ids ...thread.IRI) P {
	for _, id := range ids {
		p.AppendIRI(address(id))
	}
	return p
}

// naming fills a property that has one value with an id.
func naming[P interface{ SetIRI(*url.URL) }](p P, id thread.IRI) P {
	p.SetIRI(address(id))
	return p
}

// saying fills a property with text.
func saying[P interface{ AppendXMLSchemaString(string) }](p P, s string) P {
	p.AppendXMLSchemaString(s)
	return p
}

func publishedAt(t time.Time) vocab.ActivityStreamsPublishedProperty {
	p := streams.NewActivityStreamsPublishedProperty()
	p.Set(t.UTC())
	return p
}

func updatedAt(t time.Time) vocab.ActivityStreamsUpdatedProperty {
	p := streams.NewActivityStreamsUpdatedProperty()
	p.Set(t.UTC())
	return p
}

func totalOf(n int) vocab.ActivityStreamsTotalItemsProperty {
	p := streams.NewActivityStreamsTotalItemsProperty()
	p.Set(n)
	return p
}
