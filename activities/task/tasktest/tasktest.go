// Package tasktest holds every task to the promises of package task, in one call
// from the task's own tests. It is for tests only.
package tasktest

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/activities/task"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Cases are settings to try, as JSON; %s-free, complete.
type Cases struct {
	Good []string // each must have its effect, once per key
	Bad  []string // each must be refused when it is saved and when it runs
	// Secrets are values that stand in Good and must never be seen: not in
	// redacted settings, nor in an error.
	Secrets []string
}

// Conform checks a task: two runs with one key have one effect and one output,
// two keys have two; a cancelled context has none; bad settings are refused as
// Invalid; secrets stay secret. New returns a fresh task and how many effects it
// has had; it may prepare settings, given as JSON, for this instance (an address
// of a test server, say), or return them as they are.
func Conform[C any](t *testing.T, cases Cases, newTask func(t *testing.T) (tsk task.Task[C], effects func() int, settings func(string) string)) {
	t.Helper()
	setup := func(t *testing.T) (*task.Registry, string, func() int, func(string) *jsonvalue.Object) {
		tsk, effects, settings := newTask(t)
		reg := task.NewRegistry()
		task.Add(reg, tsk)
		with := func(text string) *jsonvalue.Object {
			if settings != nil {
				text = settings(text)
			}
			o, err := jsonvalue.ParseObject([]byte(text))
			require.NoError(t, err, text)
			return o
		}
		return reg, tsk.Spec().Kind, effects, with
	}
	input := func(run id.ID, with *jsonvalue.Object) task.RawInput {
		return task.RawInput{Context: task.Context{Key: run.String() + "/step", Run: run, Step: "step", Workflow: "w"}, With: with}
	}
	first, second := id.ID(1<<40+1), id.ID(1<<40+2)

	t.Run("same key has one effect", func(t *testing.T) {
		for _, text := range cases.Good {
			reg, kind, effects, with := setup(t)
			require.NoError(t, reg.Validate(kind, with(text)), text)
			one, err := reg.Run(t.Context(), kind, input(first, with(text)))
			require.NoError(t, err, text)
			require.Equal(t, 1, effects(), text)
			again, err := reg.Run(t.Context(), kind, input(first, with(text)))
			require.NoError(t, err, text)
			require.Equal(t, 1, effects(), "the second run with the same key: %s", text)
			require.Equal(t, one.Distribution, again.Distribution)
			require.Equal(t, one.Contact, again.Contact)
			_, err = reg.Run(t.Context(), kind, input(second, with(text)))
			require.NoError(t, err, text)
			require.Equal(t, 2, effects(), "another key is another effect: %s", text)
		}
	})
	t.Run("same key at the same time has one effect", func(t *testing.T) {
		for _, text := range cases.Good {
			reg, kind, effects, with := setup(t)
			var wg sync.WaitGroup
			for range 4 {
				in := input(first, with(text))
				wg.Go(func() { _, _ = reg.Run(t.Context(), kind, in) })
			}
			wg.Wait()
			require.Equal(t, 1, effects(), text)
		}
	})
	t.Run("cancelled context has no effect", func(t *testing.T) {
		for _, text := range cases.Good {
			tsk, effects, settings := newTask(t)
			reg := task.NewRegistry()
			task.Add(reg, tsk)
			if settings != nil {
				text = settings(text)
			}
			o, err := jsonvalue.ParseObject([]byte(text))
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, err = reg.Run(ctx, tsk.Spec().Kind, input(first, o))
			require.ErrorIs(t, err, context.Canceled)
			require.False(t, fault.KindOf(err).Final(), "a cancelled call can be made again")
			require.Zero(t, effects())
		}
	})
	t.Run("bad settings are refused", func(t *testing.T) {
		reg, kind, effects, with := setup(t)
		for _, text := range append([]string{`{"no_such_setting":1}`}, cases.Bad...) {
			err := reg.Validate(kind, with(text))
			require.Error(t, err, text)
			require.Equal(t, fault.Invalid, fault.KindOf(err), "%s: %v", text, err)
			_, err = reg.Run(t.Context(), kind, input(first, with(text)))
			require.Error(t, err, text)
			require.True(t, fault.KindOf(err).Final(), "%s: %v", text, err)
		}
		require.Zero(t, effects())
	})
	t.Run("secrets are not seen", func(t *testing.T) {
		for _, text := range cases.Good {
			reg, kind, _, with := setup(t)
			shown := jsonvalue.Text(reg.Redact(kind, with(text)))
			broken := with(text)
			broken.Set("no_such_setting", strings.Join(cases.Secrets, " "))
			_, err := reg.Run(t.Context(), kind, input(first, broken))
			require.Error(t, err)
			for _, s := range cases.Secrets {
				require.NotContains(t, shown, s)
				require.NotContains(t, err.Error(), s)
			}
		}
	})
	t.Run("spec is complete", func(t *testing.T) {
		reg, kind, _, _ := setup(t)
		spec, ok := reg.Spec(kind)
		require.True(t, ok)
		require.NotEmpty(t, spec.Title)
		require.NotEmpty(t, spec.Doc)
		for _, f := range spec.Fields {
			require.NotEmpty(t, f.Doc, f.Name)
			require.Contains(t, []string{"text", "number", "boolean", "duration", "object", "list", "any"}, f.Type, f.Name)
		}
	})
}
