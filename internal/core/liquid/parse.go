package liquid

import (
	"strings"

	"github.com/segue-xm/segue/internal/core/js"
	"github.com/segue-xm/segue/internal/core/liquid/lex"
)

// parser makes a tree of tokens.
type parser struct {
	tokens   []lex.Token // what is still to be read
	template *Template
	depth    int
}

func (p *parser) next() lex.Token {
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	return t
}

func (p *parser) reader(s string, line int) *reader {
	return &reader{s: s, line: line, options: p.template.options, paths: &p.template.paths}
}

func (p *parser) filtered(s string, line int) (*filtered, error) { return p.reader(s, line).filtered() }

// node makes what a token is, with the tokens that belong to it; nil for what does
// nothing.
func (p *parser) node(t lex.Token) (node, error) {
	switch t.Kind {
	case lex.Text:
		if s := t.Content(); s != "" {
			return &text{s, t.Line}, nil
		}
		return nil, nil
	case lex.Output:
		return p.output(t.Inner, t.Line)
	}
	if p.depth++; p.depth > maxNesting {
		return nil, lex.Fail(t.Line, "nested too deeply")
	}
	defer func() { p.depth-- }()
	if p.template.options.TagsOff[t.Name] {
		return nil, lex.Fail(t.Line, "tag %q is disabled", t.Name)
	}
	read, ok := tags[t.Name]
	if !ok {
		return nil, lex.Fail(t.Line, "there is no tag %q here", t.Name)
	}
	n, err := read(p, t)
	return n, lex.At(t.Line, err)
}

func (p *parser) output(s string, line int) (node, error) {
	e, err := p.filtered(s, line)
	if err != nil {
		return nil, err
	}
	return &output{e, line}, nil
}

var tags map[string]func(p *parser, t lex.Token) (node, error)

func init() {
	tags = map[string]func(p *parser, t lex.Token) (node, error){
		"#":         inlineComment,
		"assign":    (*parser).assign,
		"block":     func(p *parser, t lex.Token) (node, error) { return p.section(t, "endblock") },
		"break":     func(*parser, lex.Token) (node, error) { return stop{broken: true}, nil },
		"capture":   (*parser).capture,
		"case":      (*parser).choice,
		"comment":   (*parser).comment,
		"continue":  func(*parser, lex.Token) (node, error) { return stop{}, nil },
		"cycle":     (*parser).cycle,
		"decrement": (*parser).count,
		"echo":      (*parser).echo,
		"for":       (*parser).loop,
		"if":        (*parser).branches,
		"include":   noFiles,
		"increment": (*parser).count,
		"layout":    noFiles,
		"liquid":    (*parser).lines,
		"raw":       (*parser).raw,
		"render":    noFiles,
		"tablerow":  (*parser).table,
		"unless":    (*parser).branches,
	}
}

func noFiles(_ *parser, t lex.Token) (node, error) {
	return nil, lex.Fail(t.Line, "%s is not available: there are no other templates", t.Name)
}

// until takes the tokens before the next tag of that name, and that one.
func (p *parser) until(t lex.Token, end string) ([]lex.Token, error) {
	for i := range p.tokens {
		if p.tokens[i].Name == end {
			inside := p.tokens[:i]
			p.tokens = p.tokens[i+1:]
			return inside, nil
		}
	}
	return nil, notClosed(t, end)
}

func notClosed(t lex.Token, end string) error {
	return lex.Fail(t.Line, "tag %s is not closed: %s is missing", t.Name, end)
}

// body reads up to one of the tags, and takes that. The first of them closes t.
func (p *parser) body(t lex.Token, ends ...string) ([]node, lex.Token, error) {
	var nodes []node
	for len(p.tokens) > 0 {
		inner := p.next()
		if inner.Kind == lex.Tag {
			for _, end := range ends {
				if inner.Name == end {
					return nodes, inner, nil
				}
			}
		}
		n, err := p.node(inner)
		if err != nil {
			return nil, lex.Token{}, err
		}
		if n != nil {
			nodes = append(nodes, n)
		}
	}
	return nil, lex.Token{}, notClosed(t, ends[0])
}

func (p *parser) section(t lex.Token, end string) (node, error) {
	nodes, _, err := p.body(t, end)
	return section(nodes), err
}

func (p *parser) raw(t lex.Token) (node, error) {
	inside, err := p.until(t, "endraw")
	var s strings.Builder
	for _, t := range inside {
		s.WriteString(t.Source)
	}
	return &text{s.String(), t.Line}, err
}

func (p *parser) comment(t lex.Token) (node, error) {
	_, err := p.until(t, "endcomment")
	return nil, err
}

// inlineComment refuses lines that are no comments.
func inlineComment(_ *parser, t lex.Token) (node, error) {
	_, rest, more := strings.Cut(t.Args, "\n")
	for more {
		var line string
		line, rest, more = strings.Cut(rest, "\n")
		if line = js.Trim(line); line != "" && line[0] != '#' {
			return nil, lex.Fail(t.Line, "every line of a comment starts with a #: %s", lex.Clip(line))
		}
	}
	return nil, nil
}

func (p *parser) echo(t lex.Token) (node, error) {
	if t.Args == "" {
		return nil, nil
	}
	return p.output(t.Args, t.Line)
}

// branches reads if … or unless …. After an else, an unless ignores what is left and
// an if refuses it.
func (p *parser) branches(t lex.Token) (node, error) {
	end := "end" + t.Name
	n := &conditional{}
	at, sawElse, ignored := t, false, false
	for {
		var b branch
		if at.Name != "else" && !ignored {
			when, err := p.filtered(at.Args, at.Line)
			if err != nil {
				return nil, err
			}
			b = branch{when: when, not: at.Name == "unless"}
		}
		body, stop, err := p.body(t, end, "elsif", "else")
		if err != nil {
			return nil, err
		}
		b.body = body
		if !ignored {
			n.branches = append(n.branches, b)
		}
		if t.Name == "if" && (sawElse && stop.Name != end || stop.Name != "elsif" && stop.Args != "") {
			return nil, lex.Fail(stop.Line, "unexpected %s %s", stop.Name, lex.Clip(stop.Args))
		}
		if stop.Name == end {
			return n, nil
		}
		ignored = sawElse
		sawElse = sawElse || stop.Name == "else"
		at = stop
	}
}

// choice reads case …. What stands before the first when, and behind a second else, is
// ignored, and so is a when behind an else.
func (p *parser) choice(t lex.Token) (node, error) {
	of, err := p.filtered(t.Args, t.Line)
	if err != nil {
		return nil, err
	}
	n := &choice{of: of}
	elses, ignored := 0, true // ignored: nothing takes what is read
	for {
		body, stop, err := p.body(t, "endcase", "when", "else")
		if err != nil {
			return nil, err
		}
		switch {
		case ignored:
		case elses == 0:
			n.whens[len(n.whens)-1].body = body
		case elses == 1:
			n.otherwise = append(n.otherwise, body...)
		}
		switch {
		case stop.Name == "endcase":
			return n, nil
		case stop.Name == "else":
			elses++
			ignored = elses > 1
		case elses == 0:
			values, err := p.whenValues(stop)
			if err != nil {
				return nil, err
			}
			n.whens = append(n.whens, when{values: values})
			ignored = false
		}
	}
}

// whenValues reads values with commas or the word or between them.
func (p *parser) whenValues(t lex.Token) (values []value, err error) {
	x := p.reader(t.Args, t.Line)
	for x.s != "" {
		v, err := x.value()
		if err != nil {
			return nil, err
		}
		if v == nil {
			return nil, x.fail("a value is expected: %s", lex.Clip(x.s))
		}
		values = append(values, v)
		x.skip()
		between := "or"
		if strings.HasPrefix(x.s, ",") {
			between = ","
		}
		_, x.s, _ = strings.Cut(x.s, between)
	}
	return values, nil
}

func (p *parser) assign(t lex.Token) (node, error) {
	x := p.reader(t.Args, t.Line)
	name := x.identifier()
	if name == "" || !x.take('=') {
		return nil, x.fail("assign needs a name and a value: %s", lex.Clip(t.Args))
	}
	e, err := x.filtered()
	return &assign{name, e}, err
}

func (p *parser) capture(t lex.Token) (node, error) {
	x := p.reader(t.Args, t.Line)
	name := x.identifier()
	if name == "" {
		quoted, ok := x.quoted()
		if !ok {
			return nil, x.fail("capture needs a name: %s", lex.Clip(t.Args))
		}
		name = quoted
	}
	body, _, err := p.body(t, "endcapture")
	return &capture{name, body, t.Line}, err
}

func (p *parser) count(t lex.Token) (node, error) {
	n := &count{name: p.reader(t.Args, t.Line).identifier(), after: 1, line: t.Line}
	if t.Name == "decrement" {
		n.before, n.after = -1, 0
	}
	return n, nil
}

// cycle reads values, with a group before them and a colon, or without.
func (p *parser) cycle(t lex.Token) (node, error) {
	x := p.reader(t.Args, t.Line)
	group, err := x.value()
	if err != nil {
		return nil, err
	}
	if group == nil || !x.take(':') {
		group, x.s = literal{undefined}, t.Args
	}
	n := &cycle{group: group, line: t.Line}
	var written strings.Builder
	for x.s != "" {
		start := x.s
		v, err := x.filtered()
		if err != nil {
			return nil, err
		}
		n.values = append(n.values, v)
		written.WriteString("," + start[:len(start)-len(x.s)])
		_, x.s, _ = strings.Cut(x.s, ",")
	}
	if len(n.values) == 0 {
		return nil, x.fail("cycle needs values")
	}
	n.text = written.String()
	return n, nil
}

// lines reads the tags of a liquid tag, one a line.
func (p *parser) lines(t lex.Token) (node, error) {
	after := p.tokens
	defer func() { p.tokens = after }()
	var err error
	if p.tokens, err = lex.Lines(t.Args, t.ArgsLine()); err != nil {
		return nil, err
	}
	var nodes section
	for len(p.tokens) > 0 {
		n, err := p.node(p.next())
		if err != nil {
			return nil, err
		}
		if n != nil {
			nodes = append(nodes, n)
		}
	}
	return nodes, nil
}

// loopHead reads x in values, and the named arguments behind it.
func (p *parser) loopHead(t lex.Token) (h loopHead, err error) {
	x := p.reader(t.Args, t.Line)
	h.line, h.variable = t.Line, x.identifier()
	word := x.identifier()
	x.skip()
	start := x.s
	if h.in, err = x.value(); err != nil {
		return h, err
	}
	if word != "in" || h.in == nil || h.variable == "" && t.Name == "for" {
		return h, x.fail("%s wants a name, in, and what to go through: %s", t.Name, lex.Clip(t.Args))
	}
	h.name = h.variable + "-" + start[:len(start)-len(x.s)]
	h.args = map[string]value{}
	for {
		x.take(',')
		name := x.identifier()
		if name == "" {
			return h, nil
		}
		if !x.take(':') {
			h.args[name] = literal{true}
			continue
		}
		v, err := x.value()
		if err != nil {
			return h, err
		}
		if v == nil {
			v = literal{true}
		}
		h.args[name] = v
	}
}

func (p *parser) loop(t lex.Token) (node, error) {
	head, err := p.loopHead(t)
	if err != nil {
		return nil, err
	}
	n := &forLoop{loopHead: head}
	into := &n.body
	for {
		body, stop, err := p.body(t, "endfor", "else")
		if err != nil {
			return nil, err
		}
		*into = append(*into, body...)
		if stop.Args != "" {
			return nil, lex.Fail(stop.Line, "unexpected %s", lex.Clip(stop.Args))
		}
		if stop.Name == "endfor" {
			return n, nil
		}
		into = &n.otherwise
	}
}

func (p *parser) table(t lex.Token) (node, error) {
	head, err := p.loopHead(t)
	if err != nil {
		return nil, err
	}
	body, _, err := p.body(t, "endtablerow")
	return &table{head, body}, err
}
