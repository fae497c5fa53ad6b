package people

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/ops"
)

const (
	maxReport     = 256 << 10 // bytes of a report
	maxResponseID = 255       // bytes
)

// Sign returns the X-Signature of a report: lower-case hex HMAC-SHA256 of its
// body.
func Sign(body []byte, secret string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

// signed reports whether header signs body with one of the secrets, compared in
// constant time. An empty secret never verifies.
func signed(body []byte, header string, secrets []string) bool {
	header = strings.ToLower(strings.TrimSpace(header))
	ok := false
	for _, s := range secrets {
		if s != "" && hmac.Equal([]byte(Sign(body, s)), []byte(header)) {
			ok = true
		}
	}
	return ok
}

// respond takes what a survey tool reports. A survey with a secret has its
// reports signed; for one without, the token alone is what shows that the sender
// knows the person's link.
func (w *site) respond(c *fiber.Ctx) error {
	c.Set("Cache-Control", "no-store")
	body := c.Request().Body() // as sent: what the sender signed
	if len(body) > maxReport {
		return fault.New(fault.Invalid, "report is %d bytes; the limit is %d", len(body), maxReport)
	}
	r, err := parseReport(body)
	if err != nil {
		return err
	}
	secrets, err := w.s.SurveySecret(c.UserContext(), r.Token)
	if err != nil {
		return err
	}
	if len(secrets) > 0 && !signed(body, c.Get("X-Signature"), secrets) {
		return fault.New(fault.Unauthorized, "X-Signature: want the hex HMAC-SHA256 of the body with the survey's secret")
	}
	if err := w.s.Respond(c.UserContext(), r); err != nil {
		return err
	}
	return c.JSON(fiber.Map{"success": true})
}

// parseReport reads a report; an error is Invalid and names the field, or
// NotFound for what cannot be a token. The result owns its memory.
func parseReport(body []byte) (ops.Response, error) {
	o, err := jsonvalue.ParseObject(body)
	if err != nil {
		return ops.Response{}, err
	}
	text := func(key string) (string, error) {
		switch v := o.Get(key).(type) {
		case string:
			return strings.Clone(v), nil
		case nil, jsonvalue.Undefined:
			return "", nil
		default:
			return "", fault.Field(key, "want a string, have %s", jsonvalue.TypeName(v))
		}
	}
	var r ops.Response
	for _, f := range []struct {
		key string
		to  *string
	}{{"token", &r.Token}, {"status", &r.Status}, {"response_id", &r.ResponseID}} {
		if *f.to, err = text(f.key); err != nil {
			return ops.Response{}, err
		}
	}
	if r.Token == "" {
		return ops.Response{}, fault.Field("token", "missing")
	}
	if r.Token, err = distribution.ParseToken(r.Token); err != nil {
		return ops.Response{}, err
	}
	if r.Status != ops.ResponseStarted && r.Status != ops.ResponseFinished {
		return ops.Response{}, fault.Field("status", "want %s or %s", ops.ResponseStarted, ops.ResponseFinished)
	}
	if len(r.ResponseID) > maxResponseID {
		return ops.Response{}, fault.Field("response_id", "%d bytes; the limit is %d", len(r.ResponseID), maxResponseID)
	}
	switch v := o.Get("answers").(type) {
	case *jsonvalue.Object:
		r.Answers = v
	case nil, jsonvalue.Undefined:
	default:
		return ops.Response{}, fault.Field("answers", "want an object, have %s", jsonvalue.TypeName(v))
	}
	return r, nil
}
