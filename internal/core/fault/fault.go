// Package fault is the one vocabulary of errors.
//
// Code that fails says which Kind of failure it is; only the borders (HTTP
// handlers, Temporal activities, the command line) translate a Kind into their
// own terms. A Kind answers one question for whoever gets the error: can this
// ever work if it is tried again unchanged? Invalid, NotFound, Conflict and
// Unauthorized cannot; RateLimited and Unavailable can; Internal is not known
// and is tried again.
package fault

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"
)

// Kind classifies a failure. The zero Kind is Internal.
type Kind uint8

// The kinds, from "the caller must change something" to "we must".
const (
	Internal     Kind = iota
	Invalid           // the input breaks a rule; the message names the field and the reason
	Unauthorized      // no or wrong credentials
	NotFound          // what is named does not exist
	Conflict          // it contradicts what is there
	RateLimited       // too much, too fast; RetryAfter may say when
	Unavailable       // a part that is needed does not answer for now
)

var names = [...]string{"internal", "invalid", "unauthorized", "not_found", "conflict", "rate_limited", "unavailable"}

// String is the kind's name as used in JSON, Temporal error types and metrics.
func (k Kind) String() string { return names[k] }

// ParseKind is the inverse of String; an unknown name is Internal.
func ParseKind(s string) Kind {
	for i, n := range names {
		if n == s {
			return Kind(i)
		}
	}
	return Internal
}

// Final reports whether trying again unchanged can never help.
func (k Kind) Final() bool {
	return k == Invalid || k == Unauthorized || k == NotFound || k == Conflict
}

// Error is a failure with its kind and a message for people. The cause, when
// there is one, is for logs only.
type Error struct {
	Kind       Kind
	Message    string        // safe to show: no secrets, no personal data beyond what the caller sent
	Field      string        // the offending input field, when one is to blame
	RetryAfter time.Duration // for RateLimited and Unavailable: not sooner than this; 0 when unknown
	cause      error
}

// Error returns the message for people, with the field before it.
func (e *Error) Error() string {
	m := e.Message
	if e.Field != "" {
		m = e.Field + ": " + m
	}
	if e.cause != nil {
		m += ": " + e.cause.Error()
	}
	return m
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// New returns an error of the given kind; the message is made as by fmt.Sprintf.
func New(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...)}
}

// Wrap returns err with a kind and a message, or nil when err is nil.
func Wrap(k Kind, err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...), cause: err}
}

// Field returns an Invalid error about one input field.
func Field(field, format string, args ...any) *Error {
	return &Error{Kind: Invalid, Field: field, Message: fmt.Sprintf(format, args...)}
}

// KindOf returns the kind of the first *Error in err's chain, else Internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Public returns the text of err that may be shown to whoever caused it: the
// message without its cause, and nothing at all of an internal error.
func Public(err error) string {
	var e *Error
	if !errors.As(err, &e) || e.Kind == Internal {
		return "internal error"
	}
	if e.Field != "" {
		return e.Field + ": " + e.Message
	}
	return e.Message
}

// RetryAfter returns how long the failing side asked to be left alone, or 0.
func RetryAfter(err error) time.Duration {
	var e *Error
	if errors.As(err, &e) {
		return e.RetryAfter
	}
	return 0
}

// Words are what a record keeps of an error: its public text, as every database can
// hold it.
func Words(err error) string {
	return strings.ReplaceAll(strings.ToValidUTF8(Public(err), "\uFFFD"), "\x00", "\uFFFD")
}

// Guard makes a panic of do an Internal error: nothing that one event contains may
// take the others of its batch along.
func Guard(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = New(Internal, "panic: %v\n%s", p, debug.Stack())
		}
	}()
	return do()
}
