package starter

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"runtime"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"

	"github.com/segue-xm/segue/internal/core/fault"
)

// gate bounds how many requests are inflated and cut into events at the same
// time: that takes processors, of which there are few, and memory, which may be
// many times the request. Nothing that waits for somebody else is done inside.
type gate chan struct{}

func newGate() gate { return make(gate, 2*runtime.GOMAXPROCS(0)) }

func (g gate) enter() { g <- struct{}{} }
func (g gate) leave() { <-g }

// inflaters are used again: one has tables of 40 KB. They are the standard library's
// on purpose: a faster one was no faster here, judged some damaged bodies by the
// tables of the body before, and took a member that is cut off in its header for the
// end of the one before.
var inflaters = sync.Pool{New: func() any { return new(gzip.Reader) }}

// readBody is a request's body, inflated when it is gzipped, at most limit bytes.
// Fiber's Body inflates without a limit, so the raw bytes are read here. The result
// lives no longer than the request: what is kept of it must be copied. Of a body
// that is refused, it is the beginning.
func readBody(c *fiber.Ctx, limit int, g gate) ([]byte, error) {
	raw := c.Request().Body()
	switch encoding := c.Get(fiber.HeaderContentEncoding); strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity":
		if len(raw) > limit {
			return raw[:limit], tooLarge(limit)
		}
		return raw, nil
	case "gzip", "x-gzip":
		g.enter()
		defer g.leave()
		return inflate(raw, limit)
	default:
		return nil, fault.Field("Content-Encoding", "%q is not supported: send gzip or none", encoding)
	}
}

func inflate(raw []byte, limit int) ([]byte, error) {
	z := inflaters.Get().(*gzip.Reader)
	defer inflaters.Put(z)
	if err := z.Reset(bytes.NewReader(raw)); err != nil {
		return nil, fault.New(fault.Invalid, "the body is not gzip")
	}
	// Most bodies shrink to a tenth or so; what is larger grows from there.
	body := bytes.NewBuffer(make([]byte, 0, min(8*len(raw), limit)+bytes.MinRead))
	n, err := io.Copy(body, io.LimitReader(z, int64(limit)+1))
	switch {
	case n > int64(limit):
		return body.Bytes()[:limit], tooLarge(limit)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return body.Bytes(), fault.New(fault.Invalid, "the body's gzip ends early")
	case err != nil:
		return body.Bytes(), fault.New(fault.Invalid, "the body's gzip is damaged")
	}
	return body.Bytes(), nil
}

func tooLarge(limit int) error {
	return fault.New(fault.Invalid, "the body is larger than %d bytes", limit)
}
