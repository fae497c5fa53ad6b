package fql_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/fql"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/core/plan"
)

// TestDocs_Filters_ExamplesHold runs the fql blocks of docs/filters.md. A line
// that is not indented is a filter; what is indented under it is said of it:
//
//	matches {event}, not {event}, fails {event}
//	invalid reason
//	lint finding           each one that there is, and no other
//	better filter          what is below is said of this one, which has no finding
func TestDocs_Filters_ExamplesHold(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/filters.md")
	require.NoError(t, err)
	claims := 0
	for _, block := range strings.Split(string(text), "\n```fql\n")[1:] {
		block, _, _ = strings.Cut(block, "\n```")
		var e *example
		for line := range strings.Lines(block) {
			line = strings.TrimRight(line, "\n")
			if line == "" {
				continue
			}
			if !strings.HasPrefix(line, "  ") {
				e.check(t)
				e = &example{filter: line}
				continue
			}
			word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
			e.say(t, word, strings.TrimSpace(rest))
			claims++
		}
		e.check(t)
	}
	require.Greater(t, claims, 60)
}

type example struct {
	filter string
	lint   []string
}

// say holds one claim about the filter.
func (e *example) say(t *testing.T, word, rest string) {
	t.Helper()
	f, err := fql.Compile(e.filter)
	switch word {
	case "lint":
		e.lint = append(e.lint, rest)
		return
	case "invalid":
		require.Error(t, err, e.filter)
		require.Contains(t, fault.Public(err), rest, e.filter)
		return
	case "better":
		e.check(t)
		e.filter, e.lint = rest, nil
		return
	}
	require.NoError(t, err, e.filter)
	event, err := jsonvalue.ParseObject([]byte(rest))
	require.NoError(t, err, rest)
	got, err := f.Match(event)
	switch word {
	case "matches", "not":
		require.NoError(t, err, e.filter)
		require.Equal(t, word == "matches", got, "%s\n%s", e.filter, rest)
	case "fails":
		require.Error(t, err, e.filter)
	default:
		t.Fatalf("%q is no claim", word)
	}
}

// check holds that the filter has the findings told, and no others.
func (e *example) check(t *testing.T) {
	t.Helper()
	if e == nil {
		return
	}
	var have []string
	for _, f := range fql.Lint(e.filter) {
		have = append(have, fmt.Sprintf("column %d: %s", f.Column, f))
	}
	require.Equal(t, have, e.lint, e.filter)
}

// TestDocs_Filters_DefaultsAreThoseOfTheActions holds the table of defaults.
func TestDocs_Filters_DefaultsAreThoseOfTheActions(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/filters.md")
	require.NoError(t, err)
	for _, action := range []string{plan.UpsertContact, plan.UpsertTransaction} {
		require.Contains(t, string(text), "| `"+action+"` | `"+mapping.DefaultFilter(action)+"` |")
	}
}
