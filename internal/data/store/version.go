package store

import "context"

// SchemaVersion is the number of the newest migration in this database.
func (s *Store) SchemaVersion(ctx context.Context) (version int64, err error) {
	return version, s.readOne(ctx, &version, `SELECT max(version_id) FROM goose_db_version`)
}
