"""The systems: one explicit table, and what can be looked up in it.

A system is its folder and a line here. Modules are imported when they are needed, never before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from deixis.errors import BadWeights, UsageError
from deixis.extras import missing_package

if TYPE_CHECKING:
    from deixis.checkpoints.convert.converters import Converter


@dataclass(frozen=True)
class Entry:
    """Where a system's parts are, each as "module:name".

    model_type: what its ``config.json`` says. answering: a function from a saved folder to a System.
    training: one from a recipe to TrainingParts. training_needs: one from a recipe to the names of packaged
    weights (``layers.towers.pretrained``) that its training starts from. how_to_get: what to do where there
    are no weights. weights: folder of weights inside the package. conversion: a tuple of Converters,
    see ``deixis convert``. parts: further types of saved folders, those of parts of the system that answer by
    themselves, and where the function is that opens each.
    """

    model_type: str
    answering: str
    training: str
    how_to_get: str
    weights: str | None = None
    training_needs: str | None = None
    conversion: str | None = None
    parts: Mapping[str, str] = field(default_factory=dict)

    def opens(self, kind: str) -> str:
        """Return where the function is that opens a saved folder of a type."""
        return self.parts.get(kind, self.answering)


SYSTEMS: Mapping[str, Entry] = MappingProxyType(
    {
        "pointer": Entry(
            model_type="deixis_pointer",
            answering="deixis.systems.pointer.answering:open_pointer",
            training="deixis.systems.pointer.training.building:training_parts",
            training_needs="deixis.systems.pointer.training.building:packaged_parts",
            weights="pointer/embedded",
            how_to_get="train it with `deixis train 'pointer/*' --data DIR --out DIR`",
        ),
        "ferret": Entry(
            model_type="deixis_ferret",
            answering="deixis.systems.ferret.answering:open_ferret",
            training="deixis.systems.ferret.training:training_parts",
            training_needs="deixis.systems.spliced.training.building:packaged_parts",
            conversion="deixis.systems.ferret.conversion:CONVERTERS",
            how_to_get="convert the published ones with `deixis convert ferret` (docs/ferret.md), or train a "
            "small one with `deixis train ferret/small --data DIR --out DIR`; then give the "
            "folder",
        ),
        "ferret_v2": Entry(
            model_type="deixis_ferret_v2",
            answering="deixis.systems.ferret_v2.answering:open_ferret_v2",
            training="deixis.systems.ferret_v2.training:training_parts",
            training_needs="deixis.systems.spliced.training.building:packaged_parts",
            conversion="deixis.systems.ferret_v2.conversion:CONVERTERS",
            how_to_get="convert Ferret-UI's with `deixis convert ferret-ui` (docs/ferret_v2.md; Ferret-v2's "
            "were never published), or train a small one with `deixis train ferret_v2/small --data DIR "
            "--out DIR`; then give the folder",
        ),
        "vip_llava": Entry(
            model_type="deixis_vip_llava",
            answering="deixis.systems.vip_llava.answering:open_vip_llava",
            training="deixis.systems.vip_llava.training:training_parts",
            training_needs="deixis.systems.spliced.training.building:packaged_parts",
            conversion="deixis.systems.vip_llava.conversion:CONVERTERS",
            how_to_get="convert the published ones with `deixis convert vip-llava` (docs/vip_llava.md), or "
            "train a small one with `deixis train vip_llava/small --data DIR --out DIR`; then give the "
            "folder",
        ),
        "florence_vl": Entry(
            model_type="deixis_florence_vl",
            answering="deixis.systems.florence_vl.answering:open_florence_vl",
            training="deixis.systems.florence_vl.training:training_parts",
            training_needs="deixis.systems.spliced.training.building:packaged_parts",
            conversion="deixis.systems.florence_vl.conversion:CONVERTERS",
            how_to_get="convert the published ones with `deixis convert florence-vl` (docs/florence_vl.md), "
            "or train a small one with `deixis train florence_vl/small-channel --data DIR --out DIR`; then "
            "give the folder",
        ),
        "groma": Entry(
            model_type="deixis_groma",
            answering="deixis.systems.groma.answering:open_groma",
            training="deixis.systems.groma.training.building:training_parts",
            training_needs="deixis.systems.groma.training.building:packaged_parts",
            conversion="deixis.systems.groma.conversion:CONVERTERS",
            parts=MappingProxyType(
                {"deixis_groma_proposer": "deixis.systems.groma.detector.answering:open_groma_proposer"}
            ),
            how_to_get="convert the published ones with `deixis convert groma` (docs/groma.md), or train a "
            "small one with `deixis train 'groma/small-*' --data DIR --out DIR`; then give the folder",
        ),
    }
)
DEFAULT = "pointer"


def entry(name: str) -> Entry:
    """Return the table's entry of a system; UsageError lists the known names."""
    if name not in SYSTEMS:
        raise UsageError(
            f"no system is called {name!r}; known systems: {', '.join(SYSTEMS)}; or give a folder"
        )
    return SYSTEMS[name]


def entry_of_type(kind: str, *, where: object) -> Entry:
    """Return the entry of the system whose saved folders are of a ``model_type``.

    where: the file that says so, for the BadWeights that lists the known types.
    """
    for known in SYSTEMS.values():
        if kind == known.model_type or kind in known.parts:
            return known
    types = ", ".join(one for known in SYSTEMS.values() for one in (known.model_type, *known.parts))
    raise BadWeights(f"{where} is of type {kind!r:.80}; this version opens: {types}")


def converters() -> tuple[Converter, ...]:
    """Return what all systems can convert, in the order of the table."""
    tables = (resolve(known.conversion) for known in SYSTEMS.values() if known.conversion is not None)
    return tuple(converter for table in tables for converter in table)


def resolve(path: str, *, extra: str | None = None) -> Any:
    """Return what "module:name" of the table stands for.

    MissingPackage where a package isn't installed; it names ``extra``, or the first extra that brings it.
    """
    module, _, name = path.partition(":")
    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError as fault:
        if (missing := missing_package(fault, extra=extra)) is None:
            raise
        raise missing from fault
