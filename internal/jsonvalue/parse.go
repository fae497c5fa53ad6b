package jsonvalue

import (
	"math"
	"strconv"

	"github.com/ohler55/ojg/oj"

	"github.com/segue-xm/segue/internal/fault"
)

// MaxDepth is how deeply arrays and objects may nest. It bounds the recursion of
// everything that walks a value.
const MaxDepth = 200

// Parse reads one JSON text. Numbers become doubles, as in JavaScript; of equal
// keys the last value counts. An error is Invalid and says where.
func Parse(b []byte) (any, error) {
	var h builder
	if err := oj.Tokenize(b, &h); err != nil {
		return nil, fault.New(fault.Invalid, "not JSON: %v", err)
	}
	if h.tooDeep {
		return nil, fault.New(fault.Invalid, "nested deeper than %d levels", MaxDepth)
	}
	if !h.done {
		return nil, fault.New(fault.Invalid, "not JSON: empty")
	}
	return h.root, nil
}

// ParseObject is Parse for a text that must be an object.
func ParseObject(b []byte) (*Object, error) {
	v, err := Parse(b)
	if err != nil {
		return nil, err
	}
	o, ok := v.(*Object)
	if !ok {
		return nil, fault.New(fault.Invalid, "want a JSON object, have %s", TypeName(v))
	}
	return o, nil
}

// frame is one open array or object.
type frame struct {
	obj *Object
	arr []any
	key string
}

// builder makes values from ojg's tokens.
type builder struct {
	stack   []frame
	root    any
	done    bool
	skip    int // open containers beyond MaxDepth
	tooDeep bool
}

func (h *builder) add(v any) {
	if h.skip > 0 {
		return
	}
	if len(h.stack) == 0 {
		h.root, h.done = v, true
		return
	}
	top := &h.stack[len(h.stack)-1]
	if top.obj != nil {
		top.obj.Set(top.key, v)
		return
	}
	top.arr = append(top.arr, v)
}

func (h *builder) open(f frame) {
	if h.skip > 0 || len(h.stack) == MaxDepth {
		h.skip++
		h.tooDeep = true
		return
	}
	h.stack = append(h.stack, f)
}

func (h *builder) close() {
	if h.skip > 0 {
		h.skip--
		return
	}
	top := h.stack[len(h.stack)-1]
	h.stack = h.stack[:len(h.stack)-1]
	if top.obj != nil {
		h.add(top.obj)
		return
	}
	h.add(top.arr)
}

// The methods below implement oj.TokenHandler.

func (h *builder) Null()           { h.add(nil) }
func (h *builder) Bool(v bool)     { h.add(v) }
func (h *builder) Int(v int64)     { h.add(float64(v)) }
func (h *builder) Float(v float64) { h.add(v) }
func (h *builder) String(v string) { h.add(v) }
func (h *builder) ObjectStart()    { h.open(frame{obj: NewObject(8)}) }
func (h *builder) ObjectEnd()      { h.close() }
func (h *builder) ArrayStart()     { h.open(frame{arr: []any{}}) }
func (h *builder) ArrayEnd()       { h.close() }

// Number gets the texts that fit neither an int64 nor a float64 exactly.
func (h *builder) Number(text string) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(f, 0) {
		f = math.NaN()
	}
	h.add(f)
}

func (h *builder) Key(key string) {
	if h.skip == 0 {
		h.stack[len(h.stack)-1].key = key
	}
}

// TypeName is the JSON name of a value's type, for messages.
func TypeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case float64:
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	case *Object:
		return "object"
	}
	return "nothing"
}
