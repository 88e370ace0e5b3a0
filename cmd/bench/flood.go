package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"afterword/storage"
	"afterword/thread"
)

const (
	deletesPerSecond = 2000
	honestPerSecond  = 20
)

// flood: the fediverse tells everyone of every account that ends. It must cost nothing, and honest replies must not wait
// behind it (SECURITY P9).
func (b *bench) flood() error {
	c, err := b.newCrowd()
	if err != nil {
		return err
	}
	defer c.close()
	honest := int(b.flooding.Seconds() * honestPerSecond)
	letters := make([]letter, honest)
	if err := each(honest, 4, func(i int) (err error) { letters[i], err = c.reply(i, "h"); return err }); err != nil {
		return err
	}
	before, err := c.metrics()
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	var sent, refused atomic.Int64
	var flooding sync.WaitGroup
	flooding.Go(func() { c.sendDeletes(ended, &sent, &refused) })
	took, failed := c.sendHonest(letters)
	close(ended)
	flooding.Wait()
	after, err := c.wait(20*time.Second, idle)
	if err != nil {
		return err
	}
	b.show("strangers' Deletes", fmt.Sprintf("%.0f/s", float64(sent.Load())/b.flooding.Seconds()), fmt.Sprintf("%d not answered 202", refused.Load()), "2000/s", goal(refused.Load() == 0))
	b.show("honest replies beside them: p99", ms(percentile(took, 99)), fmt.Sprintf("p50 %s, %d of %d failed", ms(percentile(took, 50)), failed, honest), "≤ 100 ms",
		goal(failed == 0 && percentile(took, 99) <= 100*time.Millisecond))
	fetched := after.sum("afterword_requests_total") - before.sum("afterword_requests_total")
	b.show("requests that this caused", fmt.Sprint(fetched), fmt.Sprintf("honest accounts, whose names are looked up: %d", authors), "as many", goal(fetched <= authors))
	b.show("memory", mb(after.memory()), mb(before.memory())+" before", "≤ 64 MB", goal(after.memory() <= 64e6))
	lines := c.logged(func(line string) bool { return !strings.Contains(line, "127.1.1.") })
	b.show("log lines that are not about honest replies", fmt.Sprintf("%.2f/s", float64(lines)/b.flooding.Seconds()), "", "≤ 1/s", goal(float64(lines) <= b.flooding.Seconds()))
	return b.rows(c, honest)
}

// sendDeletes sends at an even pace until ended is closed.
func (c *crowd) sendDeletes(ended <-chan struct{}, sent, refused *atomic.Int64) {
	const atATime = 8
	tick := time.NewTicker(time.Second * atATime / deletesPerSecond)
	defer tick.Stop()
	web := client(atATime)
	var all sync.WaitGroup
	defer all.Wait()
	turns := make(chan int64, deletesPerSecond)
	defer close(turns)
	for range atATime {
		all.Go(func() {
			for n := range turns {
				actor := fmt.Sprintf("https://stranger%d.example/users/gone%d", n%1000, n)
				l := letter{url: c.inbox, headers: http.Header{"Content-Type": {asJSON}, "Signature": {`keyId="` + actor + `#main-key",headers="(request-target) host date digest",signature="AAAA"`}}}
				l.body = encode(map[string]any{"@context": "https://www.w3.org/ns/activitystreams", "id": actor + "#delete", "type": "Delete", "actor": actor, "object": actor})
				if status, err := l.send(web); err != nil || status != http.StatusAccepted {
					refused.Add(1)
				}
				sent.Add(1)
			}
		})
	}
	for n := int64(0); ; {
		select {
		case <-ended:
			return
		case <-tick.C:
			for range atATime {
				n++
				select {
				case turns <- n:
				default: // the machine cannot do more
				}
			}
		}
	}
}

// sendHonest sends at an even pace, whatever becomes of it, and tells how long each took.
func (c *crowd) sendHonest(letters []letter) (took []time.Duration, failed int) {
	var all sync.WaitGroup
	var mu sync.Mutex
	tick := time.NewTicker(time.Second / honestPerSecond)
	defer tick.Stop()
	for _, l := range letters {
		<-tick.C
		all.Go(func() {
			began := time.Now()
			err := c.mustSend(l, nil)
			mu.Lock()
			defer mu.Unlock()
			if took = append(took, time.Since(began)); err != nil {
				failed++
			}
		})
	}
	all.Wait()
	return took, failed
}

// rows: what is stored is the honest replies alone.
func (b *bench) rows(c *crowd, honest int) error {
	c.stop()
	db, err := c.open()
	if err != nil {
		return err
	}
	defer db.Close()
	ledger, err := db.Ledger(b.ctx, "", 1_000_000)
	if err != nil {
		return err
	}
	extra := len(ledger) - honest - authors
	for n := range 1000 {
		_, err := db.Actor(b.ctx, thread.IRI(fmt.Sprintf("https://stranger%d.example/users/gone%d", n, n)))
		if err == nil {
			extra++
		} else if !errors.Is(err, storage.ErrNotFound) {
			return err
		}
	}
	b.show("rows that this left", fmt.Sprint(extra), "", "0", goal(extra == 0))
	return nil
}
