"""The visual sampler: factorised against pair by pair, batches against single regions, what it refuses."""

from __future__ import annotations

import copy
import io
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from bench.literal_sampler import literal_regions
from deixis.errors import BadRegion, UsageError
from deixis.layers.regions import neighbour_pooling
from deixis.layers.regions.point_draws import DrawnRegions
from deixis.layers.regions.sampler_size import PointOrder, SamplerSize
from deixis.layers.regions.visual_sampler import VisualSampler
from deixis.regions.pixels import RegionPixels

WIDTH, OUT = 12, 20
SMALL = SamplerSize(points=40, anchors=(12, 5), neighbours=(6, 4))
SIZES = [(6, 9), (4, 4), (3, 3)]


@pytest.fixture(autouse=True)
def same_numbers() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def make(size: SamplerSize = SMALL, *, point_order: PointOrder = "xy") -> VisualSampler:
    return VisualSampler(width=WIDTH, out_width=OUT, size=size, point_order=point_order).eval()


def make_maps(sizes: list[tuple[int, int]] = SIZES) -> list[Tensor]:
    return [torch.randn(WIDTH, *size) for size in sizes]


def box(x0: int, y0: int, x1: int, y1: int) -> RegionPixels:
    return RegionPixels.rectangle(x0, y0, x1, y1, width=50, height=40)


PICTURES = [
    [box(0, 0, 50, 40), box(3, 3, 9, 9)],
    [],
    [box(20, 20, 21, 21), box(7, 0, 30, 8), box(40, 30, 50, 40)],
]


def draw(pictures: list[list[RegionPixels]] = PICTURES, size: SamplerSize = SMALL) -> DrawnRegions:
    return DrawnRegions.draw(pictures, count=size.points, stages=size.anchors)


def some(drawn: DrawnRegions, region: int) -> DrawnRegions:
    """One region alone, in the same picture."""
    one = slice(region, region + 1)
    return DrawnRegions(drawn.points[one], drawn.pictures[one], drawn.starts[:, one])


def test_weights_have_the_original_names_and_shapes() -> None:
    sampler = VisualSampler(width=8, out_width=10)
    shapes = {name: list(weight.shape) for name, weight in sampler.state_dict().items()}
    assert shapes == {
        **{f"diff_projector_list.{i}.weight": [10, 10] for i in (0, 1)},
        **{f"diff_projector_list.{i}.bias": [10] for i in (0, 1)},
        **{f"agg_projector_list.{i}.net.0.weight": [8, 20, 1] for i in (0, 1)},
        **{f"agg_projector_list.{i}.net.0.bias": [8] for i in (0, 1)},
        **{f"agg_projector_list.{i}.norm.weight": [8] for i in (0, 1)},
        **{f"agg_projector_list.{i}.norm.bias": [8] for i in (0, 1)},
        "flatten_projector.weight": [8, 256],
        "flatten_projector.bias": [8],
        "dim_projector.weight": [10, 8],
        "dim_projector.bias": [10],
    }


@pytest.mark.parametrize("pooling", ["max", "mean"])
@pytest.mark.parametrize("point_order", ["xy", "transposed"])
@pytest.mark.parametrize(
    "sizes", [SIZES, [(20, 30), (25, 25), (40, 10)]]
)  # fewer, and more, cells than points
def test_both_forms_agree_in_values_and_gradients(
    pooling: Any, point_order: PointOrder, sizes: list[tuple[int, int]]
) -> None:
    size = SamplerSize(points=40, anchors=(12, 5), neighbours=(6, 4), pooling=pooling)
    sampler, drawn = make(size, point_order=point_order), draw(size=size)
    maps = [one.requires_grad_() for one in make_maps(sizes)]
    leaves = [maps[0], maps[2], *sampler.parameters()]
    ours, pairs = sampler(maps, drawn), literal_regions(sampler, maps, drawn)
    torch.testing.assert_close(ours, pairs, rtol=1e-5, atol=1e-5)
    weights = torch.randn_like(ours)
    gradients = [torch.autograd.grad((value * weights).sum(), leaves) for value in (ours, pairs)]
    for mine, theirs in zip(*gradients, strict=True):
        assert theirs.any()
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)
    with torch.no_grad():
        torch.testing.assert_close(sampler(maps, drawn), pairs, rtol=1e-5, atol=1e-5)


def test_three_stages_and_one_are_possible() -> None:
    for anchors, neighbours in (((20, 9, 3), (5, 5, 4)), ((7,), (9,))):
        size = SamplerSize(points=30, anchors=anchors, neighbours=neighbours)
        sampler, drawn, maps = make(size), draw(size=size), make_maps()
        torch.testing.assert_close(sampler(maps, drawn), literal_regions(sampler, maps, drawn))


def test_a_point_is_read_where_it_lies_and_transposed_where_published_weights_read_it() -> None:
    column = torch.arange(9.0).expand(6, 9)  # a map that tells its column, and one that tells its row
    row = torch.arange(6.0)[:, None].expand(6, 9)
    maps = [torch.cat([column[None], row[None], torch.zeros(WIDTH - 2, 6, 9)])]
    corner = DrawnRegions(
        torch.tensor([[[0.75, 0.2]]]).expand(1, 40, 2), torch.tensor([0]), torch.zeros(2, 1)
    )
    read = make().point_features(maps, corner)[0, 0]
    torch.testing.assert_close(read[:2], torch.tensor([0.75 * 8, 0.2 * 5]))
    read = make(point_order="transposed").point_features(maps, corner)[0, 0]
    torch.testing.assert_close(read[:2], torch.tensor([0.2 * 8, 0.75 * 5]))


def test_a_batch_gives_what_its_regions_give_alone() -> None:
    sampler, maps, drawn = make(), make_maps(), draw()
    with torch.no_grad():
        together = sampler(maps, drawn)
        for region in range(len(drawn)):
            alone = sampler(maps, some(drawn, region))
            torch.testing.assert_close(alone[0], together[region], rtol=1e-5, atol=1e-5)


def test_two_hundred_regions_at_once_and_the_last_is_right() -> None:
    pictures = [[box(n % 40, n % 30, n % 40 + 1 + n % 10, n % 30 + 1 + n % 7) for n in range(100)]] * 2
    sampler, maps, drawn = make(), make_maps(SIZES[:2]), draw(pictures)
    with torch.inference_mode():
        vectors = sampler(maps, drawn)
        assert vectors.shape == (200, OUT)
        alone = sampler(maps, some(drawn, 199))
    torch.testing.assert_close(vectors[199], alone[0], rtol=1e-5, atol=1e-5)


def test_parts_held_in_the_cache_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    sampler, maps, drawn = make(), make_maps(), draw()
    with torch.no_grad():
        whole = sampler(maps, drawn)
        monkeypatch.setattr(neighbour_pooling, "PAIR_BYTES", 1)
        torch.testing.assert_close(sampler(maps, drawn), whole, rtol=0, atol=1e-6)


def test_choices_can_be_read_and_given() -> None:
    sampler, maps, drawn = make(), make_maps(), draw()
    chosen = sampler.choose(drawn)
    torch.testing.assert_close(sampler(maps, drawn, chosen=chosen), sampler(maps, drawn))
    elsewhere = [type(each)(each.anchors.flip(0), each.neighbours.flip(0)) for each in chosen]
    assert not torch.allclose(sampler(maps, drawn, chosen=elsewhere), sampler(maps, drawn))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_weights_round_only_in_the_published_order(dtype: torch.dtype) -> None:
    maps, drawn = [one.to(dtype) for one in make_maps()], draw()
    ours, published = make().to(dtype), make(point_order="transposed").to(dtype)
    assert ours.placed(drawn).dtype == torch.float32
    assert torch.equal(published.placed(drawn), drawn.points.to(dtype))
    with torch.no_grad():
        regions = ours(maps, drawn)
        assert regions.dtype == dtype
        exact = make()
        exact.load_state_dict(ours.state_dict())
        torch.testing.assert_close(
            regions.float(), exact([one.float() for one in maps], drawn), rtol=0.02, atol=0.02
        )
        rounded = published(maps, drawn, chosen=published.choose(drawn))
        torch.testing.assert_close(rounded, literal_regions(published, maps, drawn), rtol=0, atol=0.02)


def test_mixed_precision_keeps_geometry_and_pairs_exact() -> None:
    sampler, maps, drawn = make(), make_maps(), draw()
    exact = sampler(maps, drawn)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = sampler(maps, drawn)
        assert sampler.placed(drawn).dtype == torch.float32
    assert mixed.dtype == torch.bfloat16
    torch.testing.assert_close(mixed.float(), exact, rtol=0.02, atol=0.02)
    mixed.float().sum().backward()
    assert all(weight.grad is not None for weight in sampler.parameters())


def test_no_regions_give_no_rows_and_gradients_of_nothing() -> None:
    for point_order in ("xy", "transposed"):
        sampler, drawn = make(point_order=point_order), draw([[], []])  # type: ignore[arg-type]
        maps = [one.requires_grad_() for one in make_maps(SIZES[:2])]
        vectors = sampler(maps, drawn)
        assert vectors.shape == (0, OUT)
        vectors.sum().backward()
        for leaf in (*maps, *sampler.parameters()):
            assert leaf.grad is not None and not leaf.grad.any()
        with torch.inference_mode():
            assert sampler(maps, drawn).shape == (0, OUT)


def test_kept_factors_follow_the_weights() -> None:
    sampler, maps, drawn = make(), make_maps(), draw()

    def agree() -> None:
        torch.testing.assert_close(sampler(maps, drawn), literal_regions(sampler, maps, drawn))

    with torch.no_grad():
        agree()
        assert sampler.factors() is sampler.factors()
        sampler.diff_projector_list[0].weight.mul_(3)
        agree()
        sampler.agg_projector_list[1].net[0].weight = torch.nn.Parameter(
            torch.randn(WIDTH, 2 * (WIDTH + 2), 1)
        )
        agree()
        sampler.load_state_dict(make().state_dict())
        agree()
        sampler.train()
        sampler.agg_projector_list[0].net[0].bias.data += 1
        sampler.eval()
        agree()
        other = copy.deepcopy(sampler)
        other.diff_projector_list[0].weight.mul_(2)
        torch.testing.assert_close(other(maps, drawn), literal_regions(other, maps, drawn))
        agree()
        torch.save(sampler, io.BytesIO())  # what is kept doesn't travel
        sampler.double()
        assert sampler.kept is None


def test_factors_are_functions_of_the_weights_while_gradients_are_wanted() -> None:
    sampler = make()
    with torch.no_grad():
        sampler.factors()
    sampler(make_maps(), draw()).sum().backward()
    gradient = sampler.diff_projector_list[0].weight.grad
    assert gradient is not None and gradient.any()


@pytest.mark.parametrize(
    ("maps", "pictures", "said"),
    [
        ([], [[]], r"maps have shapes \[\]"),
        ([(WIDTH + 1, 4, 4)], [[box(0, 0, 5, 5)]], rf"expected one of \({WIDTH}, H, W\)"),
        ([(WIDTH, 16)], [[box(0, 0, 5, 5)]], "expected one of"),
        ([(WIDTH, 4, 4)], [[], [box(0, 0, 5, 5)]], r"pictures \[1\], counted from 0, but there are 1 maps"),
    ],
)
def test_maps_that_do_not_belong_to_the_regions_are_refused(
    maps: list[tuple[int, ...]], pictures: list[list[RegionPixels]], said: str
) -> None:
    with pytest.raises(BadRegion, match=said):
        make()([torch.zeros(shape) for shape in maps], draw(pictures))


def test_a_draw_for_another_size_is_refused() -> None:
    drawn = DrawnRegions.draw([[box(0, 0, 5, 5)]])
    with pytest.raises(BadRegion, match=r"draw with count=40, stages=\(12, 5\)"):
        make()(make_maps(), drawn)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"anchors": (128,)}, "one number for every stage"),
        ({"anchors": (), "neighbours": ()}, "one number for every stage"),
        ({"anchors": (600, 32)}, "anchors"),
        ({"neighbours": (24, 200)}, "neighbours"),
        ({"neighbours": (0, 24)}, "neighbours"),
        ({"pooling": "sum"}, "expected 'max' or 'mean'"),
    ],
)
def test_sizes_that_cannot_be_are_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        SamplerSize(**fields)


def test_sizes_can_be_lists_as_in_a_configuration_file() -> None:
    assert SamplerSize(anchors=[128, 32], neighbours=[24, 24]) == SamplerSize()  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="point_order"):
        VisualSampler(width=4, out_width=4, point_order="yx")  # type: ignore[arg-type]
