package upgrade

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/segue-xm/segue/internal/core/js"
	"github.com/segue-xm/segue/internal/core/liquid/lex"
)

// condition looks at comparisons, and at how and, or and parentheses join them.
func (u *upgrader) condition(t lex.Token, head []lexeme, w writing) {
	if len(head) < 2 {
		return
	}
	for i, l := range head {
		if l.kind != nameLexeme || l.text != "empty" && l.text != "blank" {
			continue
		}
		u.found(t.Line, true, "word "+l.text, "it was a variable that is not there: nil")
		w.change(head[i].start, head[i].end, "nil")
	}
	if slices.ContainsFunc(head, func(l lexeme) bool { return l.text == "(" && l.kind == markLexeme }) &&
		!slices.ContainsFunc(head, func(l lexeme) bool { return l.text == ".." }) {
		u.parentheses(t, head, w)
		return
	}
	operands, joins := chain(head)
	mixed := slices.Contains(joins, "and") && slices.Contains(joins, "or")
	if mixed {
		u.found(t.Line, true, "and with or", "they were taken from left to right: a and b or c was (a and b) or c; now it is a and (b or c), and c or a and b is what it was")
		var out strings.Builder
		for i, o := range slices.Backward(operands) {
			out.WriteString(w.text(o))
			if i > 0 {
				out.WriteString(" " + joins[i-1] + " ")
			}
		}
		w.change(head[0].start, head[len(head)-1].end, out.String())
	}
	for _, o := range operands {
		u.comparison(t, o)
	}
}

// chain cuts a condition at and and or.
func chain(head []lexeme) (operands [][]lexeme, joins []string) {
	start := 0
	for i, l := range head {
		if l.kind == nameLexeme && (l.text == "and" || l.text == "or") && i > start {
			operands, joins = append(operands, head[start:i]), append(joins, l.text)
			start = i + 1
		}
	}
	if start < len(head) {
		operands = append(operands, head[start:])
	}
	return operands, joins
}

// comparison looks at a < b.
func (u *upgrader) comparison(t lex.Token, o []lexeme) {
	if len(o) != 3 || o[1].kind != markLexeme || !slices.Contains([]string{"<", ">", "<=", ">="}, o[1].text) {
		return
	}
	a, b, op := o[0], o[2], o[1].text
	if isCount(a) && isCount(b) || isWordy(a) || isWordy(b) {
		return
	}
	// Fields have types: a number is none or a number. What is none counts as 0 now.
	if isField(a) && b.kind == numberLexeme {
		n, _ := strconv.ParseFloat(b.text, 64)
		if !(op == "<" && 0 < n || op == "<=" && 0 <= n || op == ">" && 0 > n || op == ">=" && 0 >= n) {
			return
		}
	}
	u.found(t.Line, false, "comparison "+op, "null was neither less nor greater than a number, and counts as 0 now; nor was a text, which is read as a number now")
}

// isCount reports whether what is written is a number, or nothing but texts are.
func isCount(l lexeme) bool {
	return l.kind == numberLexeme || strings.HasSuffix(l.text, ".size") || strings.HasPrefix(l.text, "forloop.")
}

// isWordy reports whether what is written is a text that is no number: it compares with
// texts only, as it did.
func isWordy(l lexeme) bool {
	return l.kind == quotedLexeme && math.IsNaN(js.ParseNumber(unquoted(l)))
}

// isScalar reports whether a variable is a text or a number when it is there.
func isScalar(l lexeme) bool {
	return l.kind != nameLexeme || isField(l) || strings.HasPrefix(l.text, "contact.") && !strings.HasPrefix(l.text, "contact.embedded_data")
}

func isField(l lexeme) bool { return strings.HasPrefix(l.text, "fields.") }

// parentheses finds groups, of which a condition has none any more. One group at an end
// can be written without.
func (u *upgrader) parentheses(t lex.Token, head []lexeme, w writing) {
	const was = "a condition could have groups in parentheses"
	mark := func(l lexeme, s string) bool { return l.kind == markLexeme && l.text == s }
	n := len(head) - 1
	open := slices.IndexFunc(head, func(l lexeme) bool { return mark(l, "(") })
	shut := slices.IndexFunc(head, func(l lexeme) bool { return mark(l, ")") })
	single := func(l []lexeme) bool {
		_, joins := chain(l)
		return len(l) > 0 && len(joins) == 0 && !slices.ContainsFunc(l, func(l lexeme) bool { return mark(l, "(") || mark(l, ")") })
	}
	if open < 0 || shut < open {
		u.found(t.Line, false, "parentheses", was)
		return
	}
	group := head[open+1 : shut]
	_, joins := chain(group)
	simple := len(group) > 0 && !(slices.Contains(joins, "and") && slices.Contains(joins, "or")) && !slices.ContainsFunc(group, func(l lexeme) bool { return mark(l, "(") })
	isJoin := func(l lexeme) bool { return l.text == "and" || l.text == "or" }
	operands, _ := chain(slices.DeleteFunc(slices.Clone(head), func(l lexeme) bool { return mark(l, "(") || mark(l, ")") }))
	for _, o := range operands {
		u.comparison(t, o)
	}
	switch {
	case simple && open == 0 && shut == n:
		w.change(head[0].start, head[n].end, w.text(group))
	case simple && open == 0 && shut+2 <= n && isJoin(head[shut+1]) && single(head[shut+2:]):
		w.change(head[0].start, head[n].end, w.text(head[shut+2:])+" "+head[shut+1].text+" "+w.text(group))
	case simple && shut == n && open >= 2 && isJoin(head[open-1]) && single(head[:open-1]):
		w.change(head[0].start, head[n].end, w.text(head[:open-1])+" "+head[open-1].text+" "+w.text(group))
	default:
		u.found(t.Line, false, "parentheses", was)
		return
	}
	u.found(t.Line, true, "parentheses", was)
}

// loop looks at what a loop goes through, the order of its arguments, and its else.
func (u *upgrader) loop(i int) {
	t := u.tokens[i]
	source, base := expressionOf(t)
	all := lexemes(source)
	if len(all) < 3 || all[1].text != "in" {
		return
	}
	modifiers := len(all)
	for k := 3; k < len(all); k++ {
		named := slices.Contains([]string{"limit", "offset", "cols"}, all[k].text) && k+1 < len(all) && all[k+1].text == ":"
		if all[k].text == "reversed" || named {
			modifiers = k
			break
		}
	}
	rest := all[modifiers:]
	has := func(name string) bool {
		return slices.ContainsFunc(rest, func(l lexeme) bool { return l.kind == nameLexeme && l.text == name })
	}
	reversed := has("reversed") && (has("limit") || has("offset"))
	filtered := slices.ContainsFunc(all[2:modifiers], func(l lexeme) bool { return l.kind == markLexeme && l.text == "|" })
	if reversed {
		u.found(t.Line, false, "reversed with limit or offset", "the list was reversed first, and then cut")
	}
	if filtered {
		u.found(t.Line, true, "filters in a loop", "what a loop went through could have filters, which are ignored now: assign the list before")
	}
	if !filtered && (isField(all[2]) || all[2].kind == quotedLexeme) {
		u.found(t.Line, false, "loop over a text", "a loop over a text made no round; now it makes one")
	}
	if filtered {
		u.names++
		u.moveBefore(i, base+all[2].start, base+all[modifiers-1].end, "list_"+strconv.Itoa(u.names))
	}
	u.loopElse(i)
}

// moveBefore assigns a list to a name before a loop. Edits within the list move along.
func (u *upgrader) moveBefore(i, start, end int, name string) {
	u.before[i] = "{% assign " + name + " = " + u.within(i, start, end) + " %}"
	writing{u, i, 0}.change(start, end, name)
}

// loopElse finds the else of a loop.
func (u *upgrader) loopElse(i int) {
	depth := 0
	for _, t := range u.tokens[i+1:] {
		switch {
		case opens[t.Name]:
			depth++
		case depth == 0 && t.Name == "else":
			u.found(t.Line, false, "else of a loop", "it was not taken when what the loop goes through was missing, but only when that was empty")
			return
		case strings.HasPrefix(t.Name, "end"):
			if depth--; depth < 0 {
				return
			}
		}
	}
}

// opens are the tags of 0.1.0 with an end; the contents of raw and comment are texts.
var opens = map[string]bool{"if": true, "unless": true, "case": true, "for": true, "tablerow": true, "capture": true, "raw": true, "comment": true}

var literals = map[string]bool{"true": true, "false": true, "nil": true}

// choice finds whens of which several may hold: only the first was taken.
func (u *upgrader) choice(i int) {
	depth, unsure, seen := 0, 0, map[string]bool{}
	for k := i + 1; k < len(u.tokens); k++ {
		t := u.tokens[k]
		switch {
		case t.Name == "case":
			depth++
		case t.Name == "endcase":
			if depth--; depth < 0 {
				return
			}
		case t.Name == "when" && depth == 0:
			twice := false
			for _, l := range lexemes(t.Args) {
				if l.kind == nameLexeme && !literals[l.text] {
					unsure++
				}
				if l.kind != markLexeme {
					twice = twice || seen[l.text]
					seen[l.text] = true
				}
			}
			if twice || unsure > 1 {
				u.found(t.Line, false, "tag when", "only the first when that holds was taken; now all are")
				return
			}
		}
	}
}
