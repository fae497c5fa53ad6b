package starter_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/data/store"
)

// module is the folder of an installed package of clients/, which needs Node to be
// installed. Without it a test is skipped, or fails when SEGUE_REQUIRE_NODE is set.
func module(t *testing.T, name string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("real clients take seconds")
	}
	missing := t.Skip
	if os.Getenv("SEGUE_REQUIRE_NODE") != "" {
		missing = t.Fatal
	}
	if _, err := exec.LookPath("node"); err != nil {
		missing("Node is not installed")
	}
	dir := filepath.Join("..", "clients", "node_modules", filepath.FromSlash(name))
	if _, err := os.Stat(filepath.Join(dir, "package.json")); err != nil {
		missing(name + " is not installed: run npm ci --no-audit --no-fund --prefix clients")
	}
	return dir
}

// nodeSaw is what clients/node.mjs says of its six calls.
type nodeSaw struct {
	Statuses  []int    `json:"statuses"`
	Delivered []string `json:"delivered"` // message ids
	Failed    []string `json:"failed"`    // reasons
}

// node sends the six calls with Segment's SDK for Node, three at a time. What it
// saw comes when it has ended.
func (f *fixture) node(url, key string) <-chan nodeSaw {
	f.t.Helper()
	module(f.t, "@segment/analytics-node")
	c := exec.CommandContext(f.t.Context(), "node", filepath.Join("..", "clients", "node.mjs"), url, key)
	out := make(chan nodeSaw, 1)
	go func() {
		var saw nodeSaw
		text, err := c.CombinedOutput()
		if err == nil {
			err = json.Unmarshal(text, &saw)
		}
		if err != nil {
			f.t.Errorf("node: %v: %s", err, text)
		}
		out <- saw
	}()
	return out
}

func TestNode_EveryCall_Arrives(t *testing.T) {
	t.Parallel()
	f := setup(t)
	w := f.wire()
	saw := <-f.node(w.url, webKey)
	require.Equal(t, []int{200, 200}, saw.Statuses)
	require.Empty(t, saw.Failed)
	require.Equal(t, sixCalls, f.types())
	for _, p := range w.posts() {
		require.Equal(t, "/v1/batch", p.path)
		require.Equal(t, basic(webKey+":"), p.header.Get("Authorization"))
	}

	bodies := map[string]*jsonvalue.Object{}
	for _, r := range f.stored() {
		require.NotContains(t, f.body(r.ID), webKey)
		o, err := jsonvalue.ParseObject([]byte(f.body(r.ID)))
		require.NoError(t, err)
		require.Equal(t, "@segment/analytics-node", o.Get("context").(*jsonvalue.Object).Get("library").(*jsonvalue.Object).Get("name"))
		bodies[r.Type] = o
	}
	require.ElementsMatch(t, saw.Delivered, f.messages())
	require.Equal(t, `{"email":"hana@example.com","age":41.5}`, jsonvalue.Text(bodies["identify"].Get("traits")))
	require.Equal(t, "node-own-id", bodies["track"].Get("messageId"))
	require.Equal(t, `{"plan":"プロ"}`, jsonvalue.Text(bodies["track"].Get("properties")))
	require.Equal(t, "ja-JP", bodies["track"].Get("context").(*jsonvalue.Object).Get("locale"))
	require.Equal(t, "Home", bodies["page"].Get("name"))
	require.Equal(t, "Start", bodies["screen"].Get("name"))
	require.Equal(t, "g", bodies["group"].Get("groupId"))
	require.Equal(t, "a", bodies["alias"].Get("previousId"))
}

func TestNode_WrongKey_IsDroppedAtOnce(t *testing.T) {
	t.Parallel()
	f := setup(t)
	saw := <-f.node(f.url, "wk-nobody")
	require.Equal(t, []int{401, 401}, saw.Statuses, "not tried again")
	require.Empty(t, saw.Delivered)
	require.Len(t, saw.Failed, 6)
	for _, reason := range saw.Failed {
		require.Contains(t, reason, "401")
	}
	require.Empty(t, f.stored())
}

func TestNode_TooMuch_ComesAgainWhenItIsToldTo(t *testing.T) {
	t.Parallel()
	f := setupLarge(t)
	w := f.wire()
	module(t, "@segment/analytics-node")
	free := f.full()
	saw := f.node(w.url, webKey)
	f.inTime("refused", func() bool { return f.counted("segue_busy_total") > 0 })
	free()
	require.Equal(t, []int{429, 200, 200}, (<-saw).Statuses)
	require.Equal(t, []string{"", "1", ""}, retries(w.posts()))
	require.Equal(t, sixCalls, f.types())
}

func TestNode_DatabaseAwayThenAnswerLost_IsStoredOnce(t *testing.T) {
	t.Parallel()
	f := setup(t)
	w := f.wire(1)
	var commits atomic.Int32
	f.events.hook(func([]store.NewEvent) error {
		if commits.Add(1) == 1 {
			return fault.New(fault.Unavailable, "away")
		}
		return nil
	})
	saw := <-f.node(w.url, webKey)
	require.Empty(t, saw.Failed)
	require.Equal(t, []int{503, 200, 200, 200}, statuses(w.posts()))
	require.Equal(t, []string{"", "1", "2", ""}, retries(w.posts()))
	require.Equal(t, sixCalls, f.types())
	require.Equal(t, 3.0, f.counted("segue_events_total", "duplicate"))
}
