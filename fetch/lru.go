package fetch

import "container/list"

// lru is a map that forgets what was used longest ago. Not safe for concurrent use.
type lru[K comparable, V any] struct {
	max   int
	order *list.List // of entry[K, V], last used first
	items map[K]*list.Element
}

type entry[K comparable, V any] struct {
	key   K
	value V
}

func newLRU[K comparable, V any](max int) lru[K, V] {
	return lru[K, V]{max, list.New(), map[K]*list.Element{}}
}

func (l *lru[K, V]) get(key K) (value V, known bool) {
	item := l.items[key]
	if item == nil {
		return value, false
	}
	l.order.MoveToFront(item)
	return item.Value.(entry[K, V]).value, true
}

func (l *lru[K, V]) put(key K, value V) {
	l.remove(key)
	if l.order.Len() >= l.max {
		l.remove(l.order.Back().Value.(entry[K, V]).key)
	}
	l.items[key] = l.order.PushFront(entry[K, V]{key, value})
}

func (l *lru[K, V]) remove(key K) {
	if item := l.items[key]; item != nil {
		l.order.Remove(item)
		delete(l.items, key)
	}
}
