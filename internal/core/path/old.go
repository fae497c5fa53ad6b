package path

import (
	"strings"

	"github.com/ohler55/ojg/jp"

	"github.com/segue-xm/segue/internal/core/fault"
)

// Before 0.2 a path was what ojg's parser takes. Its forms beyond the standard are
// still read, and mean the same; docs/jsonpath.md has the table.

// Read compiles a path that may be of an old form. Where there is no way to write it in
// the standard, the error says how to say it there.
func Read(text string) (*Path, error) {
	q, old, err := read(text)
	if err != nil {
		return nil, err
	}
	if old { // what it stands for is a path like any other
		return Parse(q.text())
	}
	return compile(q), nil
}

// read also says whether the path is of an old form.
func read(text string) (q *query, old bool, err error) {
	p, err := Parse(text)
	if err == nil {
		return p.query, false, nil
	}
	if len(text) > MaxText {
		return nil, false, err
	}
	if _, oldErr := jp.ParseString(text); oldErr != nil {
		return nil, false, err
	}
	if q, oldErr := (&parser{text: text, old: true}).all(); oldErr == nil {
		return q, true, nil
	}
	if how := instead(text); how != "" {
		return nil, false, fault.New(fault.Invalid, "not a JSONPath of RFC 9535: %s", how)
	}
	return nil, false, err
}

// oldStart takes what may stand for the $: nothing, or a @.
func (p *parser) oldStart() {
	if p.take("@") {
		return
	}
	if c := p.peek(); c != '.' && c != '[' && c != '*' {
		p.text = "." + p.text
	}
}

// oldDescent takes the third dot of ...a, and ends a .. at the end.
func (p *parser) oldDescent() {
	if p.at == len(p.text) {
		p.text += "*"
	}
	p.take(".")
}

// oldWildcard takes a * without its dot. In a condition it would be a product.
func (p *parser) oldWildcard() bool { return p.deep == 0 && p.take("*") }

// oldNameRune is what a name behind a dot may hold beyond the standard.
func oldNameRune(r rune) bool {
	return '0' <= r && r <= '9' || strings.ContainsRune("#%;?^{|}~", r)
}

// oldEscape reads the escapes that only ojg has: a quote of the other kind, and a byte
// as \x41.
func (p *parser) oldEscape() rune {
	switch c := p.peek(); {
	case c == '\'' || c == '"':
		p.at++
		return rune(c)
	case c == 'U':
		return p.hex()
	case c == 'x' && len(p.text) >= p.at+3:
		p.text = p.text[:p.at] + "u00" + p.text[p.at+1:]
		if r := p.hex(); r < 0x80 {
			return r
		}
	}
	p.fail("%s is no escape here", p.next())
	return 0
}

// beyond is what conditions of old forms had that the standard says in another way. The
// first whose sign stands outside of quotes is the one to tell.
var beyond = []struct{ sign, how string }{
	{"=~", "write search(@.a, '…') for =~, or match(@.a, '…') for the whole text"},
	{"~=", "write search(@.a, '…') for ~=, or match(@.a, '…') for the whole text"},
	{" in", "write @.a == 'x' || @.a == 'y' for in"},
	{" has", "write @.a for has true, and !@.a for has false"},
	{" exists", "write @.a for exists true, and !@.a for exists false"},
	{" empty", "write length(@.a) == 0 for empty true, and length(@.a) > 0 for empty false"},
	{"Nothing", "write !@.a for @.a == Nothing"},
	{" + ", "there is no arithmetic in conditions"},
	{" - ", "there is no arithmetic in conditions"},
	{" * ", "there is no arithmetic in conditions"},
	{" / ", "there is no arithmetic in conditions"},
}

// instead says how to say in the standard what an old form says.
func instead(text string) string {
	bare := unquoted(text)
	for _, b := range beyond {
		if strings.Contains(bare, b.sign) {
			return b.how
		}
	}
	return ""
}

// unquoted is a text without what stands in quotes.
func unquoted(text string) string {
	var b strings.Builder
	var quote rune
	escaped := false
	for _, r := range text {
		switch {
		case escaped:
			escaped = false
		case quote != 0 && r == '\\':
			escaped = true
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '\'' || r == '"':
			quote = r
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
