package jsonvalue

import (
	"math"
	"strconv"
	"unicode/utf8"
)

// Append appends the JSON text of v as JSON.stringify writes it: no blanks, no
// HTML escapes, numbers by JavaScript's rule. Undefined members are left out of
// objects and written as null in arrays; NaN and the infinities are null.
func Append(dst []byte, v any) []byte {
	switch v := v.(type) {
	case bool:
		return strconv.AppendBool(dst, v)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return append(dst, "null"...)
		}
		return AppendNumber(dst, v)
	case string:
		return appendString(dst, v)
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = Append(dst, e)
		}
		return append(dst, ']')
	case *Object:
		dst = append(dst, '{')
		first := true
		for k, e := range v.All() {
			if IsUndefined(e) {
				continue
			}
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = appendString(dst, k)
			dst = append(dst, ':')
			dst = Append(dst, e)
		}
		return append(dst, '}')
	}
	return append(dst, "null"...)
}

// Text is Append as a string.
func Text(v any) string { return string(Append(nil, v)) }

// MarshalJSON lets an Object stand inside structs that encoding/json writes.
func (o *Object) MarshalJSON() ([]byte, error) { return Append(nil, o), nil }

// UnmarshalJSON reads an object, keeping the order of its keys.
func (o *Object) UnmarshalJSON(b []byte) error {
	p, err := ParseObject(b)
	if err != nil {
		return err
	}
	*o = *p
	return nil
}

// AppendNumber appends f as JavaScript's Number.prototype.toString does
// (ECMA-262, Number::toString): the shortest digits that read back as f, plain
// from 1e-6 up to 1e21, with an exponent outside.
func AppendNumber(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	case f == 0:
		return append(dst, '0') // minus zero too
	}
	if a := math.Abs(f); a >= 1e-6 && a < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	n := len(dst)
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	// Go pads the exponent to two digits, JavaScript does not.
	if e := len(dst) - 2; e > n && dst[e] == '0' && (dst[e-1] == '-' || dst[e-1] == '+') {
		dst[e] = dst[e+1]
		dst = dst[:e+1]
	}
	return dst
}

// NumberText is AppendNumber as a string.
func NumberText(f float64) string { return string(AppendNumber(nil, f)) }

const hex = "0123456789abcdef"

func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(dst, s[start:i]...)
				dst = append(dst, "\ufffd"...)
				start = i + 1
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// Value is any JSON value for encoding/json to read: its objects are *Object.
type Value struct{ V any }

// UnmarshalJSON reads any JSON.
func (v *Value) UnmarshalJSON(b []byte) (err error) {
	v.V, err = Parse(b)
	return err
}
