"""Models of other programs: reading, downloading and converting them."""
