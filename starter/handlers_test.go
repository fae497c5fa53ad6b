package starter

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/data/store"
	"github.com/segue-xm/segue/internal/doors/kit"
)

// nowhere stores nothing and acknowledges everything.
type nowhere struct {
	n    id.ID
	look func([]store.NewEvent) // nil: nobody looks
}

func (s *nowhere) StoreEvents(_ context.Context, events []store.NewEvent, _ time.Duration) ([]store.Accepted, error) {
	if s.look != nil {
		s.look(events)
	}
	out := make([]store.Accepted, len(events))
	for i := range out {
		s.n++
		out[i].ID = s.n
	}
	return out, nil
}
func (*nowhere) EventByMessage(context.Context, id.ID, string) (id.ID, error) { return 0, nil }
func (*nowhere) NoteURLUse(context.Context, [32]byte, time.Time) error        { return nil }
func (*nowhere) ProcessEvents(context.Context, []id.ID, string) error         { return nil }
func (*nowhere) CurrentRevision(context.Context) (int64, error)               { return 1, nil }
func (*nowhere) NameIDs(context.Context) (map[plan.Name]id.ID, error)         { return nil, nil }
func (*nowhere) WorkflowURLs(context.Context) (map[[32]byte]id.ID, error) {
	return map[[32]byte]id.ID{sha256.Sum256([]byte("url")): 0}, nil
}
func (*nowhere) RevisionPlan(context.Context, int64) (*plan.Plan, error) {
	return &plan.Plan{Sources: []plan.Source{{Name: "web", WriteKeys: []plan.Secret{"wk"}, WebhookSecrets: []plan.Secret{"s"}}}, Workflows: []plan.Workflow{{Name: "w"}}}, nil
}

// handler is ingest without a network and without a database.
func handler(t testing.TB) fasthttp.RequestHandler { return handlerOn(t, &nowhere{}) }

func handlerOn(t testing.TB, n *nowhere) fasthttp.RequestHandler {
	log := slog.New(slog.DiscardHandler)
	access, err := NewAccess(t.Context(), n, func(context.Context) (map[string]string, error) { return nil, nil }, log)
	require.NoError(t, err)
	s := New(Options{Events: n, Access: access, Launcher: n, Logger: log, Now: time.Now})
	t.Cleanup(s.Close)
	app := fiber.New(fiber.Config{DisableStartupMessage: true, DisablePreParseMultipartForm: true, ErrorHandler: kit.ErrorHandler(log)})
	s.Register(app)
	return app.Handler()
}

func request(path string, body []byte, header ...string) *fasthttp.RequestCtx {
	c := &fasthttp.RequestCtx{}
	c.Request.Header.SetMethod(fasthttp.MethodPost)
	c.Request.SetRequestURI(path)
	c.Request.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("wk:")))
	for i := 0; i < len(header); i += 2 {
		c.Request.Header.Set(header[i], header[i+1])
	}
	c.Request.SetBody(body)
	return c
}

const oneEvent = `{"messageId":"m-%d","anonymousId":"507f191e810c19729de860ea","userId":"u_42","event":"Order Completed","properties":{"order_id":"o-1","total":42.50,
"currency":"USD","products":[{"id":"a","price":19.99,"quantity":1},{"id":"b","price":22.51,"quantity":1}]},"context":{"ip":"203.0.113.7","locale":"ja-JP",
"userAgent":"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)","page":{"path":"/checkout","url":"https://shop.example/checkout"},
"traits":{"email":"hana@example.com"}},"timestamp":"2026-03-01T10:00:00.000Z","sentAt":"2026-03-01T10:00:01.000Z"}`

func benchmark(b *testing.B, path string, body []byte, header ...string) {
	h := handler(b)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	c := request(path, body, header...)
	for b.Loop() {
		c.Response.Reset()
		h(c)
		if c.Response.StatusCode() != 200 {
			b.Fatalf("%s", c.Response.Body())
		}
	}
}

func BenchmarkTrack(b *testing.B) { benchmark(b, "/v1/track", fmt.Appendf(nil, oneEvent, 1)) }

func BenchmarkBatch100(b *testing.B) { benchmark(b, "/v1/batch", hundred()) }

func BenchmarkBatch100Gzip(b *testing.B) {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, _ = w.Write(hundred())
	_ = w.Close()
	benchmark(b, "/v1/batch", z.Bytes(), "Content-Encoding", "gzip")
}

func hundred() []byte {
	body := []byte(`{"context":{"library":{"name":"analytics-go","version":"3.3.0"}},"batch":[`)
	for i := range 100 {
		if i > 0 {
			body = append(body, ',')
		}
		body = fmt.Appendf(body, strings.Replace(oneEvent, "{", `{"type":"track",`, 1), i)
	}
	return append(body, "]}"...)
}
