package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/ops"
)

type destinationsCommand struct {
	remote
	JSON bool `help:"Write JSON, as /api/destinations has it."`
}

// Run runs the command.
func (c *destinationsCommand) Run(p *Program) error {
	ctx, stop := p.interruptible()
	defer stop()
	server, err := c.client()
	if err != nil {
		return err
	}
	all, err := server.Destinations(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return p.writeJSON(ops.DestinationList{Destinations: all})
	}
	return writeDestinations(p.Out, all)
}

// writeDestinations writes a line for each destination, and below it why it is not
// ok.
func writeDestinations(w io.Writer, all []ops.Destination) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "the plan has no destination")
		return err
	}
	lines := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, d := range all {
		fmt.Fprintf(lines, "%s %s\t%s\t%s\t%s\n", destinationMark(d.Status), d.Name, d.Status, d.Type+" "+d.Directory+d.Datacenter, waitingText(d))
	}
	if err := lines.Flush(); err != nil {
		return err
	}
	for _, d := range all {
		for _, reason := range destinationReasons(d) {
			if _, err := fmt.Fprintf(w, "%s: %s\n", d.Name, reason); err != nil {
				return err
			}
		}
	}
	return nil
}

func destinationMark(status string) string {
	switch status {
	case "ok":
		return "●"
	case "failed":
		return "✕"
	case "off":
		return "⊘"
	}
	return "◔"
}

// waitingText is "3 pending, 1 held, oldest of 2026-10-22T14:03:07Z".
func waitingText(d ops.Destination) string {
	var parts []string
	for _, status := range delivery.OpenStatuses() {
		if n := d.Waiting[string(status)]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, status))
		}
	}
	if len(parts) == 0 {
		return "nothing waits"
	}
	if d.OldestAt != nil {
		parts = append(parts, "oldest of "+d.OldestAt.UTC().Format(time.RFC3339))
	}
	return strings.Join(parts, ", ")
}

// destinationReasons are why a destination is not ok, the weightiest first.
func destinationReasons(d ops.Destination) (reasons []string) {
	if d.Status == "off" {
		reasons = append(reasons, "switched off in the plan")
	}
	if p := d.Paused; p != nil {
		text := fmt.Sprintf("paused since %s by %s", p.At.UTC().Format(time.RFC3339), p.By)
		if p.Note != "" {
			text += ": " + p.Note
		}
		reasons = append(reasons, text)
	}
	if t := d.Trouble; t != nil {
		reasons = append(reasons, fmt.Sprintf("in trouble since %s: %s", t.Since.UTC().Format(time.RFC3339), t.Reason))
	}
	for _, h := range d.Holds {
		what := "everything"
		if h.Action != "" {
			what = strings.ReplaceAll(h.Action, "_", " ")
		}
		reasons = append(reasons, fmt.Sprintf("%s waits until %s: %s", what, h.Until.UTC().Format(time.RFC3339), h.Reason))
	}
	return reasons
}
