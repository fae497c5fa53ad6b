package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/temporal/devserver"
)

// envChild makes the test binary run a Segue with the options it holds, as JSON:
// tests that kill processes need processes, and need no second build.
const envChild = "SEGUE_TEST_CHILD"

// childOptions are the Options that travel to a child.
type childOptions struct {
	Mode                                                           Mode
	HTTPAddress, WorkerAddress, TemporalAddress, TemporalUIAddress string
	DataDir, DatabaseURL, EncryptionKey, AdminToken, PlanFile      string
	QualtricsURL                                                   string
}

func TestMain(m *testing.M) {
	text := os.Getenv(envChild)
	if text == "" {
		if !devserver.Embedded {
			fmt.Println("skipped: tests of the whole process need the embedded Temporal, which a slim build leaves out")
			return
		}
		os.Exit(m.Run())
	}
	var c childOptions
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	// The parent holds the other end of stdin: when it is gone, however it went, so
	// is the child.
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	err := Run(context.Background(), Options{
		Mode: c.Mode, HTTPAddress: c.HTTPAddress, WorkerAddress: c.WorkerAddress, TemporalAddress: c.TemporalAddress, TemporalUIAddress: c.TemporalUIAddress,
		DataDir: c.DataDir, DatabaseURL: c.DatabaseURL, EncryptionKey: c.EncryptionKey, AdminToken: c.AdminToken, Plan: c.PlanFile, QualtricsURL: c.QualtricsURL,
		Out:    io.Discard,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Ready:  func(a Addresses) { _ = json.NewEncoder(os.Stdout).Encode(a) },
	})
	fmt.Fprintln(os.Stderr, "ended:", err)
	os.Exit(1)
}

// child is a Segue in a process of its own, on addresses that stay when it is
// killed and started again.
type child struct {
	Addresses
	name    string
	options childOptions
	kills   int

	mu    sync.Mutex
	cmd   *exec.Cmd
	stdin io.Closer
	said  bytes.Buffer // what all its lives wrote to stderr
}

// startChild starts a child and waits until it serves.
func startChild(t *testing.T, name string, o childOptions) *child {
	t.Helper()
	o.HTTPAddress, o.WorkerAddress = freeAddress(t), freeAddress(t)
	if o.Mode == Dev {
		o.TemporalAddress, o.TemporalUIAddress = freeAddress(t), freeAddress(t)
	}
	c := &child{name: name, options: o}
	t.Cleanup(func() {
		c.kill()
		if t.Failed() {
			said := c.stderr()
			t.Logf("%s said: … %s", name, said[max(0, len(said)-8000):])
		}
	})
	c.start(t)
	return c
}

// freeAddress is an address below the range that the system gives to outgoing
// connections, so that nobody takes it while its process is down.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 15000+rand.IntN(15000))
		if l, err := net.Listen("tcp", address); err == nil {
			require.NoError(t, l.Close())
			return address
		}
	}
	t.Fatal("no free port")
	return ""
}

// start runs the child, for the first time or again.
func (c *child) start(t *testing.T) {
	t.Helper()
	text, err := json.Marshal(c.options)
	require.NoError(t, err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envChild+"="+string(text))
	cmd.Stderr = c
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	c.cmd, c.stdin = cmd, stdin
	slow := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer slow.Stop()
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	require.NoError(t, err, "%s did not start: %s", c.name, c.stderr())
	require.NoError(t, json.Unmarshal(line, &c.Addresses))
}

// kill ends the child as a power cut would, and waits until it is gone.
func (c *child) kill() {
	if c.cmd == nil {
		return
	}
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
	_ = c.stdin.Close()
	c.cmd = nil
	c.kills++
}

func (c *child) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.said.Write(b)
}

func (c *child) stderr() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.said.String()
}

// as is the child as a test asks it over HTTP.
func (c *child) as(t *testing.T) *running { return &running{c.Addresses, t} }

// delivered posts a body with a write key until one of the addresses acknowledges
// it, as an SDK does: again after errors of the connection, 429 and 5xx. It returns
// how many attempts that took, 0 when it never was; any other answer is an error.
func delivered(ctx context.Context, client *http.Client, key, path, body string, bases ...string) (attempts int, err error) {
	for {
		base := bases[attempts%len(bases)]
		attempts++
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+path, strings.NewReader(body))
		if err != nil {
			return 0, err
		}
		req.SetBasicAuth(key, "")
		res, err := client.Do(req)
		if err == nil {
			text, readErr := io.ReadAll(res.Body)
			_ = res.Body.Close()
			switch {
			case res.StatusCode == http.StatusOK && readErr == nil:
				return attempts, nil
			case res.StatusCode == http.StatusOK, res.StatusCode == http.StatusTooManyRequests, res.StatusCode >= 500:
			default:
				return 0, fmt.Errorf("%s answers %s: %s", path, res.Status, text)
			}
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// until waits for a condition and fails with what was last seen when it does not
// come.
func until(t *testing.T, limit time.Duration, ok func() (done bool, seen string)) time.Duration {
	t.Helper()
	begin := time.Now()
	for {
		done, seen := ok()
		if done {
			return time.Since(begin)
		}
		if time.Since(begin) > limit {
			t.Fatalf("waited %s in vain; last seen: %s", limit, seen)
		}
		<-time.After(20 * time.Millisecond)
	}
}
