package eval

import (
	"bytes"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// evalCase is one line of eval's input: the texts of the members it needs, so
// that a filter or mapping that came before is not read again. The slices live
// as long as the line. It is what the judge keeps between a line's parts, too.
type evalCase struct {
	id, fql, event, mapping, payload, template, data []byte // nil when not there
	path, document                                   []byte
	judge                                            judge
	seenFor                                          []byte // the filter for which the judge has seen the event already
}

// read finds the members of a line and checks that all of it is JSON; of equal
// keys the last one counts.
func (c *evalCase) read(line []byte, j judge) error {
	*c = evalCase{judge: j}
	return jsonvalue.Walk(line, c)
}

// Enter lets the judge see the event's members while they are passed.
func (c *evalCase) Enter(key []byte) jsonvalue.Visitor {
	if string(unescaped(key)) == `"event"` {
		return c.judge.visitor(c)
	}
	return nil
}

// Member takes what a case is made of.
func (c *evalCase) Member(key, value []byte) error {
	switch string(unescaped(key)) {
	case `"id"`:
		c.id = value
	case `"fql"`:
		c.fql = value
	case `"event"`:
		c.event = value
	case `"mapping"`:
		c.mapping = value
	case `"payload"`:
		c.payload = value
	case `"template"`:
		c.template = value
	case `"data"`:
		c.data = value
	case `"path"`:
		c.path = value
	case `"document"`:
		c.document = value
	}
	return nil
}

// unescaped is a key written without needless escapes.
func unescaped(key []byte) []byte {
	if bytes.IndexByte(key, '\\') >= 0 {
		if text, err := jsonvalue.Parse(key); err == nil {
			return jsonvalue.Append(nil, text)
		}
	}
	return key
}

// appendStart begins an answer with the case's id, as it was written.
func (c *evalCase) appendStart(dst []byte) []byte {
	dst = append(dst, `{"id":`...)
	if c.id == nil {
		return append(dst, "null"...)
	}
	return append(dst, c.id...)
}
