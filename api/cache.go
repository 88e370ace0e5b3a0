package api

import (
	"container/list"
	"sync"
)

// cache keeps what was used last, up to a number of bytes. It is safe for concurrent use.
type cache struct {
	mu    sync.Mutex
	bytes int
	room  int // bytes left
	items map[any]*list.Element
	order *list.List // of *item, last used first
}

type item struct {
	key   any
	value sized
	size  int
}

// sized is something that knows how many bytes it keeps.
type sized interface{ size() int }

func newCache(bytes int) *cache {
	return &cache{bytes: bytes, room: bytes, items: map[any]*list.Element{}, order: list.New()}
}

// get is nil when there is nothing.
func (c *cache) get(key any) sized {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.items[key]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*item).value
}

// put keeps a value, and drops those that were not used for longest until it fits. What can never fit drops no others.
func (c *cache) put(key any, value sized) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(c.items[key])
	it := &item{key, value, value.size()}
	if it.size > c.bytes {
		return
	}
	c.items[key] = c.order.PushFront(it)
	for c.room -= it.size; c.room < 0; {
		c.remove(c.order.Back())
	}
}

func (c *cache) drop(key any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(c.items[key])
}

func (c *cache) remove(e *list.Element) {
	if e != nil {
		it := c.order.Remove(e).(*item)
		delete(c.items, it.key)
		c.room += it.size
	}
}
