// Package columns says how core's types stand in their tables: the columns of each,
// as a SELECT names them. The verbs of store and the lists of query read alike,
// because there is one list.
package columns

// Columns by what is read. What may be NULL reads as zero.
const (
	Contact = `id, directory, ext_ref, email, phone, first_name, last_name, language, unsubscribed, embedded_data, stamps, created_at, updated_at`
	Run     = `id, workflow, version, event, generation, status, contact, directory, fields,
	coalesce(reason, '') AS reason, created_at, coalesce(ended_at, 0) AS ended_at, job, replay_of`
	Step = `run, step, position, kind, status, attempts, coalesce(input, '') AS input, coalesce(output, '') AS output,
	coalesce(error, '') AS error, coalesce(started_at, 0) AS started_at, coalesce(ended_at, 0) AS ended_at`
	Job = `id, kind, status, author, input, cursor, pages, items, done, total, counts, coalesce(reason, '') AS reason, created_at,
	coalesce(ended_at, 0) AS ended_at`
	Distribution = `id, coalesce(workflow, 0) AS workflow, CASE WHEN workflow IS NULL THEN run ELSE 0 END AS run, step, survey, channel, status,
	created_at, coalesce(ended_at, 0) AS ended_at`
	Invitation = `id, distribution, run, coalesce(step, '') AS step, contact, token, status, coalesce(reason, '') AS reason, snapshot, created_at,
	coalesce(sent_at, 0) AS sent_at, coalesce(opened_at, 0) AS opened_at, opens, coalesce(started_at, 0) AS started_at,
	coalesce(finished_at, 0) AS finished_at, coalesce(expires_at, 0) AS expires_at, coalesce(response, '') AS response`
)
