package mapping

// Difference is one thing that mappings do otherwise than with Segment's own
// package, on purpose.
type Difference struct {
	ID      string
	Segment string // what its package does
	Here    string
}

// The ids of the differences.
const (
	ObjectOnly      = "object-only"
	LateValidation  = "late-validation"
	ArraysUnchecked = "arrays-unchecked"
	ObjectInternals = "object-internals"
	HalfCharacters  = "half-characters"
	EventTime       = "event-time"
	ClearDates      = "clear-dates"
	ZoneNames       = "zone-names"
	EventUntouched  = "event-untouched"
	NoChance        = "no-chance"
	SizeLimits      = "size-limits"
	WordsAreValues  = "words-are-values"
)

// Differences is all of them. What Segment's package does was seen by running it,
// with the liquidjs that comes with it.
func Differences() []Difference {
	return []Difference{
		{ObjectOnly, "a mapping that is no object is spread into one: a text by its characters", "it is refused"},
		{LateValidation, "a bad `apply` of a `@transform` inside a literal array is a validation error, found on the event", "it is a run-time error, found on the event"},
		{ArraysUnchecked, "inside a literal array the direction of a `@merge` may be a directive, and a root directive may be an array", "a direction is a text, and a root directive an object"},
		{ObjectInternals, "a path reaches what every JavaScript value has: `constructor`, `toString`, `big` of a text; `__proto__` is no key", "they are missing, and `__proto__` is a key like others"},
		{HalfCharacters, "a position inside a character of two UTF-16 units gives half of it", "the half is U+FFFD, and halves do not join again"},
		{EventTime, "`now` and `today` in `date` are the clock", "they are the time the event was received, so that the same event gives the same text"},
		{ClearDates, "nearly any text with a number in it is a date for `date`: `-3` is a day in March", "only dates that are read in one way are; a day that does not exist is none; blanks around one do not matter"},
		{ZoneNames, "the zone of `date` is known in any letter case, and checked only for dates of sense", "its name is spelled as in the zone database"},
		{EventUntouched, "`increment` and `decrement` change the event, which later fields see", "they count within their own template"},
		{NoChance, "`sample` gives elements by chance", "it does nothing, as an unknown filter"},
		{SizeLimits, "a template may take 500 ms and 100 MB", "a text may take 1 MB and a value 4 MB, whatever the time"},
		{WordsAreValues, "the words `nil`, `empty` and `blank` stay words behind most filters: `nil | truncate | json` is `{}`", "behind a filter they are null and empty texts"},
	}
}
