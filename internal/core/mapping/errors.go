package mapping

import (
	"fmt"
	"strings"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Problem is one thing wrong with a mapping.
type Problem struct {
	Path    string `json:"path"` // where, such as /email/@replace/pattern; "/" is the mapping itself
	Message string `json:"message"`
}

// String is the path and the message.
func (p Problem) String() string { return p.Path + " " + p.Message }

// ValidationError says why a mapping was refused: every problem, in the order of
// the mapping. It unwraps to a *fault.Error of kind Invalid.
type ValidationError struct {
	Problems []Problem
}

// Error is the problems, separated by semicolons.
func (e *ValidationError) Error() string {
	texts := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		texts[i] = p.String()
	}
	return strings.Join(texts, "; ")
}

// Unwrap makes the error known as fault.Invalid.
func (e *ValidationError) Unwrap() error { return fault.New(fault.Invalid, "%s", e.Error()) }

// RuntimeError says where and why a valid mapping failed on an event. It unwraps
// to a *fault.Error of kind Invalid: the same event fails again.
type RuntimeError struct {
	Path    string // where in the mapping, as in Problem
	Message string
}

// Error is the path and the message.
func (e *RuntimeError) Error() string { return e.Path + ": " + e.Message }

// Unwrap makes the error known as fault.Invalid.
func (e *RuntimeError) Unwrap() error { return fault.Field(e.Path, "%s", e.Message) }

func failf(path, format string, args ...any) error {
	return &RuntimeError{Path: showPath(path), Message: fmt.Sprintf(format, args...)}
}

func showPath(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

// typeName is the type as Segment's messages call it: a directive is told from
// a plain object.
func typeName(v any) string {
	if o, ok := v.(*jsonvalue.Object); ok && hasDirectiveKey(o) {
		return "directive"
	}
	return jsonvalue.TypeName(v)
}

func article(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}
