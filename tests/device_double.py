"""A device that isn't there: tensors that lie on the CPU, say otherwise, and act as an accelerator's would.

``DeviceDouble`` is switched on by ``with``. What is then made on ``double.device``, or moved there, is a
``DoubleTensor``, and so is what comes of one, until it is moved back by ``.cpu()`` or ``.to("cpu")``. As on
accelerators, a number may be read (``item``, ``tolist``, ``int``, ``bool``), a CPU tensor without dimensions
may take part in arithmetic, and ``copy_`` goes from anywhere to anywhere. Whatever else sees tensors of both
kinds is noted in ``mixed``. ``numpy`` is refused, and so is float64, which Apple's devices don't have.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

DEVICE, CPU = torch.device("mps"), torch.device("cpu")
PROJECT = Path(__file__).parents[1]
MOVES = (Tensor.copy_, Tensor.type_as, Tensor.to)  # from device to device, or to that of another tensor
STACKS = (torch.stack, torch.cat, torch.hstack, torch.vstack)  # not even a CPU tensor without dimensions
NUMPY = (Tensor.numpy, Tensor.__array__)


class DoubleTensor(Tensor):
    """A tensor that says that it is on ``DEVICE``; not to torch itself, while torch computes."""

    said: ClassVar[torch.device] = DEVICE

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        return self.said

    @property
    def is_cpu(self) -> bool:  # type: ignore[override]
        return False


class Refused(TypeError):
    """What an accelerator doesn't do."""


class DeviceDouble(TorchFunctionMode):
    """Watches what this thread does with tensors.

    mixed: what saw both kinds, with the place in the project's code. operations: how many were on the device.
    """

    device = DEVICE

    def __init__(self) -> None:
        super().__init__()
        self.mixed: list[str] = []
        self.operations = 0

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if func is torch._has_compatible_shallow_copy_type:  # a module on the move gets new parameters
            return False
        named = dict(kwargs or {})
        tensors = list(tensors_in([args, named]))
        is_there = any(isinstance(one, DoubleTensor) for one in tensors)
        if is_there:
            self.operations += 1
            self.watch(func, tensors)
        goal, args, named = destination(func, args, named, is_there=is_there)
        with torch._C.DisableTorchFunctionSubclass():
            DoubleTensor.said = CPU
            try:
                result = func(*args, **named)
            finally:
                DoubleTensor.said = DEVICE
            for one in tensors_in(result) if goal == DEVICE else ():
                if one.dtype == torch.float64:
                    raise Refused(f"{name_of(func)} makes float64 on a device that has none, at {caller()}")
            return carried(result, goal, args) if goal in (DEVICE, CPU) else result

    def watch(self, func: Any, tensors: list[Tensor]) -> None:
        """Note what mixes; raise Refused for what can't be done at all."""
        if func in NUMPY:
            raise Refused(f"numpy() of a tensor that isn't on the CPU, at {caller()}")
        others = [
            one for one in tensors if not isinstance(one, DoubleTensor) and (one.dim() or func in STACKS)
        ]
        if others and func not in MOVES:
            kinds = ["device" if isinstance(one, DoubleTensor) else "cpu" for one in tensors]
            shapes = [f"{kind} {list(one.shape)}" for kind, one in zip(kinds, tensors, strict=True)]
            self.mixed.append(f"{name_of(func)}({', '.join(shapes)}) at {caller()}")


def destination(
    func: Any, args: tuple[Any, ...], named: dict[str, Any], *, is_there: bool
) -> tuple[torch.device, tuple[Any, ...], dict[str, Any]]:
    """Return where the result of a call belongs, and the call's arguments with the CPU for the double."""
    goal = DEVICE if is_there and func is not torch.tensor else CPU
    if func is Tensor.cpu:
        goal = CPU
    if func in (Tensor.to, Tensor.type_as):
        other = next((one for one in (*args[1:], named.get("other")) if isinstance(one, Tensor)), None)
        goal = goal if other is None else DEVICE if isinstance(other, DoubleTensor) else CPU
        asked = [one for one in args[1:] if isinstance(one, torch.device | str)]
        goal = torch.device(asked[0]) if asked else goal
        args = tuple(really(one) if isinstance(one, torch.device | str) else one for one in args)
    if named.get("device") is not None:
        goal, named = torch.device(named["device"]), named | {"device": really(named["device"])}
    return (DEVICE if goal.type == DEVICE.type else goal), args, named


def really(device: torch.device | str) -> torch.device:
    """Return where tensors lie that say they are on a device."""
    return CPU if torch.device(device).type == DEVICE.type else torch.device(device)


def carried(result: Any, goal: torch.device, args: tuple[Any, ...]) -> Any:
    """Return a result with its tensors where they belong; what comes from elsewhere is a copy."""
    if isinstance(result, Tensor):
        if isinstance(result, DoubleTensor) == (goal == DEVICE):
            return result
        came = args[0] if args and isinstance(args[0], Tensor) else None
        crossed = came is not None and isinstance(came, DoubleTensor) != (goal == DEVICE)
        if crossed and came is not None and came.data_ptr() == result.data_ptr():
            result = result.clone()
        return result.as_subclass(DoubleTensor if goal == DEVICE else Tensor)
    if isinstance(result, list | tuple):
        return type(result)(carried(one, goal, args) for one in result)  # type: ignore[call-arg]
    return result


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Yield the tensors in nested arguments."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        yield from tensors_in(list(value.values()))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from tensors_in(one)
    elif isinstance(value, slice):
        yield from tensors_in([value.start, value.stop, value.step])


def name_of(func: Callable[..., Any]) -> str:
    """Return how a function of torch is called."""
    name = getattr(func, "__name__", str(func))
    return f"{getattr(func, '__self__', '')}.{name}" if name in ("__get__", "__set__") else name


def caller() -> str:
    """Return the innermost line of the project that is being run."""
    frame = sys._getframe(1)
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path != Path(__file__) and path.is_relative_to(PROJECT) and "site-packages" not in path.parts:
            return f"{path.relative_to(PROJECT)}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]
    return "nowhere in the project"
