package wire

// User is whom a token belongs to.
type User struct {
	BrandID    string `json:"brandId"`
	UserID     string `json:"userId"`
	UserName   string `json:"userName"`
	Datacenter string `json:"datacenter"`
}

// Directory is one of an account's directories.
type Directory struct {
	ID      string `json:"directoryId"` // POOL_…
	Name    string `json:"name"`
	Default bool   `json:"isDefault"`
}

// Contact is a contact as it is written, where what is not said stays as it is.
type Contact struct {
	FirstName    string `json:"firstName,omitempty"`
	LastName     string `json:"lastName,omitempty"`
	Phone        string `json:"phone,omitempty"`
	Email        string `json:"email,omitempty"`
	ExtRef       string `json:"extRef,omitempty"`
	Unsubscribed *bool  `json:"unsubscribed,omitempty"`
	Language     string `json:"language,omitempty"`
	EmbeddedData Values `json:"embeddedData,omitzero"`
}

// ContactRead is a contact as it is read by its id.
type ContactRead struct {
	ID     string            `json:"contactId"` // CID_…
	ExtRef string            `json:"extRef,omitempty"`
	Lists  map[string]Member `json:"mailingListMembership"` // by the lists' ids
}

// Member is a contact as one of its mailing lists has it.
type Member struct {
	LookupID     string `json:"contactLookupId"` // CGC_…
	Unsubscribed bool   `json:"unsubscribed"`
}

// Enlisted is the result of putting somebody on a mailing list.
type Enlisted struct {
	ID       string `json:"id"`
	LookupID string `json:"contactLookupId"`
}

// Search asks for contacts.
type Search struct {
	Filter Filter `json:"filter"`
}

// Filter is one criterion or several that must all hold.
type Filter struct {
	Field      string `json:"filterType,omitempty"` // extRef, phone, email, firstName, lastName or language
	Comparison string `json:"comparison,omitempty"`
	Value      string `json:"value,omitempty"`

	Conjunction string   `json:"conjunction,omitempty"`
	Filters     []Filter `json:"filters,omitempty"` // 2 to MaxFilters
}

// The words of filters.
const (
	Equal = "eq"
	And   = "and"
)

// MaxFilters is how many criteria a search takes.
const MaxFilters = 5

// Found is a contact that a search found. Its names are not those of Contact.
type Found struct {
	ID           string `json:"id"`
	FirstName    string `json:"firstName"`
	LastName     string `json:"lastName"`
	Email        string `json:"email"`
	Phone        Text   `json:"phoneNumber"`
	ExtRef       Text   `json:"externalDataReference"`
	Language     string `json:"language"`
	Unsubscribed *bool  `json:"unsubscribed,omitempty"`
	EmbeddedData Values `json:"embeddedData,omitzero"` // when it is asked for
}
