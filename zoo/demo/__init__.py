"""The demonstration: real crystal structures from indexing to a leaderboard."""
