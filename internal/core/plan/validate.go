package plan

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Checks is what other packages know about the texts in a plan. A nil check is
// skipped. An error may be joined of several, and a fault's Field names a place
// below the one checked.
type Checks struct {
	// Filter judges an FQL text.
	Filter func(text string) error
	// Mapping judges the fields of a mapping, nil when left out, against the
	// fields of its action; builtIn says the destination is a directory.
	Mapping func(action string, fields *jsonvalue.Object, builtIn bool) error
	// Condition judges a CEL text.
	Condition func(cel string) error
	// Path judges a JSONPath.
	Path func(jsonpath string) error
	// Template judges a Liquid text.
	Template func(text string) error
	// Task judges the settings of a task, nil when left out.
	Task func(kind string, with *jsonvalue.Object) error
}

// Validate finds what is wrong with an expanded plan by itself and by c: names
// that nothing has, values outside their list, rules between keys. All problems
// are reported at once. It changes nothing.
func (p *Plan) Validate(c Checks) Problems {
	v := &validator{plan: p, checks: c, types: map[string]string{}}
	v.named = partNames{
		sources:      newNameSet(p.Sources, func(s Source) string { return s.Name }),
		directories:  newNameSet(p.Directories, func(d Directory) string { return d.Name }),
		destinations: newNameSet(p.Destinations, func(d Destination) string { return d.Name }),
		mappings:     newNameSet(p.Mappings, func(m Mapping) string { return m.Name }),
		surveys:      newNameSet(p.Surveys, func(s Survey) string { return s.Name }),
		workflows:    newNameSet(p.Workflows, func(w Workflow) string { return w.Name }),
	}
	for _, d := range p.Destinations {
		v.types[d.Name] = d.Type
	}
	if p.Version != 1 {
		v.add("version", "want 1, the only version there is; found %d", p.Version)
	}
	v.sources()
	v.directories()
	v.destinations()
	v.mappings()
	v.surveys()
	v.workflows()
	return v.Problems.sorted()
}

type validator struct {
	Problems
	plan   *Plan
	checks Checks
	named  partNames
	types  map[string]string // of destinations, by name
}

// partNames are the names of the plan's parts.
type partNames struct {
	sources, directories, destinations, mappings, surveys, workflows nameSet
}

// nameSet is a list of names that can be asked quickly.
type nameSet struct {
	list []string
	has  map[string]bool
}

func newNameSet[T any](list []T, name func(T) string) nameSet {
	s := nameSet{list: make([]string, len(list)), has: make(map[string]bool, len(list))}
	for i, e := range list {
		s.list[i] = name(e)
		s.has[s.list[i]] = true
	}
	return s
}

// maxName is the longest name, in characters.
const maxName = 100

var (
	namePattern  = regexp.MustCompile(`^[\pL\pN][\pL\pM\pN ._-]*$`)
	regionCode   = regexp.MustCompile(`^[A-Z]{2}$`)
	languageCode = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
	// The data center becomes a part of the host that gets the token: a dot or a
	// slash in it would send the token elsewhere.
	workflowHost = regexp.MustCompile(`^(https?://)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$`)
	datacenterID = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
)

// names checks the names of one list. A name stands in URLs, workflow ids and
// "workflow:<name>", hence no slash and no colon.
func (v *validator) names(list, kind string, names nameSet) {
	first := map[string]int{}
	for i, n := range names.list {
		at := child(element(list, i), "name")
		v.name(at, n)
		if j, ok := first[n]; ok && n != "" {
			v.add(at, "the %s %q is there twice: %s has the name too", kind, n, element(list, j))
		} else {
			first[n] = i
		}
	}
}

func (v *validator) name(at, n string) {
	switch {
	case n == "":
		v.add(at, "is required")
	case utf8.RuneCountInString(n) > maxName:
		v.add(at, "the name has more than %d characters", maxName)
	case !namePattern.MatchString(n) || strings.HasSuffix(n, " "):
		v.add(at, "%q is no name: want letters, digits, blanks, dots, _ and -, beginning with a letter or digit", clip(n))
	}
}

// one checks that a value is in its list.
func (v *validator) one(at, value string, of ...string) bool {
	switch {
	case value == "":
		v.add(at, "is required: one of %s", strings.Join(of, ", "))
	case !slices.Contains(of, value):
		v.add(at, "%q is not one of %s%s", clip(value), strings.Join(of, ", "), near(value, of))
	default:
		return true
	}
	return false
}

// near is didYouMean without the list, which the message has already.
func near(value string, of []string) string {
	if s := didYouMean(value, of); strings.HasPrefix(s, "; did") {
		return s
	}
	return ""
}

// exists checks a reference by name.
func (v *validator) exists(at, kind, name string, names nameSet) bool {
	switch {
	case name == "":
		v.add(at, "is required: the name of a %s", kind)
	case !names.has[name]:
		v.add(at, "there is no %s %q%s", kind, clip(name), v.suggest(name, names.list))
	default:
		return true
	}
	return false
}

// suggest is didYouMean, but not for the problems that will be cut off anyhow:
// it takes long when there are many names.
func (v *validator) suggest(word string, candidates []string) string {
	if len(v.Problems) > 2*maxProblems {
		return ""
	}
	return didYouMean(word, candidates)
}

// unwanted reports keys that mean nothing where they are.
func (v *validator) unwanted(at, why string, keys map[string]bool) {
	for _, k := range sortedKeys(keys) {
		if keys[k] {
			v.add(child(at, k), "means nothing %s", why)
		}
	}
}

func sortedKeys(m map[string]bool) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// check files what a check of another package says; a nil check says nothing.
func (v *validator) check(at string, f func(string) error, text string) {
	if f != nil {
		v.addError(at, f(text))
	}
}

// secret checks how a secret is written. The message never holds it.
func (v *validator) secret(at string, s Secret) {
	if s == "" {
		v.add(at, "is empty")
		return
	}
	if strings.Contains(wellFormed.ReplaceAllString(string(s), " "), "${") {
		v.add(at, "has a ${ that is no ${NAME}: names have letters, digits and _; write $${ for a plain ${")
	}
}

// wellFormed is what scan takes for a reference or an escape.
var wellFormed = regexp.MustCompile(`\$\$\{|\$\{[A-Za-z_][A-Za-z0-9_]*\}`)
