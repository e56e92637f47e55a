"""What a failed request to the Hub says."""

from __future__ import annotations

import socket

import pytest

from builder.hub.remote import Repository
from builder.hub.retry_policy import network_errors


def test_a_hub_that_does_not_answer_is_named_with_its_address() -> None:
    """The number of a system error says nothing to a user."""
    repository = Repository("harbour/news", token="hf_none")
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        repository._api.endpoint = address
        with pytest.raises(network_errors()) as error:
            repository.look()
    assert str(repository.fault(error.value)) == (
        f"harbour/news: the Hub cannot be reached at {address}: Connection refused "
        "(check the network, then run the same command again to resume)"
    )
