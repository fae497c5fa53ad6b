package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// undefinedValue is what is not there.
var undefinedValue = jsonvalue.Undefined{}

// operator is one of an expression's operators: how tightly it binds and the
// filter that does its work.
type operator struct {
	precedence int
	filter     string
}

var operators = map[string]operator{
	"==": {2, "is_equal"}, "!=": {2, "is_unequal"}, "<": {2, "is_less"}, ">": {2, "is_greater"},
	"<=": {2, "is_at_most"}, ">=": {2, "is_at_least"}, "contains": {2, "does_contain"},
	"not": {1, "negate"}, "and": {0, "both"}, "or": {0, "either"},
}

// expressionReader reads expressions from the front of s and writes them for the
// engine.
type expressionReader struct {
	r     *rewriter
	s     string
	depth int
}

func (x *expressionReader) skip() { x.s = strings.TrimLeftFunc(x.s, liquidBlank) }

// take takes one character, after blanks.
func (x *expressionReader) take(c byte) bool {
	x.skip()
	if x.s == "" || x.s[0] != c {
		return false
	}
	x.s = x.s[1:]
	return true
}

// identifier takes a name, after blanks; "" when there is none.
func (x *expressionReader) identifier() string {
	x.skip()
	name := identifierOf(x.s)
	x.s = x.s[len(name):]
	return name
}

// filtered reads an expression and its filters.
func (x *expressionReader) filtered() (string, error) {
	e, err := x.expression()
	if err != nil {
		return "", err
	}
	return x.filters("(" + e + ")")
}

// expression reads values and operators. As in liquidjs any sequence of them is
// one: operators of a kind are joined from the right, they take the values there
// are, and of several values that are left the first counts.
func (x *expressionReader) expression() (string, error) {
	var values []string
	var waiting []operator
	pop := func() string {
		if len(values) == 0 {
			return x.r.constant(undefinedValue)
		}
		v := values[len(values)-1]
		values = values[:len(values)-1]
		return v
	}
	apply := func() {
		op := waiting[len(waiting)-1]
		waiting = waiting[:len(waiting)-1]
		right := pop()
		if op.filter == "negate" {
			values = append(values, fmt.Sprintf("(%s | negate: %s)", right, runName))
			return
		}
		values = append(values, fmt.Sprintf("(%s | %s: %s, %s)", pop(), op.filter, runName, right))
	}
	start := x.s
	for n := 0; ; n++ {
		if op, ok := x.operator(); ok {
			for len(waiting) > 0 && waiting[len(waiting)-1].precedence > op.precedence {
				apply()
			}
			waiting = append(waiting, op)
			continue
		}
		v, ok, err := x.value()
		if err != nil {
			return "", err
		}
		if !ok {
			if n == 0 {
				return "", fmt.Errorf("a value is expected: %q", start)
			}
			break
		}
		values = append(values, v)
	}
	for len(waiting) > 0 {
		apply()
	}
	return values[0], nil
}

func (x *expressionReader) operator() (operator, bool) {
	x.skip()
	text := identifierOf(x.s)
	if text == "" {
		for _, text = range []string{"==", "!=", "<=", ">=", "<", ">", ""} {
			if strings.HasPrefix(x.s, text) {
				break
			}
		}
	}
	op, ok := operators[text]
	if ok {
		x.s = x.s[len(text):]
	}
	return op, ok
}

var liquidWords = map[string]any{
	"true": true, "false": false, "nil": nilWord{}, "null": nilWord{}, "empty": emptyWord{}, "blank": blankWord{},
}

// value reads a literal, a range or a name, and the .name and [index] behind it.
func (x *expressionReader) value() (e string, ok bool, err error) {
	x.skip()
	if x.depth++; x.depth > 100 {
		return "", false, fmt.Errorf("nested too deeply")
	}
	defer func() { x.depth-- }()
	if v, there := x.literal(); there {
		e = x.r.constant(v)
	} else if x.take('(') {
		if e, err = x.span(); err != nil {
			return "", false, err
		}
	}
	e, err = x.properties(e)
	return e, e != "", err
}

func (x *expressionReader) literal() (any, bool) {
	name := identifierOf(x.s)
	if v, ok := liquidWords[name]; ok {
		x.s = x.s[len(name):]
		return v, true
	}
	if text, ok := x.quoted(); ok {
		return text, true
	}
	if n := numberLength(x.s); n > 0 {
		f := parseNumber(x.s[:n])
		x.s = x.s[n:]
		return f, true
	}
	return nil, false
}

func (x *expressionReader) quoted() (string, bool) {
	x.skip()
	if x.s == "" || (x.s[0] != '"' && x.s[0] != '\'') {
		return "", false
	}
	n := quotedLength(x.s)
	text := unquoteLiquid(x.s[:n])
	x.s = x.s[n:]
	return text, true
}

// span reads a range behind its parenthesis. Other expressions in parentheses are
// not in Segment's Liquid.
func (x *expressionReader) span() (string, error) {
	source := x.s
	low, ok, err := x.value()
	x.skip()
	if err != nil || !ok || !strings.HasPrefix(x.s, "..") {
		return "", spanError(source, err)
	}
	x.s = x.s[2:]
	high, ok, err := x.value()
	if err != nil || !ok || !x.take(')') {
		return "", spanError(source, err)
	}
	return fmt.Sprintf("(%s | upto: %s, %s)", low, runName, high), nil
}

func spanError(source string, err error) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("parentheses are for ranges, such as (1..3): %q", "("+source)
}

// properties reads .name and [index] after a value; without a value the first of
// them names a variable.
func (x *expressionReader) properties(e string) (string, error) {
	step := func(key string) {
		if e == "" {
			e = fmt.Sprintf("(%s | fetch: %s)", key, runName)
			return
		}
		e = fmt.Sprintf("(%s | member: %s, %s)", e, runName, key)
	}
	for x.s != "" {
		switch {
		case x.s[0] == '[':
			x.s = x.s[1:]
			key, ok, err := x.value()
			if err != nil {
				return "", err
			}
			if !ok {
				key = x.r.constant("")
			}
			_, rest, closed := strings.Cut(x.s, "]")
			if !closed {
				return "", fmt.Errorf("a bracket is not closed: %q", x.s)
			}
			x.s = rest
			step(key)
		case e == "" && identifierOf(x.s) != "":
			step(x.r.constant(x.identifier()))
		case x.s[0] == '.' && !strings.HasPrefix(x.s, ".."):
			x.s = x.s[1:]
			name := x.identifier()
			if name == "" {
				return e, nil
			}
			step(x.r.constant(name))
		default:
			return e, nil
		}
	}
	return e, nil
}

// filters reads | name: arguments. Unknown filters do nothing.
func (x *expressionReader) filters(e string) (string, error) {
	for {
		x.skip()
		if x.s == "" || x.s[0] == ')' || x.s[0] == ',' {
			return e, nil
		}
		if !x.take('|') {
			return "", fmt.Errorf(`expected "|" before filter: %q`, x.s)
		}
		name := x.identifier()
		if name == "" {
			if x.s != "" {
				return "", fmt.Errorf("a filter's name is expected: %q", x.s)
			}
			return e, nil
		}
		args, err := x.arguments()
		if err != nil {
			return "", err
		}
		if _, ok := liquidFilters[name]; ok || slices.Contains(disabledFilters, name) {
			e = fmt.Sprintf("%s | %s: %s", e, name, strings.Join(append([]string{runName}, args...), ", "))
		}
	}
}

// arguments reads what follows a filter's name. A missing argument is passed over;
// a named one is an array of its name and its value.
func (x *expressionReader) arguments() (args []string, err error) {
	x.skip()
	if x.s != "" && !strings.ContainsRune("|:),", rune(x.s[0])) {
		return nil, fmt.Errorf(`expected ":" after a filter's name: %q`, x.s)
	}
	for mark := byte(':'); x.take(mark); mark = ',' {
		x.skip()
		source := x.s
		arg, ok, err := x.value()
		if err != nil {
			return nil, err
		}
		written := source[:len(source)-len(x.s)]
		if ok && x.take(':') {
			value, there, err := x.value()
			if err != nil {
				return nil, err
			}
			if !there {
				value = x.r.constant(undefinedValue)
			}
			arg = fmt.Sprintf("(%s | pair: %s, %s)", x.r.constant(written), runName, value)
		}
		if ok {
			args = append(args, arg)
		}
		x.skip()
		if x.s != "" && !strings.ContainsRune(",|)", rune(x.s[0])) {
			return nil, fmt.Errorf("unexpected character: %q", x.s)
		}
	}
	return args, nil
}

// numberLength is the length of the number at the start of s, or 0.
func numberLength(s string) int {
	i, digits, point := 0, false, false
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	for ; i < len(s); i++ {
		if '0' <= s[i] && s[i] <= '9' {
			digits = true
			continue
		}
		if s[i] != '.' || strings.HasPrefix(s[i:], "..") {
			break
		}
		if point || !digits {
			return 0
		}
		point = true
	}
	if r, _ := utf8.DecodeRuneInString(s[i:]); !digits || (i < len(s) && isLiquidWord(r)) { // a name that starts with a digit
		return 0
	}
	return i
}

var escapes = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'b': '\b', 'f': '\f', 'v': '\v'}

// unquoteLiquid reads a quoted text: without its first and last character, which
// is no quote when it was never closed.
func unquoteLiquid(s string) string {
	s = s[1:max(1, len(s)-1)]
	if !strings.Contains(s, `\`) {
		return s
	}
	var units []uint16
	for i := 0; i < len(s); {
		c, size := utf8.DecodeRuneInString(s[i:])
		if i += size; c != '\\' || i == len(s) {
			units = utf16.AppendRune(units, c)
			continue
		}
		code, digits := s[i], 0
		switch {
		case escapes[code] != 0:
			units = append(units, uint16(escapes[code]))
			i++
		case code == 'u':
			i++
			digits = digitsOf(s[i:], 4, hexDigits)
			n, _ := strconv.ParseUint("0"+s[i:i+digits], 16, 32)
			units = append(units, uint16(n))
		case '0' <= code && code <= '7':
			digits = digitsOf(s[i:], 3, "01234567")
			n, _ := strconv.ParseUint(s[i:i+digits], 8, 32)
			units = append(units, uint16(n))
		default:
			c, size = utf8.DecodeRuneInString(s[i:])
			units = utf16.AppendRune(units, c)
			i += size
		}
		i += digits
	}
	return string(utf16.Decode(units))
}

const hexDigits = "0123456789abcdefABCDEF"

// digitsOf counts the digits at the start of s, at most n.
func digitsOf(s string, n int, digits string) int {
	i := 0
	for i < min(n, len(s)) && strings.IndexByte(digits, s[i]) >= 0 {
		i++
	}
	return i
}
