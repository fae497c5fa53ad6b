//go:build !slim

package devserver

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	sqliteschema "go.temporal.io/server/schema/sqlite"
	"go.temporal.io/server/tools/common/schema"
	sqltool "go.temporal.io/server/tools/sql"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/segue-xm/segue/internal/core/fault"
)

const (
	// The number of history shards is fixed when a database is made, and can
	// never be changed. SQLite has one writer, so more shards gain nothing there.
	shardsSQLite   = 1
	shardsPostgres = 4

	// Each of the four services has a pool of this size for each database; on
	// SQLite all share one connection, because with more they wait for each other.
	connectionsPostgres = 10
)

// persistence prepares the databases, with schema and namespace, and returns
// how the server reaches them.
func persistence(ctx context.Context, o Options, lg log.Logger) (config.Persistence, error) {
	p := config.Persistence{DefaultStore: "main", VisibilityStore: "visibility"}
	var main, visibility *config.SQL
	var err error
	if o.Postgres != "" {
		p.NumHistoryShards = shardsPostgres
		main, visibility, err = openPostgres(ctx, o.Postgres, lg)
	} else {
		p.NumHistoryShards = shardsSQLite
		main, err = openSQLite(o.Dir, lg)
		visibility = main
	}
	if err != nil {
		return p, err
	}
	p.DataStores = map[string]config.DataStore{"main": {SQL: main}, "visibility": {SQL: visibility}}

	// Made here and not through the API, because what the API makes can only be
	// used when the server's caches are refreshed, seconds later.
	ns, err := sqliteschema.NewNamespaceConfig(clusterName, o.Namespace, false, o.SearchAttributes)
	if err != nil {
		return p, err
	}
	ns.Detail.Config.Retention = durationpb.New(o.Retention)
	return p, sqliteschema.CreateNamespaces(main, ns) // nothing to do when it exists
}

// openSQLite makes the database in dir, which exists, when it is missing.
func openSQLite(dir string, lg log.Logger) (*config.SQL, error) {
	if dir == "" {
		return &config.SQL{
			PluginName:        sqlite.PluginName,
			DatabaseName:      "segue-" + rand.Text(),
			ConnectAttributes: map[string]string{"mode": "memory", "cache": "shared"},
			MaxConns:          1,
			MaxIdleConns:      1,
		}, nil // the schema comes with the connection
	}
	file, err := filepath.Abs(filepath.Join(dir, "temporal.db"))
	if err != nil {
		return nil, err
	}
	cfg := &config.SQL{
		PluginName:   sqlite.PluginName,
		DatabaseName: (&url.URL{Path: file}).EscapedPath(), // it becomes part of a file: URI
		ConnectAttributes: map[string]string{
			"mode":         "rwc",
			"journal_mode": "wal",
			"synchronous":  "2", // FULL: with less a power cut loses what was acknowledged
			"busy_timeout": "10000",
		},
		MaxConns:     1,
		MaxIdleConns: 1,
	}
	db, err := sqltool.NewConnection(cfg, lg)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", file, err)
	}
	defer db.Close()
	tables, err := db.ListTables()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	if slices.Contains(tables, "namespaces") {
		return cfg, nil
	}
	// One transaction, so that a process killed meanwhile leaves no half schema.
	// It holds together because there is only one connection.
	if err := db.Exec("BEGIN IMMEDIATE"); err != nil {
		return nil, fmt.Errorf("make the tables of %s: %w", file, err)
	}
	if err := sqliteschema.SetupSchema(cfg); err != nil {
		_ = db.Exec("ROLLBACK")
		return nil, fmt.Errorf("make the tables of %s: %w", file, err)
	}
	return cfg, db.Exec("COMMIT")
}

// openPostgres makes both databases when they are missing and brings their
// schemas to the server's version.
func openPostgres(ctx context.Context, server string, lg log.Logger) (main, visibility *config.SQL, err error) {
	c, err := pgx.ParseConfig(server)
	if err != nil {
		return nil, nil, fault.Field("Postgres", "not a postgres:// URL")
	}
	u, err := url.Parse(server)
	if err != nil || u.Host == "" {
		return nil, nil, fault.Field("Postgres", "not a postgres:// URL with a host")
	}
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return nil, nil, fault.Wrap(fault.Unavailable, err, "connect to PostgreSQL")
	}
	defer conn.Close(ctx)

	open := func(suffix, schemaName string) (*config.SQL, error) {
		name := c.Database + suffix
		var exists bool
		if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)", name).Scan(&exists); err != nil {
			return nil, err
		}
		if !exists {
			if _, err := conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
				return nil, fmt.Errorf("create database %s: %w", name, err)
			}
		}
		attributes := map[string]string{}
		for k, v := range u.Query() {
			attributes[k] = v[0]
		}
		cfg := &config.SQL{
			PluginName:        postgresql.PluginNamePGX,
			DatabaseName:      name,
			ConnectAddr:       c.Host + ":" + strconv.Itoa(int(c.Port)),
			ConnectProtocol:   "tcp",
			ConnectAttributes: attributes,
			User:              url.PathEscape(c.User),
			Password:          c.Password,
			MaxConns:          connectionsPostgres,
			MaxIdleConns:      connectionsPostgres,
		}
		if strings.Contains(c.Host, ":") {
			cfg.ConnectAddr = "[" + c.Host + "]:" + strconv.Itoa(int(c.Port))
		}
		return cfg, migrate(cfg, schemaName, lg)
	}
	if main, err = open("_temporal", "postgresql/v12/temporal"); err != nil {
		return nil, nil, err
	}
	visibility, err = open("_temporal_visibility", "postgresql/v12/visibility")
	return main, visibility, err
}

// migrate brings one database's schema to the server's version.
func migrate(cfg *config.SQL, schemaName string, lg log.Logger) error {
	db, err := sqltool.NewConnection(cfg, lg)
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ReadSchemaVersion(); err != nil {
		if err := schema.NewSetupSchemaTask(db, &schema.SetupConfig{InitialVersion: "0.0"}, lg).Run(); err != nil {
			return fmt.Errorf("prepare the schema of %s: %w", cfg.DatabaseName, err)
		}
	}
	if err := schema.NewUpdateSchemaTask(db, &schema.UpdateConfig{SchemaName: schemaName}, lg).Run(); err != nil {
		return fmt.Errorf("bring %s to the server's version: %w", cfg.DatabaseName, err)
	}
	return nil
}
