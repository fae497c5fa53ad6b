package plan

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// object reads free-form JSON, keeping the order of its keys.
func (r *reader) object(n *yaml.Node, path string, depth int) *jsonvalue.Object {
	pairs := r.pairs(n, path, depth)
	o := jsonvalue.NewObject(len(pairs))
	for _, kv := range pairs {
		o.Set(kv.key, r.value(kv.value, member(path, kv.key), depth+1))
	}
	return o
}

// value reads any JSON value; what is wrong reads as null, with a problem filed.
func (r *reader) value(n *yaml.Node, path string, depth int) any {
	n, leave := r.enter(n, path, depth)
	if n == nil {
		return nil
	}
	defer leave()
	switch n.Kind {
	case yaml.MappingNode:
		return r.object(n, path, depth)
	case yaml.SequenceNode:
		a := make([]any, 0, min(len(n.Content), 1024))
		for i, e := range n.Content {
			if r.full {
				break
			}
			a = append(a, r.value(e, element(path, i), depth+1))
		}
		return a
	}
	return r.plain(n, path)
}

// plain is the JSON value of a scalar node.
func (r *reader) plain(n *yaml.Node, path string) any {
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		if b, ok := boolean(n); ok {
			return b
		}
		r.problemAt(n, path, "%q is neither true nor false", clip(n.Value))
		return nil
	case "!!int", "!!float":
		if f, ok := r.number(n, path); ok {
			return f
		}
		return nil
	}
	return n.Value
}

// boolean is the value of a boolean node.
func boolean(n *yaml.Node) (value, ok bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" {
		return false, false
	}
	value = strings.EqualFold(n.Value, "true")
	return value, value || strings.EqualFold(n.Value, "false")
}

var leadingZero = regexp.MustCompile(`^[-+]?0[0-9_]+$`)

// number is the double of a numeric node. What a double cannot hold, or what
// YAML reads otherwise than people do, is a problem rather than another number.
func (r *reader) number(n *yaml.Node, path string) (float64, bool) {
	if leadingZero.MatchString(n.Value) {
		r.problemAt(n, path, "the number %s begins with 0: put it in quotes if it is a text, such as a phone number", clip(n.Value))
		return 0, false
	}
	var f float64
	var x any
	if err := n.Decode(&x); err != nil {
		r.problemAt(n, path, "%q is not a number", clip(n.Value))
		return 0, false
	}
	exact := true
	switch x := x.(type) {
	case int:
		f, exact = float64(x), x >= -1<<53 && x <= 1<<53
	case int64:
		f, exact = float64(x), x >= -1<<53 && x <= 1<<53
	case uint64:
		f, exact = float64(x), false
	case float64:
		f = x
	default:
		r.problemAt(n, path, "%q is not a number", clip(n.Value))
		return 0, false
	}
	if !exact {
		r.problemAt(n, path, "the number %s is too large to be kept exactly: put it in quotes to keep its digits", clip(n.Value))
		return 0, false
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		r.problemAt(n, path, "%s is not a number that JSON has", clip(n.Value))
		return 0, false
	}
	if f == 0 {
		f = 0 // minus zero too
	}
	return f, true
}

func (r *reader) mismatch(n *yaml.Node, t reflect.Type, path string) {
	hint := ""
	if t.Kind() == reflect.String && (n.ShortTag() == "!!int" || n.ShortTag() == "!!float" || n.ShortTag() == "!!bool") {
		hint = ": put it in quotes"
	}
	r.problemAt(n, path, "want %s, found %s%s", wanted(t), found(n, t == typeSecret), hint)
}

// isText reports whether a node is a text. A timestamp is one: YAML makes them
// of unquoted dates, JSON has none.
func isText(n *yaml.Node) bool {
	t := n.ShortTag()
	return n.Kind == yaml.ScalarNode && (t == "!!str" || t == "!!timestamp" || t == "!!merge")
}

// wanted names what a type is written as.
func wanted(t reflect.Type) string {
	switch {
	case t == typeDuration:
		return "a duration such as 3d"
	case t == typeObject:
		return "an object (keys and values)"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return wanted(t.Elem())
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Interface:
		return "a text, a number, true or false"
	case reflect.Slice:
		switch e := t.Elem(); {
		case e.Kind() == reflect.Struct:
			return "a list of objects"
		case e.Kind() == reflect.Slice:
			return "a list of lists of texts"
		}
		return "a list of texts"
	}
	return "an object (keys and values)"
}

// found names what a node is; of a secret never its text.
func found(n *yaml.Node, secret bool) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "an object"
	case yaml.SequenceNode:
		return "a list"
	}
	what := "the text"
	switch n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!bool":
		return n.Value
	case "!!int", "!!float":
		what = "the number"
	}
	if secret {
		return "a" + what[len("the"):]
	}
	if what == "the number" {
		return what + " " + clip(n.Value)
	}
	return fmt.Sprintf("%s %q", what, clip(n.Value))
}

// clip shortens a text for a message.
func clip(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}
