package path

import (
	"testing"

	"github.com/ohler55/ojg/jp"
	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

const sample = `{"userId":"u","a":{"0":"zero","b":"B","c":"C","b c":[{"n":1},{"n":2}],"2024":"y","d":{"b":"deep"}},"l":[[1,2],[3,4],5],
	"items":[{"a":1,"b":"x"},{"a":"1","b":"y"},{"b":null},{"a":null,"b":"z"},{"a":2.5,"b":"ü","c":true},{"a":2,"b":"x","c":[1]}],
	"o":{"x":{"a":1,"b":"x"},"y":{"a":2}},"日本":"jp","a;b":"odd","a#b":"hash","n":null,"e":[],"t":"text","7":"seven","w":{"x":1,"b":false}}`

// before is what a field of 0.1 took: the first hit of ojg, which told some mismatches
// by panic.
func before(t *testing.T, text string, document any) (v any, followed bool) {
	t.Helper()
	x, err := jp.ParseString(text)
	require.NoError(t, err, text)
	defer func() {
		if recover() != nil {
			v, followed = nil, false
		}
	}()
	return x.First(document), true
}

// now is what a field takes.
func now(t *testing.T, p *Path, document any) any {
	t.Helper()
	v, _, err := p.First(document, NewBudget(MaxSteps))
	require.NoError(t, err)
	return v
}

func parsed(t *testing.T, text string) any {
	t.Helper()
	v, err := jsonvalue.Parse([]byte(text))
	require.NoError(t, err)
	return v
}

// The table of docs/jsonpath.md: what ojg takes beyond the standard means the same as
// its rewrite.
var oldForms = map[string]string{
	"userId":                     "$.userId",
	"a.b":                        "$.a.b",
	".a.b":                       "$.a.b",
	"@.a.b":                      "$.a.b",
	"@":                          "$",
	"['a'].b":                    "$.a.b",
	"[0]":                        "$[0]",
	"[*]":                        "$[*]",
	"*":                          "$[*]",
	"$*":                         "$[*]",
	"a*":                         "$.a[*]",
	"l[0]":                       "$.l[0]",
	"l[1:][0]":                   "$.l[1:][0]",
	"$.a.0":                      "$.a['0']",
	"$.l.0":                      "$.l['0']", // ojg took it for a name: nothing, in a list
	"$.a.2024":                   "$.a['2024']",
	"$.l[00]":                    "$.l[0]",
	"$.l[-0]":                    "$.l[0]",
	"$.l[01:02]":                 "$.l[1:2]",
	"$.a;b":                      "$['a;b']",
	"$.a#b":                      "$['a#b']",
	"$['\\x61']":                 "$.a",
	"$['\\\"']":                  "$['\"']",
	"$...b":                      "$..b",
	"..b":                        "$..b",
	"a..b":                       "$.a..b",
	"$..":                        "$..*",
	"items[?(@.a == 1)].b":       "$.items[?@.a == 1].b",
	"$.items[?(@.a == 01)].b":    "$.items[?@.a == 1].b",
	"$.items[?(@.a == 2.)].b":    "$.items[?@.a == 2].b",
	"$.o[?(@.0 == 1)]":           "$.o[?@['0'] == 1]",
	"$.items[?(@.b == 'a\\\"')]": "$.items[?@.b == 'a\"']",
	"items[?(!@.a)].b":           "$.items[?!@.a].b",
}

func TestRead_OldForms_MeanWhatTheyMeant(t *testing.T) {
	t.Parallel()
	document := parsed(t, sample)
	for old, rewrite := range oldForms {
		_, err := Parse(old)
		require.Error(t, err, "%s is of the standard", old)
		p, err := Read(old)
		require.NoError(t, err, old)
		require.Equal(t, rewrite, p.String(), old)
		was, followed := before(t, old, document)
		require.True(t, followed, old)
		found := Upgrade(old)
		require.Equal(t, rewrite, found[0].Rewrite, old)
		if len(found) == 1 { // else the order is told to be another
			require.Equal(t, jsonvalue.Text(was), jsonvalue.Text(now(t, p, document)), old)
		}
	}
}

func TestRead_FormsWithoutRewrite_SayHowTheStandardHasIt(t *testing.T) {
	t.Parallel()
	for old, how := range map[string]string{
		"$.items[?(@.b =~ /x/)]":                    "write search(@.a, '…')",
		"$.items[?(@.b ~= 'x')]":                    "write search(@.a, '…')",
		"$.items[?(@.b =~ 'x')]":                    "write search(@.a, '…')",
		"$.items[?(@.a in ['x','y'])]":              "write @.a == 'x' || @.a == 'y'",
		"$.items[?(@.b empty true)]":                "write length(@.a) == 0",
		"$.items[?(@.a has true)]":                  "write @.a for has true",
		"$.items[?(@.a exists false)]":              "!@.a for exists false",
		"$.items[?(@.a == Nothing)]":                "write !@.a",
		"$.items[?(@.a + 1 == 2)]":                  "no arithmetic",
		"$.items[?(@.a * 2 == 2)]":                  "no arithmetic",
		"$.items[?(match(@.b, 'x') == true)]":       "the result of match and search is not compared",
		"$.items[?(true)]":                          "want a comparison",
		"$.items[?(@.b == 'it has' && @.a in [1])]": "for in",
	} {
		_, err := jp.ParseString(old)
		require.NoError(t, err, "%s was no path", old)
		_, err = Read(old)
		require.ErrorContains(t, err, how, old)
		found := Upgrade(old)
		require.Len(t, found, 1, old)
		require.Contains(t, found[0].Was, how, old)
		require.Empty(t, found[0].Rewrite, old)
	}
}
