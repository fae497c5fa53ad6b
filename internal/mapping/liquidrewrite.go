package mapping

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Names in the rewritten text. Variables of the template become v0, v1, … and so
// cannot meet these or the engine's keywords.
const (
	runName    = "run"
	rootName   = "root"
	textFilter = "as_text"
	notFilter  = "negate"
)

// comparisons are the operators and the filters that do their work.
var comparisons = map[string]string{
	"==": "is_equal", "!=": "is_unequal", "<": "is_less", ">": "is_greater",
	"<=": "is_at_most", ">=": "is_at_least", "contains": "does_contain",
}

// rewriter writes a template in the form the engine runs as Segment's would; see
// liquidTemplate.
type rewriter struct {
	out       strings.Builder
	constants map[string]any
	variables map[string]string
	names     map[string]string // key of the event → name
}

func newRewriter() *rewriter {
	return &rewriter{constants: map[string]any{}, variables: map[string]string{}, names: map[string]string{}}
}

func (r *rewriter) constant(v any) string {
	name := "k" + strconv.Itoa(len(r.constants))
	r.constants[name] = liquidValue{v}
	return name
}

func (r *rewriter) variable(key string) string {
	name, ok := r.names[key]
	if !ok {
		name = "v" + strconv.Itoa(len(r.names))
		r.names[key], r.variables[name] = name, key
	}
	return name
}

func (r *rewriter) template(source string) (string, error) {
	s := source
	trim := false // the markup before asked to strip what follows
	for s != "" {
		start, isTag := nextMarkup(s)
		text := s
		if start >= 0 {
			text = s[:start]
		}
		if trim {
			text = strings.TrimLeftFunc(text, isBlank)
		}
		if start < 0 {
			r.text(text)
			break
		}
		inner, rest, err := markup(s[start:], isTag)
		if err != nil {
			return "", err
		}
		if strings.HasPrefix(inner, "-") {
			inner, text = inner[1:], strings.TrimRightFunc(text, isBlank)
		}
		if trim = strings.HasSuffix(inner, "-"); trim {
			inner = inner[:len(inner)-1]
		}
		r.text(text)
		s = rest
		if !isTag {
			err = r.output(inner)
		} else {
			s, err = r.tag(trimSpace(inner), s)
		}
		if err != nil {
			return "", err
		}
	}
	return r.out.String(), nil
}

// nextMarkup finds {{ or {%.
func nextMarkup(s string) (start int, isTag bool) {
	for i := 0; i+1 < len(s); i++ {
		if s[i] == '{' && (s[i+1] == '{' || s[i+1] == '%') {
			return i, s[i+1] == '%'
		}
	}
	return -1, false
}

// markup cuts off one {{ … }} or {% … %}. An output's end is not looked for inside
// quotes.
func markup(s string, isTag bool) (inner, rest string, err error) {
	if isTag {
		inner, rest, ok := strings.Cut(s[2:], "%}")
		if !ok {
			return "", "", fmt.Errorf("tag %q not closed", s)
		}
		return inner, rest, nil
	}
	quote := byte(0)
	for i := 2; i+1 < len(s); i++ {
		switch c := s[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '}' && s[i+1] == '}':
			return s[2:i], s[i+2:], nil
		}
	}
	return "", "", fmt.Errorf("output %q not closed", s)
}

// text writes text that is to come out as it is.
func (r *rewriter) text(s string) {
	if strings.Contains(s, "{") {
		fmt.Fprintf(&r.out, "{{ %s | %s: %s }}", r.constant(s), textFilter, runName)
		return
	}
	r.out.WriteString(s)
}

func (r *rewriter) output(inner string) error {
	if trimSpace(inner) == "" {
		return nil
	}
	e, err := r.expression(inner)
	if err != nil {
		return err
	}
	fmt.Fprintf(&r.out, "{{ %s | %s: %s }}", e, textFilter, runName)
	return nil
}

// tag writes one tag and gives the source after it, which is later for the tags
// that swallow their content.
func (r *rewriter) tag(inner, rest string) (string, error) {
	name, args := word(inner)
	switch {
	case strings.HasPrefix(inner, "#"):
	case slices.Contains(disabledTags, name):
		return "", fmt.Errorf("tag %q is disabled", name)
	case name == "raw" || name == "comment":
		content, after, ok := until(rest, "end"+name)
		if !ok {
			return "", fmt.Errorf("tag %q not closed", name)
		}
		if name == "raw" {
			r.text(content)
		}
		return after, nil
	case name == "echo":
		return rest, r.output(args)
	case name == "if" || name == "elsif" || name == "unless":
		e, err := r.expression(args)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&r.out, "{%% %s %s %%}", name, e)
	case name == "assign":
		key, value, ok := strings.Cut(args, "=")
		key = trimSpace(key)
		if w, more := word(key); !ok || w == "" || more != "" {
			return "", fmt.Errorf("assign needs a name and a value: %q", args)
		}
		e, err := r.expression(value)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&r.out, "{%% assign %s = %s %%}", r.variable(key), e)
	case name == "capture" || name == "increment" || name == "decrement":
		key := strings.Trim(args, `"'`)
		if w, more := word(key); w == "" || more != "" {
			return "", fmt.Errorf("%s needs a name: %q", name, args)
		}
		fmt.Fprintf(&r.out, "{%% %s %s %%}", name, r.variable(key))
	case name == "else" || name == "endif" || name == "endunless" || name == "endcapture":
		fmt.Fprintf(&r.out, "{%% %s %%}", name)
	case name == "liquid":
		for line := range strings.Lines(args) {
			if line = trimSpace(line); line == "" {
				continue
			}
			if _, err := r.tag(line, ""); err != nil {
				return "", err
			}
		}
	default:
		return "", fmt.Errorf("tag %q not found", name)
	}
	return rest, nil
}

// until cuts the source at {% name %}.
func until(s, name string) (content, rest string, ok bool) {
	for from := 0; ; {
		i := strings.Index(s[from:], "{%")
		if i < 0 {
			return "", "", false
		}
		i += from
		inner, after, closed := strings.Cut(s[i+2:], "%}")
		if !closed {
			return "", "", false
		}
		if trimSpace(strings.Trim(inner, "-")) == name {
			content = s[:i]
			if strings.HasPrefix(inner, "-") {
				content = strings.TrimRightFunc(content, isBlank)
			}
			if strings.HasSuffix(inner, "-") {
				after = strings.TrimLeftFunc(after, isBlank)
			}
			return content, after, true
		}
		from = i + 2
	}
}

// word cuts the identifier at the start of s off, and the blanks after it.
func word(s string) (name, rest string) {
	i := 0
	for i < len(s) && wordByte(s[i]) {
		i++
	}
	return s[:i], strings.TrimLeftFunc(s[i:], isBlank)
}

// wordByte accepts what names are made of; all of Unicode beyond ASCII counts.
func wordByte(c byte) bool {
	return c == '_' || c == '-' || c == '?' || c >= utf8.RuneSelf ||
		('0' <= c && c <= '9') || ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z')
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
