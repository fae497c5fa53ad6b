package plan

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Limits of a plan's text. They bound the work a hostile text can cause; no
// real plan comes near.
const (
	MaxSize     = 4 << 20 // bytes
	maxNodes    = 100_000 // values, with what aliases repeat counted each time
	maxDepth    = 100
	maxKey      = 100 // characters of a key
	maxProblems = 100
)

// Position is a place in a text, counted from 1.
type Position struct{ Line, Column int }

// Document is a plan together with where each of its fields was written.
type Document struct {
	Plan *Plan
	File string // as given to Parse

	positions map[string]Position
	broken    map[string]bool // fields Parse already complained about
	around    map[string]bool // what these are in
}

// Parse reads a plan from YAML. file is only for messages. All problems are
// reported at once: unknown, repeated and empty keys, and values of a wrong
// type. The Document is nil when the text is no YAML object at all; otherwise it
// holds what could be read, so that Validate can add its findings, and is to be
// used for nothing else while there are problems.
//
// Anchors, aliases and merge keys work, within the limits above. ${NAME} is left
// as written: see Expand.
func Parse(file string, text []byte) (*Document, Problems) {
	r := &reader{doc: &Document{
		Plan: &Plan{}, File: file,
		positions: map[string]Position{}, broken: map[string]bool{}, around: map[string]bool{},
	}}
	root := r.root(text)
	if root == nil {
		return nil, r.doc.locate(r.problems)
	}
	r.read(root, reflect.ValueOf(r.doc.Plan).Elem(), "", 0)
	return r.doc, r.doc.locate(r.problems)
}

// root is the text's one YAML document, an object, or nil with a problem filed.
func (r *reader) root(text []byte) *yaml.Node {
	if len(text) > MaxSize {
		r.problems.add("", "the text has %d bytes; a plan may have %d", len(text), MaxSize)
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var first, second yaml.Node
	switch err := dec.Decode(&first); {
	case errors.Is(err, io.EOF):
		r.problems.add("", "the plan is empty")
		return nil
	case err != nil:
		r.problems = append(r.problems, syntaxProblem(err))
		return nil
	}
	if err := dec.Decode(&second); err == nil {
		r.problemAt(&second, "", "a plan is one YAML document; a second one starts here")
	} else if !errors.Is(err, io.EOF) {
		r.problems = append(r.problems, syntaxProblem(err))
	}
	root := first.Content[0]
	switch {
	case root.Kind == yaml.MappingNode:
		return root
	case root.Tag == "!!null":
		r.problemAt(root, "", "the plan is empty")
	default:
		r.problemAt(root, "", "a plan is an object with keys such as version and sources; found %s", found(root, false))
	}
	return nil
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?`)

// syntaxProblem turns the YAML library's message into a problem at its line.
func syntaxProblem(err error) Problem {
	m := yamlLine.FindStringSubmatch(err.Error())
	line, _ := strconv.Atoi(m[1])
	p := Problem{Line: line, Message: "not YAML: " + strings.TrimPrefix(err.Error(), m[0])}
	if line > 0 {
		p.Column = 1
	}
	return p
}

// Position is where field was written or, when it was not, its closest parent.
func (d *Document) Position(field string) Position {
	for {
		if pos, ok := d.positions[field]; ok || field == "" {
			return pos
		}
		field = parent(field)
	}
}

// Validate is Plan.Validate with positions. It leaves out what would only repeat
// a problem of Parse.
func (d *Document) Validate(c Checks) Problems {
	var ps Problems
	for _, p := range d.Plan.Validate(c) {
		if !d.isBroken(p.Field) {
			ps = append(ps, p)
		}
	}
	return d.locate(ps)
}

// Expand is Plan.Expand with positions.
func (d *Document) Expand(lookup func(string) (string, bool)) Problems {
	return d.locate(d.Plan.Expand(lookup))
}

// isBroken reports whether Parse complained about field, something around it or
// something in it.
func (d *Document) isBroken(field string) bool {
	for up := field; up != ""; up = parent(up) {
		if d.broken[up] {
			return true
		}
	}
	return d.around[field]
}

func (d *Document) markBroken(field string) {
	d.broken[field] = true
	for up := parent(field); up != "" && !d.around[up]; up = parent(up) {
		d.around[up] = true
	}
}

func (d *Document) locate(ps Problems) Problems {
	for i := range ps {
		ps[i].File = d.File
		if ps[i].Line == 0 {
			pos := d.Position(ps[i].Field)
			ps[i].Line, ps[i].Column = pos.Line, pos.Column
		}
	}
	ps = ps.sorted()
	if n := len(ps) - maxProblems; n > 0 {
		ps = append(ps[:maxProblems:maxProblems], Problem{File: d.File, Message: fmt.Sprintf("and %d more", n)})
	}
	return ps
}
