package console

import (
	"strconv"
	"strings"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Node is one value of a JSON tree as a page shows it.
type Node struct {
	Key      string
	Path     string // JSONPath, with brackets where a key needs them
	Type     string // object, array, string, number, boolean, null
	Text     string // of a leaf, as JSON
	Count    string // of an object or array: how many members
	Note     string // instead of what was left out
	Children []Node
	Open     bool
	CopyPath string // label of the button that copies the path
}

// maxNodes bounds a tree so that a large payload does not freeze its reader; the
// raw text is always whole.
const maxNodes = 1000

const maxLeaf = 400 // characters of a text shown in a tree

// Tree is a value as nested lists. The first two levels are open.
func (v *View) Tree(root string, value any) Node {
	left := maxNodes
	return v.node("", root, value, 0, &left)
}

// ObjectTree is Tree for what may be absent.
func (v *View) ObjectTree(root string, o *jsonvalue.Object) Node {
	if o == nil {
		return Node{}
	}
	return v.Tree(root, o)
}

func (v *View) node(key, path string, value any, depth int, left *int) Node {
	*left--
	n := Node{Key: key, Path: path, Type: jsonvalue.TypeName(value), Open: depth < 2, CopyPath: v.T("tree.copy_path", path)}
	switch x := value.(type) {
	case *jsonvalue.Object:
		n.Type = "object"
		n.Count = v.N("tree.keys", x.Len())
		for k, member := range x.All() {
			if *left <= 0 {
				n.Note = v.T("tree.more")
				break
			}
			n.Children = append(n.Children, v.node(k, path+step(k), member, depth+1, left))
		}
	case []any:
		n.Count = v.N("tree.items", len(x))
		for i, element := range x {
			if *left <= 0 {
				n.Note = v.T("tree.more")
				break
			}
			k := strconv.Itoa(i)
			n.Children = append(n.Children, v.node(k, path+"["+k+"]", element, depth+1, left))
		}
	default:
		n.Text = clip(jsonvalue.Text(value), maxLeaf)
	}
	return n
}

// step is how a key continues a JSONPath: a dot where the key is a plain word,
// else quoted brackets.
func step(key string) string {
	plain := key != ""
	for i, r := range key {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			plain = false
			break
		}
	}
	if plain {
		return "." + key
	}
	return "['" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(key) + "']"
}

func clip(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i] + "…"
		}
		n--
	}
	return s
}

// Pair is one row of a list of names and values.
type Pair struct{ Name, Text string }

// Line writes an object on one line, "plan = pro · seats = 3", at most a few
// members: what a list row has room for.
func (v *View) Line(o *jsonvalue.Object) string {
	if o == nil {
		return ""
	}
	var parts []string
	for k, value := range o.All() {
		if len(parts) == 4 {
			parts = append(parts, "…")
			break
		}
		parts = append(parts, k+" = "+clip(plainText(value), 40))
	}
	return strings.Join(parts, " · ")
}

// plainText is a value as people write it: texts without quotes.
func plainText(value any) string {
	if s, ok := value.(string); ok {
		return s
	}
	if jsonvalue.IsNil(value) {
		return "–"
	}
	return jsonvalue.Text(value)
}
