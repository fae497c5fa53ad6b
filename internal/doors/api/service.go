package api

import (
	"context"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/data/store"
	"github.com/segue-xm/segue/internal/outside/qualtrics"
)

// PlanStore keeps plans: one revision for each that was applied.
type PlanStore interface {
	// Current is the plan in force; revision 0 and an empty or nil plan when none
	// was applied yet.
	Current(ctx context.Context) (revision int64, p *plan.Plan, err error)
	// Apply puts a plan in force, all of it or nothing, and keeps the values of
	// its secrets. A plan that changes nothing makes no revision.
	Apply(ctx context.Context, p *plan.Plan, secrets map[string]string, author string) (revision int64, err error)
}

// Options are what a Service works with.
type Options struct {
	Store     *store.Store
	Plans     PlanStore
	Checks    plan.Checks // judge the texts in a plan that other packages know
	Revisions Revisions   // for Why

	// Secrets gives the values of the plan's references; nil when they are not to
	// be had, and then no write key is told.
	Secrets func(ctx context.Context) (map[string]string, error)
	// WorkflowTokens gives the tokens in a workflow's URLs, newest first; nil when
	// they are not to be had, and then no URL is told.
	WorkflowTokens func(ctx context.Context, workflow id.ID) ([]string, error)
	PublicURL      string // base of workflows' URLs

	// Accounts gives a client of a remote destination's account.
	Accounts func(ctx context.Context, d plan.Destination) (*qualtrics.Client, error)

	TemporalUI string // address of Temporal's UI, "" when there is none to link to
	Namespace  string // Temporal's

	// Parts reports how the parts of the installation are; nil when nobody knows.
	Parts  func(ctx context.Context) []Part
	Now    func() time.Time // nil is the system's clock
	Logger *slog.Logger     // nil is slog.Default
}

// Service is the operations. Its methods are safe for concurrent use; their
// errors are faults.
type Service struct {
	Options
	overview overviewCache
}

// New returns the operations over a store.
func New(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Namespace == "" {
		o.Namespace = "default"
	}
	return &Service{Options: o}
}

const (
	defaultLimit = 50
	maxLimit     = 500
)

// paging reads a list request's bounds.
func (p Paging) paging() (store.Paging, error) {
	out := store.Paging{Limit: p.Limit}
	switch {
	case p.Limit < 0:
		return out, fault.Field("limit", "want 1 to %d", maxLimit)
	case p.Limit == 0:
		out.Limit = defaultLimit
	case p.Limit > maxLimit:
		out.Limit = maxLimit
	}
	if p.Cursor != "" {
		var err error
		if out.Before, err = id.Parse(p.Cursor); err != nil || out.Before <= 0 {
			return out, fault.Field("cursor", "not a cursor of this list")
		}
	}
	return out, nil
}

// listPage makes a page of rows, each shown by show.
func listPage[R, T any](rows []R, next id.ID, show func(R) T) Page[T] {
	items := make([]T, len(rows))
	for i, r := range rows {
		items[i] = show(r)
	}
	return Page[T]{Items: items, Next: next.String()}
}

// names are the plan's names by id.
type names map[id.ID]string

func (s *Service) names(ctx context.Context) (names, error) {
	all, err := s.Store.NameIDs(ctx)
	if err != nil {
		return nil, err
	}
	n := make(names, len(all))
	for key, v := range all {
		name := key.Name
		if key.Kind == plan.KindList { // stored as directory/list
			_, name, _ = strings.Cut(name, "/")
		}
		n[v] = name
	}
	return n, nil
}

// of is the name, or the id's text when nothing is called so any more.
func (n names) of(v id.ID) string {
	if name, ok := n[v]; ok {
		return name
	}
	return v.String()
}

// named resolves a name or id in a filter; empty is none.
func (s *Service) named(ctx context.Context, kind plan.Kind, nameOrID string) (id.ID, error) {
	if nameOrID == "" {
		return 0, nil
	}
	v, err := s.Store.NameID(ctx, kind, nameOrID)
	if fault.KindOf(err) == fault.NotFound {
		return 0, fault.Field(string(kind), "there is no %s called %q", kind, nameOrID)
	}
	return v, err
}

// filterID reads an id in a filter; empty is none.
func filterID(field, text string) (id.ID, error) {
	if text == "" {
		return 0, nil
	}
	v, err := id.Parse(text)
	if err != nil || v <= 0 {
		return 0, fault.Field(field, "%q is not an id", text)
	}
	return v, nil
}

// oneOf checks a filter that has a list of values; empty is none.
func oneOf[S ~string](field, value string, values ...S) error {
	if value == "" || slices.Contains(values, S(value)) {
		return nil
	}
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = string(v)
	}
	return fault.Field(field, "want one of %s; found %q", strings.Join(texts, ", "), value)
}

// object is stored JSON as an object; nil when there is none.
func object(text string) *jsonvalue.Object {
	if text == "" {
		return nil
	}
	o, err := jsonvalue.ParseObject([]byte(text))
	if err != nil {
		return nil
	}
	return o
}

// objectOrEmpty is object for what is never null.
func objectOrEmpty(text string) *jsonvalue.Object {
	if o := object(text); o != nil {
		return o
	}
	return jsonvalue.NewObject(0)
}

func instant(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func instantOrNil(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := instant(ms)
	return &t
}

// temporalList is the UI's page of executions with the event's key; temporalRun
// that of one execution.
func (s *Service) temporalList(event id.ID) string {
	if s.TemporalUI == "" {
		return ""
	}
	return s.temporalBase() + "?query=" + url.QueryEscape(handover.AttributeEvents+` = "`+event.String()+`"`)
}

func (s *Service) temporalRun(workflowID string) string {
	if s.TemporalUI == "" {
		return ""
	}
	return s.temporalBase() + "/" + url.PathEscape(workflowID)
}

func (s *Service) temporalBase() string {
	return strings.TrimSuffix(s.TemporalUI, "/") + "/namespaces/" + url.PathEscape(s.Namespace) + "/workflows"
}
