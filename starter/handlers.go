package starter

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/segue-xm/segue/internal/fault"
	"github.com/segue-xm/segue/internal/id"
	"github.com/segue-xm/segue/internal/jsonvalue"
	"github.com/segue-xm/segue/internal/segment"
	"github.com/segue-xm/segue/internal/store"
)

// call takes one event of the type that the path says.
func (s *Starter) call(typ string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		body, err := readBody(c, segment.MaxEvent+segment.MaxShared)
		if err != nil {
			return err
		}
		source, err := s.source(c, body)
		if err != nil {
			return err
		}
		events, refusals, err := segment.ParseCall(typ, body, s.o.Now(), newMessageID)
		if err != nil {
			return s.refuse(source, err, body)
		}
		if _, err := s.keep(source, events, refusals); err != nil {
			return err
		}
		if len(refusals) > 0 {
			return fault.New(fault.Invalid, "%s", refusals[0].Reason)
		}
		return success(c)
	}
}

// batch takes many events. Items that cannot be accepted are recorded with their
// reason; the others are taken all the same.
func (s *Starter) batch(c *fiber.Ctx) error {
	body, err := readBody(c, segment.MaxBatch)
	if err != nil {
		return err
	}
	source, err := s.source(c, body)
	if err != nil {
		return err
	}
	events, refusals, err := segment.ParseBatch(body, s.o.Now(), newMessageID)
	if err != nil {
		return s.refuse(source, err, body)
	}
	if _, err := s.keep(source, events, refusals); err != nil {
		return err
	}
	return success(c)
}

// webhook takes what Segment's webhook destinations send.
func (s *Starter) webhook(c *fiber.Ctx) error {
	limit := s.o.Webhooks.Bytes
	if limit == 0 {
		limit = 16 << 20
	}
	body, err := readBody(c, limit)
	if err != nil {
		return err
	}
	source, ok := s.o.Access.Source(c.UserContext(), c.Params("source"))
	if !ok {
		return fault.New(fault.NotFound, "no source is called %q", c.Params("source"))
	}
	if len(source.WebhookSecrets) == 0 {
		return fault.New(fault.Unauthorized, "the source has no webhook secret to check the signature by")
	}
	if !segment.VerifySignature(body, c.Get("X-Signature"), source.WebhookSecrets) {
		return fault.New(fault.Unauthorized, "X-Signature does not match")
	}
	events, refusals, err := segment.ParseWebhook(body, s.o.Webhooks, s.o.Now(), newMessageID)
	if err != nil {
		return s.refuse(source, err, body)
	}
	if _, err := s.keep(source, events, refusals); err != nil {
		return err
	}
	return success(c)
}

// maxWorkflowBody bounds what is posted to a workflow's URL.
const maxWorkflowBody = 1 << 20

// workflowURL takes any JSON for the workflow whose URL it is posted to.
func (s *Starter) workflowURL(c *fiber.Ctx) error {
	body, err := readBody(c, maxWorkflowBody)
	if err != nil {
		return err
	}
	source, ok := s.o.Access.WorkflowURL(c.UserContext(), c.Params("token"))
	if !ok {
		return fault.New(fault.NotFound, "no workflow has this URL")
	}
	value, err := jsonvalue.Parse(body)
	if err != nil {
		return s.refuse(source, err, body)
	}
	e := store.NewEvent{Source: source.ID, Body: body}
	if o, ok := value.(*jsonvalue.Object); ok {
		e.Type, e.Name, e.UserID, e.MessageID = shortText(o, "type"), shortText(o, "event"), shortText(o, "userId"), shortText(o, "messageId")
	}
	if key := c.Get("Idempotency-Key"); key != "" {
		e.MessageID = clip(key)
	}
	if e.MessageID == "" {
		if known, err := s.sameBody(c, source.ID, &e); err != nil || known != 0 {
			return acceptedAs(c, known, err)
		}
	}
	out, err := s.commit.store(source.Name, []store.NewEvent{e})
	if err != nil {
		return err
	}
	return acceptedAs(c, out[0].ID, nil)
}

func acceptedAs(c *fiber.Ctx, event id.ID, err error) error {
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusAccepted).JSON(fiber.Map{"id": event})
}

// sameBody gives an event without an id one made of its body and the current span
// of time, and finds an equal one of the span before that is not too old.
func (s *Starter) sameBody(c *fiber.Ctx, source id.ID, e *store.NewEvent) (id.ID, error) {
	sum := sha256.Sum256(e.Body)
	name := func(n int64) string { return fmt.Sprintf("body:%s:%d", hex.EncodeToString(sum[:16]), n) }
	now := s.o.Now()
	n := now.UnixNano() / int64(s.o.SameBody)
	e.MessageID = name(n)
	known, err := s.o.Events.EventByMessage(c.UserContext(), source, name(n-1))
	if fault.KindOf(err) == fault.NotFound {
		return 0, nil
	}
	if err != nil || now.Sub(known.Time()) > s.o.SameBody {
		return 0, err
	}
	return known, nil
}

func shortText(o *jsonvalue.Object, key string) string {
	switch v := o.Get(key).(type) {
	case string:
		return clip(v)
	case float64:
		return jsonvalue.NumberText(v)
	}
	return ""
}

func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	if len(s) > segment.MaxText {
		s = strings.ToValidUTF8(s[:segment.MaxText], "")
	}
	return strings.Clone(s)
}

// source is who a request authenticates as, by its write key.
func (s *Starter) source(c *fiber.Ctx, body []byte) (Source, error) {
	key, ok := segment.WriteKey(c.Get(fiber.HeaderAuthorization), body)
	if !ok {
		return Source{}, fault.New(fault.Unauthorized, "no write key: send it as user of HTTP Basic, or as writeKey in the body")
	}
	source, ok := s.o.Access.WriteKey(c.UserContext(), key)
	if !ok {
		return Source{}, fault.New(fault.Unauthorized, "this write key is not known")
	}
	return source, nil
}

// refuse records a whole request that cannot be accepted, and answers why.
func (s *Starter) refuse(source Source, why error, body []byte) error {
	if fault.KindOf(why) == fault.Invalid {
		if _, err := s.keep(source, nil, []segment.Refusal{{Reason: fault.Public(why), Body: body[:min(len(body), segment.MaxRefusalBody)]}}); err != nil {
			return err
		}
	}
	return why
}

// keep stores what was accepted and what was refused, in one commit.
func (s *Starter) keep(source Source, events []segment.Event, refusals []segment.Refusal) ([]store.Accepted, error) {
	list := make([]store.NewEvent, 0, len(events)+len(refusals))
	for _, e := range events {
		list = append(list, store.NewEvent{Source: source.ID, Type: e.Type, Name: e.Name, UserID: e.UserID, MessageID: e.MessageID, Body: e.Body})
	}
	for _, r := range refusals {
		list = append(list, store.NewEvent{Source: source.ID, Type: clip(r.Type), MessageID: clip(r.MessageID), Refusal: r.Reason, Body: bytes.Clone(r.Body)})
	}
	return s.commit.store(source.Name, list)
}

// newMessageID is for events that came without one.
func newMessageID() string { return "segue-" + store.NewToken() }
