package mail

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	gomail "github.com/wneessen/go-mail"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/mail"
)

func letter() mail.Letter {
	return mail.Letter{
		ID: "0abc.invitation@segue.example.com", From: "Shop <shop@example.com>", ReplyTo: "care@example.com", To: "ken@example.com",
		Subject: "How was the tour, 健?", Body: "Hello 健,\r\n\r\nplease answer: https://x.example.com/l/abc?a=1&b=2.\nThanks <3",
		UnsubscribeURL: "https://x.example.com/u/abc", Language: "EN",
	}
}

// server is a mail server that keeps what it gets, and can refuse.
type server struct {
	url string

	mu       sync.Mutex
	mails    []string
	rcpts    []string
	users    []string
	refuse   map[string]error // by phase: mail, rcpt, data
	needAuth bool
}

func (s *server) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{s: s}, nil }

type session struct{ s *server }

func (c *session) refused(phase string) error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.s.refuse[phase]
}

func (c *session) Mail(string, *smtp.MailOptions) error { return c.refused("mail") }
func (c *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	c.s.mu.Lock()
	c.s.rcpts = append(c.s.rcpts, to)
	c.s.mu.Unlock()
	return c.refused("rcpt")
}

func (c *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := c.refused("data"); err != nil {
		return err
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.mails = append(c.s.mails, string(b))
	return nil
}
func (c *session) Reset()        {}
func (c *session) Logout() error { return nil }

func (c *session) AuthMechanisms() []string {
	if c.s.needAuth {
		return []string{sasl.Plain}
	}
	return nil
}

func (c *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if password != "p@ss" {
			return errors.New("wrong password")
		}
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		c.s.users = append(c.s.users, user)
		return nil
	}), nil
}

func serve(t *testing.T, s *server) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	srv := smtp.NewServer(s)
	srv.Domain, srv.AllowInsecureAuth = "localhost", true
	srv.ReadTimeout, srv.WriteTimeout = 10*time.Second, 10*time.Second
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	s.url = l.Addr().String()
	return s
}

func send(t *testing.T, url string, m mail.Message) error {
	t.Helper()
	s, err := NewSMTP(url)
	require.NoError(t, err)
	return s.Send(t.Context(), m)
}

func TestSMTP_MailAsItArrives(t *testing.T) {
	t.Parallel()
	srv := serve(t, &server{})
	m, err := mail.Compose(letter())
	require.NoError(t, err)
	require.NoError(t, send(t, "smtp://"+srv.url, m))

	require.Equal(t, []string{"ken@example.com"}, srv.rcpts)
	require.Len(t, srv.mails, 1)
	got, err := netmail.ReadMessage(strings.NewReader(srv.mails[0]))
	require.NoError(t, err)
	h := got.Header
	subject, err := new(mime.WordDecoder).DecodeHeader(h.Get("Subject"))
	require.NoError(t, err)
	require.Equal(t, "How was the tour, 健?", subject)
	require.Equal(t, `"Shop" <shop@example.com>`, h.Get("From"))
	require.Equal(t, "<care@example.com>", h.Get("Reply-To"))
	require.Equal(t, "<0abc.invitation@segue.example.com>", h.Get("Message-ID"))
	require.Equal(t, "<https://x.example.com/u/abc>", h.Get("List-Unsubscribe"))
	require.Equal(t, "List-Unsubscribe=One-Click", h.Get("List-Unsubscribe-Post"))
	require.Equal(t, "auto-generated", h.Get("Auto-Submitted"))
	require.Equal(t, "en", h.Get("Content-Language"))
	_, err = h.Date()
	require.NoError(t, err)

	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/alternative", kind)
	parts := multipart.NewReader(got.Body, params["boundary"])
	for _, want := range []struct{ kind, body string }{{"text/plain", m.Text}, {"text/html", m.HTML}} {
		p, err := parts.NextPart() // undoes quoted-printable
		require.NoError(t, err)
		kind, params, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
		require.NoError(t, err)
		require.Equal(t, want.kind, kind)
		require.Equal(t, "UTF-8", params["charset"])
		b, err := io.ReadAll(p)
		require.NoError(t, err)
		require.Equal(t, want.body, strings.ReplaceAll(string(b), "\r\n", "\n"))
	}
}

func TestSMTP_Errors_AreFinalOrPassing(t *testing.T) {
	t.Parallel()
	m, err := mail.Compose(letter())
	require.NoError(t, err)
	refusal := func(code int) error {
		return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: "no mailbox ken@example.com here"}
	}
	for _, c := range []struct {
		phase string
		code  int
		kind  fault.Kind
	}{
		{"rcpt", 550, fault.Invalid}, {"mail", 553, fault.Invalid}, {"data", 554, fault.Invalid},
		{"rcpt", 450, fault.Unavailable}, {"mail", 421, fault.Unavailable}, {"data", 451, fault.Unavailable},
		{"mail", 530, fault.Unavailable}, // our credentials, not the message
	} {
		srv := serve(t, &server{refuse: map[string]error{c.phase: refusal(c.code)}})
		err := send(t, "smtp://"+srv.url, m)
		require.Equal(t, c.kind, fault.KindOf(err), "%s %d: %v", c.phase, c.code, err)
		require.NotContains(t, err.Error(), "ken@")
		require.Contains(t, err.Error(), "no mailbox")
	}
}

func TestSMTP_NobodyThere_IsUnavailable(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	m, err := mail.Compose(letter())
	require.NoError(t, err)
	require.Equal(t, fault.Unavailable, fault.KindOf(send(t, "smtp://"+l.Addr().String(), m)))
}

func TestSMTP_ServerThatHangs_EndsWithTheContext(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	s, err := NewSMTP("smtp://" + l.Addr().String())
	require.NoError(t, err)
	m, err := mail.Compose(letter())
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.Equal(t, fault.Unavailable, fault.KindOf(s.Send(ctx, m)))
}

func TestSMTP_InvalidMessage_IsNotSent(t *testing.T) {
	t.Parallel()
	srv := serve(t, &server{})
	m, err := mail.Compose(letter())
	require.NoError(t, err)
	m.Subject = "a\r\nBcc: evil@example.com"
	require.Equal(t, fault.Invalid, fault.KindOf(send(t, "smtp://"+srv.url, m)))
	require.Empty(t, srv.mails)
}

func TestSMTP_Credentials(t *testing.T) {
	t.Parallel()
	m, err := mail.Compose(letter())
	require.NoError(t, err)
	srv := serve(t, &server{needAuth: true})
	require.NoError(t, send(t, "smtp://segue:p%40ss@"+srv.url, m))
	require.Equal(t, []string{"segue"}, srv.users)

	err = send(t, "smtp://segue:wrong@"+srv.url, m)
	require.Equal(t, fault.Unavailable, fault.KindOf(err), "to be mended by the operator")
	require.NotContains(t, err.Error(), "wrong@")
}

func TestNewSMTP_URLs(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"smtp://mail.example.com":                  "mail.example.com:587",
		"smtps://u:p@mail.example.com":             "mail.example.com:465",
		"smtp://mail.example.com:2525?tls=off":     "mail.example.com:2525",
		"smtp://[::1]:25":                          "[::1]:25",
		"smtp://u:p@mail.example.com?tls=required": "mail.example.com:587",
	} {
		s, err := NewSMTP(url)
		require.NoError(t, err, url)
		require.Equal(t, want, s.client.ServerAddr())
	}
	s, err := NewSMTP("smtp://mail.example.com?tls=required")
	require.NoError(t, err)
	require.Equal(t, gomail.TLSMandatory.String(), s.client.TLSPolicy())
	for _, url := range []string{"", "mail.example.com", "http://mail.example.com", "smtp://", "smtp://h:99999", "smtp://h?tls=maybe", "smtp://u:secret@h:x"} {
		_, err := NewSMTP(url)
		require.Equal(t, fault.Invalid, fault.KindOf(err), url)
		require.NotContains(t, err.Error(), "secret")
	}
}

func FuzzBuild_AnyLetter(f *testing.F) {
	f.Add("How?", "see https://a.example/b.", "Ken <ken@example.com>")
	f.Add("\r\n", "<\x00>\n\n\n", "a@b")
	f.Fuzz(func(t *testing.T, subject, body, to string) {
		l := letter()
		l.Subject, l.Body, l.To = subject, body, to
		m, err := mail.Compose(l)
		require.NotContains(t, m.Subject, "\n")
		if err != nil {
			require.Equal(t, fault.Invalid, fault.KindOf(err))
			return
		}
		msg, err := build(m)
		require.NoError(t, err)
		var b strings.Builder
		_, err = msg.WriteTo(&b)
		require.NoError(t, err)
		read, err := netmail.ReadMessage(strings.NewReader(b.String()))
		require.NoError(t, err)
		require.Empty(t, read.Header.Get("Bcc"))
		require.Len(t, read.Header["To"], 1)
	})
}
