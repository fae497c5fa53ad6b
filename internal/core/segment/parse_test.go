package segment

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

var now = time.Date(2026, 3, 1, 10, 0, 10, 0, time.UTC)

func counter() func() string {
	n := 0
	return func() string { n++; return fmt.Sprintf("made-%d", n) }
}

func delivery(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "deliveries", name))
	require.NoError(t, err)
	return b
}

// call parses one call that must be accepted.
func call(t *testing.T, typ, body string) Event {
	t.Helper()
	events, refusals, err := ParseCall(typ, []byte(body), now, counter())
	require.NoError(t, err)
	require.Empty(t, refusals)
	require.Len(t, events, 1)
	require.True(t, json.Valid(events[0].Body), "%s", events[0].Body)
	return events[0]
}

func reasons(refusals []Refusal) []string {
	var rs []string
	for _, r := range refusals {
		rs = append(rs, fmt.Sprintf("%d %s", r.Index, r.Reason))
	}
	return rs
}

func TestParseCall_BrowserDelivery_KeepsBytesAndCorrectsTheClock(t *testing.T) {
	t.Parallel()
	e := call(t, Track, string(delivery(t, "browser-single.json")))
	require.Equal(t, "Order Completed", e.Name)
	require.Equal(t, "u-1042", e.UserID)
	require.Equal(t, "ajs-next-1767261598000-9ae6dac6", e.MessageID)
	require.Equal(t, now.Add(-time.Second), e.Timestamp, "receivedAt - (sentAt - originalTimestamp)")
	require.Equal(t, `{"timestamp":"2026-03-01T10:00:09.000Z","integrations":{},"userId":"u-1042","anonymousId":"0c1e6d2e-5c0e-4f0e-9a54-0f5a2a3f6f11","event":"Order Completed","type":"track","properties":{"order_id":"A-77","total":49.90,"products":[{"sku":"S1","quantity":2}]},"context":{"page":{"path":"/done","url":"https://shop.example.com/done"},"library":{"name":"analytics.js","version":"next-1.84.3"},"locale":"ja-JP"},"messageId":"ajs-next-1767261598000-9ae6dac6","sentAt":"2026-03-01T09:59:59.000Z","_metadata":{"bundled":["Segment.io"],"unbundled":[]},"originalTimestamp":"2026-03-01T09:59:58.000Z","receivedAt":"2026-03-01T10:00:10.000Z"}`,
		string(e.Body))
}

func TestParseWebhook_Array_KeepsSegmentsTimesAndTakesDeletes(t *testing.T) {
	t.Parallel()
	body := delivery(t, "webhook-array.json")
	events, refusals, err := ParseWebhook(body, Limits{}, now, counter())
	require.NoError(t, err)
	require.Empty(t, refusals)
	require.Equal(t, "9007199254740993", events[0].UserID, "digits of a long number survive")
	require.Equal(t, time.Date(2026, 3, 1, 9, 0, 0, 200e6, time.UTC), events[0].Timestamp)
	require.Equal(t, string(body[1:strings.Index(string(body), `,{"type":"delete"`)]), string(events[0].Body), "untouched")
	require.Equal(t, Delete, events[1].Type)
	require.Contains(t, string(events[1].Body), `"receivedAt":"2026-03-01T10:00:10.000Z"`)
}

func TestParseWebhook_SingleObject(t *testing.T) {
	t.Parallel()
	events, refusals, err := ParseWebhook([]byte(` {"type":"identify","userId":"u"} `), Limits{}, now, counter())
	require.NoError(t, err)
	require.Empty(t, refusals)
	require.Equal(t, "made-1", events[0].MessageID)
	require.Equal(t, now, events[0].Timestamp)
	require.Equal(t, `{"type":"identify","userId":"u","messageId":"made-1","timestamp":"2026-03-01T10:00:10.000Z","receivedAt":"2026-03-01T10:00:10.000Z"}`, string(events[0].Body))

	_, refusals, err = ParseWebhook([]byte(`{"order":1}`), Limits{}, now, counter())
	require.NoError(t, err)
	require.Equal(t, []string{"0 type: missing"}, reasons(refusals))
}

func TestParseWebhook_NoMessageID_IsMadeOfTheBytesWhenTheySayWhen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, more string
		same       bool
	}{
		{"timestamp", `,"timestamp":"2026-03-01T09:00:00.200Z"`, true},
		{"to the second", `,"timestamp":"2026-03-01T09:00:00Z"`, true},
		{"arrival", `,"receivedAt":"2026-03-01T09:00:00.200Z"`, true},
		{"only the minute", `,"timestamp":"2026-03-01T09:00"`, false},
		{"only the day", `,"timestamp":"2026-03-01"`, false},
		{"no time", `,"timestamp":""`, false},
		{"nothing", ``, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			newID := counter()
			one := `{"type":"delete","userId":"u"` + c.more + `}`
			single, _, err := ParseWebhook([]byte(one), Limits{}, now, newID)
			require.NoError(t, err)
			batch, _, err := ParseWebhook([]byte(`[ {"type":"delete","userId":"other"`+c.more+`}, `+one+` ]`), Limits{}, now.Add(time.Hour), newID)
			require.NoError(t, err)
			require.Equal(t, c.same, single[0].MessageID == batch[1].MessageID)
			require.NotEqual(t, single[0].MessageID, batch[0].MessageID)
			require.Contains(t, string(single[0].Body), `"messageId":"`+single[0].MessageID+`"`)
		})
	}
	events, _, err := ParseCall(Track, []byte(`{"event":"E","userId":"u","timestamp":"2026-03-01T09:00:00.200Z"}`), now, counter())
	require.NoError(t, err)
	require.Equal(t, "made-1", events[0].MessageID, "two clicks may look alike")
}

func TestParseWebhook_Limits(t *testing.T) {
	t.Parallel()
	one := `{"type":"identify","userId":"u"}`
	_, _, err := ParseWebhook([]byte("["+one+"]"), Limits{Bytes: 10}, now, counter())
	require.ErrorContains(t, err, "the limit is 10")
	events, refusals, err := ParseWebhook([]byte("["+one+","+one+","+one+"]"), Limits{Events: 2}, now, counter())
	require.NoError(t, err)
	require.Len(t, events, 2)
	require.Equal(t, []string{"2 more than 2 events in one request"}, reasons(refusals))
	_, refusals, err = ParseWebhook([]byte("["+one+"]"), Limits{EventBytes: 20}, now, counter())
	require.NoError(t, err)
	require.Equal(t, []string{"0 event is 32 bytes; the limit is 20"}, reasons(refusals))
}

func TestParseCall_Acceptance(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 101)
	for _, c := range []struct{ name, typ, body, reason string }{
		{"type from path", Track, `{"event":"A","userId":"u"}`, ""},
		{"no type anywhere", "", `{"event":"A","userId":"u"}`, "type: missing"},
		{"type of another kind", "", `{"type":7,"userId":"u"}`, "type: want a text"},
		{"unknown type", "", `{"type":"eos","userId":"u"}`, `type: "eos" is not a call`},
		{"delete with a public key", "", `{"type":"delete","userId":"u"}`, "signed webhooks"},
		{"anonymous is enough", Page, `{"anonymousId":"a"}`, ""},
		{"nobody", Page, `{"name":"Home"}`, "userId: missing, and anonymousId too"},
		{"empty user", Identify, `{"userId":"","anonymousId":null}`, "userId: missing"},
		{"user is a boolean", Identify, `{"userId":true}`, "userId: missing"},
		{"number user", Identify, `{"userId":5}`, ""},
		{"group without group", Group, `{"userId":"u"}`, "groupId: missing"},
		{"group by number", Group, `{"userId":"u","groupId":12}`, ""},
		{"alias without user", Alias, `{"anonymousId":"a","previousId":"b"}`, "userId: missing"},
		{"track without event", Track, `{"userId":"u"}`, "event: a track call needs"},
		{"track with a number as event", Track, `{"userId":"u","event":5}`, ""},
		{"message id at the limit", Identify, `{"userId":"u","messageId":"` + long[2:] + `"}`, ""},
		{"message id too long", Identify, `{"userId":"u","messageId":"` + long + `"}`, "messageId: 101 characters"},
		{"message id is an object", Identify, `{"userId":"u","messageId":{}}`, "messageId: want a string, have object"},
		{"properties null", Track, `{"userId":"u","event":"A","properties":null}`, ""},
		{"key spelled with an escape", "", `{"\u0074ype":"identify","userId":"u"}`, ""},
		{"last of equal keys counts", Identify, `{"userId":"u","userId":""}`, "userId: missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			events, refusals, err := ParseCall(c.typ, []byte(c.body), now, counter())
			require.NoError(t, err)
			if c.reason == "" {
				require.Empty(t, refusals)
				require.Len(t, events, 1)
				require.True(t, json.Valid(events[0].Body))
				return
			}
			require.Empty(t, events)
			require.Len(t, refusals, 1)
			require.Contains(t, refusals[0].Reason, c.reason)
			require.Equal(t, c.body, string(refusals[0].Body))
		})
	}
}

func TestParseCall_RefusedBody_HoldsNoWriteKey(t *testing.T) {
	t.Parallel()
	_, refusals, err := ParseCall(Track, []byte(`{"writeKey":"wk","event":"A","n":1.0,"writeKey":"wk"}`), now, counter())
	require.NoError(t, err)
	require.Equal(t, `{"event":"A","n":1.0}`, string(refusals[0].Body))
}

func TestParseCall_NotAnEvent_IsAnError(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", jsonvalue.MaxDepth) + strings.Repeat("]", jsonvalue.MaxDepth)
	for body, want := range map[string]string{
		"":                       "empty",
		"  ":                     "empty",
		"[]":                     "want an object, have array",
		`"x"`:                    "want an object, have string",
		"null":                   "want an object, have null",
		`{"a":1`:                 "ends early",
		`{"a":1} x`:              "something follows",
		`{"a":01}`:               "bad number",
		`{"a":1.}`:               "bad number",
		`{"a":tru}`:              "unexpected character",
		`{"a":"\x"}`:             "bad escape",
		`{"a":"\u12G4"}`:         "bad escape",
		`{"a":"\u12"`:            "bad escape",
		`{"a":"\u12`:             "ends early",
		"{\"a\":\"\x00\"}":       "zero byte",
		"{\"a\":\"\n\"}":         "control character",
		"{\"a\":\"\xff\"}":       "not UTF-8",
		`{"a":` + deep + `}`:     "nested deeper",
		`{a:1}`:                  "unexpected character",
		`{"a":1,}`:               "unexpected character",
		`{"a":[1,]}`:             "unexpected character",
		`{"a":[1}`:               "unexpected character",
		strings.Repeat("[", 9e3): "nested deeper",
		`{"a":"` + strings.Repeat("x", MaxEvent) + `"}`: "the limit is 32768",
	} {
		_, _, err := ParseCall(Identify, []byte(body), now, counter())
		require.ErrorContains(t, err, want, "%.60q", body)
		require.Equal(t, fault.Invalid, fault.KindOf(err))
	}
}

func TestParseCall_DepthAtTheLimit_IsTaken(t *testing.T) {
	t.Parallel()
	n := jsonvalue.MaxDepth - 1
	e := call(t, Identify, `{"userId":"u","traits":`+strings.Repeat("[", n)+strings.Repeat("]", n)+`}`)
	_, err := jsonvalue.Parse(e.Body)
	require.NoError(t, err)
}

func TestParseCall_Columns_AreCleanAndBounded(t *testing.T) {
	t.Parallel()
	e := call(t, Track, `{"userId":"a\u0000b\u0007c","event":"`+strings.Repeat("語", 100)+`","anonymousId":1.50,"messageId":77}`)
	require.Equal(t, "abc", e.UserID)
	require.Equal(t, strings.Repeat("語", 85), e.Name, "255 bytes, between characters")
	require.Equal(t, "1.5", e.AnonymousID, "as JavaScript spells it")
	require.Equal(t, "77", e.MessageID)
	require.Contains(t, string(e.Body), `"messageId":"77"`)
	require.Contains(t, string(e.Body), `a\u0000b`, "the body keeps what came")
}

func TestParseCall_PathWinsOverType(t *testing.T) {
	t.Parallel()
	e := call(t, Identify, `{"userId":"u","type":"track"}`)
	require.Equal(t, Identify, e.Type)
	require.Contains(t, string(e.Body), `"type":"identify"`)
	require.NotContains(t, string(e.Body), `track`)
}

func TestParseCall_RemovedKeys_LeaveJSON(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"writeKey":"k","userId":"u"}`, `{"userId":"u","writeKey":"k"}`, `{"writeKey":"k","userId":"u","writeKey":"k"}`,
		`{ "userId" : "u" , "writeKey" : "k" , "x" : 1 , "y" : [ 2 ] , "writeKey":{} }`, `{"timestamp":"2026-01-01","userId":"u","timestamp":null}`,
	} {
		e := call(t, Identify, body)
		require.NotContains(t, string(e.Body), "writeKey")
		require.Equal(t, 1, strings.Count(string(e.Body), `"timestamp"`))
	}
}

func TestParseCall_Clock(t *testing.T) {
	t.Parallel()
	const ten = "2026-03-01T10:00:10.000Z"
	for _, c := range []struct{ name, in, timestamp, original string }{
		{"nothing", ``, ten, ""},
		{"timestamp alone stays", `,"timestamp":"2020-05-05T00:00:00+09:00"`, "2020-05-04T15:00:00.000Z", "2020-05-05T00:00:00+09:00"},
		{"clock an hour fast", `,"timestamp":"2026-03-01T11:00:00Z","sentAt":"2026-03-01T11:00:03Z"`, "2026-03-01T10:00:07.000Z", "2026-03-01T11:00:00Z"},
		{"original given", `,"originalTimestamp":"2026-03-01T11:00:00Z","timestamp":"x","sentAt":"2026-03-01T11:00:03Z"`, "2026-03-01T10:00:07.000Z", "2026-03-01T11:00:00Z"},
		{"original alone", `,"originalTimestamp":"2026-03-01T09:00:00Z"`, "2026-03-01T09:00:00.000Z", "2026-03-01T09:00:00Z"},
		{"sentAt alone", `,"sentAt":"2026-03-01T09:00:00Z"`, ten, ""},
		{"unreadable", `,"timestamp":"yesterday","sentAt":"2026-03-01T09:00:00Z"`, ten, "yesterday"},
		{"no zone means UTC", `,"timestamp":"2026-02-01 08:00:00"`, "2026-02-01T08:00:00.000Z", "2026-02-01 08:00:00"},
		{"milliseconds", `,"timestamp":1767225600000`, "2026-01-01T00:00:00.000Z", ""},
		{"seconds", `,"timestamp":1767225600`, "2026-01-01T00:00:00.000Z", ""},
		{"absurd skew keeps the original", `,"timestamp":"0001-01-02T00:00:00Z","sentAt":"9999-01-01T00:00:00Z"`, "", "0001-01-02T00:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := call(t, Identify, `{"userId":"u"`+c.in+`}`)
			o, err := jsonvalue.ParseObject(e.Body)
			require.NoError(t, err)
			require.Equal(t, ten, o.Get("receivedAt"))
			stored, ok := instant([]byte(jsonvalue.Text(o.Get("timestamp"))))
			require.True(t, ok)
			require.Equal(t, e.Timestamp, stored)
			if c.timestamp != "" {
				require.Equal(t, c.timestamp, e.Timestamp.Format(layout))
			}
			if c.original != "" {
				require.Equal(t, c.original, o.Get("originalTimestamp"))
			}
		})
	}
}

func TestParse_ItemThatTripsADefect_HarmsOnlyItself(t *testing.T) {
	t.Parallel()
	calls := 0
	newID := func() string {
		if calls++; calls == 1 {
			panic("out of ids")
		}
		return "fine"
	}
	events, refusals, err := ParseBatch([]byte(`{"batch":[{"type":"page","userId":"a"},{"type":"page","userId":"b"}]}`), now, newID)
	require.NoError(t, err)
	require.Equal(t, "b", events[0].UserID)
	require.Equal(t, []string{"0 internal error while reading this item"}, reasons(refusals))
}

func TestParse_ResultsDoNotReferToTheRequest(t *testing.T) {
	t.Parallel()
	body := []byte(`{"batch":[{"type":"page","userId":"user","messageId":"mmmm"},{"type":"nope","messageId":"nnnn"}]}`)
	events, refusals, err := ParseBatch(body, now, counter())
	require.NoError(t, err)
	stored := string(events[0].Body)
	for k := range body {
		body[k] = 'X'
	}
	require.Equal(t, stored, string(events[0].Body))
	require.Equal(t, "user", events[0].UserID)
	require.Equal(t, `{"type":"nope","messageId":"nnnn"}`, string(refusals[0].Body))
}

func TestKey_DiffersBySourceAndMessage(t *testing.T) {
	t.Parallel()
	one := Key(1, "m")
	require.Equal(t, one, Key(1, "m"))
	require.NotEqual(t, Key(1, "m"), Key(2, "m"))
	require.NotEqual(t, Key(1, "m"), Key(1, "n"))
}

func TestTypeOfPath(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"t", "track"} {
		typ, ok := TypeOfPath(name)
		require.True(t, ok)
		require.Equal(t, Track, typ)
	}
	_, ok := TypeOfPath("batch")
	require.False(t, ok)
}

// TestParse_Corpus takes every event of our own corpus, and of an outside one
// when SEGUE_CONFORMANCE names its directory: nothing that is only carried may
// change.
func TestParse_Corpus(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"testdata", os.Getenv("SEGUE_CONFORMANCE")} {
		t.Run(dir, func(t *testing.T) {
			t.Parallel()
			if dir == "" {
				t.Skip("SEGUE_CONFORMANCE names no directory")
			}
			file, err := os.ReadFile(filepath.Join(dir, "events.jsonl"))
			require.NoError(t, err)
			for line := range strings.Lines(string(file)) {
				var c struct {
					ID    string
					Event json.RawMessage
				}
				require.NoError(t, json.Unmarshal([]byte(line), &c))
				sameButServerFields(t, c.ID, c.Event)
			}
		})
	}
}

func sameButServerFields(t *testing.T, name string, event []byte) {
	t.Helper()
	e := call(t, "", string(event))
	in, err := jsonvalue.ParseObject(event)
	require.NoError(t, err)
	out, err := jsonvalue.ParseObject(e.Body)
	require.NoError(t, err)
	for _, key := range []string{"timestamp", "originalTimestamp", "receivedAt", "sentAt", "messageId"} {
		in.Delete(key)
		out.Delete(key)
	}
	require.Equal(t, jsonvalue.Text(in), jsonvalue.Text(out), name)
}

func BenchmarkParseCall_1KB(b *testing.B) {
	body := delivery(b, "browser-single.json")
	body = []byte(strings.Replace(string(body), `"order_id"`, `"note":"`+strings.Repeat("lorem ipsum ", 28)+`","order_id"`, 1))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	newID := counter()
	for b.Loop() {
		events, _, _ := ParseCall(Track, body, now, newID)
		if len(events) != 1 {
			b.Fatal("refused")
		}
	}
}

func TestParseWebhook_TimestampOutsideTheCalendar_IsTheArrival(t *testing.T) {
	t.Parallel()
	for _, when := range []string{"0000-01-01 00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"} {
		events, refusals, err := ParseWebhook([]byte(`{"type":"page","userId":"u","messageId":"m","timestamp":"`+when+`"}`), Limits{}, now, counter())
		require.NoError(t, err)
		require.Empty(t, refusals)
		require.Equal(t, now, events[0].Timestamp, when)
		require.Contains(t, string(events[0].Body), `"timestamp":"2026-03-01T10:00:10.000Z"`)
	}
}
