package jsonvalue

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/segue-xm/segue/internal/core/fault"
)

// Parse reads exactly one JSON text (RFC 8259), as strictly as JavaScript's
// JSON.parse: no byte order mark, no comments, nothing behind the value.
// Numbers become doubles, one too big for a double is infinite; of equal keys
// the last value counts at the place of the first. Bytes that are not UTF-8 are
// an error; half a surrogate pair, which Go strings cannot hold, becomes U+FFFD.
// An error is Invalid and says line and column.
//
// Strings of the result share one copy of the text: keeping one keeps it all.
func Parse(b []byte) (any, error) {
	p := parser{text: string(b), src: b, pos: SkipBlanks(b, 0)}
	if v, ok := p.value(0); ok {
		if p.pos = SkipBlanks(b, p.pos); p.pos == len(b) {
			return v, nil
		}
		p.flaw = MoreText
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
	src     []byte // the same bytes: what the scanner reads
	pos     int
	room    []member
	open    int      // how many wait
	objects []Object // room that new objects are cut from
	flaw    Flaw     // why it failed, at pos
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

func (p *parser) fault() error {
	before := p.text[:p.pos]
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	return fault.New(fault.Invalid, "not JSON, line %d, column %d: %s", line, column, p.reason())
}

// reason is the flaw in words, with what is there in place of what is wanted.
func (p *parser) reason() string {
	flaw := p.flaw.String()
	if !strings.HasPrefix(flaw, "want ") {
		return flaw
	}
	if p.pos == len(p.text) {
		return flaw + ", have the end"
	}
	r, _ := utf8.DecodeRuneInString(p.text[p.pos:])
	if r == 0xfeff && p.pos == 0 {
		return "it starts with a byte order mark"
	}
	return fmt.Sprintf("%s, have %q", flaw, r)
}

// The rest of the methods read what is at pos and go behind it. False: p has the
// flaw, and its place.

func (p *parser) value(depth int) (any, bool) {
	if p.pos == len(p.src) {
		p.flaw = WantValue
		return nil, false
	}
	switch p.src[p.pos] {
	case '"':
		s, ok := p.string()
		if !ok {
			return nil, false
		}
		return s, true
	case '{':
		return p.object(depth + 1)
	case '[':
		return p.array(depth + 1)
	}
	start := p.pos
	if p.pos, p.flaw = scanBare(p.src, start); p.flaw != 0 {
		return nil, false
	}
	switch p.src[start] {
	case 't':
		return true, true
	case 'f':
		return false, true
	case 'n':
		return nil, true
	}
	return double(p.text[start:p.pos]), true
}

func (p *parser) object(depth int) (any, bool) {
	if depth > MaxDepth {
		p.flaw = TooDeep
		return nil, false
	}
	start := p.open
	more := false
	for p.pos, more = Enter(p.src, p.pos); more; {
		key, ok := p.key()
		if !ok {
			return nil, false
		}
		v, ok := p.value(depth)
		if !ok {
			return nil, false
		}
		p.push(member{key, v})
		if p.pos, more, p.flaw = Next(p.src, p.pos, '}'); p.flaw != 0 {
			return nil, false
		}
	}
	return p.newObject(start), true
}

func (p *parser) array(depth int) (any, bool) {
	if depth > MaxDepth {
		p.flaw = TooDeep
		return nil, false
	}
	start := p.open
	more := false
	for p.pos, more = Enter(p.src, p.pos); more; {
		v, ok := p.value(depth)
		if !ok {
			return nil, false
		}
		p.push(member{val: v})
		if p.pos, more, p.flaw = Next(p.src, p.pos, ']'); p.flaw != 0 {
			return nil, false
		}
	}
	return p.newArray(start), true
}

// key reads a key and its colon.
func (p *parser) key() (string, bool) {
	start := p.pos
	end, value, holds, flaw := scanKey(p.src, start)
	p.pos, p.flaw = value, flaw
	if holds == 0 && flaw == 0 {
		return p.text[start+1 : end-1], true
	}
	return p.unquote(start, end, holds)
}

func (p *parser) string() (string, bool) {
	start := p.pos
	end, holds, flaw := scanString(p.src, start)
	p.pos, p.flaw = end, flaw
	if holds == 0 && flaw == 0 {
		return p.text[start+1 : end-1], true
	}
	return p.unquote(start, end, holds)
}

// unquote is the text of a string that has been scanned. That it is not UTF-8
// comes before a flaw behind that.
func (p *parser) unquote(start, end int, holds content) (string, bool) {
	if holds&nonASCII != 0 && !utf8.Valid(p.src[start:end]) {
		if broken := brokenPart(p.src, start+1, end); broken >= 0 {
			p.pos, p.flaw = broken, NotUTF8
		}
	}
	if p.flaw != 0 {
		return "", false
	}
	s := p.text[start+1 : end-1]
	if holds&escapes != 0 {
		s = unescape(s)
	}
	return s, true
}

// powers of ten that a double holds exactly.
var powers = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// double is the value of a number that the scanner takes.
func double(text string) float64 {
	if f, ok := shortDouble(text); ok {
		return f
	}
	f, _ := strconv.ParseFloat(text, 64) // out of range gives an infinity or 0, as in JavaScript
	return f
}

// shortDouble is the value of a number without an exponent. Up to 15 digits and
// their power of ten are exact doubles, so one division gives the correctly
// rounded result (W. Clinger, 1990).
func shortDouble(text string) (_ float64, ok bool) {
	if len(text) > 15 {
		return 0, false
	}
	var digits int64
	fraction := len(text) // where it starts
	for i, c := range []byte(text) {
		switch {
		case '0' <= c && c <= '9':
			digits = digits*10 + int64(c-'0')
		case c == '.':
			fraction = i + 1
		case c != '-':
			return 0, false
		}
	}
	f := float64(digits) / powers[len(text)-fraction]
	if text[0] == '-' {
		f = -f
	}
	return f, true
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
