package jsonvalue

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/segue-xm/segue/internal/core/fault"
)

// MaxDepth is how deeply arrays and objects may nest. It bounds the recursion of
// everything that walks a value.
const MaxDepth = 200

// Parse reads exactly one JSON text (RFC 8259), as strictly as JavaScript's
// JSON.parse: no byte order mark, no comments, nothing behind the value.
// Numbers become doubles, one too big for a double is infinite; of equal keys
// the last value counts at the place of the first. Bytes that are not UTF-8 are
// an error; half a surrogate pair, which Go strings cannot hold, becomes U+FFFD.
// An error is Invalid and says line and column.
//
// Strings of the result share one copy of the text: keeping one keeps it all.
//
// It is written by hand because ojg's tokenizer lets through what must be
// refused here (1 2, {"a":}, 1.) and breaks surrogate pairs.
func Parse(b []byte) (any, error) {
	p := parser{text: string(b), src: b}
	v, ok := p.value(0)
	if ok {
		p.blanks()
		if p.pos == len(p.text) {
			return v, nil
		}
		p.fail("more text after the value")
	}
	return nil, p.fault()
}

// ParseObject is Parse for a text that must be an object.
func ParseObject(b []byte) (*Object, error) {
	v, err := Parse(b)
	if err != nil {
		return nil, err
	}
	o, ok := v.(*Object)
	if !ok {
		return nil, fault.New(fault.Invalid, "want a JSON object, have %s", TypeName(v))
	}
	return o, nil
}

// parser reads a text in one pass. Members and elements of what is still open
// wait on a stack at the start of room. When an object ends, its members move to
// the end of room and stay there. So nearly all objects of an event share one
// allocation, of just their size.
type parser struct {
	text    string
	src     []byte // the same bytes: what the skip functions read
	pos     int
	room    []member
	open    int      // how many wait
	objects []Object // room that new objects are cut from
	reason  string   // why it failed, at pos
}

// bytesPerMember is about how much text of an event makes a member.
const bytesPerMember = 20

func (p *parser) push(m member) {
	if p.open == len(p.room) {
		rest := len(p.text) - p.pos // of which no member takes less than two bytes
		room := make([]member, p.open+max(4, min(rest/bytesPerMember, 64), min(rest/2, p.open)))
		copy(room, p.room)
		p.room = room
	}
	p.room[p.open] = m
	p.open++
}

// newObject takes the members that wait from start on.
func (p *parser) newObject(start int) *Object {
	if len(p.objects) == 0 {
		p.objects = make([]Object, 8)
	}
	o := &p.objects[0]
	p.objects = p.objects[1:]
	end := len(p.room)
	members := p.room[end-(p.open-start) : end : end]
	copy(members, p.room[start:p.open])
	p.room, p.open = p.room[:end-len(members)], start
	o.members = members[:0]
	for i := range members { // Set is never ahead of what is read
		o.Set(members[i].key, members[i].val)
	}
	return o
}

// newArray takes the elements that wait from start on.
func (p *parser) newArray(start int) []any {
	a := make([]any, p.open-start)
	for i := range a {
		a[i] = p.room[start+i].val
	}
	p.open = start
	return a
}

func (p *parser) fail(reason string) bool {
	p.reason = reason
	return false
}

func (p *parser) fault() error {
	before := p.text[:min(p.pos, len(p.text))]
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	return fault.New(fault.Invalid, "not JSON, line %d, column %d: %s", line, column, p.reason)
}

// at is the byte at pos, or 0 behind the end: no rule takes a 0 byte.
func (p *parser) at() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

func (p *parser) blanks() {
	for p.pos < len(p.text) {
		switch p.text[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

func (p *parser) value(depth int) (any, bool) {
	p.blanks()
	switch c := p.at(); {
	case c == '"':
		s, ok := p.str()
		if !ok {
			return nil, false
		}
		return s, true
	case c == '{':
		return p.object(depth + 1)
	case c == '[':
		return p.array(depth + 1)
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	case c == 't':
		return true, p.literal("true")
	case c == 'f':
		return false, p.literal("false")
	case c == 'n':
		return nil, p.literal("null")
	}
	return nil, p.unexpected("a value")
}

func (p *parser) literal(word string) bool {
	if !strings.HasPrefix(p.text[p.pos:], word) {
		return p.unexpected("a value")
	}
	p.pos += len(word)
	return true
}

func (p *parser) unexpected(want string) bool {
	if p.pos >= len(p.text) {
		return p.fail("want " + want + ", have the end")
	}
	r, _ := utf8.DecodeRuneInString(p.text[p.pos:])
	if r == 0xfeff && p.pos == 0 {
		return p.fail("it starts with a byte order mark")
	}
	return p.fail(fmt.Sprintf("want %s, have %q", want, r))
}

func (p *parser) tooDeep(depth int) bool {
	return depth > MaxDepth && !p.fail(fmt.Sprintf("nested deeper than %d levels", MaxDepth))
}

func (p *parser) object(depth int) (any, bool) {
	if p.tooDeep(depth) {
		return nil, false
	}
	start := p.open
	p.pos++
	p.blanks()
	for first := true; p.at() != '}' || !first; first = false {
		if p.at() != '"' {
			return nil, p.unexpected("a key in double quotes")
		}
		key, ok := p.str()
		if !ok {
			return nil, false
		}
		p.blanks()
		if p.at() != ':' {
			return nil, p.unexpected("a colon")
		}
		p.pos++
		v, ok := p.value(depth)
		if !ok {
			return nil, false
		}
		p.push(member{key, v})
		p.blanks()
		if p.at() == '}' {
			break
		}
		if p.at() != ',' {
			return nil, p.unexpected("a comma or }")
		}
		p.pos++
		p.blanks()
	}
	p.pos++
	return p.newObject(start), true
}

func (p *parser) array(depth int) (any, bool) {
	if p.tooDeep(depth) {
		return nil, false
	}
	start := p.open
	p.pos++
	p.blanks()
	for first := true; p.at() != ']' || !first; first = false {
		v, ok := p.value(depth)
		if !ok {
			return nil, false
		}
		p.push(member{val: v})
		p.blanks()
		if p.at() == ']' {
			break
		}
		if p.at() != ',' {
			return nil, p.unexpected("a comma or ]")
		}
		p.pos++
	}
	p.pos++
	return p.newArray(start), true
}

// powers of ten that a double holds exactly.
var powers = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

func (p *parser) digits() (n int) {
	for ; '0' <= p.at() && p.at() <= '9'; n++ {
		p.pos++
	}
	return n
}

func (p *parser) number() (any, bool) {
	start := p.pos
	if p.at() == '-' {
		p.pos++
	}
	whole := p.pos
	if n := p.digits(); n == 0 {
		return nil, p.unexpected("a digit")
	} else if n > 1 && p.text[whole] == '0' {
		p.pos = whole
		return nil, p.fail("a number cannot start with 0")
	}
	fraction, exponent := 0, false
	if p.at() == '.' {
		p.pos++
		if fraction = p.digits(); fraction == 0 {
			return nil, p.unexpected("a digit")
		}
	}
	if p.at()|0x20 == 'e' {
		exponent = true
		p.pos++
		if p.at() == '+' || p.at() == '-' {
			p.pos++
		}
		if p.digits() == 0 {
			return nil, p.unexpected("a digit")
		}
	}
	text := p.text[start:p.pos]
	// Up to 15 digits and their power of ten are exact doubles, so one
	// division gives the correctly rounded result (W. Clinger, 1990).
	if !exponent && len(text) <= 15 {
		var m int64
		for _, c := range []byte(p.text[whole:p.pos]) {
			if c != '.' {
				m = m*10 + int64(c-'0')
			}
		}
		f := float64(m) / powers[fraction]
		if whole > start {
			f = -f
		}
		return f, true
	}
	f, err := strconv.ParseFloat(text, 64) // out of range gives an infinity or 0, as in JavaScript
	if err != nil && !math.IsInf(f, 0) {
		return nil, p.fail("not a number: " + text)
	}
	return f, true
}

// str reads a string; pos is at its opening quote.
func (p *parser) str() (string, bool) {
	start := p.pos + 1
	ascii := true
	for i := start; ; i++ {
		if i = skipPlain(p.src, i); i == len(p.src) {
			break
		}
		switch c := p.src[i]; {
		case c == '"':
			p.pos = i + 1
			s := p.text[start:i]
			return s, ascii || p.valid(s, start)
		case c == '\\':
			if !ascii && !p.valid(p.text[start:i], start) {
				return "", false
			}
			return p.escaped(start, i)
		case c < ' ':
			p.pos = i
			return "", p.fail("a control character in a string must be escaped")
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	p.pos = len(p.text)
	return "", p.fail("a string has no end")
}

func (p *parser) valid(s string, start int) bool {
	if utf8.ValidString(s) {
		return true
	}
	p.pos = start
	return p.fail("a string is not UTF-8")
}

// escaped reads a string with escapes, the first of them at i.
func (p *parser) escaped(start, i int) (string, bool) {
	out := make([]byte, 0, 2*(i-start)+32)
	plain := start // where the part that is not yet in out begins
	for i < len(p.text) {
		c := p.text[i]
		switch {
		case c == '\\' || c == '"':
			part := p.text[plain:i]
			if !p.valid(part, plain) {
				return "", false
			}
			out = append(out, part...)
			if c == '"' {
				p.pos = i + 1
				return string(out), true
			}
			p.pos = i
			var ok bool
			if out, ok = p.escape(out); !ok {
				return "", false
			}
			i = p.pos
			plain = i
		case c < ' ':
			p.pos = i
			return "", p.fail("a control character in a string must be escaped")
		default:
			i++
		}
	}
	p.pos = len(p.text)
	return "", p.fail("a string has no end")
}

var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escape reads one escape; pos is at its backslash.
func (p *parser) escape(out []byte) ([]byte, bool) {
	p.pos++
	c := p.at()
	if plain := escapes[c]; plain != 0 {
		p.pos++
		return append(out, plain), true
	}
	if c != 'u' {
		return nil, p.unexpected("an escape")
	}
	p.pos++
	r, ok := p.hex4()
	if !ok {
		return nil, p.unexpected("four hexadecimal digits")
	}
	if utf16.IsSurrogate(r) && strings.HasPrefix(p.text[p.pos:], `\u`) {
		back := p.pos
		p.pos += 2
		low, ok := p.hex4()
		if pair := utf16.DecodeRune(r, low); ok && pair != utf8.RuneError {
			return utf8.AppendRune(out, pair), true
		}
		p.pos = back
	}
	return utf8.AppendRune(out, r), true // half a pair is written as U+FFFD
}

func (p *parser) hex4() (rune, bool) {
	var r rune
	for range 4 {
		c := p.at()
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
		p.pos++
	}
	return r, true
}

// TypeName is the JSON name of a value's type, for messages.
func TypeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case float64:
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	case *Object:
		return "object"
	}
	return "nothing"
}
