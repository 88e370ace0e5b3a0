package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"afterword/metrics"
	"afterword/storage"
)

const (
	authors = 50
	threads = 20
	senders = 24 // the server takes 32 new connections of a proxy at once
)

// crowd is a server with posts and with authors that it knows.
type crowd struct {
	*server
	peers *peers
	posts []string
	http  *http.Client
	inbox string
}

func (b *bench) newCrowd() (*crowd, error) {
	s, err := b.newServer()
	if err != nil {
		return nil, err
	}
	if _, err := s.start(); err != nil {
		return nil, err
	}
	c := &crowd{server: s, http: client(senders), inbox: s.base + "/inbox"}
	if c.peers, err = newPeers(); err != nil {
		return nil, err
	}
	for i := range threads {
		id, err := s.post(fmt.Sprint("p", i), "-quiet")
		if err != nil {
			return nil, err
		}
		c.posts = append(c.posts, id)
	}
	err = each(authors, 8, func(i int) error { return c.mustSend(c.reply(i, "first")) })
	if err == nil {
		_, err = s.wait(20*time.Second, idle)
	}
	return c, err
}

func (c *crowd) close() {
	c.stop()
	c.peers.close()
}

// reply is the reply of one of the authors to one of the posts.
func (c *crowd) reply(i int, name string) (letter, error) {
	host := "http://" + c.peers.host(i%5)
	return c.peers.reply(c.inbox, fmt.Sprint(host, "/u", i%authors), fmt.Sprint(host, "/n/", name, i), c.posts[i%threads])
}

func (c *crowd) mustSend(l letter, err error) error {
	if err != nil {
		return err
	}
	status, err := l.send(c.http)
	if err == nil && status != http.StatusAccepted {
		err = fmt.Errorf("answered %d", status)
	}
	return err
}

// inbox: what a reply of a known author costs, from its arrival to its 202 after the commit.
func (b *bench) inbox() error {
	c, err := b.newCrowd()
	if err != nil {
		return err
	}
	defer c.close()
	letters := make([]letter, b.replies)
	if err := each(b.replies, 4, func(i int) (err error) { letters[i], err = c.reply(i, "r"); return err }); err != nil {
		return err
	}
	threads, err := c.untouched()
	if err != nil {
		return err
	}
	probe := c.probe(threads)
	before, err := c.metrics()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := each(b.replies, senders, func(i int) error { return c.mustSend(letters[i], nil) }); err != nil {
		return err
	}
	took := time.Since(began)
	visible, err := probe()
	if err != nil {
		return err
	}
	shown, err := c.wait(time.Minute, idle)
	if err != nil {
		return err
	}
	floor, err := b.floor(letters[0].body, c.peers.key)
	if err != nil {
		return err
	}
	err = b.goBench("./federation", "^BenchmarkInbox$", "2x", func(_ string, figures map[string]float64) {
		door := time.Duration(figures["cpu-ms/reply"] * float64(time.Millisecond))
		b.show("CPU for a reply, verified and durable, at the door", ms(door), fmt.Sprintf("floor %s: %.1f×", ms(floor), float64(door)/float64(floor)), "≤ 0.6 ms", goal(door <= 600*time.Microsecond))
	})
	if err != nil {
		return err
	}
	all := (shown.cpu() - before.cpu()) / time.Duration(b.replies)
	b.show("CPU of the whole server for it, until it is in the thread", ms(all), "", "", none)
	rate := float64(b.replies) / took.Seconds()
	b.show("replies answered 202, load generator beside it", fmt.Sprintf("%.0f/s", rate), "", "≥ 1500/s", goal(rate >= 1500))
	b.show("visible after, at that load: p50", ms(percentile(visible, 50)), fmt.Sprintf("p99 %s of %d", ms(percentile(visible, 99)), len(visible)), "≤ 100 ms", goal(percentile(visible, 50) <= 100*time.Millisecond))
	return b.weigh(c)
}

// weigh is what a comment takes on the disk: while its message is in the ledger, and from then on.
func (b *bench) weigh(c *crowd) error {
	c.stop()
	young, err := b.size(c, "young", 0)
	if err != nil {
		return err
	}
	old, err := b.size(c, "old", storage.Retention+time.Hour)
	if err != nil {
		return err
	}
	b.show("database for each comment", fmt.Sprintf("%.2f kB", old/1000), fmt.Sprintf("%.2f kB in its first 30 days", young/1000), "≤ 2 kB", goal(old <= 2000))
	return nil
}

// size is what the database has for each comment when that time has gone by.
func (b *bench) size(c *crowd, name string, later time.Duration) (each float64, err error) {
	db, err := storage.Open(filepath.Join(c.dir, "afterword.db"), storage.Options{Base: c.base, Now: func() time.Time { return time.Now().Add(later) }})
	if err != nil {
		return 0, err
	}
	defer db.Close()
	path := filepath.Join(c.dir, name)
	if err := errors.Join(db.Prune(b.ctx), db.Backup(b.ctx, path)); err != nil {
		return 0, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return float64(info.Size()) / float64(b.replies), nil
}

// untouched are threads of their own for the probe: reading one costs next to nothing. They are made before, because a
// command that makes one costs as much as dozens of replies.
func (c *crowd) untouched() ([]string, error) {
	ids := make([]string, 40)
	return ids, each(len(ids), 2, func(i int) (err error) {
		ids[i], err = c.server.post(fmt.Sprint("probe", i), "-quiet")
		return err
	})
}

// probe sends a reply to each of these now and then and looks how long it takes until a reader sees it. The function it
// returns ends that.
func (c *crowd) probe(threads []string) (stop func() ([]time.Duration, error)) {
	var (
		ended  atomic.Bool
		done   sync.WaitGroup
		took   []time.Duration
		failed error
	)
	done.Go(func() {
		for i := 0; i < len(threads) && failed == nil && (!ended.Load() || i == 0); i++ {
			var d time.Duration
			d, failed = c.untilSeen(i, threads[i])
			took = append(took, d)
			time.Sleep(50 * time.Millisecond)
		}
	})
	return func() ([]time.Duration, error) { ended.Store(true); done.Wait(); return took, failed }
}

func (c *crowd) untilSeen(i int, id string) (time.Duration, error) {
	host := "http://" + c.peers.host(0)
	note := fmt.Sprint(host, "/n/probe", i)
	l, err := c.peers.reply(c.inbox, host+"/u0", note, id)
	if err := c.mustSend(l, err); err != nil {
		return 0, err
	}
	for began := time.Now(); time.Since(began) < 30*time.Second; time.Sleep(3 * time.Millisecond) {
		resp, err := http.Get(fmt.Sprint(c.base, "/api/v1/thread?url=", c.base, "/blog/probe", i, "/"))
		if err != nil {
			return 0, err
		}
		var doc struct{ Comments []json.RawMessage }
		err = json.NewDecoder(resp.Body).Decode(&doc)
		resp.Body.Close()
		if err != nil || len(doc.Comments) > 0 {
			return time.Since(began), err
		}
	}
	return 0, fmt.Errorf("%s never appears", note)
}

// floor is the CPU that nobody can do without: one RSA verification, one JSON parse, a share of a durable commit.
func (b *bench) floor(body []byte, key *rsa.PrivateKey) (time.Duration, error) {
	const rounds = 2000
	sum := sha256.Sum256(body)
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		return 0, err
	}
	began := metrics.CPUTime()
	for range rounds {
		sum := sha256.Sum256(body)
		if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], signature); err != nil {
			return 0, err
		}
		var message struct {
			ID, Type, Actor string
			To, Cc          []string
			Object          struct {
				ID, Type, AttributedTo, InReplyTo, Content, Published, URL string
				To, Cc                                                     []string
			}
		}
		if err := json.NewDecoder(strings.NewReader(string(body))).Decode(&message); err != nil {
			return 0, err
		}
	}
	db, err := storage.Open(filepath.Join(b.dir, "floor.db"), storage.Options{})
	if err != nil {
		return 0, err
	}
	defer db.Close()
	if err := each(rounds, senders, func(int) error { return db.Count(b.ctx, "floor") }); err != nil {
		return 0, err
	}
	return (metrics.CPUTime() - began) / rounds, nil
}
