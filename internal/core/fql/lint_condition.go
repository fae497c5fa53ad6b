package fql

import (
	"slices"
	"strings"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// condition tells what is odd about one condition.
func (l *linter) condition(c *Condition, left, op, value token) {
	if l == nil {
		return
	}
	l.quiet = value.kind == kindBracket || op.kind == kindBracket
	if op.kind != kindDot {
		l.path(c, left)
	}
	if l.operator(c, left, op, value) {
		return
	}
	l.value(c, op, value)
	l.quotes(value)
}

// path tells of a path that does not lead where it seems to.
func (l *linter) path(c *Condition, left token) {
	raw := l.source(left)
	switch {
	case c.Path == "" && strings.Contains(left.text, "."):
		l.add(left.pos, raw, "only "+c.Field+" counts; the rest of the path is ignored", c.Field)
	case left.text == c.Field && c.Path == c.Field:
		l.add(left.pos, raw, "means the key "+c.Field+" inside "+c.Field, "")
	case strings.Contains(raw, `\.`):
		l.add(left.pos, raw, "an escaped dot still parts two keys; a key with a dot in it cannot be reached", "")
	}
}

// operator tells of an operator that is none; then the value does not matter.
func (l *linter) operator(c *Condition, left, op, value token) bool {
	pair := l.span(op, value)
	switch {
	case op.kind == kindDot:
		l.quiet = true // told by neighbours
	case op.text == "in":
		l.list(l.add(op.pos, "in", otherDialect+"no operator, so that the condition is never true", "one condition for each value, joined by or"), left, op)
		l.quiet = true
	case tests[c.Operator] == nil:
		l.add(op.pos, l.source(op), "is no operator: the condition is never true", "= != < <= > >=")
	case op.text == "=" && value.text == "=":
		l.add(op.pos, "==", `compares with the text "=" and ignores what follows`, "=").fix(l, op.pos, value.end, "= ")
	case (op.text == "<" || op.text == ">") && value.kind == kindOp && value.text == "=":
		l.add(op.pos, pair, "is "+op.text+` and the text "=": never true`, op.text+"= and a blank").fix(l, op.pos, value.end, op.text+"= ")
	case op.text == "=" && value.kind == kindOp && value.text != "!":
		l.add(op.pos, pair, "compares with the text "+quote(value.text), value.text[:1]+"= and a blank").fix(l, op.pos, value.end, value.text[:1]+"= ")
	default:
		return false
	}
	return true
}

// list writes a condition for each value of the list behind in.
func (l *linter) list(f *Finding, left, op token) {
	after := l.behind(op.end)
	if len(after) == 0 || (after[0].text != "[" && after[0].text != "(") {
		return
	}
	var parts []string
	for _, t := range after[1:] {
		switch t.kind {
		case kindBracket, kindClose:
			text := strings.Join(parts, " or ")
			if len(parts) > 1 {
				text = "(" + text + ")"
			}
			if len(parts) > 0 {
				f.fix(l, left.pos, t.end, text)
			}
			return
		case kindString, kindNumber, kindIdent:
			value := t.text
			if t.kind == kindString {
				value = quote(t.text[1 : len(t.text)-1])
			}
			parts = append(parts, l.source(left)+" = "+value)
		}
	}
}

// key is what stands at a position, up to a terminator.
func (l *linter) key(pos int) string {
	key := l.word(pos)
	if i := strings.IndexAny(key, ",])="); i > 0 {
		return key[:i]
	}
	return key
}

// value tells of a value that is not what it seems to be.
func (l *linter) value(c *Condition, op, value token) {
	isType := c.Field == "type" || c.Field == "event"
	ordered := op.text[0] == '<' || op.text[0] == '>'
	means := "compares with the text "
	raw := l.span(op, value)
	switch {
	case value.kind == kindEnd:
		l.add(op.pos, l.source(op), "the value is missing: "+means+quote(endText), "a value in double quotes")
	case value.text == "[":
		l.add(value.pos, "[", otherDialect+"the text "+quote("["), "one condition for each value, joined by or")
	case value.kind >= kindDot || value.kind == kindOp || value.kind == kindWord:
		l.add(value.pos, l.source(value), means+quote(value.text), "a value in double quotes")
	case value.text == "null" && isType && !ordered:
		l.add(op.pos, raw, means+`"null"; on `+c.Field+" it does not ask whether the field is there", "")
	case (value.text == "true" || value.text == "false") && op.text == "!=":
		l.add(op.pos, raw, "is true unless the value is the text "+quote(value.text)+"; the boolean passes too", "= "+opposite(value.text)).
			fix(l, op.pos, value.end, "= "+opposite(value.text))
	case (value.text == "true" || value.text == "false") && c.Operator == Equal:
		l.add(op.pos, raw, means+quote(value.text), "= "+quote(value.text)).fix(l, value.pos, value.end, quote(value.text))
	case value.kind == kindIdent && isKeywordFold(value.text):
		l.add(value.pos, value.text, means+quote(value.text)+"; only lower case has a meaning", strings.ToLower(value.text)).
			fix(l, value.pos, value.end, strings.ToLower(value.text))
	case value.kind == kindNumber && value.value().(float64) != value.value().(float64):
		l.add(value.pos, l.source(value), "is no number: nothing equals it", "")
	case value.kind == kindNumber && (c.Operator == Equal || c.Operator == NotEqual):
		text := quote(jsonvalue.NumberText(value.value().(float64)))
		l.add(op.pos, raw, means+text+", on "+c.Field+"; a number is never equal to it", op.text+" "+text).fix(l, value.pos, value.end, text)
	case ordered && value.kind == kindString && c.number() != c.number():
		l.add(op.pos, raw, "is never true: only numbers are ordered", "")
	case ordered && value.kind != kindNumber:
		number := jsonvalue.NumberText(c.number())
		f := l.add(op.pos, raw, "is the number "+number+": a number of the event passes, a text such as "+quote(number)+" never", op.text+" "+number)
		if !strings.Contains(number, "e") && c.number() == c.number() {
			f.fix(l, value.pos, value.end, number)
		}
	case ordered && !c.nested():
		l.add(op.pos, raw, "is true for numbers only, and "+c.Field+" is a text as a rule", "")
	}
}

// nested reports whether the condition is about a value below a field.
func (c *Condition) nested() bool {
	return c.Field == "properties" || c.Field == "traits" || c.Field == "context"
}

func opposite(boolean string) string {
	if boolean == "true" {
		return "false"
	}
	return "true"
}

func isKeywordFold(s string) bool {
	switch strings.ToLower(s) {
	case "true", "false", "null":
		return s != strings.ToLower(s)
	}
	return false
}

// quotes tells of what strings do not do.
func (l *linter) quotes(t token) {
	if t.kind != kindString {
		return
	}
	switch inner := t.text[1 : len(t.text)-1]; {
	case t.text[0] == '\'':
		f := l.add(t.pos, t.text, otherDialect+"the text with its single quotes, which equals only data that has them", quote(inner))
		if !strings.Contains(inner, `"`) {
			f.fix(l, t.pos, t.end, quote(inner))
		}
	case strings.Contains(inner, `\`):
		l.add(t.pos, t.text, "there are no escapes: a backslash is a backslash, and a double quote cannot be written", "")
	}
}

// function tells what is odd about a call of contains or match.
func (l *linter) function(c *Condition, name token, args [5]token) {
	if l == nil {
		return
	}
	l.quiet = false
	field, value := args[1], args[3]
	if c.Field == "" {
		l.loss = true
		means := name.text + " cannot look at this: the call is dropped"
		if slices.Contains(otherFunctions, field.text) {
			means = otherDialect + name.text + " cannot look at what another function gives, and the call is dropped"
		}
		l.add(name.pos, l.span(name, field), means, "event, name, userId, properties.…, traits.… or context.…")
		return
	}
	if args[2].kind == kindDot { // a key that is no name, told by neighbours, moved everything
		l.quiet = true
		return
	}
	// In a group, the closing parenthesis is the end of the group's words.
	closed := args[4].kind == kindClose || (args[4].kind == kindEnd && args[4].pos < len(l.text))
	if args[0].kind != kindOpen || args[2].kind != kindComma || !closed {
		l.add(name.pos, l.word(name.pos), name.text+" takes the five words behind it, whatever they are; here they are not (field, value)", name.text+`(field, "text")`)
		l.quiet = true
	}
	l.path(c, field)
	l.quotes(value)
	if value.kind != kindString || value.text[0] == '\'' {
		if name.text == "match" || value.kind == kindEnd {
			l.add(value.pos, l.word(value.pos), c.Where()+" "+c.Means(), name.text+`(field, "text")`)
		}
		return
	}
	inner := value.text[1 : len(value.text)-1]
	if name.text == "match" {
		l.pattern(c, value, inner)
	} else if strings.Contains(inner, "*") {
		l.add(value.pos, value.text, "in contains, * is a character like others", "")
	}
}

// pattern tells of a match that is neither "text*" nor "*text".
func (l *linter) pattern(c *Condition, value token, inner string) {
	rest, prefix := strings.CutSuffix(inner, "*")
	if !prefix {
		rest, _ = strings.CutPrefix(inner, "*")
	}
	bare, rewrite, fixed := strings.Trim(inner, "*"), "", ""
	wild := strings.ContainsAny(bare, "*?[")
	not := c.Operator == NotStartsWith || c.Operator == NotEndsWith
	switch {
	case !prefix && !strings.HasPrefix(inner, "*"):
		rewrite = `= "` + inner + `", or match with * at one end`
		if fixed = c.left() + " = " + quote(inner); not {
			fixed = c.left() + " != " + quote(inner)
		}
	case prefix && strings.HasPrefix(rest, "*"):
		rewrite = `contains(field, "` + bare + `")`
		if fixed = "contains(" + c.left() + ", " + quote(bare) + ")"; not {
			fixed = "!" + fixed
		}
	case strings.ContainsAny(rest, "*?["):
	default:
		return
	}
	f := l.add(value.pos, value.text, otherDialect+strings.TrimPrefix(c.Means(), "is ")+"; match knows one * at one end, no other pattern", rewrite)
	if fixed != "" && !wild {
		f.fix(l, c.pos, c.end, fixed)
	}
}
