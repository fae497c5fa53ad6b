package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Names in the rewritten text. What the template itself names is only ever a
// constant there, so that it cannot meet these or the engine's keywords.
const (
	runName     = "run"
	captureName = "captured"
)

// rewriter writes a template in the form the engine runs as Segment's would; see
// liquidTemplate.
type rewriter struct {
	out       []byte
	constants map[string]any
	tokens    []liquidToken // what is still to be written
}

func newRewriter() *rewriter { return &rewriter{constants: map[string]any{}} }

func (r *rewriter) constant(v any) string {
	name := "k" + strconv.Itoa(len(r.constants))
	r.constants[name] = liquidValue{v}
	return name
}

func (r *rewriter) template(source string) (string, error) {
	tokens, err := liquidTokens(source)
	if err != nil {
		return "", err
	}
	r.tokens = tokens
	for len(r.tokens) > 0 {
		if err := r.token(r.next()); err != nil {
			return "", err
		}
	}
	return string(r.out), nil
}

func (r *rewriter) next() liquidToken {
	t := r.tokens[0]
	r.tokens = r.tokens[1:]
	return t
}

func (r *rewriter) token(t liquidToken) error {
	switch t.kind {
	case textToken:
		r.text(t.content())
		return nil
	case outputToken:
		return r.output(t.inner)
	}
	return r.tag(t)
}

// print writes an expression whose value is to come out.
func (r *rewriter) print(expression string) {
	r.out = fmt.Appendf(r.out, "{{ %s | as_text: %s }}", expression, runName)
}

// text writes text that is to come out as it is.
func (r *rewriter) text(s string) {
	if strings.Contains(s, "{") {
		r.print(r.constant(s))
		return
	}
	r.out = append(r.out, s...)
}

func (r *rewriter) output(inner string) error {
	e, err := r.filtered(inner)
	if err != nil {
		return err
	}
	r.print(e)
	return nil
}

// filtered writes a whole value with its filters. What follows a comma or a
// closing parenthesis is ignored, as by liquidjs.
func (r *rewriter) filtered(source string) (string, error) {
	return (&expressionReader{r: r, s: source}).filtered()
}

// tag writes one tag and takes the tokens that belong to it.
func (r *rewriter) tag(t liquidToken) error {
	name, args := t.tag()
	switch name {
	case "#":
		return inlineComment(args)
	case "raw":
		inside, err := r.until("endraw")
		for _, t := range inside {
			r.text(t.source)
		}
		return err
	case "comment":
		_, err := r.until("endcomment")
		return err
	case "echo":
		if args != "" {
			return r.output(args)
		}
	case "if":
		return r.branches(args, "endif")
	case "unless":
		return r.branches(args, "endunless")
	case "assign":
		return r.assign(args)
	case "capture":
		return r.capture(args)
	case "increment", "decrement":
		x := expressionReader{r: r, s: args}
		r.print(fmt.Sprintf("%s | %s: %s", r.constant(x.identifier()), name, runName))
	case "cycle":
		return r.cycle(args)
	case "block":
		_, err := r.body("endblock")
		return err
	case "break", "continue": // outside of loops, which are switched off, both end the template
		r.print(fmt.Sprintf("%s | stop: %s", r.constant(""), runName))
	case "liquid":
		return r.lines(args)
	default:
		if slices.Contains(disabledTags, name) {
			return fmt.Errorf("tag %q is disabled", name)
		}
		return fmt.Errorf("tag %q not found", name)
	}
	return nil
}

// until takes the tokens before the next tag of that name, and that one.
func (r *rewriter) until(end string) ([]liquidToken, error) {
	for i, t := range r.tokens {
		if name, _ := t.tag(); name == end {
			inside := r.tokens[:i]
			r.tokens = r.tokens[i+1:]
			return inside, nil
		}
	}
	return nil, notClosed(end)
}

func notClosed(end string) error { return fmt.Errorf("tag not closed: %s is missing", end) }

// body writes tokens up to one of the tags, and takes that.
func (r *rewriter) body(ends ...string) (liquidToken, error) {
	for len(r.tokens) > 0 {
		t := r.next()
		if name, _ := t.tag(); slices.Contains(ends, name) {
			return t, nil
		}
		if err := r.token(t); err != nil {
			return liquidToken{}, err
		}
	}
	return liquidToken{}, notClosed(ends[0])
}

// branches writes if … or unless …. After an else, an unless ignores what is left
// and an if refuses it.
func (r *rewriter) branches(args, end string) error {
	test := "truth"
	if end == "endunless" {
		test = "negate"
	}
	e, err := r.filtered(args)
	if err != nil {
		return err
	}
	r.out = fmt.Appendf(r.out, "{%% if %s | %s: %s %%}", e, test, runName)
	keep := -1 // length of what was written when the rest began to be ignored
	for sawElse := false; ; {
		t, err := r.body(end, "elsif", "else")
		if err != nil {
			return err
		}
		if keep >= 0 {
			r.out = r.out[:keep]
		}
		name, args := t.tag()
		strict := end == "endif" && (sawElse || args != "")
		switch {
		case name == end:
			if end == "endif" && args != "" {
				return fmt.Errorf("unexpected %q", args)
			}
			r.out = append(r.out, "{% endif %}"...)
			return nil
		case sawElse && end == "endunless":
			keep = len(r.out)
		case name == "else" && strict, name == "elsif" && sawElse:
			return fmt.Errorf("unexpected %s", name)
		case name == "else":
			sawElse = true
			r.out = append(r.out, "{% else %}"...)
		default:
			e, err := r.filtered(args)
			if err != nil {
				return err
			}
			r.out = fmt.Appendf(r.out, "{%% elsif %s | truth: %s %%}", e, runName)
		}
	}
}

func (r *rewriter) assign(args string) error {
	x := expressionReader{r: r, s: args}
	key := x.identifier()
	if key == "" || !x.take('=') {
		return fmt.Errorf("assign needs a name and a value: %q", args)
	}
	e, err := x.filtered()
	if err != nil {
		return err
	}
	r.store(key, e)
	return nil
}

func (r *rewriter) store(key, expression string) {
	r.print(fmt.Sprintf("%s | store: %s, (%s)", r.constant(key), runName, expression))
}

func (r *rewriter) capture(args string) error {
	x := expressionReader{r: r, s: args}
	key := x.identifier()
	if key == "" {
		text, ok := x.quoted()
		if !ok {
			return fmt.Errorf("capture needs a name: %q", args)
		}
		key = text
	}
	r.out = fmt.Appendf(r.out, "{%% capture %s %%}", captureName)
	if _, err := r.body("endcapture"); err != nil {
		return err
	}
	r.out = append(r.out, "{% endcapture %}"...)
	r.store(key, captureName)
	return nil
}

// cycle writes the next of its values, counted for all cycles of the same text
// and group.
func (r *rewriter) cycle(args string) error {
	x := expressionReader{r: r, s: args}
	group, ok, err := x.value()
	if err != nil {
		return err
	}
	if !ok || !x.take(':') {
		group, x.s = r.constant(undefinedValue), args
	}
	var values, texts []string
	for x.s != "" {
		start := x.s
		v, err := x.filtered()
		if err != nil {
			return err
		}
		values, texts = append(values, "("+v+")"), append(texts, start[:len(start)-len(x.s)])
		_, x.s, _ = strings.Cut(x.s, ",")
	}
	if len(values) == 0 {
		return fmt.Errorf("cycle needs values: %q", args)
	}
	r.print(fmt.Sprintf("%s | cycle: %s, %s, %s", r.constant(strings.Join(texts, ",")), runName, group, strings.Join(values, ", ")))
	return nil
}

// lines writes the tags of a liquid tag, one a line.
func (r *rewriter) lines(source string) error {
	after := r.tokens
	var err error
	r.tokens, err = lineTokens(source)
	for err == nil && len(r.tokens) > 0 {
		err = r.token(r.next())
	}
	r.tokens = after
	return err
}

func inlineComment(args string) error {
	_, rest, more := strings.Cut(args, "\n")
	for more {
		var line string
		line, rest, more = strings.Cut(rest, "\n")
		if line = trimSpace(line); line != "" && line[0] != '#' {
			return fmt.Errorf("every line of a comment needs a #: %q", line)
		}
	}
	return nil
}
