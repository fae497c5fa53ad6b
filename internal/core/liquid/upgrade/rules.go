package upgrade

import (
	"slices"
	"strings"
)

// filterChange is a filter that gives something else than in 0.1.0.
type filterChange struct {
	was string
	// same tells when it gives the same nevertheless; nil: never.
	same func(f filterPart, p expressionParts) bool
	// write gives the filter of the same meaning; nil or "": there is none.
	write func(f filterPart) string
}

var filterChanges = map[string]filterChange{
	"divided_by": {
		was: "by a whole number the result was cut to a whole number: 7 | divided_by: 2 was 3; for numbers from 0 on write | floor behind it",
		same: func(f filterPart, _ expressionParts) bool {
			return argument0(f).kind == numberLexeme && strings.Contains(argument0(f).text, ".")
		},
	},
	"modulo":        {was: "the result had the sign of the number: -7 | modulo: 3 was -1, and is 2"},
	"round":         {was: "halves of negative numbers were rounded up, and 1.005 | round: 2 was 1, since 1.005 is stored as a little less"},
	"capitalize":    {was: "letters behind the first stayed as they were; they become small"},
	"truncatewords": {was: "a text of just so many words was not marked as cut, and a text that was not cut kept its blanks"},
	"strip_html":    {was: "the contents of scripts and styles stayed"},
	"escape_once":   {was: "all of HTML's entities were known: &eacute; became é, and &quot; &#34;; only those that escape makes are left alone now"},
	"newline_to_br": {was: "outside of HTML bodies the <br /> took the place of the new line; the new line stays behind it now"},
	"url_encode": {
		was:   "the characters !'()* were encoded; cgi_escape does that",
		write: func(filterPart) string { return "cgi_escape" },
	},
	"type": {was: "it gave the name of the value's type; there is no such filter any more"},
	"uniq": {
		was:  "of objects and arrays of the same contents only the first was kept; the same object or array is meant now",
		same: func(f filterPart, _ expressionParts) bool { return f.before == "map" || f.before == "split" },
	},
	"join": {
		was:  "null elements were left out (write compact before it), and an array in an array was written without commas",
		same: func(f filterPart, _ expressionParts) bool { return f.before == "split" },
	},
	"sort": {
		was:  "null came first, a text and a number were not compared, and by a property nothing was sorted",
		same: func(f filterPart, _ expressionParts) bool { return f.before == "split" },
	},
	"sort_natural": {
		was:  "numbers were not sorted, nor anything by a property",
		same: func(f filterPart, _ expressionParts) bool { return f.before == "split" },
	},
	"size": {
		was:  "a character of two UTF-16 units, as most emoji are, counted once in a text, and an object's members were counted",
		same: func(f filterPart, p expressionParts) bool { return !ofScalar(f, p) && !ofObject(f, p) },
	},
	"first": {was: memberOfObject, same: func(f filterPart, p expressionParts) bool { return !ofObject(f, p) }},
	"last":  {was: memberOfObject, same: func(f filterPart, p expressionParts) bool { return !ofObject(f, p) }},
	"replace": {
		was: "nothing was found before the first and behind the last character too",
		same: func(f filterPart, _ expressionParts) bool {
			return argument0(f).kind != quotedLexeme || unquoted(argument0(f)) != ""
		},
	},
	"slice": {
		was:  "an array was made a text first; its elements are cut out now",
		same: ofScalar,
	},
	"json":    {was: missingAsNull, same: isThere},
	"inspect": {was: missingAsNull, same: isThere},
	"split": {
		was: "at a blank, all blanks and new lines were one; and an emoji stayed whole in a split at nothing",
		same: func(f filterPart, _ expressionParts) bool {
			return argument0(f).kind == quotedLexeme && !slices.Contains([]string{" ", ""}, unquoted(argument0(f)))
		},
		write: func(f filterPart) string {
			if argument0(f).kind == quotedLexeme && unquoted(argument0(f)) == " " {
				return `normalize_whitespace | split: " "`
			}
			return ""
		},
	},
	"date": {
		was:   "some letters of formats were known that are not now, or meant something else, and without a format a date was as in Wed, Mar 04, 26",
		same:  func(f filterPart, _ expressionParts) bool { return sameFormat(f) },
		write: writeFormat,
	},
}

const missingAsNull = "what is missing was written as null; nothing is written now"

const memberOfObject = "it gave a member of an object"

// objects are what is an object when it is there.
var objects = []string{"fields", "contact", "contact.embedded_data", "event", "steps", "transaction", "link"}

func ofObject(f filterPart, p expressionParts) bool {
	return f.before == "" && len(p.head) == 1 && slices.Contains(objects, p.head[0].text)
}

// isThere reports whether a filter has a value to work on in any case.
func isThere(f filterPart, p expressionParts) bool {
	if f.before == "" {
		return len(p.head) == 1 && p.head[0].kind != nameLexeme
	}
	return f.before != "first" && f.before != "last" && f.before != "default" && f.before != "date"
}

// givesScalar are the filters of 0.1.0 behind which there is a text or a number.
var givesScalar = []string{
	"abs", "append", "capitalize", "ceil", "date", "divided_by", "downcase", "escape", "escape_once", "floor", "inspect", "join", "json", "lstrip",
	"minus", "modulo", "newline_to_br", "plus", "prepend", "remove", "remove_first", "replace", "replace_first", "round", "rstrip", "size", "slice", "strip",
	"strip_html", "strip_newlines", "times", "truncate", "truncatewords", "type", "upcase", "url_decode", "url_encode",
}

// ofScalar reports whether a filter works on a text or a number as far as one can see.
func ofScalar(f filterPart, p expressionParts) bool {
	if f.before == "" {
		return len(p.head) == 1 && isScalar(p.head[0])
	}
	return slices.Contains(givesScalar, f.before)
}

func argument0(f filterPart) lexeme {
	if len(f.args) == 0 {
		return lexeme{kind: markLexeme}
	}
	return f.args[0]
}

// unquoted is what a text in quotes meant to 0.1.0: there were no escapes.
func unquoted(l lexeme) string { return l.text[1:max(1, len(l.text)-1)] }

// formatChanges are letters of date formats with another meaning, and how that is
// written now; "" when it cannot be.
var formatChanges = map[byte]string{
	'D': "%m/%d/%y", 'F': "%Y-%m-%d", 'R': "%H:%M", 'T': "%H:%M:%S", 'r': "%I:%M:%S %p", 'v': "%e-%^b-%Y",
	'c': "%a %b %e %H:%M:%S %Y", 'x': "%m/%d/%y", 'X': "%H:%M:%S", '+': "%a %b %e %H:%M:%S UTC %Y", 'q': "%%q",
	'G': "", 'g': "", 'V': "", 'Q': "",
}

func sameFormat(f filterPart) bool {
	if argument0(f).kind != quotedLexeme {
		return false
	}
	text, same := changedFormat(unquoted(argument0(f)))
	return same && text != ""
}

// changedFormat is a format in the letters of today; "" when there are none. same
// reports whether nothing had to be changed.
func changedFormat(format string) (text string, same bool) {
	var out strings.Builder
	same = true
	for i := 0; i < len(format); {
		_, n := formatDirective(format[i:])
		letter := byte(0)
		if n > 0 {
			letter = format[i+n-1]
		}
		with, changed := formatChanges[letter]
		switch {
		case n == 0:
			n = 1
			out.WriteByte(format[i])
		case letter == 'z' && strings.Contains(format[i:i+n], "::"), changed && (n != 2 || with == ""):
			return "", false
		case changed:
			same = false
			out.WriteString(with)
		default:
			out.WriteString(format[i : i+n])
		}
		i += n
	}
	return out.String(), same
}

// formatDirective is the length of the directive at the start of s, 0 for none.
func formatDirective(s string) (flags string, n int) {
	if s[0] != '%' {
		return "", 0
	}
	n = 1
	for n < len(s) && strings.IndexByte("-_0^#:123456789", s[n]) >= 0 {
		n++
	}
	if n == len(s) {
		return "", 0
	}
	return s[1:n], n + 1
}

func writeFormat(f filterPart) string {
	const without = `date: "%a, %b %d, %y"`
	switch l := argument0(f); {
	case len(f.args) == 0:
		return without
	case l.kind != quotedLexeme:
		return ""
	default:
		text, _ := changedFormat(unquoted(l))
		if text == "" {
			return ""
		}
		return "date: " + l.text[:1] + text + l.text[:1]
	}
}
