package jsonvalue

import (
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestObject_Keys_IntegersFirstThenAsSet(t *testing.T) {
	t.Parallel()
	var o Object
	for _, k := range []string{"b", "10", "a", "2", "01", "-1", "4294967294", "4294967295", "0", "1.5"} {
		o.Set(k, true)
	}
	require.Equal(t, []string{"0", "2", "10", "4294967294", "b", "a", "01", "-1", "4294967295", "1.5"}, o.Keys())
}

func TestObject_SetAgain_KeepsPlace(t *testing.T) {
	t.Parallel()
	var o Object
	o.Set("a", 1.0)
	o.Set("b", 2.0)
	o.Set("a", 3.0)
	require.Equal(t, `{"a":3,"b":2}`, Text(&o))
}

func TestObject_DeleteThenSet_MovesToEnd(t *testing.T) {
	t.Parallel()
	var o Object
	o.Set("a", 1.0)
	o.Set("b", 2.0)
	o.Delete("a")
	o.Delete("never there")
	o.Set("a", 3.0)
	require.Equal(t, `{"b":2,"a":3}`, Text(&o))
}

// Small objects are searched, large ones have an index: both must agree.
func TestObject_Large_FindsAndDeletes(t *testing.T) {
	t.Parallel()
	o := NewObject(0)
	const n = 3 * indexFrom
	key := func(i int) string { return "k" + strconv.Itoa(i) }
	for i := range n {
		o.Set(key(i), float64(i))
	}
	for i := 0; i < n; i += 2 {
		o.Delete(key(i))
	}
	require.Equal(t, n/2, o.Len())
	for i := range n {
		require.Equal(t, i%2 == 1, o.Has(key(i)))
	}
	o.Set(key(1), "new")
	require.Equal(t, "new", o.Get(key(1)))
	require.Equal(t, key(1), o.Keys()[0])
	require.True(t, slices.IsSortedFunc(o.Keys(), func(a, b string) int {
		x, _ := strconv.Atoi(a[1:])
		y, _ := strconv.Atoi(b[1:])
		return x - y
	}))
}

func TestObject_Nil_ReadsAsEmpty(t *testing.T) {
	t.Parallel()
	var o *Object
	require.Zero(t, o.Len())
	require.True(t, IsUndefined(o.Get("a")))
	require.Empty(t, o.Keys())
	for range o.All() {
		t.Fatal("a nil object has no members")
	}
}

func TestObject_NullIsNotMissing(t *testing.T) {
	t.Parallel()
	o, err := ParseObject([]byte(`{"a":null}`))
	require.NoError(t, err)
	require.True(t, o.Has("a"))
	require.False(t, IsUndefined(o.Get("a")))
	require.True(t, IsNil(o.Get("a")) && IsNil(o.Get("b")))
	require.True(t, IsUndefined(o.Get("b")))
}
