package store

import "context"

// SecretNames are the names of the secrets that are kept.
func (s *Store) SecretNames(ctx context.Context) (map[string]bool, error) {
	var rows []string
	if err := s.db.Read(ctx, &rows, `SELECT name FROM secrets`); err != nil {
		return nil, err
	}
	m := make(map[string]bool, len(rows))
	for _, name := range rows {
		m[name] = true
	}
	return m, nil
}
