package wire

// Transaction is one interaction of a contact. Written ones go by a key of the
// caller's choice each.
type Transaction struct {
	ID            string `json:"transactionId,omitempty"` // CTR_…; of what is read
	ContactID     string `json:"contactId"`
	MailingListID string `json:"mailingListId"`
	Data          Values `json:"data"` // texts when it is read
	Date          Date   `json:"transactionDate"`
}

// Written is what became of transactions, by their keys.
type Written struct {
	Created     map[string]Created     `json:"createdTransactions"`
	Unprocessed map[string]Unprocessed `json:"unprocessedTransactions"`
}

// Unprocessed is why one transaction of several was not taken.
type Unprocessed struct {
	Code    Text `json:"error"`
	Message Text `json:"errorMessage"`
}
