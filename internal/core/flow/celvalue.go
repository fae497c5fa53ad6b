package flow

import (
	"fmt"
	"reflect"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// adapter makes CEL values of jsonvalues, without copying.
type adapter struct{}

func (a adapter) NativeToValue(v any) ref.Val {
	switch v := v.(type) {
	case nil, jsonvalue.Undefined:
		return types.NullValue
	case types.Null:
		return absent{}
	case ref.Val:
		return v
	case *jsonvalue.Object:
		if v == nil {
			return types.NullValue
		}
		return object{v}
	case float64:
		return types.Double(v)
	case string:
		return types.String(v)
	case bool:
		return types.Bool(v)
	case []any:
		return types.NewDynamicList(a, v)
	}
	return types.DefaultTypeAdapter.NativeToValue(v)
}

// absent stands in for null while members are selected from it: it gives null
// for each, so that contact.embedded_data.plan reads as null when there is no
// embedded data, or no contact. The adapter makes it of null, because that is
// where selection passes by; nullable takes it away again from results, because
// CEL knows null by identity.
type absent struct{ types.Null }

func (absent) Get(ref.Val) ref.Val   { return types.NullValue }
func (absent) IsSet(ref.Val) ref.Val { return types.False }

// nullable is a selection whose result may be null.
type nullable struct {
	interpreter.InterpretableAttribute
}

func (n nullable) Exec(f *interpreter.ExecutionFrame) ref.Val {
	return plainNull(n.InterpretableAttribute.Exec(f))
}

func (n nullable) Eval(a interpreter.Activation) ref.Val {
	return plainNull(n.InterpretableAttribute.Eval(a))
}

func plainNull(v ref.Val) ref.Val {
	if _, ok := v.(absent); ok {
		return types.NullValue
	}
	return v
}

// decorate puts nullable around every selection of a program, and growing around
// the calls that need it.
func decorate(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	if attr, ok := i.(interpreter.InterpretableAttribute); ok {
		return nullable{attr}, nil
	}
	return grow(i), nil
}

// object is a JSON object as a CEL map whose missing keys read as null.
//
// It deliberately is no traits.Mapper: for a Mapper the presence test has(x.y)
// asks the same method as the selection x.y, and one of the two would be wrong.
type object struct{ *jsonvalue.Object }

var (
	_ traits.Indexer     = object{}
	_ traits.FieldTester = object{}
	_ traits.Container   = object{}
	_ traits.Iterable    = object{}
	_ traits.Sizer       = object{}
)

// Get is the value of a key; null when it is not there.
func (o object) Get(key ref.Val) ref.Val {
	k, ok := key.(types.String)
	if !ok {
		return types.NewErr("an object has no key of type %s", key.Type().TypeName())
	}
	return adapter{}.NativeToValue(o.Object.Get(string(k)))
}

// IsSet is has(): the key is there and not null.
func (o object) IsSet(key ref.Val) ref.Val {
	k, ok := key.(types.String)
	return types.Bool(ok && !jsonvalue.IsNil(o.Object.Get(string(k))))
}

// Contains is the operator in: the key is there.
func (o object) Contains(key ref.Val) ref.Val {
	k, ok := key.(types.String)
	return types.Bool(ok && o.Has(string(k)))
}

// Iterator walks the keys.
func (o object) Iterator() traits.Iterator {
	return types.NewStringList(adapter{}, o.Keys()).Iterator()
}

// Size is the number of keys.
func (o object) Size() ref.Val { return types.Int(o.Len()) }

// Equal compares key by key, in any order.
func (o object) Equal(other ref.Val) ref.Val {
	switch other := other.(type) {
	case object:
		if o.Len() != other.Len() {
			return types.False
		}
		for k, v := range o.All() {
			if !other.Has(k) || types.Equal(adapter{}.NativeToValue(v), adapter{}.NativeToValue(other.Object.Get(k))) != types.True {
				return types.False
			}
		}
		return types.True
	case traits.Mapper:
		if types.Int(o.Len()) != other.Size() {
			return types.False
		}
		for k, v := range o.All() {
			w, ok := other.Find(types.String(k))
			if !ok || types.Equal(adapter{}.NativeToValue(v), w) != types.True {
				return types.False
			}
		}
		return types.True
	}
	return types.False
}

func (o object) ConvertToNative(t reflect.Type) (any, error) {
	if t == reflect.TypeFor[*jsonvalue.Object]() {
		return o.Object, nil
	}
	return nil, fmt.Errorf("an object is not a %s", t)
}

func (o object) ConvertToType(t ref.Type) ref.Val {
	switch t {
	case types.MapType:
		return o
	case types.TypeType:
		return types.MapType
	}
	return types.NewErr("an object is not a %s", t.TypeName())
}

func (o object) Type() ref.Type { return types.MapType }
func (o object) Value() any     { return o.Object }

// typeName is the JSON name of a value's type.
func typeName(v ref.Val) string {
	switch v.Type() {
	case types.NullType:
		return "null"
	case types.MapType:
		return "an object"
	case types.ListType:
		return "an array"
	case types.StringType:
		return "a string"
	case types.BoolType:
		return "a boolean"
	case types.DoubleType, types.IntType, types.UintType:
		return "a number"
	}
	return "a " + v.Type().TypeName()
}
