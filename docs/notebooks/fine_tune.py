# %% [markdown]
# # Fine-tune a model and read the verdict
#
# `start` names a trained model. Its featurizer, box and weights are taken over; outputs for which the data has labels are trained
# further. Here the data are crystal poses and decoys; with a column of affinities (`docs/formats.md`) a series of your
# compounds is tuned in the same way, with `tasks=("affinity",)`.

# %%
import tempfile
from pathlib import Path

import affinity_zoo
from affinity_zoo.zoo.demo.complexes import make_demo_set
from affinity_zoo.zoo.demo.splitting import split_by_structure

work = Path(tempfile.gettempdir()) / "affinity-zoo-notebooks"
made = make_demo_set(work / "structures", decoys_per_ligand=2, tries=5)
data = Path(tempfile.mkdtemp()) / "data"
affinity_zoo.index(made.folder, data, progress=False)
split_by_structure(data, made)

# %% [markdown]
# The lines of a training go where `say` sends them; they are kept, because the last ones are the verdict.

# %%
lines: list[str] = []
run = affinity_zoo.train(
    data,
    start="zoo-small",
    freeze=4,
    epochs=2,
    tasks=("pose",),
    runs=data.parent / "summaries",
    say=lines.append,
)
run

# %%
print("\n".join(line for line in lines if line.startswith("starts from")))

# %% [markdown]
# The verdict: the tuned model against the model before, and against ligand size, on the held-out structures. Both models see the
# same poses in the same orientations; the interval is a paired bootstrap over complexes. "Not shown better" is the
# usual outcome on so few complexes, and "WORSE" happens: then keep the model that you had.

# %%
print("\n".join(line for line in lines if "held-out" in line))
