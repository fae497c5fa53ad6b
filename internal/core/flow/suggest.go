package flow

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/path"
	"github.com/segue-xm/segue/internal/core/plan"
)

// maxSuggested bounds what a pasted payload can give; people pick from it.
const maxSuggested = 500

// Suggest makes a field for every leaf of a sample payload, in the order of the
// payload: a name after its key (with its parents' keys where two are alike), its
// path, and the type that it has. Texts stay texts, even those that look like
// numbers; null, which has no type, is a text too. At most 500.
func Suggest(sample any) []plan.Field {
	s := suggester{taken: map[string]bool{}}
	s.walk(nil, nil, 0, sample)
	return s.out
}

type suggester struct {
	out   []plan.Field
	taken map[string]bool
}

// walk goes on while there is room. long is at least how many bytes the path has: no
// value below one that is too long can be suggested.
func (s *suggester) walk(steps []any, keys []string, long int, v any) {
	if len(s.out) == maxSuggested || long > path.MaxText {
		return
	}
	at := func(step any) []any { return append(steps[:len(steps):len(steps)], step) }
	switch v := v.(type) {
	case *jsonvalue.Object:
		for k, e := range v.All() {
			s.walk(at(k), append(keys[:len(keys):len(keys)], fieldWords(k)), long+1+len(k), e)
		}
	case []any:
		for i, e := range v {
			s.walk(at(i), append(keys[:len(keys):len(keys)], strconv.Itoa(i+1)), long+3, e)
		}
	default:
		text := path.Straight(steps)
		if len(text) > path.MaxText {
			return
		}
		kind := plan.String
		switch v.(type) {
		case float64:
			kind = plan.Number
		case bool:
			kind = plan.Boolean
		}
		s.out = append(s.out, plan.Field{Name: s.name(keys), Path: text, Type: kind})
	}
}

// name is the shortest end of the keys that is a name and not taken.
func (s *suggester) name(keys []string) string {
	try := func(n string) bool {
		if !fieldName.MatchString(n) || s.taken[n] {
			return false
		}
		s.taken[n] = true
		return true
	}
	for i := len(keys) - 1; i >= 0; i-- {
		if n := strings.Trim(strings.Join(keys[i:], "_"), "_"); try(n) {
			return n
		}
	}
	base := strings.Trim(strings.Join(keys, "_"), "_")
	if len(base) > 50 {
		base = base[:50]
	}
	if !fieldName.MatchString(base) {
		base = "field"
	}
	for i := 1; ; i++ {
		if n := base + "_" + strconv.Itoa(i); try(n) {
			return n
		}
	}
}

// fieldWords is a key as a name: stepsCompleted and "Steps completed" become
// steps_completed. What is no ASCII letter or digit separates words.
func fieldWords(key string) string {
	var b strings.Builder
	before := '_'
	for _, r := range key {
		switch {
		case r > unicode.MaxASCII || (!unicode.IsLetter(r) && !unicode.IsDigit(r)):
			r = '_'
			if before == '_' {
				continue
			}
		case unicode.IsUpper(r) && (unicode.IsLower(before) || unicode.IsDigit(before)):
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
		before = r
	}
	return strings.Trim(b.String(), "_")
}
