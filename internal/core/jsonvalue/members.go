package jsonvalue

import (
	"errors"
	"unicode/utf8"
)

// Visitor is shown the members of an object in the order of the text. The slices
// are parts of the text: a key with its quotes and escapes, a value, both as they
// are written.
type Visitor interface {
	// Enter is asked before a value that is an object: who visits the members of
	// that one, or nil for nobody.
	Enter(key []byte) Visitor
	// Member is told every member when its end is found. An error ends the walk.
	Member(key, value []byte) error
}

// Walk shows the members of a JSON object to v. It accepts exactly what Parse does
// and builds nothing: for whoever wants a part of a text, or to carry it on. The
// error is Parse's, or that of a visitor; members before a flaw have been shown
// then.
func Walk(text []byte, v Visitor) error {
	err := errFlawed
	if i := SkipBlanks(text, 0); i < len(text) && text[i] == '{' {
		if i, err = walkObject(text, i, 1, v); err == nil && SkipBlanks(text, i) < len(text) {
			err = errFlawed
		}
	}
	if errors.Is(err, errFlawed) {
		_, err = ParseObject(text)
	}
	return err
}

// errFlawed stands for the error of which Parse knows the words.
var errFlawed = errors.New("not a JSON object")

// Members is Walk over one object alone.
func Members(text []byte, visit func(key, value []byte) error) error {
	return Walk(text, flatVisitor(visit))
}

type flatVisitor func(key, value []byte) error

func (flatVisitor) Enter([]byte) Visitor             { return nil }
func (f flatVisitor) Member(key, value []byte) error { return f(key, value) }

// walkObject shows the members of the object at b[i], which is the depth-th that is
// open, and returns where it ends.
func walkObject(b []byte, i, depth int, v Visitor) (int, error) {
	if depth > MaxDepth {
		return i, errFlawed
	}
	i, more := Enter(b, i)
	for more {
		var err error
		if i, err = walkMember(b, i, depth, v); err != nil {
			return i, err
		}
		var flaw Flaw
		if i, more, flaw = Next(b, i, '}'); flaw != 0 {
			return i, errFlawed
		}
	}
	return i, nil
}

func walkMember(b []byte, i, depth int, v Visitor) (end int, err error) {
	keyEnd, value, holds, flaw := scanKey(b, i)
	if flaw != 0 || holds&nonASCII != 0 && !utf8.Valid(b[i:keyEnd]) {
		return i, errFlawed
	}
	key := b[i:keyEnd]
	var inner Visitor
	if value < len(b) && b[value] == '{' {
		inner = v.Enter(key)
	}
	if inner != nil {
		end, err = walkObject(b, value, depth+1, inner)
	} else {
		end, holds, flaw = scanValue(b, value, depth)
		if flaw != 0 || holds&nonASCII != 0 && !utf8.Valid(b[value:end]) {
			err = errFlawed
		}
	}
	if err != nil {
		return end, err
	}
	return end, v.Member(key, b[value:end])
}
