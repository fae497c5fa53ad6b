package flow

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"

	"github.com/osteele/liquid/expressions"
	"github.com/osteele/liquid/parser"
	"github.com/osteele/liquid/render"

	"github.com/segue-xm/segue/internal/core/fault"
)

// Template is a compiled Liquid template over fields, contact, event, steps,
// transaction and link. Safe for concurrent use.
//
// Variables that are not there write nothing. There is no include and no clock.
type Template struct {
	name    string
	literal string   // when there is nothing to evaluate
	args    []string // the expressions in it, without their quoted texts
	root    render.Node
	with    *renderers
	load    load // of the whole, loops passed through once
}

// CompileTemplate compiles a template whose values are written as they are: for
// subjects, SMS, URLs, plain mail bodies. Errors are Invalid and start with name.
func CompileTemplate(name, text string) (*Template, error) {
	return compileTemplate(name, text, textLanguage, textRenderers, func(v any) string {
		return outputText(v)
	})
}

// CompileHTML compiles a template whose values are HTML-escaped wherever they
// are written: for mail bodies. What a template captured, and what the filters
// escape, escape_once and newline_to_br gave, is not escaped again.
func CompileHTML(name, text string) (*Template, error) {
	return compileTemplate(name, text, htmlLanguage, htmlRenderers, func(v any) string {
		return string(escaped(v))
	})
}

// IsTemplate reports whether a text has anything to evaluate.
func IsTemplate(text string) bool {
	return strings.Contains(text, "{{") || strings.Contains(text, "{%")
}

func compileTemplate(name, text string, cfg *render.Config, with *renderers, write func(any) string) (t *Template, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fault.Field(name, "not a template")
		}
	}()
	if len(text) > maxText {
		return nil, fault.Field(name, "the template is longer than %d KB", maxText>>10)
	}
	if !IsTemplate(text) {
		return &Template{name: name, literal: text}, nil
	}
	root, perr := cfg.Compile(text, parser.SourceLoc{LineNo: 1})
	if perr != nil {
		return nil, fault.Field(name, "not a template: %s", perr.Error())
	}
	var used []string
	p := preparer{cfg: cfg, write: write, used: &used}
	if err := p.node(root); err != nil {
		return nil, fault.Field(name, "not a template: %v", err)
	}
	if root, err = p.replace(root); err != nil {
		return nil, fault.Field(name, "not a template: %v", err)
	}
	var whole load
	whole.addAll([]render.Node{root})
	return &Template{name: name, root: root, with: with, load: whole, args: used}, nil
}

// Mentions reports whether the template reads a variable, such as "steps".
func (t *Template) Mentions(variable string) bool {
	for _, a := range t.args {
		for _, m := range word.FindAllString(a, -1) {
			if m == variable {
				return true
			}
		}
	}
	return false
}

// word is a variable, or a member with its dot.
var word = regexp.MustCompile(`\.?[A-Za-z_][A-Za-z0-9_-]*`)

// Render evaluates the template. The error is Invalid, names the template and the
// line and never quotes values.
func (t *Template) Render(s Scope) (out string, err error) { return t.render(s, newEffort()) }

func (t *Template) render(s Scope, e *effort) (out string, err error) {
	if t.root == nil {
		return t.literal, nil
	}
	w := &boundedText{}
	defer func() {
		if r := recover(); r != nil {
			cause, _ := r.(error)
			if !errors.Is(cause, errTooLong) {
				cause = errors.New("a value cannot be used like this")
			}
			out, err = "", fault.Field(t.name, "cannot be rendered: %v", cause)
		}
	}()
	r, _ := t.with.pool.Get().(*renderer)
	defer t.with.pool.Put(r)
	err = r.meter.begin(s, e)
	if err == nil {
		err = r.meter.enter(t.load)
	}
	if err != nil {
		return "", fault.Field(t.name, "cannot be rendered: %v", err)
	}
	bind := map[string]any{meterKey: r.meter}
	for name, v := range map[string]any{
		"fields": s.Fields, "contact": s.Contact, "event": s.Event,
		"steps": s.Steps, "transaction": s.Transaction, "link": s.Link,
	} {
		bind[name] = lazy{sync.OnceValue(func() any { return toLiquid(v) })}
	}
	if rerr := render.Render(t.root, w, bind, *r.cfg); rerr != nil {
		return "", fault.Field(t.name, "cannot be rendered: line %d: %s", rerr.LineNumber(), renderReason(rerr))
	}
	if err := r.meter.made(w.b.Len()); err != nil {
		return "", fault.Field(t.name, "cannot be rendered: %v", err)
	}
	return w.b.String(), nil
}

// outputError is a failure of one {{ … }}.
type outputError struct {
	source string
	cause  error
}

func (e outputError) Error() string { return e.source }
func (e outputError) Cause() error  { return e.cause }

// renderReason is why rendering failed; only texts known to quote no values pass.
func renderReason(err error) string {
	source := ""
	for e := err; e != nil; {
		switch x := e.(type) {
		case outputError:
			source = clip(x.source, 200) + ": "
		case expressions.UndefinedFilter:
			return x.Error()
		case expressions.FilterError:
			for _, known := range []error{errTooLong, errTooMuchEffort, errNoDate} {
				if errors.Is(x.Err, known) {
					return fmt.Sprintf("filter %s: %v", x.FilterName, known)
				}
			}
			return fmt.Sprintf("filter %s cannot be applied to this value", x.FilterName)
		}
		if e == errTooMuch || e == errTooLong || e == errTooMuchEffort {
			return e.Error()
		}
		c, ok := e.(interface{ Cause() error })
		if !ok {
			break
		}
		e = c.Cause()
	}
	return source + "a value cannot be used like this"
}

// boundedText collects output up to maxText bytes. Its failure becomes a panic
// of the library in places; Render recovers.
type boundedText struct{ b strings.Builder }

func (w *boundedText) Write(p []byte) (int, error) {
	if w.b.Len()+len(p) > maxText {
		return 0, errTooLong
	}
	return w.b.Write(p)
}

// preparer changes a compiled template: outputs are written our way, and each
// round of a loop is counted.
type preparer struct {
	cfg   *render.Config
	write func(any) string
	used  *[]string
}

// replace is what takes a node's place.
func (p preparer) replace(n render.Node) (render.Node, error) {
	if b, ok := n.(*render.BlockNode); ok && b.Name == "capture" {
		return tagNode(b.Token, func(_ io.Writer, ctx render.Context) error { return p.capture(b, ctx) })
	}
	o, ok := n.(*render.ObjectNode)
	if !ok {
		return n, nil
	}
	if strings.TrimSpace(o.Args) == "" {
		return nil, fmt.Errorf("line %d: {{ }} is empty", o.SourceLoc.LineNo)
	}
	expr, err := expressions.Parse(o.Args)
	if err != nil {
		return nil, fmt.Errorf("line %d: %s is not an expression", o.SourceLoc.LineNo, o.Source)
	}
	return tagNode(o.Token, func(w io.Writer, ctx render.Context) error {
		v, err := ctx.Evaluate(expr)
		if err != nil {
			return outputError{o.Source, err}
		}
		text := p.write(v)
		if err := meterOf(ctx).made(len(text)); err != nil {
			return err
		}
		_, err = io.WriteString(w, text)
		return err
	})
}

// capture sets a variable to what a block writes, no longer than an output may
// be; in HTML it is markup from then on.
func (p preparer) capture(b *render.BlockNode, ctx render.Context) error {
	w := &boundedText{}
	if err := ctx.RenderBlock(w, b); err != nil {
		return err
	}
	if err := meterOf(ctx).made(w.b.Len()); err != nil {
		return err
	}
	name := strings.TrimSpace(b.Args)
	if p.cfg == htmlLanguage {
		ctx.Set(name, markup(w.b.String()))
	} else {
		ctx.Set(name, w.b.String())
	}
	return nil
}

// node prepares what is inside a node.
func (p preparer) node(n render.Node) error {
	switch n := n.(type) {
	case *render.SeqNode:
		return p.list(n.Children)
	case *render.ObjectNode:
		return p.filters(n.Token)
	case *render.TagNode:
		return p.filters(n.Token)
	case *render.BlockNode:
		if err := p.filters(n.Token); err != nil {
			return err
		}
		if err := p.list(n.Body); err != nil {
			return err
		}
		for _, c := range n.Clauses {
			if err := p.node(c); err != nil {
				return err
			}
		}
		if isLoop(n) {
			var round load
			round.addAll(n.Body)
			count, err := tagNode(n.Token, countRound(round))
			if err != nil {
				return err
			}
			n.Body = append([]render.Node{count}, n.Body...)
		}
	}
	return nil
}

func (p preparer) list(nodes []render.Node) error {
	for i, n := range nodes {
		if err := p.node(n); err != nil {
			return err
		}
		with, err := p.replace(n)
		if err != nil {
			return err
		}
		nodes[i] = with
	}
	return nil
}

func countRound(round load) func(io.Writer, render.Context) error {
	return func(_ io.Writer, ctx render.Context) error {
		m := meterOf(ctx)
		if m.rounds--; m.rounds < 0 {
			return errTooMuch
		}
		return m.enter(round)
	}
}

func meterOf(ctx render.Context) *meter { return ctx.Get(meterKey).(*meter) }

// tagNode makes a node of a function, standing where token stands. The library
// makes such nodes for registered tags only, hence the small detour.
func tagNode(token parser.Token, fn func(io.Writer, render.Context) error) (render.Node, error) {
	c := render.NewConfig()
	c.AddTag("call", func(string) (func(io.Writer, render.Context) error, error) { return fn, nil })
	root, err := c.Compile("{% call %}", token.SourceLoc)
	if err != nil {
		return nil, err
	}
	seq, ok := root.(*render.SeqNode)
	if !ok || len(seq.Children) != 1 {
		return nil, errors.New("unexpected template tree")
	}
	if tag, ok := seq.Children[0].(*render.TagNode); ok {
		tag.Token = token
	}
	return seq.Children[0], nil
}

var (
	quoted    = regexp.MustCompile(`"[^"]*"|'[^']*'`)
	filterUse = regexp.MustCompile(`\|\s*([A-Za-z_][A-Za-z0-9_]*)`)
)

// filters refuses filters that do not exist, which the library notices only when
// it comes by, and ranges that it would write out in memory.
func (p preparer) filters(t parser.Token) error {
	args := quoted.ReplaceAllString(t.Args, `""`)
	*p.used = append(*p.used, args)
	uses := filterUse.FindAllStringSubmatch(args, -1)
	if strings.Contains(args, "..") && (len(uses) > 0 || (t.Name != "for" && t.Name != "tablerow")) {
		return fmt.Errorf("line %d: a range (a..b) stands in a for only, without filters", t.SourceLoc.LineNo)
	}
	for _, m := range uses {
		if !knownFilter(p.cfg, m[1]) {
			return fmt.Errorf("line %d: there is no filter %q", t.SourceLoc.LineNo, m[1])
		}
	}
	return nil
}

// knownFilter asks the library by applying the filter to nothing.
func knownFilter(cfg *render.Config, name string) bool {
	_, err := expressions.EvaluateString("nil | "+name, expressions.NewContext(map[string]any{}, cfg.Config.Config))
	var undefined expressions.UndefinedFilter
	return !errors.As(err, &undefined)
}
