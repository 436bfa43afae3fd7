"""Errors a user can act on, each with the exit code the command line ends with."""


class DmefError(Exception):
    """Something the user can put right; shown as one line, without a traceback."""

    exit_code = 2


class UsageError(DmefError):
    """A wrong argument, option or input path (exit code 2)."""


class ScenesFailedError(DmefError):
    """Some scenes, videos or methods failed while the others were finished (exit code 1)."""

    exit_code = 1


class MissingError(DmefError):
    """Something is missing in the environment: ffmpeg, weights, disk space (exit code 3)."""

    exit_code = 3


class IntegrityError(DmefError):
    """Files are not what their manifest says they are (exit code 4)."""

    exit_code = 4
