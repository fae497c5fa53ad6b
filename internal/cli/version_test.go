package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVersion_JSON_SaysWhetherTemporalIsEmbedded(t *testing.T) {
	t.Parallel()
	var v map[string]any
	require.NoError(t, json.Unmarshal([]byte(run(t, Program{Embedded: true}, "version", "--json").out), &v))
	require.Equal(t, true, v["embedded_temporal"])
	require.Contains(t, run(t, Program{}, "version").out, "slim")
}

// TestVersion_NothingStamped_SaysSo: go test does not stamp, as go run does not.
func TestVersion_NothingStamped_SaysSo(t *testing.T) {
	t.Parallel()
	require.Regexp(t, `^segue `+release+`\+devel\ncommit unknown\ndate unknown\n`, run(t, Program{}, "version").out)
}

func TestStamped_TellsWhatGoKnowsOfTheSources(t *testing.T) {
	t.Parallel()
	const commit = "60d4dca5884e052940f0b85f4d4de80bdcd7ccd8"
	vcs := func(modified string) []debug.BuildSetting {
		return []debug.BuildSetting{{Key: "vcs.revision", Value: commit}, {Key: "vcs.time", Value: "2026-11-28T01:02:03Z"}, {Key: "vcs.modified", Value: modified}}
	}
	for name, c := range map[string]struct {
		main                  string
		settings              []debug.BuildSetting
		version, commit, date string
	}{
		"the release's commit":    {"v" + release, vcs("false"), release, commit, "2026-11-28T01:02:03Z"},
		"it, changed":             {"v" + release + "+dirty", vcs("true"), release + "+60d4dca5884e", commit + "+changes", "2026-11-28T01:02:03Z"},
		"another commit":          {"v9.9.10-0.20261128010203-60d4dca5884e", vcs("false"), release + "+60d4dca5884e", commit, "2026-11-28T01:02:03Z"},
		"from the module's proxy": {"v" + release, nil, release, "", ""},
		"without a stamp":         {"(devel)", nil, release + "+devel", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := stamped(&debug.BuildInfo{Main: debug.Module{Version: c.main}, Settings: c.settings}, true)
			require.Equal(t, versionInfo{Version: c.version, Commit: c.commit, Date: c.date}, v)
		})
	}
}

// TestStampOfMake_SetsVariablesThatAreThere: the linker is silent about a name that
// it does not find.
func TestStampOfMake_SetsVariablesThatAreThere(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("../../.git"); err != nil {
		t.Skip("no git clone")
	}
	out, err := exec.Command("../../.ci/stamp").Output()
	require.NoError(t, err)
	source, err := os.ReadFile("version.go")
	require.NoError(t, err)
	told := map[string]string{}
	for _, m := range regexp.MustCompile(`-X (\S+)\.(\w+)=(\S+)`).FindAllStringSubmatch(string(out), -1) {
		require.Equal(t, reflect.TypeFor[versionInfo]().PkgPath(), m[1])
		require.Regexp(t, `(?m)^var (\w+, )*`+m[2]+`(, \w+)* string$`, string(source))
		told[m[2]] = m[3]
	}
	require.Len(t, told, 3)
	require.True(t, strings.HasPrefix(told["version"], release), told["version"])
	require.Regexp(t, `^[0-9a-f]{40}(\+changes)?$`, told["commit"])
	require.Regexp(t, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`, told["date"])
}

func TestRelease_IsTheNewestOfTheChangelog(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../CHANGELOG.md")
	require.NoError(t, err)
	newest := regexp.MustCompile(`(?m)^## \[?(\d+\.\d+\.\d+)`).FindStringSubmatch(string(text))
	require.NotNil(t, newest)
	require.Equal(t, release, newest[1])
}
