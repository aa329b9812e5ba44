"""Back-propagation in Python, over torch's own graph.

torch's engine asks the driver which contexts there are, and stops where there is no driver.
"""

from collections import Counter
from typing import Any

import torch
from torch import Tensor


def backward(output: Tensor, gradient: Tensor) -> None:
    """`torch.autograd.backward` of one output that has no hooks."""
    root: Any = output.grad_fn
    uses: Counter[Any] = Counter()
    seen, todo = {root}, [root]
    while todo:
        for following, _ in todo.pop().next_functions:
            if following is None:
                continue
            uses[following] += 1
            if following not in seen:
                seen.add(following)
                todo.append(following)
    ready, arrived = [root], {root: {output.output_nr: gradient}}
    while ready:
        node = ready.pop()
        given = arrived.pop(node, {})
        if hasattr(node, "variable"):
            _accumulate(node.variable, given[0])
            continue
        wanted = node._input_metadata
        result = node(*(given.get(i) for i in range(len(wanted))))
        result = result if isinstance(result, tuple) else (result,)
        for (following, number), found in zip(node.next_functions, result, strict=True):
            if following is None:
                continue
            if found is not None:
                found = _fitting(found, following._input_metadata[number])
                place = arrived.setdefault(following, {})
                place[number] = found if number not in place else place[number] + found
            uses[following] -= 1
            if uses[following] == 0:
                ready.append(following)


def _fitting(gradient: Tensor, wanted: Any) -> Tensor:
    if gradient.device != wanted.device:
        raise RuntimeError(f"gradient on {gradient.device}, wanted on {wanted.device}")
    shape = torch.Size(wanted.shape)
    if gradient.shape != shape:
        gradient = gradient.sum_to_size(shape)
    return gradient if gradient.dtype == wanted.dtype else gradient.to(wanted.dtype)


@torch.no_grad()
def _accumulate(variable: Tensor, gradient: Tensor) -> None:
    gradient = gradient.detach()
    if variable.grad is not None:
        variable.grad += gradient
        return
    same = all(
        n == 1 or a == b
        for n, a, b in zip(variable.shape, variable.stride(), gradient.stride(), strict=True)
    )
    if not same:
        gradient = torch.empty_like(variable).copy_(gradient)
    variable.grad = gradient
