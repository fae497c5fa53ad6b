package app

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/ops/checks"
)

func TestBeyond_WhatCannotBeDone_IsRefusedByName(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, beyond(&plan.Plan{Sources: []plan.Source{{Name: "web", Deletes: "erase"}}}), "sources.web.deletes")
	require.NoError(t, beyond(&plan.Plan{Destinations: []plan.Destination{{Name: "acme", Type: plan.TypeQualtrics}}}))
}

// TestTasks_ValidateKnowsWhatRuns holds the command line's check of plan files to
// the tasks that a process really has.
func TestTasks_ValidateKnowsWhatRuns(t *testing.T) {
	t.Parallel()
	p := &process{o: Options{}.withDefaults()}
	require.NoError(t, p.buildTasks())
	require.ElementsMatch(t, checks.BuiltInTasks().Kinds(), p.tasks.Kinds())
}
