package db_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/data/db"
	"github.com/segue-xm/segue/internal/data/pgtest"
)

func TestRead_CannotWrite(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite://" + filepath.Join(t.TempDir(), "segue.db") },
		"postgres": func(t *testing.T) string { return pgtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := db.Open(t.Context(), db.Options{URL: url(t)})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, d.Close()) })
			var names []string
			err = d.Read(t.Context(), &names, `INSERT INTO counters (name, n) VALUES ('x', 1) RETURNING name`)
			require.Error(t, err)
			require.NoError(t, d.Read(t.Context(), &names, `SELECT name FROM counters WHERE name = 'x'`))
			require.Empty(t, names)
			require.NoError(t, d.InTx(t.Context(), func(tx *db.Tx) error {
				_, err := tx.Exec(t.Context(), `INSERT INTO counters (name, n) VALUES ('x', 1)`)
				return err
			}))
			require.NoError(t, d.Read(t.Context(), &names, `SELECT name FROM counters WHERE name = 'x'`))
			require.Equal(t, []string{"x"}, names)
		})
	}
}
