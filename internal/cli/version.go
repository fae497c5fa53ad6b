package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

type versionCommand struct {
	JSON bool `help:"Write JSON."`
}

type versionInfo struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Embedded bool   `json:"embedded_temporal"`
}

// Run runs the command.
func (c *versionCommand) Run(p *Program) error {
	v := versionInfo{Version: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Embedded: p.Embedded}
	if b, ok := debug.ReadBuildInfo(); ok {
		v.Version = b.Main.Version
		changed := ""
		for _, s := range b.Settings {
			switch {
			case s.Key == "vcs.revision":
				v.Commit = s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				changed = "+changes"
			}
		}
		if v.Commit != "" {
			v.Commit += changed
		}
	}
	if c.JSON {
		return p.writeJSON(v)
	}
	build := "with an embedded Temporal"
	if !v.Embedded {
		build = "slim: without an embedded Temporal"
	}
	_, err := fmt.Fprintf(p.Out, "segue %s\ncommit %s\n%s %s\n%s\n", v.Version, orUnknown(v.Commit), v.Go, v.Platform, build)
	return err
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}
