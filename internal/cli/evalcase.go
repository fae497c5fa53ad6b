package cli

import (
	"bytes"

	"github.com/segue-xm/segue/internal/jsonvalue"
)

// evalCase is one line of eval's input: the texts of the members it needs, so
// that a filter or mapping that came before is not read again. The slices live
// as long as the line.
type evalCase struct {
	id, fql, event, mapping, payload []byte // nil when not there
}

// read finds the members of a line and checks that all of it is JSON; of equal
// keys the last one counts.
func (c *evalCase) read(line []byte) error {
	*c = evalCase{}
	return jsonvalue.Members(line, func(key, value []byte) error {
		if bytes.IndexByte(key, '\\') >= 0 {
			text, err := jsonvalue.Parse(key)
			if err != nil {
				return err
			}
			key = jsonvalue.Append(nil, text)
		}
		switch string(key) {
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
		}
		return nil
	})
}

// appendStart begins an answer with the case's id, as it was written.
func (c *evalCase) appendStart(dst []byte) []byte {
	dst = append(dst, `{"id":`...)
	if c.id == nil {
		return append(dst, "null"...)
	}
	return append(dst, c.id...)
}
