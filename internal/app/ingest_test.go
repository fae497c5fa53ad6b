package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/data/seal"
)

// away is an address of this machine where nothing listens.
func away(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close() //nolint:errcheck // it is only taken for its number
	return l.Addr().String()
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// runs runs a process that is stopped before the test ends.
func runs(t *testing.T, o Options) (s *running, stop func()) {
	t.Helper()
	ready := make(chan Addresses, 1)
	o.Ready = func(a Addresses) { ready <- a }
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, o) }()
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			cancel()
			require.NoError(t, <-ended)
		}
	}
	t.Cleanup(stop)
	select {
	case a := <-ready:
		return &running{a, t}, stop
	case err := <-ended:
		ended <- nil
		require.NoError(t, err)
	case <-time.After(time.Minute):
		t.Fatal("not ready in a minute")
	}
	return nil, nil
}

// fails runs a process that must not start, and returns why it did not.
func fails(t *testing.T, o Options) *fault.Error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	o.Ready = func(Addresses) { cancel() }
	err := Run(ctx, o)
	var known *fault.Error
	require.ErrorAs(t, err, &known)
	return known
}

func (r *running) fetch(method, path, body string) (int, string) {
	r.t.Helper()
	req, err := http.NewRequest(method, r.HTTP+path, strings.NewReader(body))
	require.NoError(r.t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(r.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(r.t, err)
	return res.StatusCode, string(text)
}

const ingestPlan = `version: 1
sources:
  - {name: web, write_keys: ["${SEGUE_INGEST_TEST_KEY}"]}
directories:
  - {name: customers, default: true, merge_rules: [[ext_ref]], mailing_lists: [everyone]}
destinations:
  - {name: xm, type: directory, directory: customers}
mappings:
  - {name: people, source: web, destination: xm, action: upsert_contact, when: 'type = "identify"'}
`

// TestIngest_WorksWhileTemporalIsDown: what a starter took on its own is processed
// once there is a Temporal.
func TestIngest_WorksWhileTemporalIsDown(t *testing.T) {
	t.Setenv("SEGUE_INGEST_TEST_KEY", "wk-ingest")
	dir := t.TempDir()
	file := filepath.Join(dir, "plan.yaml")
	require.NoError(t, os.WriteFile(file, []byte(ingestPlan), 0o600))
	o := Options{
		Mode: Starter, HTTPAddress: "127.0.0.1:0", DataDir: dir, DatabaseURL: "sqlite://" + filepath.Join(dir, "segue.db"), Plan: file,
		TemporalAddress: away(t), EncryptionKey: seal.NewKey(), AdminToken: "admin", Out: io.Discard, Logger: quiet(),
	}
	begin := time.Now()
	s, stop := runs(t, o)
	t.Log("a starter without Temporal is ready after", time.Since(begin).Round(time.Millisecond))
	s.WriteKey = "wk-ingest"

	begin = time.Now()
	for i := range 5 {
		s.post("/v1/identify", fmt.Sprintf(`{"messageId":"down-%d","userId":"u%d","traits":{"email":"u%d@example.com"}}`, i, i, i))
	}
	require.Less(t, time.Since(begin), 20*time.Second, "Temporal is not waited for")
	for _, e := range s.list("events?source=web", "events", func(l []object) bool { return len(l) == 5 }) {
		require.Equal(t, "accepted", e["status"])
	}

	status, text := s.fetch(http.MethodGet, "/readyz", "")
	require.Equal(t, http.StatusOK, status)
	var ready struct {
		Ready bool
		Parts []struct{ Name, Status string }
	}
	require.NoError(t, json.Unmarshal([]byte(text), &ready))
	require.True(t, ready.Ready)
	parts := map[string]string{}
	for _, p := range ready.Parts {
		parts[p.Name] = p.Status
	}
	require.Equal(t, "ok", parts["database"])
	require.Equal(t, "failed", parts["temporal"])

	status, text = s.fetch(http.MethodPost, "/v1/nonsense", "{}")
	require.Equal(t, http.StatusNotFound, status)
	require.Contains(t, text, `"kind":"not_found"`)
	stop()

	o.Mode, o.TemporalAddress, o.TemporalUIAddress = Dev, "127.0.0.1:0", "127.0.0.1:0"
	// The starter's lease on its events has run out by then.
	o.Now = func() time.Time { return time.Now().Add(time.Minute) }
	s, _ = runs(t, o)
	s.list("events?source=web&status=processed", "events", func(l []object) bool { return len(l) == 5 })
	require.Equal(t, "u3@example.com", s.list("contacts?ext_ref=u3", "contacts", some)[0]["email"])

	second := o
	second.Now = nil
	err := fails(t, second)
	require.Equal(t, "data-dir", err.Field)
	require.Contains(t, err.Error(), dir)
	require.Contains(t, err.Error(), fmt.Sprint(os.Getpid()), "it says who holds it")
}

func TestStart_TakenAddress_NamesItsSetting(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = taken.Close() })
	for setting, change := range map[string]func(*Options){
		"http-address":        func(o *Options) { o.HTTPAddress = taken.Addr().String() },
		"temporal-address":    func(o *Options) { o.TemporalAddress = taken.Addr().String() },
		"temporal-ui-address": func(o *Options) { o.TemporalUIAddress = taken.Addr().String() },
	} {
		o := Options{
			Mode: Dev, HTTPAddress: "127.0.0.1:0", DataDir: t.TempDir(), TemporalAddress: "127.0.0.1:0", TemporalUIAddress: "127.0.0.1:0",
			Out: io.Discard, Logger: quiet(),
		}
		change(&o)
		err := fails(t, o)
		require.Equal(t, setting, err.Field, err.Error())
		require.Contains(t, err.Error(), taken.Addr().String())
		require.Contains(t, err.Error(), "in use")
	}
}
