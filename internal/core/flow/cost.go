package flow

import (
	"strings"

	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// costs are the calls that cost more than the library thinks: those that look at a
// whole value, however deep, or at a whole text.
type costs struct{}

// perCost is how many values or bytes are looked at for one unit of cost, as the
// library counts for texts.
const perCost = 10

// whole are the functions that look at all of their arguments.
var whole = map[string]bool{
	"size": true, "format": true, "bool": true, "bytes": true, "double": true, "duration": true, "int": true, "string": true, "timestamp": true, "uint": true,
}

// CallCost is asked for each call; nil leaves it to the library.
func (costs) CallCost(function, _ string, args []ref.Val, _ ref.Val) *uint64 {
	n := 0
	switch {
	case (function == operators.Equals || function == operators.NotEquals) && len(args) == 2:
		n = min(extent(args[0], maxCost*perCost), extent(args[1], maxCost*perCost))
	case function == operators.In && len(args) == 2:
		n = extent(args[1], maxCost*perCost)
	case whole[function]:
		for _, a := range args {
			n += extent(a, maxCost*perCost)
		}
	default:
		return nil
	}
	cost := uint64(1 + n/perCost)
	return &cost
}

// extent is the number of values and bytes in v; it stops soon after limit.
func extent(v any, limit int) int {
	n := 1
	each := func(e any) bool {
		n += extent(e, limit-n)
		return n <= limit
	}
	switch v := v.(type) {
	case types.String:
		n += len(v)
	case types.Bytes:
		n += len(v)
	case string:
		n += len(v)
	case object:
		return extent(v.Object, limit)
	case *jsonvalue.Object:
		for _, e := range v.All() {
			if !each(e) {
				break
			}
		}
	case []any:
		for _, e := range v {
			if !each(e) {
				break
			}
		}
	case traits.Lister:
		if native, ok := v.Value().([]any); ok {
			return extent(native, limit)
		}
		size, _ := v.Size().(types.Int)
		for i := types.Int(0); i < size && each(v.Get(i)); i++ {
		}
	}
	return n
}

// growing is a call whose result may be as long as one argument times another. The
// library would make it and then count.
type growing struct {
	interpreter.InterpretableCall
}

// grow puts growing around replace and join.
func grow(i interpreter.InterpretableV2) interpreter.InterpretableV2 {
	if call, ok := i.(interpreter.InterpretableCall); ok {
		switch call.OverloadID() {
		case "string_replace_string_string", "string_replace_string_string_int", "list_join", "list_join_string":
			return growing{call}
		}
	}
	return i
}

func (g growing) Eval(a interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(a, g.Exec)
}

func (g growing) Exec(f *interpreter.ExecutionFrame) ref.Val {
	args := make([]ref.Val, len(g.Args()))
	for i, a := range g.Args() {
		args[i] = a.Exec(f)
		if types.IsUnknownOrError(args[i]) {
			return args[i]
		}
	}
	out := g.call(args)
	if costs := f.CostTracker(); costs != nil {
		costs.EvalVarArgs(f, g.ID(), g.InterpretableCall, args, out)
	}
	return out
}

func (g growing) call(args []ref.Val) ref.Val {
	text := func(i int) string {
		s, _ := args[i].(types.String)
		return string(s)
	}
	switch g.OverloadID() {
	case "list_join", "list_join_string":
		list, ok := args[0].(traits.Lister)
		if !ok || len(args) == 2 && args[1].Type() != types.StringType {
			return g.noSuchOverload()
		}
		separator := ""
		if len(args) == 2 {
			separator = text(1)
		}
		var b strings.Builder
		size, _ := list.Size().(types.Int)
		for i := types.Int(0); i < size; i++ {
			s, ok := list.Get(i).(types.String)
			if !ok {
				return g.noSuchOverload()
			}
			if i > 0 {
				b.WriteString(separator)
			}
			b.WriteString(string(s))
			if b.Len() > maxText {
				return g.tooLong()
			}
		}
		return types.String(b.String())
	}
	n := -1
	for i, a := range args {
		if count, ok := a.(types.Int); ok && i == 3 {
			n = int(max(count, -1))
		} else if a.Type() != types.StringType {
			return g.noSuchOverload()
		}
	}
	s, old, with := text(0), text(1), text(2)
	count := strings.Count(s, old)
	if n >= 0 {
		count = min(count, n)
	}
	if len(s)+count*max(0, len(with)-len(old)) > maxText {
		return g.tooLong()
	}
	return types.String(strings.Replace(s, old, with, n))
}

func (g growing) noSuchOverload() ref.Val {
	return types.NewErrWithNodeID(g.ID(), "no such overload: %s", g.Function())
}

func (g growing) tooLong() ref.Val {
	return types.NewErrWithNodeID(g.ID(), "%v", errTooLong)
}
