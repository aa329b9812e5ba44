"""A GPU that is not there: tensors that say `cuda:0`, hold their values on the CPU, and keep tape.

Every operation below autograd passes through `Machine`. It takes the branches that torch and this
project take for CUDA (fused dropout, cuDNN's batch norm, a rate on the device, autocast), carries
the operation out on the CPU, and
  * refuses what waits for a device, or reads host memory, while a step is captured;
  * refuses tensors of two devices in one operation, as CUDA does;
  * captures as CUDA graphs do: Python runs once, the operations again and again in the same memory,
    and what lies outside of the graph is not kept alive by it.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any, cast
from unittest import mock

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten

from cvclaims.training import graph
from tests.pretend_gpu.engine import backward

aten = torch.ops.aten
DEVICE = torch.device("cuda:0")

# What gives a result whose size or value the host has to know: CUDA waits, a capture fails.
WAITS = {
    "aten::_local_scalar_dense", "aten::nonzero", "aten::masked_select", "aten::bincount",
    "aten::unique_consecutive", "aten::_unique2", "aten::_unique", "aten::unique_dim",
    "aten::is_nonzero", "aten::equal", "aten::repeat_interleave", "aten::histc",
    "aten::histogram", "aten::multinomial", "aten::randperm", "aten::linalg_solve_ex",
    "aten::_linalg_check_errors", "aten::argwhere", "aten::count_nonzero", "aten::item",
    "aten::_assert_scalar", "aten::nonzero_static", "aten::embedding_bag",
}  # fmt: skip
ALLOCATES = {"aten::empty", "aten::empty_like", "aten::empty_strided", "aten::new_empty",
             "aten::new_empty_strided"}  # fmt: skip


class UncleanError(RuntimeError):
    """What would fail, or wait for the device, on CUDA."""


class Cuda(Tensor):
    """A tensor that says it is on the GPU, around one that is not."""

    on_host: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @staticmethod
    def __new__(cls, on_host: Tensor) -> "Cuda":
        made = Tensor._make_wrapper_subclass(
            cls, on_host.size(), strides=on_host.stride(),
            storage_offset=on_host.storage_offset(), dtype=on_host.dtype, device=DEVICE,
        )  # fmt: skip
        made.on_host = on_host
        return made

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # type: ignore[override]
        raise UncleanError(f"{func} outside of the machine")

    def __repr__(self) -> str:  # type: ignore[override]
        return f"Cuda({tuple(self.shape)}, {self.dtype})"

    def tolist(self) -> Any:
        return self.cpu().tolist()

    def numpy(self) -> Any:  # type: ignore[override]
        raise TypeError("can't convert cuda:0 device type tensor to numpy")


def _on_host(x: Any) -> Any:
    return x.on_host if isinstance(x, Cuda) else x


class Tape:
    """The operations of one capture."""

    def __init__(self) -> None:
        self.steps: list[tuple[Any, list[Any], Any, list[Any]]] = []
        self.own: set[int] = set()  # storages that the capture allocated; held by `outs`
        self.held: list[Tensor] = []
        self.before: dict[int, tuple[torch.UntypedStorage, torch.UntypedStorage]] = {}

    def see(self, args: Any, kwargs: Any) -> None:
        """Keep what lies outside as it is: a capture on CUDA carries nothing out."""
        for x in tree_flatten((args, kwargs))[0]:
            if isinstance(x, Tensor):
                storage = x.untyped_storage()
                if storage._cdata not in self.own and storage._cdata not in self.before:
                    self.before[storage._cdata] = storage, storage.clone()  # type: ignore[no-untyped-call]

    def bake(self, numbers: list[Tensor]) -> None:
        self.own.update(x.untyped_storage()._cdata for x in numbers)
        self.held += numbers

    def end(self) -> None:
        for storage, copy in self.before.values():
            storage.copy_(copy)
        self.before.clear()

    def _pack(self, x: Any) -> Any:
        if not isinstance(x, Tensor):
            return x
        storage = x.untyped_storage()
        if storage._cdata in self.own:
            return x
        return _Outside(x)

    def add(self, func: Any, args: Any, kwargs: Any, outs: list[Any]) -> None:
        flat, spec = tree_flatten((args, kwargs))
        known = {x.untyped_storage()._cdata for x in flat if isinstance(x, Tensor)}
        fresh: list[Tensor | None] = []
        for out in outs:
            if isinstance(out, Tensor) and out.untyped_storage()._cdata not in known:
                self.own.add(out.untyped_storage()._cdata)
                self.held.append(out)
                fresh.append(out)
            else:
                fresh.append(None)
        writes = func._schema.is_mutable
        if not writes and not any(f is not None for f in fresh):
            return  # a view: the memory is there
        name = func._schema.name
        if name in ALLOCATES:
            return
        self.steps.append((func, [self._pack(x) for x in flat], spec, fresh))

    def replay(self) -> None:
        for func, flat, spec, fresh in self.steps:
            args, kwargs = tree_unflatten(
                [x.tensor(func) if isinstance(x, _Outside) else x for x in flat], spec
            )
            outs, _ = tree_flatten(func(*args, **kwargs))
            for old, new in zip(fresh, outs, strict=True):
                if old is not None and old is not new:
                    old.copy_(new)


class _Outside:
    """A tensor that the capture did not make. As CUDA does, it keeps an address and no more."""

    def __init__(self, x: Tensor) -> None:
        self.ref = StorageWeakRef(x.untyped_storage())  # type: ignore[no-untyped-call]
        self.form = x.dtype, x.storage_offset(), x.size(), x.stride()

    def tensor(self, func: Any) -> Tensor:
        dtype, offset, size, stride = self.form
        if self.ref.expired():  # type: ignore[no-untyped-call]
            raise UncleanError(
                f"use after free: {func} reads {tuple(size)} {dtype}, freed since capture"
            )
        storage = torch.UntypedStorage._new_with_weak_ptr(self.ref.cdata)
        return torch.empty(0, dtype=dtype).set_(storage, offset, size, stride)


class Machine(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Carries out what is asked of the GPU."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.tape: Tape | None = None
        self.counts: dict[str, int] = {}
        self.waits: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        flat, _ = tree_flatten((args, kwargs))
        ours = [x for x in flat if isinstance(x, Cuda)]
        asked = kwargs.get("device")
        to_gpu = asked is not None and torch.device(asked).type == "cuda"
        if not ours and not to_gpu:
            return func(*args, **kwargs)
        name = func._schema.name
        self.counts[name] = self.counts.get(name, 0) + 1
        self._check(func, name, flat, ours, asked, to_gpu)
        inside_args, inside_kwargs = tree_map(_on_host, args), tree_map(_on_host, kwargs)
        if asked is not None:
            inside_kwargs["device"] = torch.device("cpu")
        if name == "aten::_to_copy" and asked is not None:
            inside_kwargs.pop("device")
            inside_kwargs.pop("non_blocking", None)
        run, inside_args, inside_kwargs = _for_cpu(func, name, inside_args, inside_kwargs)
        if self.tape is not None:
            # A kernel takes a number on the CPU by its value.
            self.tape.bake([x for x in flat if isinstance(x, Tensor) and not isinstance(x, Cuda)])
            self.tape.see(inside_args, inside_kwargs)
        result = run(*inside_args, **inside_kwargs)
        back_on_host = asked is not None and not to_gpu
        if self.tape is not None and not back_on_host:
            self.tape.add(run, inside_args, inside_kwargs, tree_flatten(result)[0])
        if back_on_host or not isinstance(result, Tensor | tuple | list):
            return result
        return self._out(func, args, kwargs, result)

    def _out(self, func: Any, args: Any, kwargs: Any, result: Any) -> Any:
        mine = {id(x.on_host): x for x in tree_flatten((args, kwargs))[0] if isinstance(x, Cuda)}

        def wrap(x: Any) -> Any:
            if not isinstance(x, Tensor):
                return x
            return mine.get(id(x)) if id(x) in mine else Cuda(x)

        return tree_map(wrap, result)

    def _check(
        self, func: Any, name: str, flat: list[Any], ours: list[Any], asked: Any, to_gpu: bool
    ) -> None:
        host = [x for x in flat if isinstance(x, Tensor) and not isinstance(x, Cuda)]
        copies = name in ("aten::copy_", "aten::_to_copy")
        if copies and (host or (ours and asked is not None and not to_gpu)):
            self._wait(f"{func}: copy between host and device")
        elif [x for x in host if x.dim() > 0] and ours:
            raise UncleanError(f"{func}: tensors on cuda:0 and on the CPU")
        elif host and ours and torch.Tag.pointwise not in func.tags:
            raise UncleanError(f"{func}: a number on the CPU is no pointwise operand")
        indices = flat if name in ("aten::index", "aten::index_put_", "aten::index_put") else ()
        masks = [x for x in indices if isinstance(x, Cuda) and x.dtype in (torch.bool,)][:1]
        if name in WAITS or (masks and flat[0] is not masks[0]):
            self._wait(str(func))

    def _wait(self, what: str) -> None:
        if self.tape is not None:
            raise UncleanError(f"{what}: not permitted in a capture")
        self.waits.append(what)


def _for_cpu(func: Any, name: str, args: Any, kwargs: Any) -> tuple[Any, Any, Any]:
    """What does on a CPU what cuDNN alone does."""
    if name == "aten::cudnn_batch_norm":
        x, weight, bias, mean, var, training, momentum, eps = args
        return _CudnnBatchNorm(), (x, weight, bias, mean, var, training, momentum, eps), {}
    if name == "aten::cudnn_batch_norm_backward":
        x, gradient, weight, mean, var, save_mean, save_var, eps, _ = args
        return aten.native_batch_norm_backward.default, (
            gradient, x, weight, mean, var, save_mean, save_var, True, eps, [True, True, True],
        ), {}  # fmt: skip
    return func, args, kwargs


class _CudnnBatchNorm:
    """cuDNN's batch norm has a fourth result, its reserve."""

    _schema = SimpleNamespace(name="aten::cudnn_batch_norm", is_mutable=True)

    def __call__(self, *args: Any) -> Any:
        return (*aten.native_batch_norm.default(*args), torch.empty(0, dtype=torch.uint8))


class Graph:
    """In the place of `torch.cuda.CUDAGraph`."""

    tape: Tape

    def replay(self) -> None:
        with _disable_current_modes(), torch.no_grad():
            self.tape.replay()


class Stream:
    """In the place of `torch.cuda.Stream`: there is one order of things here."""

    def __init__(self, device: object = None) -> None:
        del device

    def wait_stream(self, other: object) -> None:
        assert isinstance(other, Stream)


class _Chosen:
    """In the place of `torch.cuda.device`: there is one device."""

    def __init__(self, device: object) -> None:
        del device

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def _capturing(machine: Machine) -> Callable[..., Any]:
    """In the place of `torch.cuda.graph`."""

    @contextmanager
    def capturing(
        made: Graph, pool: object = None, stream: object = None, **_: object
    ) -> Iterator[None]:
        del pool, stream
        state = torch.get_rng_state()
        machine.tape = made.tape = Tape()
        try:
            yield
        finally:
            machine.tape.end()
            machine.tape = None
            torch.set_rng_state(state)

    return capturing


@contextmanager
def pretended() -> Iterator[Machine]:
    """A GPU, as far as this project asks for one."""
    machine = Machine()
    torch._C._ensureCUDADeviceGuardSet()
    state = torch.get_rng_state()
    changes: dict[str, Any] = {
        "torch.cuda.CUDAGraph": Graph,
        "torch.cuda.graph": _capturing(machine),
        "torch.cuda.graph_pool_handle": lambda: (0, 1),
        "torch.cuda.Stream": Stream,
        "torch.cuda.stream": lambda _: nullcontext(),
        "torch.cuda.current_stream": lambda *_: Stream(),
        "torch.cuda.amp.common.amp_definitely_not_available": lambda: False,
        "torch.cuda.is_available": lambda: True,
        "torch.cuda.is_bf16_supported": lambda *_, **__: True,
        "torch.cuda._lazy_init": lambda: None,
        "torch.cuda.device": _Chosen,
        "torch.cuda.reset_peak_memory_stats": lambda *_: None,
        "torch.cuda.max_memory_allocated": lambda *_: 0,
        "torch.cuda.get_device_capability": lambda *_: (9, 0),
        "torch.cuda.synchronize": lambda *_: None,
        "torch.cuda.get_rng_state": lambda *_: torch.get_rng_state(),
        "torch.cuda.set_rng_state": lambda *_: None,
        "torch.cuda.manual_seed_all": lambda *_: None,
        "torch.autograd.backward": backward,
    }
    with ExitStack() as contexts:
        graph._stream.cache_clear()
        contexts.callback(graph._stream.cache_clear)  # a real GPU's tests must not find ours
        for name, value in changes.items():
            contexts.enter_context(mock.patch(name, value))
        contexts.enter_context(torch.autograd.set_multithreading_enabled(False))
        contexts.enter_context(cast(Any, machine))
        lifted = torch._C._only_lift_cpu_tensors()
        overwrite = torch.__future__.get_overwrite_module_params_on_conversion()
        torch.__future__.set_overwrite_module_params_on_conversion(True)
        torch._C._set_only_lift_cpu_tensors(True)  # torch.tensor(..., device="cuda") comes by here
        try:
            yield machine
        finally:
            torch._C._set_only_lift_cpu_tensors(lifted)
            torch.__future__.set_overwrite_module_params_on_conversion(overwrite)
            torch.set_rng_state(state)
