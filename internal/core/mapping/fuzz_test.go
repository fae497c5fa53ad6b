package mapping_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/core/plan"
)

// FuzzCompileApply holds for any mapping and event: no panic, errors of the two
// known types, the event unchanged, the same result twice, of bounded size, and that
// result is JSON that can be stored and read back. An explanation tells of each
// field what the result has, and as an action's fields the mapping gives what the
// action knows or an Invalid error.
func FuzzCompileApply(f *testing.F) {
	for i, c := range readCorpus(f, "testdata/corpus.jsonl") {
		if i%7 == 0 {
			f.Add(jsonvalue.Text(c.mapping), jsonvalue.Text(c.payload))
		}
	}
	f.Add(`{"a":{"@liquid":"{% if a %}{{ a | split: '' | join: b }}{% endif %}"}}`, `{"a":"x","b":[1]}`)
	f.Fuzz(func(t *testing.T, mappingText, eventText string) {
		if len(mappingText) > 4000 || len(eventText) > 4000 {
			t.Skip("larger than worth trying")
		}
		src, err := jsonvalue.Parse([]byte(mappingText))
		if err != nil {
			t.Skip("no mapping")
		}
		event, err := jsonvalue.ParseObject([]byte(eventText))
		if err != nil {
			t.Skip("no event")
		}
		m, err := mapping.Compile(src)
		if err != nil {
			var invalid *mapping.ValidationError
			if !errors.As(err, &invalid) || len(invalid.Problems) == 0 {
				t.Fatalf("compile: %v", err)
			}
			return
		}
		before := jsonvalue.Text(event)
		v, err := m.Apply(event)
		if jsonvalue.Text(event) != before {
			t.Fatal("the event was changed")
		}
		var runtime *mapping.RuntimeError
		if err != nil && !errors.As(err, &runtime) {
			t.Fatalf("apply: %v", err)
		}
		again, err2 := m.Apply(event)
		if (err == nil) != (err2 == nil) || jsonvalue.Text(again) != jsonvalue.Text(v) {
			t.Fatal("the second result differs")
		}
		trace := m.Explain(event)
		if err == nil {
			text := jsonvalue.Append(nil, v)
			if len(text) > 24<<20 { // 4 MB, each byte an escape
				t.Fatalf("the result has %d bytes", len(text))
			}
			if _, err := jsonvalue.Parse(text); err != nil {
				t.Fatalf("the result cannot be read back: %v", err)
			}
			sameAsExplained(t, v, trace)
		}
		fields, ok := src.(*jsonvalue.Object)
		if !ok {
			return
		}
		for _, action := range []string{plan.UpsertContact, plan.UpsertTransaction, plan.StartWorkflow} {
			asFieldsOf(t, action, fields, event)
		}
	})
}

func sameAsExplained(t *testing.T, v any, trace []mapping.FieldTrace) {
	t.Helper()
	for _, f := range trace {
		if f.Error != "" {
			t.Fatalf("%q is explained as an error that did not happen: %s", f.Field, f.Error)
		}
		same := func(have any) bool {
			return jsonvalue.IsUndefined(have) == f.Missing && jsonvalue.Text(have) == jsonvalue.Text(f.Result)
		}
		// The one field without a name may be the whole, or a key that is empty.
		if f.Field == "" && len(trace) == 1 && same(v) {
			continue
		}
		if o, ok := v.(*jsonvalue.Object); !ok || !same(o.Get(f.Field)) {
			t.Fatalf("%q of %s is explained as %s", f.Field, jsonvalue.Text(v), jsonvalue.Text(f.Result))
		}
	}
}

func asFieldsOf(t *testing.T, action string, fields, event *jsonvalue.Object) {
	t.Helper()
	a, err := mapping.ForAction(action, fields, true)
	if err != nil {
		return
	}
	work := mapping.NewWork()
	payload, err := a.ApplyWithin(event, work)
	again, err2 := a.ApplyWithin(event, work)
	if (err == nil) != (err2 == nil) || err == nil && jsonvalue.Text(payload) != jsonvalue.Text(again) {
		t.Fatalf("%s: the second payload differs", action)
	}
	if err != nil {
		if fault.KindOf(err) != fault.Invalid {
			t.Fatalf("%s: %v", action, err)
		}
		return
	}
	for k := range payload.All() {
		if !slices.ContainsFunc(mapping.ActionFields(action), func(f mapping.Field) bool { return f.Name == k }) {
			t.Fatalf("%s knows no field %q", action, k)
		}
	}
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2025-05-06T07:08:09.123Z", "May 6, 2025", "0", "Tue May 06 2025 09:08:09 GMT+0200 (X)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		payload := jsonvalue.NewObject(1)
		payload.Set("transactionDate", s)
		tx, err := mapping.TransactionOf(payload)
		if err == nil && s != "" && tx.Date == nil {
			t.Fatal("a date was lost")
		}
	})
}

// FuzzLiquid holds for any template and event: no panic, the same text twice, and no
// more of it than a text may have.
func FuzzLiquid(f *testing.F) {
	const event = `{"a":{"b":[1,"x",null]},"d":"<b>te\n xt</b>","receivedAt":"2025-01-01T00:00:00Z"}`
	for _, s := range []string{
		`{{ a.b[0] | plus: 1 | append: "x" }}`, `{% if a == 'x' and not b %}{% assign c = a | split: "" %}{{ c }}{% else %}{{- d -}}{% endif %}`,
		`{% raw %}{{ a }}{% endraw %}{% comment %}{% endcomment %}`, `{% capture a %}{{ (1..3) | join }}{% endcapture %}{% liquid echo a %}`,
		`{{ "now" | date: "%Y-%-m-%e %10N" }}{% increment a %}`, `{{ d | strip_html | slugify }}{{ a | json | truncate: 5 }}`,
		`{{ a.b | where: "x", 1 | sum }}{{ d | replace: "t", "tt" | split: "t" | compact | size }}{{ (1..a) }}`,
	} {
		f.Add(s, event)
	}
	f.Fuzz(func(t *testing.T, template, event string) {
		if len(template) > 1000 || !utf8.ValidString(template) || len(event) > 4000 {
			t.Skip("refused anyway, or larger than worth trying")
		}
		if _, err := jsonvalue.ParseObject([]byte(event)); err != nil {
			t.Skip("no event")
		}
		out := render(t, template, event)
		if strings.Contains(out, "cannot be rendered") {
			t.Fatalf("the engine panicked: %s", out)
		}
		if len(out) > 1<<20 {
			t.Fatalf("%d bytes", len(out))
		}
		if render(t, template, event) != out {
			t.Fatal("the second text differs")
		}
	})
}
