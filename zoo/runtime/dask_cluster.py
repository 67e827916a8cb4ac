"""A Dask cluster as executor of parallel work."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

from affinity_zoo.plugins.errors import AffinityZooError, UsageError


class DaskCluster:
    """Factory of executors on a Dask cluster, for :func:`ordered_map`.

    Its workers need this package and the same paths. A worker process runs one task at a time, for any number
    of threads, because not all code is thread-safe.
    """

    def __init__(self, client: Any, address: str) -> None:
        self._client, self._address = client, address

    def __call__(self) -> Executor:
        """Return an executor that runs on the cluster."""
        # pure=False: equal calls are not merged into one
        return self._client.get_executor(pure=False)  # type: ignore[no-any-return]

    @property
    def slots(self) -> int:
        """Current number of worker processes; it may change.

        Raises:
            AffinityZooError: the scheduler does not answer.
        """
        try:
            return max(1, len(self._client.nthreads()))
        except OSError:  # the connection broke before the client's status says so
            raise self._gone() from None

    def check(self) -> None:
        """Check that the scheduler is still running.

        Raises:
            AffinityZooError: the scheduler does not answer. The caller keeps finished results.
        """
        if self._client.status != "running":
            raise self._gone()

    def _gone(self) -> AffinityZooError:
        return AffinityZooError(
            f"the Dask scheduler at {self._address} does not answer any more: restart it and run the same command again"
        )


def dask_cluster(address: str) -> DaskCluster:
    """Connect to a Dask cluster; workers may join later.

    Args:
        address: Address of the scheduler, ``tcp://host:port``.

    Raises:
        UsageError: Dask is not installed, or no scheduler answers at the address.
        AffinityZooError: a worker does not have this version of affinity-zoo.
    """
    try:
        from distributed import Client
    except ImportError:
        raise UsageError("`dask` needs Dask: pip install 'affinity-zoo[dask]'") from None
    try:
        client = Client(address, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UsageError(f"no Dask scheduler answers at {address}: {error}") from error
    _same_version(client)
    return DaskCluster(client, address)


def _same_version(client: Any) -> None:
    from affinity_zoo import __version__
    from affinity_zoo.zoo.runtime.terminal import warn

    found = client.run(_version, on_error="return")
    if not found:
        warn("no Dask worker has joined yet; waiting for the first")
    for worker, version in found.items():
        if version != __version__:
            problem = f"version {version}" if isinstance(version, str) else f"none ({version})"
            raise AffinityZooError(
                f"Dask worker {worker} has affinity-zoo {problem}, here it is {__version__}: install the same on all"
            )


def _version() -> str:
    from affinity_zoo import __version__

    return __version__
