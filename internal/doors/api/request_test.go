package api

import (
	"errors"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/ops"
)

// FuzzReadFilter: whatever a list is asked with is read, or refused as the
// caller's mistake.
func FuzzReadFilter(f *testing.F) {
	for _, seed := range []struct {
		method, query, body string
	}{
		{"GET", "type=track&limit=3&since=2026-03-01T12:00:00Z", ""},
		{"GET", "a&a=%00&&=&limit=99999999999999999999", ""},
		{"POST", "", `{"type":"track","limit":3,"cursor":null}`},
		{"POST", "x=1", `{`},
		{"POST", "", `{"since":1e999,"type":{"a":[]}}`},
	} {
		f.Add(seed.method, seed.query, seed.body)
	}
	app := fiber.New()
	f.Fuzz(func(t *testing.T, method, query, body string) {
		var r fasthttp.RequestCtx
		r.Request.Header.SetMethod(method)
		r.Request.SetRequestURI("/events")
		r.Request.URI().SetQueryString(query)
		r.Request.SetBodyString(body)
		c := app.AcquireCtx(&r)
		defer app.ReleaseCtx(c)
		_, p, err := readFilter[ops.EventFilter](c)
		var tooLarge *fiber.Error
		if err == nil {
			require.GreaterOrEqual(t, p.Limit, 0)
		} else if !errors.As(err, &tooLarge) {
			require.Equal(t, fault.Invalid, fault.KindOf(err), err)
		}
	})
}
