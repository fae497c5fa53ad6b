package eval

import (
	"errors"
	"fmt"
	"io"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/path"
)

// Paths follows JSONPaths: lines of {"id","path","document"}. The error counts the
// lines that are not JSON.
func Paths(in io.Reader, out io.Writer) error {
	return evaluate(in, out, func() judge { return pathJudge{newCache[compiledPath]()} })
}

// compiledPath is a compiled path or the reason why there is none.
type compiledPath struct {
	path *path.Path
	err  error
}

type pathJudge struct{ paths *cache[compiledPath] }

func (pathJudge) visitor(*evalCase) jsonvalue.Visitor { return nil }

func (j pathJudge) judge(dst []byte, c *evalCase) ([]byte, error) {
	p, err := j.compile(c.path)
	if err != nil {
		return dst, err
	}
	var document any
	if c.document != nil {
		if document, err = jsonvalue.Parse(c.document); err != nil {
			return dst, err
		}
	}
	dst = c.appendStart(dst)
	values, err := []any(nil), p.err
	switch {
	case err != nil:
	case c.document == nil:
		err = errors.New("document: is missing")
	default:
		values, err = p.path.All(document, path.NewBudget(path.MaxSteps))
	}
	if err != nil {
		return appendMessage(append(dst, `,"error":`...), err), nil
	}
	return append(jsonvalue.Append(append(dst, `,"values":`...), values), '}'), nil
}

// compile gives the path of a JSON text. The error is about the JSON alone.
func (j pathJudge) compile(text []byte) (compiledPath, error) {
	if text == nil {
		return compiledPath{err: errors.New("path: is missing")}, nil
	}
	if p, ok := j.paths.get(text); ok {
		return p, nil
	}
	v, err := jsonvalue.Parse(text)
	if err != nil {
		return compiledPath{}, err
	}
	var p compiledPath
	if s, ok := v.(string); ok {
		p.path, p.err = path.Parse(s)
	} else {
		p.err = fmt.Errorf("path: want a text, found %s", jsonvalue.TypeName(v))
	}
	j.paths.put(text, p)
	return p, nil
}
