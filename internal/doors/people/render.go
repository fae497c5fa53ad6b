package people

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the pages' files
	"encoding/base64"
	"html/template"
	"log/slog"

	"github.com/gofiber/fiber/v2"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/ops"
)

var (
	//go:embed page/pages.html
	pagesHTML string
	//go:embed page/style.css
	styleCSS string

	pages = template.Must(template.New("").Parse(pagesHTML))
	// style is trusted: a file of ours. Its hash is what lets it through policy.
	style = template.HTML("<style>" + styleCSS + "</style>") //nolint:gosec // see above
	// policy allows our style and our forms, nothing else.
	policy = "default-src 'none'; style-src 'sha256-" + hash(styleCSS) + "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// view is what the templates see.
type view struct {
	Lang     string
	Words    Words
	Question string
	Rating   int  // chosen before, 0 for none
	Missing  bool // answered without choosing
	Comment  string
	Messages []said

	invite ops.Invite
}

// said is a message in its language.
type said struct {
	Lang string
	Message
}

// Style is the style element.
func (view) Style() template.HTML { return style }

// MaxComment is how much a comment may hold.
func (view) MaxComment() int { return maxComment }

// choice is one step of the scale.
type choice struct {
	Value   int
	Label   string
	Checked bool
}

// Choices is the scale.
func (v view) Choices() []choice {
	var cs []choice
	for k, label := range v.Words.Scale {
		cs = append(cs, choice{k + 1, label, v.Rating == k+1})
	}
	return cs
}

// Title is the document's: the first message's, else the page's own.
func (v view) Title() string {
	if len(v.Messages) > 0 {
		return v.Messages[0].Title
	}
	return v.Question
}

func (w *site) render(c *fiber.Ctx, status int, name string, v view) error {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, v); err != nil {
		w.log.ErrorContext(c.UserContext(), "page not rendered", slog.String("page", name), slog.Any("error", err))
		return fault.Wrap(fault.Internal, err, "render page")
	}
	protect(c)
	c.Set("Content-Language", v.Lang)
	c.Type("html", "utf-8")
	return c.Status(status).Send(b.Bytes())
}

func (w *site) message(c *fiber.Ctx, status int, v view, m Message) error {
	v.Messages = []said{{v.Lang, m}}
	return w.render(c, status, "message", v)
}

// failed shows what went wrong in both languages, since whose link it was is not
// known, and logs what the visitor cannot mend.
func (w *site) failed(c *fiber.Ctx, err error) error {
	status := fiber.StatusServiceUnavailable
	pick := func(words Words) Message { return words.Broken }
	if fault.KindOf(err) == fault.NotFound {
		status = fiber.StatusNotFound
		pick = func(words Words) Message { return words.Unknown }
	} else {
		if fault.KindOf(err) != fault.Unavailable {
			status = fiber.StatusInternalServerError
		}
		// The route, not the path: the token is a secret.
		w.log.ErrorContext(c.UserContext(), "page failed", slog.String("route", c.Route().Path), slog.Any("error", err))
	}
	v := view{Lang: "en", Words: catalogue["en"]}
	for _, lang := range []string{"en", "ja"} {
		v.Messages = append(v.Messages, said{lang, pick(catalogue[lang])})
	}
	if err := w.render(c, status, "message", v); err != nil {
		return err
	}
	c.Response().Header.Del("Content-Language")
	return nil
}
