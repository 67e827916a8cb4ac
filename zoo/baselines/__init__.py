"""One-number baselines that stand beside every model, one file each."""
