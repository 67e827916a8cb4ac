"""Physical validity of poses: geometry, strain, and contact with the receptor."""
