package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Names in the rewritten text. Variables of the template become v0, v1, … and so
// cannot meet these or the engine's keywords.
const (
	runName    = "run"
	rootName   = "root"
	textFilter = "as_text"
	notFilter  = "negate"
)

// rewriter writes a template in the form the engine runs as Segment's would; see
// liquidTemplate.
type rewriter struct {
	out       strings.Builder
	constants map[string]any
	variables map[string]string
	names     map[string]string // key of the event → name
}

func newRewriter() *rewriter {
	return &rewriter{constants: map[string]any{}, variables: map[string]string{}, names: map[string]string{}}
}

func (r *rewriter) constant(v any) string {
	name := "k" + strconv.Itoa(len(r.constants))
	r.constants[name] = liquidValue{v}
	return name
}

func (r *rewriter) variable(key string) string {
	name, ok := r.names[key]
	if !ok {
		name = "v" + strconv.Itoa(len(r.names))
		r.names[key], r.variables[name] = name, key
	}
	return name
}

func (r *rewriter) template(source string) (string, error) {
	s := source
	trim := false // the markup before asked to strip what follows
	for s != "" {
		start, isTag := nextMarkup(s)
		text := s
		if start >= 0 {
			text = s[:start]
		}
		if trim {
			text = strings.TrimLeftFunc(text, isBlank)
		}
		if start < 0 {
			r.text(text)
			break
		}
		inner, rest, err := markup(s[start:], isTag)
		if err != nil {
			return "", err
		}
		if strings.HasPrefix(inner, "-") {
			inner, text = inner[1:], strings.TrimRightFunc(text, isBlank)
		}
		if trim = strings.HasSuffix(inner, "-"); trim {
			inner = inner[:len(inner)-1]
		}
		r.text(text)
		s = rest
		if !isTag {
			err = r.output(inner)
		} else {
			s, err = r.tag(trimSpace(inner), s)
		}
		if err != nil {
			return "", err
		}
	}
	return r.out.String(), nil
}

// nextMarkup finds {{ or {%.
func nextMarkup(s string) (start int, isTag bool) {
	for i := 0; i+1 < len(s); i++ {
		if s[i] == '{' && (s[i+1] == '{' || s[i+1] == '%') {
			return i, s[i+1] == '%'
		}
	}
	return -1, false
}

// markup cuts off one {{ … }} or {% … %}. An output's end is not looked for inside
// quotes.
func markup(s string, isTag bool) (inner, rest string, err error) {
	if isTag {
		inner, rest, ok := strings.Cut(s[2:], "%}")
		if !ok {
			return "", "", fmt.Errorf("tag %q not closed", s)
		}
		return inner, rest, nil
	}
	quote := byte(0)
	for i := 2; i+1 < len(s); i++ {
		switch c := s[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '}' && s[i+1] == '}':
			return s[2:i], s[i+2:], nil
		}
	}
	return "", "", fmt.Errorf("output %q not closed", s)
}

// text writes text that is to come out as it is.
func (r *rewriter) text(s string) {
	if strings.Contains(s, "{") {
		fmt.Fprintf(&r.out, "{{ %s | %s: %s }}", r.constant(s), textFilter, runName)
		return
	}
	r.out.WriteString(s)
}

func (r *rewriter) output(inner string) error {
	if trimSpace(inner) == "" {
		return nil
	}
	e, err := r.expression(inner)
	if err != nil {
		return err
	}
	fmt.Fprintf(&r.out, "{{ %s | %s: %s }}", e, textFilter, runName)
	return nil
}

// tag writes one tag and gives the source after it, which is later for the tags
// that swallow their content.
func (r *rewriter) tag(inner, rest string) (string, error) {
	name, args := word(inner)
	switch {
	case strings.HasPrefix(inner, "#"):
	case slices.Contains(disabledTags, name):
		return "", fmt.Errorf("tag %q is disabled", name)
	case name == "raw" || name == "comment":
		content, after, ok := until(rest, "end"+name)
		if !ok {
			return "", fmt.Errorf("tag %q not closed", name)
		}
		if name == "raw" {
			r.text(content)
		}
		return after, nil
	case name == "echo":
		return rest, r.output(args)
	case name == "if" || name == "elsif" || name == "unless":
		e, err := r.expression(args)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&r.out, "{%% %s %s %%}", name, e)
	case name == "assign":
		key, value, ok := strings.Cut(args, "=")
		key = trimSpace(key)
		if w, more := word(key); !ok || w == "" || more != "" {
			return "", fmt.Errorf("assign needs a name and a value: %q", args)
		}
		e, err := r.expression(value)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&r.out, "{%% assign %s = %s %%}", r.variable(key), e)
	case name == "capture" || name == "increment" || name == "decrement":
		key := strings.Trim(args, `"'`)
		if w, more := word(key); w == "" || more != "" {
			return "", fmt.Errorf("%s needs a name: %q", name, args)
		}
		fmt.Fprintf(&r.out, "{%% %s %s %%}", name, r.variable(key))
	case name == "else" || name == "endif" || name == "endunless" || name == "endcapture":
		fmt.Fprintf(&r.out, "{%% %s %%}", name)
	case name == "liquid":
		for line := range strings.Lines(args) {
			if line = trimSpace(line); line == "" {
				continue
			}
			if _, err := r.tag(line, ""); err != nil {
				return "", err
			}
		}
	default:
		return "", fmt.Errorf("tag %q not found", name)
	}
	return rest, nil
}

// until cuts the source at {% name %}.
func until(s, name string) (content, rest string, ok bool) {
	for from := 0; ; {
		i := strings.Index(s[from:], "{%")
		if i < 0 {
			return "", "", false
		}
		i += from
		inner, after, closed := strings.Cut(s[i+2:], "%}")
		if !closed {
			return "", "", false
		}
		if trimSpace(strings.Trim(inner, "-")) == name {
			content = s[:i]
			if strings.HasPrefix(inner, "-") {
				content = strings.TrimRightFunc(content, isBlank)
			}
			if strings.HasSuffix(inner, "-") {
				after = strings.TrimLeftFunc(after, isBlank)
			}
			return content, after, true
		}
		from = i + 2
	}
}

// word cuts the identifier at the start of s off, and the blanks after it.
func word(s string) (name, rest string) {
	i := 0
	for i < len(s) && wordByte(s[i]) {
		i++
	}
	return s[:i], strings.TrimLeftFunc(s[i:], isBlank)
}

// wordByte accepts what names are made of; all of Unicode beyond ASCII counts.
func wordByte(c byte) bool {
	return c == '_' || c == '-' || c == '?' || c >= utf8.RuneSelf ||
		('0' <= c && c <= '9') || ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z')
}
