"""What can be wrong with a store: not the user's input, and not a bug."""

from __future__ import annotations


class StoreError(RuntimeError):
    """The store lacks something, or holds something that cannot be trusted; the message says what, and what
    to do.
    """


class StaleStore(UserWarning):
    """What a store holds of a study is not what the study file and the configuration ask for now; the message
    says which key differs, and what mends it.
    """
