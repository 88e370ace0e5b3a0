//go:build unix

package metrics

import (
	"syscall"
	"time"
)

// CPUTime is the processor time of this process.
func CPUTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u) //nolint:errcheck // cannot fail
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
