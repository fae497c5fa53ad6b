package path

import (
	"strconv"
	"strings"
)

// or reads a condition: || binds weaker than &&.
func (p *parser) or() *expr { return p.chain("||", opOr, p.and) }

func (p *parser) and() *expr { return p.chain("&&", opAnd, p.basic) }

func (p *parser) chain(sign string, op op, part func() *expr) *expr {
	x := part()
	for {
		before := p.at
		p.blanks()
		if !p.take(sign) {
			p.at = before
			return x
		}
		p.blanks()
		if x.op != op || x.closed {
			x = &expr{op: op, args: []*expr{x}}
		}
		x.args = append(x.args, part())
	}
}

// basic reads something in parentheses, a comparison or a test, each of the first and
// last also behind a !.
func (p *parser) basic() *expr {
	if p.take("!") {
		p.blanks()
		if p.peek() == '(' {
			return &expr{op: opNot, args: []*expr{p.parens()}}
		}
		return &expr{op: opNot, args: []*expr{p.test(p.operand())}}
	}
	if p.peek() == '(' {
		return p.parens()
	}
	return p.comparison()
}

// parens reads a condition in parentheses.
func (p *parser) parens() *expr {
	p.need("(")
	p.enter()
	p.blanks()
	x := p.or()
	p.blanks()
	p.need(")")
	p.deep--
	x.closed = true
	return x
}

func (p *parser) comparison() *expr {
	left := p.operand()
	before := p.at
	p.blanks()
	for _, c := range comparisons {
		if p.take(c.text) {
			p.blanks()
			return &expr{op: c.op, args: []*expr{p.comparable(left), p.comparable(p.operand())}}
		}
	}
	p.at = before
	return p.test(left)
}

// comparable is an operand of a comparison: a literal, a query for one value, or a
// function that gives a value.
func (p *parser) comparable(x *expr) *expr {
	if x.op == opNodes {
		if !x.query.singular() {
			p.fail("a comparison takes paths to one value: names and indexes only")
		}
		return &expr{op: opQuery, query: x.query}
	}
	if x.typ() != typeValue {
		p.fail("the result of match and search is not compared: they are true or false by themselves")
	}
	return x
}

// test is an operand that stands alone: whether a query comes to anything, or a
// function that gives true or false.
func (p *parser) test(x *expr) *expr {
	switch {
	case x.op == opNodes:
		return &expr{op: opExists, query: x.query}
	case x.typ() == typeLogical:
		return x
	}
	p.fail("want a comparison, found %s", p.next())
	return nil
}

// operand reads a literal, a query or a function; a query comes as opNodes.
func (p *parser) operand() *expr {
	switch c := p.peek(); {
	case c == '@' || c == '$':
		p.at++
		return &expr{op: opNodes, query: p.query(c == '@')}
	case c == '\'' || c == '"':
		return &expr{op: opLiteral, literal: p.quoted()}
	case c == '-' || '0' <= c && c <= '9':
		start := p.at
		n := p.number()
		return &expr{op: opLiteral, literal: n, whole: !strings.ContainsAny(p.text[start:p.at], ".eE")}
	}
	start := p.at
	for c := p.peek(); 'a' <= c && c <= 'z' || p.at > start && (c == '_' || '0' <= c && c <= '9'); c = p.peek() {
		p.at++
	}
	word := p.text[start:p.at]
	if p.peek() == '(' && word != "" {
		return p.function(word, start)
	}
	switch word {
	case "true":
		return &expr{op: opLiteral, literal: true}
	case "false":
		return &expr{op: opLiteral, literal: false}
	case "null":
		return &expr{op: opLiteral}
	}
	p.at = start
	p.fail("want a path, a value or a function, found %s", p.next())
	return nil
}

// number reads one as JSON has it, and also -0.
func (p *parser) number() float64 {
	start := p.at
	p.take("-")
	zero := p.peek() == '0'
	if n := p.digits(); n == 0 || zero && n > 1 && !p.old {
		p.fail("not a number")
	}
	if p.take(".") && p.digits() == 0 && !p.old {
		p.fail("want digits behind the point")
	}
	if p.take("e") || p.take("E") {
		if !p.take("-") {
			p.take("+")
		}
		if p.digits() == 0 {
			p.fail("want digits behind the e")
		}
	}
	n, _ := strconv.ParseFloat(p.text[start:p.at], 64) // beyond what a double holds: infinity
	return n
}

// function reads a function's arguments.
func (p *parser) function(name string, start int) *expr {
	f, ok := functions[name]
	if !ok {
		p.at = start
		p.fail("there is no function %s: known are length, count, value, match and search", name)
	}
	p.need("(")
	p.enter()
	x := &expr{op: f.op}
	p.blanks()
	for !p.take(")") {
		if len(x.args) > 0 {
			p.need(",")
			p.blanks()
		}
		x.args = append(x.args, p.argument())
		p.blanks()
	}
	p.deep--
	if len(x.args) != len(f.args) {
		p.fail("%s takes %d, found %d", name, len(f.args), len(x.args))
	}
	for i, want := range f.args {
		a := x.args[i]
		if a.op == opNodes && want == typeValue && a.query.singular() {
			a.op = opQuery
		}
		if a.typ() != want {
			p.fail("%s takes %s", name, [...]string{typeValue: "a value, or a path to one", typeNodes: "a path"}[want])
		}
	}
	if x.op == opMatch || x.op == opSearch {
		if text, ok := x.args[1].literal.(string); ok {
			x.pattern = compilePattern(text)
		}
	}
	return x
}

// argument reads one argument: an operand, or a condition. No function takes a
// condition, but its grammar does.
func (p *parser) argument() *expr {
	start := p.at
	if c := p.peek(); c != '!' && c != '(' {
		x := p.operand()
		p.blanks()
		if c := p.peek(); c == ',' || c == ')' {
			return x
		}
		p.at = start
	}
	return p.or()
}
