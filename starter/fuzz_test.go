package starter

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/segment"
	"github.com/segue-xm/segue/internal/data/store"
)

// How a fuzzed request is made, as bits.
const (
	sendGzipped = 1 << iota // the body is gzipped before it is sent
	sendSigned              // with the right signature
	sendNoKey               // without a write key in the header
)

// FuzzRequest gives every path bodies and headers as anybody may send them. The
// answer is a success or says that the sender is wrong; nobody without a key gets
// anything stored; what is stored is bounded by what the body inflates to.
func FuzzRequest(f *testing.F) {
	var stored []store.NewEvent
	h := handlerOn(f, &nowhere{look: func(events []store.NewEvent) { stored = append(stored, events...) }})
	paths := []string{"/v1/track", "/v1/batch", "/v1/webhooks/segment/web", "/v1/i", "/v1/workflows/url", "/v1/m"}
	batch := `{"sentAt":"2026-03-01T10:00:00Z","context":{"a":1},"batch":[{"type":"page","userId":"u"},{"type":"track"},tru]}`
	f.Add(uint8(1), uint8(sendGzipped), "gzip", "", "", []byte(batch))
	f.Add(uint8(1), uint8(0), "gzip", "", "", gzipOf(f, batch)[:30])
	f.Add(uint8(0), uint8(0), "", "", "", []byte(`{"userId":"u","event":"E","writeKey":"wk"}`))
	f.Add(uint8(0), uint8(sendNoKey), "", "", "", []byte(`{"userId":"u","event":"E","writeKey":"wk"}`))
	f.Add(uint8(2), uint8(0), "identity", segment.Sign([]byte(`[]`), "s"), "", []byte(`[]`))
	f.Add(uint8(2), uint8(sendSigned|sendGzipped), "x-gzip", "", "", []byte(`[{"type":"delete","userId":"u"},{"type":"identify","userId":5}]`))
	f.Add(uint8(3), uint8(0), "br", "", "", []byte("\x00\xff"))
	f.Add(uint8(4), uint8(0), "", "", "once", []byte(`{"type":"a","userId":12345678901234567890}`))
	f.Add(uint8(4), uint8(0), "", "", "", []byte(`[1]`))
	f.Fuzz(func(t *testing.T, path, how uint8, encoding, signature, key string, body []byte) {
		stored = stored[:0]
		sent := body
		if how&sendGzipped != 0 {
			sent = gzipOf(t, string(body))
		}
		if how&sendSigned != 0 {
			signature = segment.Sign(body, "s")
		}
		to := paths[int(path)%len(paths)]
		c := request(to, sent, "Content-Encoding", encoding, "X-Signature", signature, "Idempotency-Key", key)
		if how&sendNoKey != 0 {
			c.Request.Header.Del("Authorization")
		}
		h(c)
		status, answer := c.Response.StatusCode(), c.Response.Body()
		require.True(t, json.Valid(answer), "%s", answer)
		switch status {
		case 200, 202:
			require.Equal(t, status == 202, strings.HasPrefix(to, "/v1/workflows/"))
		case 400, 401:
			var problem struct{ Detail string }
			require.NoError(t, json.Unmarshal(answer, &problem))
			require.NotEmpty(t, problem.Detail)
		default:
			t.Fatalf("%d: %s", status, answer)
		}
		if status == 401 {
			require.Empty(t, stored)
		}
		for _, e := range stored {
			require.LessOrEqual(t, len(e.Type), segment.MaxText)
			require.LessOrEqual(t, len(e.MessageID), segment.MaxText)
			require.LessOrEqual(t, len(e.Body), max(len(body), len(sent))+2048)
			if e.Refusal == "" {
				require.NotEqual(t, 400, status)
				_, err := jsonvalue.Parse(e.Body)
				require.NoError(t, err)
				require.NotEmpty(t, e.MessageID)
			}
		}
	})
}

func gzipOf(t testing.TB, body string) []byte {
	t.Helper()
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	fmt.Fprint(w, body)
	require.NoError(t, w.Close())
	return z.Bytes()
}

// FuzzInflate holds that no gzip yields more than the limit, or takes more memory
// than a little above it, and that what fits is what the standard library reads.
func FuzzInflate(f *testing.F) {
	for _, n := range []int{0, 1, 999, 1000, 1001, 1 << 20} {
		z := gzipOf(f, strings.Repeat("x", n))
		f.Add(z)
		f.Add(append(bytes.Clone(z), z...))
		f.Add(append(bytes.Clone(z), "trailing"...))
		f.Add(z[:len(z)/2])
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		const limit = 1000
		body, err := inflate(raw, limit)
		require.LessOrEqual(t, len(body), limit)
		require.LessOrEqual(t, cap(body), 4*(limit+bytes.MinRead))
		again, err2 := inflate(raw, limit)
		require.Equal(t, err, err2, "a body is judged by itself")
		require.Equal(t, string(body), string(again))
		z, plainErr := gzip.NewReader(bytes.NewReader(raw))
		if plainErr != nil {
			require.Error(t, err)
			return
		}
		whole, plainErr := io.ReadAll(io.LimitReader(z, limit+1))
		if plainErr == nil && len(whole) <= limit {
			require.NoError(t, err)
			require.Equal(t, string(whole), string(body))
		} else {
			require.Error(t, err)
		}
	})
}
