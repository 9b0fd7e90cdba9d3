"""This module is a binary heap of numbered items with decrease-key, for the shortest-path kernels.

The caller owns three arrays: ``heap`` (items), ``pos`` (place of each item in ``heap``, -1 when absent) and ``key``
(the priority, usually the distance itself). Ties are broken by item number, so results do not depend on history.
"""

from __future__ import annotations

from mapapp.plan.steiner.kernel import Array, kernel


@kernel
def push(heap: Array, pos: Array, key: Array, size: int, item: int) -> int:
    """Insert ``item``, or move it up after its key fell; return the new size."""
    i = pos[item]
    if i < 0:
        i = size
        size += 1
    k = key[item]
    while i > 0:
        up = (i - 1) >> 1
        other = heap[up]
        if key[other] < k or (key[other] == k and other <= item):
            break
        heap[i] = other
        pos[other] = i
        i = up
    heap[i] = item
    pos[item] = i
    return size


@kernel
def pop(heap: Array, pos: Array, key: Array, size: int) -> int:
    """Remove the item with the least key, which the caller read from ``heap[0]``; return the new size."""
    pos[heap[0]] = -1
    size -= 1
    if size == 0:
        return size
    item = heap[size]
    k = key[item]
    i = 0
    while True:
        child = 2 * i + 1
        if child >= size:
            break
        if child + 1 < size:
            a, b = heap[child], heap[child + 1]
            if key[b] < key[a] or (key[b] == key[a] and b < a):
                child += 1
        other = heap[child]
        if k < key[other] or (k == key[other] and item < other):
            break
        heap[i] = other
        pos[other] = i
        i = child
    heap[i] = item
    pos[item] = i
    return size


@kernel
def clear(heap: Array, pos: Array, size: int) -> None:
    """Forget what is left in the heap."""
    for i in range(size):
        pos[heap[i]] = -1


@kernel
def find(parent: Array, x: int) -> int:
    """Return the root of ``x`` in a union-find forest, halving the path."""
    while parent[x] != x:
        parent[x] = parent[parent[x]]
        x = parent[x]
    return x
