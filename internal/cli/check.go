package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/segue-xm/segue/internal/ops"
)

type checkCommand struct {
	Upgrade bool `help:"Say which stored texts earlier releases understood in another way: paths of fields, templates."`
	remote
	JSON bool `help:"Write JSON, as /api/check/upgrade has it."`
}

// Help is the long help text.
func (checkCommand) Help() string {
	return "Looks at the plan in force, and at versions of workflows that have runs or invitations under way. A line for each finding, with the text as it is to be written now " +
		"where that can be said; exit code 1 when there is any."
}

// Run runs the command.
func (c *checkCommand) Run(p *Program) error {
	if !c.Upgrade {
		return usage(errors.New("say what to check: --upgrade is what this version can do"))
	}
	ctx, stop := p.interruptible()
	defer stop()
	server, err := c.client()
	if err != nil {
		return err
	}
	report, err := server.CheckUpgrade(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		err = p.writeJSON(report)
	} else {
		_, err = fmt.Fprint(p.Out, upgradeText(report))
	}
	if n := len(report.Findings); err == nil && n > 0 {
		err = fmt.Errorf("%s to look at", count(n, "text"))
	}
	return err
}

// upgradeText is a line for each finding.
func upgradeText(r ops.UpgradeReport) string {
	if len(r.Findings) == 0 {
		return "● nothing that is stored is read in another way\n"
	}
	var b strings.Builder
	for _, f := range r.Findings {
		place := f.Place
		if f.Version > 0 {
			place += fmt.Sprintf(" (version %d, with runs or invitations under way)", f.Version)
		}
		if f.Line > 1 {
			place += fmt.Sprintf(", line %d", f.Line)
		}
		fmt.Fprintf(&b, "▲ %s: %s: %s: %s", place, f.What, f.Was, oneLine(f.Text))
		if f.Rewrite != "" {
			fmt.Fprintf(&b, " → %s", oneLine(f.Rewrite))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// oneLine shows a text's line ends instead of making them.
func oneLine(text string) string { return strings.NewReplacer("\n", "⏎", "\r", "").Replace(text) }
