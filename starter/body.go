package starter

import (
	"bytes"
	"io"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/klauspost/compress/gzip"

	"github.com/segue-xm/segue/internal/fault"
)

// readBody is a request's body, inflated when it is gzipped, at most limit bytes.
// Fiber's Body inflates without a limit, so the raw bytes are read here. The result
// lives no longer than the request: what is kept of it must be copied.
func readBody(c *fiber.Ctx, limit int) ([]byte, error) {
	raw := c.Request().Body()
	tooLarge := fault.New(fault.Invalid, "the body is larger than %d bytes", limit)
	switch encoding := strings.ToLower(strings.TrimSpace(c.Get(fiber.HeaderContentEncoding))); encoding {
	case "", "identity":
		if len(raw) > limit {
			return nil, tooLarge
		}
		return raw, nil
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			return nil, fault.New(fault.Invalid, "the body is not gzip")
		}
		defer z.Close() //nolint:errcheck // nothing to write
		body, err := io.ReadAll(io.LimitReader(z, int64(limit)+1))
		if err != nil {
			return nil, fault.New(fault.Invalid, "the body's gzip is damaged")
		}
		if len(body) > limit {
			return nil, tooLarge
		}
		return body, nil
	default:
		return nil, fault.Field("Content-Encoding", "%q is not supported: send gzip or none", encoding)
	}
}
