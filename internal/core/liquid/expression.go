package liquid

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/segue-xm/segue/internal/core/js"
	"github.com/segue-xm/segue/internal/core/liquid/lex"
)

// maxNesting bounds how deep brackets, ranges and blocks stand in each other.
const maxNesting = 100

// operator is one of an expression's operators: how tightly it binds and what it does.
type operator struct {
	precedence int
	unary      bool
	apply      func(a, b any) bool // of a unary one, b alone counts
	reads      bool                // it may look at all of its values
}

var operators = map[string]*operator{
	"==":       {precedence: 2, apply: equal, reads: true},
	"!=":       {precedence: 2, apply: func(a, b any) bool { return !equal(a, b) }, reads: true},
	"<":        {precedence: 2, apply: ordered(func(o int) bool { return o < 0 }), reads: true},
	">":        {precedence: 2, apply: ordered(func(o int) bool { return o > 0 }), reads: true},
	"<=":       {precedence: 2, apply: ordered(func(o int) bool { return o <= 0 }), reads: true},
	">=":       {precedence: 2, apply: ordered(func(o int) bool { return o >= 0 }), reads: true},
	"contains": {precedence: 2, apply: contains, reads: true},
	"not":      {precedence: 1, unary: true, apply: func(_, b any) bool { return !truthy(b) }},
	"and":      {precedence: 0, apply: func(a, b any) bool { return truthy(a) && truthy(b) }},
	"or":       {precedence: 0, apply: func(a, b any) bool { return truthy(a) || truthy(b) }},
}

func ordered(holds func(order int) bool) func(a, b any) bool {
	return func(a, b any) bool {
		if _, ok := a.(word); ok {
			return false
		}
		if _, ok := b.(word); ok {
			return false
		}
		o, ok := order(a, b)
		return ok && holds(o)
	}
}

// reader reads expressions from the front of s, which stands in a line of the
// template.
type reader struct {
	s       string
	line    int
	depth   int
	options *Options
	paths   *[][]string // the variables that were read
}

func (x *reader) fail(format string, args ...any) error { return lex.Fail(x.line, format, args...) }

func (x *reader) skip() { x.s = strings.TrimLeftFunc(x.s, lex.IsBlank) }

// take takes one character, after blanks.
func (x *reader) take(c byte) bool {
	x.skip()
	if x.s == "" || x.s[0] != c {
		return false
	}
	x.s = x.s[1:]
	return true
}

// identifier takes a name, after blanks; "" when there is none.
func (x *reader) identifier() string {
	x.skip()
	name := lex.Identifier(x.s)
	x.s = x.s[len(name):]
	return name
}

// filtered reads an expression and its filters.
func (x *reader) filtered() (*filtered, error) {
	terms, err := x.expression()
	if err != nil {
		return nil, err
	}
	e := &filtered{terms: terms, line: x.line}
	for {
		f, more, err := x.filter()
		if err != nil {
			return nil, err
		}
		if !more {
			return e, nil
		}
		e.filters = append(e.filters, f)
	}
}

// expression reads values and operators, and puts operators behind their values. As
// in liquidjs any sequence of them is one: operators of a kind are joined from the
// right, they take the values there are, and of several values that are left the first
// counts.
func (x *reader) expression() (out []term, err error) {
	var waiting []*operator
	start := x.s
	for {
		if op := x.operator(); op != nil {
			for len(waiting) > 0 && waiting[len(waiting)-1].precedence > op.precedence {
				out = append(out, term{operator: waiting[len(waiting)-1]})
				waiting = waiting[:len(waiting)-1]
			}
			waiting = append(waiting, op)
			continue
		}
		v, err := x.value()
		if err != nil {
			return nil, err
		}
		if v == nil {
			break
		}
		out = append(out, term{value: v})
	}
	for _, op := range slices.Backward(waiting) {
		out = append(out, term{operator: op})
	}
	if len(out) == 0 {
		return nil, x.fail("a value is expected: %s", lex.Clip(start))
	}
	return out, nil
}

func (x *reader) operator() *operator {
	x.skip()
	text := lex.Identifier(x.s)
	if text == "" {
		for _, text = range []string{"==", "!=", "<=", ">=", "<", ">", ""} {
			if strings.HasPrefix(x.s, text) {
				break
			}
		}
	}
	op := operators[text]
	if op != nil {
		x.s = x.s[len(text):]
	}
	return op
}

var words = map[string]any{"true": true, "false": false, "nil": nilWord, "null": nilWord, "empty": emptyWord, "blank": blankWord}

// value reads a literal, a range or a name, and the .name and [index] behind it; nil
// when there is none.
func (x *reader) value() (v value, err error) {
	x.skip()
	if x.depth++; x.depth > maxNesting {
		return nil, x.fail("nested too deeply")
	}
	defer func() { x.depth-- }()
	start := x.s
	if l, ok := x.literal(); ok {
		v = literal{l}
	} else if x.take('(') {
		if v, err = x.span(); err != nil {
			return nil, err
		}
	}
	keys, err := x.properties(v == nil)
	if err != nil || len(keys) == 0 {
		return v, err
	}
	a := &access{of: v, keys: keys, text: start[:len(start)-len(x.s)]}
	if v == nil && x.paths != nil {
		*x.paths = append(*x.paths, a.names())
	}
	return a, nil
}

func (x *reader) literal() (any, bool) {
	name := lex.Identifier(x.s)
	if v, ok := words[name]; ok {
		x.s = x.s[len(name):]
		return v, true
	}
	if text, ok := x.quoted(); ok {
		return text, true
	}
	if n := lex.NumberLength(x.s); n > 0 {
		f := js.ParseNumber(x.s[:n])
		x.s = x.s[n:]
		return f, true
	}
	return nil, false
}

func (x *reader) quoted() (string, bool) {
	x.skip()
	if x.s == "" || (x.s[0] != '"' && x.s[0] != '\'') {
		return "", false
	}
	n := lex.QuotedLength(x.s)
	text := unquote(x.s[:n])
	x.s = x.s[n:]
	return text, true
}

// span reads a range behind its parenthesis. Other expressions in parentheses are not
// in liquidjs' Liquid.
func (x *reader) span() (value, error) {
	source := x.s
	low, err := x.value()
	x.skip()
	if err == nil && low != nil && strings.HasPrefix(x.s, "..") {
		x.s = x.s[2:]
		var high value
		if high, err = x.value(); err == nil && high != nil && x.take(')') {
			return &span{low, high, "(" + source[:len(source)-len(x.s)]}, nil
		}
	}
	if err == nil {
		err = x.fail("parentheses are for ranges, such as (1..3): %s", lex.Clip("("+source))
	}
	return nil, err
}

// properties reads .name and [index]; at the beginning a name alone too.
func (x *reader) properties(begin bool) (keys []value, err error) {
	for x.s != "" {
		name := ""
		switch {
		case x.s[0] == '[':
			x.s = x.s[1:]
			key, err := x.value()
			if err != nil {
				return nil, err
			}
			if key == nil {
				key = literal{""}
			}
			_, rest, closed := strings.Cut(x.s, "]")
			if !closed {
				return nil, x.fail("a bracket is not closed")
			}
			x.s = rest
			keys = append(keys, key)
			continue
		case begin && len(keys) == 0 && lex.Identifier(x.s) != "":
			name = x.identifier()
		case x.s[0] == '.' && !strings.HasPrefix(x.s, ".."):
			x.s = x.s[1:]
			name = x.identifier()
		}
		if name == "" {
			break
		}
		keys = append(keys, literal{name})
	}
	return keys, nil
}

// filter reads | name: arguments.
func (x *reader) filter() (f filterCall, more bool, err error) {
	x.skip()
	if x.s == "" || x.s[0] == ')' || x.s[0] == ',' {
		return f, false, nil
	}
	if !x.take('|') {
		return f, false, x.fail(`expected "|" before a filter: %s`, lex.Clip(x.s))
	}
	if f.name = x.identifier(); f.name == "" {
		if x.s != "" {
			return f, false, x.fail("a filter's name is expected: %s", lex.Clip(x.s))
		}
		return f, false, nil
	}
	f.do, f.off = filters[f.name], x.options.FiltersOff[f.name]
	if f.do == nil && x.options.KnownFilters {
		return f, false, x.fail("there is no filter %q", f.name)
	}
	f.args, err = x.arguments()
	return f, err == nil, err
}

// arguments reads what follows a filter's name. A missing argument is passed over.
func (x *reader) arguments() (args []argument, err error) {
	x.skip()
	if x.s != "" && !strings.ContainsRune("|:),", rune(x.s[0])) {
		return nil, x.fail(`expected ":" after a filter's name: %s`, lex.Clip(x.s))
	}
	for mark := byte(':'); x.take(mark); mark = ',' {
		x.skip()
		source := x.s
		v, err := x.value()
		if err != nil {
			return nil, err
		}
		if v != nil {
			arg := argument{value: v}
			written := source[:len(source)-len(x.s)]
			if x.take(':') {
				arg.name = written
				if arg.value, err = x.value(); err != nil {
					return nil, err
				}
				if arg.value == nil {
					arg.value = literal{undefined}
				}
			}
			args = append(args, arg)
		}
		x.skip()
		if x.s != "" && !strings.ContainsRune(",|)", rune(x.s[0])) {
			return nil, x.fail("unexpected character: %s", lex.Clip(x.s))
		}
	}
	return args, nil
}

var escapes = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'b': '\b', 'f': '\f', 'v': '\v'}

// unquote reads a quoted text: without its first and last character, which is no
// quote when it was never closed.
func unquote(s string) string {
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
