package config

import (
	"errors"
	"regexp"
	"strconv"
	"time"
)

// Duration is a time.Duration that is written with days: "0", "90d", "36h", "2w", "1d12h".
type Duration time.Duration

const (
	day         = 24 * time.Hour
	maxDuration = 100 * 365 * day
)

var units = map[string]time.Duration{"w": 7 * day, "d": day, "h": time.Hour, "m": time.Minute, "s": time.Second}

var (
	wholeDuration = regexp.MustCompile(`^([0-9]{1,9}[wdhms])+$`)
	durationPart  = regexp.MustCompile(`([0-9]+)([wdhms])`)
)

// ParseDuration reads a Duration of at most 100 years. The command line uses it too.
func ParseDuration(s string) (time.Duration, error) {
	if s == "0" {
		return 0, nil
	}
	if !wholeDuration.MatchString(s) {
		return 0, errors.New(`is not a duration such as "90d", "2w", "36h" or "0"`)
	}
	total := time.Duration(0)
	for _, part := range durationPart.FindAllStringSubmatch(s, -1) {
		n, _ := strconv.Atoi(part[1])
		unit := units[part[2]]
		if time.Duration(n) > (maxDuration-total)/unit {
			return 0, errors.New("is more than 100 years")
		}
		total += time.Duration(n) * unit
	}
	return total, nil
}

// String writes days and hours rather than time.Duration's "2160h0m0s".
func (d Duration) String() string {
	if d == 0 {
		return "0"
	}
	out, left := "", time.Duration(d)
	for _, unit := range []string{"d", "h", "m", "s"} {
		if n := left / units[unit]; n > 0 {
			out += strconv.Itoa(int(n)) + unit
			left %= units[unit]
		}
	}
	return out
}

// MarshalText is String, for Print.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }
