package people

import (
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/ops"
)

const (
	maxForm    = 64 << 10 // bytes of an answer
	maxComment = 2000     // characters; more is cut off
)

func (w *site) openLink(c *fiber.Ctx) error {
	t, err := token(c)
	if err != nil {
		return w.failed(c, err)
	}
	if c.Method() == fiber.MethodHead { // somebody looks whether it is there; nobody opened it
		if _, err = w.s.Invitation(c.UserContext(), t); err != nil {
			return w.failed(c, err)
		}
		protect(c)
		return c.SendStatus(fiber.StatusOK)
	}
	to, err := w.s.OpenLink(c.UserContext(), t)
	if err != nil {
		return w.failed(c, err)
	}
	if to == "" {
		to = w.public + "/s/" + t
	} else if u, err := url.Parse(to); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return w.failed(c, fault.New(fault.Internal, "the survey's address is not one of a page"))
	}
	protect(c)
	return c.Redirect(to, fiber.StatusFound)
}

// askOptOut only asks, because mail scanners follow links.
func (w *site) askOptOut(c *fiber.Ctx) error {
	_, v, err := w.visit(c)
	if err != nil {
		return w.failed(c, err)
	}
	return w.render(c, fiber.StatusOK, "optout", v)
}

// optOut takes the page's button and mail programs' one click alike; the token
// is all that is needed, so the body is not read.
func (w *site) optOut(c *fiber.Ctx) error {
	t, v, err := w.visit(c)
	if err == nil {
		err = w.s.OptOut(c.UserContext(), t)
	}
	if err != nil {
		return w.failed(c, err)
	}
	return w.message(c, fiber.StatusOK, v, v.Words.OptedOut)
}

func (w *site) showSurvey(c *fiber.Ctx) error {
	_, v, err := w.visit(c)
	if err != nil {
		return w.failed(c, err)
	}
	if over := v.over(); over != nil {
		return w.message(c, fiber.StatusOK, v, *over)
	}
	return w.render(c, fiber.StatusOK, "survey", v)
}

func (w *site) answerSurvey(c *fiber.Ctx) error {
	t, v, err := w.visit(c)
	if err != nil {
		return w.failed(c, err)
	}
	if over := v.over(); over != nil {
		return w.message(c, fiber.StatusOK, v, *over)
	}
	if len(c.Request().Body()) > maxForm {
		return w.message(c, fiber.StatusRequestEntityTooLarge, v, v.Words.TooLong)
	}
	form := c.Request().PostArgs()
	v.Comment = cut(strings.ToValidUTF8(string(form.Peek("comment")), "\uFFFD"))
	v.Rating, err = strconv.Atoi(string(form.Peek("rating")))
	if err != nil || v.Rating < 1 || v.Rating > 5 {
		v.Rating, v.Missing = 0, true
		return w.render(c, fiber.StatusUnprocessableEntity, "survey", v)
	}
	answers := jsonvalue.NewObject(2)
	answers.Set("rating", float64(v.Rating))
	if v.Comment != "" {
		answers.Set("comment", v.Comment)
	}
	err = w.s.Respond(c.UserContext(), ops.Response{Token: t, Status: ops.ResponseFinished, Answers: answers})
	switch {
	case fault.KindOf(err) == fault.Conflict:
		return w.message(c, fiber.StatusOK, v, v.Words.Already)
	case err != nil:
		return w.failed(c, err)
	}
	return w.message(c, fiber.StatusOK, v, v.Words.Thanks)
}

// cut trims a comment, drops control characters but line ends and tabs, and
// keeps at most maxComment characters.
func cut(s string) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == '\r' || r < 0x20 && r != '\n' && r != '\t' || 0x7f <= r && r < 0xa0 {
			return -1
		}
		return r
	}, s))
	for n := utf8.RuneCountInString(s); n > maxComment; n-- {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}

// visit reads the token and what its pages show.
func (w *site) visit(c *fiber.Ctx) (string, view, error) {
	t, err := token(c)
	if err != nil {
		return "", view{}, err
	}
	invite, err := w.s.Invitation(c.UserContext(), t)
	if err != nil {
		return "", view{}, err
	}
	lang := distribution.Language(invite.Language)
	v := view{Lang: lang, Words: catalogue[lang], invite: invite}
	v.Question = question(invite.Question, lang)
	return t, v, nil
}

// question picks the text for a language: its own, the English one, ours.
func question(texts map[string]string, lang string) string {
	for _, l := range []string{lang, "en"} {
		if q := strings.TrimSpace(texts[l]); q != "" {
			return q
		}
	}
	return catalogue[lang].Question
}

// over is the message for somebody who cannot answer (any more), or nil.
func (v view) over() *Message {
	switch {
	case v.invite.Responded:
		return &v.Words.Already
	case v.invite.Status == distribution.Expired || v.invite.Status == distribution.Cancelled:
		return &v.Words.Closed
	}
	return nil
}
