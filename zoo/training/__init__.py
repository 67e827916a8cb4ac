"""Training: recipes, losses, callbacks, the run folder."""
