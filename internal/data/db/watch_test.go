package db

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/segue-xm/segue/internal/core/fault"
)

// Ask is what a verb of a store looks like to its database.
func (w *verbs) Ask(ctx context.Context, fn func(tx *Tx) error) error {
	return w.inTx(ctx, fn)
}

type verbs struct{ *DB }

func (w *verbs) inTx(ctx context.Context, fn func(tx *Tx) error) error {
	return w.InTx(ctx, func(tx *Tx) error { return fn(tx) })
}

func TestWatch_SeesTriesAndEnds(t *testing.T) {
	t.Parallel()
	var seen []Transaction
	d, err := Open(t.Context(), Options{URL: "sqlite://" + filepath.Join(t.TempDir(), "segue.db"), Watch: func(tx Transaction) { seen = append(seen, tx) }})
	require.NoError(t, err)
	t.Cleanup(func() { d.Close() })
	seen = nil
	n := 0
	require.NoError(t, d.InTx(t.Context(), func(*Tx) error {
		if n++; n < 3 {
			return ErrRace
		}
		return nil
	}))
	refused := fault.New(fault.Invalid, "no")
	require.ErrorIs(t, d.InTx(t.Context(), func(*Tx) error { return refused }), refused)
	require.Len(t, seen, 2)
	require.Equal(t, 3, seen[0].Tries)
	require.NoError(t, seen[0].Err)
	require.Positive(t, seen[0].Took)
	require.Equal(t, 1, seen[1].Tries)
	require.ErrorIs(t, seen[1].Err, refused)
	write, read := d.Pools()
	require.Equal(t, 2, write.MaxOpenConnections)
	require.Positive(t, read.MaxOpenConnections)
}

func TestInTx_WhatIsTraced_HasASpanWithTheVerbsName(t *testing.T) {
	t.Parallel()
	d, err := Open(t.Context(), Options{URL: "sqlite://" + filepath.Join(t.TempDir(), "segue.db")})
	require.NoError(t, err)
	t.Cleanup(func() { d.Close() })
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	ctx, parent := provider.Tracer("test").Start(t.Context(), "parent")
	w := &verbs{d}
	require.NoError(t, w.Ask(ctx, func(*Tx) error { return nil }))
	require.Error(t, w.Ask(ctx, func(*Tx) error { return fault.New(fault.Invalid, "hana@example.com") }))
	require.NoError(t, w.Ask(t.Context(), func(*Tx) error { return nil }))
	got := spans.GetSpans()
	require.Len(t, got, 2, "what is not traced has none")
	for _, s := range got {
		require.Equal(t, "database Ask", s.Name)
		require.Equal(t, parent.SpanContext().SpanID(), s.Parent.SpanID())
	}
	require.Equal(t, "invalid", got[1].Status.Description, "the kind, and no words")
}

// It counts allocations, and so runs alone.
func TestInTx_NothingIsTraced_CostsNothing(t *testing.T) {
	d := &DB{}
	require.Zero(t, testing.AllocsPerRun(100, func() { endSpan(d.span(context.Background()), Transaction{}) }))
}

func TestAfter_OnlyOfWhatIsCommitted_Once(t *testing.T) {
	t.Parallel()
	d, err := Open(t.Context(), Options{URL: "sqlite://" + filepath.Join(t.TempDir(), "segue.db")})
	require.NoError(t, err)
	t.Cleanup(func() { d.Close() })
	n, tries := 0, 0
	require.NoError(t, d.InTx(t.Context(), func(tx *Tx) error {
		tx.After(func() { n++ })
		if tries++; tries < 3 {
			return ErrRace
		}
		return nil
	}))
	require.Equal(t, 1, n)
	require.Error(t, d.InTx(t.Context(), func(tx *Tx) error {
		tx.After(func() { n++ })
		return fault.New(fault.Invalid, "no")
	}))
	require.Equal(t, 1, n)
}
