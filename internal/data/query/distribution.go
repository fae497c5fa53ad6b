package query

import (
	"context"
	"database/sql"

	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/data/columns"
)

const selectDistributions = `SELECT ` + columns.Distribution + ` FROM distributions AS d`

// DistributionQuery selects distributions. Zero fields do not restrict.
type DistributionQuery struct {
	Workflow id.ID
	Survey   string // in the present version, or one before
	Run      id.ID  // in which it has invitations
}

// ListDistributions lists distributions. Those of single runs are listed until they
// are put into standing ones.
func (r *Reader) ListDistributions(ctx context.Context, f DistributionQuery, p Paging) ([]distribution.Distribution, id.ID, error) {
	var q query
	q.and("d.standing IS NULL")
	if f.Workflow != 0 {
		q.and("d.workflow = ?", f.Workflow)
	}
	if f.Survey != "" {
		q.and("(d.survey = ? OR d.id IN (SELECT distribution FROM distribution_versions WHERE survey = ?))", f.Survey, f.Survey)
	}
	if f.Run != 0 {
		q.and("d.id IN (SELECT distribution FROM invitations WHERE run = ?)", f.Run)
	}
	return page(ctx, r, selectDistributions, "d", q, span{top: p.before()}, p, func(d *distribution.Distribution) id.ID { return d.ID })
}

// DistributionRow is one distribution; the id of one that was put into a standing one
// leads there. Unknown is NotFound.
func (r *Reader) DistributionRow(ctx context.Context, v id.ID) (row distribution.Distribution, err error) {
	return row, r.db.ReadOne(ctx, &row, selectDistributions+` WHERE d.id = (SELECT coalesce(standing, id) FROM distributions WHERE id = ?)`, v)
}

// CountRow counts the invitations of a distribution that have one status, and
// how many of those were sent, opened, started and finished at some time.
type CountRow struct {
	Distribution id.ID  `db:"distribution"`
	Status       string `db:"status"`
	N            int    `db:"n"`
	Sent         int    `db:"sent"`
	Opened       int    `db:"opened"`
	Started      int    `db:"started"`
	Finished     int    `db:"finished"`
}

// DistributionCounts counts invitations by distribution and status, from what is kept
// with every write: it costs the same for ten and for ten million.
func (r *Reader) DistributionCounts(ctx context.Context, distributions []id.ID) (rows []CountRow, err error) {
	if len(distributions) == 0 {
		return nil, nil
	}
	return rows, r.db.Read(ctx, &rows, `SELECT distribution, status, CAST(sum(n) AS bigint) AS n, CAST(sum(sent) AS bigint) AS sent,
		CAST(sum(opened) AS bigint) AS opened, CAST(sum(started) AS bigint) AS started, CAST(sum(finished) AS bigint) AS finished
		FROM invitation_counts WHERE distribution {ids} GROUP BY distribution, status HAVING sum(n) > 0 ORDER BY distribution, status`, r.db.IDs(distributions))
}

// InvitationRow is an invitation as lists show it. Its token is not among them:
// whoever has it can answer in the person's place.
type InvitationRow struct {
	ID           id.ID               `db:"id"`
	Distribution id.ID               `db:"distribution"`
	Run          id.ID               `db:"run"`
	Step         string              `db:"step"` // path in the run; "" when it has a distribution of its own
	Contact      id.ID               `db:"contact"`
	Status       distribution.Status `db:"status"`
	Reason       string              `db:"reason"`
	SentAt       sql.NullInt64       `db:"sent_at"` // milliseconds
	OpenedAt     sql.NullInt64       `db:"opened_at"`
	ExpiresAt    sql.NullInt64       `db:"expires_at"`
	Response     string              `db:"response"` // JSON or ""
}

const selectInvitations = `SELECT v.id, v.distribution, v.run, coalesce(v.step, '') AS step, v.contact, v.status, coalesce(v.reason, '') AS reason,
  v.sent_at, v.opened_at, v.expires_at, coalesce(v.response, '') AS response FROM invitations AS v`

// InvitationQuery selects invitations. Zero fields do not restrict.
type InvitationQuery struct {
	Run          id.ID
	Distribution id.ID
	Contact      id.ID
	Status       distribution.Status
}

// ListInvitations lists invitations.
func (r *Reader) ListInvitations(ctx context.Context, f InvitationQuery, p Paging) ([]InvitationRow, id.ID, error) {
	var q query
	for _, c := range [...]struct {
		cond  string
		value id.ID
	}{
		{"v.contact = ?", f.Contact}, {"v.run = ?", f.Run},
		{"v.distribution = (SELECT coalesce(standing, id) FROM distributions WHERE id = ?)", f.Distribution},
	} {
		if c.value != 0 {
			q.and(c.cond, c.value)
		}
	}
	indexed := len(q.where) > 0
	filter(&q, "v.status = ?", f.Status)
	w, err := r.window(ctx, "invitations", p.before(), 0, q.scans && !indexed)
	if err != nil {
		return nil, 0, err
	}
	return page(ctx, r, selectInvitations, "v", q, w, p, func(v *InvitationRow) id.ID { return v.ID })
}

// InvitationRow is one invitation; unknown is NotFound.
func (r *Reader) InvitationRow(ctx context.Context, v id.ID) (row InvitationRow, err error) {
	return row, r.db.ReadOne(ctx, &row, selectInvitations+` WHERE v.id = ?`, v)
}

// MessageRow is one mail to an invited person.
type MessageRow struct {
	Invitation id.ID                      `db:"invitation"`
	Kind       string                     `db:"kind"`
	Status     distribution.MessageStatus `db:"status"`
	SentAt     sql.NullInt64              `db:"sent_at"` // milliseconds
	Error      string                     `db:"error"`
}

// MessageRows are the mails of invitations, oldest first.
func (r *Reader) MessageRows(ctx context.Context, invitations []id.ID) (rows []MessageRow, err error) {
	if len(invitations) == 0 {
		return nil, nil
	}
	return rows, r.db.Read(ctx, &rows, `SELECT invitation, kind, status, sent_at, coalesce(error, '') AS error
		FROM messages WHERE invitation {ids} ORDER BY invitation, created_at, kind`, r.db.IDs(invitations))
}

// MailRow is one mail that the outbox caught.
type MailRow struct {
	ID        id.ID  `db:"id"`
	Recipient string `db:"recipient"`
	Subject   string `db:"subject"`
	Text      string `db:"text"`
	HTML      string `db:"html"`
	Headers   string `db:"headers"` // JSON
	SentAt    int64  `db:"sent_at"` // milliseconds
}

const selectMails = `SELECT m.id, m.recipient, m.subject, m.text, m.html, m.headers, m.sent_at FROM outbox AS m`

// ListOutbox lists caught mails.
func (r *Reader) ListOutbox(ctx context.Context, p Paging) ([]MailRow, id.ID, error) {
	return page(ctx, r, selectMails, "m", query{}, span{top: p.before()}, p, func(m *MailRow) id.ID { return m.ID })
}

// MailRow is one caught mail; unknown is NotFound.
func (r *Reader) MailRow(ctx context.Context, v id.ID) (row MailRow, err error) {
	return row, r.db.ReadOne(ctx, &row, selectMails+` WHERE m.id = ?`, v)
}
