// Package id makes the identifiers of everything Segue stores: 60-bit numbers,
// sorted by time, unique over all processes of an installation, written as
// twelve lower-case letters and digits.
//
// Layout, from the high bits: 40 bits milliseconds since 2025-01-01 UTC (until
// 2059), 10 bits node, 10 bits sequence. A number sorts as its text does, so an
// id is also a time index. The text is Crockford's base 32: no i, l, o or u.
package id

import (
	"database/sql/driver"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/segue-xm/segue/internal/core/fault"
)

// ID identifies one stored thing. The zero ID means "none".
type ID int64

// Epoch is the instant of millisecond zero.
var Epoch = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

const (
	alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
	length   = 12
	// Nodes is how many processes can make ids at the same time.
	Nodes = 1 << 10
	seqs  = 1 << 10
	shift = 20
)

// String is the text form: 12 characters, or "" for the zero ID.
func (i ID) String() string {
	if i == 0 {
		return ""
	}
	var b [length]byte
	v := uint64(i)
	for p := length - 1; p >= 0; p-- {
		b[p] = alphabet[v&31]
		v >>= 5
	}
	return string(b[:])
}

// Parse reads the text form; anything else is an Invalid error.
func Parse(s string) (ID, error) {
	if len(s) != length {
		return 0, fault.New(fault.Invalid, "%q is not an id: want %d characters", s, length)
	}
	var v uint64
	for k := range len(s) {
		p := strings.IndexByte(alphabet, s[k])
		if p < 0 {
			return 0, fault.New(fault.Invalid, "%q is not an id: character %q", s, s[k])
		}
		v = v<<5 | uint64(p)
	}
	return ID(v), nil
}

// Time is when the id was made, to the millisecond.
func (i ID) Time() time.Time { return Epoch.Add(time.Duration(i>>shift) * time.Millisecond) }

// At is the smallest id of an instant: ids made from t on are not below it.
func At(t time.Time) ID { return ID(t.Sub(Epoch).Milliseconds() << shift) }

// MarshalText writes the text form.
func (i ID) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText reads the text form; empty text is the zero ID.
func (i *ID) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*i = 0
		return nil
	}
	v, err := Parse(string(b))
	*i = v
	return err
}

// Value stores an ID as a 64-bit integer.
func (i ID) Value() (driver.Value, error) { return int64(i), nil }

// Scan reads a 64-bit integer; NULL is the zero ID.
func (i *ID) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*i = 0
	case int64:
		*i = ID(v)
	default:
		return fmt.Errorf("scan id from %T", src)
	}
	return nil
}

// Maker makes ids for one node. Safe for concurrent use. Two makers with the
// same node number at the same time could make the same id: the store hands
// node numbers out.
type Maker struct {
	node int64
	now  func() time.Time

	mu   sync.Mutex
	last int64 // milliseconds and sequence of the newest id
}

// NewMaker returns a maker for node modulo Nodes, reading the time from now.
func NewMaker(node int64, now func() time.Time) *Maker {
	return &Maker{node: (node%Nodes + Nodes) % Nodes, now: now}
}

// Next returns a new id, larger than every earlier one of this maker. Beyond
// 1,024 in a millisecond it borrows from the next one; a clock set back does not
// make it repeat.
func (m *Maker) Next() ID {
	m.mu.Lock()
	defer m.mu.Unlock()
	tick := m.now().Sub(Epoch).Milliseconds() * seqs
	m.last = max(m.last+1, tick)
	ms, seq := m.last/seqs, m.last%seqs
	return ID(ms<<shift | m.node<<10 | seq)
}
