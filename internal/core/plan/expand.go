package plan

import (
	"cmp"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Expand replaces ${NAME} by what lookup knows, and $${ by ${, in every text of
// the plan but the secrets, which stay references until they are used. The
// problems name what is not set; then the plan is half done and not to be used.
//
// Secrets are the fields of type Secret and the headers of a step: see
// isSecretPath.
func (p *Plan) Expand(lookup func(string) (string, bool)) Problems {
	var ps Problems
	p.texts(func(path, s string, secret bool) string {
		if secret {
			return s
		}
		text, missing := substitute(s, lookup)
		if missing != nil {
			ps.add(path, "%s", notSet(missing))
		}
		return text
	})
	return ps
}

// Refs are the names of all ${NAME} in the plan, sorted: before Expand those of
// every text, after it those of the secrets.
func (p *Plan) Refs() []string { return p.refs(false) }

// SecretRefs are the names of all ${NAME} in the plan's secrets, sorted.
func (p *Plan) SecretRefs() []string { return p.refs(true) }

func (p *Plan) refs(onlySecrets bool) []string {
	names := map[string]bool{}
	p.texts(func(_, s string, secret bool) string {
		if secret || !onlySecrets {
			for _, n := range references(s) {
				names[n] = true
			}
		}
		return s
	})
	return slices.Sorted(maps.Keys(names))
}

// SecretField is the first field whose secret refers to ${name}, "" when none does.
func (p *Plan) SecretField(name string) (field string) {
	p.texts(func(path, s string, secret bool) string {
		if field == "" && secret && slices.Contains(references(s), name) {
			field = path
		}
		return s
	})
	return field
}

// ExtractLiterals replaces each secret that holds no reference by a made-up one,
// such as ${SOURCE_WEB_WRITE_KEY_1}, and returns the texts by name, ready for
// Resolve's lookup. Calling it again finds nothing more. Names are free of
// clashes with the plan's own references, not with those of other plans.
func (p *Plan) ExtractLiterals() map[string]string {
	taken := map[string]bool{}
	for _, n := range p.Refs() {
		taken[n] = true
	}
	values := map[string]string{}
	extract := func(s *Secret, parts ...string) {
		if *s == "" || len(s.Refs()) > 0 {
			return
		}
		base := variable(parts)
		name := base
		for i := 2; taken[name]; i++ {
			name = base + "_" + strconv.Itoa(i)
		}
		taken[name] = true
		values[name], _ = s.Resolve(nil)
		*s = Secret("${" + name + "}")
	}
	for i := range p.Sources {
		s := &p.Sources[i]
		for j := range s.WriteKeys {
			extract(&s.WriteKeys[j], "SOURCE", s.Name, "WRITE_KEY", strconv.Itoa(j+1))
		}
		for j := range s.WebhookSecrets {
			extract(&s.WebhookSecrets[j], "SOURCE", s.Name, "WEBHOOK_SECRET", strconv.Itoa(j+1))
		}
	}
	for i := range p.Destinations {
		extract(&p.Destinations[i].APIToken, "DESTINATION", p.Destinations[i].Name, "API_TOKEN")
	}
	for i := range p.Surveys {
		extract(&p.Surveys[i].Secret, "SURVEY", p.Surveys[i].Name, "SECRET")
	}
	return values
}

// ResolveSecrets gives the workflow as it runs: a copy whose steps' headers have
// their references resolved. Resolve before templates are evaluated, never after:
// an event's text that reads ${NAME} must stay that text. A name that lookup does
// not know is an Invalid error naming it and its place.
func (w Workflow) ResolveSecrets(lookup func(string) (string, bool)) (Workflow, error) {
	p, err := Decode(Encode(&Plan{Workflows: []Workflow{w}}))
	if err != nil {
		return Workflow{}, err
	}
	var ps Problems
	p.texts(func(path, s string, secret bool) string {
		if !secret {
			return s
		}
		text, missing := substitute(s, lookup)
		if missing != nil {
			ps.add(strings.TrimPrefix(path, "workflows[0]."), "%s", notSet(missing))
		}
		return text
	})
	return p.Workflows[0], ps.Err()
}

// variable is an environment variable's name made of parts.
func variable(parts []string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, strings.Join(parts, "_"))
}

// isSecretPath reports whether the text at path is handled as a secret although
// its type is not Secret: the headers of a step, where tokens of other people's
// services are written.
func isSecretPath(path string) bool {
	return headersPath.MatchString(path)
}

var headersPath = regexp.MustCompile(`^workflows\[\d+\](\.(steps|branch)\[\d+\])+\.with\.headers($|[.\[])`)

// texts calls visit for every text of the plan and stores what it returns.
func (p *Plan) texts(visit func(path, s string, secret bool) string) {
	walkTexts(reflect.ValueOf(p).Elem(), "", visit)
}

func walkTexts(v reflect.Value, path string, visit func(string, string, bool) string) {
	switch v.Kind() {
	case reflect.String:
		secret := v.Type() == typeSecret || isSecretPath(path)
		if s := visit(path, v.String(), secret); s != v.String() {
			v.SetString(s)
		}
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		if o, ok := v.Interface().(*jsonvalue.Object); ok {
			walkValue(o, path, visit)
			return
		}
		walkTexts(v.Elem(), path, visit)
	case reflect.Struct:
		for _, k := range keysOf(v.Type()) {
			walkTexts(v.Field(k.index), child(path, k.name), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walkTexts(v.Index(i), element(path, i), visit)
		}
	case reflect.Map: // map[string]string
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(a.String(), b.String()) })
		for _, k := range keys {
			s := visit(member(path, k.String()), v.MapIndex(k).String(), false)
			v.SetMapIndex(k, reflect.ValueOf(s))
		}
	case reflect.Interface:
		if s, ok := v.Interface().(string); ok {
			v.Set(reflect.ValueOf(visit(path, s, false)))
		}
	}
}

// walkValue is walkTexts for free-form JSON; it returns the value to store.
func walkValue(v any, path string, visit func(string, string, bool) string) any {
	switch v := v.(type) {
	case string:
		return visit(path, v, isSecretPath(path))
	case []any:
		for i, e := range v {
			v[i] = walkValue(e, element(path, i), visit)
		}
	case *jsonvalue.Object:
		for _, k := range v.Keys() {
			v.Set(k, walkValue(v.Get(k), member(path, k), visit))
		}
	}
	return v
}
