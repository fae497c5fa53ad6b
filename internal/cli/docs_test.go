package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// typed is a command of the documentation with its input, and the block behind it
// with what it answers.
var typed = regexp.MustCompile("(?s)\n```sh\nsegue ([^\n]*) <<'END'\n(.*?)END\n```\n\n```[a-z]+\n(.*?)```\n")

// TestDocs_CommandsWithInput_AnswerAsPrinted runs every command in the
// documentation that brings its input along.
func TestDocs_CommandsWithInput_AnswerAsPrinted(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	ran := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range typed.FindAllStringSubmatch(string(text), -1) {
			o := run(t, Program{In: strings.NewReader(m[2])}, strings.Fields(m[1])...)
			require.Equal(t, 0, o.code, "%s: %s", file, o.err)
			require.Equal(t, m[3], o.out, file)
			ran++
		}
	}
	require.Equal(t, 4, ran)
}
