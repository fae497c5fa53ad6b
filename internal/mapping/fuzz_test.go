package mapping_test

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/segue-xm/segue/internal/jsonvalue"
	"github.com/segue-xm/segue/internal/mapping"
)

// FuzzCompileApply holds for any mapping and event: no panic, errors of the two
// known types, the event unchanged, the same result twice, and that result is JSON
// that can be stored and read back.
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
		if err == nil {
			if _, err := jsonvalue.Parse(jsonvalue.Append(nil, v)); err != nil {
				t.Fatalf("the result cannot be read back: %v", err)
			}
		}
		m.Explain(event)
	})
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

// FuzzLiquid holds for any template: no panic, and an end in reasonable time.
func FuzzLiquid(f *testing.F) {
	for _, s := range []string{
		`{{ a.b[0] | plus: 1 | append: "x" }}`, `{% if a == 'x' and not b %}{% assign c = a | split: "" %}{{ c }}{% else %}{{- d -}}{% endif %}`,
		`{% raw %}{{ a }}{% endraw %}{% comment %}{% endcomment %}`, `{% capture a %}{{ (1..3) | join }}{% endcapture %}{% liquid echo a %}`,
		`{{ "now" | date: "%Y-%-m-%e %10N" }}{% increment a %}`,
	} {
		f.Add(s)
	}
	event := `{"a":{"b":[1,"x",null]},"d":"text","receivedAt":"2025-01-01T00:00:00Z"}`
	f.Fuzz(func(t *testing.T, template string) {
		if len(template) > 1000 || !utf8.ValidString(template) {
			t.Skip("refused anyway")
		}
		start := time.Now()
		if out := render(t, template, event); strings.Contains(out, "cannot be rendered") {
			t.Fatalf("the engine panicked: %s", out)
		}
		if d := time.Since(start); d > 2*time.Second {
			t.Fatalf("took %v", d)
		}
	})
}
