"""A scripted Exchange server: real HTTP, real SOAP, faults on demand."""

from tests.ews_server.server import EwsServer

__all__ = ["EwsServer"]
