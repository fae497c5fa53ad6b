package console

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/job"
	"github.com/segue-xm/segue/internal/core/replay"
	"github.com/segue-xm/segue/internal/ops"
)

var jobID = idAt(10*time.Minute, 7)

func (f fakeJobs) theJob() ops.Job {
	j := ops.Job{
		ID: jobID, Kind: job.Replay, Status: job.Running, Author: "api", Done: 48_120, Total: ptr(int64(100_000)), StartedAt: jobID.Time(), TemporalURL: "/namespaces/default/workflows/job",
		Counts: map[string]int{"events": 9120, "unmatched": 8000, "new": 700, "again": 12, "differs": 300, "done": 90, "gone": 2, "waiting": 3, "invalid": 13},
		Replay: &ops.ReplayInput{Filter: ops.ReplayFilter{Source: "web", Mapping: "keep-contacts-current", Type: "identify", Event: "x", Since: ptr(at(48 * time.Hour)), Until: ptr(at(time.Hour))}, DryRun: false, Force: true},
		Reason: "database", Report: &ops.JobReport{Rows: 1000, Items: f.theItems(), Next: "older", Deliveries: map[delivery.Status]int{"done": 690, "rejected": 20, "pending": 2}},
	}
	if f.jobStatus != "" {
		j.Status = f.jobStatus
	}
	if j.Status.Ended() {
		j.EndedAt = ptr(testNow)
	}
	return j
}

func (f fakeJobs) theItems() (items []ops.JobItem) {
	for i, o := range replay.Outcomes() {
		item := ops.JobItem{N: int64(i + 1), Event: eventID, Mapping: "keep-contacts-current", Outcome: string(o), Status: delivery.Done}
		if o.Writes() {
			item.Status, item.Now, item.NowReason = delivery.Pending, delivery.Rejected, "email: <b>missing</b>"
		}
		if o == replay.Differs {
			item.Differs = []string{"firstName", "embeddedData"}
		}
		items = append(items, item)
	}
	return items
}

func (f fakeJobs) List(_ context.Context, filter ops.JobFilter, _ ops.Paging) (ops.Page[ops.Job], error) {
	all := []ops.Job{f.theJob()}
	for i, s := range job.Statuses() {
		j := ops.Job{ID: idAt(time.Duration(i+2)*time.Hour, 7), Kind: job.Replay, Status: s, Author: "console", Done: int64(i * 1000), StartedAt: at(time.Duration(i+2) * time.Hour),
			Replay: &ops.ReplayInput{Filter: ops.ReplayFilter{IDs: []string{"x"}}, DryRun: true}}
		if s.Ended() {
			j.EndedAt, j.Total = ptr(at(time.Hour)), ptr(j.Done)
		}
		all = append(all, j)
	}
	return page(f.fake, all)
}

func (f fakeJobs) Get(_ context.Context, v id.ID) (ops.Job, error) {
	if f.empty {
		return ops.Job{ID: v, Kind: job.Replay}, f.err
	}
	return f.theJob(), f.err
}

func (f fakeJobs) Items(_ context.Context, _ id.ID, filter ops.JobItemFilter, _ ops.Paging) (ops.Page[ops.JobItem], error) {
	var items []ops.JobItem
	for _, i := range f.theItems() {
		if filter.Outcome == "" || filter.Outcome == i.Outcome {
			items = append(items, i)
		}
	}
	return page(f.fake, items)
}

func (f fakeJobs) change(to job.Status) (ops.Job, error) {
	f.jobStatus = to
	return f.theJob(), f.err
}

func (f fakeJobs) Pause(context.Context, id.ID) (ops.Job, error)  { return f.change(job.Paused) }
func (f fakeJobs) Resume(context.Context, id.ID) (ops.Job, error) { return f.change(job.Running) }
func (f fakeJobs) Cancel(context.Context, id.ID) (ops.Job, error) { return f.change(job.Cancelled) }

func (f fakeJobs) Process(_ context.Context, _ id.ID, in ops.ProcessInput, by string) (ops.Job, error) {
	if by != "console" {
		return ops.Job{}, fmt.Errorf("asked by %s", by)
	}
	f.processed = append(f.processed, in)
	return f.theJob(), f.err
}

func TestEvent_ProcessedAgain_LeadsToTheJob(t *testing.T) {
	t.Parallel()
	b := signedIn(t, &fake{})
	at := "/events/" + eventID.String()
	require.Equal(t, http.StatusForbidden, b.do(http.MethodPost, at+"/process", url.Values{}).StatusCode, "without the token")
	for _, form := range []url.Values{{"dry_run": {"1"}}, {}} {
		a := b.post(at, at+"/process", form)
		require.Equal(t, http.StatusSeeOther, a.StatusCode)
		require.Equal(t, "/jobs/"+jobID.String(), a.Header.Get("Location"))
	}
	require.Equal(t, []ops.ProcessInput{{DryRun: true}, {}}, b.fake.processed)
}

func TestJob_ShowsHowFarItIsAndWhatItReports(t *testing.T) {
	t.Parallel()
	body := signedIn(t, &fake{}).get("/jobs/" + jobID.String()).body
	for _, text := range []string{"Replay, by force", "48,120 of 100,000 events looked at", `width="481" height="10"`, "keep-contacts-current", "<code>firstName</code>", "email: &lt;b&gt;missing",
		"9,120", `aria-label="differs"`, "The page is tried again:", `href="/events/` + eventID.String(), `/pause"`, `/cancel"`} {
		require.Contains(t, body, text)
	}
	require.NotContains(t, body, `/resume"`)
	rows := signedIn(t, &fake{}).get("/jobs/" + jobID.String() + "?outcome=differs").body
	require.NotContains(t, rows, "email: &lt;b&gt;missing", "only rows of this outcome")
	require.Contains(t, rows, "cursor=older&amp;outcome=differs")
}

func TestJob_PausedResumedCancelled_LeadBackToThePage(t *testing.T) {
	t.Parallel()
	b := signedIn(t, &fake{})
	at := "/jobs/" + jobID.String()
	for _, c := range []struct {
		do   string
		want job.Status
	}{{"pause", job.Paused}, {"resume", job.Running}, {"cancel", job.Cancelled}} {
		require.Equal(t, http.StatusForbidden, b.do(http.MethodPost, at+"/"+c.do, url.Values{}).StatusCode, "without the token")
		require.NotEqual(t, c.want, fmt.Sprint(b.fake.jobStatus))
		a := b.post(at, at+"/"+c.do, url.Values{})
		require.Equal(t, http.StatusSeeOther, a.StatusCode)
		require.Equal(t, at, a.Header.Get("Location"))
		require.Equal(t, c.want, b.fake.jobStatus)
	}
	body := b.get(at).body
	for _, do := range []string{"pause", "resume", "cancel"} {
		require.NotContains(t, body, at+"/"+do, "it has ended")
	}
}

func TestRun_ThatRepeatsAndIsRepeated_LeadsToBoth(t *testing.T) {
	t.Parallel()
	b := signedIn(t, &fake{})
	body := b.get("/runs/" + runID.String()).body
	require.Contains(t, body, `href="/runs/`+idAt(3*time.Hour, 3).String())
	require.Contains(t, body, `href="/runs/`+idAt(time.Minute, 9).String())
	require.Contains(t, body, `href="/jobs/`+jobID.String())
	require.Contains(t, b.get("/events/"+eventID.String()).body, `href="/jobs/`+jobID.String())
}
