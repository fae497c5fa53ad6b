package qualtrics

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"net/http"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/outside/qualtrics/wire"
)

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

// transactionData is data as it is sent: texts, numbers and booleans; objects and
// lists as their JSON text, and null is left out.
func transactionData(data wire.Values) wire.Values {
	out := jsonvalue.NewObject(data.Len())
	for k, v := range data.All() {
		switch v.(type) {
		case string, float64, bool:
			out.Set(k, v)
		case *jsonvalue.Object, []any:
			out.Set(k, jsonvalue.Text(v))
		}
	}
	return wire.Values{Object: out}
}

// Transactions is what became of transactions, by key. A key that is neither
// created nor unprocessed was taken without a word.
type Transactions struct {
	wire.Written
	RequestID string
}

// CreateTransactions writes transactions, known by keys of the caller's choice
// that must be the same when they are sent again. The account does not know a key
// again: sending twice writes twice. Some may be refused while others are taken:
// read Unprocessed.
func (c *Client) CreateTransactions(ctx context.Context, directory string, byKey map[string]wire.Transaction) (Transactions, error) {
	body := map[string]wire.Transaction{}
	for key, t := range byKey {
		t.Data = transactionData(t.Data)
		body[key] = t
	}
	do, err := c.api("create transaction", http.MethodPost, TransactionWrites, body, wire.PathTransactions, directory)
	if err != nil {
		return Transactions{}, fieldOf("directoryId", err)
	}
	do.write = true
	a, err := c.do(ctx, do)
	if err != nil {
		return Transactions{}, err
	}
	out := Transactions{result[wire.Written](a), a.requestID()}
	for key, no := range out.Unprocessed {
		out.Unprocessed[key] = wire.Unprocessed{Code: wire.Text(c.clean(string(no.Code))), Message: wire.Text(c.clean(string(no.Message)))}
	}
	return out, nil
}

// ContactTransactions gives a contact's transactions to each until it returns
// false. Values of Data are texts, as the account keeps them.
func (c *Client) ContactTransactions(ctx context.Context, directory, contact string, each func(wire.Transaction) bool) error {
	do, err := c.reading("list a contact's transactions", Reads, wire.PathContactTransactions, directory, contact)
	if err != nil {
		return err
	}
	return pages(ctx, c, do, each)
}
