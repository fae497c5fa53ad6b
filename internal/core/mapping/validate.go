package mapping

import (
	"fmt"
	"slices"
	"strings"

	"github.com/segue-xm/segue/internal/core/js"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Bounds on a mapping. Nobody writes mappings near them; they keep a generated or
// hostile one from exhausting a process.
const (
	maxDepth  = jsonvalue.MaxDepth
	maxValues = 20_000
	// keysPerValue is how many bytes of keys count as one more value in each that is
	// below them: the way to a value is written out wherever it may fail.
	keysPerValue = 100
)

// Lengths of @replace's texts in UTF-16 units, as Segment limits them.
const (
	maxPattern     = 10
	maxReplacement = 10
)

const metadataKey = "_metadata"

func isDirectiveKey(key string) bool { return strings.HasPrefix(key, "@") }

func hasDirectiveKey(o *jsonvalue.Object) bool {
	for k := range o.All() {
		if isDirectiveKey(k) {
			return true
		}
	}
	return false
}

// problems collects what is wrong while a mapping is walked.
type problems []Problem

func (ps *problems) addf(path, format string, args ...any) {
	*ps = append(*ps, Problem{showPath(path), fmt.Sprintf(format, args...)})
}

// check looks at one value of a mapping. Checks follow what Segment refuses
// before it resolves anything: literal arrays are not looked into.
type check func(ps *problems, v any, path string)

// fieldCheck is the check of one named argument of a directive. What is inside an
// object is checked for all arguments alike, so the check looks at the type only:
// looking inside twice would double the work at every level.
type fieldCheck struct {
	name     string
	required bool
	check    check
}

var directiveChecks map[string]check

func init() { // a variable with an initialiser would be an initialisation cycle
	directiveChecks = map[string]check{
		"@path":            checkText,
		"@template":        checkText,
		"@literal":         checkRaw,
		"@excludeWhenNull": checkRaw,
		"@liquid":          checkString,
		"@arrayPath":       checkArrayPath,
		"@if":              fieldChecks(),
		"@case": fieldChecks(
			fieldCheck{"operator", false, checkString},
			fieldCheck{"value", false, textOrDirective}),
		"@replace": fieldChecks(
			fieldCheck{"pattern", true, lengthCheck(1, maxPattern)},
			fieldCheck{"replacement", false, lengthCheck(0, maxReplacement)},
			fieldCheck{"value", true, textOrDirective},
			fieldCheck{"ignorecase", false, checkBoolean},
			fieldCheck{"global", false, checkBoolean}),
		"@json": fieldChecks(
			fieldCheck{"value", true, anything},
			fieldCheck{"mode", true, wordCheck("encode", "decode")}),
		"@flatten": fieldChecks(
			fieldCheck{"separator", false, checkString},
			fieldCheck{"value", true, anything}),
		"@merge": fieldChecks(
			fieldCheck{"direction", false, wordCheck("left", "right")},
			fieldCheck{"objects", true, checkMergeObjects}),
		"@transform": fieldChecks(
			fieldCheck{"apply", true, objectOrDirective},
			fieldCheck{"mapping", true, objectOrDirective}),
	}
}

// validate collects everything that makes a mapping unusable.
func validate(mapping any) problems {
	var ps problems
	if n, deep := size(mapping, maxDepth, maxValues, 0); deep || n > maxValues {
		ps.addf("", "is too large: at most %d values (one more for every %d bytes of keys on the way to each), nested at most %d deep", maxValues, keysPerValue, maxDepth)
		return ps
	}
	checkAny(&ps, mapping, "")
	return ps
}

// size counts values, giving up beyond limit or when nested deeper than depth; keys
// is the bytes of keys on the way.
func size(v any, depth, limit, keys int) (n int, deep bool) {
	if depth == 0 {
		return 1, true
	}
	n = 1 + keys/keysPerValue
	each := func(key string, e any) bool {
		m, d := size(e, depth-1, limit-n, keys+len(key))
		n += m
		deep = deep || d
		return !deep && n <= limit
	}
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if !each("", e) {
				break
			}
		}
	case *jsonvalue.Object:
		for k, e := range v.All() {
			if !each(k, e) {
				break
			}
		}
	}
	return n, deep
}

func checkAny(ps *problems, v any, path string) {
	o, ok := v.(*jsonvalue.Object)
	switch {
	case !ok:
	case hasDirectiveKey(o):
		checkDirective(ps, o, path)
	default:
		checkObject(ps, o, path)
	}
}

func checkDirective(ps *problems, o *jsonvalue.Object, path string) {
	var names []string
	others := false
	for k := range o.All() {
		if isDirectiveKey(k) {
			names = append(names, k)
		} else if k != metadataKey {
			others = true
		}
	}
	if len(names) > 1 || others {
		ps.addf(path, "should only have one @-prefixed key but it has %d keys", o.Len())
		return
	}
	c, ok := directiveChecks[names[0]]
	if !ok {
		ps.addf(path, "has an invalid directive: %s", names[0])
		return
	}
	c(ps, o.Get(names[0]), path+"/"+names[0])
}

func checkObject(ps *problems, v any, path string) {
	o, ok := v.(*jsonvalue.Object)
	if !ok || hasDirectiveKey(o) {
		ps.addf(path, "should be an object but it is %s", article(typeName(v)))
		return
	}
	for k, e := range o.All() {
		checkAny(ps, e, path+"/"+k)
	}
}

// fieldChecks checks the object of a directive's named arguments.
func fieldChecks(fields ...fieldCheck) check {
	return func(ps *problems, v any, path string) {
		o, ok := v.(*jsonvalue.Object)
		if !ok || hasDirectiveKey(o) {
			checkObject(ps, v, path)
			return
		}
		for k, e := range o.All() {
			p := path + "/" + k
			before := len(*ps)
			checkAny(ps, e, p)
			if len(*ps) > before {
				continue
			}
			if i := slices.IndexFunc(fields, func(f fieldCheck) bool { return f.name == k }); i >= 0 {
				fields[i].check(ps, e, p)
			}
		}
		for _, f := range fields {
			if f.required && !o.Has(f.name) {
				ps.addf(path, "should have field %q but it doesn't", f.name)
			}
		}
	}
}

// checkRaw accepts any value, and a directive when it is a good one. A plain
// object passes as it is.
func checkRaw(ps *problems, v any, path string) {
	if typeName(v) == "directive" {
		checkDirective(ps, v.(*jsonvalue.Object), path)
	}
}

// checkText wants a text, or a directive that is a good one.
func checkText(ps *problems, v any, path string) {
	textOrDirective(ps, v, path)
	checkRaw(ps, v, path)
}

func textOrDirective(ps *problems, v any, path string) {
	if t := typeName(v); t != "string" && t != "directive" {
		ps.addf(path, "should be a string or a mapping directive but it is %s", article(t))
	}
}

func objectOrDirective(ps *problems, v any, path string) {
	if t := typeName(v); t != "object" && t != "directive" {
		ps.addf(path, "should be an object or a mapping directive but it is %s", article(t))
	}
}

func anything(*problems, any, string) {}

func typeCheck(want string) check {
	return func(ps *problems, v any, path string) {
		if t := typeName(v); t != want {
			ps.addf(path, "should be %s but it is %s", article(want), article(t))
		}
	}
}

var (
	checkString  = typeCheck("string")
	checkBoolean = typeCheck("boolean")
	checkArray   = typeCheck("array")
)

func lengthCheck(least, most int) check {
	return func(ps *problems, v any, path string) {
		checkString(ps, v, path)
		s, ok := v.(string)
		if n := js.Length(s); ok && n < least {
			ps.addf(path, "should be a string of length %d or greater", least)
		} else if n > most {
			ps.addf(path, "should be a string of length %d or less", most)
		}
	}
}

// wordCheck accepts the words in any letter case, as Segment does; resolving then
// wants them in lower case.
func wordCheck(words ...string) check {
	return func(ps *problems, v any, path string) {
		checkString(ps, v, path)
		if s, ok := v.(string); ok && !slices.Contains(words, strings.ToLower(s)) {
			ps.addf(path, "should be one of %s but it is %q", strings.Join(words, ", "), s)
		}
	}
}

func checkArrayPath(ps *problems, v any, path string) {
	args, ok := v.([]any)
	if !ok {
		checkArray(ps, v, path)
		return
	}
	checkText(ps, js.At(args, 0), path+"/0")
	checkAny(ps, js.At(args, 1), path+"/1")
}

func checkMergeObjects(ps *problems, v any, path string) {
	checkArray(ps, v, path)
	items, _ := v.([]any)
	for i, item := range items {
		p := fmt.Sprintf("%s/%d", path, i)
		objectOrDirective(ps, item, p)
		checkAny(ps, item, p)
	}
}
