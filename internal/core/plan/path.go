package plan

import (
	"regexp"
	"strconv"
	"strings"
)

// A field path is how people find a place in a plan: "mappings[1].fields.email",
// `fields["a b"]` for keys that are no plain word.

var plainKey = regexp.MustCompile(`^[@A-Za-z_][A-Za-z0-9_@-]*$`)

// maxPathKey bounds what one key adds to a path, so that paths stay short
// however long keys are.
const maxPathKey = 60

// child is the path of a key below path. A key may itself be a path.
func child(path, key string) string {
	switch {
	case strings.HasPrefix(key, "["):
		return path + key
	case path == "":
		return key
	}
	return path + "." + key
}

// member is the path of an arbitrary key below path.
func member(path, key string) string {
	if r := []rune(key); len(r) > maxPathKey {
		key = string(r[:maxPathKey]) + "…"
	}
	if plainKey.MatchString(key) {
		return child(path, key)
	}
	return path + "[" + strconv.Quote(key) + "]"
}

// below is the path of what another package calls key, below path: a path or a
// JSON pointer such as /email/@replace/pattern.
func below(path, key string) string {
	pointer, ok := strings.CutPrefix(key, "/")
	if !ok {
		return child(path, key)
	}
	for k := range strings.SplitSeq(pointer, "/") {
		k = strings.NewReplacer("~1", "/", "~0", "~").Replace(k)
		if i, err := strconv.Atoi(k); err == nil && i >= 0 {
			path = element(path, i)
		} else if k != "" {
			path = member(path, k)
		}
	}
	return path
}

// element is the path of the i-th element of a list.
func element(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// parent is the path without its last part; "" at the top.
func parent(path string) string {
	if strings.HasSuffix(path, `"]`) {
		if i := strings.LastIndex(path, `["`); i >= 0 {
			return path[:i]
		}
	}
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}
