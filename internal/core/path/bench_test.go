package path

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ohler55/ojg/jp"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

func order(b *testing.B) any {
	var items []string
	for i := range 20 {
		items = append(items, fmt.Sprintf(`{"sku":"A-%d","price":%d,"qty":2,"tags":["a","b"]}`, i, i*10))
	}
	v, err := jsonvalue.Parse([]byte(`{"userId":"u","properties":{"total":3,"items":[` + strings.Join(items, ",") + `],"plan":"pro"}}`))
	if err != nil {
		b.Fatal(err)
	}
	return v
}

// BenchmarkFirst compares this package's walk (own), ojg, and what First does: ojg for
// straight paths, the walk for all others.
func BenchmarkFirst(b *testing.B) {
	document := order(b)
	for _, text := range []string{
		"$.userId", "$.properties.items[3].sku", "$..sku", "$.properties.items[?(@.price > 100)].sku", "$.properties.items[?(@.price > 100 && @.qty == 2)].sku",
	} {
		p, err := Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		x := jp.MustParseString(text)
		for name, first := range map[string]func(){
			"first": func() { _, _, _ = p.First(document, NewBudget(MaxSteps)) },
			"ojg":   func() { x.First(document) },
			"own": func() {
				w := walk{root: document, budget: NewBudget(MaxSteps)}
				w.follow(p.query.segments, document, func(any) bool { return false })
			},
		} {
			b.Run(text+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					first()
				}
			})
		}
	}
}
