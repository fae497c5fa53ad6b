package mail

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/mail"
)

// serveTLS is serve with a certificate: from the start, or by STARTTLS. The
// returned config trusts it.
func serveTLS(t *testing.T, s *server, fromStart bool) (*server, *tls.Config) {
	t.Helper()
	web := httptest.NewTLSServer(nil) // for its certificate
	web.Close()
	cert := &tls.Config{Certificates: web.TLS.Certificates, MinVersion: tls.VersionTLS12}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	srv := smtp.NewServer(s)
	srv.Domain = "localhost"
	srv.ReadTimeout, srv.WriteTimeout = 10*time.Second, 10*time.Second
	s.url = l.Addr().String()
	if fromStart {
		l = tls.NewListener(l, cert)
	} else {
		srv.TLSConfig = cert
	}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	roots := x509.NewCertPool()
	roots.AddCert(web.Certificate())
	return s, &tls.Config{RootCAs: roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}
}

func TestSMTP_TLS(t *testing.T) {
	t.Parallel()
	m, err := mail.Compose(letter())
	require.NoError(t, err)
	for _, c := range []struct {
		name, scheme, query string
		fromStart           bool
	}{{"smtps", "smtps://", "", true}, {"offered STARTTLS is used", "smtp://", "", false}, {"required STARTTLS", "smtp://", "?tls=required", false}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			srv, trust := serveTLS(t, &server{needAuth: true}, c.fromStart)
			s, err := NewSMTP(c.scheme + "segue:p%40ss@" + srv.url + c.query)
			require.NoError(t, err)
			require.NoError(t, s.client.SetTLSConfig(trust))
			require.NoError(t, s.Send(t.Context(), m), "the server takes no password without TLS")
			require.Len(t, srv.mails, 1)

			s, err = NewSMTP(c.scheme + "segue:p%40ss@" + srv.url + c.query)
			require.NoError(t, err)
			err = s.Send(t.Context(), m)
			require.Equal(t, fault.Unavailable, fault.KindOf(err), "a certificate of nobody we trust")
			require.Len(t, srv.mails, 1)
		})
	}
}

func TestSMTP_RequiredTLS_IsNotDoneWithout(t *testing.T) {
	t.Parallel()
	srv := serve(t, &server{})
	m, err := mail.Compose(letter())
	require.NoError(t, err)
	require.Equal(t, fault.Unavailable, fault.KindOf(send(t, "smtp://"+srv.url+"?tls=required", m)))
	require.Empty(t, srv.mails)
}
