package fql

import (
	"slices"
	"strings"
)

// otherDialect begins what is told of the larger language of Segment's destination
// filters.
const otherDialect = "this is destination-filter FQL; as a trigger it means: "

// otherFunctions are the functions of that language.
var otherFunctions = []string{"lowercase", "uppercase", "snakecase", "kebabcase", "titlecase", "typeof", "length", "bool", "string", "number", "exists"}

// skipped tells of a token that stands for nothing.
func (l *linter) skipped(t, next token) {
	if l == nil {
		return
	}
	switch {
	case t.kind == kindComma || t.kind == kindDot:
		return
	case t.kind == kindString && t.pos > 0 && !isTerminator(l.text[t.pos-1]):
		return // told by neighbours
	case t.text == "!" && next.kind == kindOpen:
		l.negateGroup(l.add(t.pos, "!(", otherDialect+"the ! is ignored, and the group means the same without it", "the opposite of each condition: != for =, !contains(…)"), t)
	case t.text == "!":
		l.negateCondition(l.add(t.pos, l.word(t.pos), otherDialect+"the ! is ignored; it works right before contains and match only", "!= instead of ="), t)
	case t.text == "[" && !l.quiet:
		l.add(t.pos, "[", otherDialect+"there are no lists, and the brackets are ignored", "one condition for each value, joined by or")
	case t.kind == kindClose && !l.quiet:
		l.add(t.pos, ")", "closes nothing and is ignored", "").fix(l, t.pos, t.end, "")
	case !l.quiet && t.kind != kindClose && t.kind != kindBracket:
		l.add(t.pos, l.source(t), "belongs to no condition and is ignored", "")
	}
	l.quiet = true
}

// unknown tells of a name that is no field and no function.
func (l *linter) unknown(t, next token) {
	if l == nil {
		return
	}
	if t.pos > 0 && isDigit(l.text[t.pos-1]) {
		return // told by neighbours
	}
	defer func() { l.quiet, l.loss = true, true }()
	lower := strings.ToLower(t.text)
	first, _, _ := strings.Cut(t.text, ".")
	switch {
	case t.text == joinAnd || t.text == joinOr:
		l.add(t.pos, l.word(t.pos), "without a blank behind it "+t.text+" is ignored; what joins the conditions stays what it was", t.text+" and a blank").
			fix(l, t.pos, t.end, t.text+" ")
	case lower == joinAnd || lower == joinOr:
		l.add(t.pos, t.text, "is ignored: only "+lower+" in lower case counts", lower).
			fix(l, t.pos, t.end, lower)
	case lower == "not":
		l.negateCondition(l.add(t.pos, t.text, "is ignored; it negates nothing", "!= or !contains(…)"), t)
	case next.kind == kindOpen && slices.Contains(otherFunctions, lower):
		l.add(t.pos, t.text+"(", otherDialect+"the function's name is ignored, and its parentheses are read as a group", "")
	case fieldFold(first) != "":
		rest := strings.TrimPrefix(l.source(t), first)
		l.add(t.pos, t.text, "is not a known field: the condition is dropped", fieldFold(first)+rest).
			fix(l, t.pos, t.end, fieldFold(first)+rest)
	case !l.quiet || next.kind == kindOp:
		l.add(t.pos, t.text, "is not a field that filters can see: the condition is dropped", "type, event, name, userId, properties.…, traits.… or context.…")
	}
}

// fieldFold is the field that a name would be in its right case, or "".
func fieldFold(name string) string {
	for _, f := range []string{"type", "event", "name", "userId", "properties", "traits", "context"} {
		if strings.EqualFold(name, f) || strings.EqualFold(strings.ReplaceAll(name, "_", ""), f) {
			return f
		}
	}
	return ""
}
