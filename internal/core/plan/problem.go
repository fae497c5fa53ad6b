package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/segue-xm/segue/internal/core/fault"
)

// Problem is one thing wrong with a plan. Line and Column count from 1 and are 0
// when the plan did not come from a text.
type Problem struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Field   string `json:"field,omitempty"` // "mappings[1].fields.email"
	Message string `json:"message"`         // never holds a secret
}

// String is "plan.yaml:12:5: mappings[1].when: message", without the parts that
// are not known.
func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
		}
		b.WriteString(": ")
	}
	if p.Field != "" {
		b.WriteString(p.Field)
		b.WriteString(": ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// Problems is all that is wrong with a plan; empty means nothing is.
type Problems []Problem

// Text is one problem a line.
func (ps Problems) Text() string {
	var b strings.Builder
	for _, p := range ps {
		b.WriteString(p.String())
		b.WriteByte('\n')
	}
	return b.String()
}

// Err is nil when there is no problem, else an Invalid fault that names them all.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, "%s", strings.TrimSuffix(ps.Text(), "\n"))
}

// sorted orders problems by place and drops repetitions.
func (ps Problems) sorted() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	seen := make(map[Problem]bool, len(ps))
	return slices.DeleteFunc(ps, func(p Problem) bool {
		again := seen[p]
		seen[p] = true
		return again
	})
}

func (ps *Problems) add(field, format string, args ...any) {
	*ps = append(*ps, Problem{Field: field, Message: fmt.Sprintf(format, args...)})
}

// addError files an error another package returned about field: each part of a
// joined error by itself, below field when the part names a field of its own.
func (ps *Problems) addError(field string, err error) {
	if err == nil {
		return
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range many.Unwrap() {
			ps.addError(field, e)
		}
		return
	}
	text := err.Error()
	if e, ok := err.(*fault.Error); ok && e.Field != "" {
		field = below(field, e.Field)
		text = strings.TrimPrefix(text, e.Field+": ")
	}
	ps.add(field, "%s", text)
}
