package js

import (
	"math"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// AppendText appends v as JavaScript's String(v), with null and undefined as
// nothing: arrays joined with commas, objects not at all useful.
func AppendText(dst []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return append(dst, v...)
	case bool:
		if v {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case float64:
		return jsonvalue.AppendNumber(dst, v)
	case []any:
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendText(dst, e)
		}
	case *jsonvalue.Object:
		return append(dst, "[object Object]"...)
	}
	return dst
}

// Text is JavaScript's String(v): like AppendText, but that null and undefined
// have names.
func Text(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case jsonvalue.Undefined:
		return "undefined"
	case string:
		return v
	default:
		return string(AppendText(nil, v))
	}
}

// Number is JavaScript's Number(v).
func Number(v any) float64 {
	switch v := v.(type) {
	case nil:
		return 0
	case bool:
		if v {
			return 1
		}
		return 0
	case float64:
		return v
	case string:
		return ParseNumber(v)
	case []any:
		return ParseNumber(string(AppendText(nil, v)))
	}
	return math.NaN()
}

// ParseNumber is Number(s) of a text.
func ParseNumber(s string) float64 {
	s = Trim(s)
	if s == "" {
		return 0
	}
	if strings.ContainsAny(s, "_xXpPnN") { // Go's spellings that JavaScript has not, or not so
		if s == "Infinity" || s == "+Infinity" {
			return math.Inf(1)
		}
		if s == "-Infinity" {
			return math.Inf(-1)
		}
		if n, err := strconv.ParseUint(s, 0, 53); err == nil && !strings.Contains(s, "_") {
			return float64(n)
		}
		return math.NaN()
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(n, 0) {
		return math.NaN()
	}
	return n
}

// Truthy is JavaScript's: not undefined, null, false, 0, NaN or "".
func Truthy(v any) bool {
	switch v := v.(type) {
	case nil, jsonvalue.Undefined:
		return false
	case bool:
		return v
	case float64:
		return v != 0 && v == v
	case string:
		return v != ""
	}
	return true
}

// Property is v[key] for a truthy v.
func Property(v any, key string) any {
	switch v := v.(type) {
	case *jsonvalue.Object:
		return v.Get(key)
	case []any:
		if key == "length" {
			return float64(len(v))
		}
		if i, ok := arrayIndex(key); ok && i < len(v) {
			return v[i]
		}
	case string:
		if key == "length" {
			return float64(Length(v))
		}
		if i, ok := arrayIndex(key); ok {
			return unitAt(v, i)
		}
	}
	return jsonvalue.Undefined{}
}

// arrayIndex reads a canonical index: "1", not "01" or "-1".
func arrayIndex(key string) (int, bool) {
	if key == "" || len(key) > 9 || (key[0] == '0' && len(key) > 1) {
		return 0, false
	}
	for i := range len(key) {
		if key[i] < '0' || key[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.Atoi(key)
	return n, err == nil
}

// At is a[i], Undefined when there is none.
func At(a []any, i int) any {
	if i < len(a) {
		return a[i]
	}
	return jsonvalue.Undefined{}
}

// DecodeURIComponent is decodeURIComponent; false when it would throw.
func DecodeURIComponent(s string) (string, bool) {
	out, err := url.PathUnescape(s)
	return out, err == nil && utf8.ValidString(out)
}
