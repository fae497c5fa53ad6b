package fql

import (
	"encoding/json"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
)

func TestCondition_String_IsItsOneForm(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]Condition{
		`type = "track"`:                        {Field: "type", Operator: Equal, Value: "track"},
		`type != "track"`:                       {Field: "type", Operator: NotEqual, Value: "track"},
		`name = null`:                           {Field: "name", Operator: NotExists},
		`traits.x != null`:                      {Field: "traits", Path: "x", Operator: Exists},
		`userId = true`:                         {Field: "userId", Operator: IsTrue},
		`properties.a = false`:                  {Field: "properties", Path: "a", Operator: IsFalse},
		`properties.a = 5`:                      {Field: "properties", Path: "a", Operator: NumberEquals, Value: 5.0},
		`properties.a != -0.5`:                  {Field: "properties", Path: "a", Operator: NumberNotEquals, Value: -0.5},
		`properties.a = 1000000000000000000000`: {Field: "properties", Path: "a", Operator: NumberEquals, Value: 1e21},
		`properties.a != -`:                     {Field: "properties", Path: "a", Operator: NumberNotEquals, Value: math.NaN()},
		`properties.a != true`:                  {Field: "properties", Path: "a", Operator: NotEqual, Value: true},
		`properties.a < 5`:                      {Field: "properties", Path: "a", Operator: Less, Value: 5.0},
		`properties.a >= "5"`:                   {Field: "properties", Path: "a", Operator: GreaterOrEqual, Value: "5"},
		`contains(event, "x")`:                  {Field: "event", Operator: Contains, Value: "x"},
		`!contains(event, "x")`:                 {Field: "event", Operator: NotContains, Value: "x"},
		`match(event, "x*")`:                    {Field: "event", Operator: StartsWith, Value: "x"},
		`!match(event, "x*")`:                   {Field: "event", Operator: NotStartsWith, Value: "x"},
		`match(event, "*x")`:                    {Field: "event", Operator: EndsWith, Value: "x"},
		`!match(event, "*x")`:                   {Field: "event", Operator: NotEndsWith, Value: "x"},
		`properties.a\ b.c\$\/\日.d-e_f = "x"`:   {Field: "properties", Path: "a b.c$/日.d-e_f", Operator: Equal, Value: "x"},
		`properties.\1st.\0.\-x = "x"`:          {Field: "properties", Path: "1st.0.-x", Operator: Equal, Value: "x"},
		`properties.\and.\or.\null.a = "x"`:     {Field: "properties", Path: "and.or.null.a", Operator: Equal, Value: "x"},
		`properties.properties = "x"`:           {Field: "properties", Path: "properties", Operator: Equal, Value: "x"},
		`context.page.path = "a\b"`:             {Field: "context", Path: "page.path", Operator: Equal, Value: `a\b`},
	} {
		require.Equal(t, want, c.String())
		text, err := (&Group{Operator: "and", Children: []Node{&c}}).Text()
		require.NoError(t, err, want)
		require.Equal(t, want, text)
	}
}

func TestGroup_Text_ReadsBackAsTheSameTree(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`type = "track" and event = "X"`,
		`(type = "a" or type = "b") and properties.n > 5`,
		`type = "a" or (event = "b" and name = "c") or (event = "d" and name = "e")`,
		`contains(event, "x") or !match(traits.email, "*@example.com")`,
		`match(event, "🎉x")`,
	} {
		f := mustCompile(t, text)
		written, err := f.Tree().Text()
		require.NoError(t, err, text)
		again := mustCompile(t, written)
		require.Empty(t, difference(f.Tree(), again.Tree()))
	}
}

func TestGroup_Text_WhatFQLCannotSay_IsInvalid(t *testing.T) {
	t.Parallel()
	leaf := func(field, path string, op Operator, v any) Node {
		return &Condition{Field: field, Path: path, Operator: op, Value: v}
	}
	and := func(c ...Node) *Group { return &Group{Operator: "and", Children: c} }
	or := func(c ...Node) *Group { return &Group{Operator: "or", Children: c} }
	a, b := leaf("type", "", Equal, "a"), leaf("event", "", Equal, "b")
	call := leaf("event", "", Contains, "x")
	for name, g := range map[string]*Group{
		"double quote in a value":     and(leaf("event", "", Equal, `say "hi"`)),
		"double quote in a pattern":   and(leaf("event", "", EndsWith, `"`)),
		"exists on type":              and(leaf("type", "", Exists, nil)),
		"suffix with a star at end":   and(leaf("event", "", EndsWith, "x*")),
		"emoji in a key":              and(leaf("properties", "🎉", Equal, "x")),
		"function on type":            and(leaf("type", "", Contains, "x")),
		"group in a group in a group": and(a, or(b, and(a, b))),
		"function in a nested group":  and(a, or(call, b)),
		"number on a text field":      and(leaf("type", "", NumberEquals, 5.0)),
		"unknown field":               and(leaf("messageId", "", Equal, "x")),
		"no field":                    and(leaf("", "", Equal, "x")),
		"empty group":                 and(a, or()),
		"nothing":                     and(),
		"missing child":               and(nil, a),
		"other operator":              {Operator: "xor", Children: []Node{a, b}},
	} {
		text, err := g.Text()
		require.Error(t, err, "%s: %s", name, text)
		require.Equal(t, fault.Invalid, fault.KindOf(err), name)
	}
}

func TestGroup_JSON_ThereAndBack(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, `(type = "a" or userId = null) and properties.x.y != 5 and contains(event, "q")`)
	b, err := json.Marshal(f.Tree())
	require.NoError(t, err)
	require.JSONEq(t, `{"operator":"and","children":[
		{"operator":"or","children":[{"field":"type","operator":"=","value":"a"},{"field":"userId","operator":"not_exists"}]},
		{"field":"properties","path":"x.y","operator":"number_not_equals","value":5},
		{"field":"event","operator":"contains","value":"q"}]}`, string(b))
	var g Group
	require.NoError(t, json.Unmarshal(b, &g))
	text, err := g.Text()
	require.NoError(t, err)
	require.Equal(t, f.Text(), text)
}

func TestGroup_JSON_BadTree_IsInvalid(t *testing.T) {
	t.Parallel()
	deep := `{"operator":"and","children":[]}`
	for range maxTreeDepth + 2 {
		deep = `{"operator":"and","children":[` + deep + `]}`
	}
	for _, text := range []string{`[]`, `{"children":5}`, `{"operator":"and","children":["x"]}`, `{"operator":"and","children":[{"field":"type","operator":"=","value":{}}]}`, deep} {
		var g Group
		require.Error(t, json.Unmarshal([]byte(text), &g), text)
	}
}

// randomTree makes a tree of the shapes that people build: conditions with keys
// and values of all kinds, in a group or in groups of a group.
func randomTree(r *rand.Rand, depth int) *Group {
	fields := []string{"type", "event", "name", "userId", "properties", "traits", "context"}
	paths := []string{"a", "a.b", "my key", "1st", "a.0", "and", "or.null", "日本", "$x", "a-b", "-", "x_y", "properties", "é", `a\b`, "🎉", "a..b", `"`}
	values := []any{"x", "", "日本 🎉", `a\b`, "it's", "true", "null", "a*", "*", `say "hi"`, "5", 0.0, 5.0, -0.5, 1e21, 1e-7, 123456789.25, true, false, nil}
	pick := func(n int) int { return r.IntN(n) }
	g := &Group{Operator: []string{"and", "or"}[pick(2)]}
	for range 1 + pick(3) {
		if depth > 0 && pick(3) == 0 {
			g.Children = append(g.Children, randomTree(r, depth-1))
			continue
		}
		c := &Condition{Field: fields[pick(len(fields))], Value: values[pick(len(values))]}
		if c.nested() {
			c.Path = paths[pick(len(paths))]
		}
		all := slices.Sorted(maps.Keys(tests))
		c.Operator = all[pick(len(all))]
		g.Children = append(g.Children, c)
	}
	return g
}

// A tree is written as a text that means the tree, or it is refused; a text that is
// written once more stays as it is.
func TestGroup_Text_OfAnyTree_ReadsBackOrIsRefused(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	written := 0
	for range 20_000 {
		g := randomTree(r, 2)
		text, err := g.Text()
		if err != nil {
			require.Equal(t, fault.Invalid, fault.KindOf(err))
			continue
		}
		written++
		f := mustCompile(t, text)
		require.Empty(t, difference(g, f.tree), text)
		again, err := f.Tree().Text()
		require.NoError(t, err, text)
		require.Empty(t, difference(f.tree, mustCompile(t, again).tree), text)
		b, err := json.Marshal(f.Tree())
		require.NoError(t, err)
		var back Group
		require.NoError(t, json.Unmarshal(b, &back))
		require.Empty(t, difference(f.tree, &back), text)
	}
	require.Greater(t, written, 2_000)
}

// What Segment's builder can say with one condition, everybody can say.
func TestCondition_OfTheBuilder_IsAlwaysWritten(t *testing.T) {
	t.Parallel()
	for op := range tests {
		for _, field := range []string{"name", "userId", "properties", "traits", "context"} {
			c := &Condition{Field: field, Operator: op}
			if c.nested() {
				c.Path = `a b.日本.1st`
			}
			switch takes[op].needs {
			case "number":
				c.Value = 4.5
				if !c.nested() {
					c.Value = "4.5"
				}
			case "string":
				c.Value = "Order"
			case "":
				if op == NotEqual {
					c.Value = "x"
				}
			}
			if (op == NumberEquals || op == NumberNotEquals) && !c.nested() || (op == IsTrue || op == IsFalse) && field == "name" {
				continue // the fields of text have no such test
			}
			_, err := (&Group{Operator: "and", Children: []Node{c}}).Text()
			require.NoError(t, err, "%s %s", field, op)
		}
	}
}
