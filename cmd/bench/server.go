package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"afterword/storage"
)

// build makes the program as a release is made: a static file.
func build(ctx context.Context, dir string) (path string, err error) {
	path = filepath.Join(dir, "afterword")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "./cmd/afterword")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w: %s", err, out)
	}
	return path, nil
}

// server is a running "afterword serve" with a database of its own.
type server struct {
	b                        *bench
	dir, base, debug, config string
	cmd                      *exec.Cmd
}

// newServer prepares a server without limits on its peers, for they are few here and speak much.
func (b *bench) newServer() (*server, error) {
	dir, err := os.MkdirTemp(b.dir, b.part)
	if err != nil {
		return nil, err
	}
	public, err := freePort()
	if err != nil {
		return nil, err
	}
	debug, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &server{b: b, dir: dir, base: "http://" + public, debug: "http://" + debug, config: filepath.Join(dir, "afterword.toml")}
	text := fmt.Sprintf(`base_url = %q
listen = %q
database = %q
debug = %q
[blog]
url = "http://%s/blog/"
name = "A blog"
language = "en"
[limits]
actor_hour = 0
host_hour = 0
new_actors_hour = 0
[federation]
allow_private = true
`, s.base, public, filepath.Join(dir, "afterword.db"), debug, public)
	return s, os.WriteFile(s.config, []byte(text), 0o600)
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// start runs the server and tells how long it took until it was ready.
func (s *server) start() (time.Duration, error) {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	began := time.Now()
	s.cmd = exec.Command(s.b.program, "-config", s.config, "serve")
	s.cmd.Stderr = log
	if err := s.cmd.Start(); err != nil {
		return 0, err
	}
	for time.Since(began) < 20*time.Second && s.b.ctx.Err() == nil {
		if resp, err := http.Get(s.base + "/readyz"); err == nil {
			resp.Body.Close()
			return time.Since(began), nil
		}
		time.Sleep(time.Millisecond)
	}
	text, _ := os.ReadFile(log.Name())
	s.stop()
	return 0, fmt.Errorf("the server does not come up: %s", text)
}

// stop ends it as the system does, and waits.
func (s *server) stop() {
	if s.cmd != nil {
		s.cmd.Process.Signal(syscall.SIGTERM) //nolint:errcheck // it may have ended
		s.cmd.Wait()                          //nolint:errcheck // it was told to end
		s.cmd = nil
	}
}

// run runs a command on the server's database.
func (s *server) run(args ...string) (string, error) {
	var problems bytes.Buffer
	cmd := exec.CommandContext(s.b.ctx, s.b.program, append([]string{"-config", s.config}, args...)...)
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("afterword %s: %w: %s", strings.Join(args, " "), err, problems.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// post adds a post and returns the id of its Note.
func (s *server) post(name string, more ...string) (id string, err error) {
	return s.run(append([]string{"post", "add", "-url", s.base + "/blog/" + name + "/", "-title", "About " + name, "-summary", "Some words about it."}, more...)...)
}

// open opens the server's database beside it.
func (s *server) open() (*storage.DB, error) {
	return storage.Open(filepath.Join(s.dir, "afterword.db"), storage.Options{Base: s.base})
}

// logged counts the lines of its log.
func (s *server) logged(which func(line string) bool) (n int) {
	text, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	for line := range bytes.Lines(text) {
		if which(string(line)) {
			n++
		}
	}
	return n
}

// counters are what the server counts, by name and labels.
type counters map[string]float64

func (s *server) metrics() (counters, error) {
	resp, err := http.Get(s.debug + "/metrics")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	m := counters{}
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if at := strings.LastIndexByte(lines.Text(), ' '); at > 0 && lines.Text()[0] != '#' {
			m[lines.Text()[:at]], _ = strconv.ParseFloat(lines.Text()[at+1:], 64)
		}
	}
	return m, nil
}

func (m counters) cpu() time.Duration {
	return time.Duration(m["process_cpu_seconds_total"] * float64(time.Second))
}

func (m counters) memory() float64 { return m["process_resident_memory_bytes"] }

// sum adds up all series of a counter.
func (m counters) sum(name string) (sum float64) {
	for key, n := range m {
		if strings.HasPrefix(key, name+"{") {
			sum += n
		}
	}
	return sum
}

// wait asks for the metrics until they are as wanted, and calls every with each of them.
func (s *server) wait(most time.Duration, wanted func(counters) bool) (counters, error) {
	for began := time.Now(); s.b.ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
		m, err := s.metrics()
		if err != nil || wanted(m) {
			return m, err
		}
		if time.Since(began) > most {
			waiting, _ := s.run("queue", "-limit", "3")
			return m, fmt.Errorf("not as wanted after %s: %v\n%s", most, m, waiting)
		}
	}
	return nil, s.b.ctx.Err()
}

// idle tells whether the server has nothing left to do.
func idle(m counters) bool {
	return m[`afterword_waiting{queue="received"}`] == 0 && m[`afterword_waiting{queue="changes"}`] == 0 && m[`afterword_waiting{queue="deliveries"}`] == 0
}
