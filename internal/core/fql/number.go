package fql

import (
	"math"
	"strconv"
	"strings"
)

var notANumber = math.NaN()

// toNumber reads a text as JavaScript's Number does (ECMA-262,
// StringToNumber): blanks around are ignored, nothing is 0, hexadecimal, octal
// and binary have no sign, and whatever else is not a decimal is NaN.
func toNumber(s string) float64 {
	s = strings.TrimFunc(s, isJSBlank)
	if s == "" {
		return 0
	}
	if len(s) > 2 && s[0] == '0' {
		base := 0
		switch s[1] | 0x20 {
		case 'x':
			base = 16
		case 'o':
			base = 8
		case 'b':
			base = 2
		}
		if base != 0 {
			return wholeNumber(s[2:], base)
		}
	}
	switch s {
	case "Infinity", "+Infinity":
		return math.Inf(1)
	case "-Infinity":
		return math.Inf(-1)
	}
	// ParseFloat also reads hexadecimal, underscores and names; a decimal is
	// made of these characters only.
	for i := range len(s) {
		if c := s[i]; !isDigit(c) && c != '.' && c != '+' && c != '-' && c|0x20 != 'e' {
			return notANumber
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(f, 0) {
		return notANumber
	}
	return f
}

func wholeNumber(digits string, base int) float64 {
	f := 0.0
	for i := range len(digits) {
		d, err := strconv.ParseUint(digits[i:i+1], base, 8)
		if err != nil {
			return notANumber
		}
		f = f*float64(base) + float64(d)
	}
	return f
}

// isJSBlank reports whether r is WhiteSpace or a LineTerminator of ECMA-262.
func isJSBlank(r rune) bool {
	switch r {
	case '\t', '\n', '\v', '\f', '\r', ' ', 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff:
		return true
	}
	return 0x2000 <= r && r <= 0x200a
}
