package main

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"afterword/storage"
	"afterword/thread"
)

// withFollowers is a running server that these accounts follow, and the peers that they may live on.
func (b *bench) withFollowers(accounts func(*peers) []string) (s *server, p *peers, err error) {
	if s, err = b.newServer(); err != nil {
		return nil, nil, err
	}
	if p, err = newPeers(); err != nil {
		return nil, nil, err
	}
	_, err = s.start() // makes the key
	s.stop()
	if err == nil {
		err = s.follow(accounts(p))
	}
	if err == nil {
		_, err = s.start()
	}
	if err == nil {
		_, err = s.wait(30*time.Second, idle)
	}
	if err != nil {
		s.stop()
		p.close()
	}
	return s, p, err
}

// follow makes accounts followers as if they had followed long ago: following is not what is measured.
func (s *server) follow(accounts []string) error {
	db, err := s.open()
	if err != nil {
		return err
	}
	defer db.Close()
	err = each(len(accounts), 256, func(i int) error {
		id, host := thread.IRI(accounts[i]), thread.IRI(accounts[i]).Host()
		a := storage.Actor{Author: thread.Author{ID: id, Name: "Somebody", Handle: "@somebody@" + host, URL: string(id)},
			Type: "Person", Inbox: "http://" + host + "/inbox", SharedInbox: "http://" + host + "/inbox"}
		if err := db.SaveActor(s.b.ctx, a); err != nil {
			return err
		}
		return db.AddFollower(s.b.ctx, storage.Message{Sender: id, Activity: id + "#follow"}, []byte("{}"), thread.Verdict{Decision: thread.Done})
	})
	if err != nil {
		return err
	}
	for range accounts { // they were accepted then
		accept, err := db.NextChange(s.b.ctx)
		if err == nil {
			err = db.Publish(s.b.ctx, accept, nil, storage.Recipients{})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fanOut: one post for many servers, of which a fifth refuses connections, a twentieth accepts them and says nothing, and
// a twentieth drips (SECURITY P7).
func (b *bench) fanOut() error {
	dead, err := newDead()
	if err != nil {
		return err
	}
	defer dead.close()
	live := 0
	s, p, err := b.withFollowers(func(p *peers) []string {
		accounts := make([]string, b.hosts)
		for i := range accounts {
			host := dead.host(i)
			if host == "" {
				host = p.host(i)
				live++
			}
			accounts[i] = "http://" + host + "/u"
		}
		return accounts
	})
	if err != nil {
		return err
	}
	defer p.close()
	defer s.stop()
	return b.tell(s, p, live)
}

// tell sends the post and watches.
func (b *bench) tell(s *server, p *peers, live int) error {
	p.forget(nil)
	began := time.Now()
	if _, err := s.post("new"); err != nil {
		return err
	}
	waited := s.newcomers(p)
	var most float64
	var served time.Duration
	var progress string
	done := func(m counters) bool {
		most = max(most, m.memory())
		hosts, _ := p.served()
		if progress == "" && hosts > live/2 {
			out, _ := s.run("queue", "-limit", "1")
			progress, _, _ = strings.Cut(out, "\n")
		}
		if served == 0 && hosts >= live {
			served = time.Since(began)
		}
		tried := m[`afterword_deliveries_total{outcome="put off"}`]
		return served > 0 && int(tried) >= b.hosts-live
	}
	m, err := s.wait(150*time.Second, done)
	accepted, failed := waited()
	if m == nil {
		return err
	}
	hosts, messages := p.served()
	b.show(fmt.Sprintf("%d of %d servers are alive and have it after", live, b.hosts), fmt.Sprintf("%.1f s", served.Seconds()), fmt.Sprintf("%d have it", hosts), "≤ 60 s", goal(served > 0 && served <= time.Minute))
	b.show("messages that came twice", fmt.Sprint(messages-hosts), "", "0", goal(messages == hosts))
	b.show("all the dead ones were tried after", fmt.Sprintf("%.1f s", time.Since(began).Seconds()), "", "≤ 120 s", goal(err == nil && time.Since(began) <= 2*time.Minute))
	b.show("memory, at most", mb(most), "", "≤ 128 MB", goal(most <= 128e6))
	b.show("a new follower's Accept meanwhile: p99", ms(percentile(accepted, 99)), fmt.Sprintf("p50 %s of %d, %d failed", ms(percentile(accepted, 50)), len(accepted), failed), "≤ 2 s",
		goal(failed == 0 && len(accepted) > 0 && percentile(accepted, 99) <= 2*time.Second))
	fmt.Fprintf(b.out, "%-9s afterword queue said: %s\n", b.part, progress)
	return nil
}

// newcomers follow, one after the other, until the function it returns is called, which says how long each waited for its
// Accept.
func (s *server) newcomers(p *peers) (stop func() (took []time.Duration, failed int)) {
	var mu sync.Mutex
	var took []time.Duration
	var failed int
	ended := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		for i := 0; ; i++ {
			d, err := s.newcomer(p, i)
			mu.Lock()
			if took = append(took, d); err != nil {
				failed++
			}
			mu.Unlock()
			select {
			case <-ended:
				return
			case <-time.After(300 * time.Millisecond):
			}
		}
	})
	return func() ([]time.Duration, int) { close(ended); all.Wait(); return took, failed }
}

// newcomer follows the blog from a server of its own, which is not counted.
func (s *server) newcomer(p *peers, i int) (time.Duration, error) {
	own, err := newPeers()
	if err != nil {
		return 0, err
	}
	defer own.close()
	accepted := make(chan bool, 8)
	own.forget(func(string, []byte) { accepted <- true })
	actor := "http://" + own.host(i) + "/new"
	l, err := own.letter(s.base+"/inbox", actor, map[string]any{"@context": "https://www.w3.org/ns/activitystreams", "id": actor + "#follow", "type": "Follow", "actor": actor, "object": s.base + "/actor"})
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if status, err := l.send(http.DefaultClient); err != nil || status != http.StatusAccepted {
		return time.Since(began), fmt.Errorf("answered %d: %w", status, err)
	}
	select {
	case <-accepted:
		return time.Since(began), nil
	case <-time.After(20 * time.Second):
		return time.Since(began), fmt.Errorf("no Accept came")
	}
}

// dead are the servers that do not answer, each in its way.
type dead struct {
	refuses, silent, drips int // ports
	listeners              []net.Listener
	ended                  chan struct{}
}

func newDead() (*dead, error) {
	d := &dead{ended: make(chan struct{})}
	port := func(serve func(net.Conn)) (int, error) {
		l, err := onLoopback()
		if err != nil {
			return 0, err
		}
		if serve == nil {
			return l.Addr().(*net.TCPAddr).Port, l.Close()
		}
		d.listeners = append(d.listeners, l)
		go d.serve(l, serve)
		return l.Addr().(*net.TCPAddr).Port, nil
	}
	var err error
	for at, serve := range map[*int]func(net.Conn){&d.refuses: nil, &d.silent: d.hold, &d.drips: d.drip} {
		if *at, err = port(serve); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *dead) serve(l net.Listener, serve func(net.Conn)) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() { defer c.Close(); serve(c) }()
	}
}

// hold reads and never answers.
func (d *dead) hold(c net.Conn) {
	go func() { <-d.ended; c.Close() }()
	buffer := make([]byte, 4096)
	for {
		if _, err := c.Read(buffer); err != nil {
			return
		}
	}
}

// drip sends an answer's head, a byte each second.
func (d *dead) drip(c net.Conn) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for _, letter := range []byte("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nX-Slow: " + strings.Repeat("x", 100)) {
		select {
		case <-d.ended:
			return
		case <-tick.C:
		}
		if _, err := c.Write([]byte{letter}); err != nil {
			return
		}
	}
}

// host is the n-th follower's server if it is dead: 20 % refuse, 5 % are silent, 5 % drip, mixed with the others.
func (d *dead) host(n int) string {
	switch n % 20 {
	case 1, 6, 11, 16:
		return address(n, d.refuses)
	case 3:
		return address(n, d.silent)
	case 13:
		return address(n, d.drips)
	}
	return ""
}

func (d *dead) close() {
	close(d.ended)
	for _, l := range d.listeners {
		l.Close()
	}
}
