package run

import (
	"regexp"
	"strings"

	"github.com/segue-xm/segue/internal/core/fault"
)

// Path is where a step of a run stands: its id, after the id and number of each pass
// that it is in. "ask" is a step of its own, "each#3/ask" the one of the third pass
// of each. It is the key of the step's record, and with the run of what its task
// does, so that a step that is done many times has a record for each. The steps of a
// branch have no path of their own: one way is gone once.
type Path string

// maxPath bounds a path's length in bytes, so that it stays a key.
const maxPath = 700

var path = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_-]{0,63}#[1-9][0-9]{0,8}/)*[A-Za-z_][A-Za-z0-9_-]{0,63}$`)

// ParsePath reads a path as it was written; anything else is Invalid.
func ParsePath(text string) (Path, error) {
	if len(text) > maxPath || !path.MatchString(text) {
		return "", fault.Field("step", "want the id of a step, as ask, or of one pass of it, as each#3/ask")
	}
	return Path(text), nil
}

// Step is the id of the step in the definition.
func (p Path) Step() string { return string(p[len(p.pass()):]) }

// Beside is the path of another step of the same pass.
func (p Path) Beside(step string) Path { return p.pass() + Path(step) }

// Sees reports whether a step at p knows the one at other: it is of the same pass, or
// of one around it.
func (p Path) Sees(other Path) bool { return strings.HasPrefix(string(p), string(other.pass())) }

// pass is all of the path but its step.
func (p Path) pass() Path { return p[:strings.LastIndexByte(string(p), '/')+1] }
