package people

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/ops"
)

var known = distribution.Token([16]byte{1, 2, 3})

// fake is a Service with one invitation.
type fake struct {
	invite    ops.Invite
	surveyURL string
	secrets   []string
	fail      error

	opened, optedOut int
	responses        []ops.Response
}

func (f *fake) find(token string) error {
	if f.fail != nil {
		return f.fail
	}
	if token != known {
		return fault.New(fault.NotFound, "this link is not known")
	}
	return nil
}

func (f *fake) OpenLink(_ context.Context, token string) (string, error) {
	if err := f.find(token); err != nil {
		return "", err
	}
	f.opened++
	return f.surveyURL, nil
}

func (f *fake) Invitation(_ context.Context, token string) (ops.Invite, error) {
	return f.invite, f.find(token)
}

func (f *fake) OptOut(_ context.Context, token string) error {
	f.optedOut++
	return f.find(token)
}

func (f *fake) Respond(_ context.Context, r ops.Response) error {
	if err := f.find(r.Token); err != nil {
		return err
	}
	if len(f.responses) > 0 && r.Status == ops.ResponseFinished {
		return fault.New(fault.Conflict, "answered already")
	}
	f.responses = append(f.responses, r)
	return nil
}

func (f *fake) SurveySecret(_ context.Context, token string) ([]string, error) {
	return f.secrets, f.find(token)
}

type answer struct {
	status int
	header http.Header
	body   string
}

func ask(t *testing.T, s Service, method, path, body string, headers ...string) answer {
	t.Helper()
	app := fiber.New(fiber.Config{ErrorHandler: func(c *fiber.Ctx, err error) error {
		status := map[fault.Kind]int{fault.Invalid: 400, fault.Unauthorized: 401, fault.NotFound: 404, fault.Conflict: 409}[fault.KindOf(err)]
		if status == 0 {
			status = 500
		}
		return c.Status(status).SendString(fault.Public(err))
	}})
	Register(app, s, Options{PublicURL: "https://x.example.com/", Logger: slog.New(slog.DiscardHandler)})
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for k := 0; k < len(headers); k += 2 {
		req.Header.Set(headers[k], headers[k+1])
	}
	res, err := app.Test(req, -1)
	require.NoError(t, err)
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return answer{res.StatusCode, res.Header, string(b)}
}

func TestLink_LeadsToTheSurveyAndCounts(t *testing.T) {
	t.Parallel()
	s := &fake{surveyURL: "https://surveys.example.com/onboarding?id=1"}
	a := ask(t, s, "GET", "/l/"+strings.ToUpper(known), "")
	require.Equal(t, 302, a.status)
	require.Equal(t, s.surveyURL, a.header.Get("Location"))
	require.Equal(t, "no-referrer", a.header.Get("Referrer-Policy"))
	require.Equal(t, 1, s.opened)

	s = &fake{}
	require.Equal(t, "https://x.example.com/s/"+known, ask(t, s, "GET", "/l/"+known, "").header.Get("Location"))
}

func TestLink_Head_DoesNotCount(t *testing.T) {
	t.Parallel()
	s := &fake{}
	require.Equal(t, 200, ask(t, s, "HEAD", "/l/"+known, "").status)
	require.Zero(t, s.opened)
}

func TestLink_OnlyToPages(t *testing.T) {
	t.Parallel()
	for _, to := range []string{"javascript:alert(1)", "//evil.example.com", "/x", "data:text/html,x"} {
		a := ask(t, &fake{surveyURL: to}, "GET", "/l/"+known, "")
		require.Equal(t, 500, a.status, to)
		require.Empty(t, a.header.Get("Location"))
	}
}

func TestOptOut_OnlyAPostDoesIt(t *testing.T) {
	t.Parallel()
	s := &fake{}
	a := ask(t, s, "GET", "/u/"+known, "")
	require.Equal(t, 200, a.status)
	require.Contains(t, a.body, `<form method="post"><button type="submit">Stop invitations</button></form>`)
	ask(t, s, "HEAD", "/u/"+known, "")
	require.Zero(t, s.optedOut)

	a = ask(t, s, "POST", "/u/"+known, "")
	require.Equal(t, 200, a.status)
	require.Contains(t, a.body, "You are unsubscribed")
	require.Equal(t, 1, s.optedOut)
}

func TestOptOut_OneClick(t *testing.T) {
	t.Parallel()
	for _, headers := range [][]string{nil, {"Content-Type", "multipart/form-data; boundary=b"}} {
		s := &fake{}
		body := "List-Unsubscribe=One-Click"
		if headers != nil {
			body = "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n"
		}
		require.Equal(t, 200, ask(t, s, "POST", "/u/"+known, body, headers...).status)
		require.Equal(t, 1, s.optedOut)
	}
}

func TestSurvey_AnswerOnce(t *testing.T) {
	t.Parallel()
	s := &fake{invite: ops.Invite{Language: "ja", Question: map[string]string{"en": "Tour?", "ja": "ツアーは<いかが>でしたか"}}}
	a := ask(t, s, "GET", "/s/"+known, "")
	require.Equal(t, 200, a.status)
	require.Contains(t, a.body, `<html lang="ja">`)
	require.Contains(t, a.body, "ツアーは&lt;いかが&gt;でしたか")
	require.Equal(t, 5, strings.Count(a.body, `type="radio"`))

	form := url.Values{"rating": {"4"}, "comment": {" 良かった\r\nです\x00 "}}.Encode()
	a = ask(t, s, "POST", "/s/"+known, form)
	require.Equal(t, 200, a.status)
	require.Contains(t, a.body, "ありがとうございました")
	require.Len(t, s.responses, 1)
	require.Equal(t, ops.ResponseFinished, s.responses[0].Status)
	require.Equal(t, `{"rating":4,"comment":"良かった\nです"}`, jsonvalue.Text(s.responses[0].Answers))

	require.Contains(t, ask(t, s, "POST", "/s/"+known, form).body, "すでにご回答", "a race is a conflict")
	s.invite.Responded = true
	require.Contains(t, ask(t, s, "POST", "/s/"+known, form).body, "すでにご回答")
	require.Contains(t, ask(t, s, "GET", "/s/"+known, "").body, "すでにご回答")
	require.Len(t, s.responses, 1)
}

func TestSurvey_WithoutARating_AsksAgainAndKeepsTheComment(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"comment=%3Cb%3Efine", "rating=6&comment=%3Cb%3Efine", "rating=x&comment=%3Cb%3Efine"} {
		s := &fake{}
		a := ask(t, s, "POST", "/s/"+known, form)
		require.Equal(t, 422, a.status)
		require.Contains(t, a.body, `role="alert"`)
		require.Contains(t, a.body, `>&lt;b&gt;fine</textarea>`)
		require.Empty(t, s.responses)
	}
}

func TestSurvey_Closed(t *testing.T) {
	t.Parallel()
	for _, status := range []distribution.Status{distribution.Expired, distribution.Cancelled} {
		s := &fake{invite: ops.Invite{Status: status}}
		require.Contains(t, ask(t, s, "GET", "/s/"+known, "").body, "This survey is closed")
		require.Contains(t, ask(t, s, "POST", "/s/"+known, "rating=3").body, "This survey is closed")
		require.Empty(t, s.responses)
	}
}

func TestSurvey_LongAnswers_AreBounded(t *testing.T) {
	t.Parallel()
	s := &fake{}
	require.Equal(t, 200, ask(t, s, "POST", "/s/"+known, "rating=3&comment="+strings.Repeat("語", 3000)).status)
	require.Equal(t, strings.Repeat("語", maxComment), s.responses[0].Answers.Get("comment"))
	require.Equal(t, 413, ask(t, &fake{}, "POST", "/s/"+known, "rating=3&comment="+strings.Repeat("a", maxForm)).status)
}

func TestSurvey_QuestionFallsBack(t *testing.T) {
	t.Parallel()
	require.Equal(t, "Q", question(map[string]string{"en": "Q"}, "ja"))
	require.Equal(t, catalogue["ja"].Question, question(map[string]string{"de": "F", "ja": " "}, "ja"))
}

func TestPages_UnknownToken_SaysSoInBothLanguages(t *testing.T) {
	t.Parallel()
	other := distribution.Token([16]byte{9})
	for _, path := range []string{"/l/" + other, "/u/" + other, "/s/" + other, "/u/short", "/s/..%2f" + known} {
		s := &fake{}
		a := ask(t, s, "GET", path, "")
		require.Equal(t, 404, a.status, path)
		require.Contains(t, a.body, "This link does not work")
		require.Contains(t, a.body, `<section lang="ja">`)
		require.Contains(t, a.body, "このリンクは使えません")
	}
	s := &fake{}
	require.Equal(t, 404, ask(t, s, "POST", "/u/"+other, "").status)
	require.Zero(t, s.optedOut)
}

func TestPages_Failure_TellsNothing(t *testing.T) {
	t.Parallel()
	a := ask(t, &fake{fail: errors.New("database password is x")}, "GET", "/s/"+known, "")
	require.Equal(t, 500, a.status)
	require.NotContains(t, a.body, "password")
	require.Equal(t, 503, ask(t, &fake{fail: fault.New(fault.Unavailable, "down")}, "GET", "/u/"+known, "").status)
}

// Pages are edited by hand: a line is one element or one idea, and short enough
// to be read.
func TestFiles_NoLineIsOver160Characters(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"pages.html": pagesHTML, "style.css": styleCSS} {
		for n, line := range strings.Split(text, "\n") {
			require.LessOrEqual(t, utf8.RuneCountInString(line), 160, "%s:%d", name, n+1)
		}
	}
}

func TestPages_AreProtected(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/l/" + known, "/u/" + known, "/s/" + known, "/s/none"} {
		a := ask(t, &fake{}, "GET", path, "")
		for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow", "X-Content-Type-Options": "nosniff"} {
			require.Equal(t, want, a.header.Get(name), path)
		}
		csp := a.header.Get("Content-Security-Policy")
		require.Contains(t, csp, "default-src 'none'")
		require.Contains(t, csp, "frame-ancestors 'none'")
		require.NotContains(t, csp, "unsafe")
		require.NotContains(t, a.body, "<script")
		require.NotContains(t, a.body, "style=")
		require.NotContains(t, strings.ToLower(a.body), "http://")
		if a.status != 302 {
			_, css, _ := strings.Cut(a.body, "<style>")
			css, _, _ = strings.Cut(css, "</style>")
			require.Contains(t, csp, hash(css), "the style is what the policy lets through")
			require.Equal(t, 1, strings.Count(a.body, "<h1>"))
		}
	}
}

func TestCatalogue_NothingMissing(t *testing.T) {
	t.Parallel()
	for lang, w := range catalogue {
		for _, m := range []Message{w.OptedOut, w.Thanks, w.Already, w.Closed, w.Unknown, w.Broken, w.TooLong} {
			require.NotEmpty(t, m.Title, lang)
			require.NotEmpty(t, m.Text, lang)
		}
		for _, s := range append(w.Scale[:], w.Question, w.Required, w.Optional, w.Send, w.AskTitle, w.AskText, w.AskButton) {
			require.NotEmpty(t, s, lang)
		}
	}
}

func TestResponses_Signed(t *testing.T) {
	t.Parallel()
	body := `{"token":"` + strings.ToUpper(known) + `","status":"finished","response_id":"R_1","answers":{"nps":9,"why":"ok"}}`
	s := &fake{secrets: []string{"old", "new"}}
	a := ask(t, s, "POST", "/v1/responses", body, "X-Signature", Sign([]byte(body), "new"), "Content-Type", "application/json")
	require.Equal(t, 200, a.status, a.body)
	require.JSONEq(t, `{"success":true}`, a.body)
	require.Len(t, s.responses, 1)
	r := s.responses[0]
	require.Equal(t, known, r.Token)
	require.Equal(t, "R_1", r.ResponseID)
	require.Equal(t, `{"nps":9,"why":"ok"}`, jsonvalue.Text(r.Answers))
}

func TestResponses_Refused(t *testing.T) {
	t.Parallel()
	ok := `{"token":"` + known + `","status":"started"}`
	for _, c := range []struct {
		name, body, signature string
		status                int
		want                  string
	}{
		{"no signature", ok, "", 401, "X-Signature"},
		{"other secret", ok, Sign([]byte(ok), "x"), 401, "X-Signature"},
		{"empty secret", ok, Sign([]byte(ok), ""), 401, "X-Signature"},
		{"other body", ok, Sign([]byte(ok+" "), "s"), 401, "X-Signature"},
		{"not JSON", `{`, "", 400, "not JSON"},
		{"array", `[]`, "", 400, "want a JSON object"},
		{"no token", `{"status":"started"}`, "", 400, "token: missing"},
		{"number token", `{"token":5,"status":"started"}`, "", 400, "token: want a string"},
		{"broken token", `{"token":"x","status":"started"}`, "", 404, "not known"},
		{"unknown token", `{"token":"` + distribution.Token([16]byte{7}) + `","status":"started"}`, "", 404, "not known"},
		{"bad status", `{"token":"` + known + `","status":"done"}`, "", 400, "status: want started or finished"},
		{"bad answers", `{"token":"` + known + `","status":"finished","answers":[1]}`, "", 400, "answers: want an object"},
		{"long id", `{"token":"` + known + `","status":"finished","response_id":"` + strings.Repeat("x", 300) + `"}`, "", 400, "response_id: 300 bytes"},
		{"too large", `{"token":"` + strings.Repeat("x", maxReport) + `"}`, "", 400, "the limit is"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &fake{secrets: []string{"s", ""}}
			a := ask(t, s, "POST", "/v1/responses", c.body, "X-Signature", c.signature)
			require.Equal(t, c.status, a.status, a.body)
			require.Contains(t, a.body, c.want)
			require.Empty(t, s.responses)
		})
	}
}

func TestResponses_SurveyWithoutSecret_TokenIsEnough(t *testing.T) {
	t.Parallel()
	s := &fake{}
	require.Equal(t, 200, ask(t, s, "POST", "/v1/responses", `{"token":"`+known+`","status":"started"}`).status)
	require.Equal(t, ops.ResponseStarted, s.responses[0].Status)
	require.Nil(t, s.responses[0].Answers)
}

func FuzzParseReport(f *testing.F) {
	f.Add([]byte(`{"token":"` + known + `","status":"finished","answers":{"a":[1]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := parseReport(body)
		if err != nil {
			require.True(t, fault.KindOf(err).Final())
			return
		}
		require.Len(t, r.Token, distribution.TokenLength)
	})
}
