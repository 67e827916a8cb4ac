# %% [markdown]
# # Look at why
#
# Which atoms does a score come from? Blue atoms raise it, vermilion ones lower it. An attribution says what this network uses,
# right or wrong; it is not an energy.

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
# The page turns, shows values under the mouse, and needs no network. `out="why"` would write it as a file, with a PDB file that
# has the values as B factors, an SDF file and tables.

# %%
found = affinity_zoo.explain("zoo-small", receptor, ligand, method="gradient", views=1)
found

# %% [markdown]
# Integrated gradients obey a sum rule: they add up to the way from an empty box to this complex. What is left is the error of
# the steps.

# %%
round(float(found.integrated.sum()), 3), round(found.score - found.empty, 3)

# %%
values = found.per_residue("gradient")
strongest = sorted(zip(found.residues, values, strict=True), key=lambda one: -abs(one[1]))[:5]
[(residue.label, round(float(value), 3)) for residue, value in strongest]
