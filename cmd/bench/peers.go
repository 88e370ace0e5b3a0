package main

import (
	"bytes"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"afterword/federation/sign"
)

// peers are the strangers' servers: one listener for as many hosts as wanted, because all of 127.0.0.0/8 is this machine.
// Every path is an account's document, and every POST is taken.
type peers struct {
	port int
	key  *rsa.PrivateKey
	web  *http.Server

	mu   sync.Mutex // guards what follows
	got  map[string]int
	last []byte
	told func(host string, body []byte) // may be nil
}

const asJSON = "application/activity+json"

func newPeers() (*peers, error) {
	key, err := sign.NewPrivateKey()
	if err != nil {
		return nil, err
	}
	l, err := onLoopback()
	if err != nil {
		return nil, err
	}
	p := &peers{port: l.Addr().(*net.TCPAddr).Port, key: key, got: map[string]int{}}
	p.web = &http.Server{Handler: p}
	go p.web.Serve(l) //nolint:errcheck // it ends with close
	return p, nil
}

func (p *peers) close() { p.web.Close() }

// loopback is a listener on all addresses that takes connections from this machine only.
type loopback struct{ net.Listener }

func onLoopback() (net.Listener, error) {
	l, err := net.Listen("tcp4", "0.0.0.0:0")
	return loopback{l}, err
}

func (l loopback) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil || c.RemoteAddr().(*net.TCPAddr).IP.IsLoopback() {
			return c, err
		}
		c.Close()
	}
}

// host is the n-th of them.
func (p *peers) host(n int) string { return address(n, p.port) }

func address(n, port int) string {
	return fmt.Sprintf("127.%d.%d.%d:%d", 1+n/62500, 1+n/250%250, 1+n%250, port)
}

func (p *peers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("Digest") != sign.Digest(body) || r.Header.Get("Signature") == "" {
			http.Error(w, "not signed", http.StatusBadRequest)
			return
		}
		p.take(r.Host, body)
		w.WriteHeader(http.StatusAccepted)
		return
	}
	id := "http://" + r.Host + r.URL.Path
	w.Header().Set("Content-Type", asJSON)
	w.Write(encode(map[string]any{"@context": "https://www.w3.org/ns/activitystreams", "id": id, "type": "Person", "preferredUsername": "somebody", //nolint:errcheck // the server sees to it
		"inbox": "http://" + r.Host + "/inbox", "endpoints": map[string]any{"sharedInbox": "http://" + r.Host + "/inbox"},
		"publicKey": map[string]any{"id": id + "#key", "owner": id, "publicKeyPem": sign.PublicPEM(p.key)}}))
}

func (p *peers) take(host string, body []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got[host]++
	p.last = body
	if p.told != nil {
		p.told(host, body)
	}
}

// forget begins to count anew.
func (p *peers) forget(told func(host string, body []byte)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got, p.told = map[string]int{}, told
}

// served is how many hosts got something, and how much came in all.
func (p *peers) served() (hosts, messages int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range p.got {
		messages += n
	}
	return len(p.got), messages
}

func encode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps of strings
	}
	return text
}

// letter is a message ready to be sent: signing costs more than everything else, so it is done before the clock runs.
type letter struct {
	url     string
	headers http.Header
	body    []byte
}

func (p *peers) letter(to, from string, message any) (letter, error) {
	l := letter{url: to, body: encode(message)}
	r, err := http.NewRequest(http.MethodPost, to, bytes.NewReader(l.body))
	if err != nil {
		return l, err
	}
	r.Header.Set("Content-Type", asJSON)
	err = sign.Signer{KeyID: from + "#key", Private: p.key}.Sign(r, l.body, time.Now())
	l.headers = r.Header
	return l, err
}

// reply is a Create of a public reply.
func (p *peers) reply(to, from, note, inReplyTo string) (letter, error) {
	const public = "https://www.w3.org/ns/activitystreams#Public"
	published := time.Now().UTC().Format(time.RFC3339)
	text := "<p>It has been said before, but never quite like this. One could also see it the other way round, and some do. This is " + note + ".</p>"
	return p.letter(to, from, map[string]any{"@context": "https://www.w3.org/ns/activitystreams", "id": note + "/activity", "type": "Create", "actor": from,
		"published": published, "to": []string{public}, "cc": []string{from + "/followers"},
		"object": map[string]any{"id": note, "type": "Note", "attributedTo": from, "inReplyTo": inReplyTo, "content": text, "contentMap": map[string]string{"en": text},
			"published": published, "to": []string{public}, "cc": []string{from + "/followers"}, "url": note, "sensitive": false, "tag": []any{}, "attachment": []any{}}})
}

// client is one that keeps its connections.
func client(conns int) *http.Client {
	return &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConns: conns, MaxIdleConnsPerHost: conns, DisableCompression: true}}
}

// send posts a letter and returns the status.
func (l letter) send(c *http.Client) (int, error) {
	r, err := http.NewRequest(http.MethodPost, l.url, bytes.NewReader(l.body))
	if err != nil {
		return 0, err
	}
	r.Header = l.headers
	resp, err := c.Do(r)
	if err != nil {
		return 0, err
	}
	io.Copy(io.Discard, resp.Body) //nolint:errcheck // it is thrown away
	return resp.StatusCode, resp.Body.Close()
}

// each calls do for 0 to n-1, some at a time, and returns the first error.
func each(n, atATime int, do func(i int) error) error {
	var all sync.WaitGroup
	next, failed := make(chan int), make(chan error, atATime)
	for range atATime {
		all.Go(func() {
			for i := range next {
				if err := do(i); err != nil {
					select {
					case failed <- err:
					default:
					}
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	all.Wait()
	close(failed)
	return <-failed
}
