"""gnina's 28 atom types with their radii, and the maps from type to image channel.

Sources: libmolgrid's ``GninaIndexTyper`` and its default receptor and ligand maps (``completerec``,
``completelig``), and the maps of gnina's ``default2017`` network. Plain Python: nothing heavy is imported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

#: (name, radius in Å) of the types 0..27, in gnina's order.
TYPES: Final[tuple[tuple[str, float], ...]] = (
    ("Hydrogen", 0.37),
    ("PolarHydrogen", 0.37),
    ("AliphaticCarbonXSHydrophobe", 1.9),
    ("AliphaticCarbonXSNonHydrophobe", 1.9),
    ("AromaticCarbonXSHydrophobe", 1.9),
    ("AromaticCarbonXSNonHydrophobe", 1.9),
    ("Nitrogen", 1.8),
    ("NitrogenXSDonor", 1.8),
    ("NitrogenXSDonorAcceptor", 1.8),
    ("NitrogenXSAcceptor", 1.8),
    ("Oxygen", 1.7),
    ("OxygenXSDonor", 1.7),
    ("OxygenXSDonorAcceptor", 1.7),
    ("OxygenXSAcceptor", 1.7),
    ("Sulfur", 2.0),
    ("SulfurAcceptor", 2.0),
    ("Phosphorus", 2.1),
    ("Fluorine", 1.5),
    ("Chlorine", 1.8),
    ("Bromine", 2.0),
    ("Iodine", 2.2),
    ("Magnesium", 1.2),
    ("Manganese", 1.2),
    ("Zinc", 1.2),
    ("Calcium", 1.2),
    ("Iron", 1.2),
    ("GenericMetal", 1.2),
    ("Boron", 1.92),
)

TYPE_NAMES: Final[tuple[str, ...]] = tuple(name for name, _ in TYPES)
TYPE_RADII: Final[tuple[float, ...]] = tuple(radius for _, radius in TYPES)  #: Å
HYDROGEN_TYPES: Final[frozenset[int]] = frozenset((0, 1))  #: never imaged, and not counted as untyped


@dataclass(frozen=True)
class ChannelMap:
    """Which types share a channel, for one role.

    Args:
        names: channel names, in order.
        types: for each channel, the types that fill it.
    """

    names: tuple[str, ...]
    types: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.names)

    def table(self) -> tuple[int, ...]:
        """Channel of each of the 28 types; -1 where the map has no place for it."""
        channel = [-1] * len(TYPES)
        for number, members in enumerate(self.types):
            for member in members:
                channel[member] = number
        return tuple(channel)


_CARBON = (
    ("carbon-aliphatic-hydrophobic", (2,)),
    ("carbon-aliphatic", (3,)),
    ("carbon-aromatic-hydrophobic", (4,)),
    ("carbon-aromatic", (5,)),
)
_POLAR = (
    ("nitrogen-acceptor", (6, 9)),
    ("nitrogen-donor", (7, 8)),
    ("oxygen-acceptor", (10, 13)),
    ("oxygen-donor", (12, 11)),
    ("sulfur", (14, 15)),
    ("phosphorus", (16,)),
)


def _channel_map(*rows: tuple[str, tuple[int, ...]]) -> ChannelMap:
    return ChannelMap(tuple(name for name, _ in rows), tuple(types for _, types in rows))


def _one_type_each(*types: int) -> ChannelMap:
    return ChannelMap(tuple(TYPE_NAMES[number] for number in types), tuple((number,) for number in types))


#: libmolgrid's default receptor map (``completerec``), 14 channels.
RECEPTOR_CHANNELS: Final = _channel_map(
    *_CARBON,
    ("halogen", (19, 20, 18, 17)),
    *_POLAR,
    ("calcium", (24,)),
    ("zinc", (23,)),
    ("metal-or-boron", (26, 27, 22, 21, 25)),
)

#: libmolgrid's default ligand map (``completelig``), 14 channels.
LIGAND_CHANNELS: Final = _channel_map(
    *_CARBON,
    ("bromine-iodine", (19, 20)),
    ("chlorine", (18,)),
    ("fluorine", (17,)),
    *_POLAR,
    ("metal-or-boron", (26, 27, 22, 21, 23, 24, 25)),
)

#: The maps of gnina's ``default2017`` network: one type a channel, all others dropped (16 + 19 channels).
RECEPTOR_CHANNELS_2017: Final = _one_type_each(2, 3, 4, 5, 24, 25, 21, 6, 9, 7, 8, 13, 12, 16, 14, 23)
LIGAND_CHANNELS_2017: Final = _one_type_each(
    2, 3, 4, 5, 19, 18, 17, 6, 9, 7, 8, 10, 13, 12, 16, 14, 15, 20, 27
)

Scheme = Literal["default", "default2017"]

#: scheme name -> (receptor map, ligand map)
SCHEMES: Final[dict[str, tuple[ChannelMap, ChannelMap]]] = {
    "default": (RECEPTOR_CHANNELS, LIGAND_CHANNELS),
    "default2017": (RECEPTOR_CHANNELS_2017, LIGAND_CHANNELS_2017),
}
