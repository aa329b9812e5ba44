"""Looking inside a single network, without training it."""

import itertools
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode


class Hooks:
    """What the `hooks` fixture gives; it leaves parameters, gradients and mode as they were."""

    def gradient_norms(
        self,
        model: nn.Module,
        batch: tuple[Tensor, Tensor],
        loss: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy,
    ) -> dict[str, float]:
        """The L2 norm of each parameter's gradient of `loss(model(x), y)`, by parameter name.

        A parameter that the loss does not depend on, or that is frozen, has norm 0.
        """
        x, y = batch
        norms = dict.fromkeys((name for name, _ in model.named_parameters()), 0.0)
        trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
        with torch.enable_grad():
            gradients = torch.autograd.grad(
                loss(model(x), y), list(trained.values()), allow_unused=True
            )
        for name, gradient in zip(trained, gradients, strict=True):
            if gradient is not None:
                # In float64: the squares of a vanished gradient underflow in float32.
                norms[name] = torch.linalg.vector_norm(gradient, dtype=torch.float64).item()
        return norms

    @torch.no_grad()
    def activations(self, model: nn.Module, x: Tensor) -> dict[str, Tensor]:
        """What every submodule puts out for x, by name, in the order in which they are called.

        A submodule that is called twice keeps its last output; outputs that are no tensor are
        left out.
        """
        kept: dict[str, Tensor] = {}

        def keep(name: str) -> Callable[[nn.Module, object, object], None]:
            def hook(module: nn.Module, inputs: object, output: object) -> None:
                if isinstance(output, Tensor):
                    kept.pop(name, None)
                    kept[name] = output.detach().clone()  # the next one may work in place

            return hook

        handles = [m.register_forward_hook(keep(n)) for n, m in model.named_modules() if n]
        try:
            model(x)
        finally:
            for handle in handles:
                handle.remove()
        return kept

    @torch.no_grad()
    def flops(self, model: nn.Module, x: Tensor) -> int:
        """Floating-point operations of one forward pass of x, a multiply-add counted as two.

        Convolutions and matrix products alone are counted, which is nearly all of a network.
        """
        with FlopCounterMode(display=False) as counter:
            model(x)
        return int(counter.get_total_flops())

    def saved_bytes(self, model: nn.Module, x: Tensor) -> int:
        """Bytes of activations that a forward pass of x keeps for the backward pass.

        x itself counts, where it is kept; the model's parameters and buffers do not. Memory that
        is kept for two operations, or in part, counts once and whole.
        """
        kept: dict[int, torch.UntypedStorage] = {}

        def keep(tensor: Tensor) -> Tensor:
            storage = tensor.untyped_storage()
            kept[storage._cdata] = storage  # held, so that its address is not given out again
            return tensor

        with torch.enable_grad(), saved_tensors_hooks(keep, lambda tensor: tensor):
            model(x)
        for own in itertools.chain(model.parameters(), model.buffers()):
            kept.pop(own.untyped_storage()._cdata, None)
        return sum(storage.nbytes() for storage in kept.values())
