# %% [markdown]
# # Write a featurizer
#
# This notebook writes a featurizer and trains a network with it. A featurizer defines the names of the image's channels, and the
# channel of each atom. This one distinguishes polar from apolar atoms.
#
# The featurizer is a class in a file, with a function that registers it. On the command line,
# `affinity-zoo --plugin-file polar_and_apolar.py ...` uses the same file. To share a featurizer, make a package
# (`affinity-zoo plugins new`). The repository has this file in `examples/single_file/`.

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
# First check the image of a real complex: does every channel contain the atoms that its name promises?

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
# Every architecture can be trained with it:

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
