package cli

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/app"
)

// outcome is what a command left.
type outcome struct {
	out, err string
	code     int
}

// run runs a command as main does, with nothing in the environment but environ.
func run(t testing.TB, p Program, args ...string) outcome {
	t.Helper()
	var out, errs bytes.Buffer
	if p.In == nil {
		p.In = strings.NewReader("")
	}
	if p.Environ == nil {
		p.Environ = []string{}
	}
	if p.Context == nil {
		p.Context = t.Context()
	}
	p.Out, p.Err = &out, &errs
	code := Report(&errs, Run(args, p))
	return outcome{out.String(), errs.String(), code}
}

// server is a fake one.
func server(t testing.TB, routes map[string]http.HandlerFunc) string {
	t.Helper()
	mux := http.NewServeMux()
	for pattern, h := range routes {
		mux.HandleFunc(pattern, h)
	}
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func file(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestRun_WrongUsage_Exits2(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"nonsense"}, {"--nonsense"}, {"validate"}, {"bench", "--batch", "0"}, {"diff", "-f", "x", "--url", "ftp://x"}, {"eval"}} {
		o := run(t, Program{}, args...)
		require.Equal(t, 2, o.code, "%v: %s", args, o.err)
		require.True(t, strings.HasPrefix(o.err, "segue: "), o.err)
		require.Empty(t, o.out)
	}
}

func TestRun_Help_Exits0(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"", "dev", "starter", "worker", "migrate", "validate", "diff", "apply", "export", "eval", "eval filter", "eval mapping", "destinations", "destinations test", "destinations pause", "destinations resume", "send", "explain", "bench", "version"} {
		o := run(t, Program{}, append(strings.Fields(command), "--help")...)
		require.Equal(t, 0, o.code, o.err)
		require.Contains(t, o.out, "Usage: segue", command)
	}
}

func TestRun_UnknownEnvironment_IsRefusedWithASuggestion(t *testing.T) {
	t.Parallel()
	o := run(t, Program{Environ: []string{"SEGUE_HTTP_ADRESS=x", "SEGUE_ZZZZZZZZ=1", "SEGUE_DATA_DIR=d"}}, "version")
	require.Equal(t, 2, o.code)
	require.Equal(t, "segue: SEGUE_HTTP_ADRESS: no such setting; did you mean SEGUE_HTTP_ADDRESS?\nsegue: SEGUE_ZZZZZZZZ: no such setting; segue dev --help lists them\n", o.err)
}

func TestRun_KnownEnvironment_IsTaken(t *testing.T) {
	t.Parallel()
	o := run(t, Program{Environ: []string{
		"PATH=/bin", "SEGUE_WORKER_ADDRESS=x", "SEGUE_URL=x", "SEGUE_TOKEN=x", "SEGUE_WRITE_KEY=x", "SEGUE_TEST_X=1", "SEGUE_REQUIRE_POSTGRES=1", "SEGUE_CONFORMANCE=x", "SEGUE_DEMO_WRITE_KEY=x",
		// What Kubernetes sets for services called segue and segue-starter.
		"SEGUE_SERVICE_HOST=10.0.0.1", "SEGUE_SERVICE_PORT=8080", "SEGUE_SERVICE_PORT_HTTP=8080", "SEGUE_PORT=tcp://10.0.0.1:8080", "SEGUE_PORT_8080_TCP=x", "SEGUE_PORT_8080_TCP_ADDR=x", "SEGUE_STARTER_SERVICE_HOST=x",
	}}, "version")
	require.Equal(t, 0, o.code, o.err)
}

// The settings of the contract are flags of dev, or of the worker alone, and
// names of the environment.
func TestSettings_Contract_HasThemAll(t *testing.T) {
	t.Parallel()
	help := run(t, Program{}, "dev", "--help").out + run(t, Program{}, "worker", "--help").out
	for _, name := range []string{
		"http-address", "data-dir", "database-url", "temporal-address", "temporal-namespace", "worker-address", "temporal-ui-address",
		"encryption-key", "public-url", "smtp-url", "plan", "admin-token", "mail-from", "allow-private",
	} {
		require.Contains(t, help, "--"+name+"=")
		require.Contains(t, strings.Join(strings.Fields(help), " "), "($SEGUE_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))+")")
	}
}

func TestServe_Settings_FlagsWinOverEnvironment(t *testing.T) {
	t.Setenv("SEGUE_HTTP_ADDRESS", "127.0.0.1:1")
	t.Setenv("SEGUE_MAIL_FROM", "a@example.com")
	t.Setenv("SEGUE_ALLOW_PRIVATE", "10.0.0.0/8,192.168.0.0/16")
	var got app.Options
	p := Program{Serve: func(_ context.Context, o app.Options) error { got = o; return nil }}
	o := run(t, p, "--http-address", "127.0.0.1:2", "--data-dir", "there")
	require.Equal(t, 0, o.code, o.err)
	require.Equal(t, app.Dev, got.Mode, "segue alone is segue dev")
	require.Equal(t, "127.0.0.1:2", got.HTTPAddress)
	require.Equal(t, "a@example.com", got.MailFrom)
	require.Equal(t, []string{"10.0.0.0/8", "192.168.0.0/16"}, got.AllowPrivate)
	require.Equal(t, "sqlite://there/segue.db", got.DatabaseURL)
	require.Empty(t, got.TemporalAddress, "what is not given is left to the TEMPORAL_* variables")
}

func TestServe_Log_MasksSecrets(t *testing.T) {
	t.Parallel()
	key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))
	p := Program{Serve: func(context.Context, app.Options) error { return nil }}
	shared := []string{"--encryption-key", key, "--database-url", "postgres://u:hidden1@db/segue?sslmode=disable&password=hidden2", "--public-url", "https://xm.example.com"}
	worker := run(t, p, append([]string{"worker", "--smtp-url", "smtp://u:hidden3@mail:25"}, shared...)...)
	require.Equal(t, 0, worker.code, worker.err)
	starter := run(t, p, append([]string{"starter", "--admin-token", "hidden4"}, shared...)...)
	require.Equal(t, 0, starter.code, starter.err)
	log := worker.err + starter.err
	require.NotContains(t, log, "hidden")
	require.NotContains(t, log, key)
	for _, shown := range []string{"smtp://u:xxxxx@mail:25", "sslmode=disable", "public_url=https://xm.example.com", "mode=worker", "mode=starter", "worker_address=127.0.0.1:8081", "admin_token=set"} {
		require.Contains(t, log, shown)
	}
}

func TestServe_MissingSettings_AreAllNamed(t *testing.T) {
	t.Parallel()
	o := run(t, Program{Serve: func(context.Context, app.Options) error { return nil }}, "starter")
	require.Equal(t, 2, o.code)
	for _, name := range []string{"database-url", "encryption-key", "admin-token"} {
		require.Contains(t, o.err, "segue: "+name+": ")
	}
}

func TestMigrate_Twice_GivesTheSameVersion(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new")
	first := run(t, Program{}, "migrate", "--data-dir", dir)
	require.Equal(t, 0, first.code, first.err)
	require.Regexp(t, `^database at version [1-9][0-9]*\n$`, first.out)
	require.Equal(t, first, run(t, Program{}, "migrate", "--database-url", "sqlite://"+filepath.Join(dir, "segue.db")))
	require.Equal(t, 1, run(t, Program{}, "migrate", "--database-url", "oracle://x").code)
}
