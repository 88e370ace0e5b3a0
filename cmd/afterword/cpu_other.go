//go:build !unix

package main

import "time"

// cpuTime is not known on other systems.
func cpuTime() time.Duration { return 0 }
