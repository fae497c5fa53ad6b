package fql

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Operator is what a condition asks of a value. Those without a constant here
// are legal in a text and never true.
type Operator string

// The operators. The number, string and boolean tests are false, the negated
// ones too, for a value of another type; only != is true for it.
const (
	Equal           Operator = "="  // the string Value
	NotEqual        Operator = "!=" // anything but the string Value, also missing
	Less            Operator = "<"
	LessOrEqual     Operator = "<="
	Greater         Operator = ">"
	GreaterOrEqual  Operator = ">="
	NumberEquals    Operator = "number_equals"
	NumberNotEquals Operator = "number_not_equals" // a number, and another one
	Contains        Operator = "contains"
	NotContains     Operator = "not_contains" // a string without it
	StartsWith      Operator = "starts_with"
	NotStartsWith   Operator = "not_starts_with"
	EndsWith        Operator = "ends_with"
	NotEndsWith     Operator = "not_ends_with"
	Exists          Operator = "exists" // neither missing nor null
	NotExists       Operator = "not_exists"
	IsTrue          Operator = "is_true"
	IsFalse         Operator = "is_false"
)

// The group operators.
const (
	joinAnd = "and"
	joinOr  = "or"
)

// maxTreeDepth bounds a tree read from JSON; a text makes three levels at most.
const maxTreeDepth = 16

// Node is a Condition or a Group of a filter's tree.
type Node interface {
	// String is the node's FQL text.
	String() string
	node()
}

// Condition is one test of one value.
type Condition struct {
	Field    string   // type, event, name, userId, properties, traits or context
	Path     string   // below properties, traits and context: steps with dots between
	Operator Operator // as really understood
	Value    any      // string, float64 or bool; nil when the operator takes none

	// half is the value of a suffix test whose first character was cut in two:
	// the low surrogate that must come before Value.
	half     rune
	pos, end int // the bytes of the text this came from
}

// Group joins its children with "and" or "or". One without children is what ()
// makes: judging it fails.
type Group struct {
	Operator string
	Children []Node
}

func (*Condition) node() {}
func (*Group) node()     {}

// String is the condition's FQL text. Where FQL cannot say it (a value with a
// double quote in it), the text means something else: see Group.Text.
func (c *Condition) String() string {
	left := c.left()
	switch c.Operator {
	case Exists:
		return left + " != null"
	case NotExists:
		return left + " = null"
	case IsTrue:
		return left + " = true"
	case IsFalse:
		return left + " = false"
	case NumberEquals:
		return left + " = " + c.literal()
	case NumberNotEquals:
		return left + " != " + c.literal()
	case Contains:
		return "contains(" + left + `, "` + c.text() + `")`
	case NotContains:
		return "!contains(" + left + `, "` + c.text() + `")`
	case StartsWith:
		return "match(" + left + `, "` + c.text() + `*")`
	case NotStartsWith:
		return "!match(" + left + `, "` + c.text() + `*")`
	case EndsWith:
		return "match(" + left + `, "` + c.suffix() + `")`
	case NotEndsWith:
		return "!match(" + left + `, "` + c.suffix() + `")`
	}
	return left + " " + string(c.Operator) + " " + c.literal()
}

// suffix is the pattern of a suffix test: the value behind a character that is
// cut off, or cut in two.
func (c *Condition) suffix() string {
	if c.half != 0 {
		return string(utf16.DecodeRune(0xd800, c.half)) + c.text()
	}
	return "*" + c.text()
}

// Where is the path of the value the condition looks at, without escapes.
func (c *Condition) Where() string {
	if c.Path == "" {
		return c.Field
	}
	return c.Field + "." + c.Path
}

// left is the field and its path, escaped.
func (c *Condition) left() string {
	if c.Path == "" {
		return c.Field
	}
	var b strings.Builder
	b.WriteString(c.Field)
	b.WriteByte('.')
	for i, step := range strings.Split(c.Path, ".") {
		if i > 0 {
			b.WriteByte('.')
		}
		escapePathStep(&b, step)
	}
	return b.String()
}

// escapePathStep writes one step so that the lexer reads it as one name: also
// the first character of what looks like a number or a keyword is escaped.
func escapePathStep(b *strings.Builder, step string) {
	keyword := step == joinAnd || step == joinOr || step == "null"
	for i, r := range step {
		plain := r < 0x80 && (isLetter(byte(r)) || r == '_' || (i > 0 && (isDigit(byte(r)) || r == '-')))
		if !plain || (i == 0 && keyword) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
}

// text is the value as text, as string tests use it.
func (c *Condition) text() string {
	switch v := c.Value.(type) {
	case string:
		return v
	case float64:
		return jsonvalue.NumberText(v)
	case bool:
		return strconv.FormatBool(v)
	}
	return "null"
}

// literal is the value as FQL writes it.
func (c *Condition) literal() string {
	switch v := c.Value.(type) {
	case string:
		return `"` + v + `"`
	case float64:
		if v != v {
			return "-" // the only way to write a number that is none
		}
		return strconv.FormatFloat(v, 'f', -1, 64) // exponents cannot be read
	}
	return c.text()
}

// String is the group's FQL text, as Segment's builder writes it. It need not
// mean the same when it is read again; see Text.
func (g *Group) String() string {
	parts := make([]string, len(g.Children))
	for i, child := range g.Children {
		parts[i] = child.String()
		if _, nested := child.(*Group); nested {
			parts[i] = "(" + parts[i] + ")"
		}
	}
	return strings.Join(parts, " "+g.Operator+" ")
}

// Text is String for a tree whose text reads back as the same tree. Otherwise
// the error is Invalid and says what FQL cannot express.
func (g *Group) Text() (string, error) {
	if err := g.check(0); err != nil {
		return "", err
	}
	text := g.String()
	f, err := Compile(text)
	if err != nil {
		return "", fault.New(fault.Invalid, "the conditions cannot be written as a filter: %s", fault.Public(err))
	}
	if culprit := difference(g, f.tree); culprit != "" {
		return "", fault.New(fault.Invalid, "a filter cannot express %s", culprit)
	}
	return text, nil
}

// check holds a tree that people made to the shapes a text can have.
func (g *Group) check(depth int) error {
	if depth > maxTreeDepth {
		return fault.New(fault.Invalid, "groups nested deeper than %d levels", maxTreeDepth)
	}
	if g.Operator != joinAnd && g.Operator != joinOr {
		return fault.Field("operator", "a group's operator is and or or, not %q", g.Operator)
	}
	if len(g.Children) == 0 {
		return fault.Field("children", "a group needs a condition")
	}
	for _, child := range g.Children {
		switch child := child.(type) {
		case *Group:
			if err := child.check(depth + 1); err != nil {
				return err
			}
		case *Condition:
			if !isField(child.Field) {
				return fault.Field("field", "%q is not a field that filters can see", child.Field)
			}
		default:
			return fault.Field("children", "a child is missing")
		}
	}
	return nil
}

// difference names the first part of want that have does not say.
func difference(want, have Node) string {
	switch want := want.(type) {
	case *Condition:
		if h, ok := have.(*Condition); ok && want.Where() == h.Where() && want.Operator == h.Operator && sameValue(want.Value, h.Value) && want.half == h.half {
			return ""
		}
		return fmt.Sprintf("%s %s %s", want.Where(), want.Operator, jsonvalue.Text(want.Value))
	case *Group:
		h, ok := have.(*Group)
		// A group of one is its child.
		if len(want.Children) == 1 && (!ok || len(h.Children) != 1) {
			return difference(want.Children[0], have)
		}
		if !ok || len(h.Children) != len(want.Children) || (len(want.Children) > 1 && h.Operator != want.Operator) {
			return "this group: " + want.String()
		}
		for i := range want.Children {
			if d := difference(want.Children[i], h.Children[i]); d != "" {
				return d
			}
		}
	}
	return ""
}

func sameValue(a, b any) bool {
	x, xok := a.(float64)
	y, yok := b.(float64)
	return a == b || (xok && yok && x != x && y != y)
}

// treeJSON is the form of a tree's node in JSON.
type treeJSON struct {
	Operator string            `json:"operator"`
	Children []json.RawMessage `json:"children,omitempty"`
	Field    string            `json:"field,omitempty"`
	Path     string            `json:"path,omitempty"`
	Value    json.RawMessage   `json:"value,omitempty"`
}

// MarshalJSON writes {"field", "path", "operator", "value"}.
func (c *Condition) MarshalJSON() ([]byte, error) {
	j := treeJSON{Operator: string(c.Operator), Field: c.Field, Path: c.Path}
	if c.Value != nil {
		j.Value = jsonvalue.Append(nil, c.Value)
	}
	return json.Marshal(j)
}

// MarshalJSON writes {"operator", "children"}.
func (g *Group) MarshalJSON() ([]byte, error) {
	children := g.Children
	if children == nil {
		children = []Node{}
	}
	return json.Marshal(struct {
		Operator string `json:"operator"`
		Children []Node `json:"children"`
	}{g.Operator, children})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (g *Group) UnmarshalJSON(b []byte) error { return g.read(b, 0) }

func (g *Group) read(b []byte, depth int) error {
	if depth > maxTreeDepth {
		return fault.New(fault.Invalid, "groups nested deeper than %d levels", maxTreeDepth)
	}
	var j treeJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return fault.Wrap(fault.Invalid, err, "not a condition tree")
	}
	*g = Group{Operator: j.Operator}
	for _, raw := range j.Children {
		var c treeJSON
		if err := json.Unmarshal(raw, &c); err != nil {
			return fault.Wrap(fault.Invalid, err, "not a condition tree")
		}
		if c.Field == "" {
			child := &Group{}
			if err := child.read(raw, depth+1); err != nil {
				return err
			}
			g.Children = append(g.Children, child)
			continue
		}
		child := &Condition{Field: c.Field, Path: c.Path, Operator: Operator(c.Operator)}
		if len(c.Value) > 0 {
			v, err := jsonvalue.Parse(c.Value)
			if err != nil {
				return err
			}
			switch v.(type) {
			case nil, string, float64, bool:
				child.Value = v
			default:
				return fault.Field("value", "want text, a number or a boolean, have %s", jsonvalue.TypeName(v))
			}
		}
		g.Children = append(g.Children, child)
	}
	return nil
}
