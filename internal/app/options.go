// Package app builds Segue from its parts and runs it: everything in one process,
// or one half of it. main uses it through the command line, the end-to-end tests
// directly.
package app

import (
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/segue-xm/segue/internal/core/fault"
)

// Mode says which parts a process runs.
type Mode string

// The modes.
const (
	Dev     Mode = "dev"     // everything, with an embedded Temporal
	Starter Mode = "starter" // HTTP: ingest, API, console
	Worker  Mode = "worker"  // Temporal workflows and activities
)

// Options are the settings of a process. Zero fields take the defaults of Dev
// where there is one; Validate says what is missing.
type Options struct {
	Mode Mode

	HTTPAddress       string // ingest, API, console; default 127.0.0.1:8080
	DataDir           string // SQLite files and keys; default .segue
	DatabaseURL       string // sqlite://path or postgres://…; default SQLite in DataDir
	TemporalAddress   string // default TEMPORAL_ADDRESS or its profile, else 127.0.0.1:7233
	TemporalNamespace string // default TEMPORAL_NAMESPACE or its profile, else "default"
	TemporalUIAddress string // embedded UI, and where pages link to; default 127.0.0.1:8233
	WorkerAddress     string // health and metrics of a worker on its own; default 127.0.0.1:8081
	EncryptionKey     string // base64 of 32 bytes; several, comma separated, the first encrypts; default made in DataDir
	PublicURL         string // base of links in mails; default http://HTTPAddress
	SMTPURL           string // smtp:// or smtps://; default: the outbox
	MailFrom          string // sender of mails whose step names none
	Plan              string // plan file to apply at start
	AdminToken        string // bearer token with every scope; default made in DataDir

	// AllowPrivate lets the web service task call private and loopback addresses,
	// as prefixes such as 10.0.0.0/8: for receivers inside one's own network.
	AllowPrivate []string

	// QualtricsURL is where Qualtrics accounts are called instead of at their own
	// hosts: a stand-in, for tests. It gets the tokens.
	QualtricsURL string

	Version string // of the program, for metrics and traces; "": unknown

	Logger *slog.Logger     // nil: slog.Default()
	Out    io.Writer        // where Dev prints its addresses; nil: os.Stdout
	Now    func() time.Time // nil: time.Now
	// Ready, when set, is called once everything serves, with the real addresses.
	Ready func(Addresses)
}

// Addresses are where a running process is reached.
type Addresses struct {
	HTTP       string // http://host:port
	Temporal   string // host:port
	TemporalUI string // http://host:port, "" without
	WriteKey   string // the demo source's, when the example is installed
	AdminToken string
}

func (o Options) withDefaults() Options {
	set := func(p *string, v string) {
		if *p == "" {
			*p = v
		}
	}
	set((*string)(&o.Mode), string(Dev))
	set(&o.HTTPAddress, "127.0.0.1:8080")
	set(&o.DataDir, ".segue")
	set(&o.TemporalUIAddress, "127.0.0.1:8233")
	set(&o.WorkerAddress, "127.0.0.1:8081")
	set(&o.MailFrom, "Segue <surveys@segue.localhost>")
	if o.Mode == Dev {
		set(&o.TemporalAddress, "127.0.0.1:7233")
		set(&o.TemporalNamespace, "default")
		set(&o.DatabaseURL, "sqlite://"+o.DataDir+"/segue.db")
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Out == nil {
		o.Out = os.Stdout
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Validate reports every problem at once.
func (o Options) Validate() error {
	o = o.withDefaults()
	var errs []error
	if o.DatabaseURL == "" {
		errs = append(errs, fault.Field("database-url", "needed to run %s on its own: sqlite://path or postgres://…", o.Mode))
	}
	if o.Mode != Dev && o.EncryptionKey == "" {
		errs = append(errs, fault.Field("encryption-key", "needed to run %s on its own, the same everywhere: base64 of 32 bytes", o.Mode))
	}
	if o.Mode == Starter && o.AdminToken == "" {
		errs = append(errs, fault.Field("admin-token", "needed to run the starter on its own"))
	}
	for _, k := range keyTexts(o.EncryptionKey) {
		if b, err := base64.StdEncoding.DecodeString(k); err != nil || len(b) != 32 {
			errs = append(errs, fault.Field("encryption-key", "want base64 of 32 bytes"))
		}
	}
	if u, err := url.Parse(o.PublicURL); o.PublicURL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		errs = append(errs, fault.Field("public-url", "want http://host or https://host, have %q", o.PublicURL))
	}
	return errors.Join(errs...)
}

func keyTexts(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

// standIn is QualtricsURL, nil when it is not set.
func (o Options) standIn() (*url.URL, error) {
	if o.QualtricsURL == "" {
		return nil, nil
	}
	u, err := url.Parse(o.QualtricsURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fault.Field("qualtrics-url", "want http://host:port, have %q", o.QualtricsURL)
	}
	return u, nil
}
