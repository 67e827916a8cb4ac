"""Self-contained HTML pages: the leaderboard and one run, with plots and sentences."""
