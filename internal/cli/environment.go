package cli

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

const prefix = "SEGUE_"

// environment is every name with our prefix that is not a flag of some command:
// exact, or the start of names when it ends in _.
var environment = []string{
	"SEGUE_CONFORMANCE",    // tests: a directory with more cases
	"SEGUE_TEST_",          // tests
	"SEGUE_REQUIRE_",       // tests: what must be there, not skipped
	"SEGUE_DEMO_WRITE_KEY", // the onboarding example refers to it
}

// serviceLink are the names that Kubernetes and Docker set for a service called
// segue or segue-…; they are nobody's settings.
var serviceLink = regexp.MustCompile(`_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$|_PORT$|_PORT_\d+_(TCP|UDP)(_(ADDR|PORT|PROTO))?$`)

// checkEnvironment refuses names with our prefix that mean nothing: a misspelled
// setting must not be ignored.
func checkEnvironment(environ []string) error {
	known := append(flagNames(reflect.TypeFor[commands]()), environment...)
	var errs []error
	for _, e := range environ {
		name, _, _ := strings.Cut(e, "=")
		if !strings.HasPrefix(name, prefix) || serviceLink.MatchString(name) || slices.ContainsFunc(known, func(k string) bool {
			return name == k || strings.HasSuffix(k, "_") && strings.HasPrefix(name, k)
		}) {
			continue
		}
		errs = append(errs, fmt.Errorf("%s: no such setting%s", name, suggest(name, known)))
	}
	return usage(errors.Join(errs...))
}

// flagNames are the environment names in the tags of a struct of commands.
func flagNames(t reflect.Type) (names []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		if env := f.Tag.Get("env"); env != "" {
			names = append(names, strings.Split(env, ",")...)
		} else if f.Type.Kind() == reflect.Struct {
			names = append(names, flagNames(f.Type)...)
		}
	}
	return names
}

func suggest(name string, known []string) string {
	best, least := "", len(name)/3
	for _, k := range known {
		if d := distance(name[len(prefix):], k[len(prefix):]); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return "; segue dev --help lists them"
	}
	return "; did you mean " + best + "?"
}

// distance is the least number of letters to insert, delete or replace to make b
// of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := corner
			if a[i] != b[j] {
				cost++
			}
			corner = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
