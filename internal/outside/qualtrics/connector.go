package qualtrics

import (
	"cmp"
	"context"
	"time"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/outside/qualtrics/wire"
)

// Connector delivers to one account. Safe for concurrent use.
type Connector struct {
	client *Client
	now    func() time.Time
}

// NewConnector returns a connector over a client.
func NewConnector(c *Client) *Connector { return &Connector{client: c, now: c.now} }

// actions are what Deliver can do. Each adds to the summary as it goes.
var actions = map[string]func(*Connector, context.Context, delivery.Attempt, *jsonvalue.Object) error{
	plan.UpsertContact:     (*Connector).upsertContact,
	plan.UpsertTransaction: (*Connector).upsertTransaction,
	plan.StartWorkflow:     (*Connector).startWorkflow,
}

// Deliver does what a delivery asks for: at least once, looking before it
// repeats. The outcome is filled as far as it went beside an error too.
func (c *Connector) Deliver(ctx context.Context, d delivery.Attempt) delivery.Outcome {
	act, ok := actions[d.Action]
	if !ok {
		return delivery.Outcome{Summary: jsonvalue.NewObject(0), Err: fault.Field("action", "%q is not an action", d.Action)}
	}
	ctx, requests := Record(ctx)
	summary := jsonvalue.NewObject(4)
	out := outcome(act(c, ctx, d, summary), requests)
	out.Summary = summary
	out.Contact, _ = summary.Get("contact").(string)
	return out
}

// Refused reports whether the account does not take the token at all, which one
// call that was refused does not say yet: a workflow's URL and a single resource have
// their own reasons.
func (c *Connector) Refused(ctx context.Context) bool {
	_, err := c.client.Whoami(ctx)
	return TokenRefused(err)
}

func (c *Connector) startWorkflow(ctx context.Context, d delivery.Attempt, summary *jsonvalue.Object) error {
	address, _ := d.Payload.Get("workflowUrl").(string)
	if _, err := c.client.StartWorkflow(ctx, address, d.Payload.Get("eventPayload")); err != nil {
		return err
	}
	summary.Set("workflow", "started")
	return nil
}

// upsertContact creates a contact, which the account merges with the one it has
// when its directory says so.
func (c *Connector) upsertContact(ctx context.Context, d delivery.Attempt, summary *jsonvalue.Object) error {
	p := mapping.ContactOf(d.Payload)
	switch d.Mode {
	case plan.ModeUpdateOnly:
		return c.updateContact(ctx, d, p, summary)
	case plan.ModeCreateOnly:
		return c.createOnly(ctx, d, p, summary)
	}
	if d.Repeat {
		switch found, err := c.holding(ctx, p); {
		case err != nil:
			return err
		case found != "":
			summary.Set("contact", found)
			summary.Set("found_done", true)
			return nil
		}
	}
	return c.create(ctx, p, summary)
}

func (c *Connector) create(ctx context.Context, p mapping.Contact, summary *jsonvalue.Object) error {
	id, err := c.client.CreateContact(ctx, p.DirectoryID, p)
	if err != nil {
		return err
	}
	if id != "" {
		summary.Set("contact", id)
	}
	return nil
}

func (c *Connector) updateContact(ctx context.Context, d delivery.Attempt, p mapping.Contact, summary *jsonvalue.Object) error {
	id, err := c.one(ctx, p)
	if err != nil {
		return err
	}
	if id == "" {
		return fault.New(fault.NotFound, "no contact matches, and the mapping only updates")
	}
	if p.Unsubscribed != nil && !*p.Unsubscribed && !d.MayResubscribe {
		p.Unsubscribed = nil // else every event would sign an opted-out contact up again
	}
	summary.Set("contact", id)
	if err := c.client.UpdateContact(ctx, p.DirectoryID, id, p); err != nil {
		return err
	}
	summary.Set("updated", true)
	return nil
}

func (c *Connector) createOnly(ctx context.Context, d delivery.Attempt, p mapping.Contact, summary *jsonvalue.Object) error {
	if d.Repeat {
		switch found, err := c.holding(ctx, p); {
		case err != nil:
			return err
		case found != "":
			summary.Set("contact", found)
			summary.Set("found_done", true)
			return nil
		}
	}
	switch id, err := c.one(ctx, p); {
	case err != nil:
		return err
	case id != "":
		summary.Set("contact", id)
		return fault.New(fault.Conflict, "a contact matches, and the mapping only creates")
	}
	if err := c.create(ctx, p, summary); err != nil {
		return err
	}
	summary.Set("created", true)
	return nil
}

// identifiers are the criteria by which a contact is looked up: all that are
// given, in the order of Segment's destination.
func identifiers(p mapping.Contact) []Criterion {
	var out []Criterion
	for _, c := range []Criterion{{"extRef", p.ExtRef}, {"phone", p.Phone}, {"email", p.Email}} {
		if c.Value != "" {
			out = append(out, c)
		}
	}
	return out
}

// ambiguous is what Segment's destination calls it.
const ambiguous = "directory_lookup_error"

// one is the contact that has all identifiers given, "" when there is none. None
// given or several contacts are Invalid: nothing says whom the event is about.
func (c *Connector) one(ctx context.Context, p mapping.Contact) (string, error) {
	by := identifiers(p)
	if len(by) == 0 {
		return "", fault.New(fault.Invalid, "nothing says who this is: no extRef, phone or email to find the contact by")
	}
	found, err := c.client.SearchContacts(ctx, p.DirectoryID, by...)
	switch {
	case err != nil:
		return "", err
	case len(found) == 0:
		return "", nil
	case len(found) > 1:
		return "", &Error{
			Call: "search contacts", Status: 200, Code: ambiguous,
			fault: fault.New(fault.Invalid, "several contacts match, at least %s and %s: it must be one and only one (%s)", found[0].ID, found[1].ID, ambiguous),
		}
	}
	return found[0].ID, nil
}

// upsertTransaction writes a transaction for the contact that is named, or that
// has all identifiers given, or that is created for it.
func (c *Connector) upsertTransaction(ctx context.Context, d delivery.Attempt, summary *jsonvalue.Object) error {
	p, err := mapping.TransactionOf(d.Payload)
	if err != nil {
		return err
	}
	contact := cmp.Or(p.ContactID, d.Contact)
	if contact == "" {
		if contact, err = c.one(ctx, p.Contact); err != nil {
			return err
		}
		if contact == "" {
			if d.Mode == plan.ModeUpdateOnly {
				return fault.New(fault.NotFound, "no contact matches, and the mapping only updates")
			}
			if contact, err = c.client.CreateContact(ctx, p.DirectoryID, p.Contact); err != nil {
				return err
			}
			if contact == "" {
				// The next attempt begins with the search and finds whom this made.
				return fault.New(fault.Unavailable, "create contact: the answer has no id")
			}
			summary.Set("created", true)
		}
	}
	summary.Set("contact", contact)
	t := wire.Transaction{
		ContactID: contact, MailingListID: p.MailingListID,
		Data: wire.Values{Object: p.Data}, Date: wire.Date{Time: c.dateOf(d, p)},
	}
	key := TransactionKey(d.Source, d.Mapping, d.MessageID)
	summary.Set("key", key)
	if d.Repeat { // also for a contact that seems new: the account may have merged it
		switch id, err := c.written(ctx, p.DirectoryID, t); {
		case err != nil:
			return err
		case id != "":
			summary.Set("transaction", id)
			summary.Set("found_done", true)
			return nil
		}
	}
	out, err := c.client.CreateTransactions(ctx, p.DirectoryID, map[string]wire.Transaction{key: t})
	if err != nil {
		return err
	}
	if no, ok := out.Unprocessed[key]; ok {
		return &Error{
			Call: "create transaction", Status: 200, Code: string(no.Code), RequestID: out.RequestID,
			fault: fault.New(fault.Invalid, "create transaction: refused: %s", orSaid(no)),
		}
	}
	if id := out.Created[key].ID; id != "" {
		summary.Set("transaction", id)
	}
	return nil
}

func orSaid(r wire.Unprocessed) string {
	switch {
	case r.Message == "" && r.Code == "":
		return "the account does not say why"
	case r.Message == "":
		return string(r.Code)
	case r.Code == "":
		return string(r.Message)
	}
	return string(r.Message + " (" + r.Code + ")")
}

func (c *Connector) dateOf(d delivery.Attempt, p mapping.Transaction) time.Time {
	at := d.Accepted
	if p.Date != nil {
		at = *p.Date
	}
	if at.IsZero() {
		at = c.now()
	}
	return at.UTC()
}
