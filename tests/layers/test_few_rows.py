"""Products of few rows: the same numbers as torch's own, whatever the input is like."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from deixis.layers import few_rows
from deixis.layers.few_rows import FEW, FewRowsLinear, quicken


@pytest.fixture(autouse=True)
def two_threads_and_small_is_large(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Layers of tests are small, and tests run by one thread."""
    monkeypatch.setattr(few_rows, "LARGE", 1)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


needs_it = pytest.mark.skipif(not few_rows.known(), reason="torch without oneDNN")


def twins(*, bias: bool = True) -> tuple[nn.Linear, nn.Linear]:
    """A layer, and one of the same weights that is quick."""
    torch.manual_seed(0)
    plain = nn.Linear(48, 80, bias=bias)
    quick = nn.Sequential(nn.Linear(48, 80, bias=bias))
    quick[0].load_state_dict(plain.state_dict())
    quicken(quick)
    return plain, quick[0]


@needs_it
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(48,), (1, 48), (8, 48), (2, 3, 48), (FEW, 48), (FEW + 1, 48), (0, 48)])
def test_it_gives_what_torch_gives(shape: tuple[int, ...], bias: bool) -> None:
    plain, quick = twins(bias=bias)
    assert isinstance(quick, FewRowsLinear)
    given = torch.randn(shape)
    with torch.no_grad():
        torch.testing.assert_close(quick(given), plain(given), rtol=1e-5, atol=1e-5)


@needs_it
def test_a_view_is_read_as_it_lies() -> None:
    plain, quick = twins()
    given = torch.randn(48, 2, 5).permute(2, 1, 0)[::2]
    with torch.inference_mode():
        torch.testing.assert_close(quick(given), plain(given), rtol=1e-5, atol=1e-5)


@needs_it
def test_only_what_gains_by_it_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    _, quick = twins()
    taken: list[int] = []
    product = torch.ops.mkldnn._linear_pointwise

    def counted(given: torch.Tensor, *others: object) -> torch.Tensor:
        taken.append(len(given))
        return product(given, *others)

    monkeypatch.setattr(torch.ops.mkldnn, "_linear_pointwise", counted)
    quick(torch.randn(2, 48)).sum().backward()
    assert quick.weight.grad is not None and not taken
    with torch.no_grad():
        quick(torch.randn(FEW + 1, 48))
        assert not taken
        quick(torch.randn(FEW, 48))
        assert taken == [FEW]
        with monkeypatch.context() as large:
            large.setattr(few_rows, "LARGE", quick.weight.numel() + 1)
            quick(torch.randn(2, 48))
        torch.set_num_threads(1)
        quick(torch.randn(2, 48))
        torch.set_num_threads(2)
        assert taken == [FEW]
        quick.to(torch.bfloat16)(torch.randn(2, 48, dtype=torch.bfloat16))
    assert taken == [FEW]


def test_weights_keep_their_names_and_other_layers_their_kind() -> None:
    class Own(nn.Linear):
        """A layer that does something else."""

    module = nn.ModuleDict({"plain": nn.Linear(4, 4), "own": Own(4, 4)})
    names = list(module.state_dict())
    quicken(module)
    assert list(module.state_dict()) == names
    assert type(module["own"]) is Own


def test_without_onednn_layers_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(few_rows, "known", lambda: False)
    layer = nn.Linear(4, 4)
    quicken(layer)
    assert type(layer) is nn.Linear
