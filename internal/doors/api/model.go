// Package api holds the operations behind Segue's HTTP API and its console: what
// can be asked and changed, with the shapes both show. Handlers under /api and
// the console's pages call the same methods; the command line goes through HTTP.
package api

import (
	"time"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
)

// Page is one page of a list, newest first. Next is an opaque cursor for the
// following page, empty on the last one.
type Page[T any] struct {
	Items []T
	Next  string
}

// Paging bounds a list request. Limit 0 means 50; more than 500 is 500.
type Paging struct {
	Cursor string
	Limit  int
}

// Event statuses.
const (
	EventAccepted  = "accepted"  // waits to be processed
	EventProcessed = "processed" // every delivery ended, also when there was none
	EventRetrying  = "retrying"  // some delivery is retrying or held
	EventFailed    = "failed"    // some delivery ended rejected
	EventInvalid   = "invalid"   // refused at the door
)

// Event is one stored event, without its body.
type Event struct {
	ID         id.ID      `json:"id"`
	Key        string     `json:"key"` // as in the SegueEvents search attribute; same text as ID
	Source     string     `json:"source"`
	MessageID  string     `json:"message_id"`
	Type       string     `json:"type"`
	Event      string     `json:"event"` // track event name, page or screen name
	UserID     string     `json:"user_id"`
	Status     string     `json:"status"`
	Reason     string     `json:"reason,omitempty"` // why it is invalid
	AcceptedAt time.Time  `json:"accepted_at"`
	Revision   int64      `json:"revision"`
	Deliveries []Delivery `json:"deliveries"`
}

// Delivery is one event under one mapping.
type Delivery struct {
	Mapping     string            `json:"mapping"`
	Destination string            `json:"destination"`
	Action      string            `json:"action"`
	Status      string            `json:"status"` // pending, retrying, held, done, rejected, cancelled
	Reason      string            `json:"reason,omitempty"`
	Attempts    int               `json:"attempts"`
	Contact     id.ID             `json:"contact,omitempty"`
	Result      *jsonvalue.Object `json:"result,omitempty"`
	Payload     *jsonvalue.Object `json:"payload,omitempty"` // only in an event's detail
	UpdatedAt   time.Time         `json:"updated_at"`
	// NextAttempt is when it is tried again at the earliest; nil when nobody knows.
	NextAttempt *time.Time `json:"next_attempt,omitempty"`
	Paused      *Paused    `json:"paused,omitempty"` // its destination is, and it waits for that
	Hold        *Hold      `json:"hold,omitempty"`   // of its destination, which it waits for
}

// EventFilter selects events. Zero fields do not restrict.
type EventFilter struct {
	Source    string     `json:"source,omitempty" query:"source" doc:"name or id of a source"`
	MessageID string     `json:"message_id,omitempty" query:"message_id" doc:"the messageId the sender gave"`
	Status    string     `json:"status,omitempty" query:"status" doc:"accepted, processed, retrying, failed or invalid"`
	Type      string     `json:"type,omitempty" query:"type" doc:"identify, track, page, screen, group, alias or delete"`
	Name      string     `json:"event,omitempty" query:"event" doc:"track event name, page or screen name"`
	UserID    string     `json:"user_id,omitempty" query:"user_id"`
	Since     *time.Time `json:"since,omitempty" query:"since" doc:"stored at this time or later"`
	Until     *time.Time `json:"until,omitempty" query:"until" doc:"stored before this time"`
}

// Why explains one event: what every mapping of its source made of it, by the
// event's own revision and through the code that processed it.
type Why struct {
	Event    Event             `json:"event"`
	Body     *jsonvalue.Object `json:"body"`
	Raw      string            `json:"raw"` // the stored text
	Mappings []MappingWhy      `json:"mappings"`
	Changes  []Change          `json:"changes,omitempty"` // what it changed on contacts
	Runs     []Run             `json:"runs,omitempty"`
	// TemporalURL lists the executions that handled the event in the Temporal UI.
	TemporalURL string `json:"temporal_url,omitempty"`
}

// MappingWhy is one mapping's verdict on one event.
type MappingWhy struct {
	Mapping     string    `json:"mapping"`
	Destination string    `json:"destination"`
	Action      string    `json:"action"`
	Matched     bool      `json:"matched"`
	Off         string    `json:"off,omitempty"`    // why it was not even asked: switched off, integrations …
	Filter      string    `json:"filter"`           // FQL text
	Clauses     any       `json:"clauses"`          // fql.Verdict
	Fields      any       `json:"fields,omitempty"` // []mapping.FieldTrace
	Delivery    *Delivery `json:"delivery,omitempty"`
	Error       string    `json:"error,omitempty"`
}

// Change is one change of a contact.
type Change struct {
	Contact id.ID             `json:"contact"`
	Event   id.ID             `json:"event,omitempty"`
	At      time.Time         `json:"at"`
	Cause   string            `json:"cause"`
	Diff    *jsonvalue.Object `json:"diff"` // field -> [before, after]
}

// Contact is one person of a directory.
type Contact struct {
	ID           id.ID             `json:"id"`
	Directory    string            `json:"directory"`
	ExtRef       string            `json:"ext_ref"`
	Email        string            `json:"email"`
	Phone        string            `json:"phone"`
	FirstName    string            `json:"first_name"`
	LastName     string            `json:"last_name"`
	Language     string            `json:"language"`
	Unsubscribed bool              `json:"unsubscribed"`
	EmbeddedData *jsonvalue.Object `json:"embedded_data"`
	CreatedAt    time.Time         `json:"created_at"`
	UpdatedAt    time.Time         `json:"updated_at"`
}

// ContactFilter selects contacts; values are compared after normalising.
type ContactFilter struct {
	Directory string `json:"directory,omitempty" query:"directory" doc:"name or id of a directory; all when missing"`
	Email     string `json:"email,omitempty" query:"email" doc:"compared without case"`
	ExtRef    string `json:"ext_ref,omitempty" query:"ext_ref"`
	Phone     string `json:"phone,omitempty" query:"phone" doc:"compared as E.164, in the directory's region"`
}

// Transaction is one record of a contact.
type Transaction struct {
	ID          id.ID             `json:"id"`
	MailingList string            `json:"mailing_list"`
	Date        time.Time         `json:"date"`
	Data        *jsonvalue.Object `json:"data"`
	Event       id.ID             `json:"event"`
}

// Run is one execution of a workflow version for one event.
type Run struct {
	ID          id.ID             `json:"id"`
	Workflow    string            `json:"workflow"`
	Version     int64             `json:"version"`
	Event       id.ID             `json:"event"`
	Contact     id.ID             `json:"contact,omitempty"`
	Status      string            `json:"status"` // pending, running, done, failed, not_started, cancelled
	Reason      string            `json:"reason,omitempty"`
	StartedAt   time.Time         `json:"started_at"`
	EndedAt     *time.Time        `json:"ended_at,omitempty"`
	Fields      *jsonvalue.Object `json:"fields"` // name -> value; null when missing
	FieldStates any               `json:"field_states"`
	Steps       []RunStep         `json:"steps"`
	TemporalURL string            `json:"temporal_url,omitempty"`
}

// RunStep is one step of a run.
type RunStep struct {
	ID        string            `json:"id"`
	Kind      string            `json:"kind"`   // task kind, or wait, branch, stop
	Status    string            `json:"status"` // running, waiting, done, skipped, failed
	Attempts  int               `json:"attempts"`
	Input     *jsonvalue.Object `json:"input,omitempty"`
	Output    *jsonvalue.Object `json:"output,omitempty"`
	Error     string            `json:"error,omitempty"`
	StartedAt *time.Time        `json:"started_at,omitempty"`
	EndedAt   *time.Time        `json:"ended_at,omitempty"`
}

// RunFilter selects runs.
type RunFilter struct {
	Workflow string `json:"workflow,omitempty" query:"workflow" doc:"name or id of a workflow"`
	Event    string `json:"event,omitempty" query:"event" doc:"id of an event"`
	Status   string `json:"status,omitempty" query:"status" doc:"pending, running, done, failed, not_started or cancelled"`
	Contact  string `json:"contact,omitempty" query:"contact" doc:"id of a contact"`
}

// Distribution is one survey sent, with its reminders.
type Distribution struct {
	ID        id.ID          `json:"id"`
	Run       id.ID          `json:"run"`
	Step      string         `json:"step"`
	Survey    string         `json:"survey"`
	Channel   string         `json:"channel"`
	Status    string         `json:"status"` // pending, sending, waiting, done, cancelled
	Counts    map[string]int `json:"counts"` // invitations by status, and planned, sent, opened, started, finished (cumulative)
	CreatedAt time.Time      `json:"created_at"`
	EndedAt   *time.Time     `json:"ended_at,omitempty"`
}

// Invitation is one person's copy of a distribution.
type Invitation struct {
	ID           id.ID             `json:"id"`
	Distribution id.ID             `json:"distribution"`
	Run          id.ID             `json:"run"`
	Contact      id.ID             `json:"contact"`
	Status       string            `json:"status"` // pending, sent, opened, started, finished, skipped, failed, expired, cancelled
	Reason       string            `json:"reason,omitempty"`
	SentAt       *time.Time        `json:"sent_at,omitempty"`
	OpenedAt     *time.Time        `json:"opened_at,omitempty"`
	ExpiresAt    *time.Time        `json:"expires_at,omitempty"`
	Response     *jsonvalue.Object `json:"response,omitempty"`
	Messages     []Message         `json:"messages,omitempty"`
}

// Message is one mail to an invited person.
type Message struct {
	Kind   string     `json:"kind"`
	Status string     `json:"status"`
	SentAt *time.Time `json:"sent_at,omitempty"`
	Error  string     `json:"error,omitempty"`
}

// InvitationFilter selects invitations.
type InvitationFilter struct {
	Run          string `json:"run,omitempty" query:"run" doc:"id of a run"`
	Distribution string `json:"distribution,omitempty" query:"distribution" doc:"id of a distribution"`
	Contact      string `json:"contact,omitempty" query:"contact" doc:"id of a contact"`
	Status       string `json:"status,omitempty" query:"status" doc:"pending, sent, opened, started, finished, skipped, failed, expired or cancelled"`
}

// Mail is one message caught by the outbox.
type Mail struct {
	ID      id.ID     `json:"id"`
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	Text    string    `json:"text"`
	HTML    string    `json:"html"`
	Links   []string  `json:"links"`
	Headers any       `json:"headers"`
	SentAt  time.Time `json:"sent_at"`
}

// Overview is what the home page shows.
type Overview struct {
	Now        time.Time      `json:"now"`
	Waiting    int            `json:"waiting"`     // events accepted and not yet processed
	OldestWait time.Duration  `json:"oldest_wait"` // nanoseconds; 0 when none waits
	Minutes    []Minute       `json:"minutes"`     // the last 60, oldest first
	Totals     map[string]int `json:"totals"`      // of the last hour: accepted, invalid, done, retrying, held, rejected, runs, mails
	Failures   []Cause        `json:"failures"`    // rejected deliveries of the last hour by mapping and reason
	Parts      []Part         `json:"parts"`
	FirstRun   FirstRun       `json:"first_run"`
}

// Minute counts one minute of events.
type Minute struct {
	Start     time.Time `json:"start"`
	Processed int       `json:"processed"` // every delivery ended well, or none was due
	Failed    int       `json:"failed"`    // some delivery rejected, or refused at the door
	Waiting   int       `json:"waiting"`   // accepted or retrying
}

// Cause groups what failed.
type Cause struct {
	Mapping string    `json:"mapping"`
	Reason  string    `json:"reason"`
	Count   int       `json:"count"`
	Last    time.Time `json:"last"`
	Example id.ID     `json:"example"` // an event
}

// Part is one part of the installation and how it is.
type Part struct {
	Name   string `json:"name"`   // database, temporal, workers, mail, a destination
	Status string `json:"status"` // ok, held, failed
	Detail string `json:"detail"`
	// Destination is the id of a part that is a destination. One is listed only while
	// it is not ok.
	Destination id.ID      `json:"destination,omitempty"`
	Since       *time.Time `json:"since,omitempty"` // when it came to be so
	Until       *time.Time `json:"until,omitempty"` // when it goes on by itself
}

// FirstRun says which first steps are done.
type FirstRun struct {
	Source   bool `json:"source"`
	Event    bool `json:"event"`
	Mapping  bool `json:"mapping"`
	Workflow bool `json:"workflow"`
}

// DistributionFilter selects distributions.
type DistributionFilter struct {
	Run string `json:"run,omitempty" query:"run" doc:"id of a run"`
}

// Problem is the body of every error answer (RFC 9457, application/problem+json).
type Problem struct {
	Type      string `json:"type"` // "about:blank"
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Kind      string `json:"kind"` // fault.Kind
	Detail    string `json:"detail"`
	Field     string `json:"field,omitempty"`
	RequestID string `json:"request_id"`
	// Problems are all that is wrong with a plan.
	Problems plan.Problems `json:"problems,omitempty"`
}
