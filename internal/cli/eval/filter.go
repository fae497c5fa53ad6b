package eval

import (
	"errors"
	"fmt"
	"io"

	"github.com/segue-xm/segue/internal/core/fql"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Filters judges filters: lines of {"id","fql","event"}. The error counts the
// lines that are not JSON.
func Filters(in io.Reader, out io.Writer) error {
	return evaluate(in, out, func() judge { return &filterJudge{filters: newCache[filter]()} })
}

// filter is a compiled filter or the reason why there is none.
type filter struct {
	filter *fql.Filter
	needs  needs
	err    error
}

type filterJudge struct {
	filters *cache[filter]
	now     filter      // that of the case whose event is being seen
	event   sparseEvent // what was seen of it
}

// visitor takes the parts of the event that the case's filter needs, if the filter
// came first.
func (j *filterJudge) visitor(c *evalCase) jsonvalue.Visitor {
	f, err := j.compile(c.fql)
	if err != nil || f.err != nil {
		return nil
	}
	j.now, c.seenFor = f, c.fql
	j.event.start(f.needs)
	return &j.event
}

func (j *filterJudge) judge(dst []byte, c *evalCase) ([]byte, error) {
	f, seen := j.now, c.fql != nil && c.seenFor != nil && &c.fql[0] == &c.seenFor[0]
	if !seen {
		var err error
		if f, err = j.compile(c.fql); err != nil {
			return dst, err
		}
	}
	dst = c.appendStart(dst)
	if f.err != nil {
		return appendMessage(append(dst, `,"valid":false,"matches":null,"error":`...), f.err), nil
	}
	// An event that is no object, or is missing, has nothing to match.
	var event *jsonvalue.Object
	switch {
	case c.event == nil || c.event[0] != '{':
	case seen:
		event = j.event.object(c.event)
	default:
		event = f.needs.event(c.event)
	}
	matches, err := f.filter.Match(event)
	switch {
	case err != nil:
		return appendMessage(append(dst, `,"valid":true,"matches":null,"error":`...), err), nil
	case matches:
		return append(dst, `,"valid":true,"matches":true}`...), nil
	}
	return append(dst, `,"valid":true,"matches":false}`...), nil
}

// compile gives the filter of an expression's JSON text. The error is about the
// JSON alone.
func (j *filterJudge) compile(text []byte) (filter, error) {
	if text == nil {
		return filter{err: errors.New("fql: is missing")}, nil
	}
	if f, ok := j.filters.get(text); ok {
		return f, nil
	}
	v, err := jsonvalue.Parse(text)
	if err != nil {
		return filter{}, err
	}
	var f filter
	if s, ok := v.(string); ok {
		if f.filter, f.err = fql.Compile(s); f.err == nil {
			f.needs = needsOf(f.filter)
		}
	} else {
		f.err = fmt.Errorf("fql: want a text, found %s", jsonvalue.TypeName(v))
	}
	j.filters.put(text, f)
	return f, nil
}

// appendMessage ends an answer with an error's text.
func appendMessage(dst []byte, err error) []byte {
	return append(jsonvalue.Append(dst, err.Error()), '}')
}
