# %% [markdown]
# # Write a featurizer
#
# A featurizer says two things: the names of the image's channels, and which channel each atom fills. This one tells polar from
# apolar atoms.
#
# It goes into a file, with a function that offers it. `affinity-zoo --plugin-file polar_and_apolar.py ...` reads the same file on
# the command line; a package of its own (`affinity-zoo plugins new`) is what others can install. The repository has this file in
# `examples/single_file/`.

# %%
import os
import tempfile
from pathlib import Path

import affinity_zoo
from affinity_zoo.zoo.catalog.registry import catalog
from affinity_zoo.zoo.demo.complexes import make_demo_set

plugin = Path(tempfile.mkdtemp()) / "polar_and_apolar.py"
plugin.write_text('''
from dataclasses import dataclass, field
from affinity_zoo.plugins import hookimpl
from affinity_zoo.plugins.contracts import Encoding, Featurizer

@dataclass(frozen=True)
class PolarAndApolar(Featurizer):
    """Four channels: polar and apolar atoms of the receptor and of the ligand."""
    name = "polar-and-apolar"
    summary = "4 channels: polar and apolar atoms of the receptor and of the ligand."
    api_version = 1
    radius: float = field(default=1.8, metadata={"help": "radius of every atom, Å"})

    @property
    def channels(self):
        return ("receptor-polar", "receptor-apolar", "ligand-polar", "ligand-apolar")

    def encode(self, atoms):
        import numpy as np  # here, not at the top: this file is read for every listing
        first = 0 if atoms.role == "receptor" else 2
        channel = np.where(np.isin(atoms.element, (7, 8)), first, first + 1).astype(np.int32)
        return Encoding(radius=np.full(len(atoms), self.radius, np.float32), channel=channel)

@hookimpl
def register_featurizers():
    return [PolarAndApolar]
''')
os.environ["AFFINITY_ZOO_PLUGIN_FILES"] = str(plugin)
mine = catalog().create("featurizer", "polar-and-apolar", {})
mine.channels

# %% [markdown]
# The first thing to look at is the image of a real complex: does every channel hold what its name says?

# %%
from affinity_zoo.zoo.see.view import box_from, make_view

work = Path(tempfile.gettempdir()) / "affinity-zoo-notebooks"
made = make_demo_set(work / "structures", decoys_per_ligand=2, tries=5)
receptor = min(Path(made.folder, "receptors").glob("7pbl*"))
ligand = min(Path(made.folder, "crystal_ligands", receptor.stem).iterdir())
view = make_view(receptor, ligand, mine, box_from((24, 1.0), mine))
for row in view.described():
    print(f"{row['channel']:16} {row['voxels']:6} voxels, largest {row['max']:.3f}")

# %% [markdown]
# Any architecture trains with it, by its name.

# %%
data, runs = plugin.parent / "data", plugin.parent / "summaries"
affinity_zoo.index(made.folder, data, progress=False)
run = affinity_zoo.train(
    data,
    "polar-and-apolar",
    "resnet3d",
    architecture_options={"filters": 4},
    box=(12, 2.0),
    epochs=2,
    runs=runs,
)
run
