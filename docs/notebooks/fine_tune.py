# %% [markdown]
# # Fine-tune a model and compare it with the original
#
# This notebook fine-tunes a trained model (`start`) with its featurizer, box and weights. The outputs for which the data have true
# values are trained. Here the data are crystal poses and decoys. A series of your compounds with a column of affinities
# (`docs/formats.md`) is used in the same way, with `tasks=("affinity",)`.

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
# `say` is called with each progress line of the training. The lines are kept, because the last ones are the comparison.

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
# These lines compare the fine-tuned model with the original model and with ligand size on the held-out structures. Both models score the
# same poses in the same orientations; the interval is from a paired bootstrap over complexes. "Not shown better" is the
# usual result for so few complexes. If the result is "WORSE", keep the original model.

# %%
print("\n".join(line for line in lines if "held-out" in line))
