"""Check of Florence-VL's alignment loss: vectors, products, loss, and the gradient of the projection."""

from __future__ import annotations

from torch import Tensor, nn

from deixis.layers.alignment import align, unit_mean
from tests.parity.case import Case
from tests.parity.planning import Check


def check_alignment_loss(case: Case) -> None:
    """The loss of a batch whose pictures and texts have any number of vectors."""
    count = case.given("N")
    pictures = [case.input(f"vision_tokens/{n}") for n in range(count)]
    texts = [case.input(f"text_tokens/{n}") for n in range(count)]
    case.expect("tokens_per_image", ours=[len(one) for one in pictures])
    case.expect("tokens_per_text", ours=[len(one) for one in texts])
    weights = case.weights()
    projection = nn.Linear(
        case.given("vision_dim"), case.given("text_dim"), bias="projection.bias" in weights
    )
    projection.load_state_dict(
        {name.removeprefix("projection."): tensor for name, tensor in weights.items()}, strict=True
    )
    found = align(unit_mean([projection(one) for one in pictures]), unit_mean(texts))
    case.output("Fv", found.pictures)
    case.output("Ft", found.texts)
    case.output("similarity", found.similarity)
    case.output("loss_sum", found.total)
    case.output("loss_mean", found.mean)
    gradients(case, found.mean, projection)
    exact = projection.double()
    double = align(
        unit_mean([exact(one.double()) for one in pictures]), unit_mean([one.double() for one in texts])
    )
    case.expect("check", "loss_mean_float64", ours=float(double.mean.detach()), under="values")


def gradients(case: Case, loss: Tensor, projection: nn.Linear) -> None:
    """Compare the projection's gradients."""
    loss.backward()
    for name, weight in projection.named_parameters():
        assert weight.grad is not None
        case.output(f"grad_projection.{name}", weight.grad, under="gradients")


ALIGNMENT: dict[str, Check] = {
    "alignment_loss": Check(
        check_alignment_loss,
        given=(
            *("N", "vision_dim", "text_dim", "formula", "temperature", "softmax_axis"),
            "check/abs_diff_float32_vs_float64",
        ),
    )
}
