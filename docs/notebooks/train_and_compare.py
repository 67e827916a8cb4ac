# %% [markdown]
# # Train two combinations and compare them
#
# A **featurizer** makes a 3D image of a complex, an **architecture** is the network that reads it; any two combine by name.
# Here they are trained for a few seconds on a few structures: it shows the steps, not how good a network can be.

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
# An index is what is read once: atoms, labels, groups. Labels come from the folders here: crystal poses are 1, displaced ones 0.

# %%
data = runs.parent / "data"
affinity_zoo.index(made.folder, data, progress=False)

# %% [markdown]
# Train, validation and test hold different structures. A random split would look better and mean less. (`affinity-zoo split`
# splits by sequence, scaffold, time and more.)

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
# Evaluation scores the test structures, and puts baselines beside the network: numbers such as burial or ligand size that
# a network must beat before it has learnt chemistry.

# %%
affinity_zoo.evaluate(first, views=1)

# %%
affinity_zoo.evaluate(second, views=1)

# %% [markdown]
# Where intervals overlap, the order of the rows proves nothing. With this few complexes they do.

# %%
affinity_zoo.leaderboard(runs)
