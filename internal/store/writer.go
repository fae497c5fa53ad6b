package store

import (
	"context"
	"slices"
	"sync"

	"github.com/jmoiron/sqlx"
)

// writer is SQLite's one writing connection with its prepared statements: preparing
// costs about as much as running a short statement. Whoever holds the turn runs
// statements and the transaction on the same connection, so that they are inside it.
//
// Turns are given in order, but one that is urgent goes before the others: somebody
// waits for an answer. After it an ordinary one comes first, because who is urgent
// asks anew only when it is done.
type writer struct {
	conn *sqlx.Conn

	mu      sync.Mutex
	busy    bool
	waiting [2][]chan struct{} // ordinary, urgent
	stmts   map[string]*sqlx.Stmt
}

func newWriter(db *sqlx.DB) (*writer, error) {
	conn, err := db.Connx(context.Background())
	if err != nil {
		return nil, err
	}
	return &writer{conn: conn, stmts: map[string]*sqlx.Stmt{}}, nil
}

// take waits for the turn, which the caller must release.
func (w *writer) take(ctx context.Context, urgent bool) error {
	queue := 0
	if urgent {
		queue = 1
	}
	w.mu.Lock()
	if !w.busy {
		w.busy = true
		w.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	w.waiting[queue] = append(w.waiting[queue], turn)
	w.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	w.mu.Lock()
	i := slices.Index(w.waiting[queue], turn)
	if i >= 0 {
		w.waiting[queue] = slices.Delete(w.waiting[queue], i, i+1)
	}
	w.mu.Unlock()
	if i < 0 {
		w.release() // it was given in the same moment
	}
	return ctx.Err()
}

// release gives the turn to the next.
func (w *writer) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for queue := len(w.waiting) - 1; queue >= 0; queue-- {
		if list := w.waiting[queue]; len(list) > 0 {
			w.waiting[queue] = list[1:]
			close(list[0])
			return
		}
	}
	w.busy = false
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
	if w == nil {
		return
	}
	_ = w.take(context.Background(), true) // a transaction that runs ends first
	w.forget()
	_ = w.conn.Close()
}
