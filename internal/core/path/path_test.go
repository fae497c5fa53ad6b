package path_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/path"
)

// Our own cases, in the form of the public suite.
func TestPath_Corpus(t *testing.T) {
	t.Parallel()
	require.Greater(t, suite(t, "testdata/paths.jsonl"), 80)
}

func TestParse_WhatIsNoPath_IsInvalidAndSaysWhere(t *testing.T) {
	t.Parallel()
	for text, reason := range map[string]string{
		"":                                       "a path is needed",
		" ":                                      "a path is needed",
		"a":                                      "a path starts with $",
		"$.":                                     "want a name, found end; other names stand in brackets: ['…'], at character 3",
		"$.日.1":                                  "want a name, found '1'; other names stand in brackets: ['…'], at character 5",
		"$[01]":                                  "01 is no index: want an integer without leading zeros",
		"$[9007199254740992]":                    "is no index",
		"$['a]":                                  "the quote is not closed",
		"$['\\ud800']":                           "half of a surrogate pair",
		"$[?@.a = 1]":                            `want ",", found '='`,
		"$[?@..a == 1]":                          "a comparison takes paths to one value",
		"$[?length(@.*) > 1]":                    "length takes a value, or a path to one",
		"$[?count('a') > 1]":                     "count takes a path",
		"$[?match(@.a) ]":                        "match takes 2, found 1",
		"$[?match(@.a,'x') == true]":             "is not compared",
		"$[?size(@) > 1]":                        "there is no function size: known are",
		"$[?1]":                                  "want a comparison",
		"$\xff":                                  "not UTF-8",
		"$." + strings.Repeat("a", path.MaxText): "longer than 1000 bytes",
		"$" + strings.Repeat("[?@", 21) + strings.Repeat("]", 21):                   "nested deeper than 20",
		"$[?" + strings.Repeat("(", 21) + "@" + strings.Repeat(")", 21) + "]":       "nested deeper than 20",
		"$[?" + strings.Repeat("length(", 21) + "@" + strings.Repeat(")", 21) + "]": "nested deeper than 20",
	} {
		_, err := path.Parse(text)
		require.ErrorContains(t, err, reason, text)
		require.Equal(t, fault.Invalid, fault.KindOf(err), text)
	}
}

func list(n int, element string) any {
	v, _ := jsonvalue.Parse([]byte("[" + strings.TrimSuffix(strings.Repeat(element+",", n), ",") + "]"))
	return v
}

// Each of these would keep a worker busy for hours or for ever in a document of some
// kilobytes, or fill its memory.
func TestPath_ThatMultiplies_EndsAtItsBudget(t *testing.T) {
	t.Parallel()
	deep, err := jsonvalue.Parse([]byte(strings.Repeat(`{"a":`, 190) + "1" + strings.Repeat("}", 190)))
	require.NoError(t, err)
	for text, document := range map[string]any{
		"$" + strings.Repeat("..a", 30):                          deep,
		"$" + strings.Repeat("..*", 30):                          deep,
		"$" + strings.Repeat("['a','a']", 60):                    deep,
		"$[?$[?$[?$[?@ == 2]]]]":                                 list(3000, "1"),
		"$[?count($[?count($[?count($..*) > 9]) > 9]) > 9]":      list(2000, "1"),
		"$[?$ == @ || $[?@ == $]]":                               list(3000, "[1]"),
		"$[?match(@, '" + strings.Repeat("(a|aa)*", 60) + "b')]": list(2000, `"`+strings.Repeat("a", 2000)+`"`),
		"$.*[?@ > 'a']":                                          []any{list(3000, `"`+strings.Repeat("a", 100)+`"`), list(500_000, "1"), list(500_000, "1")},
		"$[?search('" + strings.Repeat("ab", 200) + "', @)]":     list(20_000, `"[a-b]{500}"`),
		"$[?value($..*) == 1 || @[?value($..*) == 2]]":           list(4000, "[1]"),
	} {
		p, err := path.Parse(text)
		require.NoError(t, err, text)
		const steps = 300_000
		_, err = p.All(document, path.NewBudget(steps))
		require.ErrorIs(t, err, path.ErrBound, text)
		require.EqualError(t, err, "the path takes more steps than are left of 300000 in a document like this")
	}
}

func TestPath_TooManyValues_AreNotKept(t *testing.T) {
	t.Parallel()
	p, err := path.Parse("$[*,*]")
	require.NoError(t, err)
	document := list(60_000, "1")
	_, err = p.All(document, path.NewBudget(path.MaxSteps))
	require.ErrorIs(t, err, path.ErrBound)
	require.EqualError(t, err, "the path comes to more than 100000 values")
	_, found, err := p.First(document, path.NewBudget(10))
	require.NoError(t, err)
	require.True(t, found, "the first one is near")
}

// Paths share a budget: what one has taken, the next has not.
func TestBudget_IsSharedAndStraightPathsAreFree(t *testing.T) {
	t.Parallel()
	document := list(100, "1")
	all, err := path.Parse("$[*]")
	require.NoError(t, err)
	straight, err := path.Parse("$[99]")
	require.NoError(t, err)
	b := path.NewBudget(150)
	_, err = all.All(document, b)
	require.NoError(t, err)
	_, err = all.All(document, b)
	require.ErrorIs(t, err, path.ErrBound)
	v, found, err := straight.First(document, b)
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, 1.0, v)
}

func TestNotes_PatternsThatMatchNothing_AreTold(t *testing.T) {
	t.Parallel()
	for pattern, why := range map[string]string{
		`\\d+`: `has \d, which is no I-Regexp: write [0-9]`, `\\w`: "[A-Za-z0-9_]", `\\s`: `write [ \t\n\r]`, `(`: "has a ( without )", `)`: "has a ) without (", `a{2`: "no repetition",
		`a**`: "must be escaped", `[z-a]`: "is no I-Regexp", `[a`: "has a [ without ]", `(?i)a`: "must be escaped", `a{1001}`: "more than 1000 times", `(a{100}){100}`: "repeats too much",
		`[[:alpha:]]`: "between brackets that must be escaped", `\\b`: "not escaped", `\\p{Greek}`: "a category",
	} {
		p, err := path.Parse("$[?match(@, '" + pattern + "')]")
		require.NoError(t, err, pattern)
		notes := path.Notes(p.String())
		require.Len(t, notes, 1, pattern)
		require.Contains(t, notes[0], why, pattern)
		got, err := p.All(list(1, `"a1"`), path.NewBudget(1000))
		require.NoError(t, err)
		require.Empty(t, got)
	}
	require.Empty(t, path.Notes(`$[?match(@, '[-a-z\\p{Lu}^]{1,3}(\\.x|\\-)?$')]`))
	require.Equal(t, []string{"is of an old form: it is read as $.a.b, and better written so"}, path.Notes("a.b"))
	require.Empty(t, path.Notes("$["))
}

func TestStraight_AnyKeys_LeadThere(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"a", "a b", "", "'", `\`, "\n", "日本", "0", "a.b", "$", "\"", "\u2028"} {
		o := jsonvalue.NewObject(1)
		o.Set(key, []any{nil, "there"})
		text := path.Straight([]any{key, 1})
		p, err := path.Parse(text)
		require.NoError(t, err, text)
		v, found, err := p.First(o, path.NewBudget(0))
		require.NoError(t, err)
		require.True(t, found, text)
		require.Equal(t, "there", v, text)
	}
}
