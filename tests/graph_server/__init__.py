"""A scripted Microsoft 365: Graph and its sign-in over real HTTP, faults on demand."""

from tests.graph_server.server import GraphServer

__all__ = ["GraphServer"]
