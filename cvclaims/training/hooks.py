"""Looking inside a single network, without training it."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Hooks:
    """What the `hooks` fixture gives; it leaves parameters, gradients and mode as they were."""

    def gradient_norms(
        self,
        model: nn.Module,
        batch: tuple[Tensor, Tensor],
        loss: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy,
    ) -> dict[str, float]:
        """The L2 norm of each parameter's gradient of `loss(model(x), y)`, by parameter name.

        A parameter that the loss does not depend on has norm 0.
        """
        x, y = batch
        named = dict(model.named_parameters())
        with torch.enable_grad():
            gradients = torch.autograd.grad(
                loss(model(x), y), list(named.values()), allow_unused=True
            )
        return {
            name: 0.0 if gradient is None else gradient.norm().item()
            for name, gradient in zip(named, gradients, strict=True)
        }

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
                    kept[name] = output.detach()

            return hook

        handles = [m.register_forward_hook(keep(n)) for n, m in model.named_modules() if n]
        try:
            model(x)
        finally:
            for handle in handles:
                handle.remove()
        return kept
