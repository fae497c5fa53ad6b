package liquid

import (
	"strings"

	"github.com/segue-xm/segue/internal/core/js"
)

// parser makes a tree of tokens.
type parser struct {
	tokens   []token // what is still to be read
	template *Template
	depth    int
}

func (p *parser) next() token {
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
func (p *parser) node(t token) (node, error) {
	switch t.kind {
	case textToken:
		if s := t.content(); s != "" {
			return &text{s, t.line}, nil
		}
		return nil, nil
	case outputToken:
		return p.output(t.inner, t.line)
	}
	if p.depth++; p.depth > maxNesting {
		return nil, fail(t.line, "nested too deeply")
	}
	defer func() { p.depth-- }()
	if p.template.options.TagsOff[t.name] {
		return nil, fail(t.line, "tag %q is disabled", t.name)
	}
	read, ok := tags[t.name]
	if !ok {
		return nil, fail(t.line, "there is no tag %q here", t.name)
	}
	n, err := read(p, t)
	return n, at(t.line, err)
}

func (p *parser) output(s string, line int) (node, error) {
	e, err := p.filtered(s, line)
	if err != nil {
		return nil, err
	}
	return &output{e, line}, nil
}

var tags map[string]func(p *parser, t token) (node, error)

func init() {
	tags = map[string]func(p *parser, t token) (node, error){
		"#":         inlineComment,
		"assign":    (*parser).assign,
		"block":     func(p *parser, t token) (node, error) { return p.section(t, "endblock") },
		"break":     func(*parser, token) (node, error) { return stop{broken: true}, nil },
		"capture":   (*parser).capture,
		"case":      (*parser).choice,
		"comment":   (*parser).comment,
		"continue":  func(*parser, token) (node, error) { return stop{}, nil },
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

func noFiles(_ *parser, t token) (node, error) {
	return nil, fail(t.line, "%s is not available: there are no other templates", t.name)
}

// until takes the tokens before the next tag of that name, and that one.
func (p *parser) until(t token, end string) ([]token, error) {
	for i := range p.tokens {
		if p.tokens[i].name == end {
			inside := p.tokens[:i]
			p.tokens = p.tokens[i+1:]
			return inside, nil
		}
	}
	return nil, notClosed(t, end)
}

func notClosed(t token, end string) error {
	return fail(t.line, "tag %s is not closed: %s is missing", t.name, end)
}

// body reads up to one of the tags, and takes that. The first of them closes t.
func (p *parser) body(t token, ends ...string) ([]node, token, error) {
	var nodes []node
	for len(p.tokens) > 0 {
		inner := p.next()
		if inner.kind == tagToken {
			for _, end := range ends {
				if inner.name == end {
					return nodes, inner, nil
				}
			}
		}
		n, err := p.node(inner)
		if err != nil {
			return nil, token{}, err
		}
		if n != nil {
			nodes = append(nodes, n)
		}
	}
	return nil, token{}, notClosed(t, ends[0])
}

func (p *parser) section(t token, end string) (node, error) {
	nodes, _, err := p.body(t, end)
	return section(nodes), err
}

func (p *parser) raw(t token) (node, error) {
	inside, err := p.until(t, "endraw")
	var s strings.Builder
	for _, t := range inside {
		s.WriteString(t.source)
	}
	return &text{s.String(), t.line}, err
}

func (p *parser) comment(t token) (node, error) {
	_, err := p.until(t, "endcomment")
	return nil, err
}

// inlineComment refuses lines that are no comments.
func inlineComment(_ *parser, t token) (node, error) {
	_, rest, more := strings.Cut(t.args, "\n")
	for more {
		var line string
		line, rest, more = strings.Cut(rest, "\n")
		if line = js.Trim(line); line != "" && line[0] != '#' {
			return nil, fail(t.line, "every line of a comment starts with a #: %s", clip(line))
		}
	}
	return nil, nil
}

func (p *parser) echo(t token) (node, error) {
	if t.args == "" {
		return nil, nil
	}
	return p.output(t.args, t.line)
}

// branches reads if … or unless …. After an else, an unless ignores what is left and
// an if refuses it.
func (p *parser) branches(t token) (node, error) {
	end := "end" + t.name
	n := &conditional{}
	at, sawElse, ignored := t, false, false
	for {
		var b branch
		if at.name != "else" && !ignored {
			when, err := p.filtered(at.args, at.line)
			if err != nil {
				return nil, err
			}
			b = branch{when: when, not: at.name == "unless"}
		}
		body, stop, err := p.body(t, end, "elsif", "else")
		if err != nil {
			return nil, err
		}
		b.body = body
		if !ignored {
			n.branches = append(n.branches, b)
		}
		if t.name == "if" && (sawElse && stop.name != end || stop.name != "elsif" && stop.args != "") {
			return nil, fail(stop.line, "unexpected %s %s", stop.name, clip(stop.args))
		}
		if stop.name == end {
			return n, nil
		}
		ignored = sawElse
		sawElse = sawElse || stop.name == "else"
		at = stop
	}
}

// choice reads case …. What stands before the first when, and behind a second else, is
// ignored, and so is a when behind an else.
func (p *parser) choice(t token) (node, error) {
	of, err := p.filtered(t.args, t.line)
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
		case stop.name == "endcase":
			return n, nil
		case stop.name == "else":
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
func (p *parser) whenValues(t token) (values []value, err error) {
	x := p.reader(t.args, t.line)
	for x.s != "" {
		v, err := x.value()
		if err != nil {
			return nil, err
		}
		if v == nil {
			return nil, x.fail("a value is expected: %s", clip(x.s))
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

func (p *parser) assign(t token) (node, error) {
	x := p.reader(t.args, t.line)
	name := x.identifier()
	if name == "" || !x.take('=') {
		return nil, x.fail("assign needs a name and a value: %s", clip(t.args))
	}
	e, err := x.filtered()
	return &assign{name, e}, err
}

func (p *parser) capture(t token) (node, error) {
	x := p.reader(t.args, t.line)
	name := x.identifier()
	if name == "" {
		quoted, ok := x.quoted()
		if !ok {
			return nil, x.fail("capture needs a name: %s", clip(t.args))
		}
		name = quoted
	}
	body, _, err := p.body(t, "endcapture")
	return &capture{name, body, t.line}, err
}

func (p *parser) count(t token) (node, error) {
	n := &count{name: p.reader(t.args, t.line).identifier(), after: 1, line: t.line}
	if t.name == "decrement" {
		n.before, n.after = -1, 0
	}
	return n, nil
}

// cycle reads values, with a group before them and a colon, or without.
func (p *parser) cycle(t token) (node, error) {
	x := p.reader(t.args, t.line)
	group, err := x.value()
	if err != nil {
		return nil, err
	}
	if group == nil || !x.take(':') {
		group, x.s = literal{undefined}, t.args
	}
	n := &cycle{group: group, line: t.line}
	for x.s != "" {
		start := x.s
		v, err := x.filtered()
		if err != nil {
			return nil, err
		}
		n.values = append(n.values, v)
		n.text += "," + start[:len(start)-len(x.s)]
		_, x.s, _ = strings.Cut(x.s, ",")
	}
	if len(n.values) == 0 {
		return nil, x.fail("cycle needs values")
	}
	return n, nil
}

// lines reads the tags of a liquid tag, one a line.
func (p *parser) lines(t token) (node, error) {
	after := p.tokens
	defer func() { p.tokens = after }()
	var err error
	if p.tokens, err = lineTokens(t.args, t.argsLine()); err != nil {
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
func (p *parser) loopHead(t token) (h loopHead, err error) {
	x := p.reader(t.args, t.line)
	h.line, h.variable = t.line, x.identifier()
	word := x.identifier()
	x.skip()
	start := x.s
	if h.in, err = x.value(); err != nil {
		return h, err
	}
	if word != "in" || h.in == nil || h.variable == "" && t.name == "for" {
		return h, x.fail("%s wants a name, in, and what to go through: %s", t.name, clip(t.args))
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

func (p *parser) loop(t token) (node, error) {
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
		if stop.args != "" {
			return nil, fail(stop.line, "unexpected %s", clip(stop.args))
		}
		if stop.name == "endfor" {
			return n, nil
		}
		into = &n.otherwise
	}
}

func (p *parser) table(t token) (node, error) {
	head, err := p.loopHead(t)
	if err != nil {
		return nil, err
	}
	body, _, err := p.body(t, "endtablerow")
	return &table{head, body}, err
}
