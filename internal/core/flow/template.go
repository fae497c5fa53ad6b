package flow

import (
	"errors"
	"fmt"
	"strings"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/liquid"
)

// Bounds on one rendering, and on those of one step's settings together. They count,
// and do not look at a clock: the same template and values always get the same verdict.
const (
	maxText   = 256 << 10 // bytes of a template, of what it gives, and of each text on the way
	maxList   = 4 << 20   // about the bytes of a list on the way, as JSON
	maxRounds = 100_000   // of all loops of one rendering together
	maxEffort = 5_000_000 // steps: a step is about eight bytes, or one value, that is looked at
	stepBytes = 8
)

// boundNames say which bound a rendering met.
var boundNames = map[error]string{
	liquid.ErrSteps:  fmt.Sprintf("it takes more than %d steps", maxEffort),
	liquid.ErrRounds: fmt.Sprintf("its loops make more than %d rounds", maxRounds),
	liquid.ErrLarge:  fmt.Sprintf("%v, or a list beyond %d MB", errTooLong, maxList>>20),
}

var errTooLong = fmt.Errorf("the text grows beyond %d KB", maxText>>10)

// newEffort is what a rendering, or those of all texts of a step's settings together,
// may do.
func newEffort() *liquid.Meter {
	return &liquid.Meter{Steps: maxEffort * stepBytes, Rounds: maxRounds, Text: maxText, Value: maxList}
}

// Template is a compiled Liquid template over fields, contact, event, steps,
// transaction and link. Safe for concurrent use.
//
// Variables that are not there write nothing. There is no include and no clock.
type Template struct {
	name    string
	literal string           // when there is nothing to evaluate
	liquid  *liquid.Template // or nil
}

// CompileTemplate compiles a template whose values are written as they are: for
// subjects, SMS, URLs, plain mail bodies. Errors are Invalid and start with name.
func CompileTemplate(name, text string) (*Template, error) {
	return compileTemplate(name, text, liquid.Messages)
}

// CompileHTML compiles a template whose values are HTML-escaped wherever they
// are written: for mail bodies. What a template captured, and what the filters
// escape, escape_once and newline_to_br gave, is not escaped again.
func CompileHTML(name, text string) (*Template, error) {
	o := liquid.Messages
	o.HTML = true
	return compileTemplate(name, text, o)
}

// IsTemplate reports whether a text has anything to evaluate.
func IsTemplate(text string) bool {
	return strings.Contains(text, "{{") || strings.Contains(text, "{%")
}

func compileTemplate(name, text string, o liquid.Options) (*Template, error) {
	if len(text) > maxText {
		return nil, fault.Field(name, "the template is longer than %d KB", maxText>>10)
	}
	if !IsTemplate(text) {
		return &Template{name: name, literal: text}, nil
	}
	t, err := liquid.Parse(text, o)
	if err != nil {
		return nil, fault.Field(name, "not a template: %v", err)
	}
	return &Template{name: name, liquid: t}, nil
}

// Mentions reports whether the template reads a variable, such as "steps".
func (t *Template) Mentions(variable string) bool { return t.liquid != nil && t.liquid.Reads(variable) }

// Render evaluates the template. The error is Invalid, names the template and the
// line and never quotes values.
func (t *Template) Render(s Scope) (string, error) { return t.render(s.root(), newEffort()) }

func (t *Template) render(root *jsonvalue.Object, effort *liquid.Meter) (string, error) {
	if t.liquid == nil {
		return t.literal, nil
	}
	out, err := t.liquid.Render(liquid.Scope{Root: root}, effort)
	var failed *liquid.Error
	if errors.As(err, &failed) {
		reason := failed.Err.Error()
		for bound, text := range boundNames {
			if errors.Is(err, bound) {
				reason = text
			}
		}
		return "", fault.Field(t.name, "cannot be rendered: line %d: %s", failed.Line, reason)
	}
	return out, err
}

// root is the scope as templates see it: what is not there is missing.
func (s Scope) root() *jsonvalue.Object {
	o := jsonvalue.NewObject(6)
	o.Set("fields", present(s.Fields))
	o.Set("contact", present(s.Contact))
	o.Set("event", present(s.Event))
	o.Set("steps", present(s.Steps))
	o.Set("transaction", present(s.Transaction))
	o.Set("link", present(s.Link))
	return o
}
