package feed_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// hub is a WebSub hub.
type hub struct {
	*stage
	subscribed []url.Values
}

func withHub(s *stage) *hub {
	h := &hub{stage: s}
	s.network.Serve("hub.test", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm() //nolint:errcheck // the test sees what is missing
		h.subscribed = append(h.subscribed, r.PostForm)
		w.WriteHeader(http.StatusAccepted)
	}))
	return h
}

// call is a request of the hub to us.
func (h *hub) call(method, target, body, signature string) (int, string) {
	h.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("X-Hub-Signature", signature)
	w := httptest.NewRecorder()
	h.reader.ServeHub(w, r)
	return w.Code, w.Body.String()
}

// last is the last subscription and where the hub is to call.
func (h *hub) last() (form url.Values, callback string) {
	h.Helper()
	if len(h.subscribed) == 0 {
		h.Fatal("nobody subscribes")
	}
	form = h.subscribed[len(h.subscribed)-1]
	return form, strings.TrimPrefix(form.Get("hub.callback"), base)
}

func (h *hub) sign(body string) string {
	form, _ := h.last()
	mac := hmac.New(sha256.New, []byte(form.Get("hub.secret")))
	mac.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// verify is the hub asking whether it was we.
func (h *hub) verify(callback, mode, topic, lease string) (int, string) {
	return h.call("GET", callback+"?hub.mode="+mode+"&hub.topic="+url.QueryEscape(topic)+"&hub.challenge=abc&hub.lease_seconds="+lease, "", "")
}

// looked tells whether the reader looks at the feed now.
func (h *hub) looked() bool {
	h.Helper()
	worked, err := h.reader.Step(h.Context())
	if err != nil {
		h.Fatal(err)
	}
	return worked
}

const (
	topic  = blog + "feed.xml"
	hubbed = `<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>B</title><link rel="hub" href="https://hub.test/"/>
<link rel="self" href="https://blog.test/feed.xml"/><entry><title>%s</title><link href="https://blog.test/%s/"/><id>%[2]s</id><link rel="hub" href="https://evil.test/"/></entry></feed>`
)

func TestHub(t *testing.T) {
	h := withHub(open(t))
	h.serve("/feed.xml", "application/atom+xml", fmt.Sprintf(hubbed, "A", "a"))
	h.read()
	form, callback := h.last()
	if form.Get("hub.mode") != "subscribe" || form.Get("hub.topic") != topic || len(form.Get("hub.secret")) != 64 || strings.Contains(callback, form.Get("hub.secret")) {
		t.Errorf("%v", form)
	}
	for _, x := range [][3]string{{"unsubscribe", topic, "1000"}, {"subscribe", "https://evil.test/", "1000"}, {"subscribe", topic, "-1"}, {"denied", topic, ""}} {
		if code, body := h.verify(callback, x[0], x[1], x[2]); code != http.StatusNotFound || strings.Contains(body, "abc") {
			t.Error(x, code, body)
		}
	}
	if code, body := h.verify(callback, "subscribe", topic, "864000"); code != http.StatusOK || body != "abc" {
		t.Error(code, body)
	}

	// News is looked at at once, and what the hub says of it is not believed.
	h.serve("/feed.xml", "application/atom+xml", fmt.Sprintf(hubbed, "B", "b"))
	lie := fmt.Sprintf(hubbed, "Lie", "lie")
	for _, x := range []struct {
		target, signature string
		code              int
	}{
		{callback + "x", h.sign(lie), http.StatusNotFound},
		{"/hub/", h.sign(lie), http.StatusNotFound},
		{callback, "", http.StatusAccepted},
		{callback, "sha256=00", http.StatusAccepted},
		{callback, "md5=" + strings.Repeat("0", 32), http.StatusAccepted},
		{callback, h.sign(lie + " "), http.StatusAccepted},
	} {
		if code, _ := h.call("POST", x.target, lie, x.signature); code != x.code || h.looked() {
			t.Error("a forged call is believed", x, code)
		}
	}
	if code, _ := h.call("POST", callback, lie, h.sign(lie)); code != http.StatusAccepted || !h.looked() || h.looked() {
		t.Error("it looks not once but otherwise", code)
	}
	h.expectTold("create /b/")
	if got := h.posts(); strings.Contains(got, "Lie") || len(h.subscribed) != 1 {
		t.Error(got, h.subscribed)
	}
}

// The lease is renewed before it ends, with the same address; a hub that does not answer is asked once an hour.
func TestHubIsRenewed(t *testing.T) {
	h := withHub(open(t))
	h.serve("/feed.xml", "application/atom+xml", fmt.Sprintf(hubbed, "A", "a"))
	h.read()
	_, callback := h.last()
	h.verify(callback, "subscribe", topic, "864000")
	h.read()
	if len(h.subscribed) != 1 {
		t.Error(len(h.subscribed), "subscriptions")
	}
	h.t = h.t.Add(9*24*time.Hour - time.Hour)
	h.read()
	h.t = h.t.Add(11 * time.Minute)
	if _, again := h.last(); !h.looked() || len(h.subscribed) != 2 || again != callback {
		t.Error(len(h.subscribed), again, callback)
	}
	h.start() // the server starts anew
	if code, _ := h.verify(callback, "subscribe", topic, "864000"); code != http.StatusOK {
		t.Error(code)
	}
	h.read()
	if len(h.subscribed) != 2 {
		t.Error(len(h.subscribed), "subscriptions")
	}
	h.t = h.t.Add(8 * 24 * time.Hour)
	if code, _ := h.verify(callback, "subscribe", topic, "864000"); code != http.StatusNotFound {
		t.Error("somebody prolongs it who was not asked to", code)
	}
}

// Where hubs are named, and where they are not believed.
func TestHubIsFound(t *testing.T) {
	for name, x := range map[string]struct {
		header, body string
		want         int
	}{
		"RSS":       {"", `<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>B</title><atom:link rel="hub" href="https://hub.test/"/></channel></rss>`, 1},
		"JSON Feed": {"", `{"version":"https://jsonfeed.org/version/1.1","hubs":[{"type":"WebSub","url":"https://hub.test/"}],"items":[]}`, 1},
		"header":    {`<https://hub.test/>; rel=hub, <https://blog.test/feed.xml>; rel="self"`, rss(entry{name: "a"}), 1},
		"private":   {`<https://127.0.0.1/>; rel=hub`, rss(entry{name: "a"}), 0},
		"none":      {"", rss(entry{name: "a"}), 0},
	} {
		t.Run(name, func(t *testing.T) {
			h := withHub(open(t))
			h.site["/feed.xml"] = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Link", x.header)
				fmt.Fprint(w, x.body)
			}
			h.read()
			if state := h.state(); len(h.subscribed) != x.want || state.Problem != "" {
				t.Errorf("%v %+v", h.subscribed, state)
			}
			if x.want > 0 {
				if form, _ := h.last(); form.Get("hub.topic") != topic {
					t.Error(form)
				}
			}
		})
	}
}
