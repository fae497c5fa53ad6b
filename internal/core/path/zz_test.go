package path

import (
	"fmt"
	"github.com/ohler55/ojg/jp"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"testing"
)

func doc(b *testing.B) any {
	s := `{"userId":"u","properties":{"total":3,"items":[`
	for i := 0; i < 20; i++ {
		if i > 0 {
			s += ","
		}
		s += fmt.Sprintf(`{"sku":"A-%d","price":%d,"qty":2,"tags":["a","b"]}`, i, i*10)
	}
	s += `],"plan":"pro"},"context":{"ip":"1.1.1.1"}}`
	v, err := jsonvalue.Parse([]byte(s))
	if err != nil {
		panic(err)
	}
	return v
}
func BenchmarkStraightOjg(b *testing.B) {
	d := doc(b)
	for _, t := range []string{"$.userId", "$.properties.items[3].sku"} {
		p, _ := Parse(t)
		b.Run(t, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.straight.FirstFound(d)
			}
		})
	}
}
func BenchmarkStraightOjgParsed(b *testing.B) {
	d := doc(b)
	for _, t := range []string{"$.userId", "$.properties.items[3].sku"} {
		p := jp.MustParseString(t)
		b.Run(t, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.First(d)
			}
		})
	}
}
func BenchmarkStraightOwn(b *testing.B) {
	d := doc(b)
	for _, t := range []string{"$.userId", "$.properties.items[3].sku"} {
		p, _ := Parse(t)
		b.Run(t, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w := walk{root: d, budget: NewBudget(1000)}
				w.single(p.query, d)
			}
		})
	}
}
func BenchmarkFilterOjg(b *testing.B) {
	d := doc(b)
	for _, t := range []string{"$.properties.items[?(@.price > 100)].sku", "$..sku", "$.properties.items[?(@.price > 100 && @.qty == 2)].sku"} {
		p := jp.MustParseString(t)
		b.Run(t, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.First(d)
			}
		})
	}
}
func BenchmarkFilterOwn(b *testing.B) {
	d := doc(b)
	for _, t := range []string{"$.properties.items[?(@.price > 100)].sku", "$..sku", "$.properties.items[?(@.price > 100 && @.qty == 2)].sku"} {
		p, _ := Parse(t)
		b.Run(t, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.First(d, NewBudget(MaxSteps))
			}
		})
	}
}
func BenchmarkAllOjg(b *testing.B) {
	d := doc(b)
	for _, t := range []string{"$.properties.items[?(@.price > 100)].sku"} {
		p := jp.MustParseString(t)
		b.Run(t, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Get(d)
			}
		})
	}
}
func BenchmarkAllOwn(b *testing.B) {
	d := doc(b)
	for _, t := range []string{"$.properties.items[?(@.price > 100)].sku"} {
		p, _ := Parse(t)
		b.Run(t, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.All(d, NewBudget(MaxSteps))
			}
		})
	}
}
