package app

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/data/pgtest"
	"github.com/segue-xm/segue/internal/outside/qualtrics/standin"
)

// What TestMakeUpgradeFixture makes a fixture with: the binary of a release, with an
// embedded Temporal, and the directory's name under testdata/upgrade.
const (
	envReleaseBinary = "SEGUE_TEST_RELEASE_BINARY"
	envRelease       = "SEGUE_TEST_RELEASE"
)

// fixture says what is in the databases of a release beside it, and what must have
// come of them in the end.
type fixture struct {
	Due      time.Time         `json:"due"` // when the last of its timers has run out
	WriteKey string            `json:"write_key"`
	Events   []sentEvent       `json:"events"` // all that it acknowledged
	Paused   []string          `json:"paused"` // destinations
	Runs     map[string]string `json:"runs"`   // those under way or ended, by id, with their step
	People   []guest           `json:"people"`
	Counts   map[string]int    `json:"counts"`
	Account  map[string]int    `json:"account"` // what arrives at the Qualtrics account
}

type sentEvent struct {
	ID   string          `json:"id"`
	Path string          `json:"path"`
	Body json.RawMessage `json:"body"`
}

// guest is somebody invited, or about to be.
type guest struct {
	User         string   `json:"user"`
	Link         string   `json:"link,omitempty"` // paths of the mailed links
	OptOut       string   `json:"opt_out,omitempty"`
	Visit        string   `json:"visit,omitempty"` // what is still done with them
	Mails        []string `json:"mails"`           // subjects of all mails in the end
	Outcome      string   `json:"outcome,omitempty"`
	Answered     bool     `json:"answered,omitempty"`
	Unsubscribed bool     `json:"unsubscribed,omitempty"`
}

const (
	visitAnswer = "answer"
	visitOptOut = "opt out"
)

// planTimers is how long the plan's timers run: the release must be stopped before.
const planTimers = 5 * time.Minute

// newFixture is who is in a fixture, and what has become of them in the end. The plan
// beside the fixtures has the rest.
func newFixture() fixture {
	asked := func(name string) []string { return []string{"How was it, " + name + "?"} }
	reminded := func(name string) []string { return append(asked(name), "One minute, "+name+"?") }
	return fixture{
		WriteKey: "a-write-key-for-tests",
		Paused:   []string{"vault"},
		Runs:     map[string]string{},
		People: []guest{
			{User: "ana", Mails: reminded("Ana"), Visit: visitAnswer, Answered: true, Outcome: "answered"},
			{User: "bea", Mails: asked("Bea"), Answered: true, Outcome: "answered"}, // had answered before
			{User: "cai", Mails: asked("Cai"), Unsubscribed: true, Outcome: "left"}, // had opted out before
			{User: "dee", Mails: reminded("Dee"), Visit: visitAnswer, Answered: true, Outcome: "answered"},
			{User: "eve", Mails: reminded("Eve"), Visit: visitOptOut, Unsubscribed: true},
			{User: "fay", Mails: reminded("Fay"), Visit: visitAnswer, Answered: true, Outcome: "quiet"}, // after the run has ended
			{User: "gus", Mails: []string{"How is it, Gus?"}},
			{User: "hal", Mails: []string{"Hello, Hal"}}, // held
			{User: "ida"}, // the account writes to her
			{User: "jon", Mails: []string{"Hello, Jon"}}, // stored and acknowledged, nothing else
		},
		Counts:  map[string]int{"contacts": 11, "transactions": 4, "runs": 10, "distributions": 10, "invitations": 10, "outbox": 13},
		Account: map[string]int{"contacts": 1, "distributions": 1},
	}
}

// TestMakeUpgradeFixture makes the databases that TestUpgrade opens, with the binary
// of a release and over its HTTP alone.
func TestMakeUpgradeFixture(t *testing.T) {
	binary, version := os.Getenv(envReleaseBinary), os.Getenv(envRelease)
	if binary == "" {
		t.Skipf("set %s to a binary and %s to its version to make the fixture of a release", envReleaseBinary, envRelease)
	}
	require.Regexp(t, `^v\d+\.\d+\.\d+$`, version, envRelease)
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			dir := t.TempDir()
			m := &maker{t: t, binary: binary, data: filepath.Join(dir, "data"), fixture: newFixture()}
			m.database = "sqlite://" + filepath.Join(m.data, "segue.db")
			if kind == "postgres" {
				m.database = pgtest.URL(t)
			}
			m.everythingUnderWay()
			m.oneMoreStored()
			require.True(t, time.Now().Before(m.Due.Add(-planTimers/2)), "this took so long that timers may have run out")
			if kind == "postgres" {
				dump(t, m.database, filepath.Join(dir, "segue.sql"))
			}
			to := filepath.Join("testdata", "upgrade", version)
			require.NoError(t, os.MkdirAll(to, 0o755))
			pack(t, dir, filepath.Join(to, kind+".tar.gz"))
			text, err := json.MarshalIndent(m.fixture, "", "  ")
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(to, kind+".json"), append(text, '\n'), 0o644))
		})
	}
}

// maker runs a release on databases of its own.
type maker struct {
	fixture
	t                      *testing.T
	binary, data, database string
}

// run starts the release and returns how to ask and how to stop it.
func (m *maker) run(command string, args ...string) (s *running, stop func()) {
	m.t.Helper()
	address := freeAddress(m.t)
	var said bytes.Buffer
	cmd := exec.Command(m.binary, append([]string{command, "--http-address", address, "--data-dir", m.data, "--database-url", m.database,
		"--public-url", "https://segue.example"}, args...)...)
	cmd.Stdout, cmd.Stderr = &said, &said
	require.NoError(m.t, cmd.Start())
	m.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if m.t.Failed() {
			m.t.Logf("%s said: %s", command, said.String())
		}
	})
	s = &running{Addresses{HTTP: "http://" + address, WriteKey: m.WriteKey}, m.t}
	s.eventually(func() bool {
		res, err := http.Get(s.HTTP + "/readyz")
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK
	}, func() string { return "not ready" })
	s.AdminToken = m.kept("admin-token")
	return s, func() {
		require.NoError(m.t, cmd.Process.Signal(syscall.SIGTERM))
		require.NoError(m.t, cmd.Wait())
	}
}

// kept is what the release keeps in a file of its data directory.
func (m *maker) kept(name string) string {
	m.t.Helper()
	b, err := os.ReadFile(filepath.Join(m.data, name))
	require.NoError(m.t, err)
	return strings.TrimSpace(string(b))
}

// send posts an event and waits until its status is as wanted.
func (m *maker) send(s *running, user, what, rest, status string) {
	m.t.Helper()
	kind := "track"
	if what == "identify" {
		kind = what
	} else {
		rest = strings.TrimSuffix(fmt.Sprintf(`"event":%q,%s`, what, rest), ",")
	}
	e := sentEvent{ID: strings.ReplaceAll(what+"-"+user, " ", "-"), Path: "/v1/" + kind}
	e.Body = json.RawMessage(fmt.Sprintf(`{"messageId":%q,"userId":%q,%s}`, e.ID, user, rest))
	s.post(e.Path, string(e.Body))
	m.Events = append(m.Events, e)
	s.list("events?message_id="+e.ID, "events", having("status", status))
}

func (m *maker) identify(s *running, user, status string) {
	m.t.Helper()
	m.send(s, user, "identify", fmt.Sprintf(`"traits":{"email":"%s@example.com","firstName":%q}`, user, strings.ToUpper(user[:1])+user[1:]), status)
}

func (m *maker) order(s *running, user, status string) {
	m.t.Helper()
	m.send(s, user, "Order Completed", fmt.Sprintf(`"context":{"traits":{"email":"%s@example.com"}},"properties":{"total":12.5}`, user), status)
}

// everythingUnderWay brings all of the story but its last guest into the middle of
// what happens to them.
func (m *maker) everythingUnderWay() {
	m.t.Helper()
	there := standin.New(standin.Options{Token: "TOKEN-1"})
	there.Fail(func(*http.Request) standin.Fault {
		return standin.Fault{Status: http.StatusServiceUnavailable}
	})
	account := httptest.NewServer(there)
	m.t.Cleanup(account.Close)
	s, stop := m.run("dev", "--plan", filepath.Join("testdata", "upgrade", "plan.yaml"), "--qualtrics-url", account.URL,
		"--temporal-address", freeAddress(m.t), "--temporal-ui-address", freeAddress(m.t))
	for _, name := range m.Paused {
		s.ask("POST", "destinations/"+name+"/pause", `{"note":"for the upgrade"}`)
	}
	for _, p := range m.People[:len(m.People)-1] {
		status := "processed"
		if p.User == "hal" || p.User == "ida" {
			status = "retrying" // in the vault, and at the account
		}
		m.identify(s, p.User, status)
	}
	m.order(s, "bea", "processed")
	m.order(s, "hal", "retrying")
	m.send(s, "hal", "Rejoined", "", "retrying")
	for user, tour := range map[string]string{
		"ana": "Tour", "bea": "Tour", "dee": "Tour", "cai": "Short Tour", "eve": "Short Tour", "fay": "Short Tour",
		"gus": "Trial Began", "ida": "Account Tour",
	} {
		m.send(s, user, tour, "", "processed")
	}
	m.Due = time.Now().Add(planTimers).UTC().Truncate(time.Second)

	s.list("outbox", "mails", func(mails []object) bool { return len(mails) == 6 })
	for i := range m.People {
		m.noteLinks(s, &m.People[i])
	}
	follow(m.t, s.HTTP, m.guestOf("bea"), visitAnswer)
	follow(m.t, s.HTTP, m.guestOf("cai"), visitOptOut)
	open(m.t, s.HTTP, m.guestOf("dee"))
	m.noteRuns(s)
	stop()
}

// noteRuns waits until every run is where the story wants it: bea's and ida's have
// ended, the others wait.
func (m *maker) noteRuns(s *running) {
	m.t.Helper()
	ended := 0
	runs := s.list("runs?limit=500", "runs", func(runs []object) bool {
		ended = 0
		for _, r := range runs {
			steps := r["steps"].([]any)
			last := object{}
			if len(steps) > 0 {
				last = steps[len(steps)-1].(map[string]any)
			}
			switch {
			case r["status"] == "done":
				ended++
			case r["status"] != "running", last["kind"] != "wait", last["status"] != "waiting":
				return false
			}
		}
		return len(runs) == 8 && ended == 2
	})
	for _, r := range runs {
		m.Runs[r["id"].(string)] = r["workflow"].(string)
	}
	s.list("invitations?limit=500", "invitations", func(all []object) bool { return len(all) == 7 })
	require.Len(m.t, s.list("outbox?limit=500", "mails", some), 6, "nothing was due yet")
}

func (m *maker) guestOf(user string) guest {
	i := slices.IndexFunc(m.People, func(p guest) bool { return p.User == user })
	return m.People[i]
}

// noteLinks finds the links that were mailed to somebody.
func (m *maker) noteLinks(s *running, p *guest) {
	m.t.Helper()
	for _, mail := range s.list("outbox?limit=500", "mails", some) {
		if mail["to"] != p.User+"@example.com" {
			continue
		}
		for _, l := range mail["links"].([]any) {
			u, err := url.Parse(l.(string))
			require.NoError(m.t, err)
			switch {
			case strings.HasPrefix(u.Path, "/l/"):
				p.Link = u.Path
			case strings.HasPrefix(u.Path, "/u/"):
				p.OptOut = u.Path
			}
		}
		require.NotEmpty(m.t, p.Link)
		require.NotEmpty(m.t, p.OptOut)
	}
}

// oneMoreStored leaves events that were acknowledged while neither Temporal nor a
// worker was there.
func (m *maker) oneMoreStored() {
	m.t.Helper()
	s, stop := m.run("starter", "--temporal-address", freeAddress(m.t), "--encryption-key", m.kept("encryption-key"), "--admin-token", m.kept("admin-token"))
	m.identify(s, "jon", "accepted")
	m.order(s, "jon", "accepted")
	m.send(s, "jon", "Joined", "", "accepted")
	stop()
}

// dump writes a PostgreSQL database as statements that any supported version takes
// in, without a client program.
func dump(t *testing.T, database, to string) {
	t.Helper()
	text, err := exec.Command("pg_dump", "--inserts", "--rows-per-insert=100", "--no-owner", "--no-privileges", database).Output()
	require.NoError(t, err, "pg_dump, of the server's version")
	// Commands of psql, and a setting that older servers do not know.
	text = regexp.MustCompile(`(?m)^(\\(un)?restrict .*|SET transaction_timeout .*)\n`).ReplaceAll(text, nil)
	require.NoError(t, os.WriteFile(to, text, 0o600))
}

func pack(t *testing.T, dir, to string) {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	require.NoError(t, err)
	w := tar.NewWriter(z)
	require.NoError(t, w.AddFS(os.DirFS(dir)))
	require.NoError(t, w.Close())
	require.NoError(t, z.Close())
	require.NoError(t, os.WriteFile(to, b.Bytes(), 0o644))
}

func unpack(t *testing.T, from, dir string) {
	t.Helper()
	f, err := os.Open(from)
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	r := tar.NewReader(z)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		require.True(t, filepath.IsLocal(h.Name), h.Name)
		path := filepath.Join(dir, h.Name)
		if h.Typeflag == tar.TypeDir {
			require.NoError(t, os.MkdirAll(path, 0o700))
			continue
		}
		text, err := io.ReadAll(r)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, text, 0o600))
	}
}
