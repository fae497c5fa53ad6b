package flow

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
)

func TestCompileFields_WhatIsNoPath_IsRefusedWhenSaved(t *testing.T) {
	t.Parallel()
	for path, reason := range map[string]string{
		`$.a[`:                           "fields[0].path: not a JSONPath",
		`$.items[?(@.a =~ /x/)]`:         "fields[0].path: not a JSONPath of RFC 9535: write search(@.a, '…') for =~",
		`$.items[?(@.a in ['x', 'y'])]`:  "write @.a == 'x' || @.a == 'y' for in",
		`$.items[(@.length-1)]`:          "want a name in quotes, an index",
		`$.` + strings.Repeat("a", 1000): "longer than 1000 bytes",
		`$.items[?match(@.a)]`:           "match takes 2, found 1",
	} {
		_, err := CompileFields([]plan.Field{{Name: "f", Path: path, Type: plan.String}})
		require.ErrorContains(t, err, reason, path)
		require.Equal(t, fault.Invalid, fault.KindOf(err), path)
	}
}

// What releases before refused because it multiplies is counted instead.
func TestCompileFields_PathsThatMultiply_AreTaken(t *testing.T) {
	t.Parallel()
	payload := parsed(t, `{"items":[{"a":1,"b":[1]},{"a":2,"b":[{"a":2}]}],"x":{"a":{"a":"deep"}}}`)
	for path, want := range map[string]any{
		`$..a..a`:                              "deep",
		`$.items[?@.b[?@.a == 2]].a`:           "2",
		`$['x','items']['a'].a`:                "deep",
		`$..[?@.a == 2].a`:                     "2",
		`$.items[?count(@.b[*]) == 1].a`:       "1",
		`$.items[?@.a == $.items[1].b[0].a].a`: "2",
	} {
		set, err := CompileFields([]plan.Field{{Name: "f", Path: path, Type: plan.String}})
		require.NoError(t, err, path)
		require.Equal(t, want, set.Extract(payload)[0].Value, path)
	}
}

// A version that an earlier release stored compiles, whatever became of its paths: a
// run that waits has its fields already, and a new one says what is the matter.
func TestCompile_StoredPathThatIsNoneAnyMore_MakesItsFieldOfTheWrongType(t *testing.T) {
	t.Parallel()
	def := plan.Workflow{
		Name: "w",
		Fields: []plan.Field{
			{Name: "old", Path: `$.items[?(@.a =~ /x/)].a`, Type: plan.String, Required: true},
			{Name: "dotless", Path: `items[0].a`, Type: plan.String},
			{Name: "fine", Path: `$.n`, Type: plan.Number, Default: 2},
		},
		Steps: []plan.Step{{ID: "end", Stop: &plan.Stop{Reason: "done"}}},
	}
	_, err := CompileFields(def.Fields)
	require.ErrorContains(t, err, "fields[0].path", "it is refused where plans are judged")
	w, err := Compile(def)
	require.NoError(t, err)
	v, err := w.Judge("end", Scope{})
	require.NoError(t, err)
	require.True(t, v.Stop, "its steps go on")

	got := w.Fields().Extract(parsed(t, `{"items":[{"a":"x"}]}`))
	const why = "not a JSONPath of RFC 9535: write search(@.a, '…') for =~, or match(@.a, '…') for the whole text"
	require.Equal(t, Fields{
		{Name: "old", Type: plan.String, Required: true, State: WrongType, Found: &Found{Type: "nothing", Text: why}},
		{Name: "dotless", Type: plan.String, State: Value, Value: "x"},
		{Name: "fine", Type: plan.Number, State: Default, Value: 2.0},
	}, got)
	require.EqualError(t, got.Err(), "required field old: "+why)

	def.Fields[2].Name = "not a name"
	_, err = Compile(def)
	require.ErrorContains(t, err, "fields[2].name", "all else is judged")
}

func TestExtract_PathBeyondTheBudget_IsNotFollowed(t *testing.T) {
	t.Parallel()
	items := make([]any, 50_000)
	for i := range items {
		items[i] = parsed(t, `{"n":1}`)
	}
	payload := jsonvalue.NewObject(2)
	payload.Set("items", items)
	payload.Set("plain", "x")
	set, err := CompileFields([]plan.Field{
		{Name: "cheap", Path: "$.items[?(@.n == 2)].n", Type: plan.String},
		{Name: "anywhere", Path: "$..n", Type: plan.String},
		{Name: "costly", Path: `$.items[?count($..n) == 1].n`, Type: plan.String, Required: true},
		{Name: "after", Path: "$.items[?(@.n == 2)].n", Type: plan.String},
		{Name: "plain", Path: "$.plain", Type: plan.String},
	})
	require.NoError(t, err)
	got := set.Extract(payload)
	require.Equal(t, []State{Missing, Value, WrongType, WrongType, Value}, []State{got[0].State, got[1].State, got[2].State, got[3].State, got[4].State})
	require.EqualError(t, got.Err(), "required field costly: the path takes more steps than are left of 10000000 in a document like this")
	require.Equal(t, fault.Invalid, fault.KindOf(got.Err()))
	payload.Set("items", items[:500])
	require.Equal(t, Missing, set.Extract(payload)[2].State, "in a payload of usual size it is")
}

// FuzzExtract holds for any path that may be saved and any payload: every field has
// one of the four states with a value of its type or none, the same one twice, and
// the payload is as it was.
func FuzzExtract(f *testing.F) {
	for _, s := range []string{
		`$.a`, `$..b[?(@.c > 1)]`, `$.a[1:2]`, `$['x'].*`, `$[?(@.a =~ /x/)]`, `$[?(length(@.a) > 1)]`, `$..b`, `$.a[*].b`, `$['a','x']`, `$.a[?(@.b == 2)].b`,
		`$.a[::0]`, `$.a[-1]`, `$..a..b`, `$[?@.a[?@ == 1]]`, `a.0`, `$.a[?(search(@, 'x'))]`,
	} {
		f.Add(s, `{"a":[1,{"b":2}],"x":null}`)
	}
	f.Fuzz(func(t *testing.T, path, text string) {
		payload, err := jsonvalue.Parse([]byte(text))
		if err != nil {
			return
		}
		defs := []plan.Field{
			{Name: "n", Path: path, Type: plan.Number, Required: true}, {Name: "s", Path: path, Type: plan.String},
			{Name: "b", Path: path, Type: plan.Boolean, Default: true},
		}
		set, err := CompileFields(defs)
		_, stored := Compile(plan.Workflow{Fields: defs})
		require.NoError(t, stored, "whatever the path is, a stored version compiles")
		if err != nil {
			require.Equal(t, fault.Invalid, fault.KindOf(err))
			return
		}
		before := jsonvalue.Text(payload)
		got := set.Extract(payload)
		require.Equal(t, before, jsonvalue.Text(payload), "the payload was changed")
		require.Equal(t, got, set.Extract(payload), "the second answer differs")
		require.Len(t, got, len(defs))
		for i, x := range got {
			require.Equal(t, defs[i].Name, x.Name)
			switch x.State {
			case Value, Default:
				v, ok := converters[x.Type](x.Value)
				require.True(t, ok && v == x.Value, "%v is no %s", x.Value, x.Type)
				if n, ok := x.Value.(float64); ok {
					require.False(t, math.IsNaN(n) || math.IsInf(n, 0))
				}
			case Missing, WrongType:
				require.Nil(t, x.Value)
				require.Equal(t, x.State == WrongType, x.Found != nil)
			default:
				t.Fatalf("state %q", x.State)
			}
		}
		if err := got.Err(); err != nil {
			require.Equal(t, fault.Invalid, fault.KindOf(err))
			require.Contains(t, err.Error(), "field n")
		} else {
			require.Equal(t, Value, got[0].State)
		}
	})
}
