//go:build !unix

package metrics

import "time"

// CPUTime is not known on other systems.
func CPUTime() time.Duration { return 0 }
