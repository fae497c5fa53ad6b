package mapping

import (
	"strings"

	"github.com/segue-xm/segue/internal/core/js"
)

// template is a parsed @template: texts and the paths between them.
type template struct {
	source   string
	dynamic  bool // has {{{x}}}, whose values are scanned once more
	segments []segment
}

type segment struct {
	text   string // or the path as written
	path   path
	lookup bool
}

func parseTemplate(s string) *template {
	t := &template{source: s}
	if start, _ := placeholder(s, 0, 3); start >= 0 {
		t.dynamic = true
		return t
	}
	t.segments = split(s, 2)
	return t
}

// split cuts a text at its placeholders of n braces.
func split(s string, n int) []segment {
	var out []segment
	pos := 0
	for {
		start, end := placeholder(s, pos, n)
		if start < 0 {
			break
		}
		if start > pos {
			out = append(out, segment{text: s[pos:start]})
		}
		written := js.Trim(s[start+n : end-n])
		out = append(out, segment{text: written, path: parsePath(written), lookup: true})
		pos = end
	}
	if pos < len(s) {
		out = append(out, segment{text: s[pos:]})
	}
	return out
}

// placeholder finds the next one at or after from: n opening braces, at least one
// character other than }, n closing braces.
func placeholder(s string, from, n int) (start, end int) {
	opening, closing := "{{{"[:n], "}}}"[:n]
	brace := from // the first } behind the opening; found once for all openings before it
	for i := from; ; {
		j := strings.Index(s[i:], opening)
		if j < 0 {
			return -1, -1
		}
		i += j
		if brace < i+n || s[brace] != '}' {
			k := strings.IndexByte(s[i+n:], '}')
			if k < 0 {
				return -1, -1
			}
			brace = i + n + k
		}
		switch {
		case brace == i+n:
			i++
		case strings.HasPrefix(s[brace:], closing):
			return i, brace + n
		default:
			i = brace // no opening before it is closed
		}
	}
}

// render reports false when the text would pass maxText.
func (t *template) render(root scope) (string, bool) {
	if !t.dynamic {
		return fill(t.segments, root)
	}
	once, ok := fill(split(t.source, 3), root)
	if !ok || !root.budget.spend(len(once)) {
		return "", false
	}
	return fill(split(once, 2), root)
}

func fill(segments []segment, root scope) (string, bool) {
	if len(segments) == 1 && segments[0].lookup {
		if s, ok := segments[0].path.get(root).(string); ok {
			return s, len(s) <= maxText && !root.budget.over()
		}
	}
	var out []byte
	for _, s := range segments {
		if !s.lookup {
			out = append(out, s.text...)
		} else if v := s.path.get(root); weight(v, maxText) <= maxText {
			before := len(out)
			out = js.AppendText(out, v)
			root.budget.spend(perValue + len(out) - before)
		} else {
			return "", false
		}
		if len(out) > maxText || root.budget.over() {
			return "", false
		}
	}
	return string(out), root.budget.spend(len(out))
}

// first is the first path of the template, for explanations.
func (t *template) first() (written string, p path, ok bool) {
	for _, s := range t.segments {
		if s.lookup {
			return s.text, s.path, true
		}
	}
	return "", nil, false
}
