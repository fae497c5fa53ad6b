// Package delivery is the life of one event under one mapping: what is kept of it,
// its statuses and how they follow each other, and how long to wait before trying
// again.
package delivery

import "github.com/segue-xm/segue/internal/core/id"

// Ref names a delivery.
type Ref struct {
	Event   id.ID `json:"e"`
	Mapping id.ID `json:"m"`
}
