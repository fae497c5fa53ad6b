package fql

import (
	"strconv"
	"strings"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// nested are the fields whose path goes on below them.
var nested = [...]string{"properties", "traits", "context"}

// isField reports whether a filter can see the top-level field.
func isField(name string) bool {
	switch name {
	case "type", "event", "name", "userId", "properties", "traits", "context":
		return true
	}
	return false
}

// join makes one name of names with dots between them.
func join(tokens []token) []token {
	joined := tokens[:0]
	var b strings.Builder
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		if t.kind != kindIdent || !dotAndName(tokens, i+1) {
			joined = append(joined, t)
			continue
		}
		b.Reset()
		b.WriteString(t.text)
		for dotAndName(tokens, i+1) {
			i += 2
			b.WriteByte('.')
			b.WriteString(tokens[i].text)
			t.end = tokens[i].end
		}
		t.text = b.String()
		joined = append(joined, t)
	}
	return joined
}

func dotAndName(tokens []token, i int) bool {
	return i+1 < len(tokens) && tokens[i].kind == kindDot && tokens[i+1].kind == kindIdent
}

// queue hands out a level's tokens: first those, then one for the end, then none.
type queue struct {
	tokens []token
	end    token
	ended  bool
}

func (q *queue) next() (token, bool) {
	if len(q.tokens) > 0 {
		t := q.tokens[0]
		q.tokens = q.tokens[1:]
		return t, true
	}
	ok := !q.ended
	q.ended = true
	return q.end, ok
}

// peek is the next token; behind the last it is the one for the end.
func (q *queue) peek() token {
	if len(q.tokens) > 0 {
		return q.tokens[0]
	}
	return q.end
}

func endAt(pos int) token { return token{kindEnd, endText, pos, pos} }

// parser builds the tree. With a linter it also tells what it skips or reads
// in an unexpected way.
type parser struct {
	lint *linter // nil when compiling
}

// level reads tokens up to the end of the input or of a group. Everything that
// is no condition, function or group is skipped. The last and/or decides for
// the whole level. It returns nil when nothing was found.
func (p *parser) level(q *queue, inGroup bool) (Node, *problem) {
	var nodes []Node
	var words []token
	operator := joinAnd
	for {
		t, ok := q.next()
		if !ok || t.kind == kindEnd {
			break
		}
		var n Node
		var err *problem
		switch t.kind {
		case kindIdent:
			n, err = p.ident(t, q)
		case kindOp:
			if t.text == "!" && isFunction(q.peek()) {
				var name token
				name, _ = q.next()
				n, err = p.function(name, q, true)
				break
			}
			p.lint.skipped(t, q.peek())
		case kindOpen:
			n, err = p.group(t, q, inGroup)
		case kindWord:
			operator = t.text
			words = append(words, t)
		default:
			p.lint.skipped(t, q.peek())
		}
		if err != nil {
			return nil, err
		}
		if n != nil {
			nodes = append(nodes, n)
		}
	}
	p.lint.level(words, nodes)
	switch len(nodes) {
	case 0:
		return nil, nil
	case 1:
		return nodes[0], nil
	}
	return &Group{Operator: operator, Children: nodes}, nil
}

// group takes the tokens up to the first closing parenthesis as a level of
// their own. So groups cannot nest, and the recursion is two deep at most.
func (p *parser) group(open token, q *queue, inGroup bool) (Node, *problem) {
	for i, t := range q.tokens {
		if t.kind != kindClose {
			continue
		}
		inner := queue{tokens: q.tokens[:i:i], end: endAt(t.pos)}
		q.tokens = q.tokens[i+1:]
		p.lint.group(open, t, inner.tokens)
		n, err := p.level(&inner, true)
		if err != nil {
			return nil, err
		}
		if n == nil {
			p.lint.emptyGroup(open, t)
			return &Group{Operator: joinAnd}, nil
		}
		return n, nil
	}
	if inGroup {
		return nil, &problem{open.pos, "groups cannot be nested", hintNone}
	}
	return nil, &problem{open.pos, "this parenthesis is never closed", hintNone}
}

// ident reads a condition or a function; other names are skipped.
func (p *parser) ident(t token, q *queue) (Node, *problem) {
	field, _, _ := strings.Cut(t.text, ".")
	if isField(field) {
		return p.condition(t, field, q)
	}
	if isFunction(t) {
		return p.function(t, q, false)
	}
	p.lint.unknown(t, q.peek())
	return nil, nil
}

// condition takes the next two tokens as operator and value, whatever they are.
func (p *parser) condition(left token, field string, q *queue) (Node, *problem) {
	op, ok := q.next()
	if ok && op.kind != kindEnd {
		var value token
		if value, ok = q.next(); ok {
			c := &Condition{Field: field, Path: pathOf(left.text, field), Operator: Operator(op.text), pos: left.pos, end: value.end}
			c.understand(op, value)
			p.lint.condition(c, left, op, value)
			return c, nil
		}
	}
	return nil, &problem{left.pos, "after " + left.text + " an operator and a value are missing", hintNone}
}

// understand sets operator and value by the field's rules.
func (c *Condition) understand(op, value token) {
	isType := c.Field == "type" || c.Field == "event"
	isNested := c.Field == "properties" || c.Field == "traits" || c.Field == "context"
	equal, notEqual := op.text == string(Equal), op.text == string(NotEqual)
	switch {
	case notEqual && value.text == "null" && !isType:
		c.Operator = Exists
	case equal && value.text == "null" && !isType:
		c.Operator = NotExists
	case equal && value.text == "true" && (isNested || c.Field == "userId"):
		c.Operator = IsTrue
	case equal && value.text == "false" && (isNested || c.Field == "userId"):
		c.Operator = IsFalse
	case equal && value.kind == kindNumber && isNested:
		c.Operator, c.Value = NumberEquals, value.value()
	case notEqual && value.kind == kindNumber && isNested:
		c.Operator, c.Value = NumberNotEquals, value.value()
	case isNested:
		c.Value = value.value()
	default:
		c.Value = value.valueText()
	}
}

// pathOf is what follows the field: nothing for the top-level ones. The bare
// word properties means the key of that name inside properties.
func pathOf(name, field string) string {
	for _, n := range nested {
		if n == field {
			return strings.TrimPrefix(name, field+".")
		}
	}
	return ""
}

// value is the value a token stands for: a string, number or boolean. Double
// quotes are taken off; single quotes stay part of the text.
func (t token) value() any {
	switch {
	case t.kind == kindString && t.text[0] == '"':
		return t.text[1 : len(t.text)-1]
	case t.kind == kindNumber:
		return toNumber(t.text)
	case t.kind == kindIdent && t.text == "true":
		return true
	case t.kind == kindIdent && t.text == "false":
		return false
	}
	return t.text
}

func (t token) valueText() string {
	switch v := t.value().(type) {
	case string:
		return v
	case float64:
		return jsonvalue.NumberText(v)
	case bool:
		return strconv.FormatBool(v)
	}
	return t.text
}

func isFunction(t token) bool {
	return t.kind == kindIdent && (t.text == "contains" || t.text == "match")
}

// function reads the five tokens after contains or match: parenthesis, field,
// comma, value, parenthesis. Only field and value are looked at.
func (p *parser) function(name token, q *queue, negate bool) (Node, *problem) {
	var args [5]token
	end := name.end
	for i := range args {
		t, ok := q.next()
		if !ok && i < 4 {
			return nil, &problem{name.pos, name.text + " needs a field and a value in parentheses", hintNone}
		}
		args[i] = t
		end = max(end, t.end)
	}
	field, value := args[1], args[3]
	c := &Condition{pos: name.pos, end: end, Field: functionField(field.text)}
	if negate {
		c.pos--
	}
	if c.Field != "" {
		c.Path = pathOf(field.text, c.Field)
	}
	if name.text == "contains" {
		c.Operator, c.Value = Contains, value.valueText()
	} else {
		c.pattern(value)
	}
	if negate {
		c.Operator = "not_" + c.Operator
	}
	p.lint.function(c, name, args)
	if c.Field == "" {
		return nil, nil
	}
	return c, nil
}

// functionField is the field that a function's first argument names, or "".
func functionField(arg string) string {
	switch arg {
	case "event", "name", "userId":
		return arg
	}
	for _, n := range nested {
		if strings.HasPrefix(arg, n) {
			return n
		}
	}
	return ""
}

// pattern reads match's second argument: a double-quoted text with * at its
// end is a prefix; anything else is a suffix behind its first character,
// whatever that is.
func (c *Condition) pattern(t token) {
	text := t.valueText()
	if strings.HasSuffix(t.text, `*"`) {
		c.Operator, c.Value = StartsWith, text[:len(text)-1]
		return
	}
	c.Operator = EndsWith
	for i, r := range text {
		if i > 0 {
			c.Value = text[i:]
			return
		}
		if r > 0xffff {
			c.half = r & 0x3ff // the first of two UTF-16 units is cut off
			c.half |= 0xdc00
		}
	}
	c.Value = ""
}

// parse reads the tokens of a whole text of that length.
func parse(tokens []token, length int, lint *linter) (*Group, *problem) {
	p := parser{lint: lint}
	q := queue{tokens: join(tokens), end: endAt(length)}
	n, err := p.level(&q, false)
	switch n := n.(type) {
	case nil:
		if err == nil {
			err = &problem{0, "no condition on type, event, name, userId, properties, traits or context", hintNone}
		}
		return nil, err
	case *Group:
		if len(n.Children) == 0 {
			return nil, &problem{0, problemEmptyGroup, hintNone}
		}
		return n, nil
	default:
		return &Group{Operator: joinAnd, Children: []Node{n}}, nil
	}
}
