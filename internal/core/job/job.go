// Package job is long work done in pages: what is kept of a job, its statuses and
// how they follow each other, and what one page leaves. What a page does is its
// kind's; that pages follow each other is the business of a Temporal workflow.
//
// A page is recorded once: whoever did the same page before was quicker, and its
// record stands.
package job

import (
	"time"

	"github.com/segue-xm/segue/internal/core/id"
)

// Kind is a kind of long work.
type Kind string

// The kinds. A name is never used again for something else: jobs keep it.
const (
	Replay Kind = "replay" // stored events through the plan in force
)

// Job is what is kept of a job.
type Job struct {
	ID     id.ID
	Kind   Kind
	Status Status
	Author string
	Input  string // JSON, of the kind: what was asked for
	Cursor string // of the kind: where the next page begins; "" before the first
	Pages  int64  // that were recorded
	Items  int64  // rows of the report
	Done   int64  // of what Total counts
	Total  int64  // -1: nobody knows
	Counts string // JSON: what the pages counted, by the kind's words
	Reason string // why it failed; of a running job, why its page has to be tried again

	CreatedAt int64 `db:"created_at"` // milliseconds
	EndedAt   int64 `db:"ended_at"`   // milliseconds; 0: not yet
}

// Unknown is the Total of a job whose end is not known.
const Unknown = -1

// New is a job to make. It runs at once.
type New struct {
	Kind   Kind
	Author string
	Input  string // JSON
	Total  int64  // Unknown when it takes long to know
}

// Page is what one page of a job leaves, written in one transaction with what the
// page did.
type Page struct {
	Job    id.ID
	Number int64 // the job's Pages when it was begun: only the first of equal ones is recorded
	Cursor string
	Done   int64          // what the job's Done grows by
	Counts map[string]int // what its Counts grow by
	Items  []Item
	Last   bool
}

// Item is a row of a job's report.
type Item struct {
	N       int64  // its place in the report, from 1; given when it is written
	Subject id.ID  // what it is about, as the kind says: an event
	Part    id.ID  // which part of it: a mapping; 0: all of it
	Outcome string // one of the kind's words
	Detail  string // JSON or "", of the kind
}

// Created is when somebody asked for it.
func (j Job) Created() time.Time { return time.UnixMilli(j.CreatedAt).UTC() }
