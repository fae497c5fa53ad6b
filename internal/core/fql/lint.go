package fql

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/segue-xm/segue/internal/core/fault"
)

// Finding is something in a filter's text that will surprise its reader.
type Finding struct {
	Pos       int    `json:"pos"`               // byte offset in the text
	Line      int    `json:"line"`              // from 1
	Column    int    `json:"column"`            // from 1, in characters
	Construct string `json:"construct"`         // what stands there
	Means     string `json:"means"`             // what it really does
	Rewrite   string `json:"rewrite,omitempty"` // how to say what was probably meant, for people
	Fixed     string `json:"fixed,omitempty"`   // the whole text with this rewritten; empty when that takes a person
}

// maxSaid is how long a rewritten text may be to stand in a sentence.
const maxSaid = 200

// String is the finding in a sentence, with the whole rewritten text when that is
// short, else with what to write instead; where it stands is not in it.
func (f Finding) String() string {
	s := f.Construct + ": " + f.Means
	switch {
	case f.Fixed != "" && len(f.Fixed) <= maxSaid:
		s += "; as it was probably meant: " + f.Fixed
	case f.Rewrite != "":
		s += "; write " + f.Rewrite
	}
	return s
}

// fix sets Fixed: the text with the bytes from one place to another replaced.
func (f *Finding) fix(l *linter, from, to int, with string) {
	if l.fixable() {
		f.Fixed = l.text[:from] + with + l.text[to:]
	}
}

// Bounds on what Lint says about one text: findings, how many of them it rewrites,
// and in how many bytes.
const (
	maxFindings  = 100
	maxFixed     = 25
	maxFixedText = 4 << 10
)

// Lint lists the surprises in a text, valid or not, in its order. It reads the
// text with the same lexer and parser as Compile, which tell what they skip and
// what they take literally. No finding means that nothing surprising was found;
// for an invalid text there is always one. A Fixed text is valid and has this
// finding no more; it may have others.
func Lint(text string) []Finding {
	if err := checkText(text); err != nil {
		return []Finding{{Line: 1, Column: 1, Construct: "text", Means: fault.Public(err)}}
	}
	l := &linter{text: text}
	l.read(text)
	for i, f := range l.found {
		if f.Fixed == "" {
			continue
		}
		if _, err := Compile(f.Fixed); err != nil {
			l.found[i].Fixed = "" // something else is wrong too
		}
	}
	return l.found
}

// read finds everything in a text.
func (l *linter) read(text string) {
	if i := strings.IndexByte(text, '\r'); i >= 0 {
		l.add(i, carriageReturn, "a carriage return is not a blank here: it makes the filter invalid, or, behind a quote, "+
			"opens a string that swallows what follows", "lines that end with a newline only").
			Fixed = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
		l.text = strings.ReplaceAll(text, "\r", " ") // what the rest would mean without
	}
	lx := lexer{text: l.text, recover: l.badChar}
	_ = lx.run() // every problem went to badChar
	if l.runEnd > 0 {
		return // behind a bad character the parser would only guess
	}
	for _, t := range lx.cut {
		l.add(t.pos, l.source(t), "at the very end of the text this is read as "+quote(t.text)+" only", quote(l.source(t))).
			fix(l, t.pos, t.end, quote(l.source(t)))
	}
	l.tokens = slices.Clone(lx.tokens)
	l.neighbours(lx.tokens)
	if _, bad := parse(lx.tokens, len(text), l); bad != nil {
		l.add(bad.pos, l.word(bad.pos), "the filter is invalid: "+bad.reason, "")
	}
	slices.SortStableFunc(l.found, func(a, b Finding) int { return cmp.Compare(a.Pos, b.Pos) })
}

// linter collects findings. All its methods called by the parser do nothing on
// a nil linter.
type linter struct {
	text   string
	tokens []token // as the lexer gave them
	found  []Finding
	quiet  bool // inside something that was told already
	loss   bool // a condition was dropped, which was told

	runEnd int // behind the last bad character
}

// add gives the finding, to be completed at once.
func (l *linter) add(pos int, construct, means, rewrite string) *Finding {
	if l.full() {
		return &Finding{}
	}
	line, column := lineColumn(l.text, pos)
	l.found = append(l.found, Finding{Pos: pos, Line: line, Column: column, Construct: clip(construct), Means: clip(means), Rewrite: rewrite})
	return &l.found[len(l.found)-1]
}

// behind is the first token at or behind a position, and those after it.
func (l *linter) behind(pos int) []token {
	i, _ := slices.BinarySearchFunc(l.tokens, pos, func(t token, pos int) int { return cmp.Compare(t.pos, pos) })
	return l.tokens[i:]
}

// full reports whether no more findings are kept.
func (l *linter) full() bool { return len(l.found) == maxFindings }

// fixable reports whether a finding is rewritten: nobody rewrites a text with more
// surprises, or a longer one, step by step.
func (l *linter) fixable() bool { return len(l.found) <= maxFixed && len(l.text) <= maxFixedText }

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
	if l.full() {
		return
	}
	rewrite, construct, fixed := "", l.word(p.pos), ""
	if l.runEnd >= p.pos && l.runEnd > 0 {
		_, size := utf8.DecodeRuneInString(l.text[p.pos:])
		l.runEnd = p.pos + size
		return
	}
	everywhere := func(change func(string) string) string {
		if !l.fixable() {
			return ""
		}
		return outsideStrings(l.text, change)
	}
	switch p.hint {
	case hintLetters:
		rewrite = escapeLetters(construct)
		fixed = everywhere(escapeLetters)
	case hintAfter:
		rewrite = "a blank before " + string(l.text[p.pos])
		if l.fixable() {
			fixed = l.text[:p.pos] + " " + l.text[p.pos:]
		}
		if l.text[p.pos] == '[' {
			rewrite = `.\0 for the first element`
			fixed = everywhere(func(s string) string { return elementIndex.ReplaceAllString(s, `.\$1`) })
		}
	case hintBang:
		if l.text[p.pos:min(p.pos+2, len(l.text))] == "!=" {
			rewrite = "!= and a blank"
			fixed = everywhere(func(s string) string { return strings.ReplaceAll(s, "!=", "!= ") })
		}
	case hintChar:
		switch c := l.text[p.pos]; {
		case strings.HasPrefix(l.text[p.pos:], "&&"):
			construct, rewrite = "&&", joinAnd
		case strings.HasPrefix(l.text[p.pos:], "||"):
			construct, rewrite = "||", joinOr
		case c >= 0x80 || c == '`':
			rewrite = `straight double quotes: "`
			if l.fixable() {
				fixed = straightQuotes.Replace(l.text)
			}
		}
		if rewrite == joinAnd || rewrite == joinOr {
			fixed = everywhere(func(s string) string { return joinSigns.Replace(s) })
		}
	}
	l.add(p.pos, construct, "the filter is invalid: "+p.reason, rewrite).Fixed = fixed
	_, size := utf8.DecodeRuneInString(l.text[p.pos:])
	l.runEnd = p.pos + size
}

var (
	elementIndex   = regexp.MustCompile(`\[(\d+)\]`)
	straightQuotes = strings.NewReplacer("“", `"`, "”", `"`, "‘", `"`, "’", `"`, "`", `"`)
	joinSigns      = strings.NewReplacer("&&", " and ", "||", " or ")
)

// outsideStrings changes what is not between double quotes.
func outsideStrings(text string, change func(string) string) string {
	parts := strings.Split(text, `"`)
	for i := 0; i < len(parts); i += 2 {
		parts[i] = change(parts[i])
	}
	return strings.Join(parts, `"`)
}

// escapeLetters puts a backslash before each letter outside ASCII.
func escapeLetters(word string) string {
	var b strings.Builder
	escaped := false
	for _, r := range word {
		if r >= utf8.RuneSelf && !escaped {
			b.WriteByte('\\')
		}
		escaped = r == '\\' && !escaped
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
			l.add(b.pos, l.source(b), "without a blank behind it, the closing quote before this opens a new string, which is skipped", "a blank behind the closing quote").
				fix(l, a.end, a.end, " ")
		case b.kind == kindDot && i+1 < len(tokens) && a.kind == kindIdent && brokenKey(tokens[i+1].kind):
			l.add(b.pos, l.span(a, tokens[i+1]), "the path ends before a key that starts with a digit or a sign or is called and, or, null: "+
				"what follows is read as something else", `a backslash: .\`+l.key(tokens[i+1].pos)).
				fix(l, b.end, b.end, `\`)
		case a.kind == kindNumber && b.kind == kindIdent && a.end == b.pos && !(i > 1 && tokens[i-2].kind == kindDot):
			f := l.add(a.pos, l.span(a, b), "is the number "+a.text+"; "+b.text+" is ignored", "a plain decimal number")
			if n, err := strconv.ParseFloat(l.span(a, b), 64); err == nil {
				f.Rewrite = strconv.FormatFloat(n, 'f', -1, 64)
				f.fix(l, a.pos, b.end, f.Rewrite)
			}
		}
	}
}

// brokenKey reports whether a token behind a dot is no name.
func brokenKey(k kind) bool { return k == kindNumber || k == kindWord || k == kindNull }

// level tells of a level that mixes and with or, and of words that join nothing or
// more than they stand between.
func (l *linter) level(words []token, nodes []Node) {
	if l == nil || len(words) == 0 {
		return
	}
	last := words[len(words)-1]
	for _, w := range words {
		if w.text != words[0].text && len(nodes) > 1 {
			l.add(w.pos, "and … or", "there is no precedence: the last word, "+last.text+", joins all "+
				"conditions of this level", "a filter of its own for each alternative, or one group in parentheses: (… and …) or …").
				Fixed = l.precedence(words, nodes)
			return
		}
	}
	switch {
	case len(words) >= len(nodes) && !l.loss:
		l.add(last.pos, last.text, "joins nothing: there are no conditions on both sides", "")
	case len(words) < len(nodes)-1 && last.text == joinOr:
		l.add(last.pos, last.text, "joins all conditions of this level, also those with a comma or nothing between them", "and or or between all of them")
	}
}

// precedence is the text with the conditions between two or in parentheses, or ""
// when groups cannot say that.
func (l *linter) precedence(words []token, nodes []Node) string {
	if len(words) != len(nodes)-1 || !l.fixable() {
		return ""
	}
	var b strings.Builder
	want := &Group{Operator: joinOr}
	pos := 0
	for i := 0; i < len(nodes); {
		j := i
		for j < len(words) && words[j].text == joinAnd {
			j++
		}
		first, ok := nodes[i].(*Condition)
		final, ok2 := nodes[j].(*Condition)
		if !ok || !ok2 {
			return ""
		}
		b.WriteString(l.text[pos:first.pos])
		if j > i {
			b.WriteString("(" + l.text[first.pos:final.end] + ")")
		} else {
			b.WriteString(l.text[first.pos:final.end])
		}
		want.Children = append(want.Children, &Group{Operator: joinAnd, Children: nodes[i : j+1]})
		pos, i = final.end, j+1
	}
	fixed := b.String() + l.text[pos:]
	if f, err := Compile(fixed); err != nil || difference(want, f.tree) != "" {
		return "" // a function cannot stand in a group, nor a group in another
	}
	return fixed
}

// negated is the text of the opposite, or "" where there is none: the opposite of a
// test that only one type passes is none.
func negated(n Node) string {
	opposites := map[Operator]Operator{Equal: NotEqual, NotEqual: Equal, Exists: NotExists, NotExists: Exists}
	switch n := n.(type) {
	case *Condition:
		if op, ok := opposites[n.Operator]; ok {
			opposite := *n
			opposite.Operator = op
			return opposite.String()
		}
	case *Group:
		parts := make([]string, len(n.Children))
		for i, child := range n.Children {
			if _, nested := child.(*Group); nested {
				return ""
			}
			if parts[i] = negated(child); parts[i] == "" {
				return ""
			}
		}
		if len(parts) == 1 {
			return parts[0]
		}
		join := joinOr
		if n.Operator == joinOr {
			join = joinAnd
		}
		return "(" + strings.Join(parts, " "+join+" ") + ")"
	}
	return ""
}

// negateGroup writes the opposite of the group behind a !.
func (l *linter) negateGroup(f *Finding, bang token) {
	if !l.fixable() {
		return
	}
	after := l.behind(bang.end)
	i := slices.IndexFunc(after, func(t token) bool { return t.kind == kindClose })
	if i < 1 {
		return
	}
	inner, err := Compile(l.text[after[0].end:after[i].pos])
	if err != nil {
		return
	}
	if text := negated(inner.tree); text != "" {
		f.fix(l, bang.pos, after[i].end, text)
	}
}

// negateCondition writes the opposite of the comparison behind a ! or not.
func (l *linter) negateCondition(f *Finding, word token) {
	after := l.behind(word.end)
	i := slices.IndexFunc(after, func(t token) bool { return t.kind != kindIdent && t.kind != kindDot })
	if i < 1 || i+1 >= len(after) || after[i].kind != kindOp {
		return
	}
	field, op, value := l.text[after[0].pos:after[i].pos], after[i], after[i+1]
	switch {
	case op.text == string(Equal) && (value.text == "true" || value.text == "false"):
		f.fix(l, word.pos, value.end, field+"= "+opposite(value.text))
	case op.text == string(Equal):
		f.fix(l, word.pos, value.pos, field+"!= ")
	case op.text == string(NotEqual):
		f.fix(l, word.pos, value.pos, field+"= ")
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
