package fetch

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
)

const asProfile = "https://www.w3.org/ns/activitystreams"

// ActivityJSON tells whether a Content-Type marks an ActivityPub document: application/activity+json, or
// application/ld+json whose (space separated) profiles include ActivityStreams. Everything else, application/json
// included, may be a file that a user uploaded to an honest server. Federation uses it as Get.Media.
func ActivityJSON(contentType string) bool {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return false
	}
	return media == "application/activity+json" ||
		media == "application/ld+json" && slices.Contains(strings.Fields(params["profile"]), asProfile)
}

// contentType is the one Content-Type of an answer; empty when there are none or several to choose from.
func contentType(h http.Header) string {
	if values := h.Values("Content-Type"); len(values) == 1 {
		return values[0]
	}
	return ""
}

// bareType is the media type without parameters, lower case.
func bareType(contentType string) string {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(media))
}

// readBody reads at most limit bytes, as sent and as decompressed: a gzip bomb costs no more than an honest answer. read is
// the larger of both.
func readBody(resp *http.Response, limit int64) (body []byte, read int64, err error) {
	tooLarge := &Error{Kind: TooLarge, Err: fmt.Errorf("more than %d bytes", limit)}
	if resp.ContentLength > limit {
		return nil, 0, tooLarge
	}
	sent := &io.LimitedReader{R: resp.Body, N: limit + 1}
	body, err = decompress(sent, resp.Header.Get("Content-Encoding"), limit+1)
	if read = max(limit+1-sent.N, int64(len(body))); read > limit {
		return nil, read, tooLarge
	}
	return body, read, err
}

func decompress(sent io.Reader, encoding string, limit int64) ([]byte, error) {
	switch strings.ToLower(encoding) {
	case "", "identity":
		return io.ReadAll(sent)
	case "gzip", "x-gzip":
		zip, err := gzip.NewReader(sent)
		if err != nil {
			return nil, err
		}
		return io.ReadAll(io.LimitReader(zip, limit))
	}
	return nil, &Error{Kind: MediaType, Err: fmt.Errorf("content encoding %q", encoding)}
}

// statusError turns an unwanted answer into an *Error. It reads at most 4 KiB of it (SECURITY N7) and keeps the
// beginning, because "401" alone does not help the blogger who looks at his queue; pages of HTML do not either.
func (c *Client) statusError(resp *http.Response) *Error {
	e := &Error{Kind: Status, Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header.Get("Retry-After"), c.now())}
	head, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(head), "")), " ")
	if text != "" && text[0] != '<' && resp.Header.Get("Content-Encoding") == "" {
		e.Err = fmt.Errorf("%.200q", text)
	}
	return e
}
