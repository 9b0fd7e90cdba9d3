"""This module improves a tree in place: cut out a few key paths, join the parts again at least cost, exactly.

A key node is a terminal or a branching; a key path runs between two key nodes. Cutting one path is the key-path
exchange, cutting all at a branching is key-node elimination (Uchoa and Werneck 2012, DOI 10.1145/2133803.2184448);
cutting more is a large-neighbourhood search. The parts are joined by the exact method of `exact`, so that new
branchings appear where they pay. Only the small parts are looked at, never the one that holds the root.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mapapp.plan.steiner.exact import fill, remaining, walk_back
from mapapp.plan.steiner.heap import pop, push
from mapapp.plan.steiner.kernel import Array, kernel

MOST_PARTS = 9
_NEAR_NODES = 400
"""Free nodes around a cut into four or more parts; two or three parts see all within reach."""
_WIDE_NODES = 60_000
"""In larger graphs even two or three parts see only what is near to the cut."""
_MOST_PART_NODES = 6000


class Net(NamedTuple):
    """The graph: neighbour lists, edge costs, terminals."""

    ptr: Array
    adj: Array
    eid: Array
    cost: Array
    terminal: Array


class Tree(NamedTuple):
    """The tree: parent node and edge (-1 root, -2 outside), edge and degree marks; ``root`` of shape (1,)."""

    par: Array
    pare: Array
    edge: Array
    degree: Array
    root: Array


class Room(NamedTuple):
    """Working space, clean between moves: marks are -1, zero or infinite."""

    state: Array  # node: 0, 1 cut free, 2 end of a cut path
    part: Array  # node: part number or -1
    local: Array  # node: number in the small problem or -1
    gone: Array  # edge: cut
    idle: Array  # node: moves of at most so many parts failed here since something changed nearby
    dist: Array
    pos: Array
    heap: Array
    cut: Array
    lead: Array  # whether a cut edge begins a key path
    free: Array
    ends: Array
    nodes: Array
    start: Array
    found: Array
    d: Array
    pred: Array
    lpos: Array
    lheap: Array
    left: Array
    lnode: Array
    lptr: Array
    ladj: Array
    lcost: Array
    lown: Array
    lend: Array
    lhead: Array
    stack: Array
    out: Array


def room(n: int, m: int) -> Room:
    """Return working space for ``n`` nodes and ``m`` edges."""
    ints = np.int64
    locals_ = n + MOST_PARTS + 1
    cells = max(4 * (n + 3), (1 << MOST_PARTS - 1) * (min(n, _NEAR_NODES) + MOST_PARTS + 1))
    nodes: dict[str, Array] = {name: np.empty(n, ints) for name in ("heap", "free", "ends", "nodes", "found")}
    arcs: dict[str, Array] = {name: np.empty(2 * m, ints) for name in ("ladj", "lown", "lend", "lhead")}
    return Room(
        state=np.zeros(n, np.int8),
        part=np.full(n, -1, ints),
        local=np.full(n, -1, ints),
        gone=np.zeros(m, bool),
        idle=np.zeros(n, ints),
        dist=np.full(n, np.inf),
        pos=np.full(n, -1, ints),
        cut=np.empty(m, ints),
        lead=np.empty(m + 1, bool),
        start=np.empty(n + 2, ints),
        d=np.empty(cells),
        pred=np.empty(cells, ints),
        lpos=np.full(locals_, -1, ints),
        lheap=np.empty(locals_, ints),
        left=np.empty(locals_),
        lnode=np.empty(locals_, ints),
        lptr=np.empty(locals_ + 1, ints),
        lcost=np.empty(2 * m),
        stack=np.empty((2 * MOST_PARTS + 4, 2), ints),
        out=np.empty(4 * locals_ + 8 * MOST_PARTS * locals_, ints),
        **nodes,
        **arcs,
    )


def tree(n: int, m: int, root: int, par: Array, pare: Array) -> Tree:
    """Return the tree of parent nodes and edges as `paths.span` leaves them."""
    edge = np.zeros(m, bool)
    inside = np.flatnonzero(pare >= 0)
    edge[pare[inside]] = True
    degree = np.bincount(np.concatenate([inside, par[inside]]), minlength=n).astype(np.int64)
    return Tree(par.copy(), pare.copy(), edge, degree, np.array([root], np.int64))


@kernel
def centroid(par: Array) -> int:
    """Return a node of the tree whose branches hold at most half of its nodes each."""
    n = len(par)
    size = np.zeros(n, np.int64)
    child = np.zeros(n, np.int64)
    total = 0
    for x in range(n):
        if par[x] != -2:
            size[x] = 1
            total += 1
            if par[x] >= 0:
                child[par[x]] += 1
    for leaf in range(n):
        x = leaf
        if par[x] == -2 or child[x] != 0:
            continue
        while x >= 0 and child[x] == 0:
            if 2 * size[x] >= total:
                return x
            child[x] = -1
            y = par[x]
            if y >= 0:
                size[y] += size[x]
                child[y] -= 1
            x = y
    return -1


@kernel
def _random(seed: Array) -> int:
    """Step a 31-bit linear congruential generator."""
    seed[0] = (seed[0] * 1103515245 + 12345) & 0x7FFFFFFF
    return int(seed[0] >> 8)


@kernel
def _cut_at(x: int, net: Net, tree: Tree, room: Room, cuts: int, frees: int, ends: int) -> tuple[int, int, int]:
    """Cut all key paths that leave ``x``; return the new counts of cut edges, freed nodes and ends."""
    for s in range(net.ptr[x], net.ptr[x + 1]):
        e = net.eid[s]
        if not tree.edge[e] or room.gone[e]:
            continue
        y = net.adj[s]
        room.lead[cuts] = True
        while True:
            room.gone[e] = True
            room.cut[cuts] = e
            cuts += 1
            room.lead[cuts] = False
            if net.terminal[y] or tree.degree[y] != 2 or room.state[y] != 0:
                break
            room.state[y] = 1
            room.free[frees] = y
            frees += 1
            for q in range(net.ptr[y], net.ptr[y + 1]):
                f = net.eid[q]
                if tree.edge[f] and not room.gone[f]:
                    e = f
                    y = net.adj[q]
                    break
        if room.state[y] == 0:
            room.state[y] = 2
            room.ends[ends] = y
            ends += 1
    return cuts, frees, ends


@kernel
def _region(x: int, parts: int, net: Net, tree: Tree, room: Room, seed: Array) -> tuple[int, int, int, float, float]:
    """Cut around ``x`` until the tree falls into at most ``parts``; return what was cut.

    Counts of cut edges, freed nodes and parts, the cost of the cut, and of its longest key path.
    ``room.ends`` lists one node of each part. Zero parts when ``x`` alone would make too many.
    """
    if (net.terminal[x] and tree.degree[x] + 1 > parts) or tree.degree[x] > parts:
        return 0, 0, 0, 0.0, 0.0
    if net.terminal[x]:
        room.state[x] = 2
        room.ends[0] = x
        cuts, frees, ends = _cut_at(x, net, tree, room, 0, 0, 1)
    else:
        room.state[x] = 1
        room.free[0] = x
        cuts, frees, ends = _cut_at(x, net, tree, room, 0, 1, 0)
    opened = 1 if net.terminal[x] else 0  # ends[:opened] are terminals already cut loose
    tried = 0
    while tried < ends - opened:
        pick = opened + tried + _random(seed) % (ends - opened - tried)
        y = room.ends[pick]
        left = 0
        for s in range(net.ptr[y], net.ptr[y + 1]):
            if tree.edge[net.eid[s]] and not room.gone[net.eid[s]]:
                left += 1
        more = left if net.terminal[y] else left - 1
        if left == 0 or ends + more > parts:
            room.ends[pick] = room.ends[opened + tried]
            room.ends[opened + tried] = y
            tried += 1
            continue
        if net.terminal[y]:
            room.ends[pick] = room.ends[opened]
            room.ends[opened] = y
            opened += 1
        else:
            ends -= 1
            room.ends[pick] = room.ends[ends]
            room.state[y] = 1
            room.free[frees] = y
            frees += 1
        tried = 0
        cuts, frees, ends = _cut_at(y, net, tree, room, cuts, frees, ends)
    total = 0.0
    longest = 0.0
    path = 0.0
    for i in range(cuts):  # the edges of one path stand together, from one end to the other
        e = room.cut[i]
        total += net.cost[e]
        if i > 0 and room.lead[i]:
            path = 0.0
        path += net.cost[e]
        longest = max(longest, path)
    return cuts, frees, ends, total, longest


@kernel
def _collect(net: Net, tree: Tree, room: Room, ends: int) -> int:
    """Label the nodes of all parts but the root's, which moves to the last place of ``ends``; return how many.

    Part ``i`` is ``room.nodes[start[i]:start[i + 1]]``. Minus one when the parts are too large to be worth it.
    """
    top = -1
    for i in range(ends):
        f = room.ends[i]
        if tree.par[f] == -1 or not room.gone[tree.pare[f]]:
            top = i
    if top < 0:  # the root was cut free: the first end takes its place, and is not looked at
        top = 0
    f = room.ends[top]
    room.ends[top] = room.ends[ends - 1]
    room.ends[ends - 1] = f
    count = 0
    for i in range(ends - 1):
        room.start[i] = count
        f = room.ends[i]
        room.part[f] = i
        room.nodes[count] = f
        head = count
        count += 1
        while head < count:
            y = room.nodes[head]
            head += 1
            for s in range(net.ptr[y], net.ptr[y + 1]):
                z = net.adj[s]
                e = net.eid[s]
                if tree.edge[e] and not room.gone[e] and room.part[z] < 0:
                    room.part[z] = i
                    room.nodes[count] = z
                    count += 1
        if count > _MOST_PART_NODES:
            room.start[i + 1] = count
            for j in range(count):
                room.part[room.nodes[j]] = -1
            return -1
    room.start[ends - 1] = count
    return count


@kernel
def _surround(net: Net, tree: Tree, room: Room, frees: int, ends: int, count: int, limit: float, most: int) -> int:
    """Label the free nodes within ``limit``, nearest first; return the number of nodes of the small problem.

    Few parts: near any of their nodes. More: near the cut itself, which keeps the problem small where parts are large.
    """
    size = 0
    small = ends - 1
    for i in range(count):
        room.local[room.nodes[i]] = room.part[room.nodes[i]]
    wide = small <= 2 and len(tree.par) <= _WIDE_NODES
    seeds = count if wide else frees + ends
    for i in range(seeds):
        x = room.nodes[i] if wide else room.free[i] if i < frees else room.ends[i - frees]
        if wide:  # only the neighbours: the parts are large
            for s in range(net.ptr[x], net.ptr[x + 1]):
                y = net.adj[s]
                t = net.cost[net.eid[s]]
                if t < limit and t < room.dist[y] and (tree.par[y] == -2 or room.state[y] == 1):
                    room.dist[y] = t
                    size = push(room.heap, room.pos, room.dist, size, y)
        else:
            room.dist[x] = 0.0
            size = push(room.heap, room.pos, room.dist, size, x)
    local = small + 1
    found = 0
    while size > 0:
        x = room.heap[0]
        size = pop(room.heap, room.pos, room.dist, size)
        room.found[found] = x
        found += 1
        if local >= most:
            continue  # its distance is still to be forgotten later
        free = tree.par[x] == -2 or room.state[x] == 1
        if free:
            room.local[x] = local
            room.lnode[local] = x
            local += 1
        for s in range(net.ptr[x], net.ptr[x + 1]):
            y = net.adj[s]
            t = room.dist[x] + net.cost[net.eid[s]]
            if t < limit and t < room.dist[y] and not (wide and tree.par[y] != -2 and room.state[y] != 1):
                room.dist[y] = t
                size = push(room.heap, room.pos, room.dist, size, y)
    room.start[small + 1] = found
    return local


@kernel
def _arcs(net: Net, tree: Tree, room: Room, small: int, local: int, limit: float) -> None:
    """Write the arcs of the small problem: parts first, the goal (number ``small``) without any, then free nodes."""
    a = 0
    for i in range(local):
        room.lptr[i] = a
        if i == small:
            continue
        lo = room.start[i] if i < small else 0
        hi = room.start[i + 1] if i < small else 1
        for j in range(lo, hi):
            x = room.nodes[j] if i < small else room.lnode[i]
            for s in range(net.ptr[x], net.ptr[x + 1]):
                e = net.eid[s]
                if net.cost[e] >= limit:
                    continue
                y = net.adj[s]
                to = room.local[y]
                if to < 0 and tree.par[y] != -2 and room.state[y] != 1:
                    to = small
                if to < 0 or to == i:
                    continue
                room.ladj[a] = to
                room.lcost[a] = net.cost[e]
                room.lown[a] = i
                room.lend[a] = e
                room.lhead[a] = y
                a += 1
    room.lptr[local] = a


@kernel
def _rejoin(net: Net, tree: Tree, room: Room, cuts: int, frees: int, ends: int, count: int, arcs: int) -> float:
    """Put the arcs ``room.out[:arcs]`` in the place of the cut edges, turn the parts, return the change of cost."""
    top = room.ends[ends - 1]
    change = 0.0
    for i in range(cuts):
        tree.edge[room.cut[i]] = False
        change -= net.cost[room.cut[i]]
    for i in range(count):
        x = room.nodes[i]
        if tree.par[x] >= 0 and not room.gone[tree.pare[x]]:
            change -= net.cost[tree.pare[x]]
        tree.par[x] = -2
    if tree.par[top] >= 0 and room.gone[tree.pare[top]]:  # the old root was cut free
        tree.par[top] = -1
        tree.pare[top] = -1
        tree.root[0] = top
    for i in range(frees):
        tree.par[room.free[i]] = -2
        tree.pare[room.free[i]] = -2
        tree.degree[room.free[i]] = 0
    queue = room.heap
    tail = 0
    for i in range(arcs):
        a = room.out[i]
        tree.edge[room.lend[a]] = True
        x = room.lhead[a]
        if room.ladj[a] == ends - 1 and room.state[x] != 3:
            room.state[x] = 3
            queue[tail] = x
            tail += 1
    anchors = tail
    for i in range(anchors):
        room.state[queue[i]] = 2 if queue[i] == top else 0
    head = 0
    while head < tail:  # outwards from the root's part; every node met is new to the tree or to be turned
        x = queue[head]
        head += 1
        for s in range(net.ptr[x], net.ptr[x + 1]):
            e = net.eid[s]
            y = net.adj[s]
            if not tree.edge[e] or tree.pare[x] == e:
                continue
            if tree.par[y] == -2:
                tree.par[y] = x
                tree.pare[y] = e
                change += net.cost[e]
                queue[tail] = y
                tail += 1
            elif tree.pare[y] != e:  # closes a ring, which only equal costs can do
                tree.edge[e] = False
    for i in range(-1, tail):
        x = queue[i] if i >= 0 else top
        tree.degree[x] = 0
        for s in range(net.ptr[x], net.ptr[x + 1]):
            if tree.edge[net.eid[s]]:
                tree.degree[x] += 1
    for i in range(tail):
        room.idle[queue[i]] = 0
    for i in range(ends):
        room.idle[room.ends[i]] = 0
    for i in range(tail - 1, anchors - 1, -1):
        x = queue[i]
        if tree.degree[x] == 1 and not net.terminal[x]:
            change -= net.cost[tree.pare[x]]
            tree.edge[tree.pare[x]] = False
            tree.degree[x] = 0
            tree.degree[tree.par[x]] -= 1
            tree.par[x] = -2
            tree.pare[x] = -2
    return change


@kernel
def _move(x: int, parts: int, net: Net, tree: Tree, room: Room, seed: Array, spent: Array) -> float:
    """Cut around ``x``, join again; return the change of cost, zero when nothing better was found."""
    cuts, frees, ends, total, longest = _region(x, parts, net, tree, room, seed)
    change = 0.0
    tops = ends
    if cuts > 0 and ends >= 2 and total > 0.0:
        count = _collect(net, tree, room, ends)
        if count >= 0:
            small = ends - 1
            wide = small <= 2 and len(tree.par) <= _WIDE_NODES
            nodes = (len(tree.par) if wide else min(len(tree.par), _NEAR_NODES)) + small + 1
            local = _surround(net, tree, room, frees, ends, count, longest, nodes)
            found = room.start[small + 1]
            _arcs(net, tree, room, small, local, total)
            sets = 1 << small
            d = room.d[: sets * local].reshape((sets, local))
            pred = room.pred[: sets * local].reshape((sets, local))
            remaining(
                small, local, room.lptr, room.ladj, room.lcost, room.lown, room.left, room.lheap, room.lpos
            )  # fmt: skip
            fill(
                small, local, room.lptr, room.ladj, room.lcost, total, 1, sets, room.left, d, pred,
                room.lheap, room.lpos,
            )  # fmt: skip
            spent[0] += count + 8 * local * sets + local * int(1.5**small * sets)
            gain = total - d[sets - 1, small]
            if gain > 1e-12 * total:
                arcs = walk_back(small, room.lown, pred, room.stack, room.out)
                change = _rejoin(net, tree, room, cuts, frees, ends, count, arcs)
            for i in range(count):
                room.part[room.nodes[i]] = -1
                room.local[room.nodes[i]] = -1
                room.dist[room.nodes[i]] = np.inf
            for i in range(found):
                room.local[room.found[i]] = -1
                room.dist[room.found[i]] = np.inf
    for i in range(cuts):
        room.gone[room.cut[i]] = False
    for i in range(frees):
        room.state[room.free[i]] = 0
    for i in range(tops):
        room.state[room.ends[i]] = 0
    spent[0] += 20 + cuts
    return change


@kernel
def sweep(
    order: Array, first: int, parts: int, net: Net, tree: Tree, room: Room, seed: Array, work: int
) -> tuple[int, float, int]:
    """Try a move at each node of the tree in ``order[first:]``, until ``work`` is spent.

    Returns
    -------
    next : int
        Where to go on; ``len(order)`` when through.
    change : float
        Change of the tree's cost, at most zero.
    moves : int
        How many moves improved it.
    """
    spent = np.zeros(1, np.int64)
    change = 0.0
    moves = 0
    i = first
    while i < len(order) and spent[0] < work:
        x = order[i]
        i += 1
        if tree.par[x] == -2 or room.idle[x] >= parts:
            continue
        if not net.terminal[x] and tree.degree[x] == 2 and tree.par[x] >= 0:
            y = tree.par[x]
            if not net.terminal[y] and tree.degree[y] == 2 and tree.par[y] >= 0:
                continue  # one node of each key path stands for it
        c = _move(x, parts, net, tree, room, seed, spent)
        if c < 0.0:
            change += c
            moves += 1
        else:
            room.idle[x] = parts
    return i, change, moves
