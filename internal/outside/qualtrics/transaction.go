package qualtrics

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"time"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// dateLayout is how contacts and transactions write a time, in UTC.
const dateLayout = "2006-01-02 15:04:05"

// Transaction is one interaction of a contact.
type Transaction struct {
	ID            string // CTR_…; only of what was read
	ContactID     string
	MailingListID string
	Date          time.Time         // seconds; sent in UTC
	Data          *jsonvalue.Object // texts, numbers and booleans; others are sent as their JSON text, null is left out
}

// keyLetters are what a transaction's key is made of.
const keyLetters = "abcdefghijklmnopqrstuvwxyz123456789"

const keyLength = 16

// TransactionKey is the key by which a transaction is known in its request: 16
// of a-z and 1-9, always the same for the same parts.
func TransactionKey(parts ...string) string {
	h := sha256.New()
	var size [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(size[:], uint64(len(p)))
		h.Write(size[:])
		h.Write([]byte(p))
	}
	sum := h.Sum(nil)
	key := make([]byte, keyLength)
	for i := range key {
		// Two bytes a letter, so that no letter is noticeably likelier.
		key[i] = keyLetters[int(binary.BigEndian.Uint16(sum[2*i:]))%len(keyLetters)]
	}
	return string(key)
}

// transactionData is data as it is sent.
func transactionData(data *jsonvalue.Object) *jsonvalue.Object {
	out := jsonvalue.NewObject(data.Len())
	for k, v := range data.All() {
		switch v.(type) {
		case string, float64, bool:
			out.Set(k, v)
		case *jsonvalue.Object, []any:
			out.Set(k, jsonvalue.Text(v))
		}
	}
	return out
}

// Refused is why one transaction of several was not taken.
type Refused struct {
	Code    string
	Message string
}

// Transactions is what became of transactions, by key. A key in neither map was
// taken without a word.
type Transactions struct {
	Created     map[string]string // key to id
	Unprocessed map[string]Refused
	RequestID   string
}

// CreateTransactions writes transactions, known by keys of the caller's choice
// that must be the same when they are sent again. The account does not know a key
// again: sending twice writes twice. Some may be refused while others are taken:
// read Unprocessed.
func (c *Client) CreateTransactions(ctx context.Context, directory string, byKey map[string]Transaction) (Transactions, error) {
	do, err := c.api("create transaction", http.MethodPost, TransactionWrites, "/directories/{}/transactions", directory)
	if err != nil {
		return Transactions{}, fieldOf("directoryId", err)
	}
	body := jsonvalue.NewObject(len(byKey))
	for key, t := range byKey {
		body.Set(key, object(
			"contactId", t.ContactID, "mailingListId", t.MailingListID,
			"data", transactionData(t.Data), "transactionDate", t.Date.UTC().Format(dateLayout)))
	}
	do.body, do.write = body, true
	a, err := c.do(ctx, do)
	if err != nil {
		return Transactions{}, err
	}
	out := Transactions{Created: map[string]string{}, Unprocessed: map[string]Refused{}, RequestID: a.requestID}
	created, _ := a.result().Get("createdTransactions").(*jsonvalue.Object)
	for key, v := range created.All() {
		o, _ := v.(*jsonvalue.Object)
		out.Created[key] = textAt(o, "id")
	}
	unprocessed, _ := a.result().Get("unprocessedTransactions").(*jsonvalue.Object)
	for key, v := range unprocessed.All() {
		o, _ := v.(*jsonvalue.Object)
		out.Unprocessed[key] = Refused{Code: c.clean(textAt(o, "error")), Message: c.clean(textAt(o, "errorMessage"))}
	}
	return out, nil
}

// ContactTransactions gives a contact's transactions to each until it returns
// false. Values of Data are texts, as the account keeps them.
func (c *Client) ContactTransactions(ctx context.Context, directory, contact string, each func(Transaction) bool) error {
	do, err := c.api("list a contact's transactions", http.MethodGet, Reads, "/directories/{}/contacts/{}/transactions", directory, contact)
	if err != nil {
		return err
	}
	return c.pages(ctx, do, func(o *jsonvalue.Object) bool {
		t := Transaction{ID: textAt(o, "transactionId"), ContactID: textAt(o, "contactId"), MailingListID: textAt(o, "mailingListId")}
		t.Date, _ = readDate(textAt(o, "transactionDate"))
		t.Data, _ = o.Get("data").(*jsonvalue.Object)
		return each(t)
	})
}

// readDate reads a date as the API writes it, in either of its ways.
func readDate(s string) (time.Time, bool) {
	for _, layout := range []string{dateLayout, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
