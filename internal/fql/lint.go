package fql

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/segue-xm/segue/internal/fault"
)

// Finding is something in a filter's text that will surprise its reader.
type Finding struct {
	Pos       int    `json:"pos"`               // byte offset in the text
	Line      int    `json:"line"`              // from 1
	Column    int    `json:"column"`            // from 1, in characters
	Construct string `json:"construct"`         // what stands there
	Means     string `json:"means"`             // what it really does
	Rewrite   string `json:"rewrite,omitempty"` // how to say what was probably meant
}

// maxFindings bounds what Lint says about one text.
const maxFindings = 100

// Lint lists the surprises in a text, valid or not, in its order. It reads the
// text with the same lexer and parser as Compile, which tell what they skip and
// what they take literally. No finding means that nothing surprising was found;
// for an invalid text there is always one.
func Lint(text string) []Finding {
	if err := checkText(text); err != nil {
		return []Finding{{Line: 1, Column: 1, Construct: "text", Means: fault.Public(err)}}
	}
	l := &linter{text: text}
	if i := strings.IndexByte(text, '\r'); i >= 0 {
		l.add(i, carriageReturn, "a carriage return is not a blank here: it makes the filter invalid, or, behind a quote, "+
			"opens a string that swallows what follows", "lines that end with a newline only")
		l.text = strings.ReplaceAll(text, "\r", " ") // what the rest would mean without
	}
	lx := lexer{text: l.text, recover: l.badChar}
	_ = lx.run() // every problem went to badChar
	if l.runEnd > 0 {
		return l.found // behind a bad character the parser would only guess
	}
	for _, t := range lx.cut {
		l.add(t.pos, l.source(t), "at the very end of the text this is read as "+quote(t.text)+" only", quote(l.source(t)))
	}
	l.neighbours(lx.tokens)
	if _, bad := parse(lx.tokens, len(text), l); bad != nil {
		l.add(bad.pos, l.word(bad.pos), "the filter is invalid: "+bad.reason, "")
	}
	slices.SortStableFunc(l.found, func(a, b Finding) int { return cmp.Compare(a.Pos, b.Pos) })
	return l.found
}

// linter collects findings. All its methods called by the parser do nothing on
// a nil linter.
type linter struct {
	text  string
	found []Finding
	quiet bool // inside something that was told already

	runEnd int // behind the last bad character
}

func (l *linter) add(pos int, construct, means, rewrite string) {
	if len(l.found) == maxFindings {
		return
	}
	line, column := lineColumn(l.text, pos)
	l.found = append(l.found, Finding{pos, line, column, clip(construct), clip(means), rewrite})
}

func (l *linter) source(t token) string { return l.text[t.pos:t.end] }

// span is the text from one token to another.
func (l *linter) span(from, to token) string { return l.text[from.pos:max(from.end, to.end)] }

// word is what stands at a position, up to the next blank.
func (l *linter) word(pos int) string {
	rest := l.text[min(pos, len(l.text)):]
	if i := strings.IndexAny(rest, " \t\r\n"); i > 0 {
		rest = rest[:i]
	}
	if rest == "" {
		return "end of text"
	}
	return rest
}

// carriageReturn is how a finding names that character.
const carriageReturn = "CR"

// quote puts a text between double quotes.
func quote(s string) string { return `"` + s + `"` }

// badChar tells a problem of the lexer, once for a run of bad characters.
func (l *linter) badChar(p *problem) {
	if len(l.found) == maxFindings {
		return
	}
	rewrite, construct := "", l.word(p.pos)
	if l.runEnd >= p.pos && l.runEnd > 0 {
		_, size := utf8.DecodeRuneInString(l.text[p.pos:])
		l.runEnd = p.pos + size
		return
	}
	switch p.hint {
	case hintLetters:
		rewrite = escapeLetters(construct)
	case hintAfter:
		rewrite = "a blank before " + string(l.text[p.pos])
		if l.text[p.pos] == '[' {
			rewrite = `.\0 for the first element`
		}
	case hintBang:
		rewrite = "!= and a blank"
	case hintChar:
		switch c := l.text[p.pos]; {
		case strings.HasPrefix(l.text[p.pos:], "&&"):
			construct, rewrite = "&&", "and"
		case strings.HasPrefix(l.text[p.pos:], "||"):
			construct, rewrite = "||", "or"
		case c >= 0x80 || c == '`':
			rewrite = `straight double quotes: "`
		}
	}
	l.add(p.pos, construct, "the filter is invalid: "+p.reason, rewrite)
	_, size := utf8.DecodeRuneInString(l.text[p.pos:])
	l.runEnd = p.pos + size
}

// escapeLetters puts a backslash before each letter outside ASCII.
func escapeLetters(word string) string {
	var b strings.Builder
	for _, r := range word {
		if r >= utf8.RuneSelf {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// neighbours tells of tokens that run into each other.
func (l *linter) neighbours(tokens []token) {
	for i := 1; i < len(tokens); i++ {
		a, b := tokens[i-1], tokens[i]
		switch {
		case a.kind == kindString && b.pos < a.end && (i < 2 || tokens[i-2].end <= a.pos):
			l.add(b.pos, l.source(b), "without a blank behind it, the closing quote before this opens a new string, which is skipped", "a blank behind the closing quote")
		case a.kind == kindNumber && b.kind == kindIdent && a.end == b.pos:
			l.add(a.pos, l.span(a, b), "is the number "+a.text+"; "+b.text+" is ignored", "a plain decimal number")
		}
	}
}

// level tells of a level that mixes and with or.
func (l *linter) level(words []token, nodes int) {
	if l == nil || nodes < 2 {
		return
	}
	for _, w := range words {
		if w.text != words[0].text {
			last := words[len(words)-1].text
			l.add(w.pos, "and … or", "there is no precedence: the last word, "+last+", joins all "+
				"conditions of this level", "a filter of its own for each alternative, or one group in parentheses: (… and …) or …")
			return
		}
	}
}

// group tells of a function in a group, which ends the group.
func (l *linter) group(open, closing token, inner []token) {
	if l == nil {
		return
	}
	l.quiet = false
	for i, t := range inner {
		if isFunction(t) && i+1 < len(inner) && inner[i+1].kind == kindOpen {
			l.add(open.pos, l.span(open, closing), "a group ends at the first closing parenthesis, here the one of "+t.text+
				"; what follows belongs to the level outside", "conditions without functions in the group")
			return
		}
	}
}

func (l *linter) emptyGroup(open, closing token) {
	if l != nil {
		l.add(open.pos, l.span(open, closing), "a group without a condition: judging an event fails here, and that is no match", "")
	}
}

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
		l.add(t.pos, "!(", "the ! is ignored: the group means the same without it", "the opposite of each condition: != for =, !contains(…)")
	case t.text == "!":
		l.add(t.pos, l.word(t.pos), "the ! is ignored: it works right before contains and match only", "!= instead of =")
	case t.text == "[" && !l.quiet:
		l.add(t.pos, "[", "there are no lists; the brackets are ignored", "one condition for each value, joined by or")
	case t.kind == kindClose && !l.quiet:
		l.add(t.pos, ")", "closes nothing and is ignored", "")
	case !l.quiet && t.kind != kindClose && t.kind != kindBracket:
		l.add(t.pos, l.source(t), "belongs to no condition and is ignored", "")
	}
	l.quiet = true
}

// otherDialect are the functions of Segment's destination filters.
var otherDialect = []string{"lowercase", "uppercase", "snakecase", "kebabcase", "titlecase", "typeof", "length", "bool", "string", "number", "exists"}

// unknown tells of a name that is no field and no function.
func (l *linter) unknown(t, next token) {
	if l == nil {
		return
	}
	if t.pos > 0 && isDigit(l.text[t.pos-1]) {
		return // told by neighbours
	}
	defer func() { l.quiet = true }()
	lower := strings.ToLower(t.text)
	first, _, _ := strings.Cut(t.text, ".")
	switch {
	case t.text == joinAnd || t.text == joinOr:
		l.add(t.pos, l.word(t.pos), "without a blank behind it "+t.text+" is ignored; what joins the conditions stays what it was", t.text+" and a blank")
	case lower == joinAnd || lower == joinOr:
		l.add(t.pos, t.text, "is ignored: only "+lower+" in lower case counts", lower)
	case lower == "not":
		l.add(t.pos, t.text, "is ignored; it negates nothing", "!= or !contains(…)")
	case next.kind == kindOpen && slices.Contains(otherDialect, lower):
		l.add(t.pos, t.text+"(", "is a function of Segment's destination filters, not of triggers: it is ignored, and its parentheses are read as a group", "")
	case fieldFold(first) != "":
		l.add(t.pos, t.text, "is not a known field: the condition is dropped", fieldFold(first)+strings.TrimPrefix(t.text, first))
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
