package plan

// Kind is the kind of a thing that a plan names. Names are unique within a kind.
type Kind string

// The kinds of named things.
const (
	KindSource      Kind = "source"
	KindDirectory   Kind = "directory"
	KindList        Kind = "mailing_list" // named directory/list
	KindDestination Kind = "destination"
	KindMapping     Kind = "mapping"
	KindWorkflow    Kind = "workflow"
)

// Name is a name of the plan with what it names; whoever keeps plans gives it an id.
type Name struct {
	Kind Kind
	Name string
}
