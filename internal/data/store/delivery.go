package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/segue-xm/segue/internal/core/contact"
	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/segment"
	"github.com/segue-xm/segue/internal/data/db"
)

// Waiting reads those of the events that are still in the inbox, oldest first.
// What is missing was processed before.
func (s *Store) Waiting(ctx context.Context, ids []id.ID) (rows []segment.Stored, err error) {
	return rows, s.db.Read(ctx, &rows, `SELECT e.id, e.source, i.revision, e.message_id, e.accepted_at, e.body
		FROM inbox i JOIN events e ON e.id = i.event WHERE i.event {ids} ORDER BY e.id`, s.db.IDs(ids))
}

// DropUnmatched takes events that no mapping wants out of the inbox. Safe to call
// twice.
func (s *Store) DropUnmatched(ctx context.Context, ids []id.ID) error {
	if len(ids) == 0 {
		return nil
	}
	return s.inTx(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM inbox WHERE event {ids}`, s.db.IDs(ids))
		return err
	})
}

// Pending names the deliveries of events that were written and not tried yet.
func (s *Store) Pending(ctx context.Context, events []id.ID) (refs []delivery.Ref, err error) {
	return refs, s.db.Read(ctx, &refs, `SELECT event, mapping FROM deliveries WHERE event {ids} AND status = ? ORDER BY event, mapping`, s.db.IDs(events), delivery.Pending)
}

var (
	deliveriesTable = db.NewTable("deliveries", "event bigint, mapping bigint, destination bigint, action text, status text, attempts bigint, occurred_at bigint, "+
		"updated_at bigint, reason text, payload bytea")
	queueTable = db.NewTable("delivery_queue", "event bigint, mapping bigint, destination bigint, action text, due_at bigint, tries bigint")
	marksTable = db.NewTable("deliveries", "event bigint, mapping bigint, status text, attempts bigint, updated_at bigint, reason text, contact bigint, result text")
	waitsTable = db.NewTable("delivery_queue", "event bigint, mapping bigint, due_at bigint, tries bigint, unsure boolean")
)

// WriteDeliveries writes the deliveries of events and takes the events out of the
// inbox, in one transaction. Every event whose deliveries are given must have all
// of them given. A second call writes nothing.
func (s *Store) WriteDeliveries(ctx context.Context, list []delivery.New) error {
	if len(list) == 0 {
		return nil
	}
	return s.inTx(ctx, func(tx *Tx) error {
		var ids []id.ID
		for _, d := range list {
			if len(ids) == 0 || ids[len(ids)-1] != d.Event {
				ids = append(ids, d.Event)
			}
		}
		// Only events still in the inbox: others have their deliveries already.
		var waiting []id.ID
		if err := tx.Select(ctx, &waiting, `DELETE FROM inbox WHERE event {ids} RETURNING event`, s.db.IDs(ids)); err != nil {
			return err
		}
		fresh := make(map[id.ID]bool, len(waiting))
		for _, v := range waiting {
			fresh[v] = true
		}
		rows, queue := make([][]any, 0, len(list)), make([][]any, 0, len(list))
		now := tx.Now.UnixMilli()
		var rejected []delivery.Mark
		for _, d := range list {
			if !fresh[d.Event] {
				continue
			}
			rows = append(rows, []any{d.Event, d.Mapping, d.Destination, d.Action, string(d.Status), 0, d.Occurred.UnixMilli(), now, db.NullText(d.Reason), d.Payload})
			if d.Status == delivery.Rejected {
				rejected = append(rejected, delivery.Mark{Ref: delivery.Ref{Event: d.Event, Mapping: d.Mapping}, Action: d.Action, Status: d.Status})
			}
			if !d.Status.Ended() {
				queue = append(queue, []any{d.Event, d.Mapping, d.Destination, d.Action, d.Due.UnixMilli(), 0})
			}
		}
		tx.marked(rejected)
		if _, err := tx.Insert(ctx, deliveriesTable, rows, "ON CONFLICT DO NOTHING"); err != nil {
			return err
		}
		_, err := tx.Insert(ctx, queueTable, queue, "ON CONFLICT DO NOTHING")
		return err
	})
}

// openDelivery is the condition of every change of a delivery: it has not ended.
var openDelivery = oneOf(delivery.OpenStatuses())

const openDeliveries = `SELECT d.event, d.mapping, d.destination, d.action, d.status, d.attempts, d.occurred_at, d.payload, coalesce(d.revision, e.revision) AS revision
	FROM deliveries d JOIN events e ON e.id = d.event `

// OpenDeliveries reads those of the deliveries that have not ended, in event order.
func (s *Store) OpenDeliveries(ctx context.Context, refs []delivery.Ref) ([]delivery.Open, error) {
	want := make(map[delivery.Ref]bool, len(refs))
	ids := make([]id.ID, 0, len(refs))
	for _, r := range refs {
		want[r] = true
		ids = append(ids, r.Event)
	}
	var rows []delivery.Open
	if err := s.db.Read(ctx, &rows, openDeliveries+`WHERE d.event {ids} AND d.status `+openDelivery+` ORDER BY d.event, d.mapping`, s.db.IDs(ids)); err != nil {
		return nil, err
	}
	out := rows[:0]
	for _, r := range rows {
		if want[r.Ref()] {
			out = append(out, r)
		}
	}
	return out, nil
}

// inOrder are the actions in the order of their effects: a run may look at a contact
// that waits beside it, however many wait. Rows of a version that did not write the
// action come first.
var inOrder = []string{"", plan.UpsertContact, plan.UpsertTransaction, plan.StartWorkflow}

// DueDeliveries reads up to limit deliveries of a destination that are due: all
// contacts before any transaction, and these before any run, the longest waiting first.
func (s *Store) DueDeliveries(ctx context.Context, destination id.ID, limit int) (rows []delivery.Open, err error) {
	now := s.db.Now().UnixMilli()
	var parts []string
	var args []any
	for rank, action := range inOrder {
		parts = append(parts, fmt.Sprintf(`SELECT %d AS rank, event, mapping, due_at FROM (SELECT event, mapping, due_at FROM delivery_queue
			WHERE destination = ? AND action = ? AND due_at <= ? ORDER BY due_at LIMIT ?) AS a%d`, rank, rank))
		args = append(args, destination, action, now, limit)
	}
	return rows, s.db.Read(ctx, &rows, openDeliveries+`JOIN (SELECT event, mapping FROM (`+strings.Join(parts, " UNION ALL ")+`) AS due
		ORDER BY rank, due_at LIMIT ?) q ON q.event = d.event AND q.mapping = d.mapping
		ORDER BY d.event, d.mapping`, append(args, limit)...)
}

// NextDue is when the next delivery of a destination is due; zero when none waits.
// What a remote account does for distributions is not counted.
func (s *Store) NextDue(ctx context.Context, destination id.ID) (time.Time, error) {
	actions, err := s.DueActions(ctx, destination)
	var next time.Time
	for _, a := range actions {
		if distribution.IsAction(a.Action) {
			continue
		}
		if at := a.Time(); next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return next, err
}

// ReleaseHeld makes the held deliveries of a destination due, those queued for
// the instant that means "until released", and returns how many there were.
func (s *Store) ReleaseHeld(ctx context.Context, destination id.ID, held time.Time) (n int64, err error) {
	var one []int64
	if err := s.db.Read(ctx, &one, `SELECT due_at FROM delivery_queue WHERE destination = ? AND due_at >= ? LIMIT 1`, destination, held.UnixMilli()); err != nil || len(one) == 0 {
		return 0, err // the usual case, without a write
	}
	err = s.inTx(ctx, func(tx *Tx) error {
		n, err = tx.Exec(ctx, `UPDATE delivery_queue SET due_at = ? WHERE destination = ? AND due_at >= ?`, tx.Now.UnixMilli(), destination, held.UnixMilli())
		return err
	})
	return n, err
}

// MarkDeliveries records the outcome of attempts whose effect is not in this
// database, or that had none. A delivery that has ended stays as it is.
func (s *Store) MarkDeliveries(ctx context.Context, marks []delivery.Mark) error {
	if len(marks) == 0 {
		return nil
	}
	return s.inTx(ctx, func(tx *Tx) error { return tx.mark(ctx, marks) })
}

var (
	heldTable = db.NewTable("deliveries", "event bigint, mapping bigint, status text, updated_at bigint, reason text")
	dueTable  = db.NewTable("delivery_queue", "event bigint, mapping bigint, due_at bigint")
)

// HoldDeliveries makes deliveries that have not ended wait for their destination.
// What earlier attempts have left of them stays. Safe to call twice.
func (s *Store) HoldDeliveries(ctx context.Context, refs []delivery.Ref, reason string, until time.Time) error {
	return s.inTx(ctx, func(tx *Tx) error {
		open, err := tx.lockOpen(ctx, refs)
		if err != nil {
			return err
		}
		var held, due [][]any
		for _, r := range refs {
			if _, ok := open[r]; ok {
				held = append(held, []any{r.Event, r.Mapping, string(delivery.Held), tx.Now.UnixMilli(), reason})
				due = append(due, []any{r.Event, r.Mapping, until.UnixMilli()})
			}
		}
		if err := tx.Update(ctx, heldTable, 2, held, "t.status "+openDelivery); err != nil {
			return err
		}
		return tx.Update(ctx, dueTable, 2, due)
	})
}

func (tx *Tx) mark(ctx context.Context, marks []delivery.Mark) error {
	rows := make([][]any, len(marks))
	var ended, waits [][]any
	for i, m := range marks {
		var result any
		if m.Result != nil {
			result = jsonvalue.Text(m.Result)
		}
		rows[i] = []any{m.Event, m.Mapping, string(m.Status), m.Attempts, tx.Now.UnixMilli(), db.NullText(m.Reason), db.NullID(m.Contact), result}
		if m.Status.Ended() {
			ended = append(ended, []any{m.Event, m.Mapping})
		} else {
			waits = append(waits, []any{m.Event, m.Mapping, m.Due.UnixMilli(), m.Attempts, m.Unsure})
		}
	}
	if err := tx.Update(ctx, marksTable, 2, rows, "t.status "+openDelivery); err != nil {
		return err
	}
	if err := tx.Update(ctx, waitsTable, 2, waits); err != nil {
		return err
	}
	tx.marked(marks)
	return tx.Delete(ctx, endedTable, ended)
}

// endedTable names deliveries that leave the queue.
var endedTable = db.NewTable("delivery_queue", "event bigint, mapping bigint")

// lockOpen returns which of the deliveries have not ended, and keeps them from
// being worked on elsewhere until the transaction's end.
func (tx *Tx) lockOpen(ctx context.Context, refs []delivery.Ref) (map[delivery.Ref]delivery.Opening, error) {
	ids := make([]id.ID, len(refs))
	for i, r := range refs {
		ids[i] = r.Event
	}
	var rows []struct {
		delivery.Ref
		delivery.Opening
	}
	err := tx.Select(ctx, &rows, `SELECT event, mapping, attempts, job, coalesce(forced, false) AS forced FROM deliveries
		WHERE event {ids} AND status `+openDelivery+` ORDER BY event, mapping {lock}`, tx.s.db.IDs(ids))
	open := make(map[delivery.Ref]delivery.Opening, len(rows))
	for _, r := range rows {
		open[r.Ref] = r.Opening
	}
	return open, err
}

// ApplyContacts decides whom deliveries are about, writes the contacts and marks
// the deliveries, in one transaction. Deliveries that ended before are left alone:
// a second call changes nothing. Nobody's failure touches the others; what can
// never work is marked rejected.
func (s *Store) ApplyContacts(ctx context.Context, dir contact.Directory, effects []delivery.ContactEffect) error {
	return s.inTx(ctx, func(tx *Tx) error {
		refs := make([]delivery.Ref, len(effects))
		for i, e := range effects {
			refs[i] = e.Ref
		}
		open, err := tx.lockOpen(ctx, refs)
		if err != nil {
			return err
		}
		var people []person
		var marks []delivery.Mark
		for _, e := range effects {
			if o, ok := open[e.Ref]; ok {
				people = append(people, person{e.Input, e.Mode, ByEvent})
				marks = append(marks, delivery.Mark{Ref: e.Ref, Action: plan.UpsertContact, Attempts: o.Attempts + 1})
			}
		}
		outcomes, err := tx.resolve(ctx, dir, people)
		if err != nil {
			return err
		}
		for i, o := range outcomes {
			finish(&marks[i], o)
		}
		return tx.mark(ctx, marks)
	})
}

func finish(m *delivery.Mark, o contact.Outcome) {
	m.Contact = o.Contact
	if o.Err != nil {
		m.Status, m.Reason = delivery.Rejected, fault.Public(o.Err)
		return
	}
	m.Status, m.Result = delivery.Done, o.Summary()
}

var (
	transactionsTable = db.NewTable("transactions", "id bigint, event bigint, mapping bigint, contact bigint, list bigint, date bigint, data text")
	membersTable      = db.NewTable("list_members", "list bigint, contact bigint, opted_out boolean, added_at bigint")
)

// ApplyTransactions makes contacts that are missing, writes the transactions, puts
// the contacts on their lists and marks the deliveries, in one transaction; a
// transaction exists exactly once per delivery, and a replay writes it over. Lists resolves a list's name or id
// to its id, 0 when there is none.
func (s *Store) ApplyTransactions(ctx context.Context, dir contact.Directory, lists func(string) id.ID, effects []delivery.TransactionEffect) error {
	return s.inTx(ctx, func(tx *Tx) error {
		refs := make([]delivery.Ref, len(effects))
		for i, e := range effects {
			refs[i] = e.Ref
		}
		open, err := tx.lockOpen(ctx, refs)
		if err != nil {
			return err
		}
		var people []person
		var todo []delivery.TransactionEffect
		var marks, refused []delivery.Mark
		var replayed []id.ID
		for _, e := range effects {
			o, ok := open[e.Ref]
			if !ok {
				continue
			}
			if o.Job != 0 { // an earlier life of the delivery may have left one
				replayed = append(replayed, e.Event)
			}
			m := delivery.Mark{Ref: e.Ref, Action: plan.UpsertTransaction, Attempts: o.Attempts + 1}
			if lists(e.List) == 0 {
				m.Status, m.Reason = delivery.Rejected, "mailingListId: no mailing list "+e.List+" in this directory"
				refused = append(refused, m)
				continue
			}
			people = append(people, person{e.Input, contact.FindOrCreate, ByEvent})
			todo = append(todo, e)
			marks = append(marks, m)
		}
		outcomes, err := tx.resolve(ctx, dir, people)
		if err != nil {
			return err
		}
		written, err := tx.transactionsOf(ctx, replayed)
		if err != nil {
			return err
		}
		var rows, members [][]any
		for i, o := range outcomes {
			finish(&marks[i], o)
			if o.Err != nil {
				continue
			}
			tid, list := written[todo[i].Ref], lists(todo[i].List)
			if tid == 0 {
				tid = tx.s.db.Next()
			}
			data := todo[i].Data
			if data == nil {
				data = jsonvalue.NewObject(0)
			}
			rows = append(rows, []any{tid, todo[i].Event, todo[i].Mapping, o.Contact, list, todo[i].Date.UnixMilli(), jsonvalue.Text(data)})
			members = append(members, []any{list, o.Contact, false, tx.Now.UnixMilli()})
			marks[i].Result.Set("transaction", tid.String())
		}
		suffix := ""
		if len(written) > 0 {
			suffix = "ON CONFLICT (event, mapping) DO UPDATE SET contact = excluded.contact, list = excluded.list, date = excluded.date, data = excluded.data"
		}
		if _, err := tx.Insert(ctx, transactionsTable, rows, suffix); err != nil {
			return err
		}
		if _, err := tx.Insert(ctx, membersTable, members, "ON CONFLICT DO NOTHING"); err != nil {
			return err
		}
		return tx.mark(ctx, append(marks, refused...))
	})
}

// transactionsOf are the transactions that events have, by their deliveries.
func (tx *Tx) transactionsOf(ctx context.Context, events []id.ID) (map[delivery.Ref]id.ID, error) {
	if len(events) == 0 {
		return nil, nil
	}
	var rows []struct {
		delivery.Ref
		ID id.ID
	}
	err := tx.Select(ctx, &rows, `SELECT event, mapping, id FROM transactions WHERE event {ids}`, tx.s.db.IDs(events))
	known := make(map[delivery.Ref]id.ID, len(rows))
	for _, r := range rows {
		known[r.Ref] = r.ID
	}
	return known, err
}
