package metrics

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/routing"
	"github.com/segue-xm/segue/internal/data/query"
)

// fakeDatabase says what waits, or fails.
type fakeDatabase struct {
	clock time.Time
	fails string // which part
	looks int
	rows  []query.DestinationRow
	holds delivery.Holds
}

var errAway = errors.New("the database is away")

func (d *fakeDatabase) failing(part string) error {
	if d.fails == part {
		return errAway
	}
	return nil
}

func (d *fakeDatabase) InboxState(context.Context, int) (int, time.Time, error) {
	d.looks++
	return 3, d.clock.Add(-time.Minute), d.failing("events")
}

func (d *fakeDatabase) DistributionsDue(context.Context, int) (int, time.Time, error) {
	return 0, time.Time{}, d.failing("distributions")
}

func (d *fakeDatabase) WaitingAt(_ context.Context, of id.ID, _ time.Time, _ int) (query.Waiting, error) {
	if of != 2 {
		return query.Waiting{}, nil
	}
	return query.Waiting{Deliveries: 4, Retrying: 2, Held: 1, DueSince: d.clock.Add(-2 * time.Minute), Messages: 5, MessagesSince: d.clock.Add(-time.Hour)}, d.failing("destinations")
}

func (d *fakeDatabase) DestinationRows(context.Context) ([]query.DestinationRow, error) {
	return d.rows, nil
}

func (d *fakeDatabase) Holds(context.Context, int64) (delivery.Holds, error) { return d.holds, nil }

func watching(t *testing.T) (*page, *fakeDatabase) {
	t.Helper()
	p := setup(t)
	off := false
	all := &plan.Plan{Version: 1, Directories: []plan.Directory{{Name: "people", Default: true}}, Destinations: []plan.Destination{
		{Name: "here", Type: plan.TypeDirectory, Directory: "people"}, {Name: "acme", Type: plan.TypeQualtrics}, {Name: "gone", Type: plan.TypeQualtrics, Enabled: &off},
	}}
	ids := map[string]id.ID{"here": 1, "acme": 2, "gone": 3}
	table, err := routing.Compile(1, all, func(_ plan.Kind, name string) id.ID { return ids[name] })
	require.NoError(t, err)
	d := &fakeDatabase{clock: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	p.Watch(d, func(context.Context) (*routing.Table, error) { return table, nil }, func() time.Time { return d.clock })
	return p, d
}

func TestWatch_TellsWhatWaits_ByDestinationsOfThePlan(t *testing.T) {
	t.Parallel()
	p, _ := watching(t)
	require.Equal(t, []string{"segue_events_waiting 3", "segue_events_waiting_oldest_seconds 60"}, p.lines("segue_events_waiting"))
	require.Equal(t, []string{
		`segue_deliveries_waiting{destination="acme",state="held"} 1`, `segue_deliveries_waiting{destination="acme",state="retrying"} 2`,
		`segue_deliveries_waiting{destination="acme",state="waiting"} 4`,
	}, p.lines("segue_deliveries_waiting"))
	require.Equal(t, []string{`segue_deliveries_oldest_due_seconds{destination="acme"} 120`}, p.lines("segue_deliveries_oldest_due_seconds"))
	require.Equal(t, []string{`segue_account_messages_due{destination="acme"} 5`}, p.lines("segue_account_messages_due"))
	require.Equal(t, []string{`segue_account_messages_oldest_due_seconds{destination="acme"} 3600`}, p.lines("segue_account_messages_oldest"))
}

func TestWatch_OneStatePerDestination(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		row   *query.DestinationRow
		hold  bool
		state string
	}{
		"ok":                {nil, false, "ok"},
		"held":              {nil, true, "held"},
		"failed and held":   {&query.DestinationRow{Destination: 2, Trouble: "the token"}, true, "failed"},
		"paused and failed": {&query.DestinationRow{Destination: 2, Trouble: "the token", PausedAt: 5}, false, "paused"},
	} {
		p, d := watching(t)
		if c.row != nil {
			d.rows = []query.DestinationRow{*c.row}
		}
		if c.hold {
			d.holds = delivery.Holds{{Destination: 2}}
		}
		require.Equal(t, []string{
			`segue_destination_state{destination="acme",state="` + c.state + `"} 1`, `segue_destination_state{destination="gone",state="off"} 1`,
			`segue_destination_state{destination="here",state="ok"} 1`,
		}, p.lines("segue_destination_state"), name)
	}
}

func TestWatch_ImpatientScrapers_AreToldAgain(t *testing.T) {
	t.Parallel()
	p, d := watching(t)
	for range 5 {
		p.lines("segue_events_waiting")
	}
	require.Equal(t, 1, d.looks)
	d.clock = d.clock.Add(fresh)
	p.lines("segue_events_waiting")
	require.Equal(t, 2, d.looks)
}

func TestWatch_ADatabaseThatIsAway_FailsNoScrape(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"events", "distributions", "destinations"} {
		p, d := watching(t)
		d.fails = part
		p.lines("segue") // looks; what it counts may be told with the next
		require.Equal(t, []string{`segue_scrape_failures_total{part="` + part + `"} 1`}, p.lines("segue_scrape_failures_total"))
		require.Equal(t, part == "events", len(p.lines("segue_events_waiting")) == 0, "what failed is left out, the rest is told")
	}
}
