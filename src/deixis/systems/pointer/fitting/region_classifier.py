"""Fitting the region classifier to a network that is otherwise finished.

Every thing that some phrase names is shown as a box, a jittered box, points, a stroke and an outline. What
the network's maps hold there is read once and kept, so that many passes over it cost little; most of it is
dropped, anew each time. Right is any noun that a phrase has for the thing, each as likely as the others.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from deixis.data.opening import open_scene
from deixis.data.perturbation import ANYWHERE, inner_point, inner_scribble, jittered, outline
from deixis.data.scene import Scene
from deixis.data.synthesis.phrasebook import nouns_of, phrases_of
from deixis.data.synthesis.qualities import qualities_in
from deixis.devices import moved, pixel_tensor
from deixis.english.nouns import head_noun, words_of
from deixis.layers.regions.region_classifier import NEVER, RegionClassifier, seen_in
from deixis.pictures.padding import letterbox
from deixis.progress import SILENT, Progress
from deixis.regions.shapes import Box, Region
from deixis.systems.pointer.core import PointerCore
from deixis.systems.pointer.region_inputs import region_tensors
from deixis.text.tokenizers.word_pieces.vocabulary import UNKNOWN, Vocabulary

LEAST = 4  # things that a name must have to be learnt
LEAST_QUALITY = 30  # phrases that a word must stand in, before the noun, to be known as a quality
PASSES, BATCH = 4, 512
RATE, WEIGHT_DECAY, WARMUP = 1e-3, 0.05, 50
LEAST_SPREAD = 1e-3  # what hardly ever differs is not blown up


@dataclass(frozen=True)
class Lessons:
    """Regions as the network sees them, and what they are called."""

    seen: Tensor  # (R, S) float16
    names: Tensor  # (R, M) places in ``pieces``, -1 behind the last name
    pieces: Tensor  # (N,) ids of the word pieces that begin a name


def fit_region_classifier(
    network: PointerCore,
    vocabulary: Vocabulary,
    scenes: Sequence[Scene],
    *,
    seed: int = 0,
    progress: Progress = SILENT,
) -> None:
    """Fit ``network.region_namer`` to the named things of scenes; everything else is frozen.

    Takes 6 kB of memory for each region shown, six for each named thing.
    """
    lessons = lessons_from(network, vocabulary, scenes, progress=progress)
    if len(lessons.seen) == 0:
        return
    classifier = network.region_namer
    mean, spread = mean_and_spread(lessons.seen)
    with torch.no_grad():
        classifier.mean.copy_(mean)
        classifier.spread.copy_(spread + LEAST_SPREAD)
        classifier.bias.fill_(NEVER)
        classifier.bias[lessons.pieces.to(classifier.bias.device)] = 0.0
    device = classifier.bias.device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        for layer in (classifier.hidden, classifier.out):
            layer.reset_parameters()
        practise(classifier.train(), network.words.table.weight.detach(), lessons)
    texts = [text for scene in scenes for text in phrases_of(scene)]
    qualities = (one for text in texts for one in qualities_in(text) if len(vocabulary.encode(one)) == 1)
    before = torch.zeros(len(vocabulary), dtype=torch.bool)
    before[in_front(scenes, vocabulary)] = True
    before = before.to(device)
    with torch.no_grad():
        classifier.eval().bias[before] = NEVER
        classifier.usual_names.copy_(log_shares(map(head_noun, texts), vocabulary))
        classifier.usual_qualities.copy_(log_shares(qualities, vocabulary, at_least=LEAST_QUALITY))
        classifier.usual_qualities[~before] = NEVER


def mean_and_spread(seen: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation (S,) of rows (R, S), read a few at a time: there may be gigabytes.

    >>> mean, spread = mean_and_spread(torch.tensor([[1.0, 2.0], [3.0, 2.0]]))
    >>> mean.tolist(), spread.tolist()
    ([2.0, 2.0], [1.0, 0.0])
    """
    total = torch.zeros(seen.shape[1], dtype=torch.float64)
    squares = torch.zeros_like(total)
    for rows in seen.split(BATCH):
        total += rows.double().sum(dim=0)
        squares += rows.double().square().sum(dim=0)
    mean = total / len(seen)
    return mean, (squares / len(seen) - mean.square()).clamp(min=0).sqrt()


def practise(classifier: RegionClassifier, words: Tensor, lessons: Lessons) -> None:
    """Go through the lessons ``PASSES`` times."""
    optimiser = torch.optim.AdamW(classifier.parameters(), lr=RATE, weight_decay=WEIGHT_DECAY)
    steps = PASSES * math.ceil(len(lessons.seen) / BATCH)

    def factor(step: int) -> float:
        return min(1.0, (step + 1) / WARMUP) * 0.5 * (1 + math.cos(math.pi * step / steps))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, factor)
    pieces = lessons.pieces.to(words.device)
    for _ in range(PASSES):
        for rows in torch.randperm(len(lessons.seen)).split(BATCH):
            logits = classifier(lessons.seen[rows].to(words.device).float(), words)
            loss = name_loss(logits[:, pieces], lessons.names[rows].to(words.device))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()


def name_loss(logits: Tensor, names: Tensor) -> Tensor:
    """Return the mean cross entropy of logits (K, N) against names (K, M), all of a thing's equally right."""
    said = logits.log_softmax(dim=-1).gather(1, names.clamp(min=0))
    named = names >= 0
    return -((said * named).sum(dim=1) / named.sum(dim=1)).mean()


@torch.no_grad()
def lessons_from(
    network: PointerCore, vocabulary: Vocabulary, scenes: Sequence[Scene], *, progress: Progress = SILENT
) -> Lessons:
    """Return what the network sees in the named things of scenes."""
    firsts = [first_pieces(scene, vocabulary) for scene in scenes]
    counts = Counter(piece for things in firsts for pieces in things.values() for piece in pieces)
    pieces = sorted(piece for piece, count in counts.items() if count >= LEAST)
    places = {piece: place for place, piece in enumerate(pieces)}
    seen: list[Tensor] = []
    names: list[list[int]] = []
    tracked = progress.track(scenes, "fitting: region classifier", unit="picture")
    for scene, things in zip(tracked, firsts, strict=True):
        known = {
            thing: [places[piece] for piece in begun if piece in places] for thing, begun in things.items()
        }
        known = {thing: own for thing, own in known.items() if own}
        if known:
            shown = shown_things(network, scene, list(known))
            seen.append(shown)
            names += [own for own in known.values() for _ in range(len(shown) // len(known))]
    most = max((len(own) for own in names), default=1)
    return Lessons(
        torch.cat(seen) if seen else torch.zeros(0, 1),
        torch.tensor([own + [-1] * (most - len(own)) for own in names]).view(len(names), most),
        torch.tensor(pieces, dtype=torch.long),
    )


def in_front(scenes: Sequence[Scene], vocabulary: Vocabulary) -> Tensor:
    """Return the ids (N,) of word pieces that begin words in front of nouns more often than nouns.

    Where an answer begins with one of these ("black", "tennis"), no name is said yet.
    """
    nouns: Counter[int] = Counter()
    before: Counter[int] = Counter()
    for scene in scenes:
        for phrase in phrases_of(scene):
            noun, words = head_noun(phrase), words_of(phrase)
            nouns.update(vocabulary.encode(noun)[:1])
            first = words.index(noun) if noun in words else len(words)
            before.update(vocabulary.encode(word)[0] for word in words[:first])
    return torch.tensor(sorted(p for p in before if before[p] > nouns[p]), dtype=torch.long)


def log_shares(words: Iterable[str], vocabulary: Vocabulary, *, at_least: int = 1) -> Tensor:
    """Return, by word piece (V,), the log of the share of words that begin with it; NEVER for rarer ones."""
    counts = Counter(vocabulary.encode(word)[0] for word in words if word)
    shares = torch.full((len(vocabulary),), NEVER)
    for piece, count in counts.items():
        if piece != UNKNOWN.id and count >= at_least:
            shares[piece] = math.log(count / counts.total())
    return shares


def first_pieces(scene: Scene, vocabulary: Vocabulary) -> dict[int, list[int]]:
    """Return, for every named thing, the word pieces that the head nouns of its phrases begin with."""
    return {
        thing: sorted({vocabulary.encode(noun)[0] for noun in nouns if noun} - {UNKNOWN.id})
        for thing, nouns in nouns_of(scene).items()
    }


def shown_things(network: PointerCore, scene: Scene, things: Sequence[int]) -> Tensor:
    """Return what the network sees (R, S), float16, when things are pointed at, thing by thing."""
    picture, scene = open_scene(scene)
    view = letterbox(picture, network.config.side)
    regions = [
        region
        for thing in things
        for region in ways_to_point(
            scene.thing(thing).box.bind(picture.frame).to(view.frame),
            np.random.default_rng(zlib.crc32(f"{scene.id}/{thing}".encode())),
        )
    ]
    device = next(network.parameters()).device
    pixels = pixel_tensor(view.pixels, device=device, dtype=torch.float32)
    tensors = moved(region_tensors([regions], network.config), device)
    seen = seen_in(network.maps(pixels), tensors["region_masks"], tensors["region_geometry"])
    return seen[0].half().cpu()


def ways_to_point(box: Box, rng: np.random.Generator) -> Iterator[Region]:
    """Yield the regions by which the thing in a box is shown."""
    yield box
    yield jittered(box, rng)
    yield inner_point(box, rng, spread=ANYWHERE)
    yield inner_point(box, rng, spread=ANYWHERE)
    yield inner_scribble(box, rng, spread=ANYWHERE)
    yield outline(jittered(box, rng), rng)
