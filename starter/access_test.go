package starter_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/starter"
)

// keys is a database of revisions that counts how often it is asked.
type keys struct {
	mu       sync.Mutex
	revision int64
	writeKey string
	asked    int
	fail     error
	hang     bool
}

func (k *keys) CurrentRevision(ctx context.Context) (int64, error) {
	k.mu.Lock()
	k.asked++
	hang, rev, err := k.hang, k.revision, k.fail
	k.mu.Unlock()
	if hang {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	return rev, err
}

func (k *keys) RevisionPlan(context.Context, int64) (*plan.Plan, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return &plan.Plan{Sources: []plan.Source{{Name: "web", WriteKeys: []plan.Secret{plan.Secret(k.writeKey)}}},
		Workflows: []plan.Workflow{{Name: "ask"}}}, nil
}

func (k *keys) NameIDs(context.Context) (map[plan.Name]id.ID, error) {
	return map[plan.Name]id.ID{{Kind: plan.KindSource, Name: "web"}: 1, {Kind: plan.KindWorkflow, Name: "ask"}: 2, {Kind: plan.KindSource, Name: "workflow:ask"}: 3}, nil
}

func (k *keys) WorkflowURLs(context.Context) (map[[32]byte]id.ID, error) {
	return map[[32]byte]id.ID{sha256.Sum256([]byte("token")): 2, sha256.Sum256([]byte("archived")): 9}, nil
}

func (k *keys) set(change func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	change()
}

// inBubble runs a test whose clock moves only when everything waits.
func inBubble(t *testing.T, test func(t *testing.T, k *keys, a *starter.Access)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := &keys{revision: 1, writeKey: "first"}
		ctx, stop := context.WithCancel(t.Context())
		secrets := func(context.Context) (map[string]string, error) { return nil, nil }
		a, err := starter.NewAccess(ctx, k, secrets, slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		defer func() { stop(); synctest.Wait() }()
		test(t, k, a)
	})
}

func knows(t *testing.T, a *starter.Access, key string) bool {
	t.Helper()
	_, ok, err := a.WriteKey(t.Context(), key)
	require.NoError(t, err)
	return ok
}

func TestAccess_NewRevision_ItsKeysWorkAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, k *keys, a *starter.Access) {
		require.True(t, knows(t, a, "first"))
		require.False(t, knows(t, a, "second"))
		// Right after a look for another unknown key: it must not be refused for that.
		k.set(func() { k.revision, k.writeKey = 2, "second" })
		begin := time.Now()
		require.True(t, knows(t, a, "second"))
		require.LessOrEqual(t, time.Since(begin), 100*time.Millisecond)
		require.False(t, knows(t, a, "first"))
	})
}

func TestAccess_RemovedKey_StopsWithinASecond(t *testing.T) {
	inBubble(t, func(t *testing.T, k *keys, a *starter.Access) {
		k.set(func() { k.revision, k.writeKey = 2, "second" })
		require.True(t, knows(t, a, "first"), "known keys are not looked up")
		time.Sleep(time.Second) // the bubble's
		synctest.Wait()
		require.False(t, knows(t, a, "first"))
	})
}

func TestAccess_Guessing_DoesNotHammerTheDatabase(t *testing.T) {
	inBubble(t, func(t *testing.T, k *keys, a *starter.Access) {
		begin := time.Now()
		k.set(func() { k.asked = 0 })
		var guesses sync.WaitGroup
		for range 200 {
			guesses.Go(func() {
				for range 20 {
					_, ok, err := a.WorkflowURL(t.Context(), [32]byte{1})
					_, _, _ = a.WriteKey(t.Context(), "guess")
					_, _, _ = a.Source(t.Context(), "guess")
					if ok || err != nil {
						t.Error("guessed", ok, err)
					}
				}
			})
		}
		guesses.Wait()
		seconds := time.Since(begin).Seconds()
		require.LessOrEqual(t, float64(k.asked), 11*seconds+11, "ten times a second, and once for the regular look")
		require.LessOrEqual(t, seconds, 20*3*2*0.1+1, "guesses share their looks")
		synctest.Wait() // a regular look due at this very moment is over
		k.set(func() { k.asked = 0 })
		for range 1000 {
			_, ok, _ := a.WorkflowURL(t.Context(), sha256.Sum256([]byte("token")))
			require.True(t, ok)
		}
		require.Zero(t, k.asked, "known ones cost the database nothing")
		_, ok, _ := a.WorkflowURL(t.Context(), sha256.Sum256([]byte("archived")))
		require.False(t, ok)
	})
}

func TestAccess_DatabaseAway_UnknownKeyMayBeGood(t *testing.T) {
	inBubble(t, func(t *testing.T, k *keys, a *starter.Access) {
		k.set(func() { k.fail = errors.New("connection refused") })
		require.True(t, knows(t, a, "first"), "the known ones stay")
		_, _, err := a.WriteKey(t.Context(), "second")
		require.Equal(t, fault.Unavailable, fault.KindOf(err), "401 would make SDKs throw events away")
		require.Equal(t, time.Second, fault.RetryAfter(err))

		k.set(func() { k.fail, k.hang = nil, true })
		begin := time.Now()
		_, _, err = a.WriteKey(t.Context(), "second")
		require.Equal(t, fault.Unavailable, fault.KindOf(err))
		require.Less(t, time.Since(begin), 5*time.Second, "a database that hangs is noticed")

		k.set(func() { k.hang, k.revision, k.writeKey = false, 2, "second" })
		require.True(t, knows(t, a, "second"))
	})
}

func TestAccess_OlderRevision_NeverReplacesANewer(t *testing.T) {
	inBubble(t, func(t *testing.T, k *keys, a *starter.Access) {
		k.set(func() { k.revision, k.writeKey = 3, "third" })
		require.NoError(t, a.Refresh(t.Context()))
		k.set(func() { k.revision, k.writeKey = 2, "second" }) // as a slow reader saw it
		require.NoError(t, a.Refresh(t.Context()))
		require.True(t, knows(t, a, "third"))
	})
}
