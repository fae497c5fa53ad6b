// Package pgtest gives tests a PostgreSQL database of their own.
//
//	db, err := sqlx.Open("pgx", pgtest.URL(t))
//
// The server is started from the installed binaries by the first test that
// asks, shared by all tests of the process, and gone soon after the process
// has ended, however it ended. SEGUE_TEST_POSTGRES_URL names a running server
// to use instead; its user must be allowed to create databases. Without
// PostgreSQL a test is skipped, or fails when SEGUE_REQUIRE_POSTGRES=1 is set,
// as it is in CI.
//
// It is not for anything but tests: the server trusts every local connection.
package pgtest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	envURL     = "SEGUE_TEST_POSTGRES_URL"
	envRequire = "SEGUE_REQUIRE_POSTGRES"
)

// errAbsent says that there is no PostgreSQL to start, as opposed to one that
// fails to.
var errAbsent = errors.New("no PostgreSQL")

// server is the URL of this process's server, started by the first call.
var server = sync.OnceValues(func() (string, error) {
	if u := os.Getenv(envURL); u != "" {
		return u, nil
	}
	return start()
})

// Server returns the URL of the server itself, for tests that make their own
// databases; its path names the maintenance database. Several tests share the
// server, so what they make needs names of its own.
func Server(t testing.TB) string {
	t.Helper()
	u, err := server()
	switch {
	case err == nil:
		return u
	case errors.Is(err, errAbsent) && os.Getenv(envRequire) != "1":
		t.Skipf("%v: install it, or set %s to the URL of a running server", err, envURL)
	default:
		t.Fatalf("PostgreSQL for tests (%s names another server): %v", envURL, err)
	}
	return ""
}

// URL returns the URL of a new, empty database with a name of its own. When
// the test ends it is dropped, connections or not, together with every
// database whose name begins with its name and an underscore.
func URL(t testing.TB) string {
	t.Helper()
	s := Server(t)
	u, err := url.Parse(s)
	if err != nil {
		t.Fatalf("%s is not a URL", envURL)
	}
	random := make([]byte, 6)
	_, _ = rand.Read(random) // never fails
	name := "segue_test_" + hex.EncodeToString(random)

	if err := execute(s, "CREATE DATABASE "+name); err != nil {
		t.Fatalf("create a test database: %v", err)
	}
	t.Cleanup(func() {
		if err := drop(s, name); err != nil {
			t.Logf("drop test database %s: %v", name, err)
		}
	})
	u.Path = "/" + name
	return u.String()
}

// drop removes the database and those named after it.
func drop(server, name string) error {
	return with(server, func(ctx context.Context, c *pgx.Conn) error {
		rows, err := c.Query(ctx, `SELECT datname FROM pg_database WHERE datname = $1 OR starts_with(datname, $1 || '_')`, name)
		if err != nil {
			return err
		}
		names, err := pgx.CollectRows(rows, pgx.RowTo[string])
		for _, n := range names {
			_, e := c.Exec(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{n}.Sanitize()+" WITH (FORCE)")
			err = errors.Join(err, e)
		}
		return err
	})
}

func execute(server, statement string) error {
	return with(server, func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, statement)
		return err
	})
}

// with runs f on a connection of its own.
func with(server string, f func(context.Context, *pgx.Conn) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	c, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	return f(ctx, c)
}
