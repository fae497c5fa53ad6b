package eval

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fql"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

func FuzzNeeds_SameAnswerAsWholeEvent(f *testing.F) {
	event := `{"type":"track","event":"A","properties":{"a":{"b":[1,{"c":"x"}]},"n":5,"":1,"é":2},"context":[1,2],"traits":"text","userId":null,"extra":{"a":1}}`
	for _, text := range []string{
		`type = "track"`, `properties.a.b[1].c = "x" or properties.n > 4`, `context[0] = 1`, `traits.length = 4`, `properties != null`, `contains(event, "A") and userId = null`,
		`properties.a.b.length > 1 and context.x = null`, `properties. = 1`, `properties.é\d = 2`, `type = "a" and ()`,
	} {
		f.Add(text, event)
	}
	f.Add(`properties.n = 1`, `{"properties":{"n":2},"properties":{"\u006e":1}}`)
	f.Add(`properties.n = 1`, `{"properties":{"n":2,"n":1},"propert\u0069es":7}`)
	f.Fuzz(func(t *testing.T, text, event string) {
		compiled, err := fql.Compile(text)
		if err != nil {
			return
		}
		if jsonvalue.Members([]byte(event), func(_, _ []byte) error { return nil }) != nil {
			return
		}
		whole, err := jsonvalue.ParseObject([]byte(event))
		require.NoError(t, err)
		want, wantErr := compiled.Match(whole)
		got, gotErr := compiled.Match(needsOf(compiled).event([]byte(event)))
		require.Equal(t, want, got)
		require.Equal(t, wantErr, gotErr)

		// An event that comes behind its filter is seen while the line is passed.
		e := evaluator{judge: &filterJudge{filters: newCache[filter]()}}
		quoted := jsonvalue.Text(text)
		before, err := e.one(nil, []byte(`{"event":`+event+`,"fql":`+quoted+`}`))
		require.NoError(t, err)
		for _, line := range []string{`{"fql":` + quoted + `,"event":` + event + `}`, `{"fql":` + quoted + `,"event":{"type":"track","properties":{}},"ev\u0065nt":` + event + `}`} {
			behind, err := e.one(nil, []byte(line))
			require.NoError(t, err)
			require.Equal(t, string(before), string(behind))
		}
	})
}

func TestCache_IsBoundedAndKeepsWhatIsUsed(t *testing.T) {
	t.Parallel()
	c := newCache[int]()
	c.put([]byte("used"), -1)
	for i := range 10 * cacheEntries {
		c.put(fmt.Appendf(nil, "%d", i), i)
		v, ok := c.get([]byte("used"))
		require.True(t, ok)
		require.Equal(t, -1, v)
		require.LessOrEqual(t, len(c.young)+len(c.old), 2*cacheEntries)
	}
	c = newCache[int]()
	big := make([]byte, cacheBytes/2+1)
	for i := range byte(5) {
		big[0] = i
		c.put(big, 0)
		require.LessOrEqual(t, len(c.young), 2, "keys of half the room each")
	}
}
