package path

// query is a parsed path: of the whole document, or of a condition's value.
type query struct {
	relative bool // starts with @
	segments []segment
}

// singular says whether the query leads to one value at most.
func (q *query) singular() bool {
	for _, s := range q.segments {
		if s.descendant || len(s.selectors) != 1 || s.selectors[0].kind > selectIndex {
			return false
		}
	}
	return true
}

// segment is one step of a path: what it takes from each value the path has come to.
type segment struct {
	descendant bool // from the value and from all below it
	selectors  []selector
}

type selectorKind int

const (
	selectName selectorKind = iota
	selectIndex
	selectWildcard
	selectSlice
	selectFilter
)

type selector struct {
	kind   selectorKind
	name   string // of selectName
	index  int    // of selectIndex
	slice  slice  // of selectSlice
	filter *expr  // of selectFilter
}

// slice is start:end:step; nil is left out.
type slice struct{ start, end, step *int }

// bounds are the first position and the one to stop before, in the direction of step,
// for a list of n elements.
func (s slice) bounds(n int) (from, to, step int) {
	step = 1
	if s.step != nil {
		step = *s.step
	}
	at := func(i *int, otherwise, least, most int) int {
		if i == nil {
			return otherwise
		}
		v := *i
		if v < 0 {
			v += n
		}
		return min(max(v, least), most)
	}
	if step >= 0 {
		return at(s.start, 0, 0, n), at(s.end, n, 0, n), step
	}
	return at(s.start, n-1, -1, n-1), at(s.end, -1, -1, n-1), step
}

type op int

const (
	opOr op = iota
	opAnd
	opNot
	opExists // its query comes to something
	opEqual
	opUnequal
	opLess
	opLessEqual
	opGreater
	opGreaterEqual
	opLiteral // a value as it is written
	opQuery   // the value of its singular query, or nothing
	opNodes   // all that its query comes to, for count and value
	opLength
	opCount
	opValue
	opMatch
	opSearch
)

// expr is a part of a condition.
type expr struct {
	op      op
	args    []*expr
	literal any
	whole   bool // the literal is a number without point or exponent
	query   *query
	closed  bool     // stands in parentheses
	pattern *pattern // of opMatch and opSearch, when it is written out
}

// types of RFC 9535, section 2.4.1.
type exprType int

const (
	typeLogical exprType = iota
	typeValue
	typeNodes
)

func (x *expr) typ() exprType {
	switch x.op {
	case opLiteral, opQuery, opLength, opCount, opValue:
		return typeValue
	case opNodes:
		return typeNodes
	}
	return typeLogical
}

// function is one of the standard's functions.
type function struct {
	op   op
	args []exprType
}

var functions = map[string]function{
	"length": {opLength, []exprType{typeValue}},
	"count":  {opCount, []exprType{typeNodes}},
	"value":  {opValue, []exprType{typeNodes}},
	"match":  {opMatch, []exprType{typeValue, typeValue}},
	"search": {opSearch, []exprType{typeValue, typeValue}},
}

var comparisons = []struct {
	text string
	op   op
}{
	{"==", opEqual}, {"!=", opUnequal}, {"<=", opLessEqual}, {">=", opGreaterEqual}, {"<", opLess}, {">", opGreater},
}
