package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"afterword/federation/sign"
	"afterword/metrics"
)

const (
	deliveryHosts  = 500
	deliveryRounds = 9
)

// delivery: what a fan-out costs the server, beside a bare loop that signs the same message and posts it to the same hosts.
//
// The loop does what nobody can do without, and no more: it signs with the same code and opens a connection to nearly each
// host, as the server does, for both keep a hundred of them. It looks at no address, reads no queue and writes nothing down.
// Both are measured in turns and compared turn by turn, for the machine is not always the same.
func (b *bench) delivery() error {
	s, p, err := b.withFollowers(func(p *peers) (accounts []string) {
		for i := range 2 * deliveryHosts {
			accounts = append(accounts, fmt.Sprint("http://", p.host(i%deliveryHosts), "/u", i))
		}
		return accounts
	})
	if err != nil {
		return err
	}
	defer p.close()
	defer s.stop()
	var ours, theirs, took, bareTook []time.Duration
	var ratios []float64
	for round := range deliveryRounds {
		cpu, wall, err := s.tellAll(p, fmt.Sprint("n", round))
		if err != nil {
			return err
		}
		bareCPU, bareWall, err := b.bareLoop(p)
		if err != nil {
			return err
		}
		if round > 0 { // the first one warms up
			ours, theirs = append(ours, cpu/deliveryHosts), append(theirs, bareCPU/deliveryHosts)
			took, bareTook = append(took, wall), append(bareTook, bareWall)
			ratios = append(ratios, float64(cpu)/float64(bareCPU))
		}
	}
	slices.Sort(ratios)
	ratio := ratios[len(ratios)/2]
	b.show("CPU for a delivery, 1,000 followers on 500 hosts", fmt.Sprintf("%.2f×", ratio), fmt.Sprintf("the bare loop's; %.2f× to %.2f×", ratios[0], ratios[len(ratios)-1]), "≤ 1.15×", goal(ratio <= 1.15))
	b.show("the same, in time", ms(percentile(ours, 50)), "bare loop "+ms(percentile(theirs, 50)), "", none)
	b.show("time for all", ms(percentile(took, 50)), "bare loop "+ms(percentile(bareTook, 50)), "", none)
	return nil
}

// tellAll publishes a post and waits until every host has it.
func (s *server) tellAll(p *peers, name string) (cpu, wall time.Duration, err error) {
	p.forget(nil)
	before, err := s.metrics()
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	if _, err := s.post(name); err != nil {
		return 0, 0, err
	}
	for hosts := 0; hosts < deliveryHosts && time.Since(began) < time.Minute && s.b.ctx.Err() == nil; hosts, _ = p.served() {
		time.Sleep(5 * time.Millisecond) // asking the server would cost it something
	}
	wall = time.Since(began)
	after, err := s.wait(time.Minute, idle)
	return after.cpu() - before.cpu(), wall, err
}

// bareLoop runs this program again, so that its processor time is its own.
func (b *bench) bareLoop(p *peers) (cpu, wall time.Duration, err error) {
	key, err := sign.MarshalPrivateKey(p.key)
	if err != nil {
		return 0, 0, err
	}
	message := filepath.Join(b.dir, "message")
	if err := os.WriteFile(message, p.last, 0o600); err != nil {
		return 0, 0, err
	}
	self, err := os.Executable()
	if err != nil {
		return 0, 0, err
	}
	cmd := exec.CommandContext(b.ctx, self, "bare", message, strconv.Itoa(p.port))
	cmd.Stdin = strings.NewReader(key)
	out, err := cmd.Output()
	if err != nil {
		return 0, 0, err
	}
	_, err = fmt.Sscan(string(out), (*int64)(&cpu), (*int64)(&wall))
	return cpu, wall, err
}

// bare signs and posts a message to all hosts and prints what that cost.
func bare(args []string) error {
	var pem bytes.Buffer
	if _, err := pem.ReadFrom(os.Stdin); err != nil {
		return err
	}
	key, err := sign.ParsePrivateKey(pem.String())
	if err != nil {
		return err
	}
	body, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	p := &peers{port: port, key: key}
	web := client(100)
	cpu, began := metrics.CPUTime(), time.Now()
	err = each(deliveryHosts, 16, func(i int) error {
		l, err := p.letter("http://"+p.host(i)+"/inbox", "http://"+p.host(i)+"/u", rawMessage(body))
		if err == nil {
			_, err = l.send(web)
		}
		return err
	})
	fmt.Println(int64(metrics.CPUTime()-cpu), int64(time.Since(began)))
	return err
}

// rawMessage is sent as it is.
type rawMessage []byte

func (m rawMessage) MarshalJSON() ([]byte, error) { return m, nil }
