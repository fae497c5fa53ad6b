package flow

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
)

func TestSuggest_OneFieldPerLeaf(t *testing.T) {
	t.Parallel()
	got := Suggest(parsed(t, `{"userId":"u1","properties":{"stepsCompleted":3,"Skipped it?":false,"name":"A","gone":null,"items":[{"price":5},{"price":"7"}],"empty":{}},"traits":{"name":"B","名前":"x","$a'b":1}}`))
	require.Equal(t, []plan.Field{
		{Name: "user_id", Path: "$.userId", Type: "string"},
		{Name: "steps_completed", Path: "$.properties.stepsCompleted", Type: "number"},
		{Name: "skipped_it", Path: "$.properties['Skipped it?']", Type: "boolean"},
		{Name: "name", Path: "$.properties.name", Type: "string"},
		{Name: "gone", Path: "$.properties.gone", Type: "string"},
		{Name: "price", Path: "$.properties.items[0].price", Type: "number"},
		{Name: "items_2_price", Path: "$.properties.items[1].price", Type: "string"},
		{Name: "traits_name", Path: "$.traits.name", Type: "string"},
		{Name: "traits", Path: "$.traits.名前", Type: "string"},
		{Name: "a_b", Path: `$.traits['$a\'b']`, Type: "number"},
	}, got)
}

func TestSuggest_IsBounded(t *testing.T) {
	t.Parallel()
	list := make([]any, 2000)
	for i := range list {
		list[i] = "x"
	}
	got := Suggest(list)
	require.Len(t, got, 500)
	_, err := CompileFields(got)
	require.NoError(t, err)
}

func TestSuggest_BelowKeysThatAreTooLong_IsNothing(t *testing.T) {
	t.Parallel()
	list := make([]any, 100_000)
	for i := range list {
		list[i] = 1.0
	}
	o := jsonvalue.NewObject(2)
	o.Set(strings.Repeat("k", 100_000), list)
	o.Set("short", 1.0)
	require.Equal(t, []plan.Field{{Name: "short", Path: "$.short", Type: plan.Number}}, Suggest(o))
}

// Whatever the payload: each suggestion compiles and reads a value of its type.
func FuzzSuggest(f *testing.F) {
	for _, s := range []string{`{"a":{"b c":[1,"x",null,true]},"a_b":2}`, `[]`, `"x"`, `{"":{"":1},"1":2,"é":3,"a'b\\":4,"a\nb":5,"\"":6,"*":7,"..":8,"@":9}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := jsonvalue.Parse([]byte(text))
		if err != nil {
			return
		}
		fields := Suggest(v)
		set, err := CompileFields(fields)
		require.NoError(t, err)
		for _, got := range set.Extract(v) {
			require.Contains(t, []State{Value, Missing}, got.State, "%s of %s", got.Name, text)
		}
	})
}
