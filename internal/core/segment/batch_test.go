package segment

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
)

func TestParseBatch_GoSDK_SharesContextAndSentAt(t *testing.T) {
	t.Parallel()
	events, refusals, err := ParseBatch(delivery(t, "go-batch.json"), now, counter())
	require.NoError(t, err)
	require.Empty(t, refusals)
	require.Len(t, events, 2)
	require.Equal(t, `{"type":"identify","messageId":"go-1","userId":"u-7","timestamp":"2026-03-01T10:00:05.000Z","traits":{"email":"ken@example.com","age":41.0},"originalTimestamp":"2026-03-01T10:00:00Z","receivedAt":"2026-03-01T10:00:10.000Z","sentAt":"2026-03-01T10:00:05Z","context":{"library":{"name":"analytics-go","version":"3.0.0"}}}`,
		string(events[0].Body))
	require.Contains(t, string(events[1].Body), `"context":{"ip":"192.0.2.7","library":{"name":"analytics-go","version":"3.0.0"}}`)
	require.Equal(t, now.Add(-4*time.Second), events[1].Timestamp)
}

func TestParseBatch_NodeSDK(t *testing.T) {
	t.Parallel()
	events, refusals, err := ParseBatch(delivery(t, "node-batch.json"), now, counter())
	require.NoError(t, err)
	require.Empty(t, refusals)
	require.Equal(t, []string{Group, Alias}, []string{events[0].Type, events[1].Type})
	require.NotContains(t, string(events[0].Body), "writeKey")
}

func TestParseBatch_BadItemsStandAlone(t *testing.T) {
	t.Parallel()
	good := `{"type":"identify","userId":"u","messageId":"m"}`
	deep := `{"type":"identify","userId":"u","traits":` + strings.Repeat(`{"a":`, 300) + `1` + strings.Repeat(`}`, 300) + `}`
	items := []string{
		good,
		`7`,
		`{"type":"track","userId":"u","event":"\q"}`,
		`{"type":"identify","userId":"u","traits":{"a":tru}}`,
		"{\"type\":\"identify\",\"userId\":\"u\",\"traits\":{\"a\":\"\xc3\x28\"}}",
		"{\"type\":\"identify\",\"userId\":\"a\x00\"}",
		deep,
		`{"type":"identify","messageId":"nobody"}`,
		`{"type":"identify","userId":"u","traits":{"a":"` + strings.Repeat("x", MaxEvent) + `"}}`,
		`nonsense`,
		strings.ReplaceAll(good, `"m"`, `"last"`),
	}
	events, refusals, err := ParseBatch([]byte(`{"batch":[`+strings.Join(items, " ,\n")+`]}`), now, counter())
	require.NoError(t, err)
	require.Len(t, events, 2)
	require.Equal(t, "last", events[1].MessageID)
	require.Equal(t, []string{
		"1 want an object, have number",
		"2 not JSON: bad escape in a text",
		"3 not JSON: unexpected character",
		"4 not UTF-8",
		"5 not JSON: zero byte",
		"6 nested deeper than 200 levels",
		"7 userId: missing, and anonymousId too; one of them is needed",
		"8 event is 32818 bytes; the limit is 32768",
		"9 not JSON: unexpected character",
	}, reasons(refusals))
	require.Equal(t, deep, string(refusals[5].Body))
	require.Equal(t, "nobody", refusals[6].MessageID)
	require.Equal(t, Identify, refusals[6].Type)
}

func TestParseBatch_Refused(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		``:                               "want a JSON object",
		`[]`:                             "want a JSON object",
		`{}`:                             "batch: want an array",
		`{"batch":{}}`:                   "batch: want an array",
		`{"batch":[{"type":"identify"`:   "ends early",
		`{"batch":[]`:                    "ends early",
		`{"batch":[]} {}`:                "something follows",
		`{"batch":[{"userId":tru}]}`:     "item 0: not JSON",
		`{"batch":[{"userId":"u]}`:       "not JSON",
		`{"batch":[1,]}`:                 "not JSON",
		`{"batch":[1 2]}`:                "not JSON",
		`{"batch":[] "a":1}`:             "not JSON",
		`{"batch":[],}`:                  "not JSON",
		`{"batch":[],"context":{"a":x}}`: "not JSON",
		"{\"batch\":[],\"context\":{\"a\":\"\xff\"}}":                           "not UTF-8",
		`{"batch":[],"context":{"a":"` + strings.Repeat("x", MaxShared) + `"}}`: "context and integrations",
		`{"batch":[{"userId":"` + strings.Repeat("x", MaxBatch) + `"}]}`:        "the limit is 512000",
	} {
		_, _, err := ParseBatch([]byte(body), now, counter())
		require.ErrorContains(t, err, want, "%.60q", body)
		require.Equal(t, fault.Invalid, fault.KindOf(err))
	}
}

func TestParseBatch_MoreThanTheLimit_TakesTheFirstAndRefusesTheRest(t *testing.T) {
	t.Parallel()
	item := `{"type":"page","userId":"u"}`
	body := `{"batch":[` + strings.Repeat(item+",", MaxBatchEvents) + item + "," + item + `]}`
	events, refusals, err := ParseBatch([]byte(body), now, counter())
	require.NoError(t, err)
	require.Len(t, events, MaxBatchEvents)
	require.Equal(t, []string{"2500 more than 2500 events in one request", "2501 more than 2500 events in one request"}, reasons(refusals))

	_, refusals, err = ParseBatch([]byte(`{"batch":[`+strings.Repeat("1,", 200_000)+`1]}`), now, counter())
	require.NoError(t, err)
	require.Len(t, refusals, MaxBatchEvents+MaxOverflow, "refusals are bounded")
	require.Contains(t, refusals[len(refusals)-1].Reason, "196501 more")
}

func TestParseBatch_SharedObjects_TheItemWins(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ own, shared, want string }{
		{``, `{"a":1}`, `{"a":1}`},
		{`,"context":null`, `{"a":1}`, `{"a":1}`},
		{`,"context":{}`, `{"a":1}`, `{"a":1}`},
		{`,"context":{"a":2}`, `{"a":1}`, `{"a":2}`},
		{`,"context":{"a":2}`, `{"b":1.50,"a":1}`, `{"a":2,"b":1.50}`},
		{`,"context":{"\u0061":2}`, `{"a":1}`, `{"\u0061":2}`},
		{`,"context":{"a":2 }`, `{}`, `{"a":2 }`},
		{`,"context":"odd"`, `{"a":1}`, `"odd"`},
		{`,"context":{"a":2}`, `7`, `{"a":2}`},
	} {
		body := `{"context":` + c.shared + `,"batch":[{"type":"page","userId":"u"` + c.own + `}]}`
		events, _, err := ParseBatch([]byte(body), now, counter())
		require.NoError(t, err)
		require.Contains(t, string(events[0].Body), `"context":`+c.want, body)
		require.True(t, json.Valid(events[0].Body))
	}
}

func BenchmarkParseBatch_100(b *testing.B) {
	item := strings.TrimSpace(string(delivery(b, "browser-single.json")))
	body := []byte(`{"context":{"library":{"name":"x"},"app":{"name":"y"}},"sentAt":"2026-03-01T09:59:59.000Z","batch":[` + strings.Repeat(item+",", 99) + item + `]}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	newID := counter()
	for b.Loop() {
		if events, _, _ := ParseBatch(body, now, newID); len(events) != 100 {
			b.Fatal("refused")
		}
	}
}
