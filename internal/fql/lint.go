package fql

type linter struct{}

func (l *linter) skipped(t, next token)                            {}
func (l *linter) level(words []token, nodes int)                   {}
func (l *linter) group(open, close token, inner []token)           {}
func (l *linter) emptyGroup(open, close token)                     {}
func (l *linter) unknown(t, next token)                            {}
func (l *linter) condition(c *Condition, left, op, value token)    {}
func (l *linter) function(c *Condition, name token, args [5]token) {}

// Finding is something in a filter's text that will surprise its reader.
type Finding struct {
	Pos       int    `json:"pos"`               // byte offset in the text
	Line      int    `json:"line"`              // from 1
	Column    int    `json:"column"`            // from 1, in characters
	Construct string `json:"construct"`         // what stands there
	Means     string `json:"means"`             // what it really does
	Rewrite   string `json:"rewrite,omitempty"` // what was probably meant, or how to say it
}

// Lint lists the surprises in a text, valid or not, in its order.
func Lint(text string) []Finding { return nil }
