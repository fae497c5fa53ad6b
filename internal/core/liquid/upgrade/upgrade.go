// Package upgrade knows what Liquid texts meant in version 0.1.0, whose messages were
// rendered by a library with a grammar, filters and comparisons of its own.
package upgrade

import (
	"fmt"
	"slices"
	"strings"

	"github.com/segue-xm/segue/internal/core/liquid/lex"
)

// Finding is a place in a template that meant something else in version 0.1.0.
type Finding struct {
	Line    int    // in the text, from 1
	What    string // the construct, as "filter divided_by"
	Was     string // what it meant in 0.1.0
	Rewrite string // the whole text with the old meaning today; "" when there is no way to write it
}

// Look tells what a text of a message or a step's setting may mean otherwise today;
// parse says whether today's Liquid reads a text.
func Look(text string, parse func(text string) error) []Finding {
	if !strings.Contains(text, "{{") && !strings.Contains(text, "{%") {
		return nil
	}
	all, err := lex.Tokens(text)
	if err != nil {
		return []Finding{unreadable(err)}
	}
	u := upgrader{tokens: all, edits: make([][]edit, len(all)), before: make([]string, len(all)), exact: true}
	u.walk()
	rewrite := ""
	if len(u.findings) > 0 && u.exact {
		rewrite = u.rewritten()
	}
	if rewrite != "" {
		err = parse(rewrite)
	} else {
		err = parse(text)
	}
	if err != nil {
		rewrite = ""
		if f := unreadable(err); !slices.ContainsFunc(u.findings, func(o Finding) bool { return o.Line == f.Line }) {
			u.findings = append(u.findings, f)
		}
	}
	for i := range u.findings {
		u.findings[i].Rewrite = rewrite
	}
	return u.findings
}

func unreadable(err error) Finding {
	f := Finding{Line: 1, What: "template", Was: "it could be read; now it cannot: " + err.Error()}
	if e, ok := err.(*lex.Error); ok { //nolint:errorlint // it is not wrapped
		f.Line = e.Line
	}
	return f
}

// upgrader looks at the tokens of a text.
type upgrader struct {
	tokens   []lex.Token
	findings []Finding
	edits    [][]edit // of each token's source
	before   []string // put before each token
	exact    bool     // everything found can be written otherwise
	loops    int      // that are open
	cycles   int
	names    int // made up
}

// found notes a finding, once a line; without an exact way to write it, there is no
// rewrite.
func (u *upgrader) found(line int, exact bool, what, was string) {
	u.exact = u.exact && exact
	if f := (Finding{Line: line, What: what, Was: was}); !slices.Contains(u.findings, f) {
		u.findings = append(u.findings, f)
	}
}

func (u *upgrader) rewritten() string {
	var out strings.Builder
	for i, t := range u.tokens {
		out.WriteString(u.before[i])
		out.WriteString(replaced(t.Source, u.edits[i]))
	}
	return out.String()
}

// expressionOf is the expression in a token and where it starts.
func expressionOf(t lex.Token) (source string, start int) {
	source = t.Inner
	if t.Kind == lex.Tag {
		source = t.Args
	}
	end := strings.TrimRightFunc(strings.TrimSuffix(t.Source[:len(t.Source)-2], "-"), lex.IsBlank)
	return source, len(end) - len(source)
}

func (u *upgrader) walk() {
	skip := "" // up to this tag nothing is read
	for i, t := range u.tokens {
		switch {
		case t.Kind == lex.Text || skip != "" && t.Name != skip:
			continue
		case t.Name == "raw" || t.Name == "comment":
			skip = "end" + t.Name
			continue
		}
		skip = ""
		if t.Kind == lex.Output || expressionTags[t.Name] {
			u.expression(i)
		}
		switch t.Name {
		case "for", "tablerow":
			u.loops++
			u.loop(i)
		case "endfor", "endtablerow":
			u.loops--
		case "case":
			u.choice(i)
		case "cycle":
			if u.cycles++; u.cycles > 1 || u.loops > 1 {
				u.found(t.Line, false, "tag cycle", "each loop began anew, and all cycles without a name in a loop counted together")
			}
		}
	}
}

var expressionTags = map[string]bool{"if": true, "elsif": true, "unless": true, "assign": true, "for": true, "tablerow": true, "case": true, "when": true, "cycle": true, "else": true}

// expression looks at filters, texts and conditions.
func (u *upgrader) expression(i int) {
	t := u.tokens[i]
	source, base := expressionOf(t)
	w := writing{u, i, base}
	if t.Name == "else" {
		if source != "" {
			u.found(t.Line, true, "tag else", "what stood behind else was ignored")
			u.edits[i] = []edit{{strings.Index(t.Source, "else") + len("else"), base + len(source), ""}}
		}
		return
	}
	p := partsOf(source)
	for _, l := range lexemes(source) {
		if l.kind == quotedLexeme && strings.Contains(l.text, `\`) {
			u.found(t.Line, true, "\\ in quotes", `it stood for itself; now it begins an escape as \n, and is written \\`)
			w.change(l.start, l.end, strings.ReplaceAll(l.text, `\`, `\\`))
		}
		if l.kind == nameLexeme && strings.HasSuffix(l.text, ".size") && isScalar(l) {
			u.found(t.Line, false, "size of a text", "of a text it was the number of bytes; it is the number of UTF-16 units, as for all lists their elements")
		}
	}
	for n, f := range p.filters {
		c, changed := filterChanges[f.name]
		if !changed || c.same != nil && c.same(f, p) {
			continue
		}
		with := ""
		if c.write != nil {
			with = c.write(f)
		}
		if c.was == missingAsNull && t.Kind == lex.Output && !t.Left && !t.Right && n == 0 && len(p.filters) == 1 && len(p.head) == 1 {
			u.found(t.Line, true, "filter "+f.name, c.was)
			head := w.text(p.head)
			u.edits[i] = []edit{{0, len(t.Source), fmt.Sprintf("{%% if %s == nil %%}null{%% else %%}{{ %s | %s }}{%% endif %%}", head, head, f.name)}}
			return
		}
		u.found(t.Line, with != "", "filter "+f.name, c.was)
		if with != "" {
			w.change(f.start, f.end, with)
		}
	}
	if t.Kind == lex.Output && len(p.head) == 1 && p.head[0].text == "forloop" {
		u.found(t.Line, false, "forloop", "it was written in the words of the language Segue is made in")
	}
	switch t.Name {
	case "for", "tablerow", "cycle", "when":
	case "assign":
		if len(p.head) > 2 {
			u.condition(t, p.head[2:], w)
		}
	default:
		u.condition(t, p.head, w)
	}
}

// writing writes the expression of a token otherwise.
type writing struct {
	u     *upgrader
	token int
	base  int // where the expression starts
}

// change puts a text in the place of a part, and of what was changed in it.
func (w writing) change(start, end int, text string) {
	edits := slices.DeleteFunc(w.u.edits[w.token], func(e edit) bool { return w.base+start <= e.start && e.end <= w.base+end })
	w.u.edits[w.token] = append(edits, edit{w.base + start, w.base + end, text})
}

// text is what is written for some words, with what was changed in them.
func (w writing) text(l []lexeme) string {
	start, end := w.base+l[0].start, w.base+l[len(l)-1].end
	return w.u.within(w.token, start, end)
}

// within is a part of a token with what was changed in it.
func (u *upgrader) within(i, start, end int) string {
	var inside []edit
	for _, e := range u.edits[i] {
		if start <= e.start && e.end <= end {
			inside = append(inside, edit{e.start - start, e.end - start, e.text})
		}
	}
	return replaced(u.tokens[i].Source[start:end], inside)
}
