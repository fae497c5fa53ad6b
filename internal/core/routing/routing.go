// Package routing is a plan made ready to run: for each source the mappings that
// may want an event, with their filters and fields compiled. A Table belongs to
// one revision and never changes, so that an event is judged the same way however
// often it is asked.
package routing

import (
	"fmt"

	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/fql"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/core/plan"
)

// Names gives the id of a named thing of the plan, 0 when it has none.
type Names func(kind plan.Kind, name string) id.ID

// URLSource is the name of the source, and of the mapping, that stands for a
// workflow's own URL.
func URLSource(workflow string) string { return "workflow:" + workflow }

// Table is one revision, compiled. Safe for concurrent use.
type Table struct {
	Revision int64
	Plan     *plan.Plan

	sources      map[id.ID]*Source
	mappings     map[id.ID]*Mapping
	destinations map[id.ID]*Destination
	directories  map[id.ID]*Directory
	workflows    map[id.ID]*plan.Workflow
	ids          Names
}

// Source is where events come from, with who is interested in them.
type Source struct {
	ID       id.ID
	Name     string
	Mappings []*Mapping

	index index
}

// Mapping is one mapping, compiled.
type Mapping struct {
	ID          id.ID
	Name        string
	Def         plan.Mapping
	Source      id.ID
	Destination *Destination
	Filter      *fql.Filter            // nil: every event
	Fields      *mapping.ActionMapping // nil for a workflow's own URL: the body itself
	Workflow    id.ID                  // for start_workflow into the built-in directory

	conditions int // of the filter
}

// Destination is where deliveries go.
type Destination struct {
	ID        id.ID
	Def       plan.Destination
	Directory *Directory // nil for a remote one
}

// Off says why nothing goes to a destination for now; "" when it does. One that is
// not in the plan any more, nil, is not off: its deliveries are rejected.
func (d *Destination) Off(paused bool) string {
	switch {
	case d == nil:
		return ""
	case !d.Def.IsEnabled():
		return "the destination is switched off"
	case paused:
		return "the destination is paused"
	}
	return ""
}

// Directory is a built-in directory with its mailing lists.
type Directory struct {
	ID          id.ID
	Def         plan.Directory
	DefaultList id.ID
	lists       map[string]id.ID
}

// List is the id of a mailing list by name or id text; "" is the default list. 0:
// there is none.
func (d *Directory) List(nameOrID string) id.ID {
	if nameOrID == "" {
		return d.DefaultList
	}
	return d.lists[nameOrID]
}

// Compile makes a plan ready. The plan must be valid; an error says what is not.
func Compile(revision int64, p *plan.Plan, ids Names) (*Table, error) {
	t := &Table{
		Revision: revision, Plan: p, ids: ids,
		sources: map[id.ID]*Source{}, mappings: map[id.ID]*Mapping{}, destinations: map[id.ID]*Destination{},
		directories: map[id.ID]*Directory{}, workflows: map[id.ID]*plan.Workflow{},
	}
	for i := range p.Directories {
		t.addDirectory(p.Directories[i])
	}
	for i := range p.Destinations {
		d := p.Destinations[i]
		dest := &Destination{ID: ids(plan.KindDestination, d.Name), Def: d}
		if d.Type == plan.TypeDirectory {
			dest.Directory = t.directories[ids(plan.KindDirectory, d.Directory)]
		}
		t.destinations[dest.ID] = dest
	}
	for i := range p.Sources {
		t.source(p.Sources[i].Name)
	}
	for i := range p.Mappings {
		if err := t.addMapping(p.Mappings[i]); err != nil {
			return nil, fmt.Errorf("mapping %s: %w", p.Mappings[i].Name, err)
		}
	}
	for i := range p.Workflows {
		t.addWorkflow(&p.Workflows[i])
	}
	for _, s := range t.sources {
		s.index = newIndex(s.Mappings)
	}
	return t, nil
}

func (t *Table) addDirectory(def plan.Directory) {
	d := &Directory{ID: t.ids(plan.KindDirectory, def.Name), Def: def, lists: map[string]id.ID{}}
	for i, name := range def.MailingLists {
		list := t.ids(plan.KindList, def.Name+"/"+name)
		d.lists[name], d.lists[list.String()] = list, list
		if i == 0 {
			d.DefaultList = list
		}
	}
	t.directories[d.ID] = d
}

func (t *Table) source(name string) *Source {
	sid := t.ids(plan.KindSource, name)
	s := t.sources[sid]
	if s == nil {
		s = &Source{ID: sid, Name: name}
		t.sources[sid] = s
	}
	return s
}

func (t *Table) addMapping(def plan.Mapping) error {
	m := &Mapping{ID: t.ids(plan.KindMapping, def.Name), Name: def.Name, Def: def, Destination: t.destinations[t.ids(plan.KindDestination, def.Destination)]}
	when := mapping.DefaultFilter(def.Action)
	if def.When != nil {
		when = *def.When
	}
	var err error
	if when != "" {
		if m.Filter, err = fql.Compile(when); err != nil {
			return fmt.Errorf("when: %w", err)
		}
		m.conditions = m.Filter.Conditions()
	}
	builtIn := m.Destination != nil && m.Destination.Directory != nil
	if m.Fields, err = mapping.ForAction(def.Action, def.Fields, builtIn); err != nil {
		return fmt.Errorf("fields: %w", err)
	}
	if def.Workflow != "" {
		m.Workflow = t.ids(plan.KindWorkflow, def.Workflow)
	}
	t.add(def.Source, m)
	return nil
}

// addWorkflow adds the source and the mapping that stand for its own URL.
func (t *Table) addWorkflow(w *plan.Workflow) {
	wid := t.ids(plan.KindWorkflow, w.Name)
	t.workflows[wid] = w
	name := URLSource(w.Name)
	t.add(name, &Mapping{
		ID: t.ids(plan.KindMapping, name), Name: name, Workflow: wid,
		Def:         plan.Mapping{Name: name, Source: name, Action: plan.StartWorkflow, Workflow: w.Name, Enabled: w.Enabled},
		Destination: t.home(),
	})
}

// home is the built-in destination that a workflow's own URL works with: the one
// of the default directory, else the first there is.
func (t *Table) home() *Destination {
	var first *Destination
	for _, d := range t.Plan.Destinations {
		dest := t.destinations[t.ids(plan.KindDestination, d.Name)]
		if dest.Directory == nil {
			continue
		}
		if dest.Directory.Def.Default {
			return dest
		}
		if first == nil {
			first = dest
		}
	}
	return first
}

func (t *Table) add(source string, m *Mapping) {
	s := t.source(source)
	m.Source = s.ID
	s.Mappings = append(s.Mappings, m)
	t.mappings[m.ID] = m
}

// Match is a mapping that wants an event, or could not say.
type Match struct {
	*Mapping
	Err error // judging the filter failed: the event does not pass, and this is why
}

// Route lists the mappings that want an event, in plan order.
func (t *Table) Route(source id.ID, event *jsonvalue.Object) []Match {
	s := t.sources[source]
	if s == nil {
		return nil
	}
	var out []Match
	var work filterWork
	for i := range s.index.candidates(event) {
		m := s.Mappings[i]
		err, ok := work.add(m, event), false
		if err == nil {
			ok, err = m.passes(event)
		}
		if (ok || err != nil) && m.Off(event) == "" {
			out = append(out, Match{m, err})
		}
	}
	return out
}

// passes judges the filter. A panic is the event's own failure: the others of its
// batch are judged all the same.
func (m *Mapping) passes(event *jsonvalue.Object) (ok bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			ok, err = false, fault.New(fault.Internal, "judging the filter panicked: %v", p)
		}
	}()
	if m.Filter == nil {
		return true, nil
	}
	return m.Filter.Match(event)
}

// Off says why a mapping is not even asked about an event: it is switched off, or
// the event's integrations leave its destination out. "" means that it is asked.
func (m *Mapping) Off(event *jsonvalue.Object) string {
	switch {
	case !m.Def.IsEnabled():
		return "switched off"
	case m.Destination == nil:
		return "has no destination"
	case !Integrated(event, m.Destination.Def):
		return "left out by the event's integrations"
	}
	return ""
}

// Integrated reports whether an event's integrations let it go to a destination:
// by its name in the plan, or Qualtrics for one of that type, else by All, which is
// true when missing. An object of options counts as on. (Segment, integrations
// object.)
func Integrated(event *jsonvalue.Object, d plan.Destination) bool {
	list, ok := event.Get("integrations").(*jsonvalue.Object)
	if !ok {
		return true
	}
	names := []string{d.Name}
	if d.Type == plan.TypeQualtrics {
		names = append(names, "Qualtrics")
	}
	for _, n := range append(names, "All") {
		switch v := list.Get(n).(type) {
		case bool:
			return v
		case *jsonvalue.Object:
			return true
		}
	}
	return true
}

// Mappings are a source's mappings in plan order.
func (t *Table) Mappings(source id.ID) []*Mapping {
	if s := t.sources[source]; s != nil {
		return s.Mappings
	}
	return nil
}

// Mapping is a mapping by id, or nil.
func (t *Table) Mapping(m id.ID) *Mapping { return t.mappings[m] }

// Pinned is the mapping of a delivery as its event's revision, this one, has it. That
// it is not there only a damaged row can claim: Invalid.
func (t *Table) Pinned(m id.ID) (*Mapping, error) {
	if m := t.mappings[m]; m != nil {
		return m, nil
	}
	return nil, fault.New(fault.Invalid, "its mapping is not in revision %d", t.Revision)
}

// Destination is a destination by id, or nil.
func (t *Table) Destination(d id.ID) *Destination { return t.destinations[d] }

// Destinations are all destinations, in plan order.
func (t *Table) Destinations() []*Destination {
	out := make([]*Destination, 0, len(t.Plan.Destinations))
	for _, d := range t.Plan.Destinations {
		out = append(out, t.destinations[t.ids(plan.KindDestination, d.Name)])
	}
	return out
}

// Directory is a directory by id, or nil.
func (t *Table) Directory(d id.ID) *Directory { return t.directories[d] }

// Frequency is a directory's frequency rule; the zero Window when it has none, or is
// not there.
func (t *Table) Frequency(directory id.ID) distribution.Window {
	d := t.directories[directory]
	if d == nil || d.Def.Frequency == nil {
		return distribution.Window{}
	}
	w := d.Def.Frequency.PerContact
	return distribution.Window{Messages: w.Messages, Per: w.Per.Std()}
}

// DirectoryNamed is a directory by name; "" is the default one, or the only one.
// Nil when there is none.
func (t *Table) DirectoryNamed(name string) *Directory {
	for _, d := range t.Plan.Directories {
		if d.Name == name || name == "" && (d.Default || len(t.Plan.Directories) == 1) {
			return t.directories[t.ids(plan.KindDirectory, d.Name)]
		}
	}
	return nil
}

// Workflow is a workflow's definition in this revision, or nil.
func (t *Table) Workflow(w id.ID) *plan.Workflow { return t.workflows[w] }

// Survey is a survey by name, or nil.
func (t *Table) Survey(name string) *plan.Survey {
	for i := range t.Plan.Surveys {
		if t.Plan.Surveys[i].Name == name {
			return &t.Plan.Surveys[i]
		}
	}
	return nil
}
