package eval

import (
	"bytes"
	"slices"
	"strings"

	"github.com/segue-xm/segue/internal/core/fql"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// A filter looks at few values of an event, and building all the others is most
// of the work of judging it. needs are the parts of an event that a filter can
// look at: an event with only these gives the same answer.
type needs []need

// need is one top-level member, of which the filter sees only the members in
// keys, or everything.
type need struct {
	member string // with quotes, as it is written
	keys   []string
	all    bool
}

func needsOf(f *fql.Filter) needs {
	var n needs
	n.addNode(f.Tree())
	return n
}

func (n *needs) addNode(node fql.Node) {
	switch node := node.(type) {
	case *fql.Group:
		for _, c := range node.Children {
			n.addNode(c)
		}
	case *fql.Condition:
		n.add(node.Field, node.Path)
	}
}

func (n *needs) add(field, path string) {
	member := `"` + field + `"`
	i := slices.IndexFunc(*n, func(x need) bool { return x.member == member })
	if i < 0 {
		i = len(*n)
		*n = append(*n, need{member: member})
	}
	x := &(*n)[i]
	// Paths are cut at dots and brackets, wherever they are.
	steps := strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
	if len(steps) == 0 {
		x.all = true
		return
	}
	key := jsonvalue.Text(steps[0])
	if strings.Contains(key, `\`) {
		x.all = true
		return
	}
	x.keys = append(x.keys, key)
}

// of is the need for a member, or nil. Keys with escapes are not known.
func (n needs) of(key []byte) *need {
	for i := range n {
		if string(key) == n[i].member {
			return &n[i]
		}
	}
	return nil
}

// event builds the parts of an event that are needed; text is JSON. It is nil for
// what is no object.
func (n needs) event(text []byte) *jsonvalue.Object {
	var s sparseEvent
	s.start(n)
	if err := jsonvalue.Walk(text, &s); err != nil {
		return nil
	}
	return s.object(text)
}

// sparseEvent visits an event and builds the parts of it that are needed.
type sparseEvent struct {
	needs   needs
	built   *jsonvalue.Object
	part    sparseMember
	escaped bool // a key is written with escapes and cannot be compared as it is
}

func (s *sparseEvent) start(n needs) {
	*s = sparseEvent{needs: n, built: jsonvalue.NewObject(len(n))}
}

// object is the visited event; text is what it was visited in.
func (s *sparseEvent) object(text []byte) *jsonvalue.Object {
	if !s.escaped {
		return s.built
	}
	whole, err := jsonvalue.ParseObject(text)
	if err != nil {
		return nil
	}
	return whole
}

// Enter visits the inside of a member of which only a part is needed.
func (s *sparseEvent) Enter(key []byte) jsonvalue.Visitor {
	n := s.needs.of(key)
	if n == nil || n.all {
		return nil
	}
	s.part = sparseMember{event: s, keys: n.keys, built: jsonvalue.NewObject(len(n.keys))}
	return &s.part
}

// Member takes a member that is needed.
func (s *sparseEvent) Member(key, value []byte) error {
	n := s.needs.of(key)
	if n == nil {
		s.escaped = s.escaped || bytes.IndexByte(key, '\\') >= 0
		return nil
	}
	var v any = s.part.built
	if n.all || value[0] != '{' {
		var err error
		if v, err = parse(value); err != nil {
			return err
		}
	}
	s.built.Set(n.member[1:len(n.member)-1], v)
	return nil
}

// sparseMember visits one member's object and builds the parts that are needed.
type sparseMember struct {
	event *sparseEvent
	keys  []string
	built *jsonvalue.Object
}

// Enter visits nothing deeper.
func (s *sparseMember) Enter([]byte) jsonvalue.Visitor { return nil }

// Member takes a value that is needed.
func (s *sparseMember) Member(key, value []byte) error {
	i := slices.Index(s.keys, string(key))
	if i < 0 {
		s.event.escaped = s.event.escaped || bytes.IndexByte(key, '\\') >= 0
		return nil
	}
	v, err := parse(value)
	if err != nil {
		return err
	}
	s.built.Set(s.keys[i][1:len(s.keys[i])-1], v)
	return nil
}

// parse is jsonvalue.Parse for a text that is known to be JSON: most values that
// filters look at are plain strings.
func parse(text []byte) (any, error) {
	if text[0] == '"' && bytes.IndexByte(text, '\\') < 0 {
		return string(text[1 : len(text)-1]), nil
	}
	return jsonvalue.Parse(text)
}
