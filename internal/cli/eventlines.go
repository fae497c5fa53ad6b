package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// maxLine bounds a line, in bytes.
const maxLine = 16 << 20

// eventReader reads the events of a file of JSON lines. A line is an event, or an
// object whose "event" is one. Events stay as they are written, but one without a
// messageId gets one, so that sending it again after a lost answer does not make
// two of it.
type eventReader struct {
	in   *bufio.Reader
	line int
	// names the messages that have no id
	prefix string
}

// lineError is about one line; the next can be read.
type lineError struct {
	line int
	err  error
}

func (e lineError) Error() string { return fmt.Sprintf("line %d: %v", e.line, e.err) }

func (e lineError) Unwrap() error { return e.err }

func newEventReader(in io.Reader, prefix string) *eventReader {
	return &eventReader{in: bufio.NewReaderSize(in, 256<<10), prefix: prefix}
}

// next is the next event; io.EOF ends. A lineError leaves one out.
func (r *eventReader) next() ([]byte, error) {
	for {
		line, err := r.readLine()
		if err != nil {
			return nil, err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		event, err := r.event(line)
		if err != nil {
			return nil, lineError{r.line, err}
		}
		return event, nil
	}
}

// readLine is the next line; what is over the limit is read and dropped.
func (r *eventReader) readLine() ([]byte, error) {
	var line []byte
	tooLong := false
	r.line++
	for {
		part, err := r.in.ReadSlice('\n')
		if tooLong = tooLong || len(line)+len(part) > maxLine; !tooLong {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && (!errors.Is(err, io.EOF) || len(line) == 0 && !tooLong):
			return nil, err
		case tooLong:
			return nil, lineError{r.line, fmt.Errorf("over %d MB", maxLine>>20)}
		}
		return line, nil
	}
}

// event is the event of a line.
func (r *eventReader) event(line []byte) ([]byte, error) {
	text := bytes.TrimSpace(line)
	inner, err := member(text, `"event"`)
	if err != nil {
		return nil, err
	}
	if len(inner) > 0 && inner[0] == '{' {
		text = inner
	}
	message, err := member(text, `"messageId"`)
	if err != nil {
		return nil, err
	}
	switch string(message) {
	case "", "null", `""`:
	default:
		return text, nil
	}
	// At the end: of equal keys the last counts.
	open := text[:len(text)-1]
	out := make([]byte, 0, len(text)+64)
	out = append(out, open...)
	if len(bytes.TrimSpace(open)) > 1 {
		out = append(out, ',')
	}
	return fmt.Appendf(out, `"messageId":"%s-%d"}`, r.prefix, r.line), nil
}

// member is the value of a key as it is written, nil when it is not there.
func member(object []byte, quotedKey string) (found []byte, err error) {
	err = jsonvalue.Members(object, func(key, value []byte) error {
		if string(key) == quotedKey {
			found = value
		}
		return nil
	})
	return found, err
}
