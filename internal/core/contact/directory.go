package contact

import "github.com/segue-xm/segue/internal/core/id"

// Directory says where contacts are and how their phone numbers are read.
type Directory struct {
	ID          id.ID
	PhoneRegion string
}

// ForStep is a contact's upsert by a step of a run.
type ForStep struct {
	Run   id.ID
	Step  string // its path
	Input *Input
	Mode  string
	List  id.ID // mailing list to put the contact on; 0 = none
}
