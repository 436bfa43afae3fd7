"""What a Hub or the way to it may answer, each as one sentence with the right exit code.

No text of a response or of a library's exception is shown: either may hold what the server, or
somebody between, wanted on the user's terminal, or the user's own token.
"""

import contextlib
from collections.abc import Iterator

from huggingface_hub.errors import (
    BadRequestError,
    DisabledRepoError,
    GatedRepoError,
    HfHubHTTPError,
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from dmef_bench.errors import DmefError, MissingError, UsageError

# Of httpx in huggingface-hub 1.x, of httpx2 in 2.x.
HttpError: type[Exception] = HfHubHTTPError.__bases__[0]

LOG_IN = "log in with `hf auth login` or set HF_TOKEN"


@contextlib.contextmanager
def told(what: str, endpoint: str) -> Iterator[None]:
    """Turn every failure of huggingface-hub into an error of this package.

    Args:
        what: the dataset, as messages name it.
        endpoint: the Hub's address.

    Raises:
        UsageError: there is no such dataset or revision.
        MissingError: no network, no access, no answer a Hub gives.
    """
    try:
        yield
    except DmefError:
        raise
    except (HttpError, OfflineModeIsEnabled, LocalTokenNotFoundError) as error:
        raise explain(error, what, endpoint) from error
    except (RuntimeError, OSError) as error:  # how uploads fail, by Git LFS and by Xet
        if isinstance(error.__cause__, HttpError):
            raise explain(error.__cause__, what, endpoint) from error
        raise MissingError(
            f"{what}: its files could not be sent to {endpoint}; run the same command again, "
            "and where this Hub has no Xet storage, set HF_HUB_DISABLE_XET=1"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if str(error).startswith("Invalid metadata in README.md"):
            raise UsageError(
                f"{what}: {endpoint} does not take the dataset card's header; most often it does "
                "not know the licence: build again with a --license it knows, or without"
            ) from error
        raise MissingError(
            f"{endpoint}: answered what no Hub answers; check HF_ENDPOINT and the network"
        ) from error


def explain(error: Exception, what: str, endpoint: str) -> DmefError:
    """The error of this package for one of huggingface-hub or of its HTTP client."""
    if isinstance(error, OfflineModeIsEnabled):
        return MissingError(f"{what}: HF_HUB_OFFLINE forbids to ask {endpoint}; unset it")
    if isinstance(error, LocalTokenNotFoundError):
        return MissingError(f"{what}: {endpoint} asks for a token; {LOG_IN}")
    if not isinstance(error, HfHubHTTPError):
        return MissingError(
            f"{endpoint}: can't be reached ({_cause(error)}); check the network and run the same "
            "command again"
        )
    status = error.response.status_code
    if isinstance(error, GatedRepoError):
        return MissingError(
            f"{what}: access is granted by its owner only; ask for it on its page at {endpoint}, "
            f"and {LOG_IN}"
        )
    if isinstance(error, DisabledRepoError):
        return MissingError(f"{what}: {endpoint} has disabled access to it")
    if isinstance(error, RevisionNotFoundError):
        return UsageError(f"{what}: there is no such revision; give a branch, a tag or a commit")
    if isinstance(error, RemoteEntryNotFoundError):
        return UsageError(f"{what}: a file of the dataset is not in it")
    if status == 401:
        return MissingError(
            f"{what}: {endpoint} shows no such dataset to this login; it may be private, the "
            f"name wrong, or the token expired: check the name, or {LOG_IN}"
        )
    if isinstance(error, RepositoryNotFoundError) or status == 404:
        return UsageError(f"{what}: {endpoint} knows no such dataset; check the name")
    if status == 403:
        return MissingError(
            f"{what}: this login may not do that at {endpoint}; {LOG_IN} with a token that may"
        )
    if status in (409, 412):
        return MissingError(
            f"{what}: something else was changed there at the same time; run the same command again"
        )
    if isinstance(error, BadRequestError):
        return MissingError(f"{what}: {endpoint} turned the request down (status 400)")
    return MissingError(
        f"{endpoint}: answered with status {status}; run the same command again later"
    )


def _cause(error: BaseException) -> str:
    """Why a connection failed, in the operating system's words or by the kind of error."""
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, OSError) and link.strerror:
            return link.strerror
        link = link.__cause__ or link.__context__
    return type(error).__name__
