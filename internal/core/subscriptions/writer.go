package subscriptions

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
)

// writer collects mappings and their comments as YAML.
type writer struct {
	options Options
	names   map[string]bool
	body    strings.Builder
	out     Result
}

func (w *writer) add(s subscription) {
	name := w.name(s)
	m, notes, trouble := convert(s, name, w.options)
	if trouble != "" {
		w.skip(s, notes, trouble)
		return
	}
	w.names[name] = true
	if name != s.name && s.name != "" {
		notes = append(remarks{{text: "at Segment: " + s.name}}, notes...)
	}
	for _, n := range notes {
		w.comment(n.text)
		w.out.Notes = append(w.out.Notes, Note{At: s.at, Name: name, Message: n.text, Filter: n.filter})
	}
	w.body.WriteString(item(m))
	w.out.Mappings = append(w.out.Mappings, m)
}

// skip writes a subscription that cannot be taken over as a comment.
func (w *writer) skip(s subscription, notes remarks, trouble string) {
	w.out.Skipped++
	title := s.name
	if title == "" {
		title = "a subscription without a name"
	}
	w.comment(fmt.Sprintf("%s (%s): left out. %s", title, s.at, trouble))
	w.out.Notes = append(w.out.Notes, Note{At: s.at, Name: s.name, Message: trouble, Skipped: true})
	for _, n := range notes {
		w.comment(n.text)
		w.out.Notes = append(w.out.Notes, Note{At: s.at, Name: s.name, Message: n.text, Filter: n.filter, Skipped: true})
	}
	if s.slug != "" {
		w.comment("  action: " + s.slug)
	}
	if s.trigger != "" {
		w.comment("  trigger: " + s.trigger)
	}
	if s.mapping != nil {
		w.comment("  mapping: " + jsonvalue.Text(s.mapping))
	}
}

// comment writes a text as one comment line.
func (w *writer) comment(text string) {
	// What is no blank in YAML may still end a line there, or be no character at all.
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	w.body.WriteString("  # " + strings.TrimRight(text, " ") + "\n")
}

// item is a mapping as an item of a list, in the plan's own way of writing.
func item(m plan.Mapping) string {
	text := string(plan.Export(&plan.Plan{Version: 1, Mappings: []plan.Mapping{m}}))
	_, text, _ = strings.Cut(text, "mappings:\n")
	return text
}

func (w *writer) result() Result {
	var b strings.Builder
	fmt.Fprintf(&b, "# Taken over from Segment: %d of %d subscriptions.\n", len(w.out.Mappings), len(w.out.Mappings)+w.out.Skipped)
	for _, n := range w.out.Notes {
		if n.At == "" {
			fmt.Fprintf(&b, "# Note: %s.\n", n.Message)
		}
	}
	b.WriteString("# A field that is not named keeps the action's default, null removes it.\n")
	if w.options.Whole {
		b.WriteString(w.around())
	} else {
		b.WriteString("version: 1\n")
	}
	if len(w.out.Mappings) == 0 {
		b.WriteString("mappings: []\n")
	} else {
		b.WriteString("mappings:\n")
	}
	b.WriteString(w.body.String())
	out := w.out
	out.YAML = b.String()
	return out
}

// around is the plan that the mappings go into, up to them.
func (w *writer) around() string {
	o := w.options
	p := plan.Plan{Version: 1, Sources: []plan.Source{{
		Name: o.Source, WriteKeys: []plan.Secret{"${SEGMENT_WRITE_KEY}"}, WebhookSecrets: []plan.Secret{"${SEGMENT_WEBHOOK_SECRET}"},
	}}}
	if !o.BuiltIn {
		p.Destinations = []plan.Destination{{
			Name: o.Destination, Type: plan.TypeQualtrics, Datacenter: "iad1", APIToken: "${QUALTRICS_API_TOKEN}", Enabled: new(bool),
		}}
		return "# Deliveries are held until the destination has enabled: true. Switch off Segment's own\n" +
			"# first, or both write. datacenter and API token: Account settings, Qualtrics IDs.\n" +
			string(plan.Export(&p))
	}
	p.Directories = []plan.Directory{{Name: directoryName, MailingLists: []string{"everyone"}}}
	p.Destinations = []plan.Destination{{Name: o.Destination, Type: plan.TypeDirectory, Directory: directoryName}}
	for _, m := range w.out.Mappings {
		if m.Workflow != "" && !slices.ContainsFunc(p.Workflows, func(f plan.Workflow) bool { return f.Name == m.Workflow }) {
			p.Workflows = append(p.Workflows, plan.Workflow{Name: m.Workflow})
		}
	}
	return string(plan.Export(&p))
}

// directoryName is what a whole plan calls its directory.
const directoryName = "customers"

const maxName = 80 // of a plan's 100, to leave room for a number

// name is a name for a mapping: the subscription's with only the letters that
// names have, or its action's; a number is added when it is taken.
func (w *writer) name(s subscription) string {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) || strings.ContainsRune("._-", r) {
			return r
		}
		return ' '
	}, s.name)
	clean = strings.TrimLeftFunc(clean, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
	runes := []rune(strings.Join(strings.Fields(clean), " "))
	name := strings.TrimRight(string(runes[:min(len(runes), maxName)]), " ")
	if name == "" {
		if name = actions[s.slug]; name == "" {
			name = "mapping"
		}
	}
	unique := name
	for i := 2; w.names[unique]; i++ {
		unique = fmt.Sprintf("%s %d", name, i)
	}
	return unique
}
