//go:build !slim

package devserver_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/data/pgtest"
	"github.com/segue-xm/segue/internal/temporal/devserver"
)

var (
	source = temporal.NewSearchAttributeKeyKeyword("SegueSource")
	events = temporal.NewSearchAttributeKeyKeywordList("SegueEvents")
)

var attributes = map[string]enumspb.IndexedValueType{
	"SegueSource": enumspb.INDEXED_VALUE_TYPE_KEYWORD,
	"SegueEvents": enumspb.INDEXED_VALUE_TYPE_KEYWORD_LIST,
}

// start starts a server that stops with the test.
func start(t *testing.T, o devserver.Options) *devserver.Server {
	t.Helper()
	began := time.Now()
	s, err := devserver.Start(t.Context(), o)
	require.NoError(t, err)
	t.Logf("started in %v", time.Since(began).Round(time.Millisecond))
	t.Cleanup(func() { stop(t, s) })
	return s
}

func stop(t *testing.T, s *devserver.Server) {
	t.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	s.Stop(ctx)
	require.NoError(t, ctx.Err(), "the server did not stop in time")
	if took := time.Since(began); took > time.Millisecond {
		t.Logf("stopped in %v", took.Round(time.Millisecond))
	}
}

// dial connects a client that closes with the test.
func dial(t *testing.T, s *devserver.Server) client.Client {
	t.Helper()
	c, err := client.DialContext(t.Context(), client.Options{
		HostPort: s.Address(),
		Logger:   sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func hello(workflow.Context) (string, error) { return "hello", nil }

// runHello runs a workflow to its end on a worker of this process.
func runHello(t *testing.T, c client.Client, id string) {
	t.Helper()
	w := worker.New(c, "hello", worker.Options{})
	w.RegisterWorkflowWithOptions(hello, workflow.RegisterOptions{Name: "hello"})
	require.NoError(t, w.Start())
	defer w.Stop()

	began := time.Now()
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
		ID: id, TaskQueue: "hello", EnableEagerStart: true,
		TypedSearchAttributes: temporal.NewSearchAttributes(source.ValueSet("web"), events.ValueSet([]string{"2k4x0000000a", "2k4x0000000b"})),
	}, "hello")
	require.NoError(t, err)
	var result string
	require.NoError(t, run.Get(t.Context(), &result))
	require.Equal(t, "hello", result)
	t.Logf("first workflow in %v", time.Since(began).Round(time.Millisecond))
}

// requireFound polls, because visibility is written late.
func requireFound(t *testing.T, c client.Client, query string) {
	t.Helper()
	require.Eventually(t, func() bool {
		r, err := c.CountWorkflow(t.Context(), &workflowservice.CountWorkflowExecutionsRequest{Query: query})
		return err == nil && r.Count == 1
	}, 20*time.Second, 20*time.Millisecond, query)
}

func TestStart_AgainOnTheSameDirectory_KeepsExecutions(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a dir #1 100%")
	var log syncBuffer
	o := devserver.Options{Dir: dir, SearchAttributes: attributes, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	first := start(t, o)
	runHello(t, dial(t, first), "kept")
	stop(t, first)
	require.FileExists(t, filepath.Join(dir, "temporal.db-wal"), "the database is not in WAL mode")

	c := dial(t, start(t, o))
	var result string
	require.NoError(t, c.GetWorkflow(t.Context(), "kept", "").Get(t.Context(), &result))
	require.Equal(t, "hello", result)
	requireFound(t, c, `SegueEvents = "2k4x0000000b" AND SegueSource = "web"`)
	require.Empty(t, log.String(), "a plain start, run and stop warns")
}

func TestStart_OnAnExistingDatabase_AddsSearchAttributesAndSetsRetention(t *testing.T) {
	t.Parallel()
	o := devserver.Options{Dir: t.TempDir()}
	stop(t, start(t, o))

	o.SearchAttributes, o.Retention = attributes, 48*time.Hour
	c := dial(t, start(t, o))
	runHello(t, c, "added")
	requireFound(t, c, `SegueEvents = "2k4x0000000a" AND SegueSource = "web"`)
	ns, err := c.WorkflowService().DescribeNamespace(t.Context(), &workflowservice.DescribeNamespaceRequest{Namespace: "default"})
	require.NoError(t, err)
	require.Equal(t, 48*time.Hour, ns.Config.WorkflowExecutionRetentionTtl.AsDuration())
}

func TestStart_InMemory_ServersAreIndependent(t *testing.T) {
	t.Parallel()
	a := dial(t, start(t, devserver.Options{SearchAttributes: attributes}))
	b := dial(t, start(t, devserver.Options{SearchAttributes: attributes}))
	runHello(t, a, "mine")
	_, err := b.DescribeWorkflowExecution(t.Context(), "mine", "")
	require.ErrorContains(t, err, "not found")
}

func TestStart_OnPostgres_RunsAndKeepsExecutions(t *testing.T) {
	t.Parallel()
	o := devserver.Options{Postgres: pgtest.URL(t), SearchAttributes: attributes}
	first := start(t, o)
	runHello(t, dial(t, first), "kept")
	stop(t, first)

	c := dial(t, start(t, o))
	var result string
	require.NoError(t, c.GetWorkflow(t.Context(), "kept", "").Get(t.Context(), &result))
	requireFound(t, c, `SegueEvents = "2k4x0000000b" AND SegueSource = "web"`)
}

func TestStart_TakenPort_NamesAddressAndSetting(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	taken := l.Addr().String()
	for setting, o := range map[string]devserver.Options{
		"temporal-address":    {Address: taken},
		"temporal-ui-address": {UIAddress: taken},
	} {
		_, err := devserver.Start(t.Context(), o)
		require.Equal(t, fault.Conflict, fault.KindOf(err), setting)
		require.ErrorContains(t, err, setting+": "+taken+" is already in use")
	}
}

func TestStart_TakenDirectory_IsAConflictUntilTheOtherStops(t *testing.T) {
	t.Parallel()
	o := devserver.Options{Dir: t.TempDir()}
	first := start(t, o)
	_, err := devserver.Start(t.Context(), o)
	require.Equal(t, fault.Conflict, fault.KindOf(err))
	require.ErrorContains(t, err, "data-dir: "+o.Dir+" is in use")
	stop(t, first)
	start(t, o)
}

func TestStart_UnusableOptions_AreInvalid(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]devserver.Options{
		"no port":         {Address: "127.0.0.1"},
		"a name as host":  {Address: "temporal.example:7233"},
		"a wild port":     {UIAddress: "127.0.0.1:99999"},
		"short retention": {Retention: time.Minute},
		"not postgres":    {Postgres: "mysql://localhost"},
	} {
		_, err := devserver.Start(t.Context(), o)
		require.Equal(t, fault.Invalid, fault.KindOf(err), "%s: %v", name, err)
	}
}

func TestStart_UnusableDatabase_IsAnErrorThatNamesIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "temporal.db"), []byte("a text that is long enough to be no header"), 0o600))
	_, err := devserver.Start(t.Context(), devserver.Options{Dir: dir})
	require.ErrorContains(t, err, filepath.Join(dir, "temporal.db"))

	_, err = devserver.Start(t.Context(), devserver.Options{Dir: filepath.Join(dir, "temporal.db", "below a file")})
	require.Equal(t, fault.Invalid, fault.KindOf(err))
	require.ErrorContains(t, err, "data-dir")

	_, err = devserver.Start(t.Context(), devserver.Options{Postgres: "postgres://me:secret@127.0.0.1:1/segue"})
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	require.NotContains(t, err.Error(), "secret")
}

func TestUI_Answers(t *testing.T) {
	t.Parallel()
	s := start(t, devserver.Options{UIAddress: "127.0.0.1:0"})
	for _, path := range []string{"/", "/namespaces/default/workflows", "/api/v1/namespaces/default/workflows"} {
		r, err := http.Get(s.UIURL() + path)
		require.NoError(t, err)
		_ = r.Body.Close()
		require.Equal(t, http.StatusOK, r.StatusCode, path)
	}
}

// syncBuffer is a buffer for loggers.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
