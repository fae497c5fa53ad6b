package kit

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/segue-xm/segue/internal/core/fault"
)

// ReadBody reads a request's body, at most limit bytes. A compressed one is
// refused: nothing a door takes in one piece is large.
func ReadBody(c *fiber.Ctx, limit int) ([]byte, error) {
	if c.Get(fiber.HeaderContentEncoding) != "" {
		return nil, fiber.NewError(fiber.StatusUnsupportedMediaType, "send the body without Content-Encoding")
	}
	var body []byte
	if stream := c.Context().RequestBodyStream(); stream != nil {
		var err error
		if body, err = io.ReadAll(io.LimitReader(stream, int64(limit)+1)); err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the body broke off")
		}
	} else {
		body = c.Request().Body()
	}
	if len(body) > limit {
		return nil, fiber.NewError(fiber.StatusRequestEntityTooLarge, "the body may have "+strconv.Itoa(limit)+" bytes")
	}
	return body, nil
}

// Decode reads one JSON value, with every key known.
func Decode(body []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	d.UseNumber()
	err := d.Decode(to)
	if err == nil {
		if _, end := d.Token(); !errors.Is(end, io.EOF) {
			err = errors.New("something follows the JSON value")
		}
	}
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong) && wrong.Field != "":
		return fault.Field(wrong.Field, "must not be a %s", wrong.Value)
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		name, _ := strconv.Unquote(strings.TrimPrefix(err.Error(), "json: unknown field "))
		return fault.Field(name, "unknown key")
	}
	return fault.New(fault.Invalid, "the body is not the JSON this takes: %s", strings.TrimPrefix(err.Error(), "json: "))
}
