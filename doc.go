// Package afterword is the root of the project: it holds no code, only the tests of the architecture (layout_test.go).
// README.md says where things are, FEDERATION.md (FEP-67ff) what other servers can rely on.
package afterword
