package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/segue-xm/segue/internal/core/fault"
)

// Encode is the plan as canonical JSON: equal plans give equal bytes. It holds
// secrets as they are, so literals belong out of it first: see ExtractLiterals.
func Encode(p *Plan) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(p); err != nil {
		// The types hold nothing JSON cannot say, but for a Default that is not
		// a plain value: a mistake in the program.
		panic("plan: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// Decode reads what Encode wrote. Unknown keys are an Invalid error: a plan
// written by a newer version must not be half obeyed.
func Decode(b []byte) (*Plan, error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	p := &Plan{}
	if err := dec.Decode(p); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "read plan")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fault.New(fault.Invalid, "read plan: more after its end")
	}
	return p, nil
}
