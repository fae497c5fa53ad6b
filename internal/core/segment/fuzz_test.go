package segment

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// FuzzParse holds for any body and each way of reading it: what is taken is one
// JSON object that says what was sent and reads as the same event again, what is
// not has a reason, and neither grows beyond what was sent.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"browser-single.json", "go-batch.json", "node-batch.json", "webhook-array.json"} {
		f.Add(delivery(f, name))
	}
	f.Add([]byte(`{"batch":[{"type":"page","userId":"\ud800","x":[1,{}]},tru,{"a":"\\"}]}`))
	f.Add([]byte(`{"type":"track","event":"E","userId":1e400,"userId":12345678901234567890,"\u0074ype":"page","writeKey":"k","a":1,"a":2,"2":0,"timestamp":1}`))
	f.Add([]byte(`{"sentAt":"2026-03-01T10:00:00Z","context":{"a":1,"b":{}},"integrations":{"All":false},"batch":[{"type":"group","groupId":5,"userId":"u","context":{"\u0061":2}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		events, refusals, err := ParseCall("", body, now, counter())
		requireSound(t, body, 1, events, refusals, err)
		if err == nil {
			require.True(t, json.Valid(body))
		}
		if len(events) == 1 {
			requireSaysTheSame(t, body, events[0].Body)
		}
		events, refusals, err = ParseBatch(body, now, counter())
		requireSound(t, body, MaxBatchEvents+MaxOverflow, events, refusals, err)
		events, refusals, err = ParseWebhook(body, Limits{}, now, counter())
		requireSound(t, body, Limits{}.withDefaults().Events+MaxOverflow, events, refusals, err)
		if key, ok := WriteKey("", body); ok {
			require.NotEmpty(t, key)
			require.LessOrEqual(t, len(key), maxKey)
		}
	})
}

// grown is how much longer than what was sent an event may be stored, beside the
// parts that it shares with its batch: four instants, an id, their keys, and a text
// that may take six bytes a character where there were fewer.
const grown = 300 + 6*MaxMessageID

func requireSound(t *testing.T, body []byte, most int, events []Event, refusals []Refusal, err error) {
	t.Helper()
	if err != nil {
		require.Equal(t, fault.Invalid, fault.KindOf(err))
		require.Empty(t, events)
		require.Empty(t, refusals)
		return
	}
	require.LessOrEqual(t, len(events)+len(refusals), most)
	for _, e := range events {
		require.LessOrEqual(t, len(e.Body), len(body)+grown)
		require.True(t, json.Valid(e.Body) && utf8.Valid(e.Body), "%q", e.Body)
		o, err := jsonvalue.ParseObject(e.Body)
		require.NoError(t, err, "%q", e.Body)
		require.False(t, o.Has("writeKey"))
		require.Equal(t, e.Type, o.Get("type"))
		require.NotEmpty(t, e.MessageID)
		for _, column := range []string{e.UserID, e.AnonymousID, e.Name} {
			require.LessOrEqual(t, len(column), MaxText)
			require.Equal(t, clean(strings.ToValidUTF8(column, "")), column)
		}
		// Read as Segment would send it on, it is the same event in the same bytes.
		again, refused, err := ParseWebhook(e.Body, Limits{EventBytes: 1 << 20}, now.AddDate(1, 0, 0), func() string { return "made anew" })
		require.NoError(t, err)
		require.Empty(t, refused)
		e.Timestamp = again[0].Timestamp // kept to the millisecond
		require.Equal(t, e, again[0])
	}
	for _, r := range refusals {
		require.NotEmpty(t, r.Reason)
		require.NotContains(t, r.Reason, "internal error")
		require.LessOrEqual(t, len(r.Body), min(MaxRefusalBody, len(body)+grown))
	}
}

// requireSaysTheSame holds that all but what a server sets is stored as it was sent.
func requireSaysTheSame(t *testing.T, sent, stored []byte) {
	t.Helper()
	in, err := jsonvalue.ParseObject(sent)
	require.NoError(t, err)
	out, err := jsonvalue.ParseObject(stored)
	require.NoError(t, err)
	for _, key := range []string{"timestamp", "originalTimestamp", "receivedAt", "sentAt", "messageId", "writeKey"} {
		in.Delete(key)
		out.Delete(key)
	}
	require.Equal(t, jsonvalue.Text(in), jsonvalue.Text(out))
}

// FuzzVerifySignature holds it to the rule said with encoding/json: a header counts
// when it is the HMAC of the whole body or of the first element of an array, by one
// of the secrets, and never otherwise.
func FuzzVerifySignature(f *testing.F) {
	for _, body := range []string{`[{"a":1},2]`, `[`, `[ 1.0 , 2]`, `{"a":"é"}`, `[]`, `[{"b":tru},{"x":2}]`, "[\"\xff\"]", `[[[1],2],3]`, ``} {
		f.Add([]byte(body), "00", "s", "old")
		f.Add([]byte(body), " "+strings.ToUpper(Sign([]byte(body), "s"))+"\n", "s", "")
	}
	f.Fuzz(func(t *testing.T, body []byte, header, secret, other string) {
		check := func(header string) {
			for _, secrets := range [][]string{{secret}, {other}, {other, secret}, {""}, nil} {
				want, known := verifyPlainly(body, header, secrets)
				if got := VerifySignature(body, header, secrets); known || want {
					require.Equal(t, want, got, "%q by %q", header, secrets)
				}
			}
		}
		check(header)
		for _, s := range []string{secret, other} {
			check(Sign(body, s))
			check("\t" + strings.ToUpper(Sign(body, s)) + " ")
			check(Sign(body, s)[1:])
			check(Sign(body, s) + "00")
			check(Sign(append(bytes.Clone(body), ' '), s))
			var items []json.RawMessage
			if json.Unmarshal(body, &items) == nil {
				for _, item := range items[:min(len(items), 3)] {
					check(Sign(item, s))
				}
			}
		}
	})
}

// verifyPlainly is not known for certain for an array that is no JSON: where its
// first element ends is then a matter of guessing.
func verifyPlainly(body []byte, header string, secrets []string) (ok, known bool) {
	signed := [][]byte{body}
	var items []json.RawMessage
	switch err := json.Unmarshal(body, &items); {
	case err == nil && len(items) > 0:
		signed, known = append(signed, items[0]), true
	case err == nil, !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("[")):
		known = true
	}
	given, err := hex.DecodeString(strings.TrimSpace(header))
	if err != nil {
		return false, true
	}
	for _, s := range secrets {
		for _, b := range signed {
			m := hmac.New(sha1.New, []byte(s))
			m.Write(b)
			if s != "" && bytes.Equal(m.Sum(nil), given) {
				return true, true
			}
		}
	}
	return false, known
}
