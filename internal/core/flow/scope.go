package flow

import "github.com/segue-xm/segue/internal/core/jsonvalue"

// Scope is what conditions and templates can read. Each part is a value as
// package jsonvalue describes it; nil is "not there". Conditions see Fields,
// Contact, Event and Steps; templates see all.
type Scope struct {
	// Fields are the run's typed fields: Fields.Object.
	Fields any
	// Contact is whom the run is about: id, ext_ref, email, phone, first_name,
	// last_name, language, unsubscribed, embedded_data. Nil while nobody is known.
	Contact any
	// Event is the event that started the run, as it came in.
	Event any
	// Steps holds for each step that ran what it left: steps.<id>.<value>.
	Steps any
	// Transaction is the transaction a message is about.
	Transaction any
	// Link is the personal link of a message: url, token, opt_out_url.
	Link any
}

// present turns what templates and conditions treat alike into nil.
func present(v any) any {
	if o, ok := v.(*jsonvalue.Object); jsonvalue.IsNil(v) || (ok && o == nil) {
		return nil
	}
	return v
}
