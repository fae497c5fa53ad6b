package db

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
)

//go:embed migrations
var migrations embed.FS

// migrate brings the schema to this version. Safe from several processes at
// once: PostgreSQL holds a session lock, SQLite has one writer.
func (d *DB) migrate(ctx context.Context) error {
	dir, dialect := "migrations/sqlite", goose.DialectSQLite3
	opts := []goose.ProviderOption{goose.WithVerbose(false)}
	if d.postgres {
		dir, dialect = "migrations/postgres", goose.DialectPostgres
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return err
		}
		opts = append(opts, goose.WithSessionLocker(locker))
	}
	files, err := fs.Sub(migrations, dir)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(dialect, d.w.DB, files, opts...)
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fault.Wrap(fault.Unavailable, err, "migrate the database")
	}
	return nil
}

const (
	daysAhead      = 7    // of partitions that exist before they are needed
	partitionsLock = 7311 // those who make them go one after the other
)

// EnsurePartitions makes the partitions of events for the coming days on
// PostgreSQL. Safe to call twice and from several processes.
func (d *DB) EnsurePartitions(ctx context.Context) error {
	if !d.postgres {
		return nil
	}
	day := d.now().UTC().Truncate(24 * time.Hour)
	for range daysAhead {
		next := day.Add(24 * time.Hour)
		q := fmt.Sprintf(`CREATE TABLE IF NOT EXISTS events_%s PARTITION OF events FOR VALUES FROM (%d) TO (%d)`,
			day.Format("20060102"), int64(id.At(day)), int64(id.At(next)))
		err := d.InTx(ctx, func(tx *Tx) error {
			if err := tx.Alone(ctx, partitionsLock); err != nil {
				return err
			}
			_, err := tx.tx.ExecContext(ctx, q)
			return err
		})
		if err != nil {
			return fmt.Errorf("make the partition of %s: %w", day.Format(time.DateOnly), err)
		}
		day = next
	}
	return nil
}

// SchemaVersion is the number of the newest migration in this database.
func (d *DB) SchemaVersion(ctx context.Context) (version int64, err error) {
	return version, d.ReadOne(ctx, &version, `SELECT max(version_id) FROM goose_db_version`)
}
