package store

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
func (s *Store) migrate(ctx context.Context) error {
	dir, dialect := "migrations/sqlite", goose.DialectSQLite3
	opts := []goose.ProviderOption{goose.WithVerbose(false)}
	if s.postgres {
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
	p, err := goose.NewProvider(dialect, s.w.DB, files, opts...)
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fault.Wrap(fault.Unavailable, err, "migrate the database")
	}
	return nil
}

// daysAhead is how many days of partitions exist before they are needed.
const daysAhead = 7

// EnsurePartitions makes the partitions of events for the coming days on
// PostgreSQL. Safe to call twice and from several processes.
func (s *Store) EnsurePartitions(ctx context.Context) error {
	if !s.postgres {
		return nil
	}
	day := s.now().UTC().Truncate(24 * time.Hour)
	for range daysAhead {
		next := day.Add(24 * time.Hour)
		q := fmt.Sprintf(`CREATE TABLE IF NOT EXISTS events_%s PARTITION OF events FOR VALUES FROM (%d) TO (%d)`,
			day.Format("20060102"), int64(id.At(day)), int64(id.At(next)))
		err := s.inTx(ctx, func(tx *Tx) error {
			if _, err := tx.exec(ctx, `SELECT pg_advisory_xact_lock(7311)`); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, q)
			return err
		})
		if err != nil {
			return fmt.Errorf("make the partition of %s: %w", day.Format(time.DateOnly), err)
		}
		day = next
	}
	return nil
}
