package eval

import (
	"errors"
	"io"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
)

// Mappings applies mappings: lines of {"id","mapping","payload"}. The error counts the
// lines that are not JSON.
func Mappings(in io.Reader, out io.Writer) error {
	return evaluate(in, out, func() judge { return mappingJudge{newCache[compiledMapping]()} })
}

// compiledMapping is a compiled mapping or the reason why there is none.
type compiledMapping struct {
	mapping *mapping.Mapping
	err     error
}

type mappingJudge struct{ mappings *cache[compiledMapping] }

var (
	errNoMapping = errors.New("mapping: is missing")
	errPayload   = errors.New("payload: want an object")
)

func (mappingJudge) visitor(*evalCase) jsonvalue.Visitor { return nil }

func (j mappingJudge) judge(dst []byte, c *evalCase) ([]byte, error) {
	m, err := j.compile(c.mapping)
	if err != nil {
		return dst, err
	}
	var payload *jsonvalue.Object
	if c.payload != nil {
		v, err := jsonvalue.Parse(c.payload)
		if err != nil {
			return dst, err
		}
		payload, _ = v.(*jsonvalue.Object)
	}
	dst = c.appendStart(dst)
	// Segment looks at the payload first: without one, nothing is said of the mapping.
	var output any
	switch {
	case payload == nil:
		err = errPayload
	case m.err != nil:
		return appendMessage(append(dst, `,"error":true,"kind":"validation","message":`...), m.err), nil
	default:
		output, err = m.mapping.Apply(payload)
	}
	switch {
	case err != nil:
		return appendMessage(append(dst, `,"error":true,"kind":"runtime","message":`...), err), nil
	case jsonvalue.IsUndefined(output):
		return append(dst, `,"undefined":true}`...), nil
	}
	return append(jsonvalue.Append(append(dst, `,"output":`...), output), '}'), nil
}

// compile gives the mapping of a JSON text. The error is about the JSON alone.
func (j mappingJudge) compile(text []byte) (compiledMapping, error) {
	if text == nil {
		return compiledMapping{err: errNoMapping}, nil
	}
	if m, ok := j.mappings.get(text); ok {
		return m, nil
	}
	v, err := jsonvalue.Parse(text)
	if err != nil {
		return compiledMapping{}, err
	}
	var m compiledMapping
	m.mapping, m.err = mapping.Compile(v)
	j.mappings.put(text, m)
	return m, nil
}
