package starter

import (
	"context"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/segment"
	"github.com/segue-xm/segue/internal/data/store"
)

// maxCall bounds the body of a single call. It is above the limit of an event, so
// that an event which is a little too large is named and kept as refused.
const maxCall = 2 * segment.MaxEvent

// call takes one event of the type that the path says.
func (s *Starter) call(typ string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		source, body, err := s.authenticated(c, maxCall)
		if err != nil {
			return err
		}
		results, err := s.keep(c.UserContext(), source, body, func(now time.Time) ([]segment.Event, []segment.Refusal, error) {
			return segment.ParseCall(typ, body, now, newMessageID)
		})
		if err != nil {
			return err
		}
		if err := allRefused(results); err != nil {
			return err
		}
		return success(c)
	}
}

// allRefused is why nothing of a request was taken, or nil.
func allRefused(results []result) error {
	for _, r := range results {
		if r.refusal == "" {
			return nil
		}
	}
	if len(results) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, "%s", results[0].refusal)
}

// batch takes many events. Items that cannot be accepted are recorded with their
// reason; the others are taken all the same.
func (s *Starter) batch(c *fiber.Ctx) error {
	source, body, err := s.authenticated(c, segment.MaxBatch)
	if err != nil {
		return err
	}
	if _, err := s.keep(c.UserContext(), source, body, func(now time.Time) ([]segment.Event, []segment.Refusal, error) {
		return segment.ParseBatch(body, now, newMessageID)
	}); err != nil {
		return err
	}
	return success(c)
}

// webhook takes what Segment's webhook destinations send. When nothing of it can be
// taken, Segment hears so: it never repeats a 400, and shows it to whoever has
// reshaped the data. Nothing is inflated for a sender who cannot know the secret.
func (s *Starter) webhook(c *fiber.Ctx) error {
	name, err := url.PathUnescape(c.Params("source"))
	if err != nil {
		return fault.New(fault.NotFound, "no source is called %q", c.Params("source"))
	}
	source, ok, err := s.o.Access.Source(c.UserContext(), name)
	switch {
	case err != nil:
		return err
	case !ok:
		return fault.New(fault.NotFound, "no source is called %q", name)
	case len(source.WebhookSecrets) == 0:
		return fault.New(fault.Unauthorized, "the source has no webhook secret to check the signature by")
	case c.Get("X-Signature") == "":
		return fault.New(fault.Unauthorized, "X-Signature is missing")
	}
	body, err := readBody(c, s.o.Webhooks.Bytes, s.gate)
	if err != nil {
		return err
	}
	if !segment.VerifySignature(body, c.Get("X-Signature"), source.WebhookSecrets) {
		return fault.New(fault.Unauthorized, "X-Signature does not match")
	}
	results, err := s.keep(c.UserContext(), source, body, func(now time.Time) ([]segment.Event, []segment.Refusal, error) {
		return segment.ParseWebhook(body, s.o.Webhooks, now, newMessageID)
	})
	if err == nil {
		err = allRefused(results)
	}
	if err != nil {
		return err
	}
	return success(c)
}

// authenticated reads a body of the Tracking API and finds who sent it, by its
// write key.
func (s *Starter) authenticated(c *fiber.Ctx, limit int) (Source, []byte, error) {
	body, flaw := readBody(c, limit, s.gate)
	header := c.Get(fiber.HeaderAuthorization)
	if flaw != nil {
		// Kept as refused when the header alone says whose it is; else only answered.
		if key, ok := segment.WriteKey(header, nil); ok {
			if source, ok, _ := s.o.Access.WriteKey(c.UserContext(), key); ok {
				_, err := s.keep(c.UserContext(), source, body, func(time.Time) ([]segment.Event, []segment.Refusal, error) { return nil, nil, flaw })
				return source, nil, err
			}
		}
		return Source{}, nil, flaw
	}
	key, ok := segment.WriteKey(header, body)
	if !ok {
		return Source{}, nil, fault.New(fault.Unauthorized, "no write key: send it as user of HTTP Basic, or as writeKey in the body")
	}
	source, ok, err := s.o.Access.WriteKey(c.UserContext(), key)
	if err == nil && !ok {
		err = fault.New(fault.Unauthorized, "this write key is not known")
	}
	return source, body, err
}

// parser cuts a body into what is accepted and what is refused; an error refuses
// all of it.
type parser func(now time.Time) ([]segment.Event, []segment.Refusal, error)

// keep stores what was accepted and what was refused, in one commit, and waits for
// it. A body that is refused as a whole is recorded too, and then the error says
// why it was.
func (s *Starter) keep(ctx context.Context, source Source, body []byte, parse parser) ([]result, error) {
	o, why, err := s.begin(ctx, source, body, parse)
	if err != nil {
		return nil, err
	}
	results, err := o.wait()
	if err == nil {
		err = why
	}
	return results, err
}

// begin is keep until there is nothing to do but wait.
func (s *Starter) begin(ctx context.Context, source Source, body []byte, parse parser) (o *order, why, err error) {
	s.gate.enter()
	defer s.gate.leave()
	events, refusals, why := parse(s.o.Now())
	if why != nil {
		if fault.KindOf(why) != fault.Invalid {
			return nil, nil, why
		}
		refusals = []segment.Refusal{{Reason: fault.Public(why), Body: body[:min(len(body), segment.MaxRefusalBody)]}}
	}
	list := make([]store.NewEvent, 0, len(events)+len(refusals))
	for _, e := range events {
		list = append(list, store.NewEvent{Source: source.ID, Type: e.Type, Name: e.Name, UserID: e.UserID, MessageID: e.MessageID, Body: e.Body})
	}
	for _, r := range refusals {
		list = append(list, store.NewEvent{Source: source.ID, Type: clip(r.Type), MessageID: clip(r.MessageID), Refusal: plain(r.Reason), Body: notNil(r.Body)})
	}
	o, err = s.commit.enqueue(ctx, source.Name, list)
	return o, why, err
}

// notNil is a body as the database takes it: an empty one is kept as that.
func notNil(body []byte) []byte {
	if body == nil {
		return []byte{}
	}
	return body
}

// newMessageID is for events that came without one.
func newMessageID() string { return "segue-" + store.NewToken() }
