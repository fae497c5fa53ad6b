package path

import (
	"encoding/json"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/ohler55/ojg/jp"
	"github.com/stretchr/testify/require"
	"github.com/theory/jsonpath"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// github.com/theory/jsonpath passes the compliance suite too, and shares no line with
// this package: what both read must be the same, values in any order.
func TestPath_RandomPaths_ComeToTheSameAsAnotherEngine(t *testing.T) {
	t.Parallel()
	m := maker{rand.New(rand.NewSource(1))}
	hits := 0
	for range 10_000 {
		hits += compare(t, m.path(), m.document(4))
	}
	require.Greater(t, hits, 3_000, "the paths meet nothing")
}

// compare holds a path against the other engine, and gives the number of values.
func compare(t *testing.T, text, document string) int {
	t.Helper()
	p, err := Parse(text)
	theirs, theirErr := theirParse(text)
	if err != nil {
		require.True(t, theirErr != nil || ours(text), "refused: %q: %v", text, err)
		return 0
	}
	if theirErr != nil {
		require.True(t, theirDefect(text), "taken: %q: %v", text, theirErr)
		return 0
	}
	v, err := jsonvalue.Parse([]byte(document))
	if err != nil {
		return 0
	}
	got, err := p.All(v, NewBudget(MaxSteps))
	if err != nil {
		require.ErrorIs(t, err, ErrBound)
		return 0
	}
	want, ok := theirValues(theirs, document)
	if !ok || theirDefect(text) {
		return 0
	}
	require.Equal(t, sorted(want), sorted(got), "%s in %s", text, document)
	return len(got)
}

func theirParse(text string) (p *jsonpath.Path, err error) {
	return jsonpath.Parse(text)
}

// theirValues are the other engine's, unless it breaks: match and search with a pattern
// from a path that leads nowhere do that.
func theirValues(p *jsonpath.Path, document string) (list []any, ok bool) {
	defer func() {
		if recover() != nil {
			list, ok = nil, false
		}
	}()
	var v any
	if json.Unmarshal([]byte(document), &v) != nil {
		return nil, false
	}
	return p.Select(v), true
}

// theirDefect says whether a path has what the other engine is known to get wrong:
// literals as names behind .., 0E1, <=, > and >= of what has no order, and patterns
// that are no I-Regexp or whose alternatives it ties to one end of the text each.
func theirDefect(text string) bool {
	return slices.ContainsFunc([]string{"..true", "..false", "..null", "0E", "<=", ">", "match(", "search("},
		func(s string) bool { return strings.Contains(text, s) })
}

// ours says whether a path is beyond bounds that only this package has.
func ours(text string) bool {
	return len(text) > MaxText || strings.Count(text, "(")+strings.Count(text, "?") > maxNesting
}

func sorted(list []any) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = canonical(v)
	}
	slices.Sort(out)
	return out
}

// canonical is a value's JSON with its keys in order.
func canonical(v any) string {
	text := jsonvalue.Text(v)
	if _, ours := v.(*jsonvalue.Object); !ours {
		b, _ := json.Marshal(v)
		text = string(b)
	}
	var plain any
	_ = json.Unmarshal([]byte(text), &plain)
	b, _ := json.Marshal(plain)
	return string(b)
}

// Straight paths are followed by ojg, and walked by this package within conditions:
// the two are equal, and ojg's own reading of the text agrees where it takes it.
func TestPath_StraightPaths_AreTheSameByOjgAndByOurWalk(t *testing.T) {
	t.Parallel()
	m := maker{rand.New(rand.NewSource(2))}
	hits := 0
	for range 20_000 {
		if straight(t, m.straight(), m.document(4)) {
			hits++
		}
	}
	require.Greater(t, hits, 4_000, "the paths meet nothing")
}

func straight(t *testing.T, text, document string) bool {
	t.Helper()
	p, err := Parse(text)
	if err != nil || p.straight == nil {
		return false
	}
	v, err := jsonvalue.Parse([]byte(document))
	if err != nil {
		return false
	}
	got, found, err := p.First(v, NewBudget(0))
	require.NoError(t, err)
	w := walk{root: v, budget: NewBudget(MaxSteps)}
	walked, also := w.single(p.query, v)
	require.NoError(t, w.err)
	require.Equal(t, also, found, "%s in %s", text, document)
	require.Equal(t, jsonvalue.Text(walked), jsonvalue.Text(got), "%s in %s", text, document)
	if x, err := jp.ParseString(text); err == nil && !strings.Contains(text, "\\") {
		require.Equal(t, jsonvalue.Text(x.First(v)), jsonvalue.Text(got), "%s in %s", text, document)
	}
	return found
}

// What an earlier release could hold, and Upgrade says nothing about, means the same.
func TestUpgrade_NothingTold_MeansTheSameAsBefore(t *testing.T) {
	t.Parallel()
	m := maker{rand.New(rand.NewSource(3))}
	same, told := 0, 0
	for range 60_000 {
		text := m.of("$", "$", "$", "@", "") + strings.TrimPrefix(m.path(), "$")
		x, err := jp.ParseString(text)
		p, newErr := Read(text)
		if err != nil || newErr != nil || !storable(x) {
			continue
		}
		if len(Upgrade(text)) > 0 && Upgrade(text)[len(Upgrade(text))-1].Rewrite == "" {
			told++
			continue
		}
		document := m.document(4)
		v := parsed(t, document)
		was, followed := before(t, text, v)
		if !followed {
			continue // ojg broke: its field was of the wrong type
		}
		same++
		require.Equal(t, jsonvalue.Text(was), jsonvalue.Text(now(t, p, v)), "%s in %s", text, document)
	}
	require.Greater(t, same, 10_000)
	require.Greater(t, told, 1_000)
}

// storable is what 0.1 let into a plan: paths that come to a value by one way.
func storable(x jp.Expr) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false // a condition that is a path alone
		}
	}()
	descents, unions, filters := 0, 0, 0
	for _, f := range x {
		switch f := f.(type) {
		case jp.Descent:
			descents++
		case jp.Union:
			unions++
		case *jp.Filter:
			filters++
			if !singular(f.Inspect()) {
				return false
			}
		}
	}
	return descents <= 1 && unions <= 1 && unions+descents <= 1 && filters+descents <= 1
}

func singular(v any) bool {
	switch v := v.(type) {
	case jp.Expr:
		for _, f := range v {
			switch f.(type) {
			case jp.Wildcard, jp.Slice, jp.Union, jp.Descent, *jp.Filter, *jp.Proc:
				return false
			}
		}
	case *jp.Form:
		return singular(v.Left) && singular(v.Right)
	}
	return true
}
