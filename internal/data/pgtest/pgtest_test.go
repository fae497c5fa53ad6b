package pgtest_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/data/pgtest"
)

func connect(t *testing.T, u string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(context.Background(), u)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

func TestURL_IsAnEmptyDatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	first, second := connect(t, pgtest.URL(t)), connect(t, pgtest.URL(t))
	_, err := first.Exec(context.Background(), "CREATE TABLE events (id bigint PRIMARY KEY)")
	require.NoError(t, err)

	var there *string
	require.NoError(t, second.QueryRow(context.Background(), "SELECT to_regclass('events')::text").Scan(&there))
	require.Nil(t, there, "a table made in one database is seen in another")
}

func TestURL_WhenTheTestEnds_ItsDatabasesAreDropped(t *testing.T) {
	t.Parallel()
	c := connect(t, pgtest.Server(t))
	var name string
	t.Run("a test that leaves a connection open and makes a second database", func(t *testing.T) {
		open, err := pgx.Connect(context.Background(), pgtest.URL(t))
		require.NoError(t, err)
		require.NoError(t, open.QueryRow(context.Background(), "SELECT current_database()").Scan(&name))
		_, err = open.Exec(context.Background(), "CREATE DATABASE "+name+"_temporal")
		require.NoError(t, err)
	})
	var left int
	require.NoError(t, c.QueryRow(context.Background(), "SELECT count(*) FROM pg_database WHERE datname LIKE $1 || '%'", name).Scan(&left))
	require.Zero(t, left)
}

func TestURL_ServerKeepsTheRulesOfProduction(t *testing.T) {
	t.Parallel()
	c := connect(t, pgtest.URL(t))
	for setting, want := range map[string]string{"fsync": "on", "full_page_writes": "on", "server_encoding": "UTF8", "TimeZone": "UTC"} {
		var got string
		require.NoError(t, c.QueryRow(context.Background(), "SELECT current_setting($1)", setting).Scan(&got))
		require.Equal(t, want, got, setting)
	}
}
