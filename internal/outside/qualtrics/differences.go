package qualtrics

// Difference is one thing that is done otherwise than by Segment's destination,
// on purpose.
type Difference struct {
	ID      string
	Segment string // what its destination does
	Here    string
}

// The ids of the differences.
const (
	StableKey       = "stable-key"
	UnprocessedRead = "unprocessed-read"
	NestedValues    = "nested-values"
	IDChecked       = "id-checked"
	TokenAtHome     = "token-at-home"
	APIErrorTold    = "api-error-told"
	RetryAfterKept  = "retry-after-kept"
	DateRefused     = "date-refused"
	DateStable      = "date-stable"
	SettingsChecked = "settings-checked"
	ReplyChecked    = "reply-checked"
	LookBeforeWrite = "look-before-write"
	AllPages        = "all-pages"
)

// Differences is all of them. What Segment's destination does was seen by running
// its published packages.
func Differences() []Difference {
	return []Difference{
		{StableKey, "a transaction's key is random for every attempt", "it is made from the message id, so all attempts have the same one"},
		{UnprocessedRead, "a transaction refused inside a 200 counts as delivered", "it is a refusal, with the account's reason"},
		{NestedValues, "an object, array or null in a transaction's data becomes the JSON text of the whole data", "an object or array becomes its own JSON text, null is left out"},
		{IDChecked, "ids go into the path as they are: ../x calls something else", "ids are escaped, and refused when they hold a slash or are made of dots"},
		{TokenAtHome, "the API token goes to any host that a workflow URL names", "only to the account's own hosts; other hosts are refused unless they are listed, and never get it"},
		{APIErrorTold, "an error is the text of the HTTP status", "it is the account's own message, with code and request id"},
		{RetryAfterKept, "Retry-After is not read", "it is the earliest time of the next attempt"},
		{DateRefused, "a date that cannot be read is now", "it is an error; a number in a text is one of these"},
		{DateStable, "a missing date is the time of the attempt", "it is the time the event was accepted, the same for all attempts"},
		{SettingsChecked, "any text is a data center, and an empty token is sent", "a data center is letters, digits and -, and a token is required"},
		{ReplyChecked, "a contact without an id in the reply gets a transaction without a contact", "the reply is a failure, and is tried again"},
		{LookBeforeWrite, "a repeated attempt writes again", "after an attempt with an unknown outcome the effect is looked for first"},
		{AllPages, "only the first page of directories is read", "all pages are"},
	}
}
