package lex

import (
	"fmt"
	"strconv"
)

// Error is why a template cannot be read or rendered. Of rendering it quotes nothing
// but the template.
type Error struct {
	Line int
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap is the reason alone.
func (e *Error) Unwrap() error { return e.Err }

// Fail is an Error.
func Fail(line int, format string, args ...any) error {
	return &Error{line, fmt.Errorf(format, args...)}
}

// At adds the line to an error that has none.
func At(line int, err error) error {
	if _, ok := err.(*Error); ok || err == nil { //nolint:errorlint // it is wrapped here only
		return err
	}
	return &Error{line, err}
}

// Clip quotes the start of a text.
func Clip(s string) string {
	const most = 60
	for i := range s {
		if i > most {
			return strconv.Quote(s[:i] + "…")
		}
	}
	return strconv.Quote(s)
}
