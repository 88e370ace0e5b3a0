package federation

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"
)

// Worker does one kind of background work, a step at a time. One goroutine at a time may step it.
type Worker struct {
	Name     string
	claim    func(context.Context) (job, error) // the next thing to do; nil when there is nothing now
	parallel int                                // jobs that may be under way at once
	panicked func(ctx context.Context, place string, recovered any, sample []byte) error
}

// job does what was claimed and gives the claim back.
type job func(context.Context) error

// Step does the next thing there is to do and tells whether there was one. Tests call it until nothing is left;
// Run calls it for ever.
func (w Worker) Step(ctx context.Context) (worked bool, err error) {
	j, err := w.next(ctx)
	if err != nil || j == nil {
		return false, err
	}
	return true, w.do(ctx, j)
}

// do survives a panic: one bad message must not stop the others.
func (w Worker) do(ctx context.Context, j job) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = w.panicked(ctx, w.Name, r, nil)
		}
	}()
	return j(ctx)
}

// next is claim, as safe as do.
func (w Worker) next(ctx context.Context) (j job, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = w.panicked(ctx, w.Name, r, nil)
		}
	}()
	return w.claim(ctx)
}

// Workers are all that works in the background.
func (f *Federation) Workers() []Worker { return f.workers }

// Run works until ctx ends, and returns when what was under way has ended.
func (f *Federation) Run(ctx context.Context) {
	var running sync.WaitGroup
	for _, w := range f.workers {
		running.Go(func() { f.loop(ctx, w) })
	}
	running.Wait()
}

// idle is how long a worker sleeps when nothing wakes it: some work falls due by the clock alone.
const idle = 5 * time.Second

func (f *Federation) loop(ctx context.Context, w Worker) {
	var running sync.WaitGroup
	defer running.Wait()
	places := make(chan struct{}, w.parallel)
	ended := make(chan struct{}, 1) // a job ended, one or more: what they held back may be claimed
	for ctx.Err() == nil {
		places <- struct{}{}      // before looking: what the last job did must be seen
		changed := f.DB.Changed() // before looking: no commit may be missed
		j, err := w.next(ctx)
		if err != nil || j == nil {
			<-places
			f.report(ctx, w, err)
			f.rest(ctx, changed, ended)
			continue
		}
		running.Go(func() {
			f.report(ctx, w, w.do(ctx, j))
			<-places
			select {
			case ended <- struct{}{}:
			default:
			}
		})
	}
}

func (f *Federation) rest(ctx context.Context, wake, ended <-chan struct{}) {
	timer := time.NewTimer(idle)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-wake:
	case <-ended:
	case <-timer.C:
	}
}

func (f *Federation) report(ctx context.Context, w Worker, err error) {
	if err != nil && ctx.Err() == nil && !errors.Is(err, context.Canceled) {
		f.Log.Error("step failed", "worker", w.Name, "error", err)
		f.rest(ctx, nil, nil)
	}
}

// claims are the things that one worker has under way, so that none is begun twice. What is under way when the process
// ends is simply begun again: claims are not stored.
//
// Who looks for things to do takes a copy of what is held first, and leaves that alone: a job that ends while we look
// was still under way when its row was read.
type claims[K comparable] struct {
	mu   sync.Mutex
	held map[K]int
}

func (c *claims[K]) copy() map[K]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.held)
}

func (c *claims[K]) take(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held == nil {
		c.held = map[K]int{}
	}
	c.held[key]++
}

func (c *claims[K]) give(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held[key]--; c.held[key] <= 0 {
		delete(c.held, key)
	}
}
