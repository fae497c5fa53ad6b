package plan

import (
	"regexp"
	"slices"
	"strings"

	"github.com/segue-xm/segue/internal/core/fault"
)

// reference matches, at the start of a text, what stands for something else:
// ${NAME}, or $${ for a plain ${. Everything else is itself, also ${ followed by
// something that is no name: Qualtrics' ${e://Field/x} needs no care.
var reference = regexp.MustCompile(`^\$(?:\$\{|\{([A-Za-z_][A-Za-z0-9_]*)\})`)

// scan calls plain for the literal stretches of s and name for its references.
func scan(s string, plain, name func(string)) {
	for {
		i := strings.IndexByte(s, '$')
		if i < 0 {
			plain(s)
			return
		}
		plain(s[:i])
		s = s[i:]
		switch m := reference.FindStringSubmatch(s); {
		case m == nil:
			plain("$")
			s = s[1:]
		case m[1] == "":
			plain("${")
			s = s[len(m[0]):]
		default:
			name(m[1])
			s = s[len(m[0]):]
		}
	}
}

// references are the names in s, in order, each once.
func references(s string) (names []string) {
	scan(s, func(string) {}, func(n string) {
		if !slices.Contains(names, n) {
			names = append(names, n)
		}
	})
	return names
}

// substitute replaces the references in s; what it puts in is not looked at
// again. missing are the names lookup does not know.
func substitute(s string, lookup func(string) (string, bool)) (text string, missing []string) {
	if !strings.Contains(s, "${") {
		return s, nil
	}
	var b strings.Builder
	scan(s, func(t string) { b.WriteString(t) }, func(n string) {
		v, ok := lookup(n)
		if !ok && !slices.Contains(missing, n) {
			missing = append(missing, n)
		}
		b.WriteString(v)
	})
	return b.String(), missing
}

// escape is the text that substitute turns into s whatever lookup says.
func escape(s string) string {
	if t, missing := substitute(s, func(string) (string, bool) { return "", false }); t == s && missing == nil {
		return s
	}
	return strings.ReplaceAll(s, "${", "$${")
}

// LiteralSecret is the secret that stands for this very text.
func LiteralSecret(text string) Secret { return Secret(escape(text)) }

// Refs are the names in ${NAME}, in order, each once.
func (s Secret) Refs() []string { return references(string(s)) }

// Resolve is the text the secret stands for: ${NAME} replaced by what lookup
// knows, $${ by ${. A name it does not know is an Invalid error naming it.
func (s Secret) Resolve(lookup func(string) (string, bool)) (string, error) {
	text, missing := substitute(string(s), lookup)
	if missing != nil {
		return "", fault.New(fault.Invalid, "%s", notSet(missing))
	}
	return text, nil
}

// Lookup knows these values by name, for Resolve and Expand.
func Lookup(values map[string]string) func(name string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := values[name]
		return v, ok
	}
}

func notSet(names []string) string {
	if len(names) == 1 {
		return "${" + names[0] + "} is not set"
	}
	return "${" + strings.Join(names, "}, ${") + "} are not set"
}

// masked stands where a secret is not shown.
const masked = "••••••"

// String is the secret as it may be shown: references as they are, a literal
// masked. Convert to string for the text itself.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	var b strings.Builder
	hide := false
	scan(string(s), func(t string) {
		if t != "" && !hide {
			b.WriteString(masked)
			hide = true
		}
	}, func(n string) {
		b.WriteString("${" + n + "}")
		hide = false
	})
	return b.String()
}
