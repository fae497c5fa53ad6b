package eval

const (
	cacheEntries = 2048
	cacheBytes   = 4 << 20 // of keys; what is compiled from them is some times that
)

// cache keeps what was compiled last, by the text it was compiled from. It is
// bounded: it holds two generations, and the older one goes when the younger is
// full; what is used moves to the younger. For one goroutine.
type cache[V any] struct {
	young, old map[string]V
	bytes      int // of the keys in young
}

func newCache[V any]() *cache[V] { return &cache[V]{young: map[string]V{}} }

func (c *cache[V]) get(key []byte) (V, bool) {
	v, ok := c.young[string(key)]
	if !ok {
		if v, ok = c.old[string(key)]; ok {
			c.put(key, v)
		}
	}
	return v, ok
}

// put keeps a value; key is copied.
func (c *cache[V]) put(key []byte, v V) {
	if len(c.young) >= cacheEntries || c.bytes+len(key) > cacheBytes {
		c.old, c.young, c.bytes = c.young, map[string]V{}, 0
	}
	c.young[string(key)] = v
	c.bytes += len(key)
}
