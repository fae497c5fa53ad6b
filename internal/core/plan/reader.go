package plan

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// reader fills a plan from YAML nodes, going by the Go types and their json
// tags, so that a new key of a type is read without any code here.
type reader struct {
	doc      *Document
	problems Problems
	nodes    int                 // read so far
	open     map[*yaml.Node]bool // aliased nodes being read: to notice cycles
	full     bool                // over maxNodes: said once, then nothing is read
}

func (r *reader) problemAt(n *yaml.Node, field, format string, args ...any) {
	r.doc.markBroken(field)
	if len(r.problems) > 10*maxProblems {
		return
	}
	r.problems = append(r.problems, Problem{
		Line: n.Line, Column: n.Column, Field: field, Message: fmt.Sprintf(format, args...),
	})
}

// enter notes where path is, follows an alias and guards the limits. A nil node
// means: do not go on. The caller calls leave when it did.
func (r *reader) enter(n *yaml.Node, path string, depth int) (target *yaml.Node, leave func()) {
	leave = func() {}
	if r.full {
		return nil, leave
	}
	if r.nodes++; r.nodes > maxNodes {
		r.full = true
		r.problemAt(n, path, "more than %d values, counting what aliases repeat", maxNodes)
		return nil, leave
	}
	if depth > maxDepth {
		r.problemAt(n, path, "nested deeper than %d levels", maxDepth)
		return nil, leave
	}
	// Long paths are left to their parents: positions must not outgrow the text.
	if len(path) <= 500 {
		r.doc.positions[path] = Position{n.Line, n.Column}
	}
	if n.Kind == yaml.AliasNode {
		to := n.Alias
		if r.open[to] {
			r.problemAt(n, path, "the anchor %q contains itself", n.Value)
			return nil, leave
		}
		if r.open == nil {
			r.open = map[*yaml.Node]bool{}
		}
		r.open[to] = true
		n, leave = to, func() { delete(r.open, to) }
	}
	if t := n.ShortTag(); strings.HasPrefix(t, "!") && !knownTags[t] {
		r.problemAt(n, path, "the YAML tag %s means nothing in a plan", t)
		leave()
		return nil, func() {}
	}
	return n, leave
}

// A timestamp is a text to us: JSON has no dates.
var knownTags = map[string]bool{
	"!!str": true, "!!int": true, "!!float": true, "!!bool": true, "!!null": true,
	"!!map": true, "!!seq": true, "!!timestamp": true, "!!merge": true,
}

var (
	typeSecret   = reflect.TypeFor[Secret]()
	typeDuration = reflect.TypeFor[Duration]()
	typeObject   = reflect.TypeFor[jsonvalue.Object]()
)

// read sets v from n.
func (r *reader) read(n *yaml.Node, v reflect.Value, path string, depth int) {
	n, leave := r.enter(n, path, depth)
	if n == nil {
		return
	}
	defer leave()
	r.set(n, v, path, depth)
}

// set is read for a node that was entered.
func (r *reader) set(n *yaml.Node, v reflect.Value, path string, depth int) {
	t := v.Type()
	if n.ShortTag() == "!!null" && t.Kind() != reflect.Slice && t.Kind() != reflect.Interface {
		r.problemAt(n, path, "has no value: give it %s or leave the key out", wanted(t))
		return
	}
	switch {
	case t == typeDuration:
		if !isText(n) {
			r.mismatch(n, t, path)
			return
		}
		d, err := ParseDuration(n.Value)
		if err != nil {
			r.problemAt(n, path, "%v", err)
			return
		}
		v.SetInt(int64(d))
	case t == typeObject:
		if n.Kind != yaml.MappingNode {
			r.mismatch(n, t, path)
			return
		}
		v.Set(reflect.ValueOf(r.object(n, path, depth)).Elem())
	case t.Kind() == reflect.Pointer:
		p := reflect.New(t.Elem())
		before := len(r.problems)
		r.set(n, p.Elem(), path, depth)
		if len(r.problems) == before {
			v.Set(p)
		}
	case t.Kind() == reflect.Struct:
		r.fields(n, v, path, depth)
	case t.Kind() == reflect.Slice:
		r.list(n, v, path, depth)
	case t.Kind() == reflect.Map:
		r.texts(n, v, path, depth)
	default:
		r.scalar(n, v, path)
	}
}

// scalar sets a text, number or boolean.
func (r *reader) scalar(n *yaml.Node, v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.String:
		if isText(n) {
			v.SetString(n.Value)
			return
		}
	case reflect.Bool:
		if b, ok := boolean(n); ok {
			v.SetBool(b)
			return
		}
	case reflect.Int:
		if n.ShortTag() == "!!int" {
			if f, ok := r.number(n, path); ok && f == float64(int32(f)) {
				v.SetInt(int64(f))
				return
			} else if !ok {
				return
			}
		}
	case reflect.Interface: // a field's default: any scalar
		if n.Kind == yaml.ScalarNode {
			if x := r.plain(n, path); x != nil {
				v.Set(reflect.ValueOf(x))
			}
			return
		}
	}
	r.mismatch(n, v.Type(), path)
}

// list sets a slice. Its elements are set even when some are wrong, so that the
// indexes in later messages stay right.
func (r *reader) list(n *yaml.Node, v reflect.Value, path string, depth int) {
	if n.ShortTag() == "!!null" {
		return // "sources:" with all entries commented out
	}
	if n.Kind != yaml.SequenceNode {
		r.mismatch(n, v.Type(), path)
		return
	}
	s := reflect.MakeSlice(v.Type(), 0, min(len(n.Content), 1024))
	for i, e := range n.Content {
		if r.full {
			break
		}
		el := reflect.New(v.Type().Elem()).Elem()
		r.read(e, el, element(path, i), depth+1)
		if el.Kind() == reflect.Slice && el.IsNil() {
			el.Set(reflect.MakeSlice(el.Type(), 0, 0))
		}
		s = reflect.Append(s, el)
	}
	v.Set(s)
}

// texts sets a map of texts.
func (r *reader) texts(n *yaml.Node, v reflect.Value, path string, depth int) {
	if n.Kind != yaml.MappingNode {
		r.mismatch(n, v.Type(), path)
		return
	}
	m := reflect.MakeMap(v.Type())
	for _, kv := range r.pairs(n, path, depth) {
		el := reflect.New(v.Type().Elem()).Elem()
		r.read(kv.value, el, member(path, kv.key), depth+1)
		m.SetMapIndex(reflect.ValueOf(kv.key), el)
	}
	v.Set(m)
}

// fields sets a struct.
func (r *reader) fields(n *yaml.Node, v reflect.Value, path string, depth int) {
	if n.Kind != yaml.MappingNode {
		r.mismatch(n, v.Type(), path)
		return
	}
	keys := keysOf(v.Type())
	for _, kv := range r.pairs(n, path, depth) {
		k, ok := keys.find(kv.key)
		if !ok {
			at := member(path, kv.key)
			r.problemAt(kv.at, at, "unknown key %q%s", clip(kv.key), didYouMean(kv.key, keys.names()))
			continue
		}
		f := v.Field(k.index)
		r.read(kv.value, f, child(path, kv.key), depth+1)
		// An empty list says nothing: it is kept as one left out, as in JSON.
		if (f.Kind() == reflect.Slice || f.Kind() == reflect.Map) && f.Len() == 0 {
			f.SetZero()
		}
	}
}

// pair is one key and value of a mapping node.
type pair struct {
	key   string
	at    *yaml.Node // the key
	value *yaml.Node
}

// pairs are the keys and values of a mapping node in order, merge keys (<<)
// replaced by what they stand for; a key written out wins over a merged one.
func (r *reader) pairs(n *yaml.Node, path string, depth int) []pair {
	seen := make(map[string]bool, len(n.Content)/2)
	var out []pair
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content) && !r.full; i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.ShortTag() == "!!merge" {
			merges = append(merges, v)
			continue
		}
		if k.Kind == yaml.AliasNode {
			k = k.Alias
		}
		if k.Kind != yaml.ScalarNode {
			r.problemAt(k, path, "a key must be a text; found %s", found(k, false))
			continue
		}
		if utf8.RuneCountInString(k.Value) > maxKey {
			r.problemAt(k, path, "the key %q is longer than %d characters", clip(k.Value), maxKey)
			continue
		}
		if seen[k.Value] {
			r.problemAt(k, member(path, k.Value), "the key %q is there twice", k.Value)
			continue
		}
		seen[k.Value] = true
		out = append(out, pair{k.Value, n.Content[i], v})
	}
	for _, m := range merges {
		r.merge(m, path, depth+1, func(kv pair) {
			if !seen[kv.key] {
				seen[kv.key] = true
				out = append(out, kv)
			}
		})
	}
	return out
}

// merge yields the pairs that the value of a merge key brings.
func (r *reader) merge(n *yaml.Node, path string, depth int, yield func(pair)) {
	pos, had := r.doc.positions[path]
	n, leave := r.enter(n, path, depth)
	if had {
		r.doc.positions[path] = pos // the object's place is not its merge key's
	}
	if n == nil {
		return
	}
	defer leave()
	switch n.Kind {
	case yaml.MappingNode:
		for _, kv := range r.pairs(n, path, depth) {
			yield(kv)
		}
	case yaml.SequenceNode:
		for _, e := range n.Content {
			r.merge(e, path, depth+1, yield)
		}
	default:
		r.problemAt(n, path, "<< wants an object or a list of objects; found %s", found(n, false))
	}
}

// key is one key of a struct type.
type key struct {
	name      string
	index     int
	omitEmpty bool
}

type keyList []key

func (ks keyList) find(name string) (key, bool) {
	for _, k := range ks {
		if k.name == name {
			return k, true
		}
	}
	return key{}, false
}

func (ks keyList) names() []string {
	names := make([]string, len(ks))
	for i, k := range ks {
		names[i] = k.name
	}
	return names
}

var keyCache sync.Map // reflect.Type to keyList

// keysOf are the keys of a struct type by its json tags, in order.
func keysOf(t reflect.Type) keyList {
	if ks, ok := keyCache.Load(t); ok {
		return ks.(keyList)
	}
	var ks keyList
	for i := range t.NumField() {
		name, opts, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if name != "" && name != "-" {
			ks = append(ks, key{name, i, strings.Contains(opts, "omitempty")})
		}
	}
	keyCache.Store(t, ks)
	return ks
}
