// Package mail hands mails to a mail server. What a mail is, and how it is made, is
// core/mail's.
//
//	smtp, err := mail.NewSMTP("smtp://user:password@mail.example.com")
//	err = smtp.Send(ctx, message)
package mail

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/mail"
)

// SMTP sends over a mail server. Safe for concurrent use; every message has a
// connection of its own.
type SMTP struct {
	client *gomail.Client
	host   string
}

// smtpTimeout bounds connecting, and each answer of the server.
const smtpTimeout = 15 * time.Second

// NewSMTP returns a sender for smtp://[user:password@]host[:port] (port 587,
// STARTTLS when the server offers it) or smtps://… (port 465, TLS from the
// start). "?tls=required" refuses a server without STARTTLS, "?tls=off" does not
// ask for it. A password is only sent over TLS or to this machine. Nothing is
// connected yet. An error is Invalid and does not repeat the password.
func NewSMTP(rawURL string) (*SMTP, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, fault.Field("smtp-url", "want smtp://user:password@host:port or smtps://…")
	}
	opts := []gomail.Option{gomail.WithTimeout(smtpTimeout), gomail.WithoutNoop(), gomail.WithTLSPolicy(gomail.TLSOpportunistic)}
	if host, err := os.Hostname(); err != nil || strings.Trim(host, "-.") == "" {
		opts = append(opts, gomail.WithHELO("localhost"))
	}
	port := 587
	switch {
	case u.Scheme == "smtps":
		port = 465
		opts = append(opts, gomail.WithSSL())
	case u.Query().Get("tls") == "required":
		opts = append(opts, gomail.WithTLSPolicy(gomail.TLSMandatory))
	case u.Query().Get("tls") == "off":
		opts = append(opts, gomail.WithTLSPolicy(gomail.NoTLS))
	case u.Query().Get("tls") != "":
		return nil, fault.Field("smtp-url", "tls: want required or off")
	}
	if u.Port() != "" {
		if port, err = strconv.Atoi(u.Port()); err != nil || port < 1 || port > 65535 {
			return nil, fault.Field("smtp-url", "the port is not one")
		}
	}
	opts = append(opts, gomail.WithPort(port))
	if u.User != nil {
		password, _ := u.User.Password()
		auth := gomail.SMTPAuthAutoDiscover // nothing readable without TLS
		if isLoopback(u.Hostname()) {
			auth = gomail.SMTPAuthPlain
		}
		opts = append(opts, gomail.WithSMTPAuth(auth), gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
	}
	host := u.Hostname()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	client, err := gomail.NewClient(host, opts...)
	if err != nil {
		return nil, fault.Field("smtp-url", "cannot be used: %v", err)
	}
	return &SMTP{client: client, host: u.Hostname()}, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Send hands a message over. Sending again after an error can deliver twice: the
// Message-ID lets mail programs see that. What the server refuses with 5xx is Invalid; all else
// that goes wrong after the message was found valid is Unavailable, wrong
// credentials too: the message is not at fault. Error texts hold no address.
func (s *SMTP) Send(ctx context.Context, m mail.Message) error {
	msg, err := build(m)
	if err != nil {
		return err
	}
	conn, err := s.dial(ctx)
	if err != nil {
		return fault.New(fault.Unavailable, "connect to mail server %s: %s", s.host, mask(err.Error()))
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	err = s.client.SendWithSMTPClient(conn, msg)
	// The server has answered for the message: a connection that does not end
	// well must not make it count as not sent.
	_ = s.client.CloseWithSMTPClient(conn)
	if err == nil {
		return nil
	}
	kind := fault.Unavailable
	var refused *gomail.SendError
	if errors.As(err, &refused) && ctx.Err() == nil && final(refused.ErrorCode()) {
		kind = fault.Invalid
	}
	text, _, _ := strings.Cut(err.Error(), ", affected ")
	return fault.New(kind, "mail server %s: %s", s.host, mask(text))
}

// dial connects, greets and signs in, but not longer than ctx: the library
// minds the context while connecting only, not while a server keeps silent.
func (s *SMTP) dial(ctx context.Context) (*smtp.Client, error) {
	type result struct {
		conn *smtp.Client
		err  error
	}
	done := make(chan result, 1)
	go func() {
		conn, err := s.client.DialToSMTPClientWithContext(ctx)
		done <- result{conn, err}
	}()
	select {
	case r := <-done:
		return r.conn, r.err
	case <-ctx.Done():
		go func() {
			if r := <-done; r.err == nil {
				_ = r.conn.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

// final reports whether an SMTP code refuses this message for good. Those about
// the account (RFC 4954) are ours to mend.
func final(code int) bool {
	switch code {
	case 530, 534, 535, 538:
		return false
	}
	return code >= 500 && code < 600
}

var addresses = regexp.MustCompile(`<?[^\s<>@,;:"]+@[^\s<>@,;:"]+>?`)

// mask takes mail addresses out of a server's text.
func mask(s string) string { return addresses.ReplaceAllString(s, "<…>") }

// build makes the MIME message.
func build(m mail.Message) (*gomail.Msg, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	for _, set := range []struct {
		field string
		to    func(string) error
		value string
	}{{"from", msg.From, m.From}, {"to", func(a string) error { return msg.To(a) }, m.To}, {"reply_to", msg.ReplyTo, m.ReplyTo}} {
		if set.value == "" {
			continue
		}
		if err := set.to(set.value); err != nil {
			return nil, fault.Field(set.field, "want one email address, with or without a name")
		}
	}
	msg.Subject(m.Subject)
	msg.SetMessageIDWithValue(m.ID)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no vacation replies
	if m.Language != "" {
		msg.SetGenHeader("Content-Language", m.Language)
	}
	if m.UnsubscribeURL != "" { // RFC 2369 and RFC 8058
		msg.SetGenHeader("List-Unsubscribe", "<"+m.UnsubscribeURL+">")
		msg.SetGenHeader("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
	}
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	return msg, nil
}
