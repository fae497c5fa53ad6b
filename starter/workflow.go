package starter

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/segment"
	"github.com/segue-xm/segue/internal/data/store"
)

// maxWorkflowBody bounds what is posted to a workflow's URL.
const maxWorkflowBody = 256 << 10

// workflowURL takes any JSON for the workflow whose URL it is posted to.
func (s *Starter) workflowURL(c *fiber.Ctx) error {
	token := sha256.Sum256([]byte(c.Params("token")))
	source, ok, err := s.o.Access.WorkflowURL(c.UserContext(), token)
	if err != nil {
		return err
	}
	if !ok {
		return fault.New(fault.NotFound, "no workflow has this URL")
	}
	s.uses.note(token, s.o.Now())
	body, flaw := readBody(c, maxWorkflowBody, s.gate)
	var e store.NewEvent
	if flaw == nil {
		e, flaw = s.postedEvent(c, source, body)
	}
	if flaw != nil {
		_, err := s.keep(c.UserContext(), source, body, func(time.Time) ([]segment.Event, []segment.Refusal, error) { return nil, nil, flaw })
		return err
	}
	if e.MessageID == "" {
		known, err := s.sameBody(c, &e)
		if err != nil {
			return err
		}
		if known != 0 {
			return acceptedAs(c, known)
		}
	}
	o, err := s.commit.enqueue(c.UserContext(), source.Name, []store.NewEvent{e})
	if err != nil {
		return err
	}
	results, err := o.wait()
	if err != nil {
		return err
	}
	if results[0].refusal != "" {
		return fault.New(fault.Invalid, "%s", results[0].refusal)
	}
	return acceptedAs(c, results[0].ID)
}

func acceptedAs(c *fiber.Ctx, event id.ID) error {
	return c.Status(fiber.StatusAccepted).JSON(fiber.Map{"id": event})
}

// postedEvent is the event of a body posted to a workflow's URL. Its MessageID is
// empty when it says none. The body is the request's and lives no longer.
func (s *Starter) postedEvent(c *fiber.Ctx, source Source, body []byte) (store.NewEvent, error) {
	s.gate.enter()
	defer s.gate.leave()
	value, err := jsonvalue.Parse(body)
	if err != nil {
		return store.NewEvent{}, err
	}
	e := store.NewEvent{Source: source.ID, Body: body}
	if o, ok := value.(*jsonvalue.Object); ok {
		e.Type, e.Name, e.UserID = clip(scalar(o, "type", body)), clip(scalar(o, "event", body)), clip(scalar(o, "userId", body))
		e.MessageID = messageID(scalar(o, "messageId", body))
	}
	if key := messageID(c.Get("Idempotency-Key")); key != "" {
		e.MessageID = key
	}
	return e, nil
}

// sameBody gives an event without an id one made of its body and the current span
// of time, and finds an equal one of the span before that is not too old.
func (s *Starter) sameBody(c *fiber.Ctx, e *store.NewEvent) (id.ID, error) {
	sum := sha256.Sum256(e.Body)
	name := func(n int64) string { return fmt.Sprintf("body:%s:%d", hex.EncodeToString(sum[:16]), n) }
	now := s.o.Now()
	n := now.UnixNano() / int64(s.o.SameBody)
	e.MessageID = name(n)
	known, err := s.o.Events.EventByMessage(c.UserContext(), e.Source, name(n-1))
	if fault.KindOf(err) == fault.NotFound {
		return 0, nil
	}
	if err != nil || now.Sub(known.Time()) > s.o.SameBody {
		return 0, err
	}
	return known, nil
}

// scalar is a text or number of an object as text, else "".
func scalar(o *jsonvalue.Object, key string, body []byte) string {
	switch v := o.Get(key).(type) {
	case string:
		return v
	case float64:
		if math.Abs(v) < 1<<53 {
			return jsonvalue.NumberText(v)
		}
		// Different long ids may be the same float: their digits count.
		var top map[string]any
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		if err := d.Decode(&top); err == nil {
			if digits, ok := top[key].(json.Number); ok {
				return digits.String()
			}
		}
		return jsonvalue.NumberText(v)
	}
	return ""
}

// messageID is an id that a sender gave, as a column holds it. One that is too
// long is known by its hash: cut, it could be taken for another.
func messageID(s string) string {
	if len(s) <= segment.MaxText {
		return clip(s)
	}
	sum := sha256.Sum256([]byte(s))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// clip is a text as a column holds it: valid UTF-8 without control characters, not
// too long, and a copy.
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
