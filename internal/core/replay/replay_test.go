package replay

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/fault"
)

func done(payload string) *Before {
	return &Before{Destination: 1, Action: "upsert_contact", Status: delivery.Done, Payload: []byte(payload)}
}

func today(payload string) *delivery.New {
	return &delivery.New{Destination: 1, Action: "upsert_contact", Payload: []byte(payload)}
}

func as(b *Before, s delivery.Status) *Before { b.Status = s; return b }

func TestJudge_EachOutcome(t *testing.T) {
	t.Parallel()
	const p = `{"email":"a","n":1}`
	elsewhere := today(p)
	elsewhere.Destination = 2
	fails := today(p)
	fails.Payload, fails.Status = nil, delivery.Rejected
	for name, c := range map[string]struct {
		before *Before
		today  *delivery.New
		plain  Outcome
		forced Outcome
		differ []string
	}{
		"nothing was done":                  {nil, today(p), New, New, nil},
		"done alike":                        {done(p), today(p), Done, Forced, nil},
		"done alike, keys in another order": {done(`{"n":1,"email":"a"}`), today(p), Done, Forced, nil},
		"done with another value":           {done(`{"email":"b","n":1}`), today(p), Differs, Forced, []string{"email"}},
		"done with a member more and less":  {done(`{"email":"a","old":[]}`), today(p), Differs, Forced, []string{"old", "n"}},
		"done elsewhere":                    {done(p), elsewhere, Differs, Forced, []string{"destination"}},
		"done, and the mapping fails today": {done(p), fails, Differs, Differs, []string{"payload"}},
		"done, and the payload was erased":  {&Before{Destination: 1, Action: "upsert_contact", Status: delivery.Done}, today(p), Done, Forced, nil},
		"rejected":                          {as(done(p), delivery.Rejected), today(p), Again, Again, nil},
		"cancelled":                         {as(done(p), delivery.Cancelled), today(p), Again, Again, nil},
		"pending":                           {as(done(p), delivery.Pending), today(p), Waiting, Waiting, nil},
		"retrying, not wanted any more":     {as(done(p), delivery.Retrying), nil, Waiting, Waiting, nil},
		"held":                              {as(done(p), delivery.Held), today(p), Waiting, Waiting, nil},
		"done, not wanted any more":         {done(p), nil, Gone, Gone, nil},
		"rejected, not wanted any more":     {as(done(p), delivery.Rejected), nil, "", "", nil},
	} {
		require.Equal(t, Verdict{c.plain, c.differ}, Judge(c.before, c.today, false), name)
		require.Equal(t, Verdict{c.forced, c.differ}, Judge(c.before, c.today, true), "%s, by force", name)
	}
}

func TestJudge_ManyDifferences_AreBounded(t *testing.T) {
	t.Parallel()
	var members []string
	for i := range 1000 {
		members = append(members, fmt.Sprintf(`"k%d":1`, i))
	}
	v := Judge(done(`{}`), today("{"+strings.Join(members, ",")+"}"), false)
	require.Len(t, v.Differs, maxDiffers+1)
	require.Equal(t, "…", v.Differs[maxDiffers])
}

func TestSame_Values(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{`{"x":{"a":[1,{"b":2,"c":3}]}}`, `{"x":{"a":[1,{"c":3,"b":2}]}}`, true},
		{`{"x":[1,2]}`, `{"x":[2,1]}`, false}, {`{"x":1}`, `{"x":"1"}`, false}, {`{"x":null}`, `{}`, false},
		{`{"x":{}}`, `{"x":[]}`, false}, {`{"x":1}`, `{"x":[1]}`, false}, {`{"x":{"a":1}}`, `{"x":{"b":1}}`, false}, {`{"x":{"a":null}}`, `{"x":{"b":null}}`, false},
	} {
		require.Equal(t, c.same, len(Judge(done(c.a), today(c.b), false).Differs) == 0, "%s and %s", c.a, c.b)
	}
}

func TestOutcomes_OnlyThreeWrite(t *testing.T) {
	t.Parallel()
	var writing []Outcome
	for _, o := range Outcomes() {
		if o.Writes() {
			writing = append(writing, o)
		}
	}
	require.Equal(t, []Outcome{New, Again, Forced}, writing)
}

func TestCursor_GoesThroughItsText(t *testing.T) {
	t.Parallel()
	in := Input{After: 7}
	first, err := ReadCursor("", in)
	require.NoError(t, err)
	require.Equal(t, Cursor{7, 7}, first)
	again, err := ReadCursor(Cursor{8, 9}.Text(), in)
	require.NoError(t, err)
	require.Equal(t, Cursor{8, 9}, again)
	_, err = ReadCursor("{", in)
	require.Equal(t, fault.Invalid, fault.KindOf(err))
	_, err = Read("{")
	require.Equal(t, fault.Invalid, fault.KindOf(err), "it can never work")
	require.Equal(t, Detail{}, ReadDetail("nonsense"))
	require.Empty(t, Detail{}.Text())
}
