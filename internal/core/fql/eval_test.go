package fql

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

const oddEvent = `{"type":"track","event":"Order 🎉x","name":5,"userId":true,"properties":{
	"a":{"b":"x","c":[1,"two",{"d":3}]},"properties":"self","str":"a🎉b","n":5,"zero":0,"f":false,"t":true,"e":"","nul":null,
	"big":1e400,"length":7,"obj":{"length":"L"},"numstr":"5"},"traits":"abc","context":["p",{"q":1}]}`

func TestMatch_Rules(t *testing.T) {
	t.Parallel()
	e := event(t, oddEvent)
	for text, want := range map[string]bool{
		// Types are never mixed.
		`properties.numstr = 5`:     false,
		`properties.n = "5"`:        false,
		`properties.n != "5"`:       true,
		`properties.missing != 5`:   false,
		`properties.missing != "x"`: true,
		`properties.numstr > 4`:     false,
		`properties.t != true`:      true,
		`properties.t = "true"`:     false,
		`userId = true`:             true,
		`name = 5`:                  false,
		`name > 4`:                  true,
		// The expected side of < and > becomes a number as JavaScript makes it.
		`properties.n > " 4 "`:                            true,
		`properties.n > "0x4"`:                            true,
		`properties.n < "0b111"`:                          true,
		`properties.n < "0o7"`:                            true,
		`properties.n < "-0x1"`:                           false,
		`properties.n > "1_0"`:                            false,
		`properties.n < "Infinity"`:                       true,
		`properties.n < "infinity"`:                       false,
		`properties.n < "inf"`:                            false,
		`properties.n < "8."`:                             true,
		`properties.n < ".8e1"`:                           true,
		`properties.n > ""`:                               true,
		"properties.n > \"\u00a04\ufeff\"":                true,
		"properties.n > \"\u00854\"":                      false,
		`properties.n > true`:                             true,
		`properties.n != -`:                               true,
		`properties.n = -`:                                false,
		`properties.big > 179769313486231570000000000000`: true,
		// Paths.
		`properties = "self"`:             true,
		`properties.a.c.\1 = "two"`:       true,
		`properties.a.c\[1\] = "two"`:     true,
		`properties.a\.\.b = "x"`:         true,
		`properties.a.c.\01 = "two"`:      false,
		`properties.a.c.length = 3`:       true,
		`properties.str.length = 4`:       true,
		`properties.str.\0 = "a"`:         true,
		`properties.str.\3 = "b"`:         true,
		`properties.str.\1 != null`:       true,
		`properties.str.\9 = null`:        true,
		`properties.obj.length = "L"`:     true,
		`properties.length = 7`:           true,
		`traits.length = 3`:               true,
		`context.\1.q = 1`:                true,
		`properties.zero.x.y = 0`:         true,
		`properties.f.x = false`:          true,
		`properties.e.x = ""`:             true,
		`properties.nul.x = null`:         true,
		`properties.n.x = null`:           true,
		`properties.t.x = null`:           true,
		`properties.constructor = null`:   true,
		`properties.a.toString = null`:    true,
		`properties.str.toString = null`:  true,
		`contains(properties\., "x")`:     false,
		`!contains(properties.nul, "x")`:  false,
		`!contains(properties.str, "x")`:  true,
		`!match(properties.missing, "*")`: false,
		// Operators by their inner names work too.
		`event starts_with "Order"`: true,
		`properties.t is_true x`:    true,
		`event "=" "Order 🎉x"`:      false,
		// The first character of a suffix pattern is cut in UTF-16.
		`match(event, "🎉x")`:  true,
		`match(event, "🐉x")`:  false,
		`match(event, "é🎉x")`: true,
		`match(event, "?x")`:  true,
	} {
		ok, err := mustCompile(t, text).Match(e)
		require.NoError(t, err, text)
		require.Equal(t, want, ok, text)
	}
}

func TestMatch_MissingEvent_NeverMatches(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, `userId = null`)
	ok, err := f.Match(nil)
	require.NoError(t, err)
	require.False(t, ok)
	require.Equal(t, False, f.Explain(nil).Outcome)
	ok, _ = f.Match(&jsonvalue.Object{})
	require.True(t, ok)
}

// What cannot be judged is an error, but only when it is reached.
func TestMatch_Unjudgeable_FailsWhenReached(t *testing.T) {
	t.Parallel()
	e := event(t, oddEvent)
	for text, fails := range map[string]bool{
		`type = "track" and ()`:         true,
		`type = "page" and ()`:          false,
		`() and type = "page"`:          true,
		`type = "track" or ()`:          false,
		`type = "page" or (foo)`:        true,
		`properties.\. != null`:         true,
		`contains(traits.\[\], "x")`:    true,
		`type = "page" and name.\. = x`: false,
	} {
		f := mustCompile(t, text)
		ok, err := f.Match(e)
		require.Equal(t, fails, err != nil, text)
		require.Equal(t, fails, f.Explain(e).Outcome == Failed, text)
		if fails {
			require.False(t, ok)
			require.Equal(t, fault.Invalid, fault.KindOf(err))
		}
	}
}

func TestMatch_AllocatesNothing(t *testing.T) {
	e := event(t, oddEvent)
	f := mustCompile(t, everydayFilter)
	allocs := testing.AllocsPerRun(100, func() { _, _ = f.Match(e) })
	require.Zero(t, allocs)
}

func TestFilter_ConcurrentUse(t *testing.T) {
	t.Parallel()
	e := event(t, oddEvent)
	f := mustCompile(t, everydayFilter)
	want := f.Explain(e)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				_, _ = f.Match(e)
				f.Needs(nil)
				if got := f.Explain(e); got.Outcome != want.Outcome {
					t.Error("another outcome")
				}
			}
		})
	}
	wg.Wait()
}

func TestNeeds_OnlyWhatIsCertain(t *testing.T) {
	t.Parallel()
	kind := func(text string) Clue { return Clue{Place{"type", ""}, text} }
	name := func(text string) Clue { return Clue{Place{"event", ""}, text} }
	for text, want := range map[string][]Clue{
		`type = "track"`:                                               {kind("track")},
		`type = 'track'`:                                               {kind("'track'")},
		`type = null`:                                                  {kind("null")},
		`type = "track" and event = "X"`:                               {name("X")}, // costs less
		`event = "X", type = "track"`:                                  {name("X")},
		`type = "track" and (event = "X" or event = "Y")`:              {name("X"), name("Y")},
		`type = "track" and (event = "X" or event != "Y")`:             {kind("track")},
		`(type = "track") or (type = "page" and name = "Home")`:        {kind("track"), {Place{"name", ""}, "Home"}},
		`(event = "X" and type = "a") or (event = "X" and name = "b")`: {name("X"), {Place{"name", ""}, "b"}},
		`type = "track" or event = "X"`:                                {kind("track"), name("X")},
		`type = "track" and event = "X" or event = "Y"`:                {kind("track"), name("X"), name("Y")}, // the or counts for all
		`type = "track" and properties.a\.b = "X"`:                     {{Place{"properties", "a.b"}, "X"}},
		`match(event, "X*") and type = track`:                          {kind("track")},
		`type = "track" and unknown = "x" and event in ["X"]`:          {kind("track")},
		`type = "track" and ()`:                                        {kind("track")},
		`type = "track" or userId != "u"`:                              nil,
		`type != "track" and event != "X"`:                             nil,
		`properties.n = 1 and properties.b = true and userId = null`:   nil,
		`() and type = "track"`:                                        nil, // passing over it would hide the error
		`properties.\. = "x" and type = "track"`:                       nil,
		`type = "track" or ()`:                                         nil,
	} {
		f := mustCompile(t, text)
		require.Equal(t, want, f.Needs(map[Clue]int{kind("track"): 1000, kind("page"): 2, kind("a"): 2, name("X"): 1}), text)
		for _, c := range want {
			require.Contains(t, f.Clues(), c, text)
		}
	}
}

const everydayFilter = `type = "track" and contains(event, "Order") and properties.n >= 5 and !match(event, "*Refunded") and traits.plan != "free"`

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Compile(everydayFilter); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	e := event(b, oddEvent)
	for name, text := range map[string]string{"everyday": everydayFilter, "first clause decides": `type = "page" and event = "X"`} {
		f := mustCompile(b, text)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = f.Match(e)
			}
		})
	}
}

func TestFilter_ManyGoroutines_SameAnswer(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, `type = "track" and (properties.a.\0 > 1 or traits.x = null) and !match(event, "*x")`)
	e := event(t, `{"type":"track","event":"E","properties":{"a":[2]}}`)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if ok, err := f.Match(e); !ok || err != nil || f.Explain(e).Outcome != True {
					t.Errorf("have %v, %v", ok, err)
				}
			}
		})
	}
	wg.Wait()
}
