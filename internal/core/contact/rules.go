package contact

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"sync"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/segue-xm/segue/internal/core/id"
)

// Rule is one merge rule: attributes that must all be present and equal after
// normalising.
type Rule struct {
	Attributes []string
	name       string
}

// NewRule returns the rule of these attributes; their order does not matter to
// what it means.
func NewRule(attributes ...string) Rule {
	return Rule{Attributes: attributes, name: strings.Join(attributes, "+")}
}

// ParseRule reads what Name wrote.
func ParseRule(name string) Rule { return NewRule(strings.Split(name, "+")...) }

// Name is the rule as stored: its attributes joined by +.
func (r Rule) Name() string { return r.name }

// DefaultRules hold for a directory that names none.
func DefaultRules() []Rule { return []Rule{NewRule(ExtRef), NewRule(Email), NewRule(Phone)} }

// Key is what one contact can own in a directory: a rule with its values.
// SHA-256(directory, rule, values), cut to 16 bytes.
type Key [16]byte

// Keyed is a key with its rule.
type Keyed struct {
	Key  Key
	Rule string
}

// value joins the rule's normalised values; false when one is missing.
func (r Rule) value(attribute func(string) string, region string) (string, bool) {
	var b strings.Builder
	for _, a := range r.Attributes {
		v := Normalize(a, attribute(a), region)
		if v == "" {
			return "", false
		}
		b.WriteString(v)
		b.WriteByte(0)
	}
	return b.String(), true
}

// Rules are a directory's merge rules in order, with the region that phone
// numbers without a country belong to ("" = none).
type Rules struct {
	Directory id.ID
	Match     []Rule
	Region    string
}

// key is the key of a rule for these attributes.
func (rs Rules) key(r Rule, attribute func(string) string) (Key, bool) {
	v, ok := r.value(attribute, rs.Region)
	if !ok {
		return Key{}, false
	}
	b := binary.BigEndian.AppendUint64(nil, uint64(rs.Directory))
	b = append(b, r.name...)
	b = append(b, 0)
	sum := sha256.Sum256(append(b, v...))
	return Key(sum[:16]), true
}

// keys are the keys of all rules that have their values, in the rules' order.
func (rs Rules) keys(attribute func(string) string) []Keyed {
	out := make([]Keyed, 0, len(rs.Match))
	for _, r := range rs.Match {
		if k, ok := rs.key(r, attribute); ok {
			out = append(out, Keyed{k, r.name})
		}
	}
	return out
}

// InputKeys are the keys that decide who an input is about, in order.
func (rs Rules) InputKeys(in *Input) []Keyed { return rs.keys(in.Attribute) }

// ContactKeys are the keys that a contact's values ask for.
func (rs Rules) ContactKeys(c *Contact) []Keyed { return rs.keys(c.Attribute) }

var fold = cases.Fold()

// Normalize is how an attribute's value is compared: trimmed, Unicode NFC,
// case-folded; a phone as E.164 where it can be read, else its digits.
func Normalize(attribute, value, region string) string {
	value = strings.TrimSpace(value)
	if value == "" {
		return ""
	}
	if attribute == Phone {
		return phones.get(value, region)
	}
	if isLowerASCII(value) {
		return value // already folded and composed: the usual case, and much cheaper
	}
	return norm.NFC.String(fold.String(norm.NFC.String(value)))
}

func isLowerASCII(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= 0x80 || c >= 'A' && c <= 'Z' {
			return false
		}
	}
	return true
}

// phones remembers readings: reading a number costs more than everything else
// about a contact, and the same people come again and again.
var phones = memo{known: map[[2]string]string{}}

type memo struct {
	mu    sync.RWMutex
	known map[[2]string]string
}

// maxPhone is the longest text that is remembered: no number is longer.
const maxPhone = 64

// maxPhones bounds what is remembered; then it starts anew.
const maxPhones = 100_000

func (m *memo) get(value, region string) string {
	if len(value) > maxPhone {
		return normalizePhone(value, region)
	}
	k := [2]string{value, region}
	m.mu.RLock()
	n, ok := m.known[k]
	m.mu.RUnlock()
	if ok {
		return n
	}
	n = normalizePhone(value, region)
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.known) >= maxPhones {
		clear(m.known)
	}
	m.known[[2]string{strings.Clone(value), region}] = n
	return n
}

// normalizePhone reads a number as E.164. What cannot be read so is compared by
// its digits, and by its text when it has none.
func normalizePhone(value, region string) string {
	value = norm.NFKC.String(value) // full-width digits and plus signs
	if region == "" {
		region = "ZZ" // unknown: only numbers with a country code are read
	}
	if n, err := phonenumbers.Parse(value, region); err == nil && phonenumbers.IsPossibleNumber(n) {
		return phonenumbers.Format(n, phonenumbers.E164)
	}
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, value)
	if digits == "" {
		return fold.String(value)
	}
	return digits
}
