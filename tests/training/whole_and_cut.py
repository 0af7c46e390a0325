"""Two examples of unequal answers, as one batch or one by one, for every objective there is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import normalize

from deixis.records.dialogue import Example
from deixis.systems.pointer.training.collate import PointerCollate
from deixis.systems.pointer.training.objective import ObjectiveWeights, PointerObjective
from deixis.systems.spliced.training.objective import SplicedObjective
from deixis.training.batches import Batch
from deixis.training.losses import Objective
from deixis.training.parallel import World, join_world
from deixis.training.passes import learn_from
from tests.systems.ferret.tiny import fresh_ferret, fresh_ferret_v2, lesson
from tests.systems.pointer.tiny import SIDE, noise_picture, tiny_dialogues, tiny_network, tiny_vocabulary
from tests.training.toy_objective import Sentences, ToyObjective, collate, recipe

ALONE = World(rank=0, size=1, device=torch.device("cpu"))


@dataclass(frozen=True)
class Case:
    """An objective; its examples as one batch, and each as a batch of its own."""

    objective: Objective
    whole: Batch
    cut: tuple[Batch, Batch]


def toy() -> Case:
    """Sentences of 3 and 6 words, of which only one is worth anything."""
    torch.manual_seed(0)
    pair = [Sentences().example(index, None) for index in (0, 3)]  # type: ignore[arg-type]
    return Case(ToyObjective(), collate(pair), (collate(pair[:1]), collate(pair[1:])))


def pointer() -> Case:
    """One picture with every kind of dialogue, one with a single name; two looks at candidates, a teacher."""
    network = tiny_network(candidates=6)
    vectors = normalize(torch.randn(5, 12, generator=torch.Generator().manual_seed(1)), dim=-1)
    torch.manual_seed(0)
    objective = PointerObjective(network, weights=ObjectiveWeights(), phrase_vectors=vectors)
    rows = {"the dog": 0, "red hat": 2, "a dog": 3}
    make = PointerCollate(network.config, tiny_vocabulary(), phrase_rows=rows)
    first, second = noise_picture(SIDE, SIDE), noise_picture(SIDE, SIDE, seed=1)
    dialogues = tiny_dialogues(first.frame)
    named = tuple(dialogue for dialogue in dialogues if dialogue.kind in ("name", "absent"))
    pair = [Example("one", first, dialogues), Example("two", second, named)]
    return Case(objective.train(), make(pair), (make(pair[:1]), make(pair[1:])))


def spliced(*, second: bool = False) -> Case:
    """A picture with all of a lesson, and one with a single turn, for Ferret or its second version."""
    system = fresh_ferret_v2() if second else fresh_ferret()
    make = system.collate()
    one, two = noise_picture(96, 64), noise_picture(64, 96, seed=1)
    pair = [Example("one", one, lesson(one.frame)), Example("two", two, lesson(two.frame)[:1])]
    return Case(SplicedObjective(system.network).train(), make(pair), (make(pair[:1]), make(pair[1:])))


CASES = {"toy": toy, "pointer": pointer, "ferret": spliced, "ferret_v2": lambda: spliced(second=True)}


def learnt(
    case: Case, passes: Sequence[Batch], world: World, out: Path
) -> tuple[dict[str, Tensor], dict[str, float]]:
    """Return the gradients and the losses of one step made of these passes (of this process)."""
    case.objective.zero_grad(set_to_none=True)
    losses = learn_from(passes, case.objective, recipe(), world=world, step=0, out=out)
    world.sum_gradients(case.objective.parameters())
    gradients = {
        name: parameter.grad.clone()
        for name, parameter in case.objective.named_parameters()
        if parameter.grad is not None
    }
    return gradients, world.sum_values(losses)


def one_of_two(rank: int, port: int, out: Path) -> None:
    """Be one of two processes, each of which holds one example of every case; the first writes what came."""
    os.environ |= {"WORLD_SIZE": "2", "RANK": str(rank), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    world = join_world("cpu")
    for name, make in CASES.items():
        case = make()
        result = learnt(case, [case.cut[rank]], world, out)
        if world.leads:
            torch.save(result, out / f"{name}.pt")
    world.close()
