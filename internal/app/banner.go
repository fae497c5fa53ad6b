package app

import "fmt"

// banner tells a person who started everything where to go and what to try.
func (p *process) banner() {
	a := p.addresses
	w := p.o.Out
	_, _ = fmt.Fprintf(w, `Segue is running.

  console       %s
  sign-in       %s
  API           %s/api   (the same token as bearer)
  Temporal UI   %s
  data          %s
`, a.HTTP, a.AdminToken, a.HTTP, a.TemporalUI, p.o.DataDir)
	if a.WriteKey == "" {
		return
	}
	_, _ = fmt.Fprintf(w, `  write key     %s

Try it: somebody finishes the onboarding tour.

  curl -s %s/v1/track -u %s: -H 'Content-Type: application/json' -d '{
    "userId": "u_42", "event": "Onboarding Tour Completed",
    "properties": {"steps_completed": 5, "skipped": false},
    "context": {"traits": {"email": "hana@example.com", "firstName": "Hana", "language": "ja"}}}'

Then look at %s/events and %s/outbox.
`, a.WriteKey, a.HTTP, a.WriteKey, a.HTTP, a.HTTP)
}
