package path

import (
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// FuzzPath holds for any text and any document: what is a path is written so that it
// is the same path again; it comes to the same values twice, and to those of the other
// engines; and what is none is refused as Invalid.
func FuzzPath(f *testing.F) {
	for _, s := range []string{
		`$.a`, `$..b[?(@.c > 1)]`, `$.a[1:2]`, `$['x'].*`, `$[?match(@.a, 'x{2,3}|[^a-c]\\.')]`, `$[?length(@.a) > 1]`, `$..a..b`, `$[?@.a[?@.b == $.x]]`, `$["\ud83d\ude00"]`,
		`$[::0]`, `$[-1,'a',*,?@]`, `$[?!(@.a && !@.b) || count(@..*) != -1.5e3]`, `$[?value(@..a) == value(@..b)]`, `$.日本`, "$ \n.a\t[ 0 ]", `$[?search(@, $.p)]`,
		`a.0..b`, `@`, `$...a`, `$['\x61']`, `$[?(@.a =~ /x/)]`, `$.a*`, `[?(@ has true)]`,
	} {
		f.Add(s, `{"a":[1,{"b":2}],"x":null,"p":"(a|b)+"}`)
	}
	f.Fuzz(func(t *testing.T, text, document string) {
		for _, found := range Upgrade(text) {
			require.NotEmpty(t, found.What+found.Was)
		}
		read, readErr := Read(text)
		p, err := Parse(text)
		if err != nil {
			require.Equal(t, fault.Invalid, fault.KindOf(err))
			require.True(t, utf8.ValidString(err.Error()) || !utf8.ValidString(text))
			if readErr == nil {
				_, err = Parse(read.String())
				require.NoError(t, err, "the rewrite of %q: %s", text, read)
			}
			return
		}
		require.NoError(t, readErr)
		require.Equal(t, p.String(), read.String())
		v, err := jsonvalue.Parse([]byte(document))
		if err != nil {
			return
		}
		before := jsonvalue.Text(v)
		const steps = 100_000
		b := NewBudget(steps)
		got, err := p.All(v, b)
		if err != nil {
			require.ErrorIs(t, err, ErrBound)
			return
		}
		again := NewBudget(steps)
		same, err := p.All(v, again)
		require.NoError(t, err)
		require.Equal(t, *b, *again, "the same path took other steps")
		require.Equal(t, before, jsonvalue.Text(v), "the document was changed")
		written, err := Parse(p.String())
		if err != nil { // longer than its source
			require.Greater(t, len(p.String()), MaxText)
			return
		}
		require.Equal(t, p.String(), written.String())
		other, err := written.All(v, NewBudget(2*steps))
		require.NoError(t, err)
		require.Equal(t, jsonvalue.Text(got), jsonvalue.Text(same))
		require.Equal(t, jsonvalue.Text(got), jsonvalue.Text(other), "%q is written %q", text, p)
		first, found, err := p.First(v, NewBudget(steps))
		require.NoError(t, err)
		require.Equal(t, len(got) > 0, found)
		if found {
			require.Equal(t, jsonvalue.Text(got[0]), jsonvalue.Text(first))
		}
		compare(t, text, document)
		straight(t, text, document)
	})
}
