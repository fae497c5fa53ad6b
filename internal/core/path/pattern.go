package path

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Bounds of a pattern. One beyond them matches nothing, as one that is none.
const (
	maxPattern = 1000 // bytes
	maxStates  = 2000 // once repetitions are written out
	maxGroups  = 50   // in one another
	// What making a pattern from the document ready takes, and as much again for each
	// of its states; and how many are kept ready.
	patternSteps = 500
	stateSteps   = 20
	keptPatterns = 100
)

// pattern is an I-Regexp of RFC 9485. As the public suite of RFC 9535 has it, ^ and $
// stand for the ends of the text.
type pattern struct {
	expr, whole *regexp.Regexp // nil for what is no I-Regexp
	why         string         // there is none
	size        int            // states, about: matching takes as much for each byte
}

// compilePattern never fails: what is no I-Regexp is a pattern that matches nothing.
func compilePattern(text string) *pattern {
	if len(text) > maxPattern || !utf8.ValidString(text) {
		return &pattern{size: 1, why: "is longer than 1000 bytes"}
	}
	r := &patternReader{text: text}
	size := r.alternatives()
	if r.why == "" && r.at < len(text) {
		r.fail("has a ) without (")
	}
	if r.why == "" && size > maxStates {
		r.fail("repeats too much")
	}
	if r.why != "" {
		return &pattern{size: 1, why: r.why}
	}
	p := &pattern{size: size}
	var err error
	if p.expr, err = regexp.Compile(r.out.String()); err != nil {
		return &pattern{size: 1, why: "is no I-Regexp"} // such as a range from z to a
	}
	p.whole, err = regexp.Compile(`\A(?:` + r.out.String() + `)\z`)
	if err != nil {
		return &pattern{size: 1, why: "is no I-Regexp"}
	}
	return p
}

// patternReader reads the grammar of RFC 9485 and writes the same for package regexp.
type patternReader struct {
	text string
	at   int
	deep int
	out  strings.Builder
	why  string
}

func (r *patternReader) fail(why string) {
	if r.why == "" {
		r.why = why
	}
	r.at = len(r.text)
}

func (r *patternReader) peek() byte {
	if r.at < len(r.text) {
		return r.text[r.at]
	}
	return 0
}

// rune takes one character.
func (r *patternReader) rune() rune {
	c, size := utf8.DecodeRuneInString(r.text[r.at:])
	r.at += size
	return c
}

// alternatives reads branches up to a closing parenthesis or the end, and gives the
// number of their states.
func (r *patternReader) alternatives() (size int) {
	if r.deep++; r.deep > maxGroups {
		r.fail("has too many groups in one another")
	}
	defer func() { r.deep-- }()
	size = 1
	for r.at < len(r.text) && r.peek() != ')' {
		if r.peek() == '|' {
			r.at++
			r.out.WriteByte('|')
			size++
			continue
		}
		n := r.atom()
		n *= r.quantifier()
		if size += n; size > maxStates {
			r.fail("repeats too much")
		}
	}
	return size
}

// classes are the general categories that \p{…} knows.
var classes = regexp.MustCompile(`^\{(L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|Z[lps]?|S[ckmo]?|C[cfno]?)\}`)

// literals are the escapes of one character.
const literals = `()*+-.?[\]^{|}`

func (r *patternReader) atom() int {
	switch c := r.rune(); c {
	case '(':
		r.out.WriteString("(?:")
		n := r.alternatives()
		if r.peek() != ')' {
			r.fail("has a ( without )")
			return 1
		}
		r.at++
		r.out.WriteByte(')')
		return n
	case '.':
		r.out.WriteString(`[^\n\r]`)
	case '^':
		r.out.WriteString(`\A`)
	case '$':
		r.out.WriteString(`\z`)
	case '\\':
		r.escape()
	case '[':
		r.class()
	case '*', '+', '?', '{', '}', ']', '|', ')':
		r.fail("has a " + string(c) + " that must be escaped: \\" + string(c))
	default:
		r.out.WriteString(regexp.QuoteMeta(string(c)))
	}
	return 1
}

// escape reads what stands behind a backslash.
func (r *patternReader) escape() {
	switch c := r.peek(); {
	case c == 'n' || c == 'r' || c == 't':
		r.out.WriteString(`\` + string(c))
		r.at++
	case c != 0 && strings.IndexByte(literals, c) >= 0:
		r.out.WriteString(regexp.QuoteMeta(string(c)))
		r.at++
	case c == 'p' || c == 'P':
		name := classes.FindString(r.text[r.at+1:])
		if name == "" {
			r.fail(`has a \` + string(c) + ` that is not followed by a category such as {Lu}`)
			return
		}
		r.at += 1 + len(name)
		r.out.WriteString(`\` + string(c) + name)
	case c == 'd':
		r.fail(`has \d, which is no I-Regexp: write [0-9]`)
	case c == 'w':
		r.fail(`has \w, which is no I-Regexp: write [A-Za-z0-9_]`)
	case c == 's':
		r.fail(`has \s, which is no I-Regexp: write [ \t\n\r]`)
	default:
		r.fail(`has a \ before something that is not escaped`)
	}
}

// class reads what stands between brackets.
func (r *patternReader) class() {
	r.out.WriteByte('[')
	if r.peek() == '^' {
		r.at++
		r.out.WriteByte('^')
	}
	for first := true; ; first = false {
		if r.at >= len(r.text) {
			r.fail("has a [ without ]")
			return
		}
		switch c := r.rune(); {
		case c == ']' && !first:
			r.out.WriteByte(']')
			return
		case c == '-' && (first || r.peek() == ']'):
			r.out.WriteString(`\-`)
			continue
		case c == '[' || c == ']' || c == '-':
			r.fail("has a " + string(c) + " between brackets that must be escaped: \\" + string(c))
			return
		case c == '\\':
			category := r.peek() == 'p' || r.peek() == 'P'
			r.classEscape()
			if category {
				continue
			}
		default:
			r.out.WriteString(quoteInClass(c))
		}
		if r.peek() != '-' || strings.HasPrefix(r.text[r.at:], "-]") {
			continue
		}
		r.at++
		r.out.WriteByte('-')
		switch c := r.rune(); c {
		case '\\':
			r.classEscape()
		case '[', ']', '-':
			r.fail("has a range without end")
			return
		default:
			r.out.WriteString(quoteInClass(c))
		}
	}
}

func (r *patternReader) classEscape() {
	if r.peek() == '-' {
		r.at++
		r.out.WriteString(`\-`)
		return
	}
	r.escape()
}

func quoteInClass(c rune) string {
	if strings.ContainsRune(`[]\^-`, c) {
		return `\` + string(c)
	}
	return string(c)
}

var repeats = regexp.MustCompile(`^\{([0-9]+)(,([0-9]*))?\}`)

// quantifier reads what stands behind an atom, and gives how many copies of it that
// makes.
func (r *patternReader) quantifier() int {
	switch c := r.peek(); c {
	case '*', '+', '?':
		r.at++
		r.out.WriteByte(c)
		return 2
	case '{':
		m := repeats.FindStringSubmatch(r.text[r.at:])
		if m == nil {
			r.fail("has a { that is no repetition")
			return 1
		}
		least, most := count(m[1]), count(m[3])
		if least > 1000 || most > 1000 {
			r.fail("repeats something more than 1000 times")
			return 1
		}
		if m[3] != "" && most < least {
			r.fail("repeats from many to few")
			return 1
		}
		r.at += len(m[0])
		r.out.WriteString(m[0])
		return max(least, most) + 1
	}
	return 1
}

func count(digits string) int {
	n := 0
	for _, c := range digits {
		n = min(n*10+int(c-'0'), 1001)
	}
	return n
}
