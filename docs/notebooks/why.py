# %% [markdown]
# # Explain a score
#
# This notebook shows which atoms contribute to a score. Blue atoms raise it, vermilion atoms lower it. An attribution shows what this
# network uses, right or wrong; it is not an energy.

# %%
import tempfile
from pathlib import Path

import affinity_zoo
from affinity_zoo.zoo.demo.complexes import make_demo_set

work = Path(tempfile.gettempdir()) / "affinity-zoo-notebooks"
structures = Path(make_demo_set(work / "structures", decoys_per_ligand=2, tries=5).folder)
receptor = min((structures / "receptors").glob("7pbl*"))
ligand = min((structures / "crystal_ligands" / receptor.stem).iterdir())

# %% [markdown]
# The page can be rotated, shows the value of the atom under the mouse pointer, and works without internet access. With `out="why"` it is
# written as a file, together with a PDB file with the values as B factors, an SDF file and tables.

# %%
found = affinity_zoo.explain("zoo-small", receptor, ligand, method="gradient", views=1)
found

# %% [markdown]
# Integrated gradients obey a sum rule: their sum is the score of the complex minus the score of an empty box. The remaining
# difference is the integration error.

# %%
round(float(found.integrated.sum()), 3), round(found.score - found.empty, 3)

# %%
values = found.per_residue("gradient")
strongest = sorted(zip(found.residues, values, strict=True), key=lambda one: -abs(one[1]))[:5]
[(residue.label, round(float(value), 3)) for residue, value in strongest]
