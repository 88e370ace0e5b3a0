package fetch

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Kind says in one word why there is no document.
type Kind string

const (
	Forbidden   Kind = "forbidden"   // by us: scheme, port, address, redirect or form of the URL
	Unreachable Kind = "unreachable" // DNS, connection, TLS, time-out, answer cut off
	Status      Kind = "status"      // answered, but not with 200 (Get) or 2xx (Post)
	TooLarge    Kind = "too large"   // more than Get.MaxBytes, before or after decompression
	MediaType   Kind = "media type"  // not what Get.Media wants, or an encoding nobody asked for
	Spent       Kind = "spent"       // the context's Budget allows no more
	Busy        Kind = "busy"        // our own limit for this server; nothing was sent
	Canceled    Kind = "canceled"    // the caller's context ended
	Unsigned    Kind = "unsigned"    // Sign failed; nothing was sent
)

// Error is the only error type of Get and Post. Federation decides by its methods whether a delivery is retried, a
// follower dropped or a comment forgotten; RetryAfter (0: unknown, at most an hour) says when to come back.
type Error struct {
	Kind       Kind
	Status     int // of the answer; 0 where there was none
	RetryAfter time.Duration
	URL        string // what was asked, after redirects
	Err        error  // cause; for Status the beginning of the server's answer, quoted, or nil
}

func (e *Error) Error() string {
	what := string(e.Kind)
	if e.Kind == Status {
		what = strings.TrimSpace(strconv.Itoa(e.Status) + " " + http.StatusText(e.Status))
	}
	if e.Err == nil {
		return fmt.Sprintf("%q: %s", e.URL, what)
	}
	return fmt.Sprintf("%q: %s: %v", e.URL, what, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Temporary tells whether the same request may succeed later.
func (e *Error) Temporary() bool {
	switch e.Kind {
	case Unreachable, Busy, Canceled:
		return true
	case Status:
		return e.Status == http.StatusRequestTimeout || e.Status == http.StatusTooManyRequests || e.Status >= 500
	}
	return false
}

// ours tells whether it is about who asked alone: another who asks the same may well get an answer.
func (e *Error) ours() bool { return e.Kind == Canceled || e.Kind == Unsigned || e.Kind == Spent }

// Gone tells whether the server said 410: it was there and will not come back.
func (e *Error) Gone() bool { return e.Kind == Status && e.Status == http.StatusGone }

// NotFound tells whether the server said 404.
func (e *Error) NotFound() bool { return e.Kind == Status && e.Status == http.StatusNotFound }

// maxRetryAfter bounds what a server may demand (SECURITY N5).
const maxRetryAfter = time.Hour

// retryAfter reads a Retry-After header: seconds or a date; 0 when absent, past or nonsense.
func retryAfter(value string, now time.Time) time.Duration {
	if n, err := strconv.ParseUint(value, 10, 32); err == nil {
		return min(time.Duration(n)*time.Second, maxRetryAfter)
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), maxRetryAfter)
	}
	return 0
}
