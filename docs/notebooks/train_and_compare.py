# %% [markdown]
# # Train two combinations and compare them
#
# This notebook trains two models and compares them. A **featurizer** makes a 3D image of a complex; an **architecture** is the
# network that reads it. Every featurizer can be combined with every architecture. The trainings take a few seconds on a few
# structures: they show the steps, not how good a network can be.

# %%
import tempfile
from pathlib import Path

import affinity_zoo
from affinity_zoo.zoo.demo.complexes import make_demo_set
from affinity_zoo.zoo.demo.splitting import split_by_structure

work = Path(tempfile.gettempdir()) / "affinity-zoo-notebooks"
runs = Path(tempfile.mkdtemp()) / "summaries"
made = make_demo_set(work / "structures", decoys_per_ligand=2, tries=5)

# %% [markdown]
# `index` reads atoms, labels and groups once. Here the labels come from the folders: crystal poses have label 1, decoys 0.

# %%
data = runs.parent / "data"
affinity_zoo.index(made.folder, data, progress=False)

# %% [markdown]
# Training, validation and test set contain different structures. A random split would give better figures that do not hold for new
# proteins.
# (`affinity-zoo split` splits by sequence, scaffold, time and more.)

# %%
split_by_structure(data, made)

# %%
first = affinity_zoo.train(
    data,
    "element-tag",
    "resnet3d",
    architecture_options={"filters": 4},
    box=(16, 1.5),
    epochs=2,
    runs=runs,
    say=print,
)
first

# %%
second = affinity_zoo.train(
    data,
    "atom-types",
    "resnet3d",
    architecture_options={"filters": 4},
    box=(16, 1.5),
    epochs=2,
    runs=runs,
    say=print,
)
second

# %% [markdown]
# `evaluate` scores the test structures with the network and with baselines. Baselines are simple numbers such as burial or ligand
# size; a useful network must be better.

# %%
affinity_zoo.evaluate(first, views=1)

# %%
affinity_zoo.evaluate(second, views=1)

# %% [markdown]
# With so few complexes the intervals overlap, so the order of the rows proves nothing.

# %%
affinity_zoo.leaderboard(runs)
