package mapping_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/core/plan"
)

func value(t testing.TB, text string) any {
	t.Helper()
	v, err := jsonvalue.Parse([]byte(text))
	require.NoError(t, err, text)
	return v
}

func object(t testing.TB, text string) *jsonvalue.Object {
	t.Helper()
	o, err := jsonvalue.ParseObject([]byte(text))
	require.NoError(t, err, text)
	return o
}

// apply resolves {"v": src} and gives v's JSON, "undefined", or the error.
func apply(t testing.TB, src, event string) string {
	t.Helper()
	m, err := mapping.Compile(value(t, `{"v":`+src+`}`))
	require.NoError(t, err, src)
	v, err := m.Apply(object(t, event))
	if err != nil {
		return "error " + err.Error()
	}
	v = v.(*jsonvalue.Object).Get("v")
	if jsonvalue.IsUndefined(v) {
		return "undefined"
	}
	return jsonvalue.Text(v)
}

type example struct{ src, event, want string }

func check(t *testing.T, examples []example) {
	t.Helper()
	for _, e := range examples {
		require.Equal(t, e.want, apply(t, e.src, e.event), e.src)
	}
}

func TestCompile_Invalid_AllProblemsAtOnceWithPaths(t *testing.T) {
	t.Parallel()
	_, err := mapping.Compile(value(t, `{
		"a": {"@replace": {"value": 5, "pattern": "01234567890", "global": "yes"}},
		"b": {"@path": "$.a", "x": 1},
		"c": {"d": {"@nope": 1}},
		"e": {"@merge": {"objects": [[1]], "direction": "up"}},
		"f": {"@if": {"exists": {"@path": 1}}},
		"g": {"@json": {}}
	}`))
	var invalid *mapping.ValidationError
	require.ErrorAs(t, err, &invalid)
	var paths []string
	for _, p := range invalid.Problems {
		paths = append(paths, p.Path)
	}
	require.Equal(t, []string{
		"/a/@replace/value", "/a/@replace/pattern", "/a/@replace/global", "/b", "/c/d",
		"/e/@merge/objects/0", "/e/@merge/direction", "/f/@if/exists/@path", "/g/@json", "/g/@json",
	}, paths)
	require.Equal(t, fault.Invalid, fault.KindOf(err))
	require.Contains(t, fault.Public(err), "/c/d has an invalid directive: @nope")
}

func TestCompile_NotAnObject_IsRefused(t *testing.T) {
	t.Parallel()
	for _, src := range []string{`null`, `5`, `"x"`, `[]`, `true`} {
		_, err := mapping.Compile(value(t, src))
		var invalid *mapping.ValidationError
		require.ErrorAs(t, err, &invalid, src)
	}
}

func TestCompile_TooDeepOrTooLarge_IsRefused(t *testing.T) {
	t.Parallel()
	var v any = "x"
	for range 300 {
		o := jsonvalue.NewObject(1)
		o.Set("a", v)
		v = o
	}
	_, err := mapping.Compile(v)
	require.ErrorContains(t, err, "too large")

	wide := jsonvalue.NewObject(1)
	wide.Set("a", make([]any, 30_000))
	_, err = mapping.Compile(wide)
	require.ErrorContains(t, err, "too large")
}

func TestProblems_WhatAlwaysFailsOnResolving_IsToldEarly(t *testing.T) {
	t.Parallel()
	m, err := mapping.Compile(value(t, `{"a":[{"@nope":1}],"b":{"@liquid":"{% case x %}"},"c":{"@if":{"then":1}},"d":{"@path":"$.ok"}}`))
	require.NoError(t, err)
	var paths []string
	for _, p := range m.Problems() {
		paths = append(paths, p.Path)
	}
	require.Equal(t, []string{"/a/0", "/b/@liquid", "/c/@if"}, paths)
	_, err = m.Apply(object(t, `{}`))
	var runtime *mapping.RuntimeError
	require.ErrorAs(t, err, &runtime)
	require.Equal(t, "/a/0", runtime.Path)
	require.Equal(t, fault.Invalid, fault.KindOf(err))
}

func TestApply_WholeMappingIsDirectiveWithoutValue_IsUndefined(t *testing.T) {
	t.Parallel()
	m, err := mapping.Compile(value(t, `{"@path":"$.missing"}`))
	require.NoError(t, err)
	v, err := m.Apply(object(t, `{}`))
	require.NoError(t, err)
	require.True(t, jsonvalue.IsUndefined(v))
}

func TestApply_ManyGoroutines_SameResult(t *testing.T) {
	t.Parallel()
	m, err := mapping.Compile(value(t, `{"a":{"@liquid":"{% assign x = e | upcase %}{{ x }}{% increment n %}"},"b":{"@case":{"operator":"upper","value":{"@path":"$.e"}}},
		"c":{"@replace":{"value":{"@path":"$.e"},"pattern":"ß"}},"d":{"@template":"{{{e}}}!"}}`))
	require.NoError(t, err)
	event := object(t, `{"e":"straße"}`)
	want := `{"a":"STRASSE0","b":"STRASSE","c":"strae","d":"straße!"}`
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				v, err := m.Apply(event)
				if err != nil || jsonvalue.Text(v) != want {
					t.Errorf("have %s (%v)", jsonvalue.Text(v), err)
				}
			}
		})
	}
	wg.Wait()
}

func TestPath_Rules(t *testing.T) {
	t.Parallel()
	event := `{"a":{"b":[{"c":1}],"x y":2,"d.e":3,"n":null,"z":0,"s":"héy","[x]":4},"$":{"a":9}}`
	check(t, []example{
		{`{"@path":"$.a.b[0].c"}`, event, `1`},
		{`{"@path":"a.b.0.c"}`, event, `1`},
		{`{"@path":"$.a[\"x y\"]"}`, event, `2`},
		{`{"@path":"$.a['d.e']"}`, event, `undefined`}, // quotes protect no dot
		{`{"@path":"$.a.n.q.r"}`, event, `null`},       // null stays null
		{`{"@path":"$.a.z.q"}`, event, `0`},
		{`{"@path":"$.a.s.length"}`, event, `3`},
		{`{"@path":"$.a.s[1]"}`, event, `"é"`},
		{`{"@path":"$.a.b[01]"}`, event, `undefined`},
		{`{"@path":"$.a.[x]"}`, event, `4`}, // brackets around anything else belong to the key
		{`{"@path":"$"}`, event, `{"a":9}`}, // a key like any other
	})
}

func TestMerge_UndefinedMember_HidesTheEarlierOne(t *testing.T) {
	t.Parallel()
	check(t, []example{
		{`{"@merge":{"direction":"right","objects":[{"a":1,"b":2},{"a":{"@path":"$.no"}}]}}`, `{}`, `{"b":2}`},
		{`{"@merge":{"direction":"right","objects":[{"a":1},{"@if":{"exists":"x","then":{"a":{"@path":"$.no"}}}}]}}`, `{}`, `{}`},
		{`{"@merge":{"direction":"right","objects":[{"a":1},{"@merge":{"direction":"left","objects":[{"a":{"@path":"$.no"}},{"a":3}]}}]}}`, `{}`, `{}`},
		{`{"@merge":{"direction":"right","objects":[{"a":{"x":{"@path":"$.no"}}}]}}`, `{}`, `{"a":{}}`},
		{`{"@merge":{"direction":"LEFT","objects":[{"a":1},{"a":2}]}}`, `{}`, `{"a":2}`}, // only "left" is left
	})
}

func TestReplace_JavaScriptPatterns(t *testing.T) {
	t.Parallel()
	event := `{"s":"a.b.a","up":"ÄÖß ſ K"}`
	replace := func(args string) string { return `{"@replace":{"value":{"@path":"$.s"},` + args + `}}` }
	fold := func(args string) string {
		return `{"@replace":{"value":{"@path":"$.up"},"ignorecase":true,` + args + `}}`
	}
	check(t, []example{
		{replace(`"pattern":".","replacement":"$$"`), event, `"a$b$a"`},
		{replace(`"pattern":"b","replacement":"[$&$&]"`), event, `"a.[bb].a"`},
		{replace("\"pattern\":\"b\",\"replacement\":\"$`|$'\""), event, `"a.a.|.a.a"`},
		{replace(`"pattern":"b","replacement":"$1$"`), event, `"a.$1$.a"`},
		{replace(`"pattern":"a","replacement":"x","global":false`), event, `"x.b.a"`},
		{replace(`"pattern":"a","pattern2":"01234567890"`), event, `error /v/@replace: pattern2 is longer than 10 characters`},
		{fold(`"pattern":"äö"`), event, `"ß ſ K"`},
		{fold(`"pattern":"SS","replacement":"-"`), event, `"ÄÖß ſ K"`}, // ß folds to itself
		{fold(`"pattern":"s","replacement":"-"`), event, `"ÄÖß ſ K"`},  // nothing folds into ASCII
	})
}

func TestIf_LiteralElseThatIsFalsy_IsUndefined(t *testing.T) {
	t.Parallel()
	check(t, []example{
		{`{"@if":{"exists":{"@path":"$.no"},"then":1,"else":0}}`, `{}`, `undefined`},
		{`{"@if":{"exists":{"@path":"$.yes"},"then":0,"else":1}}`, `{"yes":1}`, `0`},
		{`{"@if":{"blank":{"@path":"$.v"},"then":"full","else":"blank"}}`, `{"v":[[]]}`, `"blank"`},
		{`{"@if":{"blank":{"@path":"$.v"},"then":"full","else":"blank"}}`, `{"v":[0]}`, `"full"`},
		{`{"@if":{"exists":null,"blank":{"@path":"$.v"},"then":1,"else":2}}`, `{"v":1}`, `2`}, // exists is asked when it is there
	})
}

func TestApply_AmplifyingMapping_FailsSoon(t *testing.T) {
	t.Parallel()
	double := `{"@path":"$.x"}`
	text := `{"@template":"{{x}}"}`
	for range 40 {
		double = `{"@transform":{"apply":{"x":[{"@path":"$.x"},{"@path":"$.x"}]},"mapping":` + double + `}}`
		text = `{"@transform":{"apply":{"x":{"@template":"{{x}}{{x}}"}},"mapping":` + text + `}}`
	}
	surroundings := `{"@replace":{"value":{"@path":"$.x"},"pattern":"x","replacement":"` + "$`$'$`$'$`" + `"}}`
	liquid := `{"@liquid":"{% assign y = x %}` + strings.Repeat(`{% assign y = y | append: y %}`, 30) + `{{ y }}"}`
	split := `{"@liquid":"{% assign y = x %}` + strings.Repeat(`{% assign z = y | split: '' %}`, 30) + `{{ z }}"}`
	event := `{"x":"` + strings.Repeat("x", 20_000) + `"}`
	for _, src := range []string{double, text, surroundings, liquid, split, `{"@liquid":"{{ (1..100000000) | join }}"}`, `{"@liquid":"{{ (1..999999) }}"}`} {
		start := time.Now()
		require.Contains(t, apply(t, src, event), "error", src[:30])
		require.Less(t, time.Since(start), 5*time.Second, src[:30])
	}
}

func TestExplain_ToldPerField(t *testing.T) {
	t.Parallel()
	m, err := mapping.Compile(value(t, `{
		"email": {"@if":{"exists":{"@path":"$.email"},"then":{"@path":"$.email"},"else":{"@path":"$.traits.email"}}},
		"name": {"@case":{"operator":"upper","value":{"@path":"$.traits.name"}}},
		"lang": "EN", "list": [{"@path":"$.no"}], "bad": [{"@nope":1}]}`))
	require.NoError(t, err)
	text, err := json.Marshal(m.Explain(object(t, `{"traits":{"email":"a@example.com"}}`)))
	require.NoError(t, err)
	require.JSONEq(t, `[
		{"field":"email","directive":"@if","path":"$.traits.email","raw":"a@example.com","result":"a@example.com"},
		{"field":"name","directive":"@case","path":"$.traits.name","raw":null,"result":null,"missing":true},
		{"field":"lang","raw":null,"result":"EN"},
		{"field":"list","raw":null,"result":[null]},
		{"field":"bad","raw":null,"result":null,"error":"/bad/0: @nope is not a directive"}]`, string(text))
}

func TestErrors_AsFault(t *testing.T) {
	t.Parallel()
	m, err := mapping.Compile(value(t, `{"a":{"@path":{"@path":"$.n"}}}`))
	require.NoError(t, err)
	_, err = m.Apply(object(t, `{"n":1}`))
	var f *fault.Error
	require.ErrorAs(t, err, &f)
	require.Equal(t, "/a/@path", f.Field)
}

func TestCompile_PartsThatNoEventChanges_AreStillResolved(t *testing.T) {
	t.Parallel()
	check(t, []example{
		{`{"a":{"@literal":"x"}}`, `{}`, `{"a":"x"}`},
		{`[{"a":{"@literal":null}},{"@liquid":""}]`, `{}`, `[{"a":null},""]`},
		{`{"a":1,"b":{"@case":{"operator":"lower","value":""}}}`, `{}`, `{"a":1}`}, // undefined is left out
		{`{"@merge":{"direction":"right","objects":[{"a":{"@literal":"x"}}]}}`, `{}`, `{"a":"x"}`},
		{`{"@merge":{"direction":"right","objects":[{"a":1},{"a":{"@case":{"operator":"lower","value":""}}}]}}`, `{}`, `{}`},
	})
}

func TestTransform_RootThatIsNoObject_Fails(t *testing.T) {
	t.Parallel()
	inner := `{"@transform":{"apply":{"b":{"@path":"$.a"}},"mapping":{"c":{"@path":"$.b"}}}}`
	check(t, []example{
		{`{"@arrayPath":["$.l",` + inner + `]}`, `{"l":[{"a":1},{}]}`, `[{"c":1},{}]`},
		{`{"@arrayPath":["$.l",` + inner + `]}`, `{"l":["x"]}`, `error /v/@arrayPath/1/@transform: data must be an object, got string`},
		{`{"@transform":{"apply":{"@path":"$.no"},"mapping":` + inner + `}}`, `{}`, `{}`}, // nothing counts as {}
	})
}

func TestReplace_ArgumentOfAWrongType_InALiteralArray_GivesEmptyText(t *testing.T) {
	t.Parallel()
	check(t, []example{
		{`[{"@replace":{"value":"a","pattern":"a","global":1}}]`, `{}`, `[""]`},
		{`[{"@replace":{"value":"a","pattern":5}}]`, `{}`, `[""]`},
		{`[{"@replace":{"value":"a","pattern":"a","replacement":null}}]`, `{}`, `[""]`},
		{`[{"@replace":{"value":"a","pattern":0}}]`, `{}`, `error /v/0/@replace: requires a "pattern" key`},
		{`[{"@replace":{"value":{"@path":"$.no"},"pattern":"01234567890"}}]`, `{}`, `[""]`},
	})
}

func TestExplain_Action_TellsTheConversion(t *testing.T) {
	t.Parallel()
	a, err := mapping.ForAction(plan.UpsertContact, object(t, `{
		"phone":{"@path":"$.phone"},"lastName":{"@case":{"operator":"upper","value":{"@path":"$.names"}}},"unsubscribed":{"@path":"$.out"},
		"firstName":{"@path":"$.none"},"language":"","embeddedData":{"@path":"$.phone"}}`), false)
	require.NoError(t, err)
	traces := map[string]mapping.FieldTrace{}
	for _, f := range a.Explain(object(t, `{"userId":"u","phone":81,"names":["lee"],"out":"true","none":null}`)) {
		traces[f.Field] = f
	}
	require.Equal(t, mapping.FieldTrace{Field: "phone", Directive: "@path", Path: "$.phone", Raw: 81.0, Conversion: "number to string", Result: "81"}, traces["phone"])
	require.Equal(t, "upper case, then the only element of the array", traces["lastName"].Conversion)
	require.Equal(t, "string to boolean", traces["unsubscribed"].Conversion)
	require.Equal(t, true, traces["unsubscribed"].Result)
	require.Equal(t, "left out because it is empty", traces["firstName"].Conversion)
	require.True(t, traces["firstName"].Missing)
	require.True(t, traces["language"].Missing)
	require.Empty(t, traces["extRef"].Conversion)
	require.Equal(t, "must be an object but it was a number", traces["embeddedData"].Error)
	require.Equal(t, "is required but missing", traces["directoryId"].Error)
}

// What is explained is what happens.
func TestExplain_Action_AgreesWithApply(t *testing.T) {
	t.Parallel()
	for _, c := range readCorpus(t, "testdata/corpus.jsonl") {
		event, ok := c.payload.(*jsonvalue.Object)
		if !ok {
			continue
		}
		for _, action := range []string{plan.UpsertContact, plan.UpsertTransaction, plan.StartWorkflow} {
			a, err := mapping.ForAction(action, nil, true)
			require.NoError(t, err)
			payload, err := a.Apply(event)
			failed := false
			explained := jsonvalue.NewObject(8)
			for _, f := range a.Explain(event) {
				failed = failed || f.Error != ""
				if !f.Missing && f.Error == "" {
					explained.Set(f.Field, f.Result)
				}
			}
			require.Equal(t, err != nil, failed, "%s %v", c.id, err)
			if err == nil {
				require.True(t, sameJSON(payload, explained), "%s: %s %s", c.id, jsonvalue.Text(payload), jsonvalue.Text(explained))
			}
		}
	}
}
