"""From atoms to a combined score, once for all that scores poses.

``choices`` says how, ``ready`` makes a model ready, ``outputs`` runs a network over batches, ``pairs`` and ``rows``
score pairs in memory and rows of an index, ``combine`` averages over views and models.
"""
