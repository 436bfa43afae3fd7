"""What can be wrong with a set of records, each said in one sentence."""


class LeaderboardError(ValueError):
    """Records that can't become a leaderboard; the message says which and what to do."""


class RecordError(LeaderboardError):
    """A record file that is missing, damaged or not of this schema."""


class MixedRunsError(LeaderboardError):
    """Runs that don't measure the same thing and can't share a table."""
