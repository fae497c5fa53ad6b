package liquid

import (
	"github.com/segue-xm/segue/internal/core/liquid/lex"
	"github.com/segue-xm/segue/internal/core/liquid/upgrade"
)

// Error is why a template cannot be read or rendered. Of rendering it quotes nothing
// but the template.
type Error = lex.Error

// Messages is Liquid in messages and in the settings of steps: nothing that reaches
// other templates, no filter that does not exist, and objects as JSON, since nobody
// wants [object Object] in a mail.
var Messages = Options{KnownFilters: true, ObjectsAsJSON: true, TagsOff: map[string]bool{"block": true}}

// Finding is a place in a template that meant something else in version 0.1.0: its
// Line, What it is, what it Was, and the text's Rewrite, "" when there is none.
type Finding = upgrade.Finding

// Upgrade tells what a text stored by version 0.1.0 as a message or a step's setting
// may mean otherwise today, by its constructs: whether it does can depend on the data. A
// text of none of them means the same and gives nothing. What failed in 0.1.0 is not
// told.
func Upgrade(text string) []Finding {
	return upgrade.Look(text, func(text string) error {
		_, err := Parse(text, Messages)
		return err
	})
}
