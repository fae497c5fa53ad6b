package plan

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// anything stands for an environment in which every variable is set.
func anything(name string) (string, bool) { return "value-of-" + name, true }

func TestExample_IsValidAndNamesEveryKeyOfEveryType(t *testing.T) {
	t.Parallel()
	doc, ps := Parse("example.yaml", Example())
	require.Empty(t, ps.Text())
	require.Empty(t, doc.Expand(anything).Text())
	require.Empty(t, doc.Validate(Checks{}).Text())

	written := map[string]bool{}
	for path := range doc.positions {
		written[path[strings.LastIndexAny(path, ".")+1:]] = true
	}
	missing := map[string]bool{}
	seen := map[reflect.Type]map[string]bool{}
	walkStructs(reflect.ValueOf(doc.Plan).Elem(), func(v reflect.Value) {
		if seen[v.Type()] == nil {
			seen[v.Type()] = map[string]bool{}
		}
		for _, k := range keysOf(v.Type()) {
			if !v.Field(k.index).IsZero() {
				seen[v.Type()][k.name] = true
			}
		}
	})
	require.Len(t, seen, 14, "the plan's struct types")
	for typ, keys := range seen {
		for _, k := range keysOf(typ) {
			if !keys[k.name] || !written[k.name] {
				missing[typ.Name()+"."+k.name] = true
			}
		}
	}
	require.Empty(t, missing)
}

func walkStructs(v reflect.Value, visit func(reflect.Value)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() && v.Type().Elem() != typeObject {
			walkStructs(v.Elem(), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walkStructs(v.Index(i), visit)
		}
	case reflect.Struct:
		visit(v)
		for i := range v.NumField() {
			walkStructs(v.Field(i), visit)
		}
	}
}

func TestExample_ShowsEverySettingOfTheBuiltInTasks(t *testing.T) {
	t.Parallel()
	doc, _ := Parse("example.yaml", Example())
	shown := map[string][]string{}
	walkStructs(reflect.ValueOf(doc.Plan).Elem(), func(v reflect.Value) {
		if s, ok := v.Interface().(Step); ok && s.Task != "" {
			shown[s.Task] = append(shown[s.Task], s.With.Keys()...)
		}
	})
	require.Equal(t, map[string][]string{
		"update_contact": {"directory", "contact", "mailing_list", "mode"},
		"distribute":     {"survey", "contact", "channel", "subject", "message", "from", "reply_to", "reminders", "expires", "ignore_frequency"},
		"web_service":    {"method", "url", "headers", "body", "timeout"},
	}, shown)
}

func TestOnboarding_IsValidAndNeedsOnlyTheDemoWriteKey(t *testing.T) {
	t.Parallel()
	doc, ps := Parse("onboarding.yaml", Onboarding())
	require.Empty(t, ps.Text())
	require.Equal(t, []string{"SEGUE_DEMO_WRITE_KEY"}, doc.Plan.Refs())
	require.Empty(t, doc.Expand(nil).Text())
	require.Empty(t, doc.Validate(Checks{}).Text())
	require.Empty(t, doc.Plan.ExtractLiterals())
}

func TestOnboarding_TourEventAloneHasAllItsContactNeeds(t *testing.T) {
	t.Parallel()
	doc, _ := Parse("onboarding.yaml", Onboarding())
	w := doc.Plan.Workflows[0]
	for _, f := range w.Fields {
		require.Equal(t, f.Name == "user", f.Required, f.Name)
	}
	require.Equal(t, "update_contact", w.Steps[0].Task)
	require.Equal(t, `{"contact":{"ext_ref":"{{ fields.user }}","email":"{{ fields.email }}","first_name":"{{ fields.first_name }}","language":"{{ fields.language }}"}}`,
		jsonvalue.Text(w.Steps[0].With))
	require.Equal(t, TaskDistribute, w.Steps[1].Task)
	require.Contains(t, w.Steps[1].With.Get("message"), "{{ link.url }}")
}
