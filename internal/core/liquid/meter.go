package liquid

import (
	"errors"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// What a rendering was stopped for. They quote nothing of the data.
var (
	ErrSteps  = errors.New("this is too much work")
	ErrRounds = errors.New("its loops make too many rounds")
	ErrLarge  = errors.New("the result is too large")
	ErrClock  = errors.New(`"now" and "today" are not known to this template`)
)

// perValue is the steps, and the weight, of a value whatever is in it.
const perValue = 8

// Meter is what may still be done. One meter may serve several renderings, one after
// the other. A step is about a byte that is looked at or made; they are counted before
// the work is done, so that the same template and values always get the same verdict.
type Meter struct {
	Steps  int // left
	Rounds int // of loops, left
	Text   int // bytes of the output, and of each text that is made
	Value  int // weight of each list that is made, about its bytes as JSON
}

func (m *Meter) spend(n int) error {
	if m.Steps -= n; m.Steps < 0 {
		return ErrSteps
	}
	return nil
}

// make charges something of n bytes before it is made.
func (m *Meter) make(n int) error {
	if n > max(m.Text, m.Value) {
		return ErrLarge
	}
	return m.spend(n)
}

// makeText charges a text of n bytes before it is made.
func (m *Meter) makeText(n int) error {
	if n > m.Text {
		return ErrLarge
	}
	return m.spend(n)
}

// made charges a value that a filter made.
func (m *Meter) made(v any) error {
	switch v := v.(type) {
	case string:
		return m.makeText(len(v))
	case markup:
		return m.makeText(len(v))
	case []any, *jsonvalue.Object:
		n := weight(v, m.Value)
		if n > m.Value {
			return ErrLarge
		}
		return m.spend(n)
	}
	return m.spend(perValue)
}

// read charges what is looked at in a value: of an object, one member.
func (m *Meter) read(v any) error {
	switch v := v.(type) {
	case string:
		return m.spend(perValue + len(v))
	case markup:
		return m.spend(perValue + len(v))
	case []any:
		return m.spend(weight(v, m.Steps))
	}
	return m.spend(perValue)
}

// weight estimates the bytes of v written out. It stops soon after limit: values are
// shared, and a small graph can be an enormous tree.
func weight(v any, limit int) int {
	n := perValue
	switch v := v.(type) {
	case string:
		n += len(v)
	case markup:
		n += len(v)
	case []any:
		for _, e := range v {
			if n > limit {
				break
			}
			n += weight(e, limit-n)
		}
	case *jsonvalue.Object:
		for k, e := range v.All() {
			if n > limit {
				break
			}
			n += len(k) + weight(e, limit-n)
		}
	}
	return n
}

// buffer is the text that is written, bounded.
type buffer struct {
	text  []byte
	meter *Meter
}

func (b *buffer) write(s string) error {
	if len(b.text)+len(s) > b.meter.Text {
		return ErrLarge
	}
	if err := b.meter.spend(len(s)); err != nil {
		return err
	}
	b.text = append(b.text, s...)
	return nil
}
