package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// release is the newest version in CHANGELOG.md.
const release = "0.1.0"

// What .ci/stamp tells the linker of the sources, for make and the image: neither
// go run nor a build in a linked work tree stamps them. Empty in a plain go build,
// which stamps by itself.
var version, commit, date string

type versionCommand struct {
	JSON bool `help:"Write JSON."`
}

type versionInfo struct {
	Version  string `json:"version"`          // of a release; else with its commit or "devel" behind a +
	Commit   string `json:"commit,omitempty"` // ends in "+changes" when there were some
	Date     string `json:"date,omitempty"`   // of the commit
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Embedded bool   `json:"embedded_temporal"`
}

// Run runs the command.
func (c *versionCommand) Run(p *Program) error {
	v := thisVersion()
	v.Go, v.Platform, v.Embedded = runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH, p.Embedded
	if c.JSON {
		return p.writeJSON(v)
	}
	build := "with an embedded Temporal"
	if !v.Embedded {
		build = "slim: without an embedded Temporal"
	}
	_, err := fmt.Fprintf(p.Out, "segue %s\ncommit %s\ndate %s\n%s %s\n%s\n",
		v.Version, orUnknown(v.Commit), orUnknown(v.Date), v.Go, v.Platform, build)
	return err
}

// thisVersion is what is known of the sources of this binary.
func thisVersion() versionInfo {
	if version == "" {
		return stamped(debug.ReadBuildInfo())
	}
	return versionInfo{Version: version, Commit: commit, Date: date}
}

// stamped is what Go itself stamped of the sources: nothing with go run and with
// -buildvcs=false.
func stamped(b *debug.BuildInfo, ok bool) versionInfo {
	v := versionInfo{Version: release + "+devel"}
	if !ok {
		return v
	}
	changes := ""
	for _, s := range b.Settings {
		switch {
		case s.Key == "vcs.revision":
			v.Commit = s.Value
		case s.Key == "vcs.time":
			v.Date = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changes = "+changes"
		}
	}
	switch {
	case b.Main.Version == "v"+release: // its tag is on the commit
		v.Version = release
	case v.Commit != "":
		v.Version = release + "+" + v.Commit[:min(12, len(v.Commit))]
	}
	if v.Commit != "" {
		v.Commit += changes
	}
	return v
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}
