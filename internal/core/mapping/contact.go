package mapping

import (
	"time"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/js"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Contact is what a payload says of a person. Empty texts are absent.
type Contact struct {
	DirectoryID  string
	ExtRef       string
	Email        string
	Phone        string
	FirstName    string
	LastName     string
	Language     string
	Unsubscribed *bool             // nil: not said
	EmbeddedData *jsonvalue.Object // nil: none; values of any kind, null included
}

// Transaction is what a payload says of a transaction and of the person it is
// about.
type Transaction struct {
	Contact
	ContactID     string
	MailingListID string
	Date          *time.Time        // in UTC; nil: not said
	Data          *jsonvalue.Object // nil: none; nested values are kept as values
}

// ContactOf reads a payload of upsert_contact, also one that was stored as JSON in
// between. A value of another type than its field's, which ActionMapping.Apply
// never makes, counts as absent.
func ContactOf(payload *jsonvalue.Object) Contact {
	c := Contact{
		DirectoryID: textOf(payload, "directoryId"),
		ExtRef:      textOf(payload, "extRef"),
		Email:       textOf(payload, "email"),
		Phone:       textOf(payload, "phone"),
		FirstName:   textOf(payload, "firstName"),
		LastName:    textOf(payload, "lastName"),
		Language:    textOf(payload, "language"),
	}
	if b, ok := payload.Get("unsubscribed").(bool); ok {
		c.Unsubscribed = &b
	}
	c.EmbeddedData, _ = payload.Get("embeddedData").(*jsonvalue.Object)
	return c
}

// TransactionOf reads a payload of upsert_transaction, as ContactOf does. A date
// that cannot be read is an Invalid error about transactionDate, never now.
func TransactionOf(payload *jsonvalue.Object) (Transaction, error) {
	t := Transaction{
		Contact:       ContactOf(payload),
		ContactID:     textOf(payload, "contactId"),
		MailingListID: textOf(payload, "mailingListId"),
	}
	t.Data, _ = payload.Get("transactionData").(*jsonvalue.Object)
	date := payload.Get("transactionDate")
	if jsonvalue.IsNil(date) || date == "" {
		return t, nil
	}
	at, reason := readTime(date)
	if reason != "" {
		return Transaction{}, fault.Field("transactionDate", "%s", reason)
	}
	t.Date = &at
	return t, nil
}

func textOf(o *jsonvalue.Object, key string) string {
	s, _ := o.Get(key).(string)
	return s
}

// readTime reads a datetime: a date as text, or a number of milliseconds since
// 1970. Text of digits alone is refused: it could be either, in several units.
func readTime(v any) (t time.Time, reason string) {
	ok := false
	switch v := v.(type) {
	case float64:
		if t, ok = js.MillisTime(v); !ok {
			return t, "is a number outside the range of dates in milliseconds"
		}
	case string:
		if js.AllDigits(js.Trim(v)) {
			return t, "is a text of digits: want a date such as 2026-01-02T03:04:05Z, or milliseconds since 1970 as a number"
		}
		if t, ok = js.ParseDate(v); !ok {
			return t, "is not a date: want one such as 2026-01-02T03:04:05Z"
		}
	default:
		return t, mustBe("date", v)
	}
	return t, ""
}
