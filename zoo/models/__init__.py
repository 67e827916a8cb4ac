"""Models: model directories, ensembles, cards, and where models come from."""
