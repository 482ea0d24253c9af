"""Which of two lists of things are the same thing: pairs of indices, by equal keys."""

from collections import defaultdict, deque
from collections.abc import Hashable, Sequence

# Keys of one thing, the strictest first; None pairs with nothing.
Keys = Sequence[Hashable]


def pair_in_rounds(before: Sequence[Keys], after: Sequence[Keys]) -> list[tuple[int, int]]:
    """`(place in before, place in after)`, each place at most once, by the place in `before`.

    In round k, what earlier rounds left free pairs off where the keys number k are equal, in the order of the lists.
    """
    pairs: dict[int, int] = {}
    free = list(range(len(after)))
    for k in range(len(before[0]) if before else 0):
        waiting: defaultdict[Hashable, deque[int]] = defaultdict(deque)
        for j in free:
            waiting[after[j][k]].append(j)
        waiting.pop(None, None)
        for i, keys in enumerate(before):
            if i not in pairs and keys[k] in waiting and waiting[keys[k]]:
                pairs[i] = waiting[keys[k]].popleft()
        taken = set(pairs.values())
        free = [j for j in free if j not in taken]
    return sorted(pairs.items())
