// Package eval answers cases in JSON lines: what filters match, what mappings make,
// what templates write, what paths lead to. It needs no server, and asks the code that
// does it in production.
//
//	err := eval.Filters(os.Stdin, os.Stdout)
package eval

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// evaluate reads JSON lines and writes one line for each, in order, on all cores
// and in bounded memory. The input is cut into chunks as it comes: whole lines,
// as many as one read gives. So a pause of the input flushes what was there, and
// a person who types gets an answer to every line.

const (
	maxLine      = 16 << 20
	chunkSize    = 256 << 10
	chunksAhead  = 3       // per worker
	keepCapacity = 1 << 20 // a buffer that grew beyond it is not used again
)

// judge answers cases, for one goroutine.
type judge interface {
	// visitor is asked when a case's event comes, with what came before it on its
	// line: who sees the event's members while they are passed, or nil.
	visitor(c *evalCase) jsonvalue.Visitor
	// judge appends the answer, without a line's end. An error means that the line
	// is no JSON object.
	judge(dst []byte, c *evalCase) ([]byte, error)
}

// chunk is some lines on their way.
type chunk struct {
	text    []byte
	tooLong bool // stands for one line that was too long to keep
	answer  []byte
	bad     int // lines that are no JSON
	done    chan struct{}
}

func evaluate(in io.Reader, out io.Writer, newJudge func() judge) error {
	if os.Getenv("GOGC") == "" {
		defer debug.SetGCPercent(debug.SetGCPercent(200)) // short-lived values over a small heap; more costs as much in fresh memory
	}
	workers := runtime.GOMAXPROCS(0)
	jobs := make(chan *chunk)
	order := make(chan *chunk, workers*chunksAhead)
	stop := make(chan struct{})
	defer close(stop)
	var readErr error
	go func() {
		defer close(order)
		defer close(jobs)
		readErr = readChunks(in, func(c *chunk) bool {
			for _, to := range []chan *chunk{order, jobs} {
				select {
				case to <- c:
				case <-stop:
					return false
				}
			}
			return true
		})
	}()
	for range workers {
		go func() {
			e := evaluator{judge: newJudge()}
			for c := range jobs {
				e.answer(c)
				close(c.done)
			}
		}()
	}
	bad := 0
	for c := range order {
		<-c.done
		bad += c.bad
		if _, err := out.Write(c.answer); err != nil {
			return err
		}
		free(c.text)
		free(c.answer)
	}
	if readErr != nil {
		return fmt.Errorf("read the input: %w", readErr)
	}
	if bad > 0 {
		return fmt.Errorf("%s not JSON", countAre(bad))
	}
	return nil
}

func countAre(n int) string {
	if n == 1 {
		return "1 line is"
	}
	return fmt.Sprintf("%d lines are", n)
}

// readChunks cuts the input at line ends and hands the pieces to give, until it
// says no.
func readChunks(in io.Reader, give func(*chunk) bool) error {
	buf := newBuffer(0)
	skipping := false // within a line that is too long
	for {
		if len(buf) == cap(buf) {
			buf = append(make([]byte, 0, 2*cap(buf)), buf...)
		}
		n, err := in.Read(buf[len(buf):cap(buf)])
		fresh := buf[len(buf) : len(buf)+n]
		buf = buf[:len(buf)+n]
		end := bytes.LastIndexByte(fresh, '\n') + 1
		if skipping {
			if i := bytes.IndexByte(fresh, '\n'); i >= 0 {
				buf, end, skipping = buf[i+1:], end-i-1, false
			} else {
				buf, end = buf[:0], 0
			}
		} else if end > 0 {
			end += len(buf) - n
		}
		if end > 0 {
			rest := buf[end:]
			next := append(newBuffer(2*len(rest)), rest...)
			if !give(&chunk{text: buf[:end], done: make(chan struct{})}) {
				return nil
			}
			buf = next
		}
		if len(buf) > maxLine {
			if !give(&chunk{tooLong: true, done: make(chan struct{})}) {
				return nil
			}
			buf, skipping = newBuffer(0), true
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			if len(buf) > 0 {
				give(&chunk{text: buf, done: make(chan struct{})})
			}
			return nil
		default:
			return err
		}
	}
}

// evaluator is one worker's state.
type evaluator struct {
	judge judge
	line  evalCase
}

func (e *evaluator) answer(c *chunk) {
	c.answer = newBuffer(0)
	if c.tooLong {
		c.bad++
		c.answer = appendBad(c.answer, fmt.Sprintf("the line is over %d MB", maxLine>>20))
		return
	}
	for text := c.text; len(text) > 0; {
		var line []byte
		line, text, _ = bytes.Cut(text, []byte{'\n'})
		before := len(c.answer)
		var err error
		if len(line) > maxLine {
			err = fmt.Errorf("the line is over %d MB", maxLine>>20)
		} else {
			c.answer, err = e.one(c.answer, line)
		}
		if err != nil {
			c.bad++
			c.answer = appendBad(c.answer[:before], err.Error())
			continue
		}
		c.answer = append(c.answer, '\n')
	}
}

// one answers one line; what goes wrong in it harms no other.
func (e *evaluator) one(dst, line []byte) (out []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			out, err = dst, fmt.Errorf("this case broke the evaluation: %v", r)
		}
	}()
	if err := e.line.read(line, e.judge); err != nil {
		return dst, err
	}
	return e.judge.judge(dst, &e.line)
}

func appendBad(dst []byte, message string) []byte {
	dst = append(dst, `{"error":`...)
	dst = jsonvalue.Append(dst, message)
	return append(dst, "}\n"...)
}

// buffers are used again: filling fresh memory with zeros would be a tenth of the
// work.
var buffers sync.Pool

// newBuffer is an empty buffer of a chunk's size, or larger.
func newBuffer(size int) []byte {
	if b, ok := buffers.Get().(*[]byte); ok && cap(*b) >= size {
		return (*b)[:0]
	}
	return make([]byte, 0, max(chunkSize, size))
}

func free(b []byte) {
	if cap(b) >= chunkSize && cap(b) <= keepCapacity {
		buffers.Put(&b)
	}
}
