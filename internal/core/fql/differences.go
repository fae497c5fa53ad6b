package fql

// Difference is one thing that filters do otherwise than with Segment's own
// packages, on purpose.
type Difference struct {
	ID      string
	Segment string // what its packages do
	Here    string
}

// The ids of the differences.
const (
	ObjectInternals = "fql/object-internals"
	HalfCharacters  = "fql/half-characters"
	TextBound       = "fql/text-bound"
)

// Differences is all of them. What Segment's packages do was seen by running them.
func Differences() []Difference {
	return []Difference{
		{ObjectInternals, "a path reaches what every JavaScript value has (`properties.constructor`), and such a name in a field's place takes an operator and a value", "they are missing, and the name is an unknown field"},
		{HalfCharacters, "an index inside a character of two UTF-16 units gives half of it", "the half is U+FFFD"},
		{TextBound, "a filter may have any length", "one over 16 KB is invalid"},
	}
}
