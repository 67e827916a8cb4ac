"""Explanation and display: attributions to atoms, input images of networks, interactive 3D pages."""
