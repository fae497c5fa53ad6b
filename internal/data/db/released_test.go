package db

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "add the migrations of this release to migrations/released.sum")

// TestMigrations_Released_AreNeverChanged: a database has run them, and runs none
// twice. released.sum has them in the form of sha256sum.
func TestMigrations_Released_AreNeverChanged(t *testing.T) {
	t.Parallel()
	const list = "migrations/released.sum"
	text, err := os.ReadFile(list)
	require.NoError(t, err)
	released := map[string]string{}
	newest := ""
	for line := range strings.Lines(string(text)) {
		sum, file, ok := strings.Cut(strings.TrimSpace(line), "  ")
		require.True(t, ok, line)
		require.NotContains(t, released, file, "listed twice")
		released[file] = sum
		newest = max(newest, path.Base(file))
	}
	files, err := fs.Glob(os.DirFS("migrations"), "*/*.sql")
	require.NoError(t, err)
	for _, file := range files {
		body, err := os.ReadFile(path.Join("migrations", file))
		require.NoError(t, err)
		digest := sha256.Sum256(body)
		sum := hex.EncodeToString(digest[:])
		switch was, ok := released[file]; {
		case ok:
			require.Equal(t, was, sum, "%s was released and is changed: put the change into a migration of its own", file)
			delete(released, file)
		case *update:
			text = append(text, sum+"  "+file+"\n"...)
		default:
			require.Greater(t, path.Base(file), newest, "%s would come before, or beside, what was released", file)
		}
	}
	require.Empty(t, released, "released, and gone")
	if *update {
		require.NoError(t, os.WriteFile(list, text, 0o644))
	}
}
