package mapping

import (
	"net/url"
	"strings"

	"github.com/segue-xm/segue/internal/core/js"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// coerce brings a mapped value to its field's type as Segment's validator does.
// Empty values, null and "", are Undefined. An array of one value is that value
// when a text, an address or a boolean is wanted; null in it is "" or false, and ""
// stays. A value that cannot be brought to the type has a reason.
func coerce(f Field, v any) (out any, reason string) {
	if f.Multiple {
		return coerceList(f, v)
	}
	if jsonvalue.IsNil(v) || v == "" {
		return jsonvalue.Undefined{}, ""
	}
	if l, ok := v.([]any); ok && len(l) == 1 {
		if empty, opens := emptyOf[f.Type]; opens {
			if v = l[0]; jsonvalue.IsNil(v) {
				v = empty
			}
		}
	}
	return coercions[f.Type](v)
}

// emptyOf is what a null in an array of one becomes, for the types that open such
// arrays.
var emptyOf = map[Type]any{TypeString: "", TypeURI: "", TypeBoolean: false}

func coerceList(f Field, v any) (any, string) {
	if jsonvalue.IsNil(v) || v == "" {
		return jsonvalue.Undefined{}, ""
	}
	l, ok := v.([]any)
	if !ok {
		l = []any{v}
	}
	out := make([]any, 0, len(l))
	for _, e := range l {
		e, reason := coercions[f.Type](e)
		if reason != "" {
			return nil, reason
		}
		out = append(out, e)
	}
	return out, ""
}

var coercions = map[Type]func(v any) (any, string){
	TypeString:   coerceString,
	TypeBoolean:  coerceBoolean,
	TypeObject:   coerceObject,
	TypeDatetime: coerceDatetime,
	TypeURI:      coerceURI,
}

func mustBe(want string, v any) string {
	return "must be " + article(want) + " but it was " + article(kindName(v))
}

func coerceString(v any) (any, string) {
	switch s := v.(type) {
	case string:
		return v, "" // not s: boxing it again would allocate
	case float64:
		return jsonvalue.NumberText(s), ""
	case bool:
		return string(js.AppendText(nil, s)), ""
	}
	return nil, mustBe("string", v)
}

func coerceBoolean(v any) (any, string) {
	switch v {
	case true, "true", 1.0:
		return true, ""
	case false, "false", 0.0:
		return false, ""
	}
	return nil, mustBe("boolean", v)
}

func coerceObject(v any) (any, string) {
	if _, ok := v.(*jsonvalue.Object); ok {
		return v, ""
	}
	return nil, mustBe("object", v)
}

// coerceDatetime keeps the value as it came when it can be read as a time. Text
// that cannot is refused here; Segment's destination would read it as now.
func coerceDatetime(v any) (any, string) {
	if _, reason := readTime(v); reason != "" {
		return nil, reason
	}
	return v, ""
}

// coerceURI takes an absolute http or https address in RFC 3986's letters.
func coerceURI(v any) (any, string) {
	s, ok := v.(string)
	if !ok {
		return nil, mustBe("string", v)
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || !uriLetters(s, u.Host) {
		return nil, "must be an http or https address with only the characters of one"
	}
	return v, ""
}

// uriLetters reports whether an address has no other characters than RFC 3986's;
// brackets are the host's.
func uriLetters(s, host string) bool {
	before, after, _ := strings.Cut(s, host)
	rest := before + after
	for i := range len(rest) {
		c := rest[i]
		switch {
		case '0' <= c && c <= '9', 'a' <= c|0x20 && c|0x20 <= 'z', strings.IndexByte("-._~:/?#@!$&'()*+,;=", c) >= 0:
		case c == '%' && i+2 < len(rest) && isHex(rest[i+1]) && isHex(rest[i+2]):
		default:
			return false
		}
	}
	return js.IsASCII(host)
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}
