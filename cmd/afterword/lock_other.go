//go:build !unix

package main

import "os"

// lockFile does nothing where there are no such locks: start one server only.
func lockFile(*os.File) error { return nil }
