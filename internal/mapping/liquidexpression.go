package mapping

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// comparisons are the operators and the filters that do their work.
var comparisons = map[string]string{
	"==": "is_equal", "!=": "is_unequal", "<": "is_less", ">": "is_greater",
	"<=": "is_at_most", ">=": "is_at_least", "contains": "does_contain",
}

// expression rewrites a condition with its filters.
func (r *rewriter) expression(source string) (string, error) {
	x := &expressionReader{r: r, s: source}
	e, err := x.condition()
	if err != nil {
		return "", err
	}
	e, err = x.filters("(" + e + ")")
	if err == nil && x.skip() != "" {
		err = fmt.Errorf(`expected "|" before filter: %q`, x.s)
	}
	return e, err
}

// expressionReader reads one expression from the front of s.
type expressionReader struct {
	r     *rewriter
	s     string
	depth int
}

func (x *expressionReader) skip() string {
	x.s = strings.TrimLeftFunc(x.s, isBlank)
	return x.s
}

func (x *expressionReader) take(token string) bool {
	if !strings.HasPrefix(x.skip(), token) {
		return false
	}
	x.s = x.s[len(token):]
	return true
}

// takeWord takes a keyword, not the start of a longer name.
func (x *expressionReader) takeWord(keyword string) bool {
	w, rest := word(x.skip())
	if w == keyword {
		x.s = rest
	}
	return w == keyword
}

// condition reads comparisons joined by and/or, which Liquid joins from the right.
func (x *expressionReader) condition() (string, error) {
	if x.depth++; x.depth > 100 {
		return "", fmt.Errorf("nested too deeply")
	}
	defer func() { x.depth-- }()
	left, err := x.comparison()
	if err != nil {
		return "", err
	}
	for _, op := range []string{"and", "or"} {
		if x.takeWord(op) {
			right, err := x.condition()
			return fmt.Sprintf("%s %s (%s)", left, op, right), err
		}
	}
	return left, nil
}

func (x *expressionReader) comparison() (string, error) {
	if x.takeWord("not") {
		e, err := x.comparison()
		return fmt.Sprintf("(%s | %s: %s)", e, notFilter, runName), err
	}
	left, err := x.operand()
	if err != nil {
		return "", err
	}
	for _, op := range []string{"==", "!=", "<=", ">=", "<", ">"} {
		if x.take(op) {
			return x.compare(left, op)
		}
	}
	if x.takeWord("contains") {
		return x.compare(left, "contains")
	}
	return left, nil
}

func (x *expressionReader) compare(left, op string) (string, error) {
	right, err := x.operand()
	return fmt.Sprintf("(%s | %s: %s, %s)", left, comparisons[op], runName, right), err
}

func (x *expressionReader) operand() (string, error) {
	s := x.skip()
	switch {
	case s == "":
		return "", fmt.Errorf("a value is missing")
	case s[0] == '"' || s[0] == '\'':
		text, n, ok := unquoteLiquid(s)
		if !ok {
			return "", fmt.Errorf("a quote is not closed: %q", s)
		}
		x.s = s[n:]
		return x.properties(x.r.constant(text))
	case s[0] == '(':
		return x.group()
	case s[0] == '[':
		return x.properties(rootName)
	}
	if n := numberLength(s); n > 0 {
		f, _ := strconv.ParseFloat(s[:n], 64)
		x.s = s[n:]
		return x.r.constant(f), nil
	}
	name, _ := word(s)
	if name == "" {
		return "", fmt.Errorf("a value is expected: %q", s)
	}
	x.s = s[len(name):]
	if v, ok := liquidWords[name]; ok {
		return x.r.constant(v), nil
	}
	return x.properties(x.r.variable(name))
}

var liquidWords = map[string]any{
	"true": true, "false": false, "nil": nil, "null": nil, "empty": emptyWord{}, "blank": blankWord{},
}

// group reads a range or a condition in parentheses.
func (x *expressionReader) group() (string, error) {
	x.take("(")
	e, err := x.condition()
	if err != nil {
		return "", err
	}
	if x.take("..") {
		end, err := x.operand()
		if err != nil {
			return "", err
		}
		e = e + ".." + end
	}
	if !x.take(")") {
		return "", fmt.Errorf("a parenthesis is not closed: %q", x.s)
	}
	return "(" + e + ")", nil
}

// properties reads .name and [index] after a value. Every key is written as an
// index, so that any text can be one.
func (x *expressionReader) properties(e string) (string, error) {
	for x.s != "" {
		switch {
		case strings.HasPrefix(x.s, ".."):
			return e, nil
		case x.s[0] == '.':
			name, _ := word(x.s[1:])
			if name == "" {
				return "", fmt.Errorf("a name is expected after the dot: %q", x.s)
			}
			x.s = x.s[1+len(name):]
			e += "[" + x.r.constant(name) + "]"
		case x.s[0] == '[':
			x.s = x.s[1:]
			if x.depth++; x.depth > 100 {
				return "", fmt.Errorf("nested too deeply")
			}
			key, err := x.operand()
			x.depth--
			if err != nil {
				return "", err
			}
			if !x.take("]") {
				return "", fmt.Errorf("a bracket is not closed: %q", x.s)
			}
			e += "[" + key + "]"
		default:
			return e, nil
		}
	}
	return e, nil
}

// filters reads | name: arguments. Unknown filters do nothing.
func (x *expressionReader) filters(e string) (string, error) {
	for x.take("|") {
		name, rest := word(x.skip())
		if name == "" {
			return "", fmt.Errorf("a filter's name is expected: %q", x.s)
		}
		x.s = rest
		args := []string{runName}
		if x.take(":") {
			for more := true; more; more = x.take(",") {
				if w, after := word(x.skip()); w != "" && strings.HasPrefix(after, ":") {
					x.s = after[1:] // the only named argument is default's allow_false, the second there
				}
				arg, err := x.operand()
				if err != nil {
					return "", err
				}
				args = append(args, arg)
			}
		}
		if _, ok := liquidFilters[name]; ok || slices.Contains(disabledFilters, name) {
			e = fmt.Sprintf("%s | %s: %s", e, name, strings.Join(args, ", "))
		}
	}
	return e, nil
}

// numberLength is the length of the number at the start of s, or 0.
func numberLength(s string) int {
	i := 0
	if i < len(s) && s[i] == '-' {
		i++
	}
	digits := func() bool {
		start := i
		for i < len(s) && '0' <= s[i] && s[i] <= '9' {
			i++
		}
		return i > start
	}
	if !digits() {
		return 0
	}
	end := i
	if i+1 < len(s) && s[i] == '.' && s[i+1] != '.' {
		if i++; digits() {
			end = i
		}
	}
	if end < len(s) && wordByte(s[end]) { // a name that starts with a digit
		return 0
	}
	return end
}

var escapes = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'b': '\b', 'f': '\f', 'v': '\v'}

// unquoteLiquid reads the quoted text at the start of s and its length there.
func unquoteLiquid(s string) (text string, n int, ok bool) {
	var out []byte
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == s[0]:
			return string(out), i + 1, true
		case c != '\\' || i+1 == len(s):
			out = append(out, c)
		default:
			i++
			if e, known := escapes[s[i]]; known {
				out = append(out, e)
			} else if s[i] == 'u' && i+4 < len(s) {
				if r, err := strconv.ParseUint(s[i+1:i+5], 16, 16); err == nil && r < math.MaxUint16 {
					out = utf8.AppendRune(out, rune(r))
					i += 4
				}
			} else {
				out = append(out, s[i])
			}
		}
	}
	return "", 0, false
}
