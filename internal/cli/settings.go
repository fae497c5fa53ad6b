package cli

import (
	"errors"
	"log/slog"
	"net/url"
	"strings"

	"github.com/segue-xm/segue/internal/app"
)

// The settings of the commands that serve, in three groups: what both halves
// need, and what only one does. What is not given stays empty, so that the
// application sees the difference: its defaults are in the help texts.

type sharedSettings struct {
	DataDir           string `default:".segue" env:"SEGUE_DATA_DIR" placeholder:"DIR" help:"SQLite files and keys."`
	DatabaseURL       string `env:"SEGUE_DATABASE_URL" placeholder:"URL" help:"sqlite://path or postgres://…; dev: SQLite in the data directory."`
	TemporalAddress   string `env:"SEGUE_TEMPORAL_ADDRESS" placeholder:"HOST:PORT" help:"Temporal; default 127.0.0.1:7233. The standard TEMPORAL_* variables are read too."`
	TemporalNamespace string `env:"SEGUE_TEMPORAL_NAMESPACE" placeholder:"NAME" help:"Temporal's namespace; default \"default\"."`
	TemporalUIAddress string `name:"temporal-ui-address" env:"SEGUE_TEMPORAL_UI_ADDRESS" placeholder:"HOST:PORT" help:"Temporal's UI, where pages link to; default 127.0.0.1:8233."`
	EncryptionKey     string `env:"SEGUE_ENCRYPTION_KEY" placeholder:"KEY" help:"base64 of 32 bytes; several with commas between, the first encrypts; dev: made in the data directory."`
	PublicURL         string `env:"SEGUE_PUBLIC_URL" placeholder:"URL" help:"Base of links in mails; default the HTTP address."`
	QualtricsURL      string `name:"qualtrics-url" env:"SEGUE_QUALTRICS_URL" placeholder:"URL" help:"A stand-in that is called instead of *.qualtrics.com, for tests; it gets the tokens."`
}

type httpSettings struct {
	HTTPAddress string `default:"127.0.0.1:8080" env:"SEGUE_HTTP_ADDRESS" placeholder:"HOST:PORT" help:"Ingest, API, console. Default ${default}."`
	AdminToken  string `env:"SEGUE_ADMIN_TOKEN" placeholder:"TOKEN" help:"Bearer token with every scope; dev: made in the data directory."`
	Plan        string `env:"SEGUE_PLAN" placeholder:"FILE" help:"Plan file to apply at start, when it differs from what was last applied."`
}

type mailSettings struct {
	SMTPURL      string   `name:"smtp-url" env:"SEGUE_SMTP_URL" placeholder:"URL" help:"smtp:// or smtps://user:pass@host:port; default: mails stay in the outbox."`
	MailFrom     string   `env:"SEGUE_MAIL_FROM" placeholder:"ADDRESS" help:"Sender of mails whose step names none."`
	AllowPrivate []string `env:"SEGUE_ALLOW_PRIVATE" placeholder:"PREFIX" help:"Private networks that web_service steps may call, such as 10.0.0.0/8."`
}

func (s sharedSettings) fill(o *app.Options) {
	o.DataDir, o.DatabaseURL = s.DataDir, s.DatabaseURL
	o.TemporalAddress, o.TemporalNamespace, o.TemporalUIAddress = s.TemporalAddress, s.TemporalNamespace, s.TemporalUIAddress
	o.EncryptionKey, o.PublicURL, o.QualtricsURL = s.EncryptionKey, s.PublicURL, s.QualtricsURL
}

func (s httpSettings) fill(o *app.Options) {
	o.HTTPAddress, o.AdminToken, o.Plan = s.HTTPAddress, s.AdminToken, s.Plan
}

func (s mailSettings) fill(o *app.Options) {
	o.SMTPURL, o.MailFrom, o.AllowPrivate = s.SMTPURL, s.MailFrom, s.AllowPrivate
}

// defaultDatabase is the database of a data directory.
func defaultDatabase(dataDir string) string { return "sqlite://" + dataDir + "/segue.db" }

// serve runs the program with these settings until it is interrupted.
func (p *Program) serve(o app.Options) error {
	if p.Serve == nil {
		return errors.New("this binary cannot serve")
	}
	if err := o.Validate(); err != nil {
		return usage(err)
	}
	ctx, stop := p.interruptible()
	defer stop()
	o.Out, o.Version = p.Out, thisVersion().Version
	o.Logger = slog.New(slog.NewTextHandler(p.Err, nil))
	o.Logger.Info("settings", effective(o)...)
	return p.Serve(ctx, o)
}

// effective are the settings that were given or have a default here, for the
// log; secrets are masked.
func effective(o app.Options) (attrs []any) {
	for _, s := range []struct{ name, value string }{
		{"mode", string(o.Mode)},
		{"http_address", o.HTTPAddress},
		{"worker_address", o.WorkerAddress},
		{"data_dir", o.DataDir},
		{"database_url", masked(o.DatabaseURL)},
		{"temporal_address", o.TemporalAddress},
		{"temporal_namespace", o.TemporalNamespace},
		{"temporal_ui_address", o.TemporalUIAddress},
		{"public_url", o.PublicURL},
		{"smtp_url", masked(o.SMTPURL)},
		{"mail_from", o.MailFrom},
		{"qualtrics_url", masked(o.QualtricsURL)},
		{"allow_private", strings.Join(o.AllowPrivate, ",")},
		{"plan", o.Plan},
		{"encryption_key", hidden(o.EncryptionKey)},
		{"admin_token", hidden(o.AdminToken)},
	} {
		if s.value != "" {
			attrs = append(attrs, s.name, s.value)
		}
	}
	return attrs
}

// secretQuery are the parameters in which PostgreSQL takes passwords.
var secretQuery = []string{"password", "sslpassword"}

// masked is a URL without its secrets; one that cannot be read is hidden.
func masked(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return hidden(text)
	}
	if q := u.Query(); u.RawQuery != "" {
		for _, k := range secretQuery {
			if q.Has(k) {
				q.Set(k, "xxxxx")
			}
		}
		u.RawQuery = q.Encode()
	}
	return u.Redacted()
}

func hidden(secret string) string {
	if secret == "" {
		return ""
	}
	return "set"
}
