"""Geometry and symmetry of molecules, and PDB output."""
