"""Featurizers: how a protein-ligand complex becomes a 3D image."""
