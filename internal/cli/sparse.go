package cli

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/segue-xm/segue/internal/fql"
	"github.com/segue-xm/segue/internal/jsonvalue"
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

// errEscaped says that a key is written with escapes and cannot be compared as
// it is.
var errEscaped = errors.New("a key has escapes")

// event builds the parts of an event that are needed; text is JSON. It is nil for
// what is no object.
func (n needs) event(text []byte) *jsonvalue.Object {
	o := jsonvalue.NewObject(len(n))
	err := jsonvalue.Members(text, func(key, value []byte) error {
		if bytes.IndexByte(key, '\\') >= 0 {
			return errEscaped
		}
		for i := range n {
			if string(key) == n[i].member {
				v, err := n[i].value(value)
				if err != nil {
					return err
				}
				o.Set(n[i].member[1:len(n[i].member)-1], v)
			}
		}
		return nil
	})
	if err == nil {
		return o
	}
	o, err = jsonvalue.ParseObject(text)
	if err != nil {
		return nil
	}
	return o
}

func (n *need) value(text []byte) (any, error) {
	if n.all || text[0] != '{' {
		return parse(text)
	}
	o := jsonvalue.NewObject(len(n.keys))
	return o, jsonvalue.Members(text, func(key, value []byte) error {
		if bytes.IndexByte(key, '\\') >= 0 {
			return errEscaped
		}
		if i := slices.Index(n.keys, string(key)); i >= 0 {
			v, err := parse(value)
			if err != nil {
				return err
			}
			o.Set(n.keys[i][1:len(n.keys[i])-1], v)
		}
		return nil
	})
}

// parse is jsonvalue.Parse for a text that is known to be JSON: most values that
// filters look at are plain strings.
func parse(text []byte) (any, error) {
	if text[0] == '"' && bytes.IndexByte(text, '\\') < 0 {
		return string(text[1 : len(text)-1]), nil
	}
	return jsonvalue.Parse(text)
}
