package db

import (
	"context"
	"sync"

	"github.com/jmoiron/sqlx"
)

// writer is SQLite's one writing connection with its prepared statements: preparing
// costs about as much as running a short statement. Whoever holds the turn runs
// statements and the transaction on the same connection, so that they are inside it.
type writer struct {
	conn *sqlx.Conn

	mu    sync.Mutex
	stmts map[string]*sqlx.Stmt
}

func newWriter(db *sqlx.DB) (*writer, error) {
	conn, err := db.Connx(context.Background())
	if err != nil {
		return nil, err
	}
	return &writer{conn: conn, stmts: map[string]*sqlx.Stmt{}}, nil
}

// maxStatements bounds the prepared statements kept.
const maxStatements = 500

// stmt prepares a statement on the connection, once.
func (w *writer) stmt(ctx context.Context, text string) (*sqlx.Stmt, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.stmts[text]; s != nil {
		return s, nil
	}
	s, err := w.conn.PreparexContext(ctx, text)
	if err != nil {
		return nil, err
	}
	if len(w.stmts) >= maxStatements {
		w.forget()
	}
	w.stmts[text] = s
	return s, nil
}

func (w *writer) forget() {
	for _, s := range w.stmts {
		_ = s.Close()
	}
	clear(w.stmts)
}

func (w *writer) close() {
	w.forget()
	_ = w.conn.Close()
}
