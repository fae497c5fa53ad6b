package eval

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/liquid"
)

// Templates renders Liquid templates: lines of {"id","template","data"}. The error counts the
// lines that are not JSON.
func Templates(in io.Reader, out io.Writer) error {
	return evaluate(in, out, func() judge { return templateJudge{newCache[parsedTemplate]()} })
}

// parsedTemplate is a template or the reason why there is none.
type parsedTemplate struct {
	template *liquid.Template
	err      error
}

type templateJudge struct{ templates *cache[parsedTemplate] }

func (templateJudge) visitor(*evalCase) jsonvalue.Visitor { return nil }

// What one case may do is what a message may, and four times as much text.
func templateMeter() *liquid.Meter {
	return &liquid.Meter{Steps: 40_000_000, Rounds: 100_000, Text: 1 << 20, Value: 4 << 20}
}

func (j templateJudge) judge(dst []byte, c *evalCase) ([]byte, error) {
	t, err := j.parse(c.template)
	if err != nil {
		return dst, err
	}
	var data any = jsonvalue.NewObject(0)
	if c.data != nil {
		if data, err = jsonvalue.Parse(c.data); err != nil {
			return dst, err
		}
	}
	dst = c.appendStart(dst)
	out := ""
	if err = t.err; err == nil {
		out, err = t.template.Render(liquid.Scope{Root: data, Now: now}, templateMeter())
	}
	if err != nil {
		return appendMessage(append(dst, `,"error":`...), err), nil
	}
	return append(jsonvalue.Append(append(dst, `,"output":`...), out), '}'), nil
}

func now() (time.Time, bool) { return time.Now().UTC(), true }

// parse gives the template of a JSON text. The error is about the JSON alone.
func (j templateJudge) parse(text []byte) (parsedTemplate, error) {
	if text == nil {
		return parsedTemplate{err: errors.New("template: is missing")}, nil
	}
	if t, ok := j.templates.get(text); ok {
		return t, nil
	}
	v, err := jsonvalue.Parse(text)
	if err != nil {
		return parsedTemplate{}, err
	}
	var t parsedTemplate
	if s, ok := v.(string); ok {
		t.template, t.err = liquid.Parse(s, liquid.Options{})
	} else {
		t.err = fmt.Errorf("template: want a text, found %s", jsonvalue.TypeName(v))
	}
	j.templates.put(text, t)
	return t, nil
}
