package main

import (
	"os"
	"time"
)

// start: how long the program takes to be ready, and what it weighs.
func (b *bench) start() error {
	s, err := b.newServer()
	if err != nil {
		return err
	}
	defer s.stop()
	first, err := s.start()
	if err != nil {
		return err
	}
	var starts []time.Duration
	for range 9 {
		s.stop()
		took, err := s.start()
		if err != nil {
			return err
		}
		starts = append(starts, took)
	}
	median := percentile(starts, 50)
	b.show("cold start until it answers, median of 9", ms(median), "very first, makes a key: "+ms(first), "≤ 150 ms", goal(median <= 150*time.Millisecond))
	time.Sleep(3 * time.Second)
	m, err := s.metrics()
	if err != nil {
		return err
	}
	b.show("idle memory", mb(m.memory()), "", "≤ 25 MB", goal(m.memory() <= 25e6))
	info, err := os.Stat(b.program)
	if err != nil {
		return err
	}
	b.show("program, stripped", mb(float64(info.Size())), "", "≤ 25 MB", goal(info.Size() <= 25e6))
	return nil
}
