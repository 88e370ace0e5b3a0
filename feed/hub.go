package feed

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // WebSub 7.1: hubs may sign with it, and nothing is believed but that it is time to look
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"hash"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"afterword/fetch"
)

// WebSub (W3C REC 2018-01-23): when the feed names a hub, the hub is asked to tell us of news, at an address of ours that
// nobody else knows. What it tells is not read: it makes us look at the feed ourselves, sooner.

// HubPath is where hubs call, below base_url.
const HubPath = "/hub/"

const (
	leaseWanted = 10 * 24 * time.Hour
	leaseMost   = 30 * 24 * time.Hour
	renewBefore = 24 * time.Hour
	askEvery    = time.Hour // a hub that does not answer
)

// subscription is what is remembered of a hub, as the setting "hub".
type subscription struct {
	Hub   string    `json:"hub"`
	Topic string    `json:"topic"`          // what the hub calls the feed
	Key   string    `json:"key"`            // shared with the hub: it signs with it
	Asked time.Time `json:"asked"`          // when the hub was last asked
	Until time.Time `json:"until,omitzero"` // when the hub stops calling; zero: it has not begun
}

const hubSetting = "hub"

func (r *Reader) subscription(ctx context.Context) (s subscription, err error) {
	text, err := r.DB.Setting(ctx, hubSetting, func() (string, error) { return "{}", nil })
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal([]byte(text), &s)
}

func (r *Reader) rememberHub(ctx context.Context, s subscription) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return r.DB.Remember(ctx, map[string]string{hubSetting: string(text)})
}

// path is the secret part of our address for this hub.
func (s subscription) path() string {
	sum := sha256.Sum256([]byte("path " + s.Key))
	return hex.EncodeToString(sum[:16])
}

// subscribe asks the feed's hub to call, unless it does so for a while yet. Its answer comes to ServeHub.
func (r *Reader) subscribe(ctx context.Context, feed State) error {
	if feed.Hub == "" || r.Fetch.Check(feed.Hub) != nil {
		return nil
	}
	s, err := r.subscription(ctx)
	if err != nil {
		return err
	}
	now := r.Now()
	switch known := s.Hub == feed.Hub && s.Topic == feed.Topic; {
	case !known:
		key := make([]byte, 32)
		rand.Read(key) //nolint:errcheck // it never fails
		s = subscription{Hub: feed.Hub, Topic: feed.Topic, Key: hex.EncodeToString(key)}
	case s.Until.Sub(now) > renewBefore, now.Sub(s.Asked) < askEvery:
		return nil
	}
	s.Asked = now
	if err := r.rememberHub(ctx, s); err != nil {
		return err
	}
	form := url.Values{"hub.mode": {"subscribe"}, "hub.topic": {s.Topic}, "hub.callback": {r.Base + HubPath + s.path()}, "hub.secret": {s.Key},
		"hub.lease_seconds": {strconv.Itoa(int(leaseWanted.Seconds()))}}
	err = r.Fetch.Post(ctx, fetch.Post{URL: s.Hub, MediaType: "application/x-www-form-urlencoded", Body: []byte(form.Encode())})
	if err != nil {
		r.Log.Info("the feed's hub does not take our subscription", "hub", s.Hub, "error", err) // polling goes on
	}
	return nil
}

// ServeHub answers a hub, at HubPath: whether we have subscribed (GET), and that there is news (POST).
func (r *Reader) ServeHub(w http.ResponseWriter, req *http.Request) {
	s, err := r.subscription(req.Context())
	if err != nil {
		w.Header().Set("Retry-After", "60")
		http.Error(w, "this server has a problem of its own", http.StatusServiceUnavailable)
		return
	}
	_, path, _ := strings.Cut(req.URL.Path, HubPath)
	switch {
	case s.Key == "" || !hmac.Equal([]byte(path), []byte(s.path())):
		http.NotFound(w, req)
	case req.Method == http.MethodGet:
		r.confirm(w, req, s)
	case req.Method == http.MethodPost:
		r.listen(w, req, s)
	default:
		w.Header().Set("Allow", "GET, POST")
		http.Error(w, "only hubs call here", http.StatusMethodNotAllowed)
	}
}

// confirm tells the hub that it was we who subscribed (WebSub 5.3).
func (r *Reader) confirm(w http.ResponseWriter, req *http.Request, s subscription) {
	q := req.URL.Query()
	seconds, err := strconv.ParseInt(q.Get("hub.lease_seconds"), 10, 32)
	if q.Get("hub.mode") != "subscribe" || q.Get("hub.topic") != s.Topic || err != nil || seconds < 1 || r.Now().Sub(s.Asked) > askEvery {
		http.NotFound(w, req)
		return
	}
	s.Until = r.Now().Add(min(time.Duration(seconds)*time.Second, leaseMost))
	if err := r.rememberHub(req.Context(), s); err != nil {
		http.Error(w, "please come again", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	io.WriteString(w, q.Get("hub.challenge")) //nolint:errcheck // the hub is gone
}

// hashes are those that hubs may sign with (WebSub 7.1).
var hashes = map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New}

// listen hears that there is news. What is not signed well is answered as if it were (WebSub 7.1) and is nothing.
func (r *Reader) listen(w http.ResponseWriter, req *http.Request, s subscription) {
	method, signature, _ := strings.Cut(req.Header.Get("X-Hub-Signature"), "=")
	given, err := hex.DecodeString(signature)
	if newHash, known := hashes[strings.ToLower(method)]; known && err == nil {
		mac := hmac.New(newHash, []byte(s.Key))
		if n, err := io.Copy(mac, io.LimitReader(req.Body, maxFeed+1)); err == nil && n <= maxFeed && hmac.Equal(mac.Sum(nil), given) {
			r.called.Store(true)
		}
	}
	w.WriteHeader(http.StatusAccepted)
}
