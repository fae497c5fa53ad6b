package segment

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Requests that would take much more than they bring are refused or cut to the limits,
// and what is refused says by which limit.
func TestParse_HostileBodies_AreRefusedByALimit(t *testing.T) {
	t.Parallel()
	parse := func(typ string, body string) ([]Event, []Refusal, error) {
		switch typ {
		case "batch":
			return ParseBatch([]byte(body), now, counter())
		case "webhook":
			return ParseWebhook([]byte(body), Limits{}, now, counter())
		}
		return ParseCall(typ, []byte(body), now, counter())
	}
	page := `{"type":"page","userId":"u"`
	for name, c := range map[string]struct{ how, body, reason string }{
		"deep":                  {"", page + `,"x":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`, "nested deeper than 200 levels"},
		"deep and never closed": {"batch", `{"batch":[` + strings.Repeat(`{"a":`, 80_000), "nested deeper than 200 levels"},
		"deep in a batch":       {"batch", `{"x":` + strings.Repeat("[", 1000) + `,"batch":[]}`, "nested deeper than 200 levels"},
		"large event":           {"", page + `,"x":"` + strings.Repeat("x", MaxEvent) + `"}`, "the limit is 32768"},
		"large batch":           {"batch", `{"batch":["` + strings.Repeat("x", MaxBatch) + `"]}`, "the limit is 512000"},
		"large webhook":         {"webhook", `["` + strings.Repeat("x", 16<<20) + `"]`, "the limit is 16777216"},
		"large shared context":  {"batch", `{"context":{"x":"` + strings.Repeat("x", MaxShared) + `"},"batch":[]}`, "the limit is 16384"},
		"a long message id":     {"", page + `,"messageId":"` + strings.Repeat("m", 101) + `"}`, "the limit is 100"},
		"a number for ever":     {"", page + `,"messageId":` + strings.Repeat("1", 30_000) + `}`, "the limit is 100"},
		"an event of a webhook": {"webhook", `[` + page + `,"x":"` + strings.Repeat("x", 64<<10) + `"}]`, "the limit is 65536"},
		"an erasing write key":  {"", `{"type":"delete","userId":"u"}`, "signed webhooks only"},
	} {
		events, refusals, err := parse(c.how, c.body)
		require.Empty(t, events, name)
		if err == nil {
			require.NotEmpty(t, refusals, name)
			err = fault.New(fault.Invalid, "%s", refusals[0].Reason)
		}
		require.ErrorContains(t, err, c.reason, name)
		require.Equal(t, fault.Invalid, fault.KindOf(err), name)
		require.Less(t, len(err.Error()), 300, name)
	}

	_, refusals, err := parse("webhook", "["+strings.Repeat("1,", 1_000_000)+"1]")
	require.NoError(t, err)
	require.Len(t, refusals, Limits{}.withDefaults().Events+MaxOverflow)
	require.Contains(t, refusals[len(refusals)-1].Reason, "so had 995001 more after this")
}

// A million members, equal keys and numbers of a million digits are carried, not
// understood: an event costs what its bytes cost.
func TestParseWebhook_ManyMembersAndLongNumbers_AreCarried(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(`{"type":"page","userId":` + strings.Repeat("7", 100_000))
	for i := range 500_000 {
		fmt.Fprintf(&b, `,"k%d":%d`, i%1000, i)
	}
	b.WriteString(`,"n":` + strings.Repeat("9", 1_000_000) + `,"type":"track","type":"page"}`)
	events, refusals, err := ParseWebhook([]byte(b.String()), Limits{EventBytes: 16 << 20}, now, counter())
	require.NoError(t, err)
	require.Empty(t, refusals)
	require.Len(t, events[0].UserID, MaxText)
	require.Less(t, len(events[0].Body), b.Len()+grown)
	o, err := jsonvalue.ParseObject(events[0].Body)
	require.NoError(t, err)
	require.Equal(t, "499999", jsonvalue.Text(o.Get("k999")), "of equal keys the last counts")
	require.Equal(t, "null", jsonvalue.Text(o.Get("n")), "a number that no double holds is infinite, which JSON writes as null")
}

// Every event of a batch is given what the batch says and it does not: by looking
// each key up, not by comparing all with all.
func TestParseBatch_LargeContexts_AreMergedByKey(t *testing.T) {
	t.Parallel()
	members := func(prefix string, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `"%s%d":%d,`, prefix, i, i)
		}
		return strings.TrimSuffix(b.String(), ",")
	}
	item := `{"type":"page","userId":"u","context":{` + members("o", 1500) + `,"\u0073` + `1":"own"}}`
	body := `{"context":{` + members("s", 1000) + `},"batch":[` + strings.TrimSuffix(strings.Repeat(item+",", 15), ",") + `]}`
	events, refusals, err := ParseBatch([]byte(body), now, counter())
	require.NoError(t, err)
	require.Empty(t, refusals)
	require.Len(t, events, 15)
	o, err := jsonvalue.ParseObject(events[14].Body)
	require.NoError(t, err)
	context, _ := o.Get("context").(*jsonvalue.Object)
	require.Equal(t, 2500, context.Len())
	require.Equal(t, "own", context.Get("s1"))
	require.Equal(t, 2.0, context.Get("s2"))
}
